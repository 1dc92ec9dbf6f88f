"""Threads, event loops, copies and ends: one client for all of them, and what is left of it afterwards."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import pickle
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference, HfInferenceEndpoint, errors
from langchain_hf_tools import HfInferenceTool
from tests.faults.lifecycle import KEY, MESSAGES, asked, awaiting, blocking, closed, echo, good, said
from tests.faults.table import each_request
from tests.faults.wire import TEXT, FaultServer, Wire, completion

THREADS = 64


def test_one_client_in_64_threads_gives_everyone_the_own_answer() -> None:
    with FaultServer(each_request(echo)) as server, blocking(server.url) as client:
        together = threading.Barrier(THREADS)

        def ask(place: int) -> list[str]:
            together.wait()
            call = said(f"call {place}")
            parts = client.chat_completion_stream(said(f"stream {place}"), model="m").read()
            return [str(client.chat_completion(call, model="m").text), str(parts.text)]

        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(ask, range(THREADS)))
        assert answers == [[f"call {place}", f"stream {place}"] for place in range(THREADS)]


def test_one_awaiting_client_in_event_loops_one_after_the_other_and_side_by_side() -> None:
    with FaultServer(each_request(echo)) as server:
        client = awaiting(server.url)

        async def ask(words: str) -> str:
            return str((await client.chat_completion(said(words), model="m")).text)

        assert [asyncio.run(ask(f"loop {turn}")) for turn in range(4)] == [f"loop {turn}" for turn in range(4)]

        def run(turn: int) -> str:
            return asyncio.run(ask(f"thread {turn}"))

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(run, range(8))) == [f"thread {turn}" for turn in range(8)]
        assert closed(server)


async def test_a_blocking_client_in_a_running_event_loop() -> None:
    """In a notebook a loop is always running: the blocking client needs none, and starts none."""
    with FaultServer(good) as server, blocking(server.url) as client:
        assert client.chat_completion(MESSAGES, model="m").text == TEXT
        assert client.chat_completion_stream(MESSAGES, model="m").read().text == TEXT


async def test_a_tool_is_invoked_in_a_thread_beside_the_loop_and_awaited_in_it() -> None:
    with FaultServer(good) as server, blocking(server.url) as client:
        tool = HfInferenceTool("chat_completion", client, model="m")
        given = {"message": "Hi", "max_tokens": 20}
        assert TEXT in str(await asyncio.to_thread(tool.invoke, given))
        assert TEXT in str(tool.invoke(given))
        assert TEXT in str(await tool.ainvoke(given))


@pytest.mark.parametrize("kind", ["blocking", "awaiting"])
def test_a_closed_client_says_so(kind: str) -> None:
    with FaultServer(good) as server:
        if kind == "blocking":
            client = blocking(server.url)
            client.chat_completion(MESSAGES, model="m")
            client.close()
            client.close()
            with pytest.raises(errors.ClientClosed, match="the client was closed"):
                client.chat_completion(MESSAGES, model="m")
        else:

            async def run() -> None:
                async with awaiting(server.url) as client:
                    await asked(client)
                await client.close()
                with pytest.raises(errors.ClientClosed, match="the client was closed"):
                    await asked(client)

            asyncio.run(run())
        assert len(server.requests) == 1


def test_a_client_that_is_dropped_closes_its_connections_without_a_word() -> None:
    with FaultServer(good) as server:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            client: Any = blocking(server.url)
            client.chat_completion(MESSAGES, model="m")
            assert server.open == 1
            del client
            gc.collect()
            assert closed(server)
        assert [str(one.message) for one in told] == []


def pickled(client: Any) -> Any:
    return pickle.loads(pickle.dumps(client))


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
@pytest.mark.parametrize("kind", ["blocking", "awaiting"])
def test_a_copy_works_by_connections_of_its_own(kind: str, copied: Any) -> None:
    with FaultServer(good) as server:
        if kind == "blocking":
            with blocking(server.url, max_retries=1) as client:
                client.chat_completion(MESSAGES, model="m")
                with copied(client) as other:
                    assert other.chat_completion(MESSAGES, model="m").text == TEXT
                    assert (repr(other), other.options, server.open) == (repr(client), client.options, 2)
                assert client.chat_completion(MESSAGES, model="m").text == TEXT
        else:

            async def run() -> None:
                async with awaiting(server.url) as client:
                    await asked(client)
                    async with copied(client) as other:
                        assert await asked(other) == TEXT
                        assert (repr(other), server.open) == (repr(client), 2)
                    assert await asked(client) == TEXT

            asyncio.run(run())
        assert all(b"authorization: bearer " + KEY.encode() in head.lower() for head in server.requests)


def test_a_shallow_copy_shares_the_connections() -> None:
    with FaultServer(good) as server, blocking(server.url) as client:
        client.chat_completion(MESSAGES, model="m")
        copy.copy(client).chat_completion(MESSAGES, model="m")
        client.with_options(max_retries=0).chat_completion(MESSAGES, model="m")
        assert (server.open, len(server.requests)) == (1, 3)


@pytest.mark.parametrize("kind", [HfInference, AsyncHfInference])
def test_a_token_that_was_found_is_in_no_pickle_and_is_found_anew(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_first")
    client = kind(model="a/b")
    content = pickle.dumps(client)
    assert b"hf_first" not in content
    monkeypatch.setenv("HF_TOKEN", "hf_second")
    other = pickle.loads(content)
    token = other._settings.token
    assert (token.secret.get_secret_value(), token.source, other.model) == ("hf_second", "HF_TOKEN", "a/b")
    assert client._settings.token.secret.get_secret_value() == "hf_first"
    monkeypatch.delenv("HF_TOKEN")
    assert pickle.loads(content)._settings.token is None
    assert pickle.loads(pickle.dumps(kind(False)))._settings.token is None


def test_a_client_of_the_callers_own_is_not_copied() -> None:
    with httpx.Client() as http:
        client = HfInference(False, http_client=http)
        for attempt in (copy.deepcopy, pickle.dumps):
            with pytest.raises(errors.ConfigurationError, match="own can be neither pickled nor copied"):
                attempt(client)
        assert copy.copy(client).options == client.options


def test_a_copy_of_a_client_knows_nothing_of_what_the_first_one_learned() -> None:
    def toolkit(wire: Wire) -> None:
        if wire.path == "/info":
            wire.answer(b'{"error": "not found"}', status="404 Not Found")
        elif wire.path == "/v1/models":
            wire.answer(b'{"object": "list", "data": [{"id": "m", "object": "model"}]}')
        else:
            wire.answer(json.dumps(completion()).encode())

    with FaultServer(each_request(toolkit)) as server, HfInferenceEndpoint(server.url, KEY) as client:
        for _ in range(2):
            client.chat_completion(MESSAGES)
        first = len(server.requests)
        with copy.deepcopy(client) as other:
            other.chat_completion(MESSAGES)
        assert len(server.requests) - first == first - 1
