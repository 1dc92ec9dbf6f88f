"""Every error that this package raises on purpose.

    HfError
    ├─ InputError (ValueError)            refused before anything was sent
    │  └─ ConfigurationError              token, URL, provider or option
    ├─ MissingExtra (ImportError)         an optional package is not installed
    ├─ LocalBackendError                  the embedded backend cannot do it
    ├─ ClientClosed (RuntimeError)        the client was closed before
    ├─ TransportError (ConnectionError)   no whole answer came
    │  ├─ ConnectError                    no connection: refused, DNS, TLS, proxy
    │  ├─ ConnectionLost                  broken after it was there
    │  └─ RequestTimeout (TimeoutError)   a single wait was too long
    │     └─ DeadlineExceeded             the total time is used up
    ├─ StatusError                        the server answered 3xx, 4xx or 5xx
    │  ├─ InvalidRequest                  400, 413, 415, 422 and the like
    │  │  └─ TabularWarnings              400 that carries an output and warnings
    │  ├─ AuthenticationError             401
    │  ├─ PaymentRequired                 402
    │  ├─ PermissionDenied                403
    │  ├─ NotFound                        404, 410
    │  ├─ RateLimited                     429
    │  ├─ ModelLoading                    503 while the model loads
    │  ├─ Overloaded                      503, 529 and the like
    │  ├─ GenerationError                 424: the model failed while it wrote
    │  ├─ ServerError                     other 5xx
    │  └─ UnexpectedStatus                a redirect or another status
    ├─ ResponseError                      2xx, but not what the task promises
    │  ├─ DecodeError                     not readable: JSON, base64, UTF-8
    │  ├─ ShapeError                      readable, of another shape
    │  ├─ UnexpectedContent               HTML, or text instead of media
    │  ├─ EmptyResponse                   no body at all
    │  ├─ ResponseTooLarge                above the cap
    │  └─ ReportedError                   200 with {"error": ...}
    ├─ StreamError
    │  ├─ StreamInterrupted               ended without a terminal mark
    │  │  └─ StreamTimeout (TimeoutError) the server was silent, or the time was used up
    │  ├─ StreamProtocolError             an event that cannot be read
    │  ├─ StreamReportedError             the server reported an error midway
    │  └─ StreamConsumed (RuntimeError)   read out of turn
    ├─ JobError                           about work that goes on at a provider; `handle` resumes it
    │  ├─ JobFailed                       it has ended without a result
    │  └─ JobTimeout (TimeoutError)       it goes on, but the time for the call is used up
    └─ MediaError (ValueError)            a file or its bytes are not usable

`str(error)` says what happened, where and what to do next, on at most 700 characters; nothing secret is in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SECRET = r"\b(hf_|api_org_|sk-|r8_)[A-Za-z0-9_-]{8,}"
CONTROL = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
EXCERPT = 200  # characters of an answer that a message shows


def shown(value: object, limit: int = EXCERPT) -> str:
    """A value as one safe line: control characters escaped, tokens masked, cut to `limit` characters."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = re.sub(SECRET, r"\1***", text[: limit * 8])
    text = re.sub(CONTROL, lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)
    return text if len(text) <= limit else text[:limit] + "…"


class HfError(Exception):
    """Base class of every error that this package raises on purpose.

    `task`, `model`, `provider` and `url` say where; `hint` what to do next; each may be None.
    """

    def __init__(self, message: str, *, hint: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.task: str | None = None
        self.model: str | None = None
        self.provider: str | None = None
        self.url: str | None = None
        for name, value in details.items():
            setattr(self, name, value)

    def at(self, **place: str | None) -> HfError:
        """Fill in where it happened, as far as that is not known yet; returns the error itself."""
        vars(self).update({name: value for name, value in place.items() if value and not getattr(self, name, None)})
        return self

    def __str__(self) -> str:
        known = [(name, getattr(self, name)) for name in ("task", "model", "provider", "url")]
        where = ", ".join(f"{name} {shown(value)}" for name, value in known if value)
        text = self.message if not where else f"{self.message} ({where})"
        return shown(text if not self.hint else f"{text}. {self.hint}", 699)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(cls: type[HfError], args: tuple[Any, ...], state: dict[str, Any]) -> HfError:
    error = cls.__new__(cls, *args)
    error.args, error.__dict__ = args, state
    return error


class InputError(HfError, ValueError):
    """Refused before anything was sent: names the parameter, its value and what is allowed."""


class ConfigurationError(InputError):
    """A token, URL, provider or option that cannot work."""


class MissingExtra(HfError, ImportError):
    """An optional package is not installed; the message names the extra."""


class LocalBackendError(HfError):
    """The embedded backend cannot do what was asked."""


class ClientClosed(HfError, RuntimeError):
    """The client was closed before this call."""


class TransportError(HfError, ConnectionError):
    """No whole answer came.

    `sent` is False where the server cannot have seen the request; `retryable` where another attempt may do better.
    """

    sent: bool = True
    retryable: bool = True


class ConnectError(TransportError):
    """No connection: refused, unknown host, TLS or proxy trouble."""

    sent: bool = False


class ConnectionLost(TransportError):
    """The connection broke after it had been there."""


class RequestTimeout(TransportError, TimeoutError):
    """A single wait (connect, write, first byte, next byte) took too long."""


class DeadlineExceeded(RequestTimeout):
    """The total time of the call is used up."""


class StatusError(HfError):
    """The server answered with a 3xx, 4xx or 5xx status.

    `status`, `headers`, `body` (at most 64 KiB), `code` (the server's error type), `request_id`,
    `retry_after` and `estimated_time` (seconds, or None), `warnings`, `attempts`.
    """

    status: int = 0
    headers: Mapping[str, str]
    body: bytes = b""
    code: str | None = None
    request_id: str | None = None
    retry_after: float | None = None
    estimated_time: float | None = None
    warnings: tuple[str, ...] = ()
    attempts: int = 1


class InvalidRequest(StatusError):
    """The server refuses the request as it is (400, 413, 415, 422 and the like)."""


class TabularWarnings(InvalidRequest):
    """A tabular model answered with warnings; `output` holds its predictions."""

    output: Any = None


class AuthenticationError(StatusError):
    """401: no token, or one that the server does not know."""


class PaymentRequired(StatusError):
    """402: the included credits are used up."""


class PermissionDenied(StatusError):
    """403: the token may not do this, or the model is gated."""


class NotFound(StatusError):
    """404 or 410: no such model, task or route."""


class RateLimited(StatusError):
    """429: too many requests; `retry_after` tells how long to wait, if the server did."""


class ModelLoading(StatusError):
    """503 while the model is being loaded; `estimated_time` in seconds, if the server told."""


class Overloaded(StatusError):
    """503, 529 and the like: the server has no room now."""


class GenerationError(StatusError):
    """424: the model failed while it wrote."""


class ServerError(StatusError):
    """Another 5xx status."""


class UnexpectedStatus(StatusError):
    """A redirect (never followed with a request body), or a status with no meaning here."""


class ResponseError(HfError):
    """A 2xx answer that is not what the task promises; `status`, `headers`, `body` (at most 64 KiB)."""

    status: int = 200
    headers: Mapping[str, str]
    body: bytes = b""
    request_id: str | None = None


class DecodeError(ResponseError):
    """The answer cannot be read: broken JSON, base64 or UTF-8."""


class ShapeError(ResponseError):
    """The answer is readable but of another shape than any that the task knows."""


class UnexpectedContent(ResponseError):
    """HTML, text where media was promised, or a body that is packed as nobody asked for."""


class EmptyResponse(ResponseError):
    """A 2xx answer without a body."""


class ResponseTooLarge(ResponseError):
    """The answer is larger than the cap, or inflates beyond it."""


class ReportedError(ResponseError):
    """Status 200, but the body reports an error; `code` is the server's error type."""

    code: str | None = None


class StreamError(HfError):
    """Something about a stream; `partial` is the answer as far as it came."""

    partial: Any = None


class StreamInterrupted(StreamError):
    """The stream ended without a terminal mark; `partial` is the answer as far as it came."""


class StreamTimeout(StreamInterrupted, TimeoutError):
    """A stream was silent for too long, or its time was used up."""


class StreamProtocolError(StreamError):
    """An event of the stream cannot be read; `partial` is the answer as far as it came."""


class StreamReportedError(StreamError):
    """The server reported an error midway; `code` is its type, `partial` what came before."""

    code: str | None = None


class StreamConsumed(StreamError, RuntimeError):
    """The stream is read out of turn: twice, or its end before it came."""


class JobError(HfError):
    """About work at a provider; `handle` is what `resume` takes, `state` the provider's own word."""

    handle: Any = None
    state: str = ""


class JobFailed(JobError):
    """The provider's job ended without a result, or in a state that nobody knows."""


class JobTimeout(JobError, TimeoutError):
    """The job goes on, but the time for the call is used up: `resume(error.handle)` waits on."""


class MediaError(HfError, ValueError):
    """A file, URL or its bytes cannot be used as the media that the task takes."""
