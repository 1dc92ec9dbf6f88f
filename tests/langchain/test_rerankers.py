"""The reranker: which task it asks, the order of the documents, and what is refused."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import pickle
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.exceptions import ModelAPIError, ModelInvalidRequestError
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from pydantic import SecretStr

from hf_tools.errors import InputError, InvalidRequest, ShapeError
from hf_tools.task import Task, build
from hf_tools.tasks.embedding import SentenceSimilarity, TextRanking
from langchain_hf_tools.rerankers import HfInferenceReranker
from tests.langchain.vector_server import VectorServer, number

Rerank = Callable[..., list[dict[str, Any]]]
URL = "http://127.0.0.1:9"


def ranking(texts: list[str]) -> Any:
    return {"query": "q", "texts": texts}


def similarity(texts: list[str]) -> Any:
    return {"inputs": {"source_sentence": "q", "sentences": texts}}


def openai(texts: list[str]) -> Any:
    return {"model": "org/model", "query": "q", "documents": texts}


HUB = "/hf-inference/models/org/model/pipeline/sentence-similarity"
SERVERS: list[tuple[dict[str, Any], str, Callable[[list[str]], Any]]] = [
    ({"base_url": URL, "server": "tei"}, "/rerank", ranking),
    ({"base_url": URL, "server": "openai", "model": "org/model"}, "/v1/rerank", openai),
    ({"base_url": URL, "server": "toolkit"}, "/", lambda texts: {"inputs": ranking(texts)}),
    ({"model": f"{URL}/v1"}, "/v1/rerank", openai),
    ({"base_url": URL, "server": "tei", "task": "sentence-similarity"}, "/similarity", similarity),
    ({"model": "org/model"}, HUB, similarity),
]


def scored(body: Any) -> Any:
    """The number in each text as its score, in the form of the route."""
    texts = VectorServer.texts(body)
    if "sentences" in body.get("inputs", {}):
        return [number(text) for text in texts]
    ranked = sorted(
        ({"index": at, "score": number(text)} for at, text in enumerate(texts)), key=lambda each: -each["score"]
    )
    return {"results": ranked} if "documents" in body else ranked


def reranker(server: VectorServer, /, **fields: Any) -> HfInferenceReranker:
    return HfInferenceReranker(**{**server.fields, **fields})


def documents(*texts: str) -> list[Document]:
    return [Document(text, id=text, metadata={"tags": ["kept"]}) for text in texts]


@pytest.mark.parametrize(("fields", "path", "body"), SERVERS)
async def test_each_server_is_asked_in_its_own_form(fields: dict[str, Any], path: str, body: Any) -> None:
    server = VectorServer(answers=scored)

    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"data": [{"id": "org/model"}]})
        return server.handle(request)

    http: dict[str, Any] = {
        "http_client": httpx.Client(transport=httpx.MockTransport(handle)),
        "http_async_client": httpx.AsyncClient(transport=httpx.MockTransport(handle)),
    }
    model = HfInferenceReranker(**http, **fields)
    ranks = [{"index": 1, "relevance_score": 9.0}, {"index": 2, "relevance_score": 5.0}]
    assert model.rerank("q", ["1", "9", "5"], top_n=2) == ranks
    assert await model.arerank("q", ["1", "9", "5"], top_n=2) == ranks
    assert server.bodies == [body(["1", "9", "5"])] * 2
    assert server.paths == [path] * 2


async def test_documents_are_copied_with_their_scores() -> None:
    given = documents("1", "9", "5", "7")
    before = copy.deepcopy(given)
    model = reranker(VectorServer(answers=scored))
    assert isinstance(model, BaseDocumentCompressor)
    found = model.compress_documents(given, "q")
    assert found == await model.acompress_documents(tuple(given), "q")
    assert [(each.id, each.metadata) for each in found] == [
        (name, {"tags": ["kept"], "relevance_score": float(name)}) for name in ("9", "7", "5")
    ]
    found[0].metadata["tags"].append("changed")
    assert given == before


async def test_what_cannot_be_copied_is_shared() -> None:
    lock = threading.Lock()
    given = Document("1", metadata={"lock": lock, "tags": ["kept"]})
    for found in (
        reranker(VectorServer(answers=scored)).compress_documents([given], "q"),
        await reranker(VectorServer(answers=scored)).acompress_documents([given], "q"),
    ):
        assert found[0].metadata == {"lock": lock, "tags": ["kept"], "relevance_score": 1.0}
        assert found[0].metadata["tags"] is not given.metadata["tags"]


async def test_only_documents_can_be_compressed() -> None:
    server = VectorServer(answers=scored)
    wrong: Any = [Document("1"), "2"]
    for error in (InputError, ModelInvalidRequestError):
        with pytest.raises(error, match=r"`documents\[1\]` is no Document but str. Use rerank\(\) for texts"):
            reranker(server).compress_documents(wrong, "q")
        with pytest.raises(error, match=r"`documents\[1\]` is no Document but str"):
            await reranker(server).acompress_documents(wrong, "q")
    assert server.bodies == []


@pytest.mark.parametrize("task", [None, "sentence-similarity"])
def test_a_body_is_never_larger_than_was_asked_for(task: Any) -> None:
    server = VectorServer(answers=scored)
    model = reranker(server, batch_bytes=9000, batch_size=100, truncate=True, task=task)
    model.rerank('"\n' * 1000, ['0"\\\n' * 99] * 40)
    assert 7000 < server.largest <= 9000


@pytest.mark.parametrize(
    ("field", "given", "count"), [(3, ..., 3), (None, ..., 5), (3, None, 5), (None, 2, 2), (9, 1, 1)]
)
def test_how_many_are_kept(field: int | None, given: Any, count: int) -> None:
    model = reranker(VectorServer(answers=scored), top_n=field)
    assert len(model.rerank("q", ["1", "2", "3", "4", "5"], top_n=given)) == count


async def test_no_documents_need_no_request() -> None:
    server = VectorServer()
    assert reranker(server).rerank("q", []) == await reranker(server).arerank("q", []) == []
    assert reranker(server).compress_documents([], "q") == []
    assert server.bodies == []


def test_equal_scores_keep_their_order() -> None:
    found = reranker(VectorServer(answers=scored), top_n=None).rerank("q", ["1 a", "2 b", "1 c", "2 d", "1 e"])
    assert [each["index"] for each in found] == [1, 3, 0, 2, 4]


async def test_many_documents_go_in_batches() -> None:
    server = VectorServer(answers=scored, limit=10, delay=0.001)
    model = reranker(server, top_n=3)
    texts = [str(place) for place in range(200)]
    best = [{"index": place, "relevance_score": float(place)} for place in (199, 198, 197)]
    assert model.rerank("q", texts) == best
    assert 1 < server.most_flying <= 8
    server.bodies.clear()
    assert await model.arerank("q", texts) == best
    assert server.sizes == [10] * 20


def test_the_fields_are_those_of_the_tasks() -> None:
    model = HfInferenceReranker.model_fields
    kinds: list[type[Task[Any]]] = [TextRanking, SentenceSimilarity]
    for kind, left in zip(
        kinds, ({"query", "texts", "return_documents"}, {"sentence", "other_sentences"}), strict=True
    ):
        build(kind)
        task = inspect.signature(kind).parameters
        assert task.keys() - model.keys() == left
        for name in task.keys() - left - {"top_n", "model"}:
            assert (HfInferenceReranker.__annotations__[name], model[name].default) == (task[name].annotation, None)


def test_every_field_goes_to_the_server() -> None:
    server = VectorServer(answers=scored)
    cut: dict[str, Any] = {"truncate": True, "truncation_direction": "left"}
    reranker(server, raw_scores=True, **cut).rerank("q", ["1"])
    reranker(server, task="sentence-similarity", prompt_name="query", **cut).rerank("q", ["1"])
    assert server.bodies == [
        {"query": "q", "texts": ["1"], "raw_scores": True, **cut},
        {"inputs": {"source_sentence": "q", "sentences": ["1"]}, "parameters": {**cut, "prompt_name": "query"}},
    ]


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"query": " "}, "`query` must not be empty"),
    ({}, {"query": ["a"], "documents": "q"}, "`query` is no text but list"),
    ({}, {"documents": "abc"}, "`documents` must be a list of texts, got str"),
    ({}, {"documents": ["a", ""]}, r"`documents\[1\]` must not be empty"),
    ({}, {"documents": ["a", Document(" ")]}, r"`documents\[1\]` must not be empty"),
    ({}, {"top_n": 0}, "`top_n` = 0: must be a whole number above 0, or None for all"),
    ({}, {"top_n": True}, "`top_n` = True: must be a whole number"),
    ({}, {"top_n": "2"}, "`top_n` = '2': must be a whole number"),
    ({}, {"top_n": 1.5}, "`top_n` = 1.5: must be a whole number"),
    ({}, {"documents": ["a", "\ud800"]}, r"`documents\[1\]` has half a character"),
    ({"task": "sentence-similarity", "raw_scores": True}, {}, "`raw_scores` is no parameter of sentence-similarity"),
    ({"prompt_name": "query"}, {}, "`prompt_name` is no parameter of text-ranking"),
    ({"server": "toolkit", "truncate": True}, {}, "an inference-toolkit endpoint cannot carry `truncate`"),
]


@pytest.mark.parametrize(("fields", "call", "said"), REFUSED)
async def test_wrong_input_is_refused(fields: dict[str, Any], call: dict[str, Any], said: str) -> None:
    server = VectorServer(answers=scored)
    given: dict[str, Any] = {"query": "q", "documents": ["1"], **call}
    for error in (InputError, ModelInvalidRequestError):
        with pytest.raises(error, match=said):
            reranker(server, **fields).rerank(**given)
        with pytest.raises(error, match=said):
            await reranker(server, **fields).arerank(**given)
    assert server.bodies == []


def test_wrong_fields_are_refused() -> None:
    with pytest.raises(InputError, match="HfInferenceReranker: `top_n` = 0: Input should be greater than 0"):
        HfInferenceReranker(top_n=0)
    with pytest.raises(InputError, match="`task` = 'ranking': Input should be 'text-ranking' or 'sentence-similarity'"):
        reranker(VectorServer(), task="ranking")


WRONG: list[tuple[Any, str]] = [
    ([{"index": 0, "score": 1.0}], "2 texts were sent, and 1 scores came; this is documents 2 to 3, .*, and 3 is miss"),
    (
        [{"index": 0, "score": 1.0}, {"index": 1, "score": None}],
        "the score of document 3 is nan; this is documents 2 to 3",
    ),
    ([{"index": 7, "score": 1.0}], "2 texts were sent, and the answer is about those at .7.; this is documents 2 to 3"),
]


@pytest.mark.parametrize(("answer", "said"), WRONG)
async def test_wrong_scores_are_an_error_that_names_the_document(answer: Any, said: str) -> None:
    server = VectorServer(answers=lambda body: answer if "3" in body["texts"] else scored(body))
    model = reranker(server, batch_size=2)
    for error in (ShapeError, ModelAPIError):
        with pytest.raises(error, match=said):
            model.rerank("q", ["1", "2", "3", "4"])
        with pytest.raises(error, match=said) as caught:
            await model.arerank("q", ["1", "2", "3", "4"])
        assert vars(caught.value)["url"] == f"{URL}/rerank"
        assert json.loads(vars(caught.value)["body"]) == answer


def test_a_wrong_similarity_keeps_where_it_came_from() -> None:
    reply = httpx.Response(200, headers={"x-request-id": "r1"}, json=[1.0, None])
    model = reranker(VectorServer(answers=lambda _: reply), task="sentence-similarity")
    with pytest.raises(ShapeError, match="the score of document 1 is nan; this is documents 0 to 1") as caught:
        model.rerank("q", ["1", "2"])
    assert (caught.value.task, caught.value.url) == ("sentence-similarity", f"{URL}/similarity")
    assert (caught.value.request_id, caught.value.body) == ("r1", reply.content)


def test_a_refusal_is_not_followed_by_another_task() -> None:
    server = VectorServer(answers=lambda _: httpx.Response(422, json={"error": "model is not a re-ranker model"}))
    with pytest.raises(InvalidRequest, match="model is not a re-ranker model"):
        reranker(server).rerank("q", ["1"])
    assert server.paths == ["/rerank"]


async def test_a_step_of_a_chain() -> None:
    retriever = RunnableLambda[str, list[Document]](lambda _: documents("1", "9", "5"))
    chain = {"query": RunnablePassthrough[str](), "documents": retriever} | reranker(
        VectorServer(answers=scored), top_n=1
    ).as_runnable()
    assert [each.id for each in chain.invoke("q")] == ["9"]
    assert [each.id for each in await chain.ainvoke("q")] == ["9"]
    for wrong in ({"query": "q"}, "q"):
        with pytest.raises(InputError, match=r'expected .*"query": ..., "documents"'):
            reranker(VectorServer()).as_runnable().invoke(wrong)  # type: ignore[arg-type]


def test_copies_and_event_loops() -> None:
    plain = HfInferenceReranker(api_key=SecretStr("hf_test"), top_n=7)
    for twin in (pickle.loads(pickle.dumps(plain)), copy.deepcopy(plain), plain.model_copy()):
        assert (twin.top_n, "hf_test" in repr(twin)) == (7, False)
    model = reranker(VectorServer(answers=scored))
    for _ in range(3):
        assert asyncio.run(model.arerank("q", ["4"])) == [{"index": 0, "relevance_score": 4.0}]


async def test_the_embedded_backend() -> None:
    given = documents("granite", "a kitten", "a cat")
    found = HfInferenceReranker(provider="local", top_n=2).compress_documents(given, "cats")
    assert [each.id for each in found] == ["a cat", "a kitten"]
    similar = HfInferenceReranker(provider="local", task="sentence-similarity", top_n=1)
    assert [each.id for each in await similar.acompress_documents(given, "cats")] == ["a cat"]
    assert json.dumps(found[0].metadata).startswith('{"tags": ["kept"], "relevance_score": 0.')
