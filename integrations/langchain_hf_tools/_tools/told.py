"""What a model is told when a tool fails: what was wrong, and whether to correct the arguments, wait, or stop.

The full error, which is written for developers, is the cause of the ToolException.
"""

from __future__ import annotations

from collections.abc import Collection

from hf_tools import errors

LIMIT = 500
"""Characters of a reason."""
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
)
"""What no call of the model can change."""


def told(error: Exception, arguments: Collection[str]) -> str:
    """The text for the model; `arguments` are the names that it may write."""
    if (wrong := _correctable(error, arguments)) is not None:
        return f"{_sentence(wrong)}. Correct the arguments and call again."
    for kind, reason in LATER:
        if isinstance(error, kind):
            return f"The tool failed: {reason}. Try again later{_wait(error)}, or go on without it."
    return f"The tool cannot be used: {_sentence(_reason(error))}. Do not call it again; go on without it."


def _correctable(error: Exception, arguments: Collection[str]) -> str | None:
    """What is wrong with the arguments; None where it is not them."""
    if isinstance(error, errors.NotFound) and "model" in arguments:
        return "The server does not have this `model` for this task"
    if isinstance(error, errors.InvalidRequest | errors.MediaError):
        return error.message
    if not isinstance(error, errors.InputError) or isinstance(error, errors.ConfigurationError):
        return None
    named = any(f"`{name}{end}" in error.message for name in arguments for end in "`.")
    return error.message if named or "the arguments" in error.message else None


def _reason(error: Exception) -> str:
    if isinstance(error, errors.LocalBackendError):
        return error.message
    return next((reason for kind, reason in NEVER if isinstance(error, kind)), "it failed")


def _wait(error: Exception) -> str:
    seconds = getattr(error, "retry_after", None) or getattr(error, "estimated_time", None)
    return f" (in {seconds:.0f} seconds)" if seconds else ""


def _sentence(text: str) -> str:
    return errors.shown(text, LIMIT).rstrip(". ")
