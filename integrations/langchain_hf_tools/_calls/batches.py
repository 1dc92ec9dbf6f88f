"""Texts in batches of the size that the server takes: a batch that it finds too large goes again in smaller ones."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import Field, PrivateAttr

from hf_tools.errors import HfError, InputError, InvalidRequest, ResponseError, StatusError, TransportError
from langchain_hf_tools._connecting.connection import Connection

Answer = TypeVar("Answer")
LIMIT = re.compile(
    r"batch|token|too (?:many|large|long|big)|larger|at most|less than|maximum|exceed|limit|length", re.I
)
"""What a server says of a limit, of a batch or of a single text."""
TOLD = re.compile(r"maximum allowed batch size (\d+)|batch size.{1,40}(?:larger than|\(max) (\d+)", re.I)
"""How TEI and others tell the largest batch itself."""
_learning = threading.Lock()


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of the texts of a call; `start` is the place of the first one among all, from 0."""

    start: int
    texts: list[str]

    def cut(self, most: int) -> list[Batch]:
        """The same texts in batches of at most `most`."""
        starts = range(0, len(self.texts), most)
        return [Batch(self.start + place, self.texts[place : place + most]) for place in starts]

    def name(self, error: HfError, what: str) -> None:
        """Say in the error's message which texts it is about."""
        if not isinstance(error, StatusError | ResponseError | TransportError):
            return  # it is about what is set, whatever the texts are
        last = self.start + len(self.texts) - 1
        about = f"{what} {self.start}" if last == self.start else f"{what}s {self.start} to {last}"
        missing = ", ".join(str(self.start + place) for place in getattr(error, "missing", ()))
        error.message += f"; this is {about}, counted from 0" + (f", and {missing} is missing" if missing else "")


class Concurrent(Connection):
    """A model that makes several calls at once."""

    max_concurrency: int = Field(default=8, gt=0)
    """Requests in flight at once in one call of this object; a pool of connections is fastest with 8 to 16."""

    def _at_once(self) -> int:
        return self._above_0("max_concurrency")

    def _above_0(self, name: str) -> int:
        """A size, checked again: it may have been set after the model was made."""
        size: int = getattr(self, name)
        if size < 1:
            raise InputError(f"`{name}` = {size}: must be above 0")
        return size


class Batching(Concurrent):
    """A model that sends texts in batches.

    A batch that the server refuses with 413, 422 or 400 because of its size is cut in two, and again, until its
    parts get through; the size that did is kept for the batches that follow. A text that is refused alone is an
    error.
    """

    batch_size: int = Field(default=32, gt=0)
    """Texts that are sent at once at most; TEI servers take 32 unless told."""
    batch_bytes: int = Field(default=900_000, gt=0)
    """Bytes of text that are sent at once at most, but always one text: nginx takes 1 MiB unless told, TEI 2 MB."""

    _learned: dict[Any, int] = PrivateAttr(default_factory=lambda: dict[Any, int]())

    def _most(self) -> int:
        """Texts that go into a batch, as far as is known of the server."""
        return min(self._above_0("batch_size"), self._learned.get(self._place(), self.batch_size))

    def _place(self) -> Any:
        return self.provider, self.base_url, self.model

    def _learn(self, size: int) -> None:
        with _learning:
            self._learned[self._place()] = min(size, self._most())

    def _cut(self, texts: Iterable[str], name: str) -> Iterator[Batch]:
        """The texts in batches; InputError where one is none."""
        cutter = Cutter(self._most, self._above_0("batch_bytes"), name)
        for text in texts:
            yield from cutter.add(text)
        yield from cutter.rest()

    async def _acut(self, texts: AsyncIterable[str], name: str) -> AsyncIterator[Batch]:
        """The same, awaited."""
        cutter = Cutter(self._most, self._above_0("batch_bytes"), name)
        async for text in texts:
            for batch in cutter.add(text):
                yield batch
        for batch in cutter.rest():
            yield batch

    def _through(self, batch: Batch, what: str) -> Generator[Batch, list[Answer], list[Answer]]:
        """Get a batch through: yields what to send next, takes its answers or its error, returns all answers."""
        left, answers, refused, passed = [batch], list[Answer](), False, 1
        while left:
            piece = left.pop()
            if len(piece.texts) > self._most():
                left += reversed(piece.cut(self._most()))
                continue
            try:
                answers += yield piece
                passed = max(passed, len(piece.texts))
            except HfError as error:
                smaller = _smaller(piece, error)
                if smaller is None:
                    piece.name(error, what)
                    raise
                left, refused = [*left, *reversed(piece.cut(smaller))], True
                if TOLD.search(error.message):
                    self._learn(smaller)
        if refused:
            self._learn(passed)
        return answers


def _smaller(batch: Batch, error: HfError) -> int | None:
    """The size of the next attempts; None where the error is not about the size of the batch."""
    size = len(batch.texts)
    if size == 1 or not isinstance(error, InvalidRequest) or error.status not in (400, 413, 422):
        return None
    told = TOLD.search(error.message)
    most = int(told[1] or told[2]) if told else 0
    if 0 < most < size:
        return most
    silent = error.message.strip() == str(error.status)
    return (size + 1) // 2 if error.status == 413 or silent or LIMIT.search(error.message) else None


def sent(steps: Generator[Batch, list[Answer], list[Answer]], send: Callable[[Batch], list[Answer]]) -> list[Answer]:
    """The answers to a batch: each request of its steps is sent."""
    try:
        piece = next(steps)
        while True:
            try:
                answers = send(piece)
            except HfError as error:
                piece = steps.throw(error)
            else:
                piece = steps.send(answers)
    except StopIteration as end:
        found: list[Answer] = end.value
        return found


async def asent(
    steps: Generator[Batch, list[Answer], list[Answer]], send: Callable[[Batch], Awaitable[list[Answer]]]
) -> list[Answer]:
    """The same, awaited."""
    try:
        piece = next(steps)
        while True:
            try:
                answers = await send(piece)
            except HfError as error:
                piece = steps.throw(error)
            else:
                piece = steps.send(answers)
    except StopIteration as end:
        found: list[Answer] = end.value
        return found


class Cutter:
    """Gathers texts into batches, each of them given out as soon as it is full; `most` is asked for every text."""

    def __init__(self, most: Callable[[], int], most_bytes: int, name: str) -> None:
        self._most, self._most_bytes, self._name = most, most_bytes, name
        self._start, self._bytes = 0, 0
        self._texts: list[str] = []

    def add(self, text: str) -> Iterator[Batch]:
        """Take a text; the batches that are full with it. InputError where it is none, or empty."""
        checked(text, f"{self._name}[{self._start + len(self._texts)}]")
        size = len(text.encode("utf-8", "surrogatepass"))
        if self._texts and self._bytes + size > self._most_bytes:
            yield from self.rest()
        self._texts.append(text)
        self._bytes += size
        if len(self._texts) >= self._most():
            yield from self.rest()

    def rest(self) -> Iterator[Batch]:
        """The texts that are left, as a batch."""
        if self._texts:
            batch = Batch(self._start, self._texts)
            self._start, self._bytes, self._texts = self._start + len(self._texts), 0, []
            yield batch


def checked(text: object, name: str) -> str:
    """The text itself; InputError where it is none, or empty: servers refuse that, or answer noise."""
    if not isinstance(text, str):
        raise InputError(f"`{name}` is no text but {type(text).__name__}")
    if not text.strip():
        raise InputError(f"`{name}` must not be empty")
    return text


def iterable(texts: Any, name: str) -> Iterable[Any]:
    """The texts as they are; InputError for a single text and for what is no list."""
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise InputError(f"`{name}` must be a list of texts, got {type(texts).__name__}")
    return texts  # pyright: ignore[reportUnknownVariableType]


async def awaited(items: Iterable[Answer]) -> AsyncIterator[Answer]:
    """The items, for code that awaits them."""
    for item in items:
        yield item
