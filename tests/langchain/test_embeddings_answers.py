"""What comes back from a server of vectors: exactly one for each text, or an error that says what was wrong where."""

from __future__ import annotations

import math
import pickle
from typing import Any

import httpx
import pytest
from langchain_core.exceptions import ModelAPIError

from hf_tools.errors import InputError, ShapeError
from langchain_hf_tools import HfInferenceEmbeddings
from tests.langchain.vector_server import VectorServer


def test_features_of_tokens_are_pooled_where_it_is_said_how() -> None:
    def answers(body: Any) -> Any:
        return [[[[1.0, 2.0], [3.0, 4.0]]]] * len(body["inputs"])

    fields: dict[str, Any] = {"model": "org/model", "provider": "hf-inference", **VectorServer(answers=answers).clients}
    said = "these are features of tokens, and how to pool them is not given"
    with pytest.raises(InputError, match=f"{said}; this is texts 0 to 1, counted from 0") as caught:
        HfInferenceEmbeddings(**fields, batch_size=2, max_concurrency=1).embed_documents(["a", "b", "c", "d"])
    assert caught.value.hint == 'Give the model `pooling="mean"` or `pooling="cls"`, whichever it was trained for'
    assert (caught.value.task, caught.value.model) == ("feature-extraction", "org/model")
    with pytest.raises(InputError, match=f"{said} .task feature-extraction"):
        HfInferenceEmbeddings(**fields).embed_query("a")
    assert HfInferenceEmbeddings(**fields, pooling="mean").embed_documents(["a", "b"]) == [[2.0, 3.0]] * 2
    assert HfInferenceEmbeddings(**fields, pooling="cls", normalize=True).embed_query("a") == pytest.approx(
        [1 / math.sqrt(5), 2 / math.sqrt(5)]
    )


WRONG: list[tuple[Any, str]] = [
    (
        [[1.0, 2.0]],
        r"of the shape \(1, 2\) came; the server did not tell which are missing; this is texts 2 to 3",
    ),
    ([[1.0, 2.0]] * 3, r"2 texts were sent, and features of the shape \(3, 2\) came; this is texts 2 to 3"),
    ([None, [1.0, 2.0]], r"the answer has null instead of a vector at \[0\]; .* counted from 0, and 2 is missing"),
    ([None, None], r"the answer has null instead of a vector at \[0, 1\]; .* counted from 0, and 2, 3 are missing"),
    ({"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": None}]}, r"a vector at \[1\];.* and 3 is"),
    ([[1.0, 2.0], [1.0]], "vector 3 has 1 numbers, vector 2 has 2; this is texts 2 to 3"),
    ([[1.0, 2.0], [1.0, None]], "vector 3 holds nan or an infinite number; this is texts 2 to 3"),
    ([[1.0], [2.0]], "the vectors have 1 numbers, and 2 were asked for; this is texts 2 to 3"),
    ({"data": [{"index": 1, "embedding": [1.0, 2.0]}]}, "those at .1.; this is texts 2 to 3, .* 0, and 2 is missing"),
]


@pytest.mark.parametrize(("answer", "said"), WRONG)
async def test_wrong_vectors_are_an_error_that_names_the_text(answer: Any, said: str) -> None:
    server = VectorServer(answers=lambda body: answer if "c" in body["inputs"] else [[1.0, 2.0]] * 2)
    model = HfInferenceEmbeddings(
        provider="hf-inference", model="org/model", **server.clients, batch_size=2, dimensions=2
    )
    for error in (ShapeError, ModelAPIError):
        with pytest.raises(error, match=said):
            model.embed_documents(["a", "b", "c", "d"])
        with pytest.raises(error, match=said):
            await model.aembed_documents(["a", "b", "c", "d"])


def test_an_answer_without_numbers_in_one_of_the_calls() -> None:
    server = VectorServer(answers=lambda _: httpx.Response(200, json=[]))
    with pytest.raises(ShapeError, match="the answer holds no features; this is text 0, counted from 0"):
        HfInferenceEmbeddings(**server.fields).embed_documents(["1"])


@pytest.mark.parametrize("answer", [[[1.0]], [[1.0], [2.0]], {"error": "boom"}])
async def test_an_error_keeps_where_it_came_from(answer: Any) -> None:
    reply = httpx.Response(200, headers={"x-request-id": "r1"}, json=answer)
    model = HfInferenceEmbeddings(**VectorServer(answers=lambda _: reply).fields, dimensions=2, batch_size=2)
    for error in (await failed(model), pickle.loads(pickle.dumps(await failed(model)))):
        assert (error.task, error.url) == ("feature-extraction", "http://127.0.0.1:9/embed")
        assert (error.status, error.request_id, error.body) == (200, "r1", reply.content)
        assert error.headers["x-request-id"] == "r1"
        assert error.args == (error.message,)
        assert error.message.endswith("; this is texts 0 to 1, counted from 0")


async def failed(model: HfInferenceEmbeddings) -> Any:
    with pytest.raises(ModelAPIError) as caught:
        await model.aembed_documents(["a", "b"])
    return caught.value
