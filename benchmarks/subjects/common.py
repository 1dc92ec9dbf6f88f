"""What all subjects ask, and how their streams are read.

A subject is a module with a function for each work that it knows; called with the server's address (and for
embeddings with nothing more) it makes the client and returns a function that does the work once and returns what shows
that it was done: the same for all subjects. Works whose name begins with `a` return coroutine functions.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from time import perf_counter
from typing import Any, Final

QUESTION: Final = "Hello there, how are you?"
MESSAGES: Final = [{"role": "user", "content": QUESTION}]
TEXT: Final = "I like you. I love you"
KEY: Final = "hf_bench"
BATCH: Final = 32
"""Texts that the server takes at once."""
PICTURE: Final = b"\x89PNG\r\n\x1a\n" + os.urandom(1 << 20)
Seen = tuple[int, int]
"""Pieces and characters of a stream."""


class First:
    """When the first text of the last stream came, on the clock of `perf_counter`."""

    at: float = 0.0


def drained(texts: Iterator[str]) -> Seen:
    """Read a stream to its end; pieces without text do not count."""
    count = length = 0
    for text in texts:
        if text:
            if not count:
                First.at = perf_counter()
            count += 1
            length += len(text)
    return count, length


async def adrained(texts: AsyncIterator[str]) -> Seen:
    """The same, awaited."""
    count = length = 0
    async for text in texts:
        if text:
            if not count:
                First.at = perf_counter()
            count += 1
            length += len(text)
    return count, length


def documents(count: int) -> list[str]:
    """Short texts, all different."""
    return [f"document number {place} about inference clients and streams" for place in range(count)]


def summed(vectors: Any) -> tuple[int, float]:
    """How many vectors there are, and a number of the last one."""
    return len(vectors), round(float(vectors[-1][7]), 5)
