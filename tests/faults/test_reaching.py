"""Connections that are used again, pools that are full, many calls at once, and the memory of a call."""

from __future__ import annotations

import asyncio
import functools
import gzip
import time
import tracemalloc
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInferenceEndpoint, HfInferenceEndpoint, Options, Timeout, errors
from hf_tools.steps import Send
from tests.faults.table import each_request
from tests.faults.wire import TEXT, FaultServer, Wire, chunk, event

MESSAGES = [{"role": "user", "content": "Hi"}]
ASK: dict[str, Any] = {"messages": MESSAGES, "max_tokens": 20, "model": "m"}


@each_request
def good(wire: Wire) -> None:
    wire.good()


def one_answer(wire: Wire) -> None:
    """Answers, then closes without having said so."""
    wire.request()
    wire.good()


def opens(wire: Wire) -> None:
    """Begins a stream, and holds it."""
    wire.request()
    wire.begin()
    wire.send(event(chunk({"content": "Hello"})))
    wire.hold()


def test_an_idle_connection_that_was_closed_costs_no_attempt() -> None:
    with FaultServer(one_answer) as server:
        with HfInferenceEndpoint(server.url, False, server="openai", options=Options(max_retries=0)) as client:
            for _ in range(5):
                assert client.chat_completion(**ASK).text == TEXT
                time.sleep(0.05)  # the connection is idle when its end comes
        assert len(server.requests) == 5


PATIENCE = Options(timeout=Timeout(pool=0.2, total=5), max_retries=2)
FULL = "no connection became free: too many calls or unread streams are open"


def test_a_full_pool_is_told() -> None:
    with FaultServer(opens) as server, httpx.Client(limits=httpx.Limits(max_connections=2)) as http:
        client = HfInferenceEndpoint(server.url, False, server="openai", options=PATIENCE, http_client=http)
        streams = [client.chat_completion_stream(**ASK) for _ in range(2)]
        assert [next(stream).text for stream in streams] == ["Hello", "Hello"]
        with pytest.raises(errors.RequestTimeout, match=FULL):
            client.chat_completion(**ASK)
        assert len(server.requests) == 2
        for stream in streams:
            stream.close()


async def test_a_full_pool_is_told_awaited() -> None:
    with FaultServer(opens) as server:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1)) as http:
            client = AsyncHfInferenceEndpoint(server.url, False, server="openai", options=PATIENCE, http_client=http)
            stream = client.chat_completion_stream(**ASK)
            assert (await anext(stream)).text == "Hello"
            with pytest.raises(errors.RequestTimeout, match=FULL):
                await client.chat_completion(**ASK)
            await stream.aclose()


async def test_a_thousand_calls_at_once() -> None:
    with FaultServer(good) as server:
        async with AsyncHfInferenceEndpoint(server.url, False, server="openai", options=Options(timeout=60)) as client:
            answers = await asyncio.gather(*(client.chat_completion(**ASK) for _ in range(1000)))
        assert {answer.text for answer in answers} == {TEXT}
        assert len(server.requests) == 1000


@pytest.mark.parametrize("length", ["", "1000", "x", "9" * 5000])
def test_the_cap_holds_where_no_length_is_told(length: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a wrong one: what comes is counted."""

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-length": length}, content=b" " * 5000)

    monkeypatch.setattr("hf_tools.exchange.Send", functools.partial(Send, limit=2000))
    with httpx.Client(transport=httpx.MockTransport(handler)) as http:
        client = HfInferenceEndpoint("http://127.0.0.1", False, server="openai", http_client=http)
        with pytest.raises(errors.ResponseTooLarge, match="the answer is larger than"):
            client.chat_completion(**ASK)


BOMB = gzip.compress(bytes(100_000_000))


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
def test_a_bomb_takes_no_memory_in_a_call(status: str) -> None:
    @each_request
    def bomb(wire: Wire) -> None:
        wire.answer(BOMB, status=status, Content_Encoding="gzip")

    with (
        FaultServer(bomb) as server,
        HfInferenceEndpoint(server.url, False, server="openai", options=Options(max_retries=0)) as client,
    ):
        tracemalloc.start()
        with pytest.raises(errors.ResponseTooLarge if status[0] == "2" else errors.InvalidRequest):
            client.chat_completion(**ASK)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 8_000_000
