"""Texts cut into batches, by their number and by the bytes of the request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic_core import to_json

from hf_tools.errors import HfError, InputError, ResponseError, StatusError, TransportError

Each = TypeVar("Each")
ENVELOPE = 200
"""Bytes of a request around its texts and fields: names, brackets, a model that the server named."""


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
        """Say in the message of an error that the server caused which texts it is about."""
        if isinstance(error, StatusError | ResponseError | TransportError):  # others are about what is set
            self.tell(error, what)

    def tell(self, error: HfError, what: str) -> None:
        """Say in the error's message which texts it is about."""
        last = self.start + len(self.texts) - 1
        about = f"{what} {self.start}" if last == self.start else f"{what}s {self.start} to {last}"
        missing = [str(self.start + place) for place in getattr(error, "missing", ())]
        verb = "are" if len(missing) > 1 else "is"
        error.message += f"; this is {about}, counted from 0"
        error.message += f", and {', '.join(missing)} {verb} missing" if missing else ""
        error.args = (error.message, *error.args[1:])


class Cutter:
    """Gathers texts into batches, each of them given out as soon as it is full.

    `most` is asked for every text. `most_bytes` is for the whole JSON of a request: its texts with `prompt` before
    each, and what is `around` them; a text that is larger goes alone.
    """

    def __init__(self, most: Callable[[], int], most_bytes: int, name: str, prompt: str, around: Any) -> None:
        self._most, self._most_bytes = most, most_bytes - len(to_json(around)) - ENVELOPE
        self._name, self._prompt = name, prompt
        self._start, self._bytes = 0, 0
        self._texts: list[str] = []

    def cut(self, texts: Iterable[str]) -> Generator[Batch, None, None]:
        """The texts in batches; InputError where one is none."""
        for text in texts:
            yield from self._add(text)
        yield from self.rest()

    async def acut(self, texts: AsyncIterable[str]) -> AsyncGenerator[Batch, None]:
        """The same, awaited."""
        async for text in texts:
            for batch in self._add(text):
                yield batch
        for batch in self.rest():
            yield batch

    def rest(self) -> Iterator[Batch]:
        """The texts that are left, as a batch."""
        if self._texts:
            batch = Batch(self._start, self._texts)
            self._start, self._bytes, self._texts = self._start + len(self._texts), 0, []
            yield batch

    def _add(self, text: str) -> Iterator[Batch]:
        """Take a text; the batches that are full with it. InputError where it is none, or empty."""
        checked(text, f"{self._name}[{self._start + len(self._texts)}]")
        size = len(to_json(self._prompt + text)) + len(",")
        if self._texts and self._bytes + size > self._most_bytes:
            yield from self.rest()
        self._texts.append(text)
        self._bytes += size
        if len(self._texts) >= self._most():
            yield from self.rest()


def checked(text: object, name: str) -> str:
    """The text itself; InputError where it is none, or empty: servers refuse that, or answer noise."""
    if not isinstance(text, str):
        raise InputError(f"`{name}` is no text but {type(text).__name__}")
    if not text or text.isspace():
        raise InputError(f"`{name}` must not be empty")
    return writable(text, name)


def writable(text: str, name: str) -> str:
    """The text itself; InputError where it cannot be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"half a character, {text[error.start]!a}, at place {error.start}"
        raise InputError(f"`{name}` has {half}, counted from 0: no JSON can hold that") from None
    return text


def iterable(texts: Any, name: str) -> Iterable[Any]:
    """The texts as they are; InputError for a single text and for what is no list."""
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise InputError(f"`{name}` must be a list of texts, got {type(texts).__name__}")
    return texts  # pyright: ignore[reportUnknownVariableType]


async def awaited(items: Iterable[Each]) -> AsyncGenerator[Each, None]:
    """The items, for code that awaits them."""
    for item in items:
        yield item
