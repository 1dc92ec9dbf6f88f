"""What a Python caller may pass as media: checked here, read later by the client's driver."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Protocol, TypeAlias, cast, runtime_checkable

from pydantic import PlainValidator, WithJsonSchema

from hf_tools.errors import MediaError, shown
from hf_tools.media import Audio, Image, Media, Video
from hf_tools.media.source import Source, checked


@runtime_checkable
class PilImage(Protocol):
    """What is needed of a PIL image; Pillow itself is not imported."""

    @property
    def mode(self) -> str:
        """Kind of its pixels, such as `RGB`."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        ...

    def save(self, fp: Any, format: str | None = None, **params: Any) -> None:  # noqa: A002 - Pillow's name
        """Write the picture to a path or file object."""
        ...


def source(kind: type[Media], value: object) -> Media | Source:
    """Media, or where to read it from: bytes, path, URL, data URI, file object, PIL image or a result.

    A ValueError for anything else, whatever the caller's object raises when it is looked at.
    """
    try:
        return _source(kind, value)
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"{type(value).__name__} cannot be used: {type(error).__name__}; pass {ACCEPTED}") from error


def _source(kind: type[Media], value: object) -> Media | Source:
    if isinstance(value, Source):
        return replace(value, kind=kind)
    if isinstance(value, Media):
        return checked(kind(value.data, value.mime_type), "the media")
    if isinstance(value, bytes | bytearray | memoryview):
        return checked(kind(bytes(cast(bytes, value))), "the data")
    if isinstance(value, str):
        return _from_text(kind, value)
    if isinstance(value, os.PathLike):
        # one that gives bytes is refused as any other mistake, by the TypeError of Path
        return Source(kind, path=Path(cast("os.PathLike[str]", value)))
    if isinstance(value, PilImage) and kind is Image:
        return _from_pil(value)
    if callable(getattr(value, "read", None)):
        return Source(kind, file=cast(BinaryIO, value))
    raise ValueError(f"expected {ACCEPTED}, got {type(value).__name__}")


ACCEPTED = "bytes, a path, a URL, a data: URI, a file object or a result of another task"


def _from_text(kind: type[Media], text: str) -> Media | Source:
    scheme, colon, _ = text[:12].lower().partition(":")
    scheme = scheme if colon else ""
    if scheme == "data":
        return checked(kind.from_base64(text), "the data: URI")
    if scheme in ("http", "https"):
        return Source(kind, url=text)
    if scheme in ("file", "ftp", "hf-media"):
        raise ValueError(f"{scheme}: URLs are not read here; pass {ACCEPTED}")
    if not text.strip() or "\0" in text:
        raise ValueError(f"an empty path; pass {ACCEPTED}")
    return Source(kind, path=Path(text))


def _from_pil(picture: PilImage) -> Image:
    buffer = BytesIO()
    try:
        picture.save(buffer, format="PNG")
    except Exception as error:
        reason = f"the PIL image of mode {shown(picture.mode, 20)} cannot be written as PNG: {shown(error)}"
        raise MediaError(reason, hint='Pass image.convert("RGB")') from error
    return Image(buffer.getvalue())


Readable: TypeAlias = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO | Media
ImageInput: TypeAlias = Annotated[
    Readable | PilImage,
    PlainValidator(partial(source, Image)),
    WithJsonSchema({"type": "string", "description": "A path, URL or data: URI of the image."}),
]
AudioInput: TypeAlias = Annotated[
    Readable,
    PlainValidator(partial(source, Audio)),
    WithJsonSchema({"type": "string", "description": "A path, URL or data: URI of the sound."}),
]
VideoInput: TypeAlias = Annotated[
    Readable,
    PlainValidator(partial(source, Video)),
    WithJsonSchema({"type": "string", "description": "A path, URL or data: URI of the film."}),
]
AnyInput: TypeAlias = Annotated[
    Readable,
    PlainValidator(partial(source, Media)),
    WithJsonSchema({"type": "string", "description": "A path, URL or data: URI."}),
]


def read(value: object) -> Media:
    """The media of a task's field; the exchange has read it before anything is encoded."""
    if isinstance(value, Media):
        return value
    raise MediaError(f"not read yet: {shown(value)}")


def link(value: object) -> str | None:
    """The URL of a task's field that has not been read, for servers that read it themselves; else None.

    None too for a URL that a model has named: it goes to no server.
    """
    return value.url if isinstance(value, Source) and value.policy is None else None
