"""What the tests of lifecycles share: clients of a server on this machine, and a way to cancel at any suspension."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import types
from collections.abc import Callable, Container, Coroutine, Generator
from typing import Any, TypeVar

import httpx

from hf_tools import AsyncHfInferenceEndpoint, HfInferenceEndpoint, Options
from tests.faults.table import each_request
from tests.faults.wire import FaultServer, Wire, chunk, completion, event, opening

T = TypeVar("T")
KEY = "hf_test"
MESSAGES = [{"role": "user", "content": "Hi"}]
good = each_request(Wire.good)
"""Right answers, one after the other."""


def unfinished(wire: Wire) -> None:
    """Begin a stream or an answer, and never end it; later requests on other connections get the same."""
    wire.request()
    if wire.streams:
        wire.begin()
        wire.send(opening())
    else:
        wire.begin(kind="application/json")
        wire.send(b'{"id": ')
    wire.hold()


def blocking(url: str, **options: Any) -> HfInferenceEndpoint:
    """A client that blocks."""
    return HfInferenceEndpoint(url, KEY, server="openai", options=Options(**options))


def awaiting(url: str, **options: Any) -> AsyncHfInferenceEndpoint:
    """A client that awaits."""
    return AsyncHfInferenceEndpoint(url, KEY, server="openai", options=Options(**options))


async def asked(client: Any) -> str:
    """The text of a right answer."""
    return str((await client.chat_completion(MESSAGES, max_tokens=20, model="m")).text)


def eventually(true: Callable[[], bool], seconds: float = 3.0) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def closed(server: FaultServer) -> bool:
    """Whether the server sees all of its connections closed soon."""
    return eventually(lambda: server.open == 0)


@types.coroutine
def _cancelled_at(counts: Container[int], made: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
    """Await a coroutine whose task is cancelled at these of its suspensions; its result where it ends before."""
    task = asyncio.current_task()
    assert task is not None
    suspended, resume = 0, _sender(made)
    while True:
        try:
            waits_for = resume()
        except StopIteration as stop:
            result: T = stop.value
            return result
        suspended += 1
        if suspended in counts:
            task.cancel()
        try:
            yield waits_for
        except BaseException as error:
            resume = _thrower(made, error)
        else:
            resume = _sender(made)


async def cancelled_at(made: Coroutine[Any, Any, T], *counts: int) -> T:
    """The same as a coroutine, which a task is made of; the first suspension is number 1."""
    return await _cancelled_at(counts, made)


def _thrower(made: Coroutine[Any, Any, Any], error: BaseException) -> Callable[[], Any]:
    return lambda: made.throw(error)


def _sender(made: Coroutine[Any, Any, Any]) -> Callable[[], Any]:
    return lambda: made.send(None)


def echo(wire: Wire) -> None:
    """Answer with the words of the request, as a stream where one is asked for."""
    words = str(json.loads(wire.body)["messages"][-1]["content"])
    if not wire.streams:
        wire.answer(json.dumps(completion(words)).encode())
        return
    pieces = [event(chunk({"role": "assistant", "content": piece})) for piece in (words[:3], words[3:])]
    body = b"".join([*pieces, event(chunk({}, "stop")), event("[DONE]")])
    wire.answer(body, kind="text/event-stream")


def said(words: str) -> list[dict[str, str]]:
    """The messages of a call that wants these words back."""
    return [{"role": "user", "content": words}]


def forked(count: int, work: Callable[[int], None]) -> list[int]:
    """Fork so many children that do the work; how each has ended."""
    children: list[int] = []
    for place in range(count):
        child = os.fork()
        if child == 0:  # pragma: no cover - another process
            signal.alarm(20)
            try:
                work(place)
                os._exit(0)
            except BaseException as error:
                os.write(2, repr(error).encode())
                os._exit(1)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


class Detour(httpx.HTTPTransport):
    """Takes the requests for all hosts to one server on this machine; their paths and headers stay."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = self._url.copy_with(raw_path=request.url.raw_path)
        return super().handle_request(request)


class AsyncDetour(httpx.AsyncHTTPTransport):
    """The same, awaited."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx.URL(url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = self._url.copy_with(raw_path=request.url.raw_path)
        return await super().handle_async_request(request)
