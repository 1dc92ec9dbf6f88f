"""langchain-openai, whose objects are given the server's address."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from benchmarks.subjects import chains, common

made: Any = importlib.import_module("langchain_openai")


def _model(base: str) -> Any:
    return made.ChatOpenAI(model="m", base_url=f"{base}/v1", api_key=common.KEY, stream_usage=True)


chat, achat, stream, astream, tools = chains.of(_model)


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
