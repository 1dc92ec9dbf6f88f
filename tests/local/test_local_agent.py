"""The embedded backend under LangChain: bound tools and an agent from its question to its answer."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_hf_tools import ChatHfInference

AGENTS: Any = importlib.import_module("langchain.agents")
pytestmark = pytest.mark.usefixtures("weights_here")


@tool
def add(a: int, b: int) -> int:
    """Add two integers."""
    return a + b


@tool
def get_weather(city: str) -> str:
    """Get the current weather in a city."""
    return f"18 degrees in {city}"


class Report(BaseModel):
    """The final answer: a report of the weather."""

    city: str
    degrees: int


@pytest.fixture
def model() -> ChatHfInference:
    return ChatHfInference(provider="local", temperature=0)


def test_bound_tools_are_called(model: ChatHfInference) -> None:
    bound = model.bind_tools([add, get_weather])
    answer = bound.invoke("What is 12 plus 30?")
    (call,) = answer.tool_calls
    assert (call["name"], call["args"], answer.content) == ("add", {"a": 12, "b": 30}, "")
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] > 5
    assert not bound.invoke("Who wrote Hamlet?").tool_calls


def test_a_stream_adds_up_to_the_call(model: ChatHfInference) -> None:
    whole: Any = None
    for part in model.bind_tools([add, get_weather]).stream("Is it hot in Rome?"):
        whole = part if whole is None else whole + part
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [("get_weather", {"city": "Rome"})]


@pytest.mark.parametrize(("question", "holds"), [("What is 12 plus 30?", "42"), ("Add 140 and 2", "142")])
def test_an_agent_calls_its_tool_and_tells_the_result(model: ChatHfInference, question: str, holds: str) -> None:
    agent = AGENTS.create_agent(model, [add, get_weather])
    messages = agent.invoke({"messages": [HumanMessage(question)]})["messages"]
    assert [type(message) for message in messages] == [HumanMessage, AIMessage, ToolMessage, AIMessage]
    assert messages[2].content == holds
    assert holds in messages[3].text


def test_an_agent_ends_with_an_answer_by_tool(model: ChatHfInference) -> None:
    strategy = importlib.import_module("langchain.agents.structured_output").ToolStrategy(Report)
    agent = AGENTS.create_agent(model, [get_weather], response_format=strategy)
    state = agent.invoke({"messages": [("user", "What is the weather in Paris?")]}, {"recursion_limit": 8})
    assert state["structured_response"].city == "Paris"
