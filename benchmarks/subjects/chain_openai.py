"""langchain-openai, whose objects are given the server's address."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.subjects import chains, common

made: Any = importlib.import_module("langchain_openai")


def _model(base: str) -> Any:
    return made.ChatOpenAI(model="m", base_url=f"{base}/v1", api_key=common.KEY, stream_usage=True)


def chat(base: str) -> Callable[[], str]:
    return chains.invoking(_model(base))


def achat(base: str) -> Callable[[], Awaitable[str]]:
    return chains.ainvoking(_model(base))


def stream(base: str) -> Callable[[], common.Seen]:
    return chains.streaming(_model(base))


def astream(base: str) -> Callable[[], Awaitable[common.Seen]]:
    return chains.astreaming(_model(base))


def tools(base: str) -> Callable[[], int]:
    return chains.calling(_model(base))


def _embeddings(base: str, **more: Any) -> Callable[[int], tuple[int, float]]:
    about = {"model": "m", "base_url": f"{base}/v1", "api_key": common.KEY, "check_embedding_ctx_length": False}
    model = made.OpenAIEmbeddings(**about, **more)
    return lambda count: common.summed(model.embed_documents(common.documents(count)))


def embed(base: str) -> Callable[[int], tuple[int, float]]:
    """With the server's limit as `chunk_size`."""
    return _embeddings(base, chunk_size=common.BATCH)


def embed_as_is(base: str) -> Callable[[int], tuple[int, float]]:
    """As its users write it."""
    return _embeddings(base)
