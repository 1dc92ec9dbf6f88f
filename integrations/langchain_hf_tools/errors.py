"""The errors of models: each is the client's own class and one of LangChain's `ModelError` family as well.

    try:
        model.invoke("Hi")
    except hf_tools.errors.RateLimited as error:  # or langchain_core.exceptions.ModelRateLimitError
        print(error.retry_after, error.is_retryable)

The classes here have the names of the client's, which they extend:

    ModelAuthenticationError      AuthenticationError
    ModelPermissionDeniedError    PermissionDenied, PaymentRequired
    ModelNotFoundError            NotFound
    ModelRateLimitError           RateLimited
    ModelInvalidRequestError      InvalidRequest, TabularWarnings, InputError, ConfigurationError, MediaError
    ContextOverflowError          ContextOverflow, ServerOverflow, ReportedOverflow, StreamOverflow
    ModelAPIError                 Overloaded, ModelLoading, GenerationError, ServerError, UnexpectedStatus,
                                  ResponseError and its kinds, StreamReportedError, StreamProtocolError, JobFailed
    ModelConnectionError          TransportError, ConnectError, ConnectionLost, StreamInterrupted
    ModelTimeoutError             RequestTimeout, DeadlineExceeded, StreamTimeout, JobTimeout
    ModelError                    MissingExtra, LocalBackendError, ClientClosed, StreamConsumed

`is_retryable`: a rate limit, a server without room or with a fault of its own, a lost connection, a stream that was
cut off and a wait that was too long may pass; anything else fails again, so LangChain's retries leave it alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Final

from langchain_core import exceptions as core

from hf_tools import errors
from hf_tools.errors import HfError
from langchain_hf_tools._answered import Answered
from langchain_hf_tools._overflow import overflows

PASSING = frozenset([408, 409, 425])
"""Statuses of InvalidRequest that are no fault of the request; the client sends these again, too."""
PASSING_CODES = re.compile(r"overload|rate.?limit|unavailable|time.?out|internal|server.?error|^(?:429|5\d\d)$", re.I)
"""Codes in a report of the server for what may pass: TGI's and OpenAI's types, vLLM's classes, statuses."""


class AuthenticationError(Answered, errors.AuthenticationError, core.ModelAuthenticationError):
    """401: no token, or one that the server does not know."""


class PaymentRequired(Answered, errors.PaymentRequired, core.ModelPermissionDeniedError):
    """402: the included credits are used up."""


class PermissionDenied(Answered, errors.PermissionDenied, core.ModelPermissionDeniedError):
    """403: the token may not do this, or the model is gated."""


class NotFound(Answered, errors.NotFound, core.ModelNotFoundError):
    """404 or 410: no such model, task or route."""


class InvalidRequest(Answered, errors.InvalidRequest, core.ModelInvalidRequestError):
    """The server refuses the request as it is (400, 413, 415, 422 and the like)."""


class TabularWarnings(InvalidRequest, errors.TabularWarnings):
    """A tabular model answered with warnings; `output` holds its predictions."""


class ContextOverflow(InvalidRequest, core.ContextOverflowError):
    """The input does not fit into the model's context: shorten or summarize it."""


class RateLimited(Answered, errors.RateLimited, core.ModelRateLimitError):
    """429: too many requests; `retry_after` tells how long to wait, if the server did."""


class ModelLoading(Answered, errors.ModelLoading, core.ModelAPIError):
    """503 while the model is being loaded; `estimated_time` in seconds, if the server told."""


class Overloaded(Answered, errors.Overloaded, core.ModelAPIError):
    """503, 529 and the like: the server has no room now."""


class GenerationError(Answered, errors.GenerationError, core.ModelAPIError):
    """424: the model failed while it wrote."""

    is_retryable = False


class ServerError(Answered, errors.ServerError, core.ModelAPIError):
    """Another 5xx status."""


class ServerOverflow(Answered, errors.ServerError, core.ContextOverflowError):
    """The input does not fit into the model's context, told with status 500 (llama.cpp)."""


class UnexpectedStatus(Answered, errors.UnexpectedStatus, core.ModelAPIError):
    """A redirect, or a status with no meaning here."""

    is_retryable = False


class ResponseError(Answered, errors.ResponseError, core.ModelAPIError):
    """A 2xx answer that is not what the task promises."""

    is_retryable = False


class DecodeError(ResponseError, errors.DecodeError):
    """The answer cannot be read: broken JSON, base64 or UTF-8."""


class ShapeError(ResponseError, errors.ShapeError):
    """The answer is readable but of another shape than any that the task knows."""


class UnexpectedContent(ResponseError, errors.UnexpectedContent):
    """HTML, or text where media was promised."""


class EmptyResponse(ResponseError, errors.EmptyResponse):
    """A 2xx answer without a body."""


class ResponseTooLarge(ResponseError, errors.ResponseTooLarge):
    """The answer is larger than the cap, or inflates beyond it."""


class ReportedError(ResponseError, errors.ReportedError):
    """Status 200, but the body reports an error; `code` is the server's error type."""


class ReportedOverflow(Answered, errors.ReportedError, core.ContextOverflowError):
    """The input does not fit into the model's context, told with status 200."""


class TransportError(errors.TransportError, core.ModelConnectionError):
    """No whole answer came."""


class ConnectError(TransportError, errors.ConnectError):
    """No connection: refused, unknown host, TLS or proxy trouble."""


class ConnectionLost(TransportError, errors.ConnectionLost):
    """The connection broke after it had been there."""


class RequestTimeout(errors.RequestTimeout, core.ModelTimeoutError):
    """A single wait took too long."""


class DeadlineExceeded(RequestTimeout, errors.DeadlineExceeded):
    """The total time of the call is used up."""


class StreamInterrupted(errors.StreamInterrupted, core.ModelConnectionError):
    """The stream ended without a terminal mark; `partial` is the answer as far as it came."""


class StreamTimeout(core.ModelTimeoutError, StreamInterrupted, errors.StreamTimeout):
    """A stream that had begun was silent for too long, or its time was used up; `partial` is what came before."""


class StreamReportedError(errors.StreamReportedError, core.ModelAPIError):
    """The server reported an error midway; `code` is its type, `partial` what came before."""

    is_retryable = False


class JobFailed(errors.JobFailed, core.ModelAPIError):
    """The provider's job ended without a result, or in a state that nobody knows."""

    is_retryable = False


class JobTimeout(errors.JobTimeout, core.ModelTimeoutError):
    """The job goes on, but the time for the call is used up: `resume(error.handle)` waits on."""


class StreamOverflow(errors.StreamReportedError, core.ContextOverflowError):
    """The input does not fit into the model's context, told midway."""


class StreamProtocolError(errors.StreamProtocolError, core.ModelAPIError):
    """An event of the stream cannot be read; `partial` is the answer as far as it came."""

    is_retryable = False


class InputError(errors.InputError, core.ModelInvalidRequestError):
    """A call was refused before anything was sent."""


class ConfigurationError(InputError, errors.ConfigurationError):
    """A token, URL, provider or option that cannot work."""


class MediaError(errors.MediaError, core.ModelInvalidRequestError):
    """A file, URL or its bytes cannot be used as the media that the model takes."""


class MissingExtra(errors.MissingExtra, core.ModelError):
    """An optional package is not installed; the message names the extra."""


class LocalBackendError(errors.LocalBackendError, core.ModelError):
    """The embedded backend cannot do what was asked."""


class ClientClosed(errors.ClientClosed, core.ModelError):
    """The model was closed before this call."""


class StreamConsumed(errors.StreamConsumed, core.ModelError):
    """The stream is read out of turn: twice, or its end before it came."""


OVERFLOWS: Final[Mapping[type[HfError], type[HfError]]] = {
    errors.InvalidRequest: ContextOverflow, errors.ServerError: ServerOverflow,
    errors.ReportedError: ReportedOverflow, errors.StreamReportedError: StreamOverflow,
}  # fmt: skip
TWINS: Final[Mapping[type[HfError], type[HfError]]] = {
    getattr(errors, name): kind
    for name, kind in list(globals().items())
    if isinstance(kind, type)
    and issubclass(kind, HfError)
    and issubclass(kind, core.ModelError)
    and name in vars(errors)
}
"""The class here for each class of the client: the one with its name."""


class model_errors:  # noqa: N801 - it reads as a verb: with model_errors(): ...
    """Around each call of a client: an HfError that leaves it is one of the classes here, with all that it had.

    The error stays the same object (its class is changed), so its attributes, cause, notes and traceback are kept and
    nothing is added to the traceback. Works the same around code that awaits.
    """

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, HfError):
            _become(error)


def _become(error: HfError) -> None:
    kind = type(error)
    twin = OVERFLOWS[kind] if kind in OVERFLOWS and overflows(error) else TWINS.get(kind)
    if twin is None:  # it is one already, or a class of somebody else's
        return
    error.__class__ = twin
    passing = _passing(error)
    if passing is not None:
        error.is_retryable = passing  # type: ignore[attr-defined]


def _passing(error: HfError) -> bool | None:
    """Whether this error may pass, where that is another answer than its class gives; None where it is not."""
    if isinstance(error, TransportError):
        return None if error.retryable else False
    if isinstance(error, errors.InvalidRequest):
        return True if error.status in PASSING else None
    if isinstance(error, ReportedError | StreamReportedError):
        return True if PASSING_CODES.search(str(error.code)) else None
    return None
