"""More of what other clients do wrong: hangs, wrong vectors, redirects, and what they keep for ever."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import time
import tracemalloc
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference, HfInferenceEndpoint, errors
from langchain_hf_tools import HfInferenceEmbeddings
from tests.faults.lifecycle import KEY, MESSAGES, AsyncDetour, Detour, asked, awaiting, blocking, closed, good
from tests.faults.table import each_request
from tests.faults.test_misbehaviours import chat, sends
from tests.faults.wire import TEXT, VECTOR, FaultServer, Wire, completion, opening

FAL = "fal-ai/app"


def fal(state: str) -> FaultServer:
    """The Hub and fal's queue, in which a job is in this state, for good."""
    entry = {"provider": "fal-ai", "providerId": FAL, "status": "live", "task": "text-to-image"}
    queued = {"status": "IN_QUEUE", "request_id": "r1", "response_url": f"https://queue.fal.run/{FAL}/requests/r1"}

    def script(wire: Wire) -> None:
        if wire.path.startswith("/api/models/"):
            said: Any = {"id": "org/model", "inferenceProviderMapping": [entry]}
        elif wire.path.partition("?")[0].endswith("/status"):
            said = {"status": state}
        else:
            said = queued
        wire.answer(json.dumps(said).encode())

    return FaultServer(each_request(script))


def test_m11_a_job_that_has_failed_ends_the_call_and_waiting_blocks_no_event_loop() -> None:
    """Others ask for ever after a job in a state that they do not know, and block the event loop meanwhile."""
    with fal("FAILED") as server, httpx.Client(transport=Detour(server.url)) as http:
        client = HfInference("hf_test", provider="fal-ai", model="org/model", http_client=http)
        begun = time.monotonic()
        with pytest.raises(errors.JobFailed, match="FAILED"):
            client.with_options(timeout=20).text_to_image("a fox")
        assert time.monotonic() - begun < 5

    async def run(url: str) -> int:
        beats = 0
        async with httpx.AsyncClient(transport=AsyncDetour(url)) as http:
            client = AsyncHfInference("hf_test", provider="fal-ai", model="org/model", http_client=http)
            task = asyncio.create_task(client.with_options(timeout=1.2).text_to_image("a fox"))
            while not task.done():
                await asyncio.sleep(0.05)
                beats += 1
            with pytest.raises(errors.JobTimeout) as caught:
                await task
            assert caught.value.handle.id == "r1"
        return beats

    with fal("IN_PROGRESS") as server:
        assert asyncio.run(run(server.url)) >= 8


@pytest.mark.parametrize("where", ["head", "body", "1xx", "comments"])
def test_m12_a_call_ends_when_its_time_is_used_up_whatever_comes(where: str) -> None:
    """The timeouts of others begin anew with each byte: a server that dribbles holds them for ever."""

    def script(wire: Wire) -> None:
        wire.request()
        if where == "head":
            wire.send(b"HTTP/1.1 200 OK\r\nx-a: ")
        elif where != "1xx":
            wire.begin(kind="text/event-stream" if wire.streams else "application/json")
        wire.dribble({"1xx": b"HTTP/1.1 100 Continue\r\n\r\n", "comments": b": ping\n\n"}.get(where, b" "), 0.005)

    with FaultServer(script) as server, blocking(server.url, timeout=0.6, max_retries=0) as client:
        for call in (
            lambda: client.chat_completion(MESSAGES, model="m"),
            lambda: client.chat_completion_stream(MESSAGES, model="m").read(),
            lambda: chat(server.url, timeout=0.6, max_retries=0).invoke("Hi"),
            lambda: asyncio.run(asked(awaiting(server.url, timeout=0.6, max_retries=0))),
        ):
            begun = time.monotonic()
            with pytest.raises((errors.DeadlineExceeded, errors.StreamTimeout)):
                call()
            assert time.monotonic() - begun < 2


def test_m13_a_hundred_unread_streams_hold_up_no_other_call() -> None:
    """Others have 100 connections for all of the process: the next call waits for ever, whoever makes it."""

    def script(wire: Wire) -> None:
        while True:
            wire.request()
            if wire.streams:
                wire.begin()
                wire.send(opening())
                wire.hold()
            else:
                wire.good()

    with FaultServer(script) as server:
        with blocking(server.url) as client, contextlib.ExitStack() as held:
            for _ in range(100):
                next(held.enter_context(client.chat_completion_stream(MESSAGES, model="m")))
            assert server.open == 100
            begun = time.monotonic()
            for _ in range(20):
                assert client.chat_completion(MESSAGES, model="m").text == TEXT
            assert time.monotonic() - begun < 5

        async def run() -> None:
            async with awaiting(server.url) as client:
                streams = [client.chat_completion_stream(MESSAGES, model="m") for _ in range(100)]
                await asyncio.gather(*(anext(stream) for stream in streams))
                assert await asyncio.gather(*(asked(client) for _ in range(20))) == [TEXT] * 20
                await asyncio.gather(*(stream.aclose() for stream in streams))

        asyncio.run(run())
        assert closed(server)


def test_m14_no_server_makes_a_call_wait_for_days() -> None:
    """The Hub's client sleeps for as long as Retry-After says: 11 days."""
    with sends({"error": "slow down"}, status="429 Too Many Requests", retry_after=999_999) as server:
        with blocking(server.url, timeout=30) as client:
            begun = time.monotonic()
            with pytest.raises(errors.RateLimited, match="slow down") as caught:
                client.chat_completion(MESSAGES, model="m")
            assert time.monotonic() - begun < 1
        assert (caught.value.retry_after, len(server.requests)) == (999_999, 1)


def test_m15_vectors_that_are_not_those_of_the_texts_are_an_error() -> None:
    """Others return two vectors for three texts, or vectors of NaN, and change line breaks in the texts."""
    two = [{"index": place, "embedding": VECTOR} for place in range(2)]
    for data, said in (
        (two, "3 inputs were sent"),
        ([*two, {"index": 2, "embedding": [0, None, 0]}], "vector 2 holds"),
    ):
        with sends({"object": "list", "data": data}) as server:
            model = HfInferenceEmbeddings(base_url=server.url, server="openai", api_key=KEY, model="m")
            with pytest.raises(errors.ShapeError, match=said):
                model.embed_documents(["one", "two", "three"])
    with FaultServer(good) as server:
        model = HfInferenceEmbeddings(base_url=server.url, server="openai", api_key=KEY, model="m")
        assert model.embed_documents(["one\ntwo"]) == [VECTOR]
        assert json.loads(server.bodies[0])["input"] == ["one\ntwo"]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_m16_a_redirect_carries_neither_prompt_nor_headers_away(status: str) -> None:
    """Others follow: without the body and take the page for the answer, or with the prompt and the billing headers."""
    with FaultServer(good) as elsewhere:
        with sends({}, status=status, location=f"{elsewhere.url}/v1/chat/completions") as server:
            extra = {"X-Api-Key": "own-key"}
            with blocking(server.url, extra_headers=extra) as client, pytest.raises(errors.UnexpectedStatus) as caught:
                client.chat_completion(MESSAGES, model="m")
            assert caught.value.status == int(status[:3])
            with pytest.raises(errors.UnexpectedStatus):
                chat(server.url).invoke("Hi")
            assert len(server.requests) == 2
        assert elsewhere.requests == []


def test_m17_answers_are_not_kept() -> None:
    """The Hub's client keeps each answer with its body as long as it lives: a megabyte for a megabyte."""
    with sends(completion("x" * 1_000_000)) as server, blocking(server.url) as client:

        def calls(count: int) -> int:
            for _ in range(count):
                client.chat_completion(MESSAGES, model="m")
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        try:
            before = calls(5)
            assert calls(40) - before < 500_000
        finally:
            tracemalloc.stop()


def test_m18_a_stream_outlives_the_client_that_nobody_holds() -> None:
    """Others close the connection when the client is collected: a stream of a temporary one always fails."""
    with FaultServer(good) as server:
        stream = HfInferenceEndpoint(server.url, KEY, server="openai").chat_completion_stream(MESSAGES, model="m")
        gc.collect()
        pieces: list[str] = []
        for part in stream:
            gc.collect()
            pieces.append(part.text)
        assert "".join(pieces) == TEXT

        async def run() -> str:
            made = awaiting(server.url).chat_completion_stream(MESSAGES, model="m")
            gc.collect()
            return str((await made.read()).text)

        assert asyncio.run(run()) == TEXT
        gc.collect()
        assert closed(server)
