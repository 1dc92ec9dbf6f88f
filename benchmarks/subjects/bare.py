"""Bare httpx, the measure of all others: one client for all calls, and the shortest code that reads the answer.

A call is `client.post(url, json=body)`, `raise_for_status()` and `json()`. A stream is `client.stream`, `iter_lines`
and `json.loads` of each event's data. Embeddings are such calls one after the other, 32 texts each. The asynchronous
client keeps up to 100 connections, as one would set it up for 100 requests in flight.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx

from benchmarks.subjects import common

BODY = {"model": "m", "messages": common.MESSAGES}
STREAMED = {**BODY, "stream": True, "stream_options": {"include_usage": True}}


def _client(**more: Any) -> httpx.Client:
    return httpx.Client(headers={"authorization": f"Bearer {common.KEY}"}, timeout=None, **more)


def _aclient() -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    return httpx.AsyncClient(headers={"authorization": f"Bearer {common.KEY}"}, timeout=None, limits=limits)


def classify(base: str) -> Callable[[], str]:
    client = _client()

    def work() -> str:
        response = client.post(f"{base}/models/x", json={"inputs": common.TEXT})
        response.raise_for_status()
        return str(response.json()[0][0]["label"])

    return work


def aclassify(base: str) -> Callable[[], Awaitable[str]]:
    client = _aclient()

    async def work() -> str:
        response = await client.post(f"{base}/models/x", json={"inputs": common.TEXT})
        response.raise_for_status()
        return str(response.json()[0][0]["label"])

    return work


def chat(base: str) -> Callable[[], str]:
    client = _client()

    def work() -> str:
        response = client.post(f"{base}/v1/chat/completions", json=BODY)
        response.raise_for_status()
        return str(response.json()["choices"][0]["message"]["content"])

    return work


def achat(base: str) -> Callable[[], Awaitable[str]]:
    client = _aclient()

    async def work() -> str:
        response = await client.post(f"{base}/v1/chat/completions", json=BODY)
        response.raise_for_status()
        return str(response.json()["choices"][0]["message"]["content"])

    return work


def _delta(line: str) -> dict[str, Any]:
    """What an event of a chat brings; nothing for blank lines, the last one and the one with the usage."""
    if not line.startswith("data: ") or line == "data: [DONE]":
        return {}
    choices = json.loads(line[6:])["choices"]
    delta: dict[str, Any] = choices[0]["delta"] if choices else {}
    return delta


def stream(base: str) -> Callable[[], common.Seen]:
    client = _client()

    def texts() -> Iterator[str]:
        with client.stream("POST", f"{base}/v1/chat/completions", json=STREAMED) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                yield _delta(line).get("content") or ""

    return lambda: common.drained(texts())


def astream(base: str) -> Callable[[], Awaitable[common.Seen]]:
    client = _aclient()

    async def texts() -> AsyncIterator[str]:
        async with client.stream("POST", f"{base}/v1/chat/completions", json=STREAMED) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                yield _delta(line).get("content") or ""

    return lambda: common.adrained(texts())


def tools(base: str) -> Callable[[], int]:
    client = _client()

    def work() -> int:
        parts: list[str] = []
        with client.stream("POST", f"{base}/v1/chat/completions", json=STREAMED) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                parts += [call["function"]["arguments"] for call in _delta(line).get("tool_calls", ())]
        return len(json.loads("".join(parts))["city"])

    return work


def tgi(base: str) -> Callable[[], common.Seen]:
    client = _client()

    def texts() -> Iterator[str]:
        with client.stream("POST", f"{base}/tgi", json={"inputs": common.TEXT, "stream": True}) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                yield json.loads(line[5:])["token"]["text"] if line.startswith("data:") else ""

    return lambda: common.drained(texts())


def embed(base: str) -> Callable[[int], tuple[int, float]]:
    client = _client()

    def work(count: int) -> tuple[int, float]:
        found: list[list[float]] = []
        texts = common.documents(count)
        for start in range(0, count, common.BATCH):
            response = client.post(f"{base}/embed", json={"inputs": texts[start : start + common.BATCH]})
            response.raise_for_status()
            found += response.json()
        return common.summed(found)

    return work


def upload(base: str) -> Callable[[], str]:
    client = _client()

    def work() -> str:
        response = client.post(f"{base}/models/x", content=common.PICTURE, headers={"content-type": "image/png"})
        response.raise_for_status()
        return str(response.json()[0]["label"])

    return work


def download(base: str) -> Callable[[], int]:
    client = _client()

    def work() -> int:
        response = client.post(f"{base}/picture", json={"inputs": common.TEXT}, headers={"accept": "image/png"})
        response.raise_for_status()
        return len(response.content)

    return work
