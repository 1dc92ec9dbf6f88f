"""How often the tools of a toolkit may ask, and what they have used so far."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, Self, cast

from hf_tools.errors import HfError, InputError, shown


class BudgetSpent(HfError):
    """A tool may not ask any more; nothing was sent."""


def _limit(name: str, value: object, kinds: tuple[type, ...], least: float) -> None:
    if isinstance(value, bool) or not isinstance(value, kinds) or not cast(float, value) >= least:
        what = "a whole number" if kinds == (int,) else "a number"
        raise InputError(f"`{name}` = {shown(repr(value), 60)}: must be {what} of at least {least:g}")


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


class Budget:
    """The most that tools may spend: requests in all, seconds of waiting in all, and requests of single tools.

    Budget(max_calls=20, per_tool={"hf_generate_image": 3})

    Requests are counted when they are sent, also those that fail; what a tool refuses by itself costs nothing. One
    object may be shared by several toolkits and threads. InputError for a limit that is none.
    """

    def __init__(
        self,
        max_calls: int | None = None,
        *,
        max_seconds: float | None = None,
        per_tool: Mapping[str, int] | None = None,
    ) -> None:
        if max_calls is not None:
            _limit("max_calls", max_calls, (int,), 0)
        if max_seconds is not None:
            _limit("max_seconds", max_seconds, (int, float), 0)
        each: Any = per_tool or {}
        if not isinstance(each, Mapping):
            raise InputError(f"`per_tool` ({type(per_tool).__name__}): must be a mapping of names of tools to numbers")
        self.max_calls, self.max_seconds, self.per_tool = max_calls, max_seconds, dict(cast("Mapping[str, int]", each))
        for name, most in self.per_tool.items():
            _limit(f"per_tool[{name!r}]", most, (int,), 0)
        self._calls: Counter[str] = Counter()
        self._seconds = 0.0
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: Any) -> Self:
        return self  # one purse, whoever holds it

    def __repr__(self) -> str:
        calls = f"{self._calls.total()} of {self.max_calls}"
        return f"Budget(calls={calls}, seconds={self._seconds:.1f} of {self.max_seconds})"

    def take(self, tool: str) -> str | None:
        """Count a request of a tool; a sentence where the budget has no room for it, which is then not counted."""
        with self._lock:
            said = self._spent(tool)
            if said is None:
                self._calls[tool] += 1
            return said

    def waited(self, seconds: float) -> None:
        """Count the seconds that a request took."""
        with self._lock:
            self._seconds += seconds

    def _spent(self, tool: str) -> str | None:
        if self.max_calls is not None and self._calls.total() >= self.max_calls:
            return f"the budget of {_calls(self.max_calls)} is used up"
        if self.max_seconds is not None and self._seconds >= self.max_seconds:
            return f"the budget of {self.max_seconds:g} seconds is used up"
        if self._calls[tool] >= self.per_tool.get(tool, self._calls[tool] + 1):
            return f"the budget of {_calls(self.per_tool[tool])} of this tool is used up"
        return None


class Usage:
    """What tools have used: requests, those that failed, seconds, tokens as far as servers told. Thread-safe."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        """Requests, by the name of the tool."""
        self.failures: Counter[str] = Counter()
        """Those that failed, by the name of the tool."""
        self.seconds = 0.0
        """How long they took in all, waiting included."""
        self.tokens: Counter[str] = Counter()
        """Tokens by kind, such as `prompt_tokens`, where servers told."""
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def add(self, tool: str, seconds: float, *, failed: bool = False, tokens: Mapping[str, Any] | None = None) -> None:
        """Count a request."""
        with self._lock:
            self.calls[tool] += 1
            self.failures[tool] += failed
            self.seconds += seconds
            self.tokens.update({name: n for name, n in (tokens or {}).items() if isinstance(n, int)})

    def __repr__(self) -> str:
        counted = ", ".join(f"{name} {n}" for name, n in self.tokens.items() if n)
        more = f", {counted}" if counted else ""
        calls, failed = self.calls.total(), self.failures.total()
        return f"Usage({calls} calls, {failed} failed, {self.seconds:.1f} s{more})"
