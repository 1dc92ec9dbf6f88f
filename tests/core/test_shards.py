"""Many requests in flight are spread over small pools, and nothing of them is left."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import httpcore
import httpx
import pytest

from hf_tools import AsyncHfInference
from hf_tools._http.shards import (
    IN_FLIGHT,
    POOLS,
    Looking,
    Sending,
    Shards,
    _Counted,  # pyright: ignore[reportPrivateUsage]
    _Pool,  # pyright: ignore[reportPrivateUsage]
    put_off,
    sharded,
)
from hf_tools._http.shared import LIMITS
from hf_tools.steps import Send

URL = "http://127.0.0.1/"


class Slow:
    """Answers when it is let; counts what is in flight."""

    def __init__(self, gate: asyncio.Event) -> None:
        self.gate, self.most, self.now, self.closed = gate, 0, 0, False

    async def send(self, step: Send) -> httpx.Response:
        self.now += 1
        self.most = max(self.most, self.now)
        await self.gate.wait()
        self.now -= 1
        if step.url.endswith("/fail"):
            raise httpx.ConnectError("refused")
        return httpx.Response(200, stream=httpx.ByteStream(b"answer"))

    async def aclose(self) -> None:
        self.closed = True


async def flood(count: int, path: str = "") -> tuple[Shards, list[Slow], list[object]]:
    gate, made = asyncio.Event(), list[Slow]()

    def make() -> Slow:
        made.append(Slow(gate))
        return made[-1]

    shards = Shards(make)

    async def get() -> bytes:
        response = await shards.send(Send("GET", URL + path))
        body = b"".join([piece async for piece in cast(httpx.AsyncByteStream, response.stream)])
        await response.aclose()
        return body

    calls = [asyncio.create_task(get()) for _ in range(count)]
    await asyncio.sleep(0.05)
    gate.set()
    answers: list[object] = [*(await asyncio.gather(*calls, return_exceptions=True))]
    loads = [pool.load for pool in shards._pools]  # pyright: ignore[reportPrivateUsage]
    assert loads == [0] * len(loads)
    await shards.aclose()
    return shards, made, answers


@pytest.mark.parametrize(
    ("count", "pools", "most"),
    [(1, 1, 1), (8, 1, 8), (9, 2, 8), (40, 5, 8), (IN_FLIGHT * POOLS + 64, POOLS, 9)],
)
async def test_pools_are_opened_as_they_are_needed(count: int, pools: int, most: int) -> None:
    _, made, answers = await flood(count)
    assert len(made) == pools
    assert max(one.most for one in made) == most
    assert answers == [b"answer"] * count
    assert all(one.closed for one in made)


async def test_a_failure_frees_its_place() -> None:
    _, _, answers = await flood(10, "fail")
    assert all(isinstance(answer, httpx.ConnectError) for answer in answers)


async def test_closing_an_answer_twice_frees_its_place_once() -> None:
    gate = asyncio.Event()
    gate.set()
    shards = Shards(lambda: Slow(gate))
    response = await shards.send(Send("GET", URL))
    assert isinstance(response.stream, httpx.AsyncByteStream)
    await response.stream.aclose()
    await response.stream.aclose()
    assert [pool.load for pool in shards._pools] == [0]  # pyright: ignore[reportPrivateUsage]
    await shards.aclose()


async def test_proxies_are_left_to_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert sharded() is None
    async with AsyncHfInference(False) as hf:
        http = await hf._http.client()  # pyright: ignore[reportPrivateUsage]
        assert not isinstance(http._transport, Shards)  # pyright: ignore[reportPrivateUsage]


def test_another_httpx_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> None:
        """An httpx that keeps its pool elsewhere."""

    assert isinstance(Looking(LIMITS)._pool, httpcore.AsyncConnectionPool)  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "__init__", nothing)
    assert not hasattr(Looking(LIMITS), "_pool")


async def test_a_cancellation_waits_for_the_turns_of_others() -> None:
    done: list[bool] = []

    async def steps() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        done.append(True)

    async def run() -> None:
        await put_off(steps())

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [True]


async def test_what_waits_for_something_is_cancelled_at_once() -> None:
    task = asyncio.create_task(put_off_for_ever())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await task


async def put_off_for_ever() -> None:
    async def steps() -> None:
        await asyncio.Event().wait()

    await put_off(steps())


class Kept:
    """A connection of a pool, or a request for one, as httpcore lists them."""

    def __init__(self, idle: bool = False, connection: Kept | None = None) -> None:
        self.idle, self.connection, self.closed = idle, connection, False

    def is_idle(self) -> bool:
        return self.idle

    def is_closed(self) -> bool:
        return self.closed

    async def aclose(self) -> None:
        self.closed = True


async def test_a_body_whose_closing_is_interrupted_takes_its_request_along() -> None:
    idle, used, left = Kept(idle=True), Kept(), Kept()
    other, own = Kept(connection=used), Kept(connection=left)
    inner = SimpleNamespace(_connections=[idle, used, left], _requests=[other, own])
    pool = _Pool(cast(Sending, SimpleNamespace(_pool=inner)))
    await pool.swept()
    assert (inner._connections, inner._requests) == ([idle, used, left], [other, own])

    class Body:
        _pool_request = own

        async def aclose(self) -> None:
            raise asyncio.CancelledError

    body = _Counted(cast(Any, Body()), pool)
    with pytest.raises(asyncio.CancelledError):
        await body.aclose()
    assert (inner._connections, inner._requests) == ([idle, used], [other, own])
    pool.forget()
    assert inner._requests == [other]
    assert [each.closed for each in (idle, used, left)] == [False, False, True]
    await pool.swept(body._stream)  # pyright: ignore[reportPrivateUsage]
    pool.forget()
    assert inner._requests == [other]


async def test_a_request_that_httpcore_removes_after_all_is_not_removed_twice() -> None:
    own = Kept(connection=Kept())
    inner = SimpleNamespace(_connections=[own.connection], _requests=[own])
    pool = _Pool(cast(Sending, SimpleNamespace(_pool=inner)))
    await pool.swept(SimpleNamespace(_pool_request=own))
    inner._requests.remove(own)
    pool.forget()
    assert inner._requests == []
