"""Batches of embeddings: how many at once, in which order, and what happens where the server finds one too large."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from langchain_core.exceptions import ModelAPIError, ModelInvalidRequestError

from hf_tools.errors import InvalidRequest, ServerError, ShapeError
from langchain_hf_tools import HfInferenceEmbeddings
from langchain_hf_tools._calls import batches
from tests.langchain.vector_server import VectorServer, number

Embed = Callable[[HfInferenceEmbeddings, list[str]], list[list[float]]]
EMBED: list[Embed] = [
    lambda model, texts: model.embed_documents(texts),
    lambda model, texts: asyncio.run(model.aembed_documents(texts)),
    lambda model, texts: [*model.embed_iter(iter(texts))],
    lambda model, texts: asyncio.run(collected(model, texts)),
]
both = pytest.mark.parametrize("embed", EMBED, ids=["sync", "async", "iter", "aiter"])
REFUSALS = [
    (413, "Failed to buffer the request body: length limit exceeded"),
    (413, ""),
    (422, ""),
    (422, '{"error": "`inputs` are too large: 20000 tokens, the maximum is 16384 tokens"}'),
    (400, '{"error": {"message": "too many inputs"}}'),
]


async def collected(model: HfInferenceEmbeddings, texts: list[str]) -> list[list[float]]:
    return [vector async for vector in model.aembed_iter(texts)]


def numbers(count: int) -> list[str]:
    return [str(place) for place in range(count)]


def vectors(count: int) -> list[list[float]]:
    return [[float(place), 1.0] for place in range(count)]


@both
def test_a_thousand_documents(embed: Embed) -> None:
    server = VectorServer(delay=0.002)
    texts = [f"{place} " + "é" * 1000 for place in range(1000)]
    assert embed(HfInferenceEmbeddings(**server.fields), texts) == vectors(1000)
    assert len(server.bodies) == math.ceil(1000 / 32)
    assert sorted(server.sizes) == [8] + [32] * 31
    assert 1 < server.most_flying <= 8


@both
@pytest.mark.parametrize(("most", "texts"), [(1, 9), (3, 20)])
def test_the_requests_in_flight_are_bounded(embed: Embed, most: int, texts: int) -> None:
    server = VectorServer(delay=0.005)
    embed(HfInferenceEmbeddings(**server.fields, batch_size=2, max_concurrency=most), numbers(texts))
    assert min(most, 2) <= server.most_flying <= most


@both
def test_batches_are_bounded_by_bytes(embed: Embed) -> None:
    server = VectorServer()
    model = HfInferenceEmbeddings(**server.fields, batch_bytes=2000, max_concurrency=1)
    texts = [*(f"{place}" + "é" * 400 for place in (1, 2, 3)), "4" + "x" * 3000, "5"]
    assert embed(model, texts) == [[float(place), 1.0] for place in range(1, 6)]
    assert server.sizes == [2, 1, 1, 1]


@pytest.mark.parametrize("text", ['0"\n\\' * 300, "0\x01" * 300, "0漢😀" * 300, "0"])
def test_a_body_is_never_larger_than_was_asked_for(text: str) -> None:
    server, prompt = VectorServer(), 'Instruct:\t"find"\n' * 20
    model = HfInferenceEmbeddings(**server.fields, batch_bytes=9000, batch_size=100, document_prompt=prompt)
    model.embed_documents([text] * 64)
    assert 5000 < server.largest <= 9000


@both
def test_the_size_that_the_server_names_is_taken_and_kept(embed: Embed) -> None:
    server = VectorServer(limit=32)
    model = HfInferenceEmbeddings(**server.fields, batch_size=100, max_concurrency=1)
    assert embed(model, numbers(150)) == vectors(150)
    assert server.sizes == [100, 32, 32, 32, 4, 32, 18]
    server.bodies.clear()
    assert embed(model, numbers(40)) == vectors(40)
    assert server.sizes == [32, 8]


@both
@pytest.mark.parametrize(("status", "body"), REFUSALS)
def test_a_batch_that_is_too_large_is_halved(embed: Embed, status: int, body: str) -> None:
    server = VectorServer(limit=5, refusal=lambda _: httpx.Response(status, text=body))
    model = HfInferenceEmbeddings(**server.fields, batch_size=16, max_concurrency=1)
    assert embed(model, numbers(20)) == vectors(20)
    assert server.sizes == [16, 8, 4, 4, 8, 4, 4, 4]
    server.bodies.clear()
    assert embed(model, numbers(16)) == vectors(16)
    assert server.sizes == [16, 8, 4, 4, 8, 4, 4]  # nothing was said that is true of other texts


def test_two_long_texts_do_not_make_short_ones_slow() -> None:
    server = VectorServer(most_bytes=100_000)
    model = HfInferenceEmbeddings(**server.fields, max_concurrency=1)
    model.embed_documents(["1" + "x" * 60_000] * 2)
    assert server.sizes == [2, 1, 1]
    server.bodies.clear()
    model.embed_documents(numbers(320))
    assert server.sizes == [32] * 10


NAMED = [
    (422, {"error": "batch size 32 > maximum allowed batch size 5", "error_type": "Validation"}),
    (422, {"detail": [{"loc": ["body", "input"], "msg": "List should have at most 5 items after validation, not 32"}]}),
    (422, {"detail": [{"loc": ["body", "inputs"], "msg": "ensure this value has at most 5 items"}]}),
    (400, {"error": "batch of 32 inputs is not supported, maximum is 5"}),
    (400, {"message": "invalid request: total number of texts must be at most 5 - received 32"}),
    (400, {"error": {"message": "batch size is invalid, it should not be larger than 5"}}),
    (400, {"error": {"message": "'$.input' is invalid. Expected an array with maximum length 5, but got 32 instead."}}),
]


@pytest.mark.parametrize(("status", "body"), NAMED)
def test_a_number_of_texts_is_understood_in_many_words(status: int, body: Any) -> None:
    server = VectorServer(limit=5, refusal=lambda _: httpx.Response(status, json=body))
    model = HfInferenceEmbeddings(**server.fields, max_concurrency=1)
    model.embed_documents(numbers(32))
    model.embed_documents(numbers(12))
    assert server.sizes == [32, 5, 5, 5, 5, 5, 5, 2, 5, 5, 2]


def test_a_size_that_was_named_is_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    server, now = VectorServer(limit=5), 1000.0
    monkeypatch.setattr(batches, "monotonic", lambda: now)
    model = HfInferenceEmbeddings(**server.fields, max_concurrency=1)
    model.embed_documents(numbers(8))
    server.limit, now = 32, 1599.0
    model.embed_documents(numbers(8))
    now = 1601.0
    model.embed_documents(numbers(8))
    assert server.sizes == [8, 5, 3, 5, 3, 8]


def test_only_the_batch_that_was_refused_is_sent_again() -> None:
    server = VectorServer(most_bytes=400)
    model = HfInferenceEmbeddings(**server.fields, batch_size=4, max_concurrency=1)
    texts = ["0", "1", "2", "3", *(f"{place} " + "x" * 150 for place in range(4, 8)), "8"]
    assert model.embed_documents(texts) == vectors(9)
    assert server.sizes == [4, 4, 2, 2, 1]


def test_threads_that_are_told_at_once_agree() -> None:
    server = VectorServer(limit=7, delay=0.002)
    model = HfInferenceEmbeddings(**server.fields)
    with ThreadPoolExecutor(10) as pool:
        assert [*pool.map(model.embed_documents, [numbers(100)] * 10)] == [vectors(100)] * 10
    server.bodies.clear()
    model.embed_documents(numbers(15))
    assert sorted(server.sizes) == [1, 7, 7]


def test_a_smaller_size_that_is_named_later_is_for_what_waits_as_well() -> None:
    def refuse(size: int) -> httpx.Response:
        said = f"batch size {size} > maximum allowed batch size {server.limit}"
        server.limit = 4
        return httpx.Response(422, json={"error": said})

    server = VectorServer(limit=8, refusal=refuse)
    HfInferenceEmbeddings(**server.fields, max_concurrency=1).embed_documents(numbers(32))
    assert server.sizes == [32, 8, *[4] * 8]


def test_what_was_learned_is_about_one_server() -> None:
    server = VectorServer(limit=2)
    model = HfInferenceEmbeddings(**server.fields, batch_size=4, max_concurrency=1)
    model.embed_documents(numbers(4))
    model.base_url, server.limit = "http://127.0.0.1:8", 32
    model.embed_documents(numbers(4))
    assert server.sizes == [4, 2, 2, 4]


@both
def test_a_text_that_is_refused_alone_is_named(embed: Embed) -> None:
    server = VectorServer(most_letters=512)
    model = HfInferenceEmbeddings(**server.fields, max_concurrency=1)
    texts = [*numbers(40), "40 " + "x" * 600, *numbers(7)]
    with pytest.raises(InvalidRequest, match=r"Given: 603; this is text 40, counted from 0") as caught:
        embed(model, texts)
    assert (isinstance(caught.value, ModelInvalidRequestError), caught.value.status) == (True, 413)
    assert len(server.bodies) < 12
    server.bodies.clear()
    embed(model, numbers(32))
    assert server.sizes == [32]  # a single long text says nothing about batches


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            httpx.Response(422, json={"error": "unknown prompt name"}),
            "unknown prompt name; this is texts 0 to 31, coun",
        ),
        (httpx.Response(400, json={"error": "Invalid token"}), "400 Invalid token; this is texts 0 to 31, counted"),
        (httpx.Response(404, json={"error": "batch too large"}), "batch too large; this is texts 0 to 31"),
        (
            httpx.Response(422, json={"error": "batch size 40 > maximum allowed batch size 0"}),
            "this is text 0, counted",
        ),
    ],
)
def test_what_no_smaller_batch_would_change(answer: httpx.Response, said: str) -> None:
    server = VectorServer(answers=lambda _: answer)
    with pytest.raises(Exception, match=said) as caught:
        HfInferenceEmbeddings(**server.fields, max_concurrency=1).embed_documents(numbers(33))
    assert isinstance(caught.value, InvalidRequest) is (answer.status_code != 404)
    assert caught.value.args == (vars(caught.value)["message"],)


@pytest.mark.parametrize("embed", EMBED[:2], ids=["sync", "async"])
def test_an_error_ends_the_call(embed: Embed) -> None:
    def answers(body: Any) -> Any:
        failed = "5" in body["inputs"]
        return httpx.Response(500, json={"error": "boom"}) if failed else [[number(text)] for text in body["inputs"]]

    server = VectorServer(delay=0.005, answers=answers)
    model = HfInferenceEmbeddings(**server.fields, batch_size=2, max_concurrency=4)
    with pytest.raises(ServerError, match="500 boom; this is texts 4 to 5, counted from 0") as caught:
        embed(model, numbers(200))
    assert isinstance(caught.value, ModelAPIError)
    assert server.settled()
    assert len(server.bodies) <= 10


def test_calls_in_the_threads_of_a_pool() -> None:
    server = VectorServer(delay=0.001)
    model = HfInferenceEmbeddings(**server.fields, batch_size=4)
    with ThreadPoolExecutor(4) as pool:
        found = [*pool.map(model.embed_documents, [numbers(64)] * 16)]
    assert found == [vectors(64)] * 16


async def test_a_cancelled_call_leaves_nothing_behind() -> None:
    server = VectorServer(delay=30)
    call = asyncio.create_task(HfInferenceEmbeddings(**server.fields, batch_size=1).aembed_documents(numbers(20)))
    while server.flying < 8:
        await asyncio.sleep(0.001)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (server.flying, server.cancelled, len(server.bodies)) == (0, 8, 8)


@both
def test_vectors_of_another_length_in_another_batch(embed: Embed) -> None:
    server = VectorServer(answers=lambda body: [[1.0] * (2 if "5" in body["inputs"] else 3)] * len(body["inputs"]))
    model = HfInferenceEmbeddings(**server.fields, batch_size=2, max_concurrency=2)
    said = r"the vector of text 4 \(counted from 0\) has 2 numbers, those before it have 3"
    with pytest.raises(ShapeError, match=said) as caught:
        embed(model, numbers(8))
    assert isinstance(caught.value, ModelAPIError)
    assert server.settled()
