"""Tool calls through the transport, on the real models."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hf_tools import local
from hf_tools.local import transports
from hf_tools.local.chat import ChatServer
from hf_tools.local.embed import Embedder
from hf_tools.local.shared import Shared

pytestmark = pytest.mark.usefixtures("weights_here")
BASE = "https://router.huggingface.co"
CHAT = "/v1/chat/completions"


def tool(name: str, description: str, required: list[str] | None = None, /, **properties: Any) -> dict[str, Any]:
    needed = [*properties] if required is None else required
    parameters = {"type": "object", "properties": properties, "required": needed}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
UNIT = {"type": "string", "enum": ["celsius", "fahrenheit"]}
ADD = tool("add", "Add two integers and return the sum", a=WHOLE, b=WHOLE)
WEATHER = tool("get_weather", "Get the current weather in a city", ["city"], city=TEXT, unit=UNIT)
EMAIL = tool("send_email", "Send an email message to a person", to=TEXT, body=TEXT)
TIME = {"type": "function", "function": {"name": "get_time", "description": "Get the current time"}}
TOOLS = [ADD, WEATHER, EMAIL, TIME]
PERSON = {"type": "object", "properties": {"name": TEXT, "age": WHOLE}, "required": ["name", "age"]}
CREATE = tool("create_user", "Create a user", user={"$ref": "#/$defs/Person"})
CREATE["function"]["parameters"]["$defs"] = {"Person": PERSON}
MAGIC = tool("magic_function", "Applies a magic function to an input.", input=WHOLE)


def body(text: str, *, tools: list[dict[str, Any]] | None = None, **change: Any) -> dict[str, Any]:
    asked = {"messages": [{"role": "user", "content": text}], "tools": tools or TOOLS, "temperature": 0, "seed": 1}
    return asked | change


def called(answer: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    (choice,) = answer["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    (call,) = choice["message"]["tool_calls"]
    assert (call["type"], call["id"][:5]) == ("function", "call_")
    return call["function"]["name"], json.loads(call["function"]["arguments"])


def turns(question: str, name: str, arguments: dict[str, Any], result: str) -> list[dict[str, Any]]:
    call = {"id": "1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    return [
        {"role": "user", "content": question},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": result},
    ]


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("Add 12 and 30.", "add", {"a": 12, "b": 30}),
        ("What's 7 plus 5?", "add", {"a": 7, "b": 5}),
        ("Please compute the sum of 140 and 2", "add", {"a": 140, "b": 2}),
        ("What is the weather in Paris right now?", "get_weather", {"city": "Paris"}),
        ("What is the weather in Oslo, in fahrenheit?", "get_weather", {"city": "Oslo", "unit": "fahrenheit"}),
        ("Will it rain in Sao Paulo?", "get_weather", {"city": "Sao Paulo"}),
        ("What time is it?", "get_time", {}),
    ],
)
def test_the_tool_that_fits_is_called(hub: httpx.Client, text: str, name: str, arguments: dict[str, Any]) -> None:
    for choice in ("auto", "required"):
        assert called(hub.post(CHAT, json=body(text, tool_choice=choice)).json()) == (name, arguments)


def test_an_address_comes_out_whole(hub: httpx.Client) -> None:
    text = "Write an email to bob@example.com: the report is late"
    answer = hub.post(CHAT, json=body(text)).json()
    name, arguments = called(answer)
    assert (name, arguments["to"]) == ("send_email", "bob@example.com")
    assert arguments["body"] in text


@pytest.mark.parametrize(
    ("text", "offered", "arguments"),
    [
        ("magic_function with 3", MAGIC, {"input": 3}),
        ("What is the value of magic_function(3)? Use the tool.", MAGIC, {"input": 3}),
        ("Set a timer for twenty-five minutes", tool("timer", "Starts a timer", minutes=WHOLE), {"minutes": 25}),
        ("Square root of 2.25", tool("root", "Square root of a number", x=NUMBER), {"x": 2.25}),
        ("Create the user Bob, who is 42 years old", CREATE, {"user": {"name": "Bob", "age": 42}}),
        (
            "create a customer named 你好啊集团, input is test",
            tool("unicode_customer", "creates a customer", customer_name=TEXT, input=TEXT),
            {"customer_name": "你好啊集团", "input": "test"},
        ),
        (
            "What can I cook with rice, beans and onions?",
            tool("recipe", "Find recipes with ingredients", ingredients={"type": "array", "items": TEXT}),
            {"ingredients": ["rice", "beans", "onions"]},
        ),
        (
            "Turn the wifi off",
            tool("toggle_wifi", "Switch the wifi on or off", enabled={"type": "boolean"}),
            {"enabled": False},
        ),
    ],
)
def test_one_forced_tool_needs_no_embedder(
    monkeypatch: pytest.MonkeyPatch, hub: httpx.Client, text: str, offered: dict[str, Any], arguments: dict[str, Any]
) -> None:
    def start() -> Embedder:
        raise AssertionError("the embedder was loaded")

    monkeypatch.setattr(transports, "EMBEDDER", Shared(start))
    name = offered["function"]["name"]
    named = {"type": "function", "function": {"name": name}}
    assert called(hub.post(CHAT, json=body(text, tools=[offered], tool_choice="required")).json()) == (name, arguments)
    assert called(hub.post(CHAT, json=body(text, tools=[TIME, offered], tool_choice=named)).json()) == (name, arguments)


def test_a_named_tool_is_called_whatever_is_asked(hub: httpx.Client) -> None:
    named = {"type": "function", "function": {"name": "get_weather"}}
    assert called(hub.post(CHAT, json=body("Add 1 and 2", tool_choice=named)).json())[0] == "get_weather"


@pytest.mark.parametrize("text", ["Who wrote Hamlet?", "Why is the sky blue?", "What is the capital of France?"])
def test_what_needs_no_tool_is_answered_with_text(hub: httpx.Client, text: str) -> None:
    (choice,) = hub.post(CHAT, json=body(text, max_tokens=12)).json()["choices"]
    assert "tool_calls" not in choice["message"]
    assert choice["message"]["content"]
    assert called(hub.post(CHAT, json=body(text, tool_choice="required")).json())[0] in {
        "add",
        "get_weather",
        "send_email",
        "get_time",
    }


def test_none_never_calls(hub: httpx.Client) -> None:
    (choice,) = hub.post(CHAT, json=body("Add 12 and 30.", tool_choice="none", max_tokens=8)).json()["choices"]
    assert "tool_calls" not in choice["message"]
    assert choice["message"]["content"]


@pytest.mark.parametrize(
    ("messages", "holds"),
    [
        (turns("What is 12 plus 30?", "add", {"a": 12, "b": 30}, "42"), "42"),
        (turns("Please compute the sum of 140 and 2", "add", {"a": 140, "b": 2}, "142"), "142"),
        (
            turns("Who is the mayor of Springfield?", "search", {"q": "x"}, "The mayor of Springfield is Joe Quimby."),
            "Quimby",
        ),
        (turns("What time is it?", "get_time", {}, "14:35"), "14:35"),
    ],
)
def test_a_result_is_told_in_text(hub: httpx.Client, messages: list[dict[str, Any]], holds: str) -> None:
    asked = {"messages": messages, "tools": TOOLS, "max_tokens": 60}
    (choice,) = hub.post(CHAT, json=asked).json()["choices"]
    assert choice["finish_reason"] == "stop"
    assert holds in choice["message"]["content"]
    assert called(hub.post(CHAT, json=asked | {"tool_choice": "required"}).json())[0]


def test_a_new_question_after_a_result_may_call_again(hub: httpx.Client) -> None:
    told = [*turns("Add 1 and 2", "add", {"a": 1, "b": 2}, "3"), {"role": "assistant", "content": "It is 3."}]
    messages = [*told, {"role": "user", "content": "Now add 5 and 6."}]
    assert called(hub.post(CHAT, json=body("", messages=messages)).json()) == ("add", {"a": 5, "b": 6})


def streamed(lines: Iterator[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The call put together from the events of a stream, and its chunks."""
    data = [line.removeprefix("data: ") for line in lines if line]
    assert data[-1] == "[DONE]"
    chunks = [json.loads(event) for event in data[:-1]]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    parts = [part for delta in deltas for part in delta.get("tool_calls", [])]
    assert {part["index"] for part in parts} == {0}
    text = "".join(part["function"]["arguments"] for part in parts)
    return {"name": parts[0]["function"]["name"], "arguments": json.loads(text)}, chunks


def test_a_stream_carries_the_call_and_the_usage(hub: httpx.Client) -> None:
    asked = body("Add 12 and 30.", stream=True, stream_options={"include_usage": True})
    with hub.stream("POST", CHAT, json=asked) as response:
        assert response.headers["content-type"] == "text/event-stream"
        call, chunks = streamed(response.iter_lines())
    assert call == {"name": "add", "arguments": {"a": 12, "b": 30}}
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]] == [None, None, "tool_calls"]
    assert chunks[-1]["usage"] == hub.post(CHAT, json=body("Add 12 and 30.")).json()["usage"] | {
        "prompt_tokens_details": chunks[-1]["usage"]["prompt_tokens_details"]
    }
    assert chunks[-1]["usage"]["completion_tokens"] > 5


def test_without_a_call_the_stream_is_llama_cpps_own(hub: httpx.Client) -> None:
    asked = body("Who wrote Hamlet?", stream=True, max_tokens=5)
    with hub.stream("POST", CHAT, json=asked) as response:
        parts = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: {")]
    assert "".join(part["choices"][0]["delta"].get("content") or "" for part in parts if part["choices"])


async def test_async_calls_answers_and_streams() -> None:
    async with httpx.AsyncClient(transport=local.async_transport(), base_url=BASE, timeout=60) as client:
        asked = [client.post(CHAT, json=body(text)) for text in ("Add 12 and 30.", "What is the weather in Rome?")]
        asked += [client.post(CHAT, json=body("What time is it?")), client.post(CHAT, json=body("Hi", max_tokens=3))]
        sums, weather, now, text = [answer.json() for answer in await asyncio.gather(*asked)]
        assert called(sums) == ("add", {"a": 12, "b": 30})
        assert called(weather) == ("get_weather", {"city": "Rome"})
        assert called(now) == ("get_time", {})
        assert text["choices"][0]["message"]["content"]
        async with client.stream("POST", CHAT, json=body("Add 2 and 3", stream=True)) as response:
            call, _ = streamed(iter([line async for line in response.aiter_lines()]))
        assert call == {"name": "add", "arguments": {"a": 2, "b": 3}}
        bad = body("Add 1", tools=[tool("x", "X", a={"type": "foo"})], tool_choice="required")
        assert (await client.post(CHAT, json=bad)).status_code == 400


@pytest.fixture
def own_server(monkeypatch: pytest.MonkeyPatch) -> Shared[ChatServer]:
    share = Shared(ChatServer)
    monkeypatch.setattr(transports, "CHAT", share)
    return share


ENDLESS = tool("write", "Write a story", story={"type": "array", "items": {"type": "object"}, "maxItems": 1000})
LONG = body("", tools=[ENDLESS], tool_choice="required", max_tokens=3000)


async def test_a_call_that_is_cancelled_is_not_written_to_its_end(own_server: Shared[ChatServer]) -> None:
    # Both slots of the server: were the calls written to their ends, the third would wait for half a minute.
    async with httpx.AsyncClient(transport=local.async_transport(), base_url=BASE, timeout=60) as client:
        await client.post(CHAT, json=body("Add 2 and 3", tool_choice="required", tools=[ADD]))
        asking = [asyncio.create_task(client.post(CHAT, json=LONG | {"stream": True})) for _ in range(2)]
        await asyncio.sleep(0.7)
        assert not any(task.done() for task in asking)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        start = time.monotonic()
        await client.post(CHAT, json=body("Add 2 and 3", tool_choice="required", tools=[ADD]))
        assert time.monotonic() - start < 5


def test_a_timeout_of_the_caller_holds_for_a_call(own_server: Shared[ChatServer]) -> None:
    with httpx.Client(transport=local.transport(), base_url=BASE, timeout=60) as client:
        client.post(CHAT, json=body("Add 2 and 3", tool_choice="required", tools=[ADD]))
        with pytest.raises(httpx.ReadTimeout):
            client.post(CHAT, json=LONG, timeout=0.5)


def test_arguments_that_do_not_fit_say_so(hub: httpx.Client) -> None:
    (choice,) = hub.post(CHAT, json=LONG | {"max_tokens": 20}).json()["choices"]
    assert choice["finish_reason"] == "length"
    with pytest.raises(json.JSONDecodeError):
        json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"])


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        (
            {"tools": [tool("odd", "Odd", a={"type": "foo"})]},
            400,
            "the tool 'odd': JSON schema error at #/properties/a: unrec",
        ),
        ({"tools": [tool("far", "Far", a={"$ref": "https://x.invalid/s"})]}, 400, "the tool 'far': JSON schema error"),
        ({"tools": [ADD], "messages": [{"role": "user", "content": "word " * 5000}]}, 400, "'add': request ("),
        ({"tool_choice": {"type": "function", "function": {"name": "no"}}}, 400, "there is no tool 'no'"),
        ({"tools": ["add"]}, 400, "tools[0]"),
        ({"n": 2}, 422, "one answer"),
    ],
)
def test_bad_requests_are_refused_with_a_sentence(hub: httpx.Client, change: Any, status: int, says: str) -> None:
    response = hub.post(CHAT, json=body("Add 12 and 30.", tool_choice="required") | change)
    assert response.status_code == status
    assert says in response.json()["error"]


def test_completions_know_no_tools(hub: httpx.Client) -> None:
    asked = {"prompt": "The capital of France is", "tools": "nonsense", "temperature": 0, "max_tokens": 4}
    assert "Paris" in hub.post("/v1/completions", json=asked).json()["choices"][0]["text"]
