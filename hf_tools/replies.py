"""What an answer with an error status means: its message, its class, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic_core import from_json

from hf_tools.errors import (
    AuthenticationError,
    GenerationError,
    InvalidRequest,
    ModelLoading,
    NotFound,
    Overloaded,
    PaymentRequired,
    PermissionDenied,
    RateLimited,
    ServerError,
    StatusError,
    TabularWarnings,
    UnexpectedStatus,
    shown,
)
from hf_tools.loose import amount, items, table
from hf_tools.response import KEPT, request_id
from hf_tools.task import Reply

STATUSES: Mapping[int, tuple[type[StatusError], str | None]] = {
    401: (AuthenticationError, "Pass a valid token, set HF_TOKEN, or run `hf auth login`"),
    402: (PaymentRequired, "Buy credits or subscribe at https://huggingface.co/settings/billing, or set `bill_to`"),
    403: (PermissionDenied, 'The token needs the permission "Make calls to Inference Providers", a gated model access'),
    404: (NotFound, "Check the model ID, and that a provider serves it for this task"),
    407: (InvalidRequest, "A proxy asks for a user and a password: set them in HTTP_PROXY or HTTPS_PROXY"),
    410: (NotFound, "The model or route is gone; pick another one"),
    413: (InvalidRequest, "The request is too large: send less, or smaller media"),
    424: (GenerationError, None),
    429: (RateLimited, "Wait and try again, or raise `max_retries`"),
    503: (Overloaded, "Try again later, or raise `max_retries`"),
    529: (Overloaded, "Try again later, or raise `max_retries`"),
}


def status_error(reply: Reply, now: float) -> StatusError:
    """The error for an answer whose status is no 2xx; `now` is a Unix timestamp, for a date in Retry-After."""
    body = _json(reply.content)
    message = message_of(body) or _plain(reply)
    kind, hint = _kind(reply.status, body)
    about = table(body)
    error = kind(
        f"{reply.status} {shown(message, 400)}".rstrip(), hint=hint, status=reply.status, headers=reply.headers,
        body=reply.content[:KEPT], code=_code(about), request_id=request_id(reply.headers),
        retry_after=retry_after(reply.headers, now), estimated_time=estimated_time(about), warnings=_warnings(about),
    )  # fmt: skip
    return _tabular(error, about)


def _kind(status: int, body: Any) -> tuple[type[StatusError], str | None]:
    if status == 503 and _loading(table(body)):
        return ModelLoading, "Try again later, or set `wait_for_model`"
    if status in STATUSES:
        return STATUSES[status]
    if 300 <= status < 400:
        return UnexpectedStatus, "The server redirects, which is not followed with a request body: use its final URL"
    if 400 <= status < 500:
        return InvalidRequest, None
    return (ServerError, None) if status >= 500 else (UnexpectedStatus, None)


def _loading(body: Mapping[str, Any]) -> bool:
    return "estimated_time" in body or "loading" in str(body.get("error", "")).lower()


def _json(content: bytes) -> Any:
    try:
        return from_json(content[:KEPT]) if content.lstrip()[:1] in (b"{", b"[", b'"') else None
    except ValueError:
        return None


def message_of(body: Any) -> str:
    """The message in a JSON error body, in the order in which servers place it; an empty string for none."""
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return "; ".join(filter(None, (message_of(row) for row in items(body))))
    if not isinstance(body, dict):
        return ""
    about = table(body)
    for name in ("error", "errors", "error_description", "detail", "message", "title"):
        text = _unwrapped(about.get(name)) if name != "detail" else _detail(about.get(name))
        if text:
            return text
    return ""


def _unwrapped(value: Any) -> str:
    """A message that may be JSON in a string, an object with a message, or a list of these."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        inner = _json(value.encode())
        return message_of(inner) or value
    if isinstance(value, dict):
        return message_of(table(value)) or str(table(value) or "")
    return message_of(value)


def _detail(value: Any) -> str:
    """FastAPI's `detail`: a text, or a list of places and messages."""
    texts: list[str] = []
    for row in items(value) or [value]:
        about = table(row)
        if "msg" in about:
            place = ".".join(str(part) for part in items(about.get("loc")))
            texts.append(f"{place}: {about['msg']}".removeprefix(": "))
        else:
            texts.append(message_of(row))
    return "; ".join(filter(None, texts))


def _plain(reply: Reply) -> str:
    """The message of a body that is not JSON: text as it is, of HTML the title only, else a header."""
    content = reply.content.strip()
    if content[:1] == b"<":
        title = re.search(rb"<title[^>]*>([^<]*)", content[:8192], re.I)
        return f'HTML page titled "{shown(title[1].strip(), 80)}"' if title else "HTML page"
    if content and content[:1] not in (b"{", b"["):
        return shown(content)
    return reply.headers.get("x-error-message") or shown(content)


def _code(about: Mapping[str, Any]) -> str | None:
    inner = table(about.get("error"))
    found = about.get("error_type") or inner.get("type") or inner.get("code") or about.get("type") or about.get("code")
    return str(found) if found else None


def _warnings(about: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(shown(row) for row in items(about.get("warnings")))


def _tabular(error: StatusError, about: Mapping[str, Any]) -> StatusError:
    """scikit-learn models answer 400 with output and warnings as JSON in a string; the output is kept."""
    value = about.get("error")
    details = table(_json(value.encode()) if isinstance(value, str) else None)
    if "output" not in details:
        return error
    state = {name: value for name, value in vars(error).items() if name not in ("message", "hint")}
    hint = "`error.output` holds the predictions"
    state |= {"output": details["output"], "warnings": _warnings(details)}
    return TabularWarnings(error.message, hint=hint, **state)


def estimated_time(about: Mapping[str, Any]) -> float | None:
    """Seconds until a model is loaded, or None where the server does not tell a sensible number."""
    return amount(about.get("estimated_time"))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait as the server asks: Retry-After in seconds or as a date, or the `ratelimit` header.

    A date is compared with `now`, a Unix timestamp; past dates and negative numbers give 0 and None.
    """
    milliseconds = amount(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "").strip()
    if not value:
        reset = re.search(r"\bt=(\d{1,9})\b", headers.get("ratelimit", ""))
        return float(reset[1]) if reset else None
    plain = amount(value)
    if plain is not None:
        return plain
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError, TypeError):
        return None
