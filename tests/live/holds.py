"""What must hold of the answers to the cases."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import pytest

from hf_tools.errors import HfError, StatusError
from tests.live.case import Said

TEXTS: Final = ["That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day"]
NEAR: Final = (0.695, 0.943, 0.257)
"""How near the others are to the first, as the page of all-MiniLM-L6-v2 on the Hub shows it for its own example."""


def paris(model: str) -> Callable[[Said], None]:
    """Holds of a whole answer: one sentence about Paris."""

    def holds(said: Said) -> None:
        assert said.text == "The capital of France is Paris."
        assert (said.finish, said.model, said.calls) == ("stop", model, [])
        assert said.tokens == (46, 8, 54)

    return holds


def streamed(holds: Callable[[Said], None]) -> Callable[[Said], None]:
    """The same of a stream, which came in pieces."""

    def both(said: Said) -> None:
        holds(said)
        assert said.pieces > 5

    return both


def in_paris(said: Said) -> None:
    """Such small models say a call twice; the first one counts."""
    assert said.calls[0] == ("get_weather", {"city": "Paris"})
    assert {name for name, _ in said.calls} == {"get_weather"}
    assert (said.text, said.finish) == ("", "tool_calls")


def cut_call(said: Said) -> None:
    """The arguments are no whole JSON: they stay text. LangChain's are marked, so that nobody completes them."""
    ((name, arguments),) = said.calls
    assert (name, said.finish) == ("get_weather", "length")
    assert isinstance(arguments, str)
    assert "{" in arguments
    assert "}" not in arguments


def france(said: Said) -> None:
    assert json.loads(said.text) == {"country": "France", "capital": "Paris"}
    assert said.finish == "stop"


def probable(said: Said) -> None:
    assert "".join(token for token, _ in said.logprobs) == said.text == "The capital of"
    assert all(-3 < logprob < 0 for _, logprob in said.logprobs)


def two(said: Said) -> None:
    assert len(said.texts) == 2
    assert all(said.texts)
    assert said.texts[0] != said.texts[1]


def refusal(status: int, message: str, code: str | None = None) -> Callable[[HfError], None]:
    """Holds of an error: the status, the beginning of the message after it, the server's own code."""

    def holds(error: HfError) -> None:
        assert isinstance(error, StatusError)
        assert error.message.startswith(f"{status} {message}"), error.message
        assert (error.status, error.code, error.attempts) == (status, code, 1)

    return holds


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    both = sum(a * b for a, b in zip(first, second, strict=True))
    return both / math.hypot(*first) / math.hypot(*second)


def near(vectors: Any) -> None:
    """The vectors of TEXTS by all-MiniLM-L6-v2."""
    assert [len(vector) for vector in vectors] == [384] * len(TEXTS)
    first, *others = vectors
    assert [cosine(first, other) for other in others] == pytest.approx(NEAR, abs=0.02)


def near_by_e5(vectors: Any) -> None:
    """Another model, of as many dimensions: what is nearest is the same, how near is not."""
    assert [len(vector) for vector in vectors] == [384] * len(TEXTS)
    first, *others = vectors
    dog, very, sunny = [cosine(first, other) for other in others]
    assert 1 > very > dog > sunny > 0.5


def similar(answer: Any) -> None:
    assert answer == pytest.approx(NEAR, abs=0.02)


def refund(answer: Any) -> None:
    assert answer[0].label == "refund"
    assert len(answer) == 3
    assert sum(each.score for each in answer) == pytest.approx(1, abs=1e-6)
