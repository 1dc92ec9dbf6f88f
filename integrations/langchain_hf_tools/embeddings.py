"""Embeddings: texts as vectors, one for each text."""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from contextlib import aclosing, closing
from functools import partial
from typing import Any, Literal, Self, get_args

from langchain_core.embeddings import Embeddings
from pydantic import Field, model_validator

from hf_tools.errors import InputError, ShapeError
from hf_tools.inputs import Direction, Positive
from hf_tools.providers import is_url
from hf_tools.task import Reply
from hf_tools.tasks.embedding import FeatureExtraction
from hf_tools.tasks.features import Features
from langchain_hf_tools._calls.batches import Batching, asent, sent
from langchain_hf_tools._calls.cutting import Batch, Cutter, awaited, checked, iterable
from langchain_hf_tools._calls.fields import task_fields
from langchain_hf_tools._calls.ordered import ENDLESS, aordered, ordered
from langchain_hf_tools._calls.progress import Hook, Progress, progress
from langchain_hf_tools.errors import model_errors

Vector = list[float]
Kind = Literal["query", "document"]
POOLING = 'Give the model `pooling="mean"` or `pooling="cls"`, whichever it was trained for'


class HfInferenceEmbeddings(Batching, Embeddings):
    """Texts as vectors by Hugging Face's servers, an endpoint (TEI, vLLM, llama.cpp, toolkit) or the embedded backend.

        HfInferenceEmbeddings(model="BAAI/bge-small-en-v1.5").embed_query("a fox")
        HfInferenceEmbeddings(base_url="http://127.0.0.1:8080", query_prompt="query: ", document_prompt="passage: ")
        HfInferenceEmbeddings(provider="local").embed_documents(["a fox", "a dog"])

    The answers are one vector a text, in the order of the texts, or an HfError that names the texts by their places:
    features of single tokens (unless `pooling` is set), missing vectors, vectors of different lengths and numbers
    that are none are never passed on. An empty text is refused.

    Texts go in batches, `max_concurrency` of them at once; a batch that is too large for the server is sent again in
    smaller ones. `embed_iter` and `aembed_iter` take more texts than fit into memory.

    To keep vectors on disk, wrap it; `cache_namespace` differs wherever the vectors of documents do:

        from langchain_classic.embeddings import CacheBackedEmbeddings
        from langchain_classic.storage import LocalFileStore

        cached = CacheBackedEmbeddings.from_bytes_store(
            embeddings, LocalFileStore("./vectors"), namespace=embeddings.cache_namespace, key_encoder="sha256"
        )

    Queries go into a cache of their own (`query_embedding_cache`) if any: their prompt is another one.
    """

    query_prompt: str | None = None
    """Put before each query, such as "query: "; not together with `query_prompt_name`."""
    document_prompt: str | None = None
    """Put before each document, such as "passage: "; not together with `document_prompt_name`."""
    query_prompt_name: str | None = None
    """The prompt of the model's sentence-transformers configuration for queries; on hf-inference and TEI servers."""
    document_prompt_name: str | None = None
    """The same for documents."""
    normalize: bool | None = None
    """True scales each vector to length 1, here, whatever the server. False is sent: hf-inference and TEI servers scale
    unless told so, others refuse it."""
    truncate: bool | None = None
    """Cut a text that is too long for the model; default false."""
    truncation_direction: Direction | None = None
    """The end at which a text is cut; default "right"."""
    dimensions: Positive | None = None
    """Length of the vectors, for models that can shorten them; on hf-inference, TEI and OpenAI-shaped servers."""
    encoding_format: Literal["float", "base64"] | None = None
    """How vectors travel; the answer is the same. On hf-inference and OpenAI-shaped servers."""
    pooling: Literal["mean", "cls"] | None = None
    """How features of tokens become one vector: their mean, or the first token; without it they are an error."""
    show_progress: bool | Hook = Field(default=False, exclude=True, repr=False)
    """A bar (needs tqdm), or a function that is called with the texts that are done and the number of all (None for
    an iterator) after each batch of documents."""

    @model_validator(mode="after")
    def _one_prompt(self) -> Self:
        for kind in get_args(Kind):
            if getattr(self, f"{kind}_prompt") and getattr(self, f"{kind}_prompt_name"):
                raise ValueError(f"`{kind}_prompt` and `{kind}_prompt_name` are two ways to one end: give one of them")
        return self

    @property
    def cache_namespace(self) -> str:
        """A name for caches of documents: it tells models, addresses, prompts and all that changes a vector apart."""
        names = ("provider", "document_prompt", "document_prompt_name", "pooling")
        settings = task_fields(self, FeatureExtraction) | {name: getattr(self, name) for name in names}
        base, mark, query = self._url.partition("?")
        settings |= {"model": None if is_url(self.model) else self.model, "url": base.rstrip("/") + mark + query}
        del settings["encoding_format"]
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
        return f"hf-inference-{digest[:32]}"

    def embed_documents(self, texts: list[str]) -> list[Vector]:
        """The vectors of several texts; raises an HfError."""
        with model_errors(), progress(self.show_progress, len(given := _checked(texts))) as told:
            return [vector for vectors in self._vectors(given, told) for vector in vectors]

    def embed_query(self, text: str) -> Vector:
        """The vector of one text; raises an HfError."""
        with model_errors():
            found: Vector = self._clients.blocking.run(self._task(Batch(0, [checked(text, "text")]), "query"))[0]
            return found

    def embed_iter(self, texts: Iterable[str]) -> Generator[Vector, None, None]:
        """The vectors of any number of texts, in order and as they come; raises an HfError.

        Texts are taken as vectors are: `max_concurrency` batches are held at most, and vectors that are there are
        given out before the next text is asked for. An error of `texts` itself comes after the vectors of the batches
        before it. Closing it early begins nothing more; requests in flight end in the background.
        """
        with model_errors(), progress(self.show_progress, None) as told:
            batches = self._vectors(iterable(texts, "texts"), told, self._at_once())
            with closing(batches):
                for vectors in batches:
                    yield from vectors

    async def aembed_documents(self, texts: list[str]) -> list[Vector]:
        """The vectors of several texts, awaited; raises an HfError."""
        with model_errors(), progress(self.show_progress, len(given := _checked(texts))) as told:
            return [vector async for vectors in self._avectors(awaited(given), told) for vector in vectors]

    async def aembed_query(self, text: str) -> Vector:
        """The vector of one text, awaited; raises an HfError."""
        with model_errors():
            task = self._task(Batch(0, [checked(text, "text")]), "query")
            found: Vector = (await self._clients.awaiting.run(task))[0]
            return found

    async def aembed_iter(self, texts: Iterable[str] | AsyncIterable[str]) -> AsyncGenerator[Vector, None]:
        """The same as `embed_iter`, awaited; texts may be awaited, too. Closing it early cancels what is in flight.

        Vectors are given out while the next text is awaited. Texts that wait for vectors do not wait for ever: where
        nothing is in flight, a batch is sent though it is not full. Texts that are not awaited are taken in the event
        loop, which they hold up where they are slow.
        """
        with model_errors(), progress(self.show_progress, None) as told:
            given = texts if isinstance(texts, AsyncIterable) else awaited(iterable(texts, "texts"))
            async with aclosing(self._avectors(given, told, self._at_once())) as found:
                async for vectors in found:
                    for vector in vectors:
                        yield vector

    def _vectors(
        self, texts: Iterable[str], told: Progress, held: int = ENDLESS
    ) -> Generator[list[Vector], None, None]:
        """The vectors of each batch; `held` batches are begun and not yet taken at most."""
        client, taken, over = self._clients.blocking, _Taken(told), threading.Event()

        def send(piece: Batch) -> list[Vector]:
            return client.run(self._task(piece))

        def work(batch: Batch) -> list[Vector]:
            return sent(self._through(batch, "text"), send, over)

        batches = self._documents_cutter().cut(texts)
        with closing(ordered(batches, work, at_once=self._at_once(), held=held, over=over)) as found:
            yield from map(taken, found)

    async def _avectors(
        self, texts: AsyncIterable[str], told: Progress, held: int = ENDLESS
    ) -> AsyncGenerator[list[Vector], None]:
        """The same, awaited."""
        client, taken, cutter = self._clients.awaiting, _Taken(told), self._documents_cutter()

        async def send(piece: Batch) -> list[Vector]:
            return await client.run(self._task(piece))

        async def work(batch: Batch) -> list[Vector]:
            return await asent(self._through(batch, "text"), send)

        batches = aordered(cutter.acut(texts), work, at_once=self._at_once(), held=held, rest=cutter.rest)
        async with aclosing(batches) as found:
            async for vectors in found:
                yield taken(vectors)

    def _documents_cutter(self) -> Cutter:
        return self._cutter("texts", self.document_prompt or "", self._given("document"))

    def _given(self, kind: Kind) -> dict[str, Any]:
        """The fields that the task knows."""
        given = task_fields(self, FeatureExtraction) | {"prompt_name": getattr(self, f"{kind}_prompt_name")}
        if self.normalize:
            given["normalize"] = None  # it is done here, for servers that cannot as well
        return given

    def _task(self, batch: Batch, kind: Kind = "document") -> _Vectors:
        """The request for some texts: the fields that the task knows, and the prompt of this kind of texts."""
        prompt = getattr(self, f"{kind}_prompt") or ""
        texts = [prompt + text for text in batch.texts]
        return _Vectors(texts, partial(self._read, batch, kind), **self._given(kind))

    def _read(self, batch: Batch, kind: Kind, features: Features) -> list[Vector]:
        """One vector a text; ShapeError where they are of another length than was asked for."""
        try:
            vectors = features.vectors(self.pooling, first=batch.start)
        except InputError as error:
            error.hint = POOLING
            if kind == "document":
                batch.tell(error, "text")
            raise
        length = len(vectors[0])
        if self.dimensions not in (None, length):
            raise ShapeError(f"the vectors have {length} numbers, and {self.dimensions} were asked for")
        return [_unit(vector) for vector in vectors] if self.normalize else vectors


class _Vectors(FeatureExtraction):
    """The task with vectors for its answer: what is wrong with them is told with the answer's headers and body."""

    read: Callable[[Features], list[Vector]]
    """Makes vectors of the features."""

    def decode(self, reply: Reply) -> Features:
        return Features(self.read(super().decode(reply)))


class _Taken:
    """Looks at the vectors of each batch in turn: ShapeError where their length is not that of those before."""

    def __init__(self, told: Progress) -> None:
        self._told, self._count = told, 0
        self._length: int = 0

    def __call__(self, vectors: list[Vector]) -> list[Vector]:
        length = len(vectors[0])
        if self._count and length != self._length:
            before = f"those before it have {self._length}"
            raise ShapeError(f"the vector of text {self._count} (counted from 0) has {length} numbers, {before}")
        self._count, self._length = self._count + len(vectors), length
        self._told.more(len(vectors))
        return vectors


def _checked(texts: Any) -> list[str]:
    """The texts of a list; InputError for anything else, before anything is sent."""
    return [checked(text, f"texts[{place}]") for place, text in enumerate(iterable(texts, "texts"))]


def _unit(vector: Vector) -> Vector:
    """The vector scaled to length 1; one of zeros stays as it is."""
    length = math.hypot(*vector)
    return [number / length for number in vector] if length else vector
