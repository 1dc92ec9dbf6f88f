"""Streams that are left early, or never read: the connection is closed at once, and others have room."""

from __future__ import annotations

import gc
import threading
import warnings
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeAlias

import httpx
import pytest

from hf_tools import HfInferenceEndpoint
from hf_tools.errors import StreamConsumed
from tests.faults.streaming_leaving import OPTIONS, chat, client, endless, soon
from tests.faults.subjects import CANARY, MESSAGES
from tests.faults.wire import TEXT, FaultServer

Source: TypeAlias = Callable[[], Iterator[Any]]
Exit: TypeAlias = Callable[[Source], None]


def by_break(source: Source) -> None:
    for part in source():
        assert part.text == "Hello "
        break


def by_error(source: Source) -> None:
    def read() -> None:
        for part in source():
            raise KeyError(part.text)

    with pytest.raises(KeyError, match="Hello "):
        read()


def by_close(source: Source) -> None:
    stream: Any = source()
    assert next(stream).text == "Hello "
    stream.close()
    stream.close()


def by_drop(source: Source) -> None:
    held: dict[str, Any] = {"stream": source()}
    assert next(held["stream"]).text == "Hello "
    held["itself"] = held  # a ring: only the collector finds it
    del held
    gc.collect()


def by_return(source: Source) -> None:
    def first() -> str:
        for part in source():
            return str(part.text)
        return ""

    assert first() == "Hello "


def within(source: Source) -> None:
    def texts() -> Generator[str]:
        yield from (part.text for part in source())

    generator = texts()
    assert next(generator) == "Hello "
    generator.close()


EXITS = [by_break, by_error, by_close, by_drop, by_return, within]


@pytest.mark.parametrize("leave", EXITS)
def test_a_stream_that_is_left_is_closed(leave: Exit) -> None:
    with FaultServer(endless(3)) as server, client(server) as hf:
        for turn in range(1, 4):
            leave(lambda: iter(hf.chat_completion_stream(MESSAGES, model="m")))
            assert soon(lambda: server.open == 0), turn
        assert hf.chat_completion(MESSAGES, model="m").text == TEXT
        assert len(server.requests) == 4


@pytest.mark.parametrize("leave", EXITS)
def test_a_stream_of_the_chat_model_that_is_left_is_closed(leave: Exit) -> None:
    with FaultServer(endless(3)) as server, chat(server) as model:
        for turn in range(1, 4):
            leave(lambda: model.stream("Hi"))
            assert soon(lambda: server.open == 0), turn
        assert model.invoke("Hi").text == TEXT
        assert len(server.requests) == 4


def test_a_block_that_is_left_closes_the_stream_at_once() -> None:
    with FaultServer(endless(2)) as server, client(server) as hf:
        for _ in range(2):
            with hf.chat_completion_stream(MESSAGES, model="m") as stream:
                assert next(stream).text == "Hello "
                assert server.open == 1
            assert soon(lambda: server.open == 0)
            with pytest.raises(StreamConsumed):
                iter(stream)


def test_the_pool_has_its_connections_back() -> None:
    limits = httpx.Limits(max_connections=1)
    with FaultServer(endless(12)) as server, httpx.Client(limits=limits, timeout=5) as http:
        hf = HfInferenceEndpoint(server.url, CANARY, server="openai", options=OPTIONS, http_client=http)
        for turn in range(12):
            EXITS[turn % len(EXITS)](lambda: iter(hf.chat_completion_stream(MESSAGES, model="m")))
        for _ in range(3):
            assert hf.chat_completion_stream(MESSAGES, model="m").read().text == TEXT
        assert hf.chat_completion(MESSAGES, model="m").text == TEXT


def test_streams_that_are_never_read_send_nothing() -> None:
    with FaultServer(endless(0)) as server, client(server) as hf, chat(server) as model, warnings.catch_warnings():
        warnings.simplefilter("error")
        kept = [hf.chat_completion_stream(MESSAGES, model="m") for _ in range(50)]
        waiting = [model.stream("Hi") for _ in range(50)]
        with hf.chat_completion_stream(MESSAGES, model="m") as unread:
            assert unread.headers == {}
        del kept, waiting
        gc.collect()
        assert hf.chat_completion(MESSAGES, model="m").text == TEXT
        assert len(server.requests) == 1


def test_temporary_clients_stay_while_their_stream_is_read() -> None:
    with FaultServer(endless(0)) as server:
        texts: list[str] = []
        for part in client(server).chat_completion_stream(MESSAGES, model="m"):
            gc.collect()
            texts.append(part.text)
        for chunk in chat(server).stream("Hi"):
            gc.collect()
            texts.append(str(chunk.text))
        assert "".join(texts) == TEXT * 2
        gc.collect()
        assert soon(lambda: server.open == 0)


def test_streams_that_nobody_reads_leave_room_for_others() -> None:
    with FaultServer(endless(100)) as server, client(server) as hf:
        unread = [hf.chat_completion_stream(MESSAGES, model="m") for _ in range(100)]
        assert {next(stream).text for stream in unread} == {"Hello "}
        assert server.open == 100
        answers: list[str] = []
        calls = [
            threading.Thread(target=lambda: answers.append(hf.chat_completion(MESSAGES, model="m").text))
            for _ in range(20)
        ]
        for call in calls:
            call.start()
        for call in calls:
            call.join(10)
        assert answers == [TEXT] * 20
        assert hf.chat_completion_stream(MESSAGES, model="m").read().text == TEXT
        for stream in unread:
            stream.close()
    assert soon(lambda: server.open == 0)


def test_a_chat_model_has_room_besides_unread_streams() -> None:
    with FaultServer(endless(100)) as server, chat(server) as model:
        unread: list[Any] = [model.stream("Hi") for _ in range(100)]
        assert {next(stream).text for stream in unread} == {"Hello "}
        assert [answer.text for answer in model.batch(["Hi"] * 20)] == [TEXT] * 20
        for stream in unread:
            stream.close()
        assert soon(lambda: server.open <= 20)
