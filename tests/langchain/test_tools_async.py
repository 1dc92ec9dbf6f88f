"""Tools that are awaited: the network needs no thread, and whatever ends a call leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference
from hf_tools.media import Image, Media, MediaPolicy
from hf_tools.media.store import MediaRef, MemoryStore
from langchain_hf_tools import HfInferenceTool, HfInferenceToolkit
from langchain_hf_tools._tools import tables
from langchain_hf_tools.budgets import Budget
from tests import hub
from tests.langchain.agents import Tasks, png
from tests.langchain.conftest import Server
from tests.langchain.tool_cases import CASES, FENCE, FILES, OWN_SERVER, PICTURE, PNG, aasked, asked, kit, only

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


class Watched(MemoryStore):
    """A store that keeps in which thread it was asked, and for whom."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[bool, str]] = []

    def put(self, media: Media, *, name: str | None = None) -> MediaRef:
        self._see()
        return super().put(media, name=name)

    def get(self, handle: str) -> Media:
        self._see()
        return super().get(handle)

    def _see(self) -> None:
        self.seen.append((threading.current_thread() is threading.main_thread(), WHO.get()))


class Slow:
    """An awaited server that answers when it is told to, and keeps in which threads it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.go, self.asked = answer, asyncio.Event(), 0
        self.threads: set[bool] = set()
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.client = AsyncHfInference(token=False, model="org/model", http_client=http)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if hub.asked(request):
            return hub.answer(request)
        self.asked += 1
        self.threads.add(threading.current_thread() is threading.main_thread())
        await self.go.wait()
        return httpx.Response(200, json=self.answer)

    async def waiting(self, count: int) -> None:
        """Until so many have asked."""
        while self.asked < count:
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("task", sorted(CASES.keys() - OWN_SERVER))
async def test_awaited_is_as_called(task: str) -> None:
    case = CASES[task]
    first, second = (only(kit(task, case.answer)) for _ in range(2))
    blocking = await asyncio.to_thread(asked, first, **case.arguments)
    awaited = await aasked(second, **case.arguments)
    del blocking.artifact["timings"], awaited.artifact["timings"]
    assert awaited == blocking
    assert awaited.content == case.content


async def test_the_network_needs_no_thread_and_the_store_has_one() -> None:
    store = Watched()
    store.put(Image(png()), name="cat.png")
    store.seen.clear()
    server = Slow([{"generated_text": "word " * 900}])
    server.go.set()
    tool = only(HfInferenceToolkit(async_client=server.client, store=store, tasks=["image_to_text"]))
    WHO.set("me")
    assert (await aasked(tool, **PICTURE)).status == "success"
    assert server.threads == {True}
    assert store.seen == [(False, "me")] * 2


@pytest.mark.parametrize(
    ("task", "arguments", "answer"),
    [
        ("table_question_answering", {"table": "cities.csv", "query": "Where?"}, {"answer": "Oslo"}),
        ("search_texts", {"source": "cities.csv", "query": "Where?"}, [0.1, 0.2]),
    ],
)
async def test_a_large_table_is_read_in_a_thread(
    task: str, arguments: dict[str, Any], answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def watched(text: str) -> list[list[str]]:
        seen.append(threading.current_thread() is threading.main_thread())
        return read(text)

    read = tables.rows
    monkeypatch.setattr(tables, "rows", watched)
    toolkit = HfInferenceToolkit(**Server(answer).both, tasks=[task])
    toolkit.add_media(FILES["cities.csv"], name="cities.csv")
    assert (await aasked(only(toolkit), **arguments)).status == "success"
    assert set(seen) == {False}


async def test_calls_at_once_wait_together() -> None:
    server = Slow([{"summary_text": "Short."}])
    toolkit = HfInferenceToolkit(async_client=server.client, tasks=["summarization"])
    calls = [asyncio.create_task(aasked(only(toolkit), text=f"{number}")) for number in range(50)]
    await server.waiting(50)
    server.go.set()
    assert [(await call).content for call in calls] == ["Short."] * 50
    assert toolkit.usage.calls == Counter(hf_summarization=50)


async def test_a_call_that_is_cancelled() -> None:
    server = Slow([{"summary_text": "Short."}])
    toolkit = HfInferenceToolkit(async_client=server.client, tasks=["summarization"], budget=Budget(2))
    tool = only(toolkit)
    call = asyncio.create_task(aasked(tool, text="Long."))
    await server.waiting(1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    # what was sent may be charged: it stays counted, as one that failed
    assert (toolkit.usage.calls, toolkit.usage.failures) == (Counter(hf_summarization=1), Counter(hf_summarization=1))
    server.go.set()
    assert (await aasked(tool, text="Long.")).content == "Short."
    assert "the budget of 2 calls is used up" in str((await aasked(tool, text="Long.")).content)


async def test_a_cancelled_call_is_no_failure_of_the_model() -> None:
    server = Slow([{"summary_text": "Short."}])
    tool = only(HfInferenceToolkit(async_client=server.client, tasks=["summarization"]))
    for number in range(3):
        call = asyncio.create_task(aasked(tool, text="Long."))
        await server.waiting(number + 1)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    server.go.set()
    server.answer = {"surprise": 1}
    assert str((await aasked(tool, text="Long.")).content).startswith("The tool cannot be used: the server's answer")


def test_a_call_that_is_interrupted() -> None:
    def stop(request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    hf = HfInference(token=False, model="org/m", http_client=httpx.Client(transport=httpx.MockTransport(stop)))
    toolkit = HfInferenceToolkit(hf, tasks=["summarization"])
    with pytest.raises(KeyboardInterrupt):
        asked(only(toolkit), text="Long.")
    assert toolkit.usage.failures.total() == 1


def test_one_tool_in_several_loops() -> None:
    with HfInference(provider="local") as hf:
        tool = HfInferenceTool("feature_extraction", hf)
        contents = [asyncio.run(aasked(tool, text="a")).content for _ in range(3)]
    assert contents == ["Vectors of the shape [1, 384]: not shown, they are in the artifact."] * 3


async def test_files_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    options: dict[str, Any] = {"tasks": ["image_to_text"], "media": MediaPolicy(roots=[tmp_path])}
    tool = only(Tasks(image_to_text=[{"generated_text": "a cat"}]).toolkit(**options))
    first, second = asked(tool, image="cat.png"), await aasked(tool, image="cat.png")
    assert first.content == second.content == FENCE.format("picture", "a cat")
    gone = await aasked(tool, image="dog.png")
    assert str(gone.content).startswith("`image`: ")
    assert gone.content == asked(tool, image="dog.png").content


async def test_previews_are_made_in_a_thread() -> None:
    toolkit = Tasks(text_to_image=PNG).toolkit(tasks=["text_to_image"], previews=True, store=Watched())
    message = await aasked(only(toolkit), prompt="a cat")
    assert [each["type"] for each in message.content_blocks] == ["text", "image"]
    store: Any = toolkit.store
    assert store.seen == [(False, "nobody")]
