"""The fields of embeddings: what each sends or does, progress, caches, and copies."""

from __future__ import annotations

import asyncio
import copy
import inspect
import logging
import pickle
import sys
from typing import Any

import pytest
from langchain_core.exceptions import ModelInvalidRequestError
from pydantic import SecretStr

from hf_tools.errors import InputError, MissingExtra
from hf_tools.task import build
from hf_tools.tasks.embedding import FeatureExtraction
from langchain_hf_tools import HfInferenceEmbeddings
from tests.langchain.vector_server import VectorServer

SHARED: dict[str, Any] = {
    "truncate": True,
    "truncation_direction": "left",
    "dimensions": 2,
    "encoding_format": "base64",
}
OPENAI: dict[str, Any] = {"base_url": "http://127.0.0.1:9/v1", "server": "openai", "model": "org/model"}


def any_(value: object) -> Any:
    return value


def openai(vectors: Any) -> VectorServer:
    """A server that gives these vectors in OpenAI's form."""
    return VectorServer(answers=lambda _: {"data": [{"index": at, "embedding": v} for at, v in enumerate(vectors)]})


def test_the_fields_are_those_of_the_task() -> None:
    build(FeatureExtraction)
    task, model = inspect.signature(FeatureExtraction).parameters, HfInferenceEmbeddings.model_fields
    left = {"text", "prompt_name", "model"}
    assert task.keys() - model.keys() == left - {"model"}
    for name in task.keys() - left:
        assert HfInferenceEmbeddings.__annotations__[name] == task[name].annotation
        assert model[name].default == task[name].default


async def test_every_field_goes_to_the_server() -> None:
    server = VectorServer(answers=lambda _: [[3.0, 4.0]])
    fields: dict[str, Any] = {**SHARED, "normalize": False, "query_prompt": "q: ", "document_prompt_name": "passage"}
    model = HfInferenceEmbeddings(model="org/model", provider="hf-inference", **server.clients, **fields)
    assert model.embed_query("7") == await model.aembed_query("7") == [3.0, 4.0]
    assert model.embed_documents(["7"]) == await model.aembed_documents(["7"]) == [[3.0, 4.0]]
    sent = {**SHARED, "normalize": False}
    assert server.bodies[:2] == [{"inputs": ["q: 7"], **sent}] * 2
    assert server.bodies[2:] == [{"inputs": ["7"], "prompt_name": "passage", **sent}] * 2
    assert server.paths == ["/hf-inference/models/org/model/pipeline/feature-extraction"] * 4


def test_prompts_for_documents_and_names_for_queries() -> None:
    server = VectorServer()
    model = HfInferenceEmbeddings(**server.fields, query_prompt_name="query", document_prompt="passage: ")
    model.embed_query("7")
    model.embed_documents(["8"])
    assert server.bodies == [{"inputs": ["7"], "prompt_name": "query"}, {"inputs": ["passage: 8"]}]
    assert server.paths == ["/embed"] * 2


@pytest.mark.parametrize("kind", ["query", "document"])
def test_two_prompts_are_refused(kind: str) -> None:
    given: dict[str, Any] = {f"{kind}_prompt": "x: ", f"{kind}_prompt_name": "x"}
    with pytest.raises(InputError, match=f"`{kind}_prompt` and `{kind}_prompt_name` are two ways to one end"):
        HfInferenceEmbeddings(**given)


async def test_normalize_works_with_every_server() -> None:
    server = openai([[3.0, 4.0], [0.0, 0.0]])
    model = HfInferenceEmbeddings(**OPENAI, **server.clients, normalize=True)
    assert model.embed_documents(["a", "b"]) == [[0.6, 0.8], [0.0, 0.0]]
    assert await model.aembed_documents(["a", "b"]) == [[0.6, 0.8], [0.0, 0.0]]
    assert server.bodies[0] == {"model": "org/model", "input": ["a", "b"]}


def test_what_a_server_cannot_carry_is_refused_by_name() -> None:
    server = openai([[1.0]])
    model = HfInferenceEmbeddings(**OPENAI, **server.clients, normalize=False)
    with pytest.raises(InputError, match="an OpenAI-shaped server cannot carry `normalize`") as caught:
        model.embed_documents(["a"])
    assert isinstance(caught.value, ModelInvalidRequestError)
    assert "text 0" not in str(caught.value)
    assert server.bodies == []


def test_vectors_in_base64() -> None:
    server = openai(["AACAPwAAAMA="])
    model = HfInferenceEmbeddings(**OPENAI, **server.clients, encoding_format="base64", dimensions=2)
    assert model.embed_query("a") == [1.0, -2.0]
    assert server.bodies == [{"model": "org/model", "input": ["a"], "dimensions": 2, "encoding_format": "base64"}]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ("abc", "`texts` must be a list of texts, got str"),
        (5, "`texts` must be a list of texts, got int"),
        (["a", 5], r"`texts\[1\]` is no text but int"),
        (["a", "b", " "], r"`texts\[2\]` must not be empty"),
        (["a", "b\ud800"], r"`texts\[1\]` has half a character, '.ud800', at place 1, counted from 0: no JSON can"),
        (["a", None], r"`texts\[1\]` is no text but NoneType"),
    ],
)
async def test_wrong_texts_are_refused(texts: Any, said: str) -> None:
    server = VectorServer()
    model = HfInferenceEmbeddings(**server.fields)
    for error in (InputError, ModelInvalidRequestError):
        with pytest.raises(error, match=said):
            model.embed_documents(texts)
        with pytest.raises(error, match=said):
            await model.aembed_documents(texts)
        with pytest.raises(error, match=said):
            next(model.embed_iter(texts))
        with pytest.raises(error, match=said):
            await anext(model.aembed_iter(texts))
    for query in ("", 5):
        with pytest.raises(InputError, match=r"`text` (must not be empty|is no text but int)"):
            model.embed_query(any_(query))
        with pytest.raises(InputError, match=r"`text` (must not be empty|is no text but int)"):
            await model.aembed_query(any_(query))
    assert server.bodies == []


async def test_progress_is_told_after_each_batch() -> None:
    told: list[tuple[int, int | None]] = []
    server = VectorServer()

    def hook(done: int, total: int | None) -> None:
        told.append((done, total))

    model = HfInferenceEmbeddings(**server.fields, batch_size=2, show_progress=hook)
    model.embed_documents(["1", "2", "3"])
    await model.aembed_documents(["1", "2", "3"])
    assert [*model.embed_iter(iter(["1"]))] == [[1.0, 1.0]]
    model.embed_query("1")
    assert told == [(2, 3), (3, 3), (2, 3), (3, 3), (1, None)]


def test_a_progress_hook_that_fails_loses_no_vectors(caplog: pytest.LogCaptureFixture) -> None:
    def hook(done: int, total: int | None) -> None:
        raise RuntimeError("no terminal")

    model = HfInferenceEmbeddings(**VectorServer().fields, batch_size=1, show_progress=hook)
    with caplog.at_level(logging.WARNING, "langchain_hf_tools"):
        assert len(model.embed_documents(["1", "2", "3"])) == 3
    assert [record.getMessage() for record in caplog.records] == [
        "the progress hook failed and is not called again in this call"
    ]


def test_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    server = VectorServer()
    model = HfInferenceEmbeddings(**server.fields, show_progress=True)
    model.embed_documents(["1", "2", "3"])
    assert "3/3" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(MissingExtra, match="`show_progress` = True needs tqdm: pip install tqdm"):
        model.embed_documents(["1"])
    assert len(server.bodies) == 1


def test_the_name_for_a_cache_tells_vectors_apart() -> None:
    changes: list[dict[str, Any]] = [
        {"model": "org/other"}, {"base_url": "http://127.0.0.1:1"}, {"document_prompt": "passage: "}, {"dimensions": 3},
        {"document_prompt_name": "passage"}, {"normalize": True}, {"truncate": True}, {"pooling": "cls"},
        {"base_url": "http://127.0.0.1:1?a=b"}, {"base_url": "http://127.0.0.1:1?a=c"},
    ]  # fmt: skip
    made = [HfInferenceEmbeddings(api_key=SecretStr("hf_test")).model_copy(update=each) for each in ({}, *changes)]
    names = [each.cache_namespace for each in made]
    assert len({*names}) == 11
    assert all(name.removeprefix("hf-inference-").isalnum() for name in names)
    same: list[dict[str, Any]] = [
        {"api_key": "hf_other"}, {"batch_size": 5}, {"query_prompt": "query: "}, {"timeout": 5.0},
        {"encoding_format": "base64"},
    ]  # fmt: skip
    for change in same:
        assert made[0].model_copy(update=change).cache_namespace == names[0]
    there: list[dict[str, Any]] = [{"base_url": "http://127.0.0.1:1/"}, {"model": "http://127.0.0.1:1/"}]
    assert {HfInferenceEmbeddings(**fields).cache_namespace for fields in there} == {
        HfInferenceEmbeddings(base_url="http://127.0.0.1:1").cache_namespace
    }


def test_copies_keep_the_fields_and_what_was_learned() -> None:
    server = VectorServer(limit=2)
    model = HfInferenceEmbeddings(**server.fields, api_key=SecretStr("hf_test"), batch_size=4, query_prompt="q: ")
    model.embed_documents(["1", "2", "3"])
    server.bodies.clear()
    model.model_copy(update={"query_prompt": None}).embed_documents(["1", "2", "3"])
    assert server.sizes == [2, 1]
    for twin in (copy.deepcopy(model), model.model_copy(deep=True)):
        assert twin.embed_documents(["1", "2", "3"])[2] == [3.0, 1.0]
    plain = HfInferenceEmbeddings(query_prompt="q: ", api_key=SecretStr("hf_test"))
    for twin in (pickle.loads(pickle.dumps(plain)), copy.deepcopy(plain)):
        assert (twin.query_prompt, "hf_test" in repr(twin)) == ("q: ", False)


def test_several_event_loops() -> None:
    model = HfInferenceEmbeddings(**VectorServer().fields, batch_size=2)
    for _ in range(3):
        assert asyncio.run(model.aembed_documents(["1", "2", "3"])) == [[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]]
