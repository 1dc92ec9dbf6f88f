"""Connections that would stay: of a client that is closed while others read, and of calls that are cancelled."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any

import httpx
import pytest

from hf_tools import errors
from hf_tools._http.faults import Exit
from hf_tools._http.sync import _end  # pyright: ignore[reportPrivateUsage]
from tests.faults.lifecycle import (
    MESSAGES,
    asked,
    awaiting,
    blocking,
    cancelled_at,
    closed,
    echo,
    eventually,
    said,
    unfinished,
)
from tests.faults.table import each_request
from tests.faults.test_lifecycle_cancel import CASES, Call
from tests.faults.wire import TEXT, FaultServer, Wire, events, opening


def test_closing_while_others_ask_gives_them_an_answer_or_an_error_of_ours() -> None:
    found: list[str] = []
    with FaultServer(each_request(echo)) as server:
        client = blocking(server.url)

        def ask(place: int) -> None:
            try:
                while True:
                    words = f"thread {place}"
                    if client.chat_completion(said(words), model="m").text != words:
                        found.append("an answer of somebody else")
            except errors.ClientClosed:
                found.append("ClientClosed")
            except BaseException as error:
                found.append(repr(error))

        threads = [threading.Thread(target=ask, args=(place,), daemon=True) for place in range(16)]
        for thread in threads:
            thread.start()
        assert eventually(lambda: len(server.requests) > 100)
        client.close()
        for thread in threads:
            thread.join(5)
        assert found == ["ClientClosed"] * 16
        assert closed(server)


def test_at_the_end_of_the_interpreter_a_thread_keeps_what_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(wire: Wire) -> None:
        wire.request()
        if wire.streams:
            wire.begin()
            wire.send(opening(1))
            go_on.wait(5)
            wire.send(events())
            wire.end()
        else:
            wire.good()
            wire.hold()

    go_on = threading.Event()
    with FaultServer(script) as server, blocking(server.url) as client:
        stream = client.chat_completion_stream(MESSAGES, model="m")
        next(stream)
        assert client.chat_completion(MESSAGES, model="m").text == TEXT
        assert server.open == 2
        monkeypatch.setattr(Exit, "begun", True)
        http = client._http  # pyright: ignore[reportPrivateUsage]
        _end(http.client(), http._network, os.getpid())  # pyright: ignore[reportPrivateUsage]
        assert eventually(lambda: server.open == 1)
        go_on.set()
        assert stream.read().text.endswith(TEXT)


@pytest.mark.parametrize(
    ("transport", "threads", "closed"),
    [(None, 2, False), (None, 1, True), (httpx.MockTransport(lambda _: httpx.Response(200)), 2, True)],
    ids=["of httpx beside threads", "of httpx", "of engines, which end as well"],
)
def test_at_the_end_of_the_interpreter_other_transports_are_left_to_threads(
    transport: Any, threads: int, closed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Exit, "begun", True)
    monkeypatch.setattr(threading, "active_count", lambda: threads)
    with httpx.Client() as made:
        _end(made, transport, os.getpid())
        assert made.is_closed is closed


@pytest.mark.parametrize("streams", [False, True])
def test_closing_wakes_up_those_that_read(streams: bool) -> None:
    found: list[BaseException] = []
    with FaultServer(unfinished) as server:
        client = blocking(server.url)

        def read() -> None:
            try:
                if streams:
                    client.chat_completion_stream(MESSAGES, model="m").read()
                else:
                    client.chat_completion(MESSAGES, model="m")
            except errors.HfError as error:
                found.append(error)

        threads = [threading.Thread(target=read, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert eventually(lambda: len(server.requests) == 4)
        time.sleep(0.2)
        client.close()
        for thread in threads:
            thread.join(3)
        kind = errors.StreamInterrupted if streams else errors.ClientClosed
        assert [type(error) for error in found] == [kind] * 4
        assert all("the client was closed" in str(error) for error in found)
        if streams:
            assert [error.partial.text for error in found] == ["Hello from "] * 4  # type: ignore[attr-defined]
        assert closed(server)


def busy(client: Any) -> list[str]:
    """What is in flight: shares of pools that were not given back, and connections that are neither idle nor closed."""
    pools = [one for http, _ in client._http._pools.values() for one in http._transport._pools]
    inner = [each for one in pools for each in one.transport._pool.connections]
    return [f"load {one.load}" for one in pools if one.load] + [str(each) for each in inner if not each.is_idle()]


async def cancelled(server: FaultServer, call: Call, *counts: int) -> bool:
    """Cancel at these suspensions; nothing may be left of the call. False where it was over before the first."""
    async with awaiting(server.url) as client:
        task = asyncio.create_task(cancelled_at(call(client, server.url), *counts))
        await asyncio.wait([task])
        assert busy(client) == []
        assert await asked(client) == TEXT
    return task.cancelled()


@pytest.mark.parametrize("again", [0, 1, 2, 3])
@pytest.mark.parametrize("name", ["call", "stream", "download"])
def test_no_connection_is_left_busy_wherever_a_call_is_cancelled(name: str, again: int) -> None:
    """Nor where it is cancelled a second time, so many suspensions later, while it gives its connection back."""
    script, call = CASES[name]
    with FaultServer(script) as server:
        counts = 0
        while asyncio.run(cancelled(server, call, counts + 1, counts + 1 + again)):
            counts += 1
        assert counts >= (7 if name == "call" else 9)  # so many where all of the answer comes at once
        assert closed(server)
