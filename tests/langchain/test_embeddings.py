"""Embeddings: batches, their order, and one vector for each text or an error."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import httpx
import pytest

from hf_tools.errors import InputError, ShapeError
from langchain_hf_tools import HfInferenceEmbeddings


def embeddings(answer: Any = None, **fields: Any) -> tuple[HfInferenceEmbeddings, list[int]]:
    """Embeddings whose server gives `[number, 1]` for the text of a number, and the sizes of the batches sent."""
    sizes: list[int] = []

    def handle(request: httpx.Request) -> httpx.Response:
        texts = json.loads(request.content)["inputs"]
        sizes.append(len(texts))
        return httpx.Response(200, json=[[float(text), 1.0] for text in texts] if answer is None else answer)

    http: dict[str, Any] = {
        "http_client": httpx.Client(transport=httpx.MockTransport(handle)),
        "http_async_client": httpx.AsyncClient(transport=httpx.MockTransport(handle)),
    }
    return HfInferenceEmbeddings(model="org/model", provider="hf-inference", **http, **fields), sizes


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (32, [32]), (33, [32, 1]), (100, [32, 32, 32, 4])])
async def test_documents_go_in_batches_and_come_in_order(count: int, sizes: list[int]) -> None:
    model, sent = embeddings()
    vectors = [[float(number), 1.0] for number in range(count)]
    texts = [str(number) for number in range(count)]
    assert model.embed_documents(texts) == vectors
    assert await model.aembed_documents(texts) == vectors
    assert sent == sizes * 2


async def test_a_query() -> None:
    model, _ = embeddings()
    assert model.embed_query("7") == [7.0, 1.0]
    assert await model.aembed_query("8") == [8.0, 1.0]


def test_the_size_of_a_batch() -> None:
    model, sent = embeddings(batch_size=2)
    model.embed_documents(["1", "2", "3"])
    assert sent == [2, 1]
    with pytest.raises(InputError, match="`batch_size` = 0: Input should be greater than 0"):
        embeddings(batch_size=0)
    model.batch_size = 0
    with pytest.raises(InputError, match="`batch_size` = 0: must be above 0"):
        model.embed_documents(["1"])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ([[1.0, 2.0]], ShapeError),
        ([[1.0, 2.0], [1.0]], ShapeError),
        ([[1.0, 2.0], [1.0, None]], ShapeError),
        ([[[1.0], [2.0]], [[1.0], [2.0]]], InputError),
    ],
)
async def test_anything_but_one_vector_a_text_is_an_error(answer: Any, error: type[Exception]) -> None:
    model, _ = embeddings(answer)
    with pytest.raises(error):
        model.embed_documents(["1", "2"])
    with pytest.raises(error):
        await model.aembed_documents(["1", "2"])


def test_an_empty_text_is_refused() -> None:
    model, sent = embeddings()
    with pytest.raises(InputError, match="must not be empty"):
        model.embed_documents(["1", " "])
    assert sent == []


def test_the_embedded_backend() -> None:
    model = HfInferenceEmbeddings(provider="local")
    cat, kitten, stone = model.embed_documents(["a cat", "a kitten", "granite"])
    assert len(cat) == 384
    assert math.dist(cat, kitten) < math.dist(cat, stone)
    for _ in range(2):
        assert asyncio.run(model.aembed_query("a cat")) == pytest.approx(cat, abs=1e-6)
