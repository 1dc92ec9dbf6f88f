"""What the media tasks share: scored labels, boxes, generated media, and media that an answer holds as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from hf_tools.answer import Answer
from hf_tools.errors import ShapeError, shown
from hf_tools.media import Media
from hf_tools.task import Reply
from hf_tools.wire import Label, Score, excerpt, from_base64, media_body

M = TypeVar("M", bound=Media)


Encoded: TypeAlias = Annotated[str, Field(min_length=1)]
"""Media as base64 or as a `data:` URI, decoded on first access."""


class Scored(Answer):
    """A label and how sure the model is of it."""

    label: Label
    """The label, as the model names it."""
    score: Score
    """How sure the model is, mostly 0 to 1; nan where the server sent null."""


class BoundingBox(Answer):
    """Where something is, in pixels from the top left corner; it may reach beyond the border."""

    xmin: int
    """Left edge."""
    ymin: int
    """Upper edge."""
    xmax: int
    """Right edge."""
    ymax: int
    """Lower edge."""


class Detected(Scored):
    """A label, how sure the model is of it, and where it is."""

    box: BoundingBox
    """Where it is."""


@with_config(ConfigDict(extra="forbid"))
class TargetSize(TypedDict):
    """Size of a picture in pixels."""

    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]


def _whole(value: float) -> float:
    return int(value) if value.is_integer() else value


Count: TypeAlias = Annotated[float, Field(gt=0), AfterValidator(_whole)]
"""A positive number, written without a point where it is whole: servers count frames with it."""


def sized(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the size as `target_size`, the form of today's servers; one side alone stays as it is."""
    found = dict(parameters)
    if "width" in found and "height" in found:
        found["target_size"] = {"width": found["width"], "height": found["height"]}
    return {name: value for name, value in found.items() if "target_size" not in found or name not in _SIDES}


_SIDES = ("width", "height")


def agree(target_size: TargetSize | None, width: int | None, height: int | None) -> None:
    """Refuse a size that is given twice and differs."""
    for name, value in (("width", width), ("height", height)):
        if target_size is not None and value is not None and dict(target_size)[name] != value:
            raise ValueError(f"`{name}` = {value} contradicts `target_size` = {dict(target_size)}")


def separate(given: Mapping[str, Any], extra: Mapping[str, Any] | None, name: str) -> None:
    """Refuse a parameter that is also in the mapping `name`: one of the two would be lost."""
    for key in extra or {}:
        if key in given:
            raise ValueError(f"`{key}` is given twice: as a parameter and in `{name}`")


def made(kind: type[M], reply: Reply) -> M:
    """The media of an answer: bytes, or JSON that holds them as base64 or as a `data:` URI.

    Some servers answer with a URL to download from. That is no media yet: the ShapeError has the URL as `link`.
    """
    value = media_body(kind, reply)
    return value if isinstance(value, kind) else within(kind, value, "the answer")


def within(kind: type[M], value: Any, what: str) -> M:
    """The first media in a JSON value; `what` names the value."""
    if isinstance(value, str):
        if value[:8].lower().startswith(("http://", "https://")):
            raise linked(kind, value, what)
        return from_base64(kind, value, what)
    if isinstance(value, list) and value:
        return within(kind, value[0], what)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, dict):
        for key in ("b64_json", kind.kind, f"{kind.kind}s", "data", "output", "outputs", "url", f"{kind.kind}_url"):
            if value.get(key):  # pyright: ignore[reportUnknownMemberType]
                return within(kind, value[key], f"`{key}`")  # pyright: ignore[reportUnknownArgumentType]
    raise ShapeError(f"unexpected answer: {what} holds no {kind.kind}: it begins {excerpt(value)}")


def linked(kind: type[Media], url: str, what: str) -> ShapeError:
    """The error for media that the answer only links to; `link` is the URL, which may be signed."""
    where = shown(url.partition("?")[0], 150)
    message = f"{what} is the URL of the {kind.kind}, not its bytes: {where}"
    return ShapeError(message, hint="Download it from the `link` of this error, without the token", link=url)
