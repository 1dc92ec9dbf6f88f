"""Agents, awaited and streamed: each strategy of structured output with no, one and two tools; results of calls."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_hf_tools import ChatHfInference
from tests.langchain.chatting import chat
from tests.langchain.scripted import ScriptedServer
from tests.langchain.scripted.wire import call

agents: Any = importlib.import_module("langchain.agents")
strategies: Any = importlib.import_module("langchain.agents.structured_output")


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


@tool
def get_weather(location: str) -> str:
    """Tell the weather of a place."""
    return f"Sunny in {location}."


@tool
def get_time(location: str) -> str:
    """Tell the time of a place."""
    return f"Noon in {location}."


TOOLS = [[], [get_weather], [get_weather, get_time]]
FORMS = {
    "class": Person,
    "tool": strategies.ToolStrategy(Person),
    "provider": strategies.ProviderStrategy(Person),
    "auto": strategies.AutoStrategy(Person),
}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(tool_media=False) as running:
        yield running


def made(server: ScriptedServer, **more: Any) -> ChatHfInference:
    return chat(model="org/model", base_url=server.url, api_key="hf_test", **more)


@pytest.mark.parametrize("tools", TOOLS, ids=len)
@pytest.mark.parametrize("form", FORMS)
class TestStructured:
    async def test_awaited(self, server: ScriptedServer, form: str, tools: list[Any]) -> None:
        agent = agents.create_agent(made(server), tools, response_format=FORMS[form])
        state = await agent.ainvoke({"messages": [HumanMessage("Which person is 41?")]})
        assert state["structured_response"] == Person(name="some name", age=41)

    def test_streamed(self, server: ScriptedServer, form: str, tools: list[Any]) -> None:
        agent = agents.create_agent(made(server), tools, response_format=FORMS[form])
        question = {"messages": [HumanMessage("Which person is 41?")]}
        stream = agent.stream(question, stream_mode=["messages", "values"])
        states = [state for kind, state in stream if kind == "values"]
        assert states[-1]["structured_response"] == Person(name="some name", age=41)
        assert server.body["stream"] is True


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("streamed", [False, True])
def test_two_calls_at_once_and_their_results_go_back(server: ScriptedServer, version: str, streamed: bool) -> None:
    calls = [call("get_weather", {"location": "Rome"}, "c1"), call("get_time", {"location": "Oslo"}, "c2")]
    server.say("I look.", reasoning="Two things.", calls=calls, finish_reason="tool_calls")
    agent = agents.create_agent(made(server, output_version=version), TOOLS[2])
    question = {"messages": [HumanMessage("And?")]}
    if streamed:
        list(agent.stream(question, stream_mode="messages"))
    else:
        agent.invoke(question)
    _, told, *results = server.body["messages"]
    assert (told["role"], told["content"]) == ("assistant", "I look.")
    assert [each["id"] for each in told["tool_calls"]] == ["c1", "c2"]
    assert [(each["tool_call_id"], each["content"]) for each in results] == [
        ("c1", "Sunny in Rome."),
        ("c2", "Noon in Oslo."),
    ]


def test_media_of_parallel_calls_follow_the_last_result(server: ScriptedServer) -> None:
    @tool
    def draw(what: str) -> list[dict[str, Any]]:
        """Draw something."""
        return [{"type": "image", "url": f"https://example.org/{what}.png"}]

    server.say(calls=[call("draw", {"what": "a"}, "c1"), call("draw", {"what": "b"}, "c2")], finish_reason="tool_calls")
    state = agents.create_agent(made(server), [draw]).invoke({"messages": [HumanMessage("Go")]})
    assert isinstance(state["messages"][-1], AIMessage)
    assert [each["role"] for each in server.body["messages"]] == ["user", "assistant", "tool", "tool", "user"]
    parts = server.body["messages"][-1]["content"]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    assert urls == ["https://example.org/a.png", "https://example.org/b.png"]
