"""An agent whose model is a script and whose tools are real: two tasks on the embedded backend."""

from __future__ import annotations

import importlib
import json
import runpy
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool
from pydantic import Field

from hf_tools import HfInference
from langchain_hf_tools import ChatHfInference, HfInferenceToolkit

AGENTS: Any = importlib.import_module("langchain.agents")  # its types are not fully known
TEXT = "The football team won the cup final last night."
LABELS = ["sport", "cooking", "politics"]
SENTENCES = ["They are the champions of soccer.", "The soup needs salt."]


class Script(BaseChatModel):
    """A model that calls two tools at once and then says what they found."""

    tools: list[str] = Field(default_factory=list[str])

    @property
    def _llm_type(self) -> str:
        return "script"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        self.tools = [tool.name for tool in tools]
        return self

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        found = {message.name: message.content for message in messages if isinstance(message, ToolMessage)}
        return ChatResult(generations=[ChatGeneration(message=self.conclusion(found) if found else self.calls())])

    def calls(self) -> AIMessage:
        classify = {"text": TEXT, "candidate_labels": LABELS}
        compare = {"sentence": TEXT, "other_sentences": SENTENCES}
        return AIMessage(
            "",
            tool_calls=[
                {"name": "hf_zero_shot_classification", "args": classify, "id": "c1"},
                {"name": "hf_sentence_similarity", "args": compare, "id": "c2"},
            ],
        )

    def conclusion(self, found: dict[str | None, Any]) -> AIMessage:
        best = json.loads(found["hf_zero_shot_classification"])[0]
        scores: list[float] = json.loads(found["hf_sentence_similarity"])
        nearest = SENTENCES[scores.index(max(scores))]
        return AIMessage(f"It is about {best['label']} ({best['score']:.2f}); nearest: {nearest}")


@pytest.fixture
def tools() -> Iterator[list[BaseTool]]:
    with HfInference(provider="local") as hf:
        yield HfInferenceToolkit(hf).get_tools()


def check(model: Script, messages: list[BaseMessage]) -> None:
    assert [message.type for message in messages] == ["human", "ai", "tool", "tool", "ai"]
    assert len(model.tools) == 37
    for message in messages[2:4]:
        assert isinstance(message, ToolMessage)
        assert message.status == "success"
        assert message.artifact["provider"] == "local"
    assert str(messages[-1].content).startswith("It is about sport (0.")
    assert str(messages[-1].content).endswith("nearest: They are the champions of soccer.")


def test_an_agent_uses_two_tools(tools: list[BaseTool]) -> None:
    model = Script()
    agent = AGENTS.create_agent(model, tools)
    check(model, agent.invoke({"messages": [HumanMessage("What is it about?")]})["messages"])


async def test_an_agent_uses_two_tools_awaited(tools: list[BaseTool]) -> None:
    model = Script()
    agent = AGENTS.create_agent(model, tools)
    check(model, (await agent.ainvoke({"messages": [HumanMessage("What is it about?")]}))["messages"])


class Clumsy(Script):
    """A model that leaves out an argument, names a task that is not there, and is told."""

    def calls(self) -> AIMessage:
        return AIMessage(
            "",
            tool_calls=[
                {"name": "hf_zero_shot_classification", "args": {"text": TEXT}, "id": "c1"},
                {"name": "hf_image_to_text", "args": {"image": "/etc/passwd"}, "id": "c2"},
                {"name": "hf_fill_mask", "args": {"text": "[MASK]"}, "id": "c3"},
            ],
        )

    def conclusion(self, found: dict[str | None, Any]) -> AIMessage:
        return AIMessage("Sorry.")


def test_an_error_does_not_end_the_agent(tools: list[BaseTool]) -> None:
    agent = AGENTS.create_agent(Clumsy(), tools)
    messages = agent.invoke({"messages": [HumanMessage("What is it about?")]})["messages"]
    told = [message for message in messages if isinstance(message, ToolMessage)]
    assert [message.status for message in told] == ["error"] * 3
    assert "Field required" in told[0].content
    assert "only a data: URI" in told[1].content
    assert "the embedded backend has no fill-mask" in told[2].content
    assert messages[-1].content == "Sorry."


async def test_the_chat_model_drives_an_agent(
    tools: list[BaseTool], serve: Any, completion: Callable[..., Any]
) -> None:
    arguments = json.dumps({"text": TEXT, "candidate_labels": LABELS})
    function = {"name": "hf_zero_shot_classification", "arguments": arguments}
    calls = [{"id": "c1", "type": "function", "function": function}]
    server = serve(completion(None, "tool_calls", tool_calls=calls), completion("Sport."))
    agent = AGENTS.create_agent(ChatHfInference(**server.models), tools)
    messages = (await agent.ainvoke({"messages": [HumanMessage("What is it about?")]}))["messages"]
    assert messages[-1].content == "Sport."
    first, second = server.bodies
    assert len(first["tools"]) == 37
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "tool"]
    assert second["messages"][1]["tool_calls"][0]["function"] == function
    assert json.loads(second["messages"][2]["content"])[0]["label"] == "sport"


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    main: Callable[[], None] = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "agent_tools.py"))["main"]
    main()
    said = capsys.readouterr().out
    assert '[{"label": "delivery", "score": 0.' in said
    assert "the embedded backend has no summarization" in said
    assert said.endswith("ai: It is about the delivery.\n")
