"""One model over real sockets: memory, threads, event loops, cancelled calls, waits, broken streams."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core import exceptions as core

from hf_tools.errors import StreamInterrupted
from langchain_hf_tools import ChatHfInference
from tests.langchain.chatting import chat
from tests.langchain.scripted import Said, ScriptedServer
from tests.langchain.scripted.server import EVENTS, Reply, Script

LONG = Said("word " * 500)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


def made(server: ScriptedServer, **more: Any) -> ChatHfInference:
    return chat(**{"model": "org/model", "base_url": server.url, "api_key": "hf_test", **more})


def test_calls_leave_no_memory_behind(server: ScriptedServer) -> None:
    model, count = made(server), 200

    def calls(number: int) -> None:
        for _ in range(number):
            model.invoke("Hello")
            server.requests.clear()

    calls(50)
    tracemalloc.start()
    try:
        calls(20)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        calls(count)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / count < 1024


def test_threads_share_a_model(server: ScriptedServer) -> None:
    model = made(server)
    questions = ["Hello" + "!" * number for number in range(80)]
    with ThreadPoolExecutor(8) as pool:
        texts = [answer.text for answer in pool.map(model.invoke, questions)]
    assert [f"your {len(question)} characters" in text for question, text in zip(questions, texts, strict=True)] == (
        [True] * 80
    )


def test_event_loops_in_several_threads_share_a_model(server: ScriptedServer) -> None:
    model = made(server)

    async def several() -> list[str]:
        return [answer.text for answer in await asyncio.gather(*(model.ainvoke("Hello") for _ in range(5)))]

    def run() -> list[str]:
        return asyncio.run(several())

    with ThreadPoolExecutor(4) as pool:
        ends = [pool.submit(run) for _ in range(8)]
    found = [text for end in ends for text in end.result()]
    assert len(found) == 40
    assert len(set(found)) == 1


async def test_a_cancelled_call_ends_the_request(server: ScriptedServer) -> None:
    server.trickle(LONG, 0.01)
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in made(server).astream("Hello"):
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(server.dropped.wait, 5)


async def test_closing_an_awaited_stream_ends_the_request(server: ScriptedServer) -> None:
    server.trickle(LONG, 0.01)
    stream: Any = made(server).astream("Hello")
    await anext(stream)
    await stream.aclose()
    assert await asyncio.to_thread(server.dropped.wait, 5)


def test_a_wait_that_is_too_long_is_a_timeout(server: ScriptedServer) -> None:
    server.trickle(LONG, 0.6)
    with pytest.raises(core.ModelTimeoutError) as caught:
        made(server, timeout=0.2, max_retries=0).invoke("Hello")
    assert caught.value.is_retryable


def test_a_stream_that_takes_too_long_tells_what_came(server: ScriptedServer) -> None:
    server.trickle(LONG, 0.05)
    with pytest.raises(StreamInterrupted, match="the time for the call is used up") as caught:
        list(made(server, timeout=0.5, max_retries=0).stream("Hello"))
    error: Any = caught.value
    assert error.is_retryable
    assert error.partial_message.text.startswith("word")


def test_nobody_there_is_a_connection_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(core.ModelConnectionError) as caught:
            ChatHfInference(model="org/model", base_url=url, max_retries=0).invoke("Hello")
    assert caught.value.is_retryable


@pytest.mark.parametrize(("status", "asked"), [(400, 1), (401, 1), (403, 1), (404, 1), (422, 1), (429, 3), (503, 3)])
def test_only_what_may_pass_is_tried_again(server: ScriptedServer, status: int, asked: int) -> None:
    for _ in range(3):
        server.fail(status, {"error": {"message": "No.", "type": "some_error"}}, retry_after="0")
    with pytest.raises(core.ModelError) as caught:
        made(server).invoke("Hello")
    assert len(server.requests) == asked
    assert caught.value.is_retryable is (asked > 1)


def test_a_stream_that_ends_early_tells_what_came(server: ScriptedServer) -> None:
    server.break_off(Said("one two three four"), after=3)
    with pytest.raises(StreamInterrupted) as caught:
        made(server, max_retries=0, streaming=True).invoke("Hello")
    assert isinstance(caught.value, core.ModelConnectionError)
    error: Any = caught.value
    assert error.partial_message.text == "one two"


def test_an_error_in_a_stream_tells_what_came(server: ScriptedServer) -> None:
    chunk = {"id": "1", "model": "org/model", "choices": [{"index": 0, "delta": {"content": "one"}}]}
    error = {"error": {"message": "the engine died", "type": "InternalServerError", "code": 500}}
    pieces = [f"data: {json.dumps(each)}\n\n".encode() for each in (chunk, error)]
    server.scripts.append(Script(reply=Reply(200, pieces, EVENTS)))
    with pytest.raises(core.ModelAPIError, match="the engine died") as caught:
        list(made(server, max_retries=0).stream("Hello"))
    found: Any = caught.value
    assert found.partial_message.text == "one"
    assert found.is_retryable


def test_no_thread_is_left(server: ScriptedServer) -> None:
    model = made(server)
    model.invoke("Hello")
    before = threading.active_count()
    model.batch(["Hello"] * 20)
    assert threading.active_count() <= before + 20
    del model
    gc.collect()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("ThreadPool")] == []
