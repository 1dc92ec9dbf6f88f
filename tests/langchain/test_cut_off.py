"""An agent whose model streams: a tool call that was cut off never runs, and is not lost without a word."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.tools import BaseTool, tool

from hf_tools.errors import StreamInterrupted
from langchain_hf_tools import ChatHfInference

AGENTS: Any = importlib.import_module("langchain.agents")  # its types are not fully known
QUESTION = {"messages": [("user", "Delete them.")]}


class Scene:
    """A model that streams one call in pieces, and a tool that counts how often it ran."""

    def __init__(self, server: Any) -> None:
        self.server, self.runs = server, 0
        self.model = ChatHfInference(**server.models)
        self.agent = AGENTS.create_agent(self.model, [self.tool()])

    def tool(self) -> BaseTool:
        @tool
        def delete(folder: str = "/") -> str:
            """Delete a folder."""
            self.runs += 1
            return "gone"

        return delete

    def run(self, how: str) -> AIMessage:
        """The model's message; the agent is made to stream in one of LangChain's ways."""
        if how == "events":
            messages = self.agent.stream_events(QUESTION, version="v3").output["messages"]
        else:
            modes: list[Any] = list(self.agent.stream(QUESTION, stream_mode=["messages", "values"]))
            messages = [state for mode, state in modes if mode == "values"][-1]["messages"]
        assert all(json.loads(request.content)["stream"] for request in self.server.requests)
        message: AIMessage = messages[1]
        return message

    async def arun(self) -> AIMessage:
        modes = [each async for each in self.agent.astream(QUESTION, stream_mode=["messages", "values"])]
        message: AIMessage = [state for mode, state in modes if mode == "values"][-1]["messages"][1]
        return message


@pytest.fixture
def scene(serve: Any, events: Callable[..., httpx.Response]) -> Callable[..., Scene]:
    def make(*pieces: str, **end: Any) -> Scene:
        function = {"name": "delete", "arguments": ""}
        first = {"index": 0, "id": "c1", "type": "function", "function": function}
        more = [{"index": 0, "function": {"arguments": piece}} for piece in pieces]
        call = events(*({"tool_calls": [delta]} for delta in (first, *more)), **end)
        return Scene(serve(call, events({"content": "Done."})))

    return make


PIECES = [(), ("{",), ('{"folder": "/ho',), ('{"folder": ', '"/home"')]
HOW = [
    "values",
    pytest.param("events", marks=pytest.mark.filterwarnings("ignore:The v3 streaming protocol")),
]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("pieces", PIECES)
def test_a_stream_that_breaks_off_runs_nothing(scene: Callable[..., Scene], pieces: tuple[str, ...], how: str) -> None:
    played = scene(*pieces, done=False)
    with pytest.raises(StreamInterrupted):
        played.run(how)
    assert played.runs == 0


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("pieces", PIECES)
def test_an_answer_that_was_cut_off_runs_nothing(
    scene: Callable[..., Scene], pieces: tuple[str, ...], how: str
) -> None:
    played = scene(*pieces, reason="length")
    message = played.run(how)
    assert played.runs == 0
    assert message.tool_calls == []
    assert [call["id"] for call in message.invalid_tool_calls] == ["c1"]


@pytest.mark.parametrize("pieces", PIECES)
async def test_awaited(scene: Callable[..., Scene], pieces: tuple[str, ...]) -> None:
    played = scene(*pieces, reason="length")
    message = await played.arun()
    assert played.runs == 0
    assert [call["id"] for call in message.invalid_tool_calls] == ["c1"]
    broken = scene(*pieces, done=False)
    with pytest.raises(StreamInterrupted):
        await broken.arun()
    assert broken.runs == 0


@pytest.mark.parametrize("how", HOW)
def test_a_whole_call_runs(scene: Callable[..., Scene], how: str) -> None:
    played = scene('{"folder": ', '"/home"}', reason="tool_calls")
    assert played.run(how).tool_calls[0]["args"] == {"folder": "/home"}
    assert played.runs == 1


def test_an_invalid_call_is_in_a_chunk_of_its_own(scene: Callable[..., Scene]) -> None:
    chunks: list[Any] = list(scene('{"folder": "/', reason="length").model.stream("Hi"))
    assert [(bool(chunk.tool_call_chunks), chunk.chunk_position) for chunk in chunks] == [(True, None), (False, "last")]
    assert all(isinstance(chunk, AIMessageChunk) and not chunk.tool_calls for chunk in chunks)
