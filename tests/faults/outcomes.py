"""What came of a call, and whether it is what was expected."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.table import Expect

SLACK = 4.0 if sys.gettrace() else 1.0
"""Measuring coverage makes all of Python slower, and with it the bounds of time."""


@dataclass(frozen=True)
class Outcome:
    """An answer, or an error by its class; `partial` is what a stream had given before."""

    seconds: float
    answer: str | None = None
    error: str | None = None
    bases: tuple[str, ...] = ()
    """The classes that the error is of, with their modules."""
    message: str = ""
    partial: str | None = None
    requests: int = 0
    hung: bool = False
    told: str = ""
    """All that a user may see of an error: its traceback with what has led to it, and its repr."""
    left: int = 0
    """Connections that were still open a moment later."""

    @property
    def short(self) -> str:
        """The outcome in a word or two."""
        if self.hung:
            return "hangs"
        if self.error:
            return self.error + (f" after {self.partial!r}" if self.partial else "")
        return f"answer {self.answer!r}"[:60]


class Partial:
    """Collects the text of a stream while it comes."""

    def __init__(self) -> None:
        self.text = ""

    def add(self, text: str) -> None:
        """Take the next piece."""
        self.text += text


def observed(call: Callable[[Partial], str], timeout: Callable[[], int]) -> Outcome:
    """Make the call and see; `timeout` tells how many requests have come by then."""
    start, partial = time.monotonic(), Partial()
    try:
        answer = call(partial)
    except BaseException as error:
        bases = tuple(f"{one.__module__}.{one.__qualname__}" for one in type(error).__mro__)
        return Outcome(
            time.monotonic() - start, error=type(error).__name__, bases=bases, message=str(error),
            partial=partial.text, requests=timeout(), told=f"{''.join(traceback.format_exception(error))}{error!r}",
        )  # fmt: skip
    return Outcome(time.monotonic() - start, answer=answer, partial=partial.text, requests=timeout())


def wrong(expect: Expect, outcome: Outcome) -> str | None:
    """What is not as expected; None where all is."""
    if outcome.seconds > expect.within * SLACK or outcome.hung:
        return f"took {outcome.seconds:.1f} s, at most {expect.within:g} are right"
    if expect.answer is not None and outcome.answer != expect.answer:
        return f"answer {expect.answer!r} expected, got {outcome.short}: {outcome.message[:200]}"
    if expect.error is not None and expect.error not in [name.rpartition(".")[2] for name in outcome.bases]:
        return f"{expect.error} expected, got {outcome.short}: {outcome.message[:200]}"
    if expect.partial is not None and outcome.partial != expect.partial:
        return f"partial text {expect.partial!r} expected, got {outcome.partial!r}"
    said = f"{outcome.message}{outcome.answer or ''}"
    if expect.says and expect.says.lower() not in said.lower():
        return f"the message lacks {expect.says!r}: {said[:300]}"
    if expect.requests is not None and outcome.requests != expect.requests:
        return f"{expect.requests} requests expected, {outcome.requests} came"
    return None
