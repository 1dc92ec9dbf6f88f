"""What a model is told when a tool fails: what was wrong, and whether to correct the arguments, wait, or stop.

The full error, which is written for developers, is the cause of the ToolException.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any, cast

from pydantic import ValidationError

from hf_tools import errors
from hf_tools.errors import shown
from hf_tools.loose import table
from langchain_hf_tools._tools.bench import Bench, conversation, key
from langchain_hf_tools._tools.content import clean
from langchain_hf_tools.budgets import BudgetSpent

LIMIT = 400
"""Characters of a reason."""
NOTES = 2
"""Notes about arguments that are told with what is wrong."""
REPEATED = 3
"""Failures of the same call from which on that is said."""


USELESS = "Nobody serves this here"
"""What a model is told of a task that nobody answers for."""


class Unserved(errors.HfError):
    """Nobody answers for the task of the tool; nothing was sent. The hint is for developers."""


LATER: tuple[tuple[type[Exception], str], ...] = (
    (errors.RateLimited, "there were too many requests"),
    (errors.ModelLoading, "the model is still being loaded"),
    (errors.Overloaded, "the server has no room now"),
    (errors.GenerationError, "the model failed"),
    (errors.ServerError, "the server failed"),
    (errors.RequestTimeout, "the server took too long"),
    (errors.TransportError, "the server cannot be reached"),
)
"""What may pass."""
NEVER: tuple[tuple[type[Exception], str], ...] = (
    (errors.AuthenticationError, "the server does not accept its credentials"),
    (errors.PaymentRequired, "its credits are used up"),
    (errors.PermissionDenied, "it has no access to the model"),
    (errors.NotFound, "the server does not have its model"),
    (errors.ResponseError, "the server's answer is not readable"),
    (errors.ConfigurationError, "it is not set up correctly"),
    (errors.InputError, "it is not set up for this task"),
    (errors.ClientClosed, "it was switched off"),
    (errors.MissingExtra, "a part of it is not installed"),
    (errors.JobTimeout, "its result takes too long"),
    (errors.JobError, "the model failed to make a result"),
    (errors.MediaError, "what it made cannot be read or kept"),
)
"""What no call of the model can change."""


def told(error: Exception, arguments: Collection[str]) -> str:
    """The text for the model; `arguments` are the names that it may write."""
    if (wrong := _correctable(error, arguments)) is not None:
        # what was ignored may be what is missing
        wrong = ". ".join(each.rstrip(".") for each in [wrong, *getattr(error, "__notes__", [])])
        return f"{_sentence(wrong)}. Correct the arguments and call again."
    for kind, reason in LATER:
        if isinstance(error, kind):
            return f"The tool failed: {reason}. Try again later{_wait(error)}, or go on without it."
    return f"The tool cannot be used: {_sentence(_reason(error))}. Do not call it again; {_instead(error)}."


def _correctable(error: Exception, arguments: Collection[str]) -> str | None:
    """What is wrong with the arguments; None where it is not them."""
    if isinstance(error, errors.NotFound) and "model" in arguments:
        return "The server does not have this `model` for this task"
    if isinstance(error, errors.InvalidRequest):
        return error.message
    if not isinstance(error, errors.InputError) or isinstance(error, errors.ConfigurationError):
        return None
    named = any(f"`{name}{end}" in error.message for name in arguments for end in "`.")
    return error.message if named or "the arguments" in error.message else None


def _reason(error: Exception) -> str:
    if isinstance(error, errors.LocalBackendError | BudgetSpent | Unserved):
        return error.message
    return next((reason for kind, reason in NEVER if isinstance(error, kind)), "it failed")


def _instead(error: Exception) -> str:
    if isinstance(error, errors.PaymentRequired):
        return "tell the user that credits can be bought at https://huggingface.co/settings/billing"
    return "tell the user" if isinstance(error, BudgetSpent) else "go on without it"


def again(count: int) -> str:
    """What a model is told that makes the same failing call over and over; nothing at first."""
    if count < REPEATED:
        return ""
    return f"You have made this call {count} times and it failed each time: change an argument, or stop. "


def _wait(error: Exception) -> str:
    seconds = getattr(error, "retry_after", None) or getattr(error, "estimated_time", None)
    return f" (in {math.ceil(seconds)} seconds)" if seconds else ""


def _sentence(text: str) -> str:
    return shown(" ".join(clean(text).split()), LIMIT).rstrip(". ")


class Refusal:
    """Tells a model what is wrong with the arguments as a whole, without their values.

    No dataclass: pydantic would write all that the bench holds, paths as well, into the dump of a tool.
    """

    def __init__(self, bench: Bench, tool: str, arguments: tuple[str, ...]) -> None:
        self.bench, self.tool, self.arguments = bench, tool, arguments

    def __repr__(self) -> str:
        return f"Refusal({self.tool!r})"

    def __call__(self, error: Any) -> str:
        """The text; repeated failures count as those of any call."""
        problems: list[str] = []
        inputs: list[Any] = []
        for one in cast(ValidationError, error).errors(include_url=False):
            inputs.append(one["input"])
            others = [f"`{shown(clean(name), 60)}`" for name in table(one["input"]) if name not in self.arguments]
            came = f" (you gave {', '.join(others)})" if others else ""
            problems.append(f"`{'.'.join(map(str, one['loc']))}`: {one['msg'].lower()}{came}")
        this = key(conversation(), self.tool, {"refused": inputs})
        taken = ", ".join(f"`{name}`" for name in self.arguments)
        said = f"The arguments do not fit: {shown('; '.join(problems), LIMIT)}. It takes {taken}. Call again."
        return again(self.bench.attempts.failed(this)) + said
