"""A stream that has come to its end gives its connection back, also where the body's end follows the last event."""

from __future__ import annotations

import time

from hf_tools import AsyncHfInferenceEndpoint, HfInferenceEndpoint
from tests.faults.wire import FaultServer, Wire, events

MESSAGES = [{"role": "user", "content": "Hi"}]


def chunked(wire: Wire) -> None:
    """Whole streams, one after the other; the last chunk comes in a packet of its own."""
    while True:
        wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        wire.send(b"%x\r\n%s\r\n" % (len(events()), events()))
        time.sleep(0.01)
        wire.send(b"0\r\n\r\n")


def unending(wire: Wire) -> None:
    """A whole stream, and then nothing, not even an end."""
    wire.request()
    wire.begin()
    wire.send(events())
    wire.hold()


def test_a_connection_serves_the_next_stream() -> None:
    with FaultServer(chunked) as server, HfInferenceEndpoint(server.url, False, server="openai") as client:
        for _ in range(3):
            assert client.chat_completion_stream(MESSAGES, model="m").read().text == "Hello from the server"
        assert (server.accepted, len(server.requests)) == (1, 3)


async def test_a_connection_serves_the_next_stream_awaited() -> None:
    with FaultServer(chunked) as server:
        async with AsyncHfInferenceEndpoint(server.url, False, server="openai") as client:
            for _ in range(3):
                assert (await client.chat_completion_stream(MESSAGES, model="m").read()).text == "Hello from the server"
        assert (server.accepted, len(server.requests)) == (1, 3)


def test_a_body_that_does_not_end_is_not_waited_for() -> None:
    with FaultServer(unending) as server, HfInferenceEndpoint(server.url, False, server="openai") as client:
        start = time.monotonic()
        assert client.chat_completion_stream(MESSAGES, model="m").read().text == "Hello from the server"
        assert time.monotonic() - start < 3


async def test_a_body_that_does_not_end_is_not_waited_for_awaited() -> None:
    with FaultServer(unending) as server:
        async with AsyncHfInferenceEndpoint(server.url, False, server="openai") as client:
            start = time.monotonic()
            assert (await client.chat_completion_stream(MESSAGES, model="m").read()).text == "Hello from the server"
            assert time.monotonic() - start < 3
