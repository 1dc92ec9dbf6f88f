"""Reasoning, text and two tool calls: the same content blocks whichever way the answer comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_hf_tools import ChatHfInference
from tests.langchain.chatting import added_up, chat
from tests.langchain.scripted import ScriptedServer
from tests.langchain.scripted.wire import call

pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")  # of the third version

CALLS = [call("weather", {"at": "Rome", "days": 2}, "c1"), call("time", {}, "c2")]
BLOCKS: list[dict[str, Any]] = [
    {"type": "reasoning", "reasoning": "Hmm, let me see."},
    {"type": "text", "text": "I look it up."},
    {"type": "tool_call", "id": "c1", "name": "weather", "args": {"at": "Rome", "days": 2}},
    {"type": "tool_call", "id": "c2", "name": "time", "args": {}},
]


@pytest.fixture(params=["reasoning_content", "reasoning", "tags"])
def server(request: pytest.FixtureRequest) -> Iterator[ScriptedServer]:
    thought, text = "Hmm, let me see.", "I look it up."
    with ScriptedServer() as running:
        if request.param == "tags":
            running.say(f"<think>{thought}</think>{text}", calls=CALLS, finish_reason="tool_calls")
        else:
            about: dict[str, Any] = {"reasoning": thought, "reasoning_field": request.param}
            running.say(text, calls=CALLS, finish_reason="tool_calls", **about)
        yield running


@pytest.fixture(params=["v0", "v1"])
def model(request: pytest.FixtureRequest, server: ScriptedServer) -> ChatHfInference:
    return chat(model="org/model", base_url=server.url, api_key="hf_test", output_version=request.param)


def plain(message: AIMessage) -> list[dict[str, Any]]:
    """The blocks without the numbers that streams give them."""
    kept = ("type", "reasoning", "text", "id", "name", "args")
    named = [{key: value for key, value in block.items() if key in kept} for block in message.content_blocks]
    return [{key: value for key, value in each.items() if key != "id" or each["type"] == "tool_call"} for each in named]


def test_whole(model: ChatHfInference) -> None:
    assert plain(model.invoke("Hello")) == BLOCKS


async def test_whole_and_awaited(model: ChatHfInference) -> None:
    assert plain(await model.ainvoke("Hello")) == BLOCKS


def test_streamed(model: ChatHfInference) -> None:
    assert plain(added_up(model.stream("Hello"))) == BLOCKS


async def test_streamed_and_awaited(model: ChatHfInference) -> None:
    stream: AsyncIterator[Any] = model.astream("Hello")
    assert plain(added_up([chunk async for chunk in stream])) == BLOCKS


def test_third_version_of_events(model: ChatHfInference) -> None:
    stream = model.stream_events("Hello", version="v3")
    assert list(stream)
    assert plain(stream.output) == BLOCKS


async def test_third_version_of_events_awaited(model: ChatHfInference) -> None:
    stream = await model.astream_events("Hello", version="v3")
    assert [event async for event in stream]
    assert plain(await stream.output) == BLOCKS
