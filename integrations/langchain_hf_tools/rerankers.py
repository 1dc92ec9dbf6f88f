"""Reranking: documents in the order in which they fit a query."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Any, Literal

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.runnables import Runnable, RunnableLambda

from hf_tools.errors import InputError, ShapeError, shown
from hf_tools.inputs import Direction, Positive
from hf_tools.providers import is_url
from hf_tools.task import Reply, Task
from hf_tools.tasks.embedding import SentenceSimilarity, TextRanking, TextRankingOutput
from langchain_hf_tools._calls.batches import Batching, asent, sent
from langchain_hf_tools._calls.cutting import Batch, Cutter, awaited, checked, iterable
from langchain_hf_tools._calls.fields import task_fields
from langchain_hf_tools._calls.ordered import aordered, ordered
from langchain_hf_tools.errors import model_errors

Texts = Sequence[str | Document]
Ranks = list[dict[str, Any]]


class HfInferenceReranker(Batching, BaseDocumentCompressor):
    """Documents in the order in which they fit a query, the best first.

        reranker = HfInferenceReranker(base_url="http://127.0.0.1:8080", top_n=5)     # TEI /rerank, vLLM, toolkit
        HfInferenceReranker(provider="local").compress_documents(documents, "what is a fox?")
        ContextualCompressionRetriever(base_compressor=reranker, base_retriever=retriever)
        chain = {"query": RunnablePassthrough(), "documents": retriever} | reranker.as_runnable()

    What comes back are copies with `metadata["relevance_score"]`; documents that fit equally well keep their order. A
    value of the metadata that cannot be copied, such as a lock, is shared with the document. The scores' range depends
    on the model. Raises an HfError, also where a document got no score or one that is no number, and for an empty text.
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
            given = _documents(documents)
            return _copies(given, self.rerank(query, given))

    async def acompress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> list[Document]:
        """The same, awaited."""
        with model_errors():
            given = _documents(documents)
            return _copies(given, await self.arerank(query, given))

    def rerank(self, query: str, documents: Texts, *, top_n: int | EllipsisType | None = ...) -> Ranks:
        """`{"index", "relevance_score"}` of the best documents, the best first; `index` counts from 0.

        `top_n` stands in the place of the field for this call, None for all. Raises an HfError.
        """
        with model_errors():
            most, texts = self._kept(top_n), _texts(query, documents)
            client, over = self._clients.blocking, threading.Event()

            def send(batch: Batch) -> list[float]:
                return _scores(batch.start, len(batch.texts), client.run(self._task(query, batch)))

            def work(batch: Batch) -> list[float]:
                return sent(self._through(batch, "document"), send, over)

            batches = self._documents_cutter(query).cut(texts)
            found = ordered(batches, work, at_once=self._at_once(), over=over)
            return _best([score for scores in found for score in scores], most)

    async def arerank(self, query: str, documents: Texts, *, top_n: int | EllipsisType | None = ...) -> Ranks:
        """The same, awaited."""
        with model_errors():
            most, texts = self._kept(top_n), _texts(query, documents)
            client, batches = self._clients.awaiting, self._documents_cutter(query).acut(awaited(texts))

            async def send(batch: Batch) -> list[float]:
                return _scores(batch.start, len(batch.texts), await client.run(self._task(query, batch)))

            async def work(batch: Batch) -> list[float]:
                return await asent(self._through(batch, "document"), send)

            found = aordered(batches, work, at_once=self._at_once())
            return _best([score async for scores in found for score in scores], most)

    def as_runnable(self) -> Runnable[Mapping[str, Any], list[Document]]:
        """A step of a chain: takes `{"query": ..., "documents": [...]}`, gives the best documents."""

        def rank(given: Mapping[str, Any]) -> list[Document]:
            return self.compress_documents(**_named(given))

        async def arank(given: Mapping[str, Any]) -> list[Document]:
            return await self.acompress_documents(**_named(given))

        return RunnableLambda(rank, arank, name=type(self).__name__)

    def _kept(self, top_n: int | EllipsisType | None) -> int | None:
        found: Any = self.top_n if isinstance(top_n, EllipsisType) else top_n
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int) or found < 1:
            raise InputError(f"`top_n` = {shown(repr(found), 60)}: must be a whole number above 0, or None for all")
        return found  # pyright: ignore[reportUnknownVariableType]

    def _documents_cutter(self, query: str) -> Cutter:
        return self._cutter("documents", "", {"query": query, **self._given()})

    def _given(self) -> dict[str, Any]:
        """The fields that the task knows, without `top_n`: the best of a batch are not the best of all."""
        return {name: value for name, value in task_fields(self, self._kind()).items() if name != "top_n"}

    def _kind(self) -> type[_Ranking | _Similarity]:
        """The task that scores documents."""
        anywhere = self.base_url is not None or self.provider == "local" or is_url(self.model)
        return KINDS[self.task or ("text-ranking" if anywhere else "sentence-similarity")]

    def _task(self, query: str, batch: Batch) -> Task[Any]:
        """The request for some documents; InputError for a field that this kind of request does not have."""
        kind, given = self._kind(), self._given()
        for name in ("raw_scores", "prompt_name"):
            if getattr(self, name) is not None and name not in given:
                raise InputError(f"`{name}` is no parameter of {kind.name}")
        made: Task[Any] = kind(query, batch.texts, batch.start, **given)
        return made


class _Ranking(TextRanking):
    """The task with a score for each text: what is wrong with them is told with the answer's headers and body."""

    start: int = 0
    """The place of the first text among all."""

    def decode(self, reply: Reply) -> list[TextRankingOutput]:
        answer = super().decode(reply)
        _scores(self.start, len(self.texts), answer)
        return answer


class _Similarity(SentenceSimilarity):
    """The same for the other task."""

    start: int = 0
    """The place of the first text among all."""

    def decode(self, reply: Reply) -> list[float]:
        return _scores(self.start, len(self.comparison()["sentences"]), super().decode(reply))


KINDS: dict[str, type[Any]] = {"text-ranking": _Ranking, "sentence-similarity": _Similarity}


def _documents(documents: Any) -> list[Document]:
    """The documents; InputError for anything else, before anything is sent."""
    given = [*iterable(documents, "documents")]
    for place, each in enumerate(given):
        if not isinstance(each, Document):
            hint = "Use rerank() for texts"
            raise InputError(f"`documents[{place}]` is no Document but {type(each).__name__}", hint=hint)
    return given


def _texts(query: str, documents: Texts) -> list[str]:
    """The documents' texts, checked before anything is sent, with the query."""
    checked(query, "query")
    texts = [each.page_content if isinstance(each, Document) else each for each in iterable(documents, "documents")]
    return [checked(text, f"documents[{place}]") for place, text in enumerate(texts)]


def _scores(start: int, count: int, answer: list[Any]) -> list[float]:
    """The scores in the order of the documents; ShapeError where one is missing or no number."""
    by_place = {getattr(each, "index", place): getattr(each, "score", each) for place, each in enumerate(answer)}
    places = range(count)
    if missing := [place for place in places if place not in by_place]:
        raise ShapeError(f"{count} texts were sent, and {len(by_place)} scores came", missing=missing)
    for place in places:
        if not math.isfinite(by_place[place]):
            raise ShapeError(f"the score of document {start + place} is {by_place[place]}")
    return [by_place[place] for place in places]


def _best(scores: list[float], most: int | None) -> Ranks:
    """The best places; those with equal scores keep their order."""
    places = sorted(range(len(scores)), key=lambda place: -scores[place])
    return [{"index": place, "relevance_score": scores[place]} for place in places[:most]]


def _copies(documents: Sequence[Document], ranks: Ranks) -> list[Document]:
    """Copies of the documents, which stay as they are."""
    found: list[Document] = []
    for rank in ranks:
        place: int = rank["index"]
        document = documents[place]
        metadata = {name: _copied(value) for name, value in document.metadata.items()}
        metadata["relevance_score"] = rank["relevance_score"]
        found.append(document.model_copy(update={"metadata": metadata}))
    return found


def _copied(value: Any) -> Any:
    """A deep copy; the value itself where there cannot be one."""
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - it is the caller's code
        return value


def _named(given: Any) -> dict[str, Any]:
    """The input of a chain's step as arguments."""
    with model_errors():
        if not isinstance(given, Mapping) or not {"query", "documents"} <= given.keys():
            raise InputError('expected {"query": ..., "documents": [...]}')
    return {name: given[name] for name in ("query", "documents")}
