"""Iterators of embeddings: vectors as they come, what happens to the texts meanwhile, and errors from either side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, closing
from threading import Event
from typing import Any

import httpx
import pytest

from hf_tools.errors import AuthenticationError, InputError
from langchain_hf_tools import HfInferenceEmbeddings
from langchain_hf_tools._calls.ordered import aordered, ordered
from tests.langchain.vector_server import VectorServer


def embeddings(server: VectorServer, **fields: Any) -> HfInferenceEmbeddings:
    given: dict[str, Any] = {**server.fields, "batch_size": 2, **fields}
    return HfInferenceEmbeddings(**given)


def test_an_iterator_is_read_as_its_vectors_are_taken() -> None:
    server, taken = VectorServer(), 0

    def texts() -> Iterator[str]:
        nonlocal taken
        for taken in range(1, 10_000):
            yield str(taken)

    with closing(embeddings(server, batch_size=4, max_concurrency=3).embed_iter(texts())) as found:
        assert taken == 0
        for place in range(1, 41):
            assert next(found) == [float(place), 1.0]
            assert taken <= place + 4 * 3 + 4
    assert server.settled()
    assert len(server.bodies) <= 14


async def test_an_async_iterator_is_read_as_its_vectors_are_taken() -> None:
    server, taken = VectorServer(delay=0.001), 0

    async def texts() -> AsyncIterator[str]:
        nonlocal taken
        for taken in range(1, 10_000):
            yield str(taken)

    model = embeddings(server, batch_size=4, max_concurrency=3)
    async with aclosing(model.aembed_iter(texts())) as found:
        async for vector in found:
            assert taken <= vector[0] + 4 * 3 + 4
            if vector[0] == 40:
                break
    assert (server.flying, len(server.bodies) <= 14) == (0, True)


# as they come


def test_what_is_complete_is_given_out_before_more_is_asked_for() -> None:
    seen: list[str] = []
    complete = Event()

    def items() -> Iterator[int]:
        for item in range(3):
            seen.append(f"asked for {item}")
            yield item
            assert complete.wait(5)
            time.sleep(0.1)  # until its thread has told of it
            complete.clear()

    def work(item: int) -> int:
        complete.set()
        return item

    for made in ordered(items(), work, at_once=4, held=4):
        seen.append(f"got {made}")
    assert seen.index("got 0") < seen.index("asked for 2")
    assert [each for each in seen if "got" in each] == ["got 0", "got 1", "got 2"]


async def test_a_vector_comes_while_the_next_text_is_awaited() -> None:
    server, more = VectorServer(), asyncio.Event()

    async def texts() -> AsyncIterator[str]:
        yield "1"
        yield "2"
        await more.wait()
        yield "3"

    async with asyncio.timeout(5), aclosing(embeddings(server).aembed_iter(texts())) as found:
        assert [await anext(found), await anext(found)] == [[1.0, 1.0], [2.0, 1.0]]
        more.set()
        assert [each async for each in found] == [[3.0, 1.0]]


@pytest.mark.parametrize(("size", "sizes"), [(2, [2] * 20), (32, [4] * 10)])
async def test_texts_that_wait_for_vectors_do_not_wait_for_ever(size: int, sizes: list[int]) -> None:
    server, free = VectorServer(), asyncio.Semaphore(4)

    async def texts() -> AsyncIterator[str]:
        for place in range(40):
            await free.acquire()
            yield str(place)

    found: list[float] = []
    async with asyncio.timeout(20):
        async for vector in embeddings(server, batch_size=size).aembed_iter(texts()):
            found.append(vector[0])
            if len(found) % 4 == 0:
                for _ in range(4):
                    free.release()
    assert found == [*range(40)]
    assert server.sizes == sizes


async def test_texts_are_taken_in_one_task() -> None:
    tasks: set[Any] = set()

    async def texts() -> AsyncIterator[str]:
        async with asyncio.timeout(30):  # which belongs to its task
            for place in range(20):
                tasks.add(asyncio.current_task())
                await asyncio.sleep(0)
                yield str(place)

    assert len([each async for each in embeddings(VectorServer()).aembed_iter(texts())]) == 20
    assert len(tasks) == 1


def test_a_first_call_that_stalls_makes_the_others_no_slower() -> None:
    count, last = 40_000, Event()

    def work(item: int) -> int:
        if item == count - 1:
            last.set()
        assert item or last.wait(60)
        return item

    start = time.monotonic()
    assert [*ordered(iter(range(count)), work, at_once=4)] == [*range(count)]
    assert time.monotonic() - start < 10  # looking at all that was begun each time takes minutes


async def test_an_awaited_first_call_that_stalls_makes_the_others_no_slower() -> None:
    count, last = 40_000, asyncio.Event()

    async def items() -> AsyncGenerator[int, None]:
        for item in range(count):
            yield item

    async def work(item: int) -> int:
        if item == count - 1:
            last.set()
        assert item or await last.wait()
        return item

    start = time.monotonic()
    assert [each async for each in aordered(items(), work, at_once=4)] == [*range(count)]
    assert time.monotonic() - start < 8


# errors


def add_all(found: list[float], vectors: Iterator[list[float]]) -> None:
    for vector in vectors:
        found.append(vector[0])


async def aadd_all(found: list[float], vectors: AsyncIterator[list[float]]) -> None:
    async for vector in vectors:
        found.append(vector[0])


def texts_that_end_badly(count: int) -> Iterator[str]:
    for place in range(count):
        yield str(place)
    raise KeyError("the source")


async def atexts_that_end_badly(count: int) -> AsyncIterator[str]:
    for text in texts_that_end_badly(count):
        yield text


@pytest.mark.parametrize("most", [1, 8])
async def test_an_error_of_the_texts_comes_after_the_vectors_of_what_was_begun(most: int) -> None:
    server = VectorServer(delay=0.01)
    model, found, awaited = embeddings(server, max_concurrency=most), list[float](), list[float]()
    with pytest.raises(KeyError, match="the source"):
        add_all(found, model.embed_iter(texts_that_end_badly(11)))
    with pytest.raises(KeyError, match="the source"):
        await aadd_all(awaited, model.aembed_iter(atexts_that_end_badly(11)))
    assert found == awaited == [*range(10)]  # the batch of the last text was not full


async def test_a_wrong_text_comes_after_the_vectors_of_what_was_begun() -> None:
    model, found = embeddings(VectorServer()), list[float]()
    with pytest.raises(InputError, match=r"`texts\[5\]` must not be empty"):
        await aadd_all(found, model.aembed_iter(["0", "1", "2", "3", "4", " "]))
    assert found == [0, 1, 2, 3]


async def test_an_error_is_told_while_the_next_text_is_awaited() -> None:
    server, cancelled = VectorServer(answers=lambda _: httpx.Response(401)), False

    async def texts() -> AsyncIterator[str]:
        nonlocal cancelled
        try:
            for place in range(4):
                yield str(place)
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled = True
            raise

    async with asyncio.timeout(5):
        with pytest.raises(AuthenticationError, match="this is texts 0 to 1, counted from 0"):
            await anext(embeddings(server).aembed_iter(texts()))
    assert cancelled
    assert len(asyncio.all_tasks()) == 1


async def test_texts_that_are_cancelled_from_elsewhere() -> None:
    async def texts() -> AsyncIterator[str]:
        yield "0"
        yield "1"
        raise asyncio.CancelledError

    found: list[float] = []
    with pytest.raises(asyncio.CancelledError):
        await aadd_all(found, embeddings(VectorServer()).aembed_iter(texts()))
    assert found == [0, 1]


async def test_two_errors_at_once() -> None:
    server = VectorServer(answers=lambda _: httpx.Response(401))
    both = asyncio.Barrier(2)
    handle = server.ahandle

    async def together(request: httpx.Request) -> httpx.Response:
        await both.wait()
        return await handle(request)

    http = httpx.AsyncClient(transport=httpx.MockTransport(together))
    with pytest.raises(AuthenticationError):
        await embeddings(server, http_async_client=http).aembed_documents(["0", "1", "2", "3"])
