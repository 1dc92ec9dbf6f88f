"""The dialects of the wire, read and written by content: what many tasks share."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Hashable, Mapping
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from hf_tools.errors import DecodeError, EmptyResponse, InputError, MediaError, ReportedError, ShapeError, shown
from hf_tools.errors import UnexpectedContent as NotWhatWasAsked
from hf_tools.media import Media
from hf_tools.task import Body, Reply, Route, Task, cannot

T = TypeVar("T")
M = TypeVar("M", bound=Media)

TOOLKIT_TYPES = frozenset(
    "image/png image/jpeg image/tiff image/bmp image/gif image/webp audio/flac audio/mpeg audio/wav audio/ogg "
    "audio/webm audio/AMR audio/AMR-WB audio/m4a".split()
)
"""Content types that the inference toolkit matches exactly, of those that `sniff` names."""


# writing


def as_json(value: Any, *, path: str = "", accept: str = "*/*") -> Body:
    """A JSON body; the content type is exactly `application/json`, the only form that the toolkit matches."""
    try:
        return Body(to_json(value, inf_nan_mode="strings"), "application/json", path, accept)
    except (ValueError, TypeError) as error:
        raise InputError(f"the arguments cannot be written as JSON: {shown(error)}") from error


def inputs(
    route: Route, value: Any, parameters: Mapping[str, Any] | None = None, *,
    path: str = "", accept: str = "*/*", always: bool = False, root: Mapping[str, Any] | None = None,
) -> Body:  # fmt: skip
    """`{"inputs": ..., "parameters": {...}}`; empty parameters are left out unless `always`.

    Left out, because a TGI server samples without `parameters` and is greedy with an empty one.
    """
    body: dict[str, Any] = {"inputs": value, **(root or {})}
    if parameters or always:
        body["parameters"] = dict(parameters or {})
    if route.options:
        body["options"] = dict(route.options)
    return as_json(body, path=path, accept=accept)


def binary(
    task: Task[Any], route: Route, media: Media, parameters: Mapping[str, Any], *, accept: str = "*/*"
) -> Body:
    """Raw bytes with their type; base64 in JSON as soon as there is a parameter, for the two exclude each other."""
    if parameters or route.options:
        return inputs(route, media.base64, parameters, accept=accept, always=True)
    mime: str | None = media.mime_type
    if route.server == "toolkit" and mime not in TOOLKIT_TYPES:
        raise cannot(task, route, f"{media.kind} data of type {mime}", f"It takes {', '.join(sorted(TOOLKIT_TYPES))}")
    return Body(media.data, None if mime == "application/octet-stream" else mime, accept=accept)


def openai_path(url: str, path: str) -> str:
    """The URL of an OpenAI-shaped route: a base that ends in /v1 or in a route of its own keeps its prefix."""
    base, mark, query = url.partition("?")
    base = base.rstrip("/")
    if base.endswith("/chat/completions") and path.endswith("/chat/completions"):
        return base + mark + query
    cut = re.sub(r"(?<=/)(chat/completions|completions|embeddings|models)$", "", base).rstrip("/")
    if cut != base or cut.endswith("/v1"):
        path = path.removeprefix("/v1")
    return cut + path + mark + query


def url_of(route: Route, path: str) -> str:
    """The URL of a request: the path is added before the query."""
    if path.startswith("/v1/"):
        return openai_path(route.url, path)
    base, mark, query = route.url.partition("?")
    return (base.rstrip("/") + path if path else base) + mark + query


# reading


def read_json(reply: Reply) -> Any:
    """The JSON value of an answer; a ResponseError for an empty body, HTML, broken JSON or a reported error."""
    value = loads(reply.content)
    if isinstance(value, dict):
        report = reported(value)
        if report is not None:
            raise ReportedError(f"the server answered {reply.status} with an error: {report[0]}", code=report[1])
    return value


def loads(content: bytes) -> Any:
    """Parse JSON bytes, tolerant of a byte order mark, NaN and invalid UTF-8 inside of strings."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        raise EmptyResponse("the answer is empty")
    if content.lstrip()[:1] == b"<":
        title = re.search(rb"<title[^>]*>([^<]*)", content[:8192], re.I)
        what = f'titled "{shown(title[1].strip(), 80)}"' if title else f"that begins {shown(content.lstrip()[:80])}"
        raise NotWhatWasAsked(f"the answer is an HTML page {what}", hint="Is the URL right, or a proxy in between?")
    try:
        return from_json(content)
    except ValueError as error:
        problem = error
    try:
        return from_json(content.decode("utf-8", "replace"))
    except ValueError:
        raise DecodeError(f"the answer is not valid JSON ({shown(problem, 80)}): {shown(content)}") from problem


def reported(value: Mapping[str, Any]) -> tuple[str, str | None] | None:
    """Message and type of the error that a JSON object reports, or None."""
    error = value.get("error")
    if not error and value.get("object") != "error":
        return None
    if isinstance(error, Mapping):
        message, kind = error.get("message") or error, error.get("type") or error.get("code")  # pyright: ignore
    elif isinstance(error, list):
        message, kind = "; ".join(str(one) for one in error), value.get("error_type")  # pyright: ignore
    else:
        message, kind = error or value.get("message") or value, value.get("error_type") or value.get("type")
    return shown(message), str(kind) if kind else None  # pyright: ignore[reportUnknownArgumentType]


@functools.cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, kind))


def parse(kind: type[T], value: Any) -> T:
    """The value as `kind`; ShapeError that says what came where it is of another shape."""
    try:
        result: T = _adapter(cast(Hashable, kind)).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise ShapeError(f"unexpected answer: {where}: {first['msg']}; it begins {excerpt(value)}") from error
    except RecursionError as error:
        raise ShapeError("unexpected answer: it is nested too deep") from error
    return result


def one(value: Any) -> Any:
    """`[x]` is x, and x is x: many servers wrap a single answer in a list."""
    if isinstance(value, list) and len(value) == 1:  # pyright: ignore[reportUnknownArgumentType]
        return value[0]  # pyright: ignore[reportUnknownVariableType]
    return value  # pyright: ignore[reportUnknownVariableType]


def many(value: Any, count: int) -> list[Any]:
    """The list of answers to `count` inputs; ShapeError where another number came."""
    answers: list[Any] = value if isinstance(value, list) else [value]
    if len(answers) != count:
        raise ShapeError(f"{count} inputs were sent, {len(answers)} answers came: {excerpt(value)}")
    return answers


def depth(value: Any) -> int:
    """How many lists are around the first item: 0 for what is no list; an empty list counts as one."""
    levels = 0
    while isinstance(value, list):
        levels, value = levels + 1, value[0] if value else None  # pyright: ignore[reportUnknownVariableType]
    return levels


def excerpt(value: Any) -> str:
    """The beginning of a JSON value, for a message."""
    try:
        return shown(json.dumps(value, default=repr, ensure_ascii=False)[:1000])
    except (ValueError, RecursionError):
        return shown(repr(type(value)))


def media_body(kind: type[M], reply: Reply) -> M | Any:
    """The answer as media, or its JSON value where it is JSON; never text or HTML dressed up as media."""
    content, declared = reply.content, reply.content_type
    if not content:
        raise EmptyResponse("the answer is empty")
    media = kind(content, declared)
    found = media.mime_type.partition("/")[0]
    if found == kind.kind:
        return media
    if found in ("image", "audio", "video"):
        raise NotWhatWasAsked(f"the answer is {media.mime_type}, not {kind.kind}")
    if declared.endswith("json") or content.lstrip()[:1] in (b"{", b"[", b'"', b"<"):
        return read_json(reply)
    if declared.startswith("text/"):
        raise NotWhatWasAsked(f"the answer is text, not {kind.kind}: {shown(content)}")
    return media


def from_base64(kind: type[M], value: Any, what: str) -> M:
    """Base64 or a data: URI of an answer as media; DecodeError that names `what` where it is neither."""
    if not isinstance(value, str) or not value:
        raise ShapeError(f"unexpected answer: {what} is {excerpt(value)}, not base64")
    try:
        return kind.from_base64(value)
    except MediaError as error:
        raise DecodeError(f"{what}: {error.message}") from error
