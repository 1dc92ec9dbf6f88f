"""The agent: LangChain's own with the tools of this package, and its steps as they come."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hf_tools.demo.printing import item, paragraph
from hf_tools.errors import MissingExtra, shown

SETTINGS: dict[str, Any] = {"temperature": 0, "max_tokens": 120, "stop": ["\n"]}
"""This model repeats itself after its first line; the tokens are also those of a call's arguments."""
STEPS = 8
"""Steps after which an agent that goes on and on is stopped; a call and its answer are three."""


@dataclass(frozen=True)
class LangChain:
    """What is needed of LangChain, which is not installed everywhere."""

    create: Any
    chat: Any
    toolkit: Any
    endless: type[Exception]

    def agent(self, toolkit: Any) -> Agent:
        """An agent on the embedded chat model with these tools, as a user would make it."""
        model = self.chat(provider="local", **SETTINGS)
        return Agent(self.create(model, toolkit.get_tools()), self.endless)


@dataclass(frozen=True)
class Agent:
    """An agent, and the error with which it is stopped."""

    graph: Any
    endless: type[Exception]

    def messages(self, question: str) -> Iterator[tuple[Any, float]]:
        """Each message that comes of a question, and the seconds that it took."""
        start = time.perf_counter()
        asked = {"messages": [("user", question)]}
        for update in self.graph.stream(asked, {"recursion_limit": STEPS}, stream_mode="updates"):
            for step in update.values():
                for message in step["messages"]:
                    now = time.perf_counter()
                    yield message, now - start
                    start = now


def langchain() -> LangChain:
    """What the demonstration needs of LangChain; MissingExtra where it is not installed."""
    try:
        create = importlib.import_module("langchain.agents").create_agent
        endless = importlib.import_module("langgraph.errors").GraphRecursionError
        from langchain_hf_tools import ChatHfInference, HfInferenceToolkit
    except ImportError as error:
        said = f"The demo needs LangChain ({shown(error, 120)}): pip install 'hf-tools[demo]'"
        raise MissingExtra(said) from error
    return LangChain(create, ChatHfInference, HfInferenceToolkit, endless)


def answer(agent: Agent, question: str) -> None:
    """Ask, and write each step: calls with their arguments, results, the answer, each with its time."""
    paragraph(question)
    called = False
    try:
        for message, seconds in agent.messages(question):
            called = called or message.type == "tool"
            _step(message, seconds, called)
    except agent.endless:
        item("stopped", f"the agent made no end of it in {STEPS} steps")


def _step(message: Any, seconds: float, called: bool) -> None:
    if message.type == "tool":
        item("failed" if message.status == "error" else "result", str(message.content), seconds)
        return
    for call in message.tool_calls:
        given = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in call["args"].items())
        item("call", f"{call['name']}({given})", seconds)
    if not message.tool_calls:
        item("answer", message.text if called else f"{message.text}\n(no tool was called)", seconds)
