"""langchain-huggingface, whose objects are given the server's address."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from benchmarks.subjects import chains, common

made: Any = importlib.import_module("langchain_huggingface")
hub: Any = importlib.import_module("huggingface_hub")


def _model(base: str) -> Any:
    endpoint = made.HuggingFaceEndpoint(endpoint_url=f"{base}/v1", huggingfacehub_api_token=common.KEY)
    return made.ChatHuggingFace(llm=endpoint, model_id="m", stream_usage=True)


chat, achat, stream, astream, tools = chains.of(_model)


def _embeddings(base: str) -> Any:
    """It takes no address, so its client is pointed at the server."""
    model = made.HuggingFaceEndpointEmbeddings(model="m", huggingfacehub_api_token=common.KEY)
    model.client = hub.InferenceClient(model=f"{base}/embed", token=common.KEY)
    return model


def embed(base: str) -> Callable[[int], tuple[int, float]]:
    """In batches made by hand: as it is, it sends all texts in one request, which the server refuses."""
    model = _embeddings(base)

    def work(count: int) -> tuple[int, float]:
        texts, found = common.documents(count), list[list[float]]()
        for start in range(0, count, common.BATCH):
            found += model.embed_documents(texts[start : start + common.BATCH])
        return common.summed(found)

    return work


def embed_as_is(base: str) -> Callable[[int], tuple[int, float]]:
    """As its users write it."""
    model = _embeddings(base)
    return lambda count: common.summed(model.embed_documents(common.documents(count)))
