"""The dialects of the wire, read and written by content: what many tasks share."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
from collections.abc import Hashable, Mapping
from typing import Annotated, Any, TypeAlias, TypeVar, cast

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from hf_tools.errors import (
    EXCERPT,
    DecodeError,
    EmptyResponse,
    InputError,
    MediaError,
    ReportedError,
    ShapeError,
    shown,
)
from hf_tools.errors import UnexpectedContent as NotWhatWasAsked
from hf_tools.loose import items, rows, table
from hf_tools.media import Media, sniff
from hf_tools.task import Body, Reply, Route, Task, cannot

T = TypeVar("T")
M = TypeVar("M", bound=Media)

MOST_WRONG = 1000
"""Wrong values of an answer that are looked at one by one: pydantic takes a kilobyte for each of them."""
TOOLKIT_TYPES = frozenset(
    f"image/{kind}" for kind in ("png", "jpeg", "tiff", "bmp", "gif", "webp")
) | frozenset(
    f"audio/{kind}" for kind in ("flac", "mpeg", "wav", "ogg", "webm", "AMR", "AMR-WB", "m4a")
)  # fmt: skip
"""Content types that the inference toolkit matches exactly, of those that `sniff` names."""


# writing


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def as_json(value: Any, *, path: str = "", accept: str = "*/*") -> Body:
    """A JSON body; the content type is exactly `application/json`, the only form that the toolkit matches."""
    try:
        content = to_json(value, inf_nan_mode="constants")
        if b"NaN" in content or b"Infinity" in content:
            json.loads(content, parse_constant=_refused)
        return Body(content, "application/json", path, accept)
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


def binary(task: Task[Any], route: Route, media: Media, parameters: Mapping[str, Any], *, accept: str = "*/*") -> Body:
    """Raw bytes with their type; base64 in JSON as soon as there is a parameter, for the two exclude each other."""
    if parameters or route.options:
        return inputs(route, media.base64, parameters, accept=accept, always=True)
    mime: str | None = media.mime_type
    if route.server == "toolkit" and mime not in TOOLKIT_TYPES:
        raise cannot(task, route, f"{media.kind} data of type {mime}", f"It takes {', '.join(sorted(TOOLKIT_TYPES))}")
    return Body(media.data, None if mime == "application/octet-stream" else mime, accept=accept)


def multipart(name: str, media: Media, values: Mapping[str, Any], *, path: str = "", accept: str = "*/*") -> Body:
    """A `multipart/form-data` body: the media as a file, then the values; what is neither text nor number is JSON.

    The boundary is made from the content: the same request is the same bytes, as its recording expects.
    """
    extension = "wav" if media.extension == "bin" else media.extension
    head = f'{_disposition(name)}; filename="{media.kind}.{extension}"\r\nContent-Type: {media.mime_type}'
    parts = [(head, media.data)]
    for key, value in values.items():
        text = value if isinstance(value, str) else as_json(value).content.decode()
        parts.append((_disposition(key), text.encode("utf-8", "surrogatepass")))
    boundary = "hf-tools-" + hashlib.sha256(b"\0".join(head.encode() + data for head, data in parts)).hexdigest()[:32]
    lines = [b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary.encode(), head.encode(), data) for head, data in parts]
    content = b"".join([*lines, b"--%b--\r\n" % boundary.encode()])
    return Body(content, f"multipart/form-data; boundary={boundary}", path, accept)


def _disposition(name: str) -> str:
    """The header line of a part; quotes and line breaks are escaped as browsers do it."""
    escaped = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return f'Content-Disposition: form-data; name="{escaped}"'


# reading


def read_json(reply: Reply) -> Any:
    """The JSON value of an answer; a ResponseError for an empty body, HTML, broken JSON or a reported error."""
    value = loads(reply.content)
    report = reported(table(value))
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
    inner = table(error)
    kind = inner.get("type") or inner.get("code") or value.get("error_type") or value.get("type")
    message = inner.get("message") or "; ".join(str(row) for row in items(error)) or error or value.get("message")
    return shown(message or dict(value)), str(kind) if kind else None


@functools.cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, kind))


def parse(kind: type[T], value: Any) -> T:
    """The value as `kind`; ShapeError that says what came where it is of another shape."""
    try:
        result: T = _adapter(cast(Hashable, kind)).validate_python(value)
    except ValidationError as error:
        if error.error_count() > MOST_WRONG:
            said = f"unexpected answer: {error.error_count()} values are of another shape; it begins {excerpt(value)}"
            raise ShapeError(said) from None  # the error holds all of them
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise ShapeError(f"unexpected answer: {where}: {first['msg']}; it begins {excerpt(value)}") from error
    return result


def one(value: Any) -> Any:
    """`[x]` is x, and x is x: many servers wrap a single answer in a list."""
    if isinstance(value, list) and len(value) == 1:  # pyright: ignore[reportUnknownArgumentType]
        return value[0]  # pyright: ignore[reportUnknownVariableType]
    return value  # pyright: ignore[reportUnknownVariableType]


def many(value: Any, count: int) -> list[Any]:
    """The list of answers to `count` inputs; ShapeError where another number came."""
    alone = [] if value is None else [value]
    answers: list[Any] = value if isinstance(value, list) else alone  # pyright: ignore[reportUnknownVariableType]
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
    return shown(json.dumps(value, default=repr, ensure_ascii=False)[:1000])


def media_body(kind: type[M], reply: Reply) -> M | Any:
    """The answer as media, or its JSON value where it is JSON; never text or HTML dressed up as media."""
    content, declared = reply.content, reply.content_type
    if not content.strip():
        raise EmptyResponse("the answer is empty")
    media = kind(content, declared)
    found, known = media.mime_type.partition("/")[0], sniff(content) is not None
    if not known and declared != "image/svg+xml" and (declared.endswith("json") or content.lstrip()[:1] in _JSON):
        try:
            return read_json(reply)
        except DecodeError:
            if found != kind.kind:  # else bytes without a magic number that begin like JSON by chance
                raise
    if found == kind.kind:
        return media
    if known or found in ("image", "audio", "video"):
        raise NotWhatWasAsked(f"the answer is {media.mime_type}, not {kind.kind}")
    if found == "text" or not _BINARY.search(content[:EXCERPT]):
        raise NotWhatWasAsked(f"the answer is text, not {kind.kind}: {shown(content)}")
    return media


_JSON = (b"{", b"[", b'"', b"<")
_BINARY = re.compile(rb"[^\t\n\r\x20-\x7e]")


def from_base64(kind: type[M], value: Any, what: str) -> M:
    """Base64 or a data: URI of an answer as media; DecodeError that names `what` where it is neither."""
    if not isinstance(value, str) or not value:
        raise ShapeError(f"unexpected answer: {what} is {excerpt(value)}, not base64")
    try:
        media = kind.from_base64(value)
    except MediaError as error:
        raise DecodeError(f"{what}: {error.message}") from error
    if not media.data:
        raise DecodeError(f"{what}: the {kind.kind} is empty")
    if sniff(media.data) and media.mime_type.partition("/")[0] != kind.kind:
        raise NotWhatWasAsked(f"{what} is {media.mime_type}, not {kind.kind}")
    return media


def _nan(value: Any) -> Any:
    return math.nan if value is None else value


Score: TypeAlias = Annotated[float, BeforeValidator(_nan)]
"""A number of an answer; null is nan, for some servers write null where the model gave nan."""
Label: TypeAlias = Annotated[str, Field(coerce_numbers_to_str=True)]
"""A name of an answer; custom handlers send numbers, too."""


def flat(value: Any) -> Any:
    """The one list that is promised: out of `[[...]]`, or around an object that came alone."""
    if isinstance(value, dict):
        return [value]  # pyright: ignore[reportUnknownVariableType]
    return one(value) if depth(value) == 2 else value


def listed(reply: Reply) -> list[str]:
    """The IDs in a list of models; ShapeError for anything else."""
    value: Any = read_json(reply)
    found = [row.get("id") for row in rows(value)] if isinstance(value, list) else [None]
    if not all(isinstance(each, str) for each in found):
        raise ShapeError(f"a list of models was asked for, and {excerpt(value)} came")
    return [str(each) for each in found]
