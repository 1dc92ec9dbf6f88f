"""Cancelling: at every suspension of a call, a stream, a wait between attempts and a download; by nested timeouts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest

from hf_tools import AsyncHfInferenceEndpoint, errors
from tests.faults.lifecycle import MESSAGES, asked, awaiting, cancelled_at, closed, good, unfinished
from tests.faults.table import each_request
from tests.faults.wire import TEXT, FaultServer, Script, Wire

Call = Callable[[AsyncHfInferenceEndpoint, str], Coroutine[Any, Any, str]]
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60_000


async def _call(client: AsyncHfInferenceEndpoint, url: str) -> str:
    return await asked(client)


async def _stream(client: AsyncHfInferenceEndpoint, url: str) -> str:
    async with client.chat_completion_stream(MESSAGES, model="m") as stream:
        async for _ in stream:
            pass
        return str(stream.final.text)


async def _download(client: AsyncHfInferenceEndpoint, url: str) -> str:
    answer = await client.automatic_speech_recognition(f"{url}/sound.wav", model="m")
    return str(answer.text)


def _slowly(wire: Wire) -> None:
    """The right answer in pieces, so that there are many suspensions."""
    if wire.path.endswith(".wav"):
        wire.answer(b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 200_000, kind="audio/wav")
    elif wire.path.endswith("/transcriptions"):
        wire.answer(b'{"text": "Hello from the server"}')
    elif wire.streams:
        wire.good()
    else:
        body = wire.right()
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
        wire.send(b"content-length: %d\r\n\r\n" % len(body))
        for start in range(0, len(body), 100):
            time.sleep(0.002)
            wire.send(body[start : start + 100])


def _busy_first(wire: Wire) -> None:
    """Each first request of two is asked to come again."""
    if wire.turn % 2:
        wire.answer(b'{"error": "busy"}', status="503 Service Unavailable")
    else:
        wire.good()


CASES: dict[str, tuple[Script, Call]] = {
    "call": (each_request(_slowly), _call),
    "stream": (each_request(_slowly), _stream),
    "retry": (each_request(_busy_first), _call),
    "download": (each_request(_slowly), _download),
}


async def _cancelled(server: FaultServer, call: Call, count: int) -> bool:
    """Cancel at the `count`-th suspension, then call again; False where the call was over before."""
    async with awaiting(server.url) as client:
        task = asyncio.create_task(cancelled_at(call(client, server.url), count))
        await asyncio.wait([task])
        assert await call(client, server.url) == TEXT
        if not task.cancelled():
            assert task.result() == TEXT
    return task.cancelled()


@pytest.mark.parametrize("name", CASES)
def test_cancelled_at_any_suspension(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, call = CASES[name]
    nap = asyncio.sleep

    async def short(seconds: float) -> None:
        await nap(seconds * 0.01)

    monkeypatch.setattr("hf_tools._http.aio.sleep", short)
    with FaultServer(script) as server:
        counts = 0
        while asyncio.run(_cancelled(server, call, counts + 1)):
            counts += 1
        assert counts >= 4
        assert closed(server)


@pytest.mark.parametrize("streams", [False, True])
def test_a_server_that_is_silent_and_a_call_that_is_given_up(streams: bool) -> None:
    """The connection of a call that was cancelled in a long wait is closed, with the client still open."""

    async def run(server: FaultServer) -> None:
        async with awaiting(server.url) as client:
            call = _stream(client, "") if streams else asked(client)
            task = asyncio.create_task(call)
            while not server.requests:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            begun = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - begun < 0.5
            assert await asyncio.to_thread(closed, server)

    with FaultServer(unfinished) as server:
        asyncio.run(run(server))


def test_a_wait_between_attempts_ends_at_once() -> None:
    def busy(wire: Wire) -> None:
        wire.answer(b'{"error": "busy"}', status="503 Service Unavailable", retry_after=30)

    async def run(server: FaultServer) -> None:
        async with awaiting(server.url) as client:
            task = asyncio.create_task(asked(client))
            while not server.requests:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            begun = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - begun < 0.5

    with FaultServer(each_request(busy)) as server:
        asyncio.run(run(server))
        assert len(server.requests) == 1
        assert closed(server)


@pytest.mark.parametrize("inner", [0.1, 0.3])
@pytest.mark.parametrize("streams", [False, True])
async def test_nested_timeouts(inner: float, streams: bool) -> None:
    """The timeout that is due first raises, whichever it is; the other ones are none the wiser."""
    with FaultServer(unfinished) as server:
        async with awaiting(server.url, timeout=10) as client:
            begun = time.monotonic()
            outer, one = asyncio.timeout(0.2), asyncio.timeout(inner)

            async def call() -> None:
                async with outer, one:
                    await (_stream(client, "") if streams else asked(client))

            with pytest.raises(TimeoutError) as caught:
                await call()
            assert type(caught.value) is TimeoutError
            assert one.expired() == (inner < 0.2)
            assert outer.expired() == (inner > 0.2)
            assert time.monotonic() - begun < 1
            assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]
            assert await asyncio.to_thread(closed, server)


async def test_the_time_of_the_call_within_a_longer_one_of_the_caller() -> None:
    """Our own total time raises our own error, and leaves no cancellation behind."""
    with FaultServer(unfinished) as server:
        async with awaiting(server.url, timeout=0.2) as client, asyncio.timeout(5) as outer:
            with pytest.raises(errors.DeadlineExceeded):
                await asked(client)
            assert not outer.expired()
            assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


async def test_no_timeout_is_held_while_the_reader_works() -> None:
    """Parts of a stream come out of no scope: a timeout of the reader's own begins and ends between them."""
    with FaultServer(good) as server:
        async with awaiting(server.url, timeout=5) as client:
            stream = client.chat_completion_stream(MESSAGES, model="m")
            async with asyncio.timeout(5):
                first = await anext(aiter(stream))
            rest = await asyncio.create_task(stream.read())
            assert first.text
            assert rest.text == TEXT


async def test_anyio_scopes() -> None:
    """The scopes of anyio, which web servers put around a request, cancel a call and nothing after it."""
    with FaultServer(unfinished) as server:
        async with awaiting(server.url, timeout=10) as client:
            with anyio.move_on_after(0.2) as scope:
                await _stream(client, "")
            assert scope.cancelled_caught
            assert await asyncio.to_thread(closed, server)
            with anyio.fail_after(5):
                await anyio.sleep(0)
