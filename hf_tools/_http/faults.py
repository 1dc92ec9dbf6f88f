"""The errors of the HTTP library as ours."""

from __future__ import annotations

import atexit
import functools
import os
import re
import time
from contextvars import ContextVar
from types import TracebackType

import httpx

from hf_tools.errors import (
    ClientClosed,
    ConnectError,
    ConnectionLost,
    DeadlineExceeded,
    DecodeError,
    HfError,
    InputError,
    RequestTimeout,
    TransportError,
    shown,
)

DEADLINE: ContextVar[float | None] = ContextVar("DEADLINE", default=None)
"""Monotonic time at which the call of this thread ends."""


BROKEN = "disconnected|peer closed|ConnectionTerminated"
"""What the HTTP library says of a connection that has ended, and not of an answer that it cannot read."""


class Exit:
    """Whether the interpreter has begun to end: a thread that still reads is not woken then, to fail in public."""

    begun = False


@functools.cache
def at_exit() -> None:
    """Notice the end of the interpreter before connections are closed at it; call this after that was arranged."""
    atexit.register(setattr, Exit, "begun", True)


class until:  # noqa: N801 - it reads as a word: with until(deadline): ...
    """Bound what this thread waits for; an earlier bound around this one stays."""

    def __init__(self, deadline: float | None) -> None:
        outer = DEADLINE.get()
        self._bound = deadline if outer is None or (deadline is not None and deadline < outer) else outer

    def __enter__(self) -> None:
        """Set the bound."""
        self._token = DEADLINE.set(self._bound)

    def __exit__(self, *_: object) -> None:
        DEADLINE.reset(self._token)


class ours:  # noqa: N801
    """Turn the errors of the HTTP library into ours."""

    def __init__(self, deadline: float | None) -> None:
        self._deadline = deadline

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if not isinstance(error, Exception) or isinstance(error, HfError):
            return
        known = _of_httpx(error)
        ended = self._deadline is not None and time.monotonic() >= self._deadline
        if ended and isinstance(known, httpx.TimeoutException):
            raise late() from known
        raise _translated(known) from known


def late() -> DeadlineExceeded:
    return DeadlineExceeded("the time for the call is used up", hint="Raise `timeout`")


def _of_httpx(error: Exception) -> Exception:
    """Errors of httpcore, and those that a tool has made of them, as those of the same name in httpx."""
    for kind in type(error).__mro__:
        same: type[Exception] | None = getattr(httpx, kind.__name__, None)
        if kind.__module__.partition(".")[0] == "httpcore" and same is not None:
            made = same(str(error))
            made.__cause__ = error
            return made
    return error


def _translated(error: Exception) -> HfError:
    text = shown(str(error) or type(error).__name__)
    match error:
        case httpx.PoolTimeout():
            message = "no connection became free: too many calls or unread streams are open"
            return RequestTimeout(message, sent=False, retryable=False)
        case httpx.ConnectTimeout():
            why = f": {text}" if "resolution" in text else ""
            return RequestTimeout(f"no connection within the connect timeout{why}", sent=False)
        case httpx.TimeoutException():
            message = f"the server was silent for too long ({type(error).__name__})"
            return RequestTimeout(message, hint="Raise `timeout`, or pass Timeout(read=...)")
        case httpx.ConnectError() | httpx.ProxyError() | httpx.UnsupportedProtocol():
            return _unconnected(error, text)
        case httpx.RemoteProtocolError() if "location" in text.lower():
            return TransportError(f"the answer redirects to no valid address: {text}", retryable=False)
        case httpx.RemoteProtocolError() if not re.search(BROKEN, text):
            hint = "Is the address, with its port, that of the inference server?"
            return TransportError(f"the answer is not HTTP as it should be: {text}", hint=hint, retryable=False)
        case httpx.TransportError():
            return ConnectionLost(f"the connection broke: {text}")
        case httpx.DecodingError():
            return DecodeError(f"the answer cannot be decompressed: {text}")
        case httpx.InvalidURL():
            return InputError(f"not a valid URL: {text}")
        case RuntimeError() if "closed" in text:
            return ClientClosed("the client was closed", hint="Make a new one, or leave its `with` block later")
        case _:
            return TransportError(f"{type(error).__name__}: {text}", retryable=False)


def _unconnected(error: httpx.RequestError, text: str) -> ConnectError:
    if "All connection attempts failed" in text:
        text = _first(error)
    lowered = text.lower()
    if "wrong version number" in lowered or "wrong_version_number" in lowered or "record layer" in lowered:
        hint = "Nothing there speaks TLS: is it http:// instead of https://, or another port?"
        return ConnectError(f"no secure connection: {text}", hint=hint, retryable=False)
    if "certificate" in lowered or "ssl" in lowered:
        hint = "Fix the certificate, or pass http_client= with a CA file; do not switch verification off"
        return ConnectError(f"no secure connection: {text}", hint=hint, retryable=False)
    if isinstance(error, httpx.ProxyError):
        hint = "The proxy of HTTP_PROXY, HTTPS_PROXY or ALL_PROXY refuses: are its user and password right?"
        return ConnectError(f"no connection through the proxy: {text}", hint=hint, retryable=False)
    if "name or service" in lowered or "getaddrinfo" in lowered or "name resolution" in lowered:
        return ConnectError(f"the host name cannot be resolved: {text}", hint="Is the name right, and are you online?")
    return ConnectError(f"no connection: {text}", retryable=isinstance(error, httpx.ConnectError))


def _first(error: BaseException | None) -> str:
    """The system's word for what an error goes back to; asyncio's way of connecting hides it."""
    number = 0
    while error is not None:
        number = getattr(error, "errno", None) or number
        error = error.__cause__ or error.__context__
    return f"[Errno {number}] {os.strerror(number)}"
