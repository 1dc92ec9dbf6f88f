"""huggingface_hub, whose clients are given the server's address."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from benchmarks.subjects import common

hub: Any = importlib.import_module("huggingface_hub")
USAGE = {"include_usage": True}


def classify(base: str) -> Callable[[], str]:
    client = hub.InferenceClient(model=f"{base}/models/x", token=common.KEY)
    return lambda: str(client.text_classification(common.TEXT)[0].label)


def aclassify(base: str) -> Callable[[], Awaitable[str]]:
    client = hub.AsyncInferenceClient(model=f"{base}/models/x", token=common.KEY)

    async def work() -> str:
        return str((await client.text_classification(common.TEXT))[0].label)

    return work


def chat(base: str) -> Callable[[], str]:
    client = hub.InferenceClient(base_url=f"{base}/v1", token=common.KEY)
    return lambda: str(client.chat_completion(common.MESSAGES).choices[0].message.content)


def achat(base: str) -> Callable[[], Awaitable[str]]:
    client = hub.AsyncInferenceClient(base_url=f"{base}/v1", token=common.KEY)

    async def work() -> str:
        return str((await client.chat_completion(common.MESSAGES)).choices[0].message.content)

    return work


def stream(base: str) -> Callable[[], common.Seen]:
    client = hub.InferenceClient(base_url=f"{base}/v1", token=common.KEY)

    def texts() -> Iterator[str]:
        for part in client.chat_completion(common.MESSAGES, stream=True, stream_options=USAGE):
            yield (part.choices[0].delta.content or "") if part.choices else ""

    return lambda: common.drained(texts())


def astream(base: str) -> Callable[[], Awaitable[common.Seen]]:
    client = hub.AsyncInferenceClient(base_url=f"{base}/v1", token=common.KEY)

    async def texts() -> AsyncIterator[str]:
        async for part in await client.chat_completion(common.MESSAGES, stream=True, stream_options=USAGE):
            yield (part.choices[0].delta.content or "") if part.choices else ""

    return lambda: common.adrained(texts())


def tgi(base: str) -> Callable[[], common.Seen]:
    client = hub.InferenceClient(model=f"{base}/tgi", token=common.KEY)
    return lambda: common.drained(client.text_generation(common.TEXT, stream=True))


def embed(base: str) -> Callable[[int], tuple[int, float]]:
    client = hub.InferenceClient(model=f"{base}/embed", token=common.KEY)

    def work(count: int) -> tuple[int, float]:
        texts, found = common.documents(count), list[list[float]]()
        for start in range(0, count, common.BATCH):
            found += client.feature_extraction(texts[start : start + common.BATCH]).tolist()
        return common.summed(found)

    return work


def upload(base: str) -> Callable[[], str]:
    client = hub.InferenceClient(model=f"{base}/models/x", token=common.KEY)
    return lambda: str(client.image_classification(common.PICTURE)[0].label)


def download(base: str) -> Callable[[], int]:
    """The bytes of a sound: of a picture it makes an object of Pillow's, which costs more."""
    client = hub.InferenceClient(model=f"{base}/picture", token=common.KEY)
    return lambda: len(client.text_to_speech(common.TEXT))
