"""Texts in batches of the size that the server takes: a batch that it finds too large goes again in smaller ones."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Awaitable, Callable, Generator, Mapping
from time import monotonic
from typing import Any, TypeVar

from pydantic import Field, PrivateAttr

from hf_tools.errors import HfError, InputError, InvalidRequest
from langchain_hf_tools._calls.cutting import Batch, Cutter
from langchain_hf_tools._connecting.connection import Asking

Answer = TypeVar("Answer")
LIMIT = re.compile(r"too (?:many|large|long|big)|larger than|at most|less than|maximum|exceed|limit|batch size", re.I)
"""What a server says of a limit, of a batch or of a single text."""
TOLD = re.compile(
    r"(?:max(?:imum)?(?: allowed)? batch size\D{0,10}"  # TEI, Voyage
    r"|batch size.{1,40}(?:larger than|\(max)\D{0,3}"  # DashScope, Infinity
    r"|(?:inputs|texts|documents|items|batch)\b.{1,40}(?:at most|maximum(?: is| of)?|up to) "  # Cohere
    r"|at most (?=\d+ (?:items|inputs|texts|documents))"  # pydantic, and so vLLM and many servers of one's own
    r"|array with maximum length )"  # OpenAI
    r"(\d+)\b(?!\s*(?:token|char|letter|word|byte|[kmg]i?b))",
    re.I,
)
"""How servers tell the largest batch itself."""
KEPT = 600.0
"""Seconds for which a size that a server named is kept: it may be set up anew, and finding out costs one refusal."""


class Told:
    """The largest batches of servers, as they named them last; copies of a model share it, but it is never pickled."""

    def __init__(self) -> None:
        self._most: dict[Any, tuple[int, float]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Told, ()

    def most(self, place: Any) -> float:
        """Texts that the server takes at once; infinity where it has not told of late."""
        size, until = self._most.get(place, (0, 0.0))
        return size if monotonic() < until else math.inf

    def tell(self, place: Any, size: int) -> None:
        """Keep what the server has named."""
        self._most[place] = size, monotonic() + KEPT


class Concurrent(Asking):
    """A model that makes several calls at once."""

    max_concurrency: int = Field(default=8, gt=0)
    """Requests in flight at once in one call of this object; a pool of connections is fastest with 8 to 16.

    A call that fails or is interrupted does not wait for the others: they go on in the background until their own end.
    """

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

    Where the server refuses a batch (413, 422 or 400) and names the most texts that it takes, all batches are cut to
    that for ten minutes. Where it speaks of a limit without such a number, of bytes or tokens for example, this batch
    alone is cut in two, and again, until its parts get through. Nothing is learned from that, for it need not be true
    of other texts, and it costs a refusal for each part: set `batch_size` or `batch_bytes` where it happens often. A
    text that is refused alone is an error.
    """

    batch_size: int = Field(default=32, gt=0)
    """Texts that are sent at once at most; TEI servers take 32 unless told."""
    batch_bytes: int = Field(default=900_000, gt=0)
    """Bytes of a request at most, but always one text: nginx takes 1 MiB unless told, TEI 2 MB."""

    _told: Told = PrivateAttr(default_factory=Told)

    def _most(self) -> int:
        """Texts that go into a batch, as far as is known of the server."""
        return int(min(self._above_0("batch_size"), self._told.most(self._place())))

    def _place(self) -> Any:
        return self.provider, self.base_url, self.model

    def _cutter(self, name: str, prompt: str, fields: Mapping[str, Any]) -> Cutter:
        """What makes batches, with room for the prompt before each text and for the other fields of the request."""
        around = {name: value for name, value in fields.items() if value is not None}
        return Cutter(self._most, self._above_0("batch_bytes"), name, prompt, around)

    def _through(self, batch: Batch, what: str) -> Generator[Batch, list[Answer], list[Answer]]:
        """Get a batch through: yields what to send next, takes its answers or its error, returns all answers."""
        left, answers = [batch], list[Answer]()
        while left:
            piece = left.pop()
            size = min(len(piece.texts), self._most())
            if size == len(piece.texts):
                try:
                    answers += yield piece
                    continue
                except HfError as error:
                    size = self._smaller(piece, error)
                    if not size:
                        piece.name(error, what)
                        raise
            left += reversed(piece.cut(size))
        return answers

    def _smaller(self, batch: Batch, error: HfError) -> int:
        """The size of the next attempts; 0 where the error is not about the size of the batch."""
        size = len(batch.texts)
        if size == 1 or not isinstance(error, InvalidRequest) or error.status not in (400, 413, 422):
            return 0
        told = TOLD.search(error.message)
        named = int(told[1]) if told else 0
        if 0 < named < size:
            self._told.tell(self._place(), named)
            return named
        silent = error.message.strip() == str(error.status)
        return (size + 1) // 2 if error.status == 413 or silent or LIMIT.search(error.message) else 0


Steps = Generator[Batch, list[Answer], list[Answer]]


def sent(
    steps: Steps[Answer], send: Callable[[Batch], list[Answer]], over: threading.Event | None = None
) -> list[Answer]:
    """The answers to a batch: each request of its steps is sent, until it is `over`."""
    try:
        piece = next(steps)
        while over is None or not over.is_set():
            try:
                answers = send(piece)
            except HfError as error:
                piece = steps.throw(error)
            else:
                piece = steps.send(answers)
    except StopIteration as end:
        found: list[Answer] = end.value
        return found
    return []  # nobody waits for them any more


async def asent(steps: Steps[Answer], send: Callable[[Batch], Awaitable[list[Answer]]]) -> list[Answer]:
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
