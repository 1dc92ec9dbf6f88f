"""What counts as right for a client that is not ours: its own errors do, its number of requests does not matter."""

from __future__ import annotations

from tests.faults.outcomes import Outcome
from tests.faults.table import Expect
from tests.faults.trying import CANARY

RULE = """\
Right is the answer that is expected, or, where an error is, any error of the library or of one that it is built on
(huggingface_hub, openai, httpx, langchain-core) or of Python's OSError, ValueError and RuntimeError families. Wrong
is: another answer, an empty or cut one that passes for whole, a call that is not back after three times its timeout
and 6 seconds more, an error that shows the key, and one that nobody raised on purpose: AttributeError, TypeError,
LookupError, AssertionError, RecursionError, UnicodeDecodeError, JSONDecodeError, pydantic's ValidationError. Where
the answer could be had, mostly by a second attempt, an error is wrong too, and told as "gave up". How often a client
asks, the wording of its errors and connections that it leaves open are not judged. A library gets a fault right when
all of its classes do. hf-tools is judged by the stricter rule of the kit: exact error, number of requests, time,
connections closed."""
LIBRARIES = {
    "huggingface_hub",
    "openai",
    "httpx",
    "httpx2",
    "langchain_core",
    "langchain_openai",
    "langchain_huggingface",
}
FAMILIES = {"OSError", "ValueError", "RuntimeError"}
GAVE_UP = "gave up: "
ACCIDENTS = {
    "AttributeError", "TypeError", "LookupError", "AssertionError", "NameError", "RecursionError", "UnicodeError",
    "JSONDecodeError", "ValidationError", "StopIteration", "ArithmeticError",
}  # fmt: skip


def patience(timeout: float) -> float:
    """Seconds beyond its timeout that a call may take: three attempts, and what libraries wait between them."""
    return 2 * timeout + 6


def wrong(expect: Expect, outcome: Outcome) -> str | None:
    """What is wrong; None where the outcome is right."""
    if outcome.hung:
        return f"not back after {outcome.seconds:.0f} s"
    if CANARY in f"{outcome.message}{outcome.answer}":
        return "shows the key"
    if outcome.error is None:
        right = outcome.answer == expect.answer if expect.answer is not None else expect.error is None
        return None if right else outcome.short
    if not _on_purpose(outcome):
        return outcome.error
    return None if expect.answer is None else f"{GAVE_UP}{outcome.error}"


def _on_purpose(outcome: Outcome) -> bool:
    names = {base.rpartition(".")[2] for base in outcome.bases}
    libraries = {base.partition(".")[0] for base in outcome.bases}
    return not names & ACCIDENTS and bool(names & FAMILIES or libraries & LIBRARIES)
