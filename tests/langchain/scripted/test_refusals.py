"""The scripted server is strict: what OpenAI, vLLM or TGI refuse, it refuses, and what they take, it takes."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from tests.langchain.scripted import ScriptedServer
from tests.langchain.scripted.refusals import Refused
from tests.langchain.scripted.request import check_request

HELLO = [{"role": "user", "content": "Hello"}]
PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()


def body(**more: Any) -> dict[str, Any]:
    return {"model": "org/model", "messages": HELLO, **more}


def tool(name: str = "add", **more: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    return {"type": "function", "function": {"name": name, "parameters": parameters, **more}}


def part(**fields: Any) -> dict[str, Any]:
    return body(messages=[{"role": "user", "content": [fields]}])


def asked(number: str = "c1", arguments: Any = "{}") -> dict[str, Any]:
    call = {"id": number, "type": "function", "function": {"name": "add", "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def told(number: str = "c1", content: Any = "3") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": number, "content": content}


def history(*messages: dict[str, Any]) -> dict[str, Any]:
    return body(messages=[*HELLO, *messages])


def form(**fields: Any) -> dict[str, Any]:
    return body(response_format={"type": "json_schema", "json_schema": {"name": "it", **fields}})


SCHEMA = tool()["function"]["parameters"]
OPEN: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": []}
CLOSED = SCHEMA | {"additionalProperties": False}
IMAGE = {"type": "image_url", "image_url": {"url": PNG}}

REFUSED = {
    "unknown field": body(ls_structured_output_format={}),
    "no messages": body(messages=[]),
    "temperature": body(temperature=2.5),
    "n": body(n=0),
    "no stop": body(stop=[]),
    "five stops": body(stop=list("abcde")),
    "empty stop": body(stop=[""]),
    "flag": body(logprobs="yes"),
    "top_logprobs alone": body(top_logprobs=2),
    "stream_options alone": body(stream_options={"include_usage": True}),
    "no tools": body(tools=[]),
    "choice without tools": body(tool_choice="auto"),
    "parallel without tools": body(parallel_tool_calls=True),
    "any": body(tools=[tool()], tool_choice="any"),
    "unknown choice": body(tools=[tool()], tool_choice={"type": "function", "function": {"name": "any"}}),
    "whole tool as choice": body(tools=[tool()], tool_choice=tool()),
    "tool's name": body(tools=[tool("a b")]),
    "tool's strict next to it": body(tools=[tool() | {"strict": True}]),
    "open strict tool": body(tools=[tool(strict=True)]),
    "unknown format": body(response_format={"type": "json"}),
    "format without a name": body(response_format={"type": "json_schema", "json_schema": {"schema": SCHEMA}}),
    "no schema": form(),
    "array's schema": form(schema={"type": "array"}),
    "strict and open": form(schema=SCHEMA, strict=True),
    "strict and optional": form(schema=OPEN | {"additionalProperties": False}, strict=True),
    "role": body(messages=[{"role": "human", "content": "Hello"}]),
    "message's field": body(messages=[{"role": "user", "content": "Hello", "id": "1"}]),
    "name": body(messages=[{"role": "user", "content": "Hello", "name": "a b"}]),
    "null": body(messages=[{"role": "user", "content": None}]),
    "no content": body(messages=[{"role": "user", "content": []}]),
    "image block": part(type="image", base64="aGk=", mime_type="image/png"),
    "tool_use block": history({"role": "assistant", "content": [{"type": "tool_use", "id": "1"}]}),
    "reasoning block": history({"role": "assistant", "content": [{"type": "reasoning", "reasoning": "Hm"}]}),
    "image of the assistant": history({"role": "assistant", "content": [IMAGE]}),
    "image as text": part(type="image_url", image_url=PNG),
    "image's kind": part(type="image_url", image_url={"url": PNG.replace("image/", "audio/")}),
    "image's data": part(type="image_url", image_url={"url": "data:image/png;base64,?"}),
    "audio's form": part(type="input_audio", input_audio={"data": "aGk=", "format": "ogg"}),
    "file without a name": part(type="file", file={"file_data": "data:application/pdf;base64,aGk="}),
    "bare file": part(type="file", file={"file_data": "aGk=", "filename": "a.pdf"}),
    "result without a call": history(told()),
    "result of another call": history(asked(), told("c2")),
    "result twice": history(asked(), told(), told()),
    "call without a result": history(asked()),
    "user before the result": history(asked(), HELLO[0], told()),
    "call's arguments": history(asked(arguments={}), told()),
    "broken arguments": history(asked(arguments="{"), told()),
    "empty id": history(asked(number=""), told("c1")),
    "empty calls": history({"role": "assistant", "content": None, "tool_calls": []}),
}
TAKEN = {
    "sampling": body(temperature=0, top_p=1, seed=1, stop="a", top_k=3, min_p=0.1),
    "more of one": body(logprobs=True, top_logprobs=2, n=2),
    "nulls": body(temperature=None, stop=None, response_format=None, tool_choice=None),
    "tool": body(tools=[tool()], tool_choice={"type": "function", "function": {"name": "add"}}),
    "strict": form(schema=CLOSED, strict=True),
    "roles twice": body(messages=[*HELLO, *HELLO]),
    "results": history(asked(), told(), *HELLO),
    "media": body(messages=[{"role": "user", "content": [
        IMAGE, {"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}},
        {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="}},
    ]}]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    with pytest.raises(Refused):
        check_request(REFUSED[name], tool_media=True)


@pytest.mark.parametrize("name", TAKEN)
def test_taken(name: str) -> None:
    check_request(TAKEN[name], tool_media=False)


def test_media_of_tools_are_a_matter_of_the_server() -> None:
    request = history(asked(), told(content=[IMAGE]))
    check_request(request, tool_media=True)
    with pytest.raises(Refused, match="Supported values are: 'text'"):
        check_request(request, tool_media=False)


def test_a_refusal_is_an_answer_in_openais_form() -> None:
    with ScriptedServer() as server, httpx.Client(base_url=server.url) as http:
        answer = http.post("/chat/completions", json=body(n=0))
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert http.post("/chat/completions", content=b"{").status_code == 400
        assert http.get("/models").json()["data"][0]["id"] == "org/model"
        assert http.get("/nothing").status_code == 404
        assert http.post("/chat/completions", json=body(messages=HELLO)).status_code == 200


def test_a_stream_adds_up_to_the_whole_answer() -> None:
    request = body(tools=[tool()], tool_choice="required", messages=[{"role": "user", "content": "Take 42"}])
    with ScriptedServer() as server, httpx.Client(base_url=server.url) as http:
        whole = http.post("/chat/completions", json=request).json()
        about = {"stream": True, "stream_options": {"include_usage": True}}
        lines = [line for line in http.post("/chat/completions", json=request | about).text.split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    *chunks, last = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert (last["choices"], last["usage"]) == ([], whole["usage"])
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    pieces = [call["function"]["arguments"] for delta in deltas for call in delta.get("tool_calls", [])]
    assert len(pieces) > 2
    assert "".join(pieces) == whole["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"a": 42}'
