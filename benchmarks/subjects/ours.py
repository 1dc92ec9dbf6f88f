"""hf_tools with an endpoint, whose kind is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from benchmarks.subjects import common
from hf_tools import AsyncHfInferenceEndpoint, HfInferenceEndpoint
from hf_tools.task import Server


def _client(base: str, server: Server) -> HfInferenceEndpoint:
    return HfInferenceEndpoint(base, common.KEY, server=server)


def _aclient(base: str, server: Server) -> AsyncHfInferenceEndpoint:
    return AsyncHfInferenceEndpoint(base, common.KEY, server=server)


def classify(base: str) -> Callable[[], str]:
    client = _client(f"{base}/models/x", "toolkit")
    return lambda: client.text_classification(common.TEXT)[0].label


def aclassify(base: str) -> Callable[[], Awaitable[str]]:
    client = _aclient(f"{base}/models/x", "toolkit")

    async def work() -> str:
        return (await client.text_classification(common.TEXT))[0].label

    return work


def chat(base: str) -> Callable[[], str]:
    client = _client(base, "openai")
    return lambda: client.chat_completion(common.MESSAGES, model="m").text


def achat(base: str) -> Callable[[], Awaitable[str]]:
    client = _aclient(base, "openai")

    async def work() -> str:
        return (await client.chat_completion(common.MESSAGES, model="m")).text

    return work


def stream(base: str) -> Callable[[], common.Seen]:
    client = _client(base, "openai")

    def work() -> common.Seen:
        with client.chat_completion_stream(common.MESSAGES, model="m") as parts:
            return common.drained(part.text for part in parts)

    return work


def astream(base: str) -> Callable[[], Awaitable[common.Seen]]:
    client = _aclient(base, "openai")

    async def work() -> common.Seen:
        async with client.chat_completion_stream(common.MESSAGES, model="m") as parts:
            return await common.adrained(part.text async for part in parts)

    return work


def tgi(base: str) -> Callable[[], common.Seen]:
    client = _client(f"{base}/tgi", "tgi")

    def work() -> common.Seen:
        with client.text_generation_stream(common.TEXT) as parts:
            return common.drained(part.text for part in parts)

    return work


def embed(base: str) -> Callable[[int], tuple[int, float]]:
    client = _client(base, "tei")

    def work(count: int) -> tuple[int, float]:
        texts, found = common.documents(count), list[list[float]]()
        for start in range(0, count, common.BATCH):
            found += client.feature_extraction(texts[start : start + common.BATCH])
        return common.summed(found)

    return work


def upload(base: str) -> Callable[[], str]:
    client = _client(f"{base}/models/x", "toolkit")
    return lambda: client.image_classification(common.PICTURE)[0].label


def download(base: str) -> Callable[[], int]:
    client = _client(f"{base}/picture", "toolkit")
    return lambda: len(client.text_to_image(common.TEXT).data)
