"""Reranking: documents in the order in which they fit a query."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Any, Literal

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.runnables import Runnable, RunnableLambda

from hf_tools.errors import InputError, ShapeError
from hf_tools.inputs import Direction, Positive
from hf_tools.providers import is_url
from hf_tools.task import Task
from hf_tools.tasks.embedding import SentenceSimilarity, TextRanking
from langchain_hf_tools._calls.batches import Batch, Batching, asent, awaited, checked, iterable, sent
from langchain_hf_tools._calls.fields import task_fields
from langchain_hf_tools._calls.ordered import aordered, ordered
from langchain_hf_tools.errors import model_errors

Texts = Sequence[str | Document]
Ranks = list[dict[str, Any]]
TASKS: dict[str, type[Any]] = {"text-ranking": TextRanking, "sentence-similarity": SentenceSimilarity}


class HfInferenceReranker(Batching, BaseDocumentCompressor):
    """Documents in the order in which they fit a query, the best first.

        reranker = HfInferenceReranker(base_url="http://127.0.0.1:8080", top_n=5)     # TEI /rerank, vLLM, toolkit
        HfInferenceReranker(provider="local").compress_documents(documents, "what is a fox?")
        ContextualCompressionRetriever(base_compressor=reranker, base_retriever=retriever)
        chain = {"query": RunnablePassthrough(), "documents": retriever} | reranker.as_runnable()

    What comes back are copies with `metadata["relevance_score"]`; documents that fit equally well keep their order.
    The scores' range depends on the model. Raises an HfError, also where a document got no score or one that is no
    number, and for an empty text.
    """

    top_n: Positive | None = 3
    """Documents that are kept, None for all; 3 is also what LangChain's own rerankers keep."""
    task: Literal["text-ranking", "sentence-similarity"] | None = None
    """How documents are scored. Without it by text-ranking, or by sentence-similarity on hf-inference, which serves
    nothing else; an endpoint with an embedding model needs "sentence-similarity"."""
    raw_scores: bool | None = None
    """Give the model's outputs as they are; text-ranking on TEI servers only."""
    truncate: bool | None = None
    """Cut a text that is too long for the model; TEI servers only."""
    truncation_direction: Direction | None = None
    """The end at which a text is cut; TEI servers only."""
    prompt_name: str | None = None
    """Put this prompt of the model's configuration before each text; sentence-similarity on TEI servers only."""

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> list[Document]:
        """Copies of the best documents, the best first, with their scores; raises an HfError."""
        with model_errors():
            given = [*iterable(documents, "documents")]
            return _copies(given, self.rerank(query, given))

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> list[Document]:
        """The same, awaited."""
        with model_errors():
            given = [*iterable(documents, "documents")]
            return _copies(given, await self.arerank(query, given))

    def rerank(self, query: str, documents: Texts, *, top_n: int | EllipsisType | None = ...) -> Ranks:
        """`{"index", "relevance_score"}` of the best documents, the best first; `index` counts from 0.

        `top_n` stands in the place of the field for this call, None for all. Raises an HfError.
        """
        with model_errors():
            most, texts = self._kept(top_n), _texts(query, documents)
            client = self._clients.blocking

            def send(batch: Batch) -> list[float]:
                return _scores(batch, client.run(self._task(query, batch)))

            def work(batch: Batch) -> list[float]:
                return sent(self._through(batch, "document"), send)

            found = ordered(self._cut(texts, "documents"), work, at_once=self._at_once())
            return _best([score for scores in found for score in scores], most)

    async def arerank(self, query: str, documents: Texts, *, top_n: int | EllipsisType | None = ...) -> Ranks:
        """The same, awaited."""
        with model_errors():
            most, texts = self._kept(top_n), _texts(query, documents)
            client = self._clients.awaiting

            async def send(batch: Batch) -> list[float]:
                return _scores(batch, await client.run(self._task(query, batch)))

            async def work(batch: Batch) -> list[float]:
                return await asent(self._through(batch, "document"), send)

            found = aordered(self._acut(awaited(texts), "documents"), work, at_once=self._at_once())
            return _best([score async for scores in found for score in scores], most)

    def as_runnable(self) -> Runnable[Mapping[str, Any], list[Document]]:
        """A step of a chain: takes `{"query": ..., "documents": [...]}`, gives the best documents."""

        def rank(given: Mapping[str, Any]) -> list[Document]:
            return self.compress_documents(**_named(given))

        async def arank(given: Mapping[str, Any]) -> list[Document]:
            return await self.acompress_documents(**_named(given))

        return RunnableLambda(rank, arank, name=type(self).__name__)

    def _kept(self, top_n: int | EllipsisType | None) -> int | None:
        found = self.top_n if isinstance(top_n, EllipsisType) else top_n
        if found is not None and found < 1:
            raise InputError(f"`top_n` = {found}: must be above 0, or None for all")
        return found

    def _task(self, query: str, batch: Batch) -> Task[Any]:
        """The request for some documents; InputError for a field that this kind of request does not have."""
        anywhere = self.base_url is not None or self.provider == "local" or is_url(self.model)
        kind = TASKS[self.task or ("text-ranking" if anywhere else "sentence-similarity")]
        given = task_fields(self, kind)
        for name in ("raw_scores", "prompt_name"):
            if getattr(self, name) is not None and name not in given:
                raise InputError(f"`{name}` is no parameter of {kind.name}")
        given.pop("top_n", None)  # the best of a batch are not the best of all
        made: Task[Any] = kind(query, batch.texts, **given)
        return made


def _texts(query: str, documents: Texts) -> list[str]:
    """The documents' texts, checked before anything is sent, with the query."""
    checked(query, "query")
    texts = [each.page_content if isinstance(each, Document) else each for each in iterable(documents, "documents")]
    return [checked(text, f"documents[{place}]") for place, text in enumerate(texts)]


def _scores(batch: Batch, answer: list[Any]) -> list[float]:
    """The scores in the order of the documents; ShapeError where one is missing or no number."""
    by_place = {getattr(each, "index", place): getattr(each, "score", each) for place, each in enumerate(answer)}
    places = range(len(batch.texts))
    if missing := [place for place in places if place not in by_place]:
        raise ShapeError(f"{len(places)} texts were sent, and {len(by_place)} scores came", missing=missing)
    for place in places:
        if not math.isfinite(by_place[place]):
            raise ShapeError(f"the score of document {batch.start + place} is {by_place[place]}")
    return [by_place[place] for place in places]


def _best(scores: list[float], most: int | None) -> Ranks:
    """The best places; those with equal scores keep their order."""
    places = sorted(range(len(scores)), key=lambda place: -scores[place])
    return [{"index": place, "relevance_score": scores[place]} for place in places[:most]]


def _copies(documents: Sequence[Document], ranks: Ranks) -> list[Document]:
    """Copies that share nothing with the documents, which stay as they are."""
    found: list[Document] = []
    for rank in ranks:
        place: int = rank["index"]
        document = documents[place]
        metadata = copy.deepcopy(document.metadata) | {"relevance_score": rank["relevance_score"]}
        found.append(document.model_copy(update={"metadata": metadata}))
    return found


def _named(given: Any) -> dict[str, Any]:
    """The input of a chain's step as arguments."""
    with model_errors():
        if not isinstance(given, Mapping) or not {"query", "documents"} <= given.keys():
            raise InputError('expected {"query": ..., "documents": [...]}')
    return {name: given[name] for name in ("query", "documents")}
