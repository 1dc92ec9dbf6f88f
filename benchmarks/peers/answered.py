"""Checks of what becomes of an answer."""

from __future__ import annotations

import importlib
import json
from typing import Any, Literal

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from benchmarks.peers.registry import KEY, feature
from benchmarks.peers.sent import get_time, get_weather
from benchmarks.peers.subjects import Subject
from tests.langchain.scripted import Said, ScriptedServer
from tests.langchain.scripted.mind import THOUGHT
from tests.langchain.scripted.wire import call


class Address(BaseModel):
    city: str
    kind: Literal["home", "work"]


class Person(BaseModel):
    """A person with an address."""

    name: str
    age: int
    address: Address


def added_up(chunks: Any) -> AIMessageChunk:
    whole: AIMessageChunk | None = None
    for chunk in chunks:
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    return whole


def structured(subject: Subject, server: ScriptedServer, method: str, prompt: str) -> None:
    """An instance of the class, from a whole answer and from a stream, and with the raw answer."""
    model: Any = subject.make(server.url, **KEY)
    made = model.with_structured_output(Person, method=method)
    assert isinstance(made.invoke(prompt), Person)
    assert isinstance(list(made.stream(prompt))[-1], Person)
    raw = model.with_structured_output(Person, method=method, include_raw=True).invoke(prompt)
    assert isinstance(raw["raw"], AIMessage)
    assert isinstance(raw["parsed"], Person)
    assert raw["parsing_error"] is None


@feature("Structured output into a pydantic class: `json_schema`")
def structured_json_schema(subject: Subject, server: ScriptedServer) -> None:
    structured(subject, server, "json_schema", "Who is Ann?")
    assert server.body["response_format"]["type"] == "json_schema"


@feature("Structured output into a pydantic class: `function_calling`")
def structured_function_calling(subject: Subject, server: ScriptedServer) -> None:
    structured(subject, server, "function_calling", "Who is Ann?")
    assert server.body["tools"][0]["function"]["name"] == "Person"


@feature("Structured output into a pydantic class: `json_mode`")
def structured_json_mode(subject: Subject, server: ScriptedServer) -> None:
    schema = json.dumps(Person.model_json_schema())
    structured(subject, server, "json_mode", f"Who is Ann? Answer as JSON by this schema: {schema}")
    assert server.body["response_format"] == {"type": "json_object"}


TOOLS: tuple[list[Any], ...] = ([], [get_weather], [get_weather, get_time])


def agents(subject: Subject, server: ScriptedServer, strategy: str | None, choices: Any = TOOLS) -> None:
    """An agent whose answer is an object, with these tools besides."""
    langchain: Any = importlib.import_module("langchain.agents")
    form: Any = Person
    if strategy is not None:
        form = getattr(importlib.import_module("langchain.agents.structured_output"), strategy)(Person)
    for tools in choices:
        agent = langchain.create_agent(subject.make(server.url, **KEY), tools, response_format=form)
        state = agent.invoke({"messages": [HumanMessage("Which person is it?")]})
        assert isinstance(state["structured_response"], Person)


@feature("`create_agent(response_format=Class)`")
def agent_class(subject: Subject, server: ScriptedServer) -> None:
    agents(subject, server, None)


@feature("`create_agent(response_format=ToolStrategy(Class))`")
def agent_tool_strategy(subject: Subject, server: ScriptedServer) -> None:
    agents(subject, server, "ToolStrategy")


@feature("`create_agent(response_format=ProviderStrategy(Class))`")
def agent_provider_strategy(subject: Subject, server: ScriptedServer) -> None:
    agents(subject, server, "ProviderStrategy", TOOLS[1:])


@feature("The same without tools: no empty list of tools is sent, which OpenAI refuses")
def agent_without_tools(subject: Subject, server: ScriptedServer) -> None:
    agents(subject, server, "ProviderStrategy", TOOLS[:1])


@feature("Tokens used are told by streams too, without asking for it")
def usage_in_streams(subject: Subject, server: ScriptedServer) -> None:
    chunks: list[Any] = list(subject.make(server.url, **KEY).stream("Hello"))
    assert sum(chunk.usage_metadata is not None for chunk in chunks) == 1
    usage = added_up(chunks).usage_metadata
    assert usage is not None
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 4


@feature("Tokens that were cached or spent on reasoning are told")
def usage_details(subject: Subject, server: ScriptedServer) -> None:
    model = subject.make(server.url, model="org/reasoner", **KEY)
    usage = model.invoke([SystemMessage("Be kind."), HumanMessage("Hello")]).usage_metadata
    assert usage is not None
    assert usage.get("input_token_details", {}).get("cache_read") == 6
    assert usage.get("output_token_details", {}).get("reasoning") == 11


def answers(subject: Subject, server: ScriptedServer) -> list[AIMessage]:
    """An answer that came whole and one that was streamed."""
    model: Any = subject.make(server.url, **KEY)
    return [model.invoke("Hello", model="org/other"), added_up(model.stream("Hello", model="org/other"))]


@feature("`model` may be given per call, and answers say which model gave them")
def model_per_call(subject: Subject, server: ScriptedServer) -> None:
    found = [message.response_metadata["model_name"] for message in answers(subject, server)]
    assert found == ["org/other", "org/other"]


@feature("Answers keep the server's id, streamed or not")
def answer_id(subject: Subject, server: ScriptedServer) -> None:
    found = [message.response_metadata["id"] for message in answers(subject, server)]
    assert found == ["chatcmpl-1", "chatcmpl-2"]


def blocks(message: AIMessage) -> list[tuple[str, Any]]:
    """Kind and gist of each content block; neighbours of one kind together."""
    found: list[tuple[str, Any]] = []
    for block in message.content_blocks:
        if block["type"] == "tool_call":
            found.append(("tool_call", (block["name"], block["args"], block["id"])))
        else:
            found.append((block["type"], dict(block).get(block["type"])))
    return found


@feature("Reasoning is kept (`reasoning_content` and `reasoning`)")
def reasoning(subject: Subject, server: ScriptedServer) -> None:
    for name in ("reasoning_content", "reasoning"):
        server.say("Hi", reasoning="Hmm.", reasoning_field=name)
        answer = subject.make(server.url, **KEY).invoke("Hello")
        assert blocks(answer) == [("reasoning", "Hmm."), ("text", "Hi")]


@feature("Reasoning is streamed")
def reasoning_in_streams(subject: Subject, server: ScriptedServer) -> None:
    chunks: list[Any] = list(subject.make(server.url, model="org/reasoner", **KEY).stream("Hello"))
    thoughts = [block for chunk in chunks for kind, block in blocks(chunk) if kind == "reasoning"]
    assert len(thoughts) > 1
    assert "".join(thoughts) == THOUGHT


CALLS = [("get_weather", {"location": "Rome"}, "c1"), ("get_time", {"location": "Oslo"}, "c2")]


def whole_stream(subject: Subject, server: ScriptedServer, version: str, thought: str | None) -> None:
    """The blocks of a stream with thoughts, a text and two calls are those in their order, and nothing else."""
    calls = [call(*each) for each in CALLS]
    server.say("I look.", reasoning=thought, calls=calls, finish_reason="tool_calls")
    own = {} if version == "v3" else {"output_version": version}
    model: Any = subject.make(server.url, **own, **KEY).bind_tools([get_weather, get_time])
    if version == "v3":
        stream = subject.make(server.url, **KEY).stream_events("Hello", version="v3")
        assert list(stream)
        message: Any = stream.output
    else:
        message = added_up(model.stream("Hello"))
    expected: list[tuple[str, Any]] = [("text", "I look."), *[("tool_call", each) for each in CALLS]]
    assert blocks(message) == ([("reasoning", thought)] if thought else []) + expected


@feature('Streamed text and two tool calls, `output_version="v1"`: content blocks are right')
def blocks_without_reasoning(subject: Subject, server: ScriptedServer) -> None:
    whole_stream(subject, server, "v1", None)


@feature('Streamed reasoning, text and two tool calls, `output_version="v0"`: content blocks are right')
def blocks_v0(subject: Subject, server: ScriptedServer) -> None:
    whole_stream(subject, server, "v0", "Hmm.")


@feature('The same, `output_version="v1"`')
def blocks_v1(subject: Subject, server: ScriptedServer) -> None:
    whole_stream(subject, server, "v1", "Hmm.")


@feature('The same, `stream_events(version="v3")`')
def blocks_v3(subject: Subject, server: ScriptedServer) -> None:
    whole_stream(subject, server, "v3", "Hmm.")


@feature("A tool call that was cut off is not run by an agent")
def cut_off_call(subject: Subject, server: ScriptedServer) -> None:
    removed: list[str] = []

    @tool
    def remove(path: str) -> str:
        """Remove a file."""
        removed.append(path)
        return "done"

    langchain: Any = importlib.import_module("langchain.agents")
    agent = langchain.create_agent(subject.make(server.url, **KEY), [remove])
    question = {"messages": [HumanMessage("Go")]}
    cut = call("remove", '{"path": "/home/me')
    server.say(calls=[cut], finish_reason="length")
    agent.invoke(question)
    server.say(calls=[cut], finish_reason="length")
    list(agent.stream(question, stream_mode="messages"))
    assert removed == []


@feature("A stream that ends early raises")
def early_end(subject: Subject, server: ScriptedServer) -> None:
    server.break_off(Said("one two three four"), after=3)
    seen: list[str] = []
    try:
        for chunk in subject.make(server.url, max_retries=0, **KEY).stream("Hello"):
            seen.append(chunk.text)  # noqa: PERF401 - what came before the error counts
    except Exception:  # noqa: BLE001 - each package has errors of its own
        assert "".join(seen) == "one two"
        return
    raise AssertionError("the stream ended as if it were whole")
