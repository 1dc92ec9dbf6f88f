"""Eighteen things that other clients do wrong, each a test that ours does it right.

What is said of the others was seen with huggingface_hub 1.33.0, langchain-huggingface 1.2.3, openai 3.54.0 and
langchain-openai 1.7.3 in November 2026. All of it goes over real sockets.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from typing import Any

import pytest
from langchain_core.tools import tool

from hf_tools import HfInference, HfInferenceEndpoint, errors
from langchain_hf_tools import ChatHfInference
from tests.faults.lifecycle import KEY, MESSAGES, asked, awaiting, blocking, echo, forked, good
from tests.faults.table import each_request
from tests.faults.wire import TEXT, FaultServer, Wire, chunk, completion, event, events, opening

AGENTS: Any = importlib.import_module("langchain.agents")  # its types are not fully known


def sends(body: Any, **headers: Any) -> FaultServer:
    """A server that answers everything with this: bytes are a stream, the rest is JSON."""
    kind = "text/event-stream" if isinstance(body, bytes) else "application/json"
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return FaultServer(each_request(lambda wire: wire.answer(data, kind=kind, **headers)))


def chat(url: str, **fields: Any) -> ChatHfInference:
    """A chat model that asks this server."""
    given: dict[str, Any] = {"base_url": url, "server": "openai", "api_key": KEY, "model": "m", **fields}
    return ChatHfInference(**given)


def header(request: bytes, name: bytes) -> bytes | None:
    """The value of a header of a request."""
    lines = [line.partition(b": ") for line in request.split(b"\r\n")]
    return next((value for each, _, value in lines if each.lower() == name), None)


PATH = '{"path": "/srv/data"}'


def called(*pieces: str, end: bytes, index: bool = True) -> bytes:
    """A stream that calls the tool with arguments in these pieces."""
    function = {"name": "delete", "arguments": ""}
    place = {"index": 0} if index else {}
    deltas = [{**place, "id": "c1", "type": "function", "function": function}]
    deltas += [{**place, "function": {"arguments": piece}} for piece in pieces]
    return b"".join(event(chunk({"tool_calls": [delta]})) for delta in deltas) + end


FINISHED = event(chunk({}, "tool_calls")) + event("[DONE]")
CUT = {
    "the stream ends within the arguments": (called('{"path": "/srv', "/a", end=b""), "StreamInterrupted"),
    "the stream ends after whole arguments": (called(PATH, end=b""), "StreamInterrupted"),
    "broken arguments, and a proper end": (called('{"path": ', end=FINISHED), None),
    "pieces that tell no index": (called('{"path": ', '"/srv/a', index=False, end=FINISHED), None),
    "the longest answer was reached": (
        called('{"path": "/srv"', end=event(chunk({}, "length")) + event("[DONE]")), None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CUT)
def test_m01_agents_run_no_tool_with_truncated_arguments(name: str) -> None:
    """Others hand a tool whatever could be read of its arguments, or its defaults, and the agent runs it."""
    runs: list[str] = []

    @tool
    def delete(path: str = "/") -> str:
        """Delete a folder."""
        runs.append(path)
        return "gone"

    body, error = CUT[name]

    def script(wire: Wire) -> None:  # a second question would be the agent's, with the tool's answer
        wire.answer(body if wire.turn == 1 else events(), kind="text/event-stream")

    found = None
    with FaultServer(each_request(script)) as server:
        agent = AGENTS.create_agent(chat(server.url, streaming=True, max_retries=0), [delete])
        try:
            messages = agent.invoke({"messages": [("user", "Delete them.")]})["messages"]
            assert [call for message in messages for call in getattr(message, "tool_calls", [])] == []
            assert messages[1].invalid_tool_calls[0]["name"] == "delete"
        except errors.HfError as raised:
            found = [one.__name__ for one in type(raised).__mro__]
    assert runs == []
    assert (found is None) if error is None else error in (found or [])


def test_m02_the_key_that_was_passed_is_sent_and_the_machines_token_to_no_foreign_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """LangChain's endpoint class sends the token of the environment to any host, in the place of the passed key."""
    monkeypatch.setenv("HF_TOKEN", "hf_machine")
    with FaultServer(good) as server:
        chat(server.url, api_key="endpoint-key").invoke("Hi")
        chat(server.url, api_key=None).invoke("Hi")
        with HfInferenceEndpoint(server.url, server="openai") as client:
            client.chat_completion(MESSAGES, model="m")
        keys = [header(request, b"authorization") for request in server.requests]
    assert keys == [b"Bearer endpoint-key", None, None]


def test_m03_no_token_that_was_found_goes_over_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others send the logged-in token to whatever http:// address is named as the model."""
    monkeypatch.setenv("HF_TOKEN", "hf_machine")
    with FaultServer(good) as server, HfInference() as client:
        client.chat_completion(MESSAGES, model=f"{server.url}/v1/chat/completions")
        assert server.requests
        assert [header(request, b"authorization") for request in server.requests] == [None] * len(server.requests)


def test_m04_a_client_works_in_the_next_event_loop_as_well() -> None:
    """Others fail in the second `asyncio.run` with "Event loop is closed"."""
    with FaultServer(good) as server:
        client, model = awaiting(server.url), chat(server.url)
        for _ in range(4):
            assert asyncio.run(asked(client)) == TEXT
            assert asyncio.run(model.ainvoke("Hi")).text == TEXT


def test_m05_a_stream_that_is_cut_off_is_an_error_and_a_byte_order_mark_loses_nothing() -> None:
    """Others end such a stream as if it were whole, and drop its first event after a byte order mark."""
    with sends(opening()) as server:
        with blocking(server.url) as client, pytest.raises(errors.StreamInterrupted) as caught:
            client.chat_completion_stream(MESSAGES, model="m").read()
        assert caught.value.partial.text == "Hello from "
        with pytest.raises(errors.StreamInterrupted):
            list(chat(server.url).stream("Hi"))
    with sends(b"\xef\xbb\xbf" + events()) as server:
        with blocking(server.url) as client:
            assert client.chat_completion_stream(MESSAGES, model="m").read().text == TEXT
        assert "".join(str(part.text) for part in chat(server.url).stream("Hi")) == TEXT


def test_m06_errors_with_status_200_are_raised() -> None:
    """Others give an empty answer or an empty stream, or fail over a None."""
    reported = {"error": {"message": "the queue is full", "type": "overloaded"}}
    with sends(reported) as server, blocking(server.url) as client:
        with pytest.raises(errors.ReportedError, match="the queue is full"):
            client.chat_completion(MESSAGES, model="m")
        with pytest.raises(errors.HfError, match="the queue is full"):
            client.chat_completion_stream(MESSAGES, model="m").read()
        with pytest.raises(errors.ReportedError, match="the queue is full"):
            chat(server.url).invoke("Hi")
    died = b'event: error\ndata: {"error": "the model has died"}\n\n'
    raised = pytest.raises(errors.StreamReportedError, match="the model has died")
    with sends(died) as server, blocking(server.url) as client, raised:
        client.chat_completion_stream(MESSAGES, model="m").read()


def test_m07_usage_that_comes_with_every_part_counts_once() -> None:
    """Others add the running totals up: 12 tokens instead of 3."""
    usages = [{"prompt_tokens": 3, "completion_tokens": n, "total_tokens": 3 + n} for n in (1, 2, 2)]
    deltas = [chunk({"content": "a"}), chunk({"content": "b"}), chunk({}, "stop")]
    parts = [{**delta, "usage": usage} for delta, usage in zip(deltas, usages, strict=True)]
    with sends(b"".join(map(event, parts)) + event("[DONE]")) as server:
        whole: Any = None
        for part in chat(server.url).stream("Hi"):
            whole = part if whole is None else whole + part
        with blocking(server.url) as client:
            usage: Any = client.chat_completion_stream(MESSAGES, model="m").read().usage
    told = whole.usage_metadata
    assert (told["input_tokens"], told["output_tokens"], told["total_tokens"]) == (3, 2, 5)
    assert (usage.prompt_tokens, usage.completion_tokens) == (3, 2)


def test_m08_every_parameter_is_sent_as_it_was_set() -> None:
    """LangChain's chat model leaves out most parameters, and turns a temperature of 0 into 0.8."""
    given = {"temperature": 0.0, "top_p": 0.5, "seed": 7, "frequency_penalty": 0.25, "presence_penalty": -0.5,
             "logprobs": True, "top_logprobs": 2, "max_tokens": 20}  # fmt: skip
    with FaultServer(good) as server:
        chat(server.url, **given).invoke("Hi")
        sent = json.loads(server.bodies[0])
    assert {name: sent.get(name) for name in given} == given


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_m09_no_answer_of_a_forked_process_reaches_another_one() -> None:
    """OpenAI's client shares its connections with forked processes, which get each other's answers."""
    with FaultServer(each_request(echo)) as server:
        model = chat(server.url)
        assert model.invoke("parent").text == "parent"

        def work(place: int) -> None:
            for turn in range(40):
                assert model.invoke(f"{place} {turn}").text == f"{place} {turn}"

        assert forked(4, work) == [0] * 4
        assert model.invoke("parent again").text == "parent again"


def test_m10_no_cookie_travels_with_anybody_elses_request() -> None:
    """Others keep cookies for the whole process: those of one customer go along with the next one's key."""
    with sends(completion(), set_cookie="session=first-customer; Path=/") as server:
        for key in ("hf_first", "hf_second"):
            for _ in range(2):
                chat(server.url, api_key=key).invoke("Hi")
            with HfInferenceEndpoint(server.url, key, server="openai") as client:
                client.chat_completion(MESSAGES, model="m")
                client.chat_completion(MESSAGES, model="m")
        assert [header(request, b"cookie") for request in server.requests] == [None] * 8
