"""openai, whose clients are given the server's address."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from benchmarks.subjects import common

openai: Any = importlib.import_module("openai")
ASKED: dict[str, Any] = {"model": "m", "messages": common.MESSAGES}
STREAMED = {**ASKED, "stream": True, "stream_options": {"include_usage": True}}


def _client(base: str, kind: str = "OpenAI") -> Any:
    return getattr(openai, kind)(base_url=f"{base}/v1", api_key=common.KEY)


def chat(base: str) -> Callable[[], str]:
    client = _client(base)
    return lambda: str(client.chat.completions.create(**ASKED).choices[0].message.content)


def achat(base: str) -> Callable[[], Awaitable[str]]:
    client = _client(base, "AsyncOpenAI")

    async def work() -> str:
        return str((await client.chat.completions.create(**ASKED)).choices[0].message.content)

    return work


def stream(base: str) -> Callable[[], common.Seen]:
    client = _client(base)

    def texts() -> Iterator[str]:
        for part in client.chat.completions.create(**STREAMED):
            yield (part.choices[0].delta.content or "") if part.choices else ""

    return lambda: common.drained(texts())


def astream(base: str) -> Callable[[], Awaitable[common.Seen]]:
    client = _client(base, "AsyncOpenAI")

    async def texts() -> AsyncIterator[str]:
        async for part in await client.chat.completions.create(**STREAMED):
            yield (part.choices[0].delta.content or "") if part.choices else ""

    return lambda: common.adrained(texts())


def embed(base: str) -> Callable[[int], tuple[int, float]]:
    client = _client(base)

    def work(count: int) -> tuple[int, float]:
        texts, found = common.documents(count), list[list[float]]()
        for start in range(0, count, common.BATCH):
            made = client.embeddings.create(model="m", input=texts[start : start + common.BATCH])
            found += [one.embedding for one in made.data]
        return common.summed(found)

    return work
