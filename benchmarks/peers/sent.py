"""Checks of what a model sends."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool

from benchmarks.peers.registry import KEY, feature
from benchmarks.peers.subjects import Subject
from tests.langchain.scripted import ScriptedServer

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
MP4 = "AAAAGGZ0eXBpc29tAAACAGlzb21pc28y"
IMAGE = {"type": "image", "base64": PNG, "mime_type": "image/png"}


@tool
def get_weather(location: str) -> str:
    """Tell the weather of a place."""
    return f"It is sunny in {location}."


@tool
def get_time(location: str) -> str:
    """Tell the time of a place."""
    return f"It is noon in {location}."


def parts_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of all messages that are lists."""
    return [part for each in body["messages"] if isinstance(each["content"], list) for part in each["content"]]


def ask(model: BaseChatModel, *blocks: Any) -> None:
    model.invoke([HumanMessage([{"type": "text", "text": "What is this?"}, *blocks])])


@feature("Every sampling parameter of the constructor is sent")
def every_parameter(subject: Subject, server: ScriptedServer) -> None:
    fields: dict[str, Any] = {
        "temperature": 0.5, "top_p": 0.9, "seed": 7, "presence_penalty": 0.5, "frequency_penalty": 0.25,
        "logprobs": True, "top_logprobs": 2, "logit_bias": {"5": 1}, "n": 2,
    }  # fmt: skip
    subject.make(server.url, max_tokens=77, **KEY, **fields).invoke("Hello")
    assert {name: server.body.get(name) for name in fields} == fields
    assert 77 in (server.body.get("max_tokens"), server.body.get("max_completion_tokens"))


@feature("Nothing is sent that was not set")
def nothing_else(subject: Subject, server: ScriptedServer) -> None:
    subject.make(server.url, **KEY).invoke("Hello")
    sent = {name for name, value in server.body.items() if value not in (None, False, 1)}
    assert sent == {"model", "messages"}


@feature("`temperature=0` is sent")
def temperature_zero(subject: Subject, server: ScriptedServer) -> None:
    subject.make(server.url, temperature=0, **KEY).invoke("Hello")
    assert server.body["temperature"] == 0


@feature("`stop` works in the constructor")
def stop_in_constructor(subject: Subject, server: ScriptedServer) -> None:
    answer = subject.make(server.url, stop=["there"], **KEY).invoke("Hello")
    assert server.body["stop"] == ["there"]
    assert answer.text == "Hello "


@feature("`stop=[]`, one of LangChain's standard parameters, is no list that servers refuse")
def empty_stop(subject: Subject, server: ScriptedServer) -> None:
    subject.make(server.url, stop=[], **KEY).invoke("Hello")
    assert server.body.get("stop") is None


@feature("Unknown arguments of the constructor are refused")
def unknown_argument(subject: Subject, server: ScriptedServer) -> None:
    try:
        subject.make(server.url, temprature=0, **KEY)
    except (ValueError, TypeError):
        return
    raise AssertionError("it was taken")


@feature("`tool_choice` in all its forms, with two tools")
def tool_choices(subject: Subject, server: ScriptedServer) -> None:
    named = {"type": "function", "function": {"name": "get_time"}}
    forms: list[tuple[Any, Any]] = [
        ("auto", "auto"), ("none", "none"), ("any", "required"), ("required", "required"), (True, "required"),
        ("get_time", named), (named, named),
    ]  # fmt: skip
    model = subject.make(server.url, **KEY)
    for given, wire in forms:
        answer = model.bind_tools([get_weather, get_time], tool_choice=given).invoke("Hello")
        assert server.body["tool_choice"] == wire
        assert bool(answer.tool_calls) is (given not in ("auto", "none"))


@feature("`parallel_tool_calls` is sent")
def parallel_tool_calls(subject: Subject, server: ScriptedServer) -> None:
    model = subject.make(server.url, **KEY)
    model.bind_tools([get_weather], parallel_tool_calls=False).invoke("Hello")
    assert server.body["parallel_tool_calls"] is False


@feature("`strict` tools are sent as such")
def strict_tools(subject: Subject, server: ScriptedServer) -> None:
    model = subject.make(server.url, **KEY)
    model.bind_tools([get_weather], strict=True).invoke("Hello")
    assert server.body["tools"][0]["function"]["strict"] is True


@feature("LangChain's image blocks, by URL and inline")
def image_blocks(subject: Subject, server: ScriptedServer) -> None:
    address = "https://example.org/a.png"
    ask(subject.make(server.url, **KEY), IMAGE, {"type": "image", "url": address})
    urls = [part["image_url"]["url"] for part in parts_of(server.body) if part["type"] == "image_url"]
    assert urls == [f"data:image/png;base64,{PNG}", address]


@feature("LangChain's audio blocks")
def audio_blocks(subject: Subject, server: ScriptedServer) -> None:
    ask(subject.make(server.url, **KEY), {"type": "audio", "base64": WAV, "mime_type": "audio/wav"})
    assert [part["type"] for part in parts_of(server.body)][1] in ("input_audio", "audio_url")


@feature("LangChain's video blocks, by URL and inline")
def video_blocks(subject: Subject, server: ScriptedServer) -> None:
    inline = {"type": "video", "base64": MP4, "mime_type": "video/mp4"}
    ask(subject.make(server.url, **KEY), inline, {"type": "video", "url": "https://example.org/a.mp4"})
    assert [part["type"] for part in parts_of(server.body)[1:]] == ["video_url", "video_url"]


@feature("Images that tools return reach a model that takes them in user messages only")
def media_of_tools(subject: Subject, server: ScriptedServer) -> None:
    server.tool_media = False
    calls: list[Any] = [{"name": "look", "args": {}, "id": number, "type": "tool_call"} for number in ("a", "b")]
    results = [ToolMessage([IMAGE], tool_call_id=call["id"]) for call in calls]
    subject.make(server.url, **KEY).invoke([HumanMessage("Look twice"), AIMessage("", tool_calls=calls), *results])
    assert sum(part["type"] == "image_url" for part in parts_of(server.body)) == 2


def replay(subject: Subject, server: ScriptedServer, content: list[Any], **more: Any) -> None:
    """Send an answer with a tool call again, as history; its text and its call must be there, once."""
    calls: list[Any] = [{"name": "get_weather", "args": {"location": "Rome"}, "id": "c1", "type": "tool_call"}]
    told = AIMessage(content, tool_calls=calls, **more)
    subject.make(server.url, **KEY).invoke([HumanMessage("Hello"), told, ToolMessage("Sunny", tool_call_id="c1")])
    sent = server.body["messages"][1]
    text = sent["content"] if isinstance(sent["content"], str) else sent["content"][0]["text"]
    assert text == "I look."
    assert [call["id"] for call in sent["tool_calls"]] == ["c1"]


@feature("History of LangChain's v1 form can be sent again")
def history_v1(subject: Subject, server: ScriptedServer) -> None:
    call = {"type": "tool_call", "name": "get_weather", "args": {"location": "Rome"}, "id": "c1"}
    content = [{"type": "reasoning", "reasoning": "So."}, {"type": "text", "text": "I look."}, call]
    replay(subject, server, content, response_metadata={"output_version": "v1"})


@feature("History of an Anthropic model can be sent again")
def history_anthropic(subject: Subject, server: ScriptedServer) -> None:
    call = {"type": "tool_use", "name": "get_weather", "input": {"location": "Rome"}, "id": "c1"}
    thinking = {"type": "thinking", "thinking": "So.", "signature": "c2ln"}
    replay(subject, server, [thinking, {"type": "text", "text": "I look."}, call])


@feature("Names of messages are sent")
def message_names(subject: Subject, server: ScriptedServer) -> None:
    subject.make(server.url, **KEY).invoke([HumanMessage("Hello", name="ann")])
    assert server.body["messages"][0]["name"] == "ann"
