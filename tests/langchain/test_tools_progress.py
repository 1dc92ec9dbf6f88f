"""Tools inside a run of LangGraph: long jobs tell it how they go, and failures count for each conversation."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, ToolMessage

from hf_tools.media.store import MemoryStore
from langchain_hf_tools import HfInferenceToolkit
from langchain_hf_tools._tools.progress import told_progress, writer
from tests.langchain.agents import Tasks
from tests.langchain.tool_cases import MP4, MP4_MADE, asked, kit, only
from tests.providers.conftest import OWN_KEY, World

GRAPH: Any = importlib.import_module("langgraph.graph")  # its types are not fully known
NODES: Any = importlib.import_module("langgraph.prebuilt")
CHECKPOINTS: Any = importlib.import_module("langgraph.checkpoint.memory")
QUEUE, FILE = "https://queue.fal.run", "https://v3.fal.media/files/fox"
TAKEN = {
    "status": "IN_QUEUE", "request_id": "r1", "queue_position": 2, "response_url": f"{QUEUE}/fal-ai/app/requests/r1",
}  # fmt: skip
PENDING = httpx.Response(202, json={"status": "IN_PROGRESS"})
TOLD = [
    {"tool": "hf_text_to_video", "job": "r1", "state": "in_queue", "queue_position": 2},
    {"tool": "hf_text_to_video", "job": "r1", "state": "in_progress", "queue_position": None},
    {"tool": "hf_text_to_video", "job": "r1", "state": "completed", "queue_position": None},
]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polls do not wait."""

    async def sleep(_: float) -> None:
        return None

    def pause(_: float) -> None:
        return None

    monkeypatch.setattr("hf_tools._http.sync.sleep", pause)
    monkeypatch.setattr("hf_tools._http.aio.sleep", sleep)


def film(**options: Any) -> HfInferenceToolkit:
    """A toolkit whose tool makes a film through a queue."""
    world = World(
        "fal-ai", "text-to-video", "fal-ai/app", TAKEN, PENDING, {"status": "COMPLETED"}, {"video": {"url": FILE}},
        httpx.Response(200, content=MP4),
    )  # fmt: skip
    clients: dict[str, Any] = {
        "client": world.client(OWN_KEY, **options), "async_client": world.aclient(OWN_KEY, **options),
    }  # fmt: skip
    return HfInferenceToolkit(**clients, tasks=["text_to_video"], store=MemoryStore())


def graph(toolkit: HfInferenceToolkit) -> Any:
    """A graph that runs tools."""
    made = GRAPH.StateGraph(GRAPH.MessagesState)
    made.add_node("tools", NODES.ToolNode(toolkit.get_tools()))
    made.add_edge(GRAPH.START, "tools")
    return made.compile(checkpointer=CHECKPOINTS.InMemorySaver())


def calling(name: str, **arguments: Any) -> dict[str, Any]:
    return {"messages": [AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": "c1"}])]}


def thread(name: str = "t1") -> dict[str, Any]:
    return {"configurable": {"thread_id": name}}


def last(state: dict[str, Any]) -> str:
    message = state["messages"][-1]
    assert isinstance(message, ToolMessage)
    return str(message.content)


def test_a_job_tells_the_run() -> None:
    asks = calling("hf_text_to_video", prompt="a fox")
    seen = list(graph(film()).stream(asks, thread(), stream_mode=["custom", "values"]))
    assert [each for mode, each in seen if mode == "custom"] == TOLD
    assert last(seen[-1][1]) == MP4_MADE


async def test_an_awaited_job_tells_the_run() -> None:
    asks = calling("hf_text_to_video", prompt="a fox")
    seen = [each async for each in graph(film()).astream(asks, thread(), stream_mode=["custom", "values"])]
    assert [each for mode, each in seen if mode == "custom"] == TOLD
    assert last(seen[-1][1]) == MP4_MADE


def test_your_own_function_is_told_instead() -> None:
    heard: list[Any] = []
    asks = calling("hf_text_to_video", prompt="a fox")
    seen = list(graph(film(on_progress=heard.append)).stream(asks, thread(), stream_mode="custom"))
    assert seen == []
    assert [each.state for each in heard] == ["in_queue", "in_progress", "completed"]


def test_outside_of_a_run_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(only(film()), prompt="a fox").content == MP4_MADE
    client = Tasks().client
    assert writer() is None
    assert told_progress(client, "x") is client
    monkeypatch.delitem(sys.modules, "langgraph.config")
    assert writer() is None


def test_failures_count_for_each_conversation() -> None:
    toolkit = kit("summarization", [{"summary_text": "Short."}])
    run = graph(toolkit)
    for wrong in ({"text": ""}, {}, {"words": "a"}):
        asks = calling("hf_summarization", **wrong)
        first, second, third = (last(run.invoke(asks, thread("a"))) for _ in range(3))
        assert first == second
        assert third == f"You have made this call 3 times and it failed each time: change an argument, or stop. {first}"
        assert last(run.invoke(asks, thread("b"))) == first
