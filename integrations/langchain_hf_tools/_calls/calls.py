"""What a call of a text generation model says, for the methods that LangChain calls in between without it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from hf_tools.errors import HfError
from langchain_hf_tools._calls.cutting import Batch


@dataclass(frozen=True, slots=True)
class Call:
    """A call of `generate`: whose it is, all its prompts, and its parameters."""

    model: object
    prompts: Sequence[str]
    parameters: Mapping[str, Any]

    def named(self, prompt: str, place: int) -> Named:
        """Around a request for one of the prompts."""
        return Named(Batch(place, [prompt]) if len(self.prompts) > 1 else None)

    def places(self, prompts: Sequence[str]) -> list[int]:
        """The places of some of the prompts among all, in the same order: LangChain leaves out what its cache has."""
        found, after = list[int](), 0
        for prompt in prompts:
            found.append(self.prompts.index(prompt, after))
            after = found[-1] + 1
        return found


class Named:
    """Says which of several prompts an error is about; works the same around code that awaits."""

    def __init__(self, batch: Batch | None) -> None:
        self._batch = batch

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if self._batch is not None and isinstance(error, HfError):
            self._batch.name(error, "prompt")


_call: ContextVar[Call | None] = ContextVar("hf_tools_llm_call", default=None)
_most: ContextVar[int | None] = ContextVar("hf_tools_llm_most", default=None)


@contextmanager
def calling(call: Call) -> Generator[None, None, None]:
    """Tell what the call is."""
    token = _call.set(call)
    try:
        yield
    finally:
        _call.reset(token)


def call_of(model: object, prompts: Sequence[str] = ()) -> Call:
    """The call that this model is in; one with these prompts alone where it is in none."""
    told = _call.get()
    return told if told is not None and told.model is model else Call(model, prompts, {})


@contextmanager
def bounded(most: int | None) -> Generator[None, None, None]:
    """At most so many requests at once, whatever the model's field says; None for no such bound."""
    token = _most.set(most)
    try:
        yield
    finally:
        _most.reset(token)


def bound(at_once: int) -> int:
    """The requests that may go out at once."""
    return min(at_once, max(1, _most.get() or at_once))
