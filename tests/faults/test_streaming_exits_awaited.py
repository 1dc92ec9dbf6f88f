"""Awaited streams that are left early, or never read: the connection is closed at once, and others have room."""

from __future__ import annotations

import asyncio
import gc
import sys
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeAlias

import httpx
import pytest

from hf_tools import AsyncHfInferenceEndpoint
from hf_tools.errors import StreamConsumed
from tests.faults.streaming_leaving import OPTIONS, aclient, chat, client, endless, soon
from tests.faults.subjects import CANARY, MESSAGES
from tests.faults.wire import TEXT, FaultServer

Source: TypeAlias = Callable[[], AsyncIterator[Any]]
Exit: TypeAlias = Callable[[Source], Awaitable[None]]


async def by_break(source: Source) -> None:
    async for part in source():
        assert part.text == "Hello "
        break


async def by_error(source: Source) -> None:
    async def read() -> None:
        async for part in source():
            raise KeyError(part.text)

    with pytest.raises(KeyError, match="Hello "):
        await read()


async def by_close(source: Source) -> None:
    stream: Any = source()
    assert (await anext(stream)).text == "Hello "
    await stream.aclose()
    await stream.aclose()


async def by_drop(source: Source) -> None:
    held: dict[str, Any] = {"stream": source()}
    assert (await anext(held["stream"])).text == "Hello "
    held["itself"] = held  # a ring: only the collector finds it
    del held
    gc.collect()


async def by_cancel(source: Source) -> None:
    task = asyncio.create_task(_all(source))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_timeout(source: Source) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await _all(source)


async def _all(source: Source) -> None:
    async for part in source():
        assert part.text in ("Hello ", "from ")


async def within(source: Source) -> None:
    async def texts() -> AsyncGenerator[str]:
        async for part in source():
            yield part.text

    async with aclosing(texts()) as generator:
        assert await anext(generator) == "Hello "


EXITS = [by_break, by_error, by_close, by_drop, by_cancel, by_timeout, within]


async def closed(server: FaultServer) -> bool:
    return await asyncio.to_thread(soon, lambda: server.open == 0)


@pytest.mark.parametrize("leave", EXITS)
async def test_a_stream_that_is_left_is_closed(leave: Exit) -> None:
    with FaultServer(endless(3)) as server:
        async with aclient(server) as hf:
            before = asyncio.all_tasks()
            for turn in range(1, 4):
                await leave(lambda: aiter(hf.chat_completion_stream(MESSAGES, model="m")))
                assert await closed(server), turn
            assert (await hf.chat_completion(MESSAGES, model="m")).text == TEXT
            assert len(server.requests) == 4
            assert asyncio.all_tasks() == before


def _together(order: Callable[[list[Any]], list[Any]]) -> Exit:
    """Close all generators that are open at once and in this order, as an event loop does at its end."""

    async def leave(source: Source) -> None:
        made: list[Any] = []
        first, last = sys.get_asyncgen_hooks()

        def note(each: AsyncGenerator[Any, Any]) -> None:
            made.append(each)
            if first:
                first(each)

        sys.set_asyncgen_hooks(note)
        stream: Any = source()
        assert (await anext(stream)).text == "Hello "
        sys.set_asyncgen_hooks(first, last)
        assert len(made) > 2
        found = await asyncio.gather(*(each.aclose() for each in order(made)), return_exceptions=True)
        assert [each for each in found if each is not None] == []

    return leave


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("turn", [1, -1])
async def test_streams_that_are_open_when_the_loop_ends_fail_in_no_order(place: int, turn: int) -> None:
    with FaultServer(endless(1)) as server:
        async with aclient(server) as hf:
            leave = _together(lambda made: (made[place % len(made) :] + made[: place % len(made)])[::turn])
            await leave(lambda: aiter(hf.chat_completion_stream(MESSAGES, model="m")))
            assert await closed(server)
            assert (await hf.chat_completion(MESSAGES, model="m")).text == TEXT


@pytest.mark.parametrize("leave", EXITS)
async def test_a_stream_of_the_chat_model_that_is_left_is_closed(leave: Exit) -> None:
    with FaultServer(endless(3)) as server:
        async with chat(server) as model:
            before = asyncio.all_tasks()
            for turn in range(1, 4):
                await leave(lambda: model.astream("Hi"))
                assert await closed(server), turn
            assert (await model.ainvoke("Hi")).text == TEXT
            assert len(server.requests) == 4
            assert asyncio.all_tasks() == before


async def test_a_block_that_is_left_closes_the_stream_at_once() -> None:
    with FaultServer(endless(2)) as server:
        async with aclient(server) as hf:
            for _ in range(2):
                async with hf.chat_completion_stream(MESSAGES, model="m") as stream:
                    assert (await anext(stream)).text == "Hello "
                    assert server.open == 1
                assert await closed(server)
                with pytest.raises(StreamConsumed):
                    aiter(stream)


async def test_the_pool_has_its_connections_back() -> None:
    with FaultServer(endless(14)) as server:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=1), timeout=5) as http:
            hf = AsyncHfInferenceEndpoint(server.url, CANARY, server="openai", options=OPTIONS, http_client=http)
            for turn in range(14):
                await EXITS[turn % len(EXITS)](lambda: aiter(hf.chat_completion_stream(MESSAGES, model="m")))
            for _ in range(3):
                assert (await hf.chat_completion_stream(MESSAGES, model="m").read()).text == TEXT
            assert (await hf.chat_completion(MESSAGES, model="m")).text == TEXT


async def test_streams_that_are_never_read_send_nothing() -> None:
    with FaultServer(endless(0)) as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        async with aclient(server) as hf, chat(server) as model:
            kept = [hf.chat_completion_stream(MESSAGES, model="m") for _ in range(50)]
            waiting = [model.astream("Hi") for _ in range(50)]
            async with hf.chat_completion_stream(MESSAGES, model="m") as unread:
                assert unread.headers == {}
            del kept, waiting
            gc.collect()
            await asyncio.sleep(0)
            assert (await hf.chat_completion(MESSAGES, model="m")).text == TEXT
            assert len(server.requests) == 1


async def test_temporary_clients_stay_while_their_stream_is_read() -> None:
    with FaultServer(endless(0)) as server:
        texts: list[str] = []
        async for part in aclient(server).chat_completion_stream(MESSAGES, model="m"):
            gc.collect()
            texts.append(part.text)
        async for chunk in chat(server).astream("Hi"):
            gc.collect()
            texts.append(str(chunk.text))
        assert "".join(texts) == TEXT * 2
        assert await closed(server)


async def test_streams_that_nobody_reads_leave_room_for_others() -> None:
    with FaultServer(endless(100)) as server:
        async with aclient(server) as hf:
            unread = [hf.chat_completion_stream(MESSAGES, model="m") for _ in range(100)]
            assert {part.text for part in await asyncio.gather(*map(anext, unread))} == {"Hello "}
            assert server.open == 100
            calls = (hf.chat_completion(MESSAGES, model="m") for _ in range(20))
            assert [answer.text for answer in await asyncio.gather(*calls)] == [TEXT] * 20
            assert (await hf.chat_completion_stream(MESSAGES, model="m").read()).text == TEXT
        assert await closed(server)


@pytest.mark.parametrize("leave", [by_break, by_drop])
def test_the_end_of_the_event_loop_closes_what_is_left(leave: Exit) -> None:
    with FaultServer(endless(2)) as server:
        hf, model = aclient(server), chat(server)

        async def both() -> None:
            await leave(lambda: aiter(hf.chat_completion_stream(MESSAGES, model="m")))
            await leave(lambda: model.astream("Hi"))

        asyncio.run(both())
        assert soon(lambda: server.open == 0)
        assert client(server).chat_completion(MESSAGES, model="m").text == TEXT
        assert len(server.requests) == 3
