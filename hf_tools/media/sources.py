"""What a Python caller may pass as media: checked here, read later by the client's driver."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Protocol, TypeAlias, cast, runtime_checkable

from pydantic import PlainValidator, WithJsonSchema

from hf_tools.errors import MediaError, shown
from hf_tools.media import Audio, Image, Media, Video

MAX_INPUT = 256 * 2**20
"""Bytes of a file or URL that is read as an input."""


@runtime_checkable
class PilImage(Protocol):
    """What is needed of a PIL image; Pillow itself is not imported."""

    @property
    def mode(self) -> str: ...

    @property
    def size(self) -> tuple[int, int]: ...

    def save(self, fp: Any, format: str | None = None, **params: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Source:
    """Media that is still to be read: exactly one of `path`, `file` and `url`."""

    kind: type[Media]
    path: Path | None = None
    file: BinaryIO | None = None
    url: str | None = None

    def read(self) -> bytes:
        """The bytes of the path or file object; MediaError where that is not possible. Blocks."""
        try:
            if self.path is None:
                data = cast(BinaryIO, self.file).read(MAX_INPUT + 1)
            else:
                with self.path.open("rb") as opened:
                    data = opened.read(MAX_INPUT + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise MediaError(f"cannot read {self}: {reason}", hint="Check that it is a readable file") from error
        if not isinstance(data, bytes):
            raise MediaError(f"{self} gives text", hint='Open the file with mode "rb"')
        return data

    def media(self, data: bytes, declared: str = "") -> Media:
        """The bytes that were read, as media of the wanted kind; MediaError where they cannot be that."""
        if len(data) > MAX_INPUT:
            raise MediaError(f"{self} is larger than {MAX_INPUT // 2**20} MiB")
        return _checked(self.kind(data, declared), str(self))

    def __str__(self) -> str:
        if self.path is not None:
            return f"the file {shown(self.path.name)}"
        return "the file object" if self.url is None else f"the URL {shown(self.url.partition('?')[0])}"


def _checked(media: Media, where: str) -> Media:
    if not media.data:
        raise MediaError(f"{where} is empty")
    kind = media.mime_type.partition("/")[0]
    if kind in ("image", "audio", "video") and kind != media.kind and media.kind != "media":
        raise MediaError(f"{where} is {media.mime_type}, not {media.kind}")
    if media.data.lstrip()[:1] == b"<" and media.mime_type in ("text/html", "application/octet-stream"):
        raise MediaError(f"{where} is HTML or XML, not {media.kind}")
    return media


def source(kind: type[Media], value: object) -> Media | Source:
    """Media, or where to read it from: bytes, path, URL, data URI, file object, PIL image or a result."""
    if isinstance(value, Media):
        return _checked(kind(value.data, value.mime_type), "the media")
    if isinstance(value, bytes | bytearray | memoryview):
        return _checked(kind(bytes(value)), "the data")
    if isinstance(value, str):
        return _from_text(kind, value)
    if isinstance(value, os.PathLike):
        return Source(kind, path=Path(cast("os.PathLike[str]", value)))
    if isinstance(value, PilImage) and kind is Image:
        return _from_pil(value)
    if hasattr(value, "read"):
        return Source(kind, file=cast(BinaryIO, value))
    raise ValueError(f"expected {ACCEPTED}, got {type(value).__name__}")


ACCEPTED = "bytes, a path, a URL, a data: URI, a file object or a result of another task"


def _from_text(kind: type[Media], text: str) -> Media | Source:
    scheme = text[:12].lower().partition(":")[0]
    if scheme == "data":
        return _checked(kind.from_base64(text), "the data: URI")
    if scheme in ("http", "https"):
        return Source(kind, url=text)
    if scheme in ("file", "ftp", "hf-media"):
        raise ValueError(f"{scheme}: URLs are not read here; pass {ACCEPTED}")
    if not text.strip() or "\0" in text:
        raise ValueError(f"an empty path; pass {ACCEPTED}")
    return Source(kind, path=Path(text))


def _from_pil(picture: PilImage) -> Image:
    buffer = BytesIO()
    picture.save(buffer, format="PNG")
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


def read(value: object) -> Media:
    """The media of a task's field; the exchange has read it before anything is encoded."""
    if isinstance(value, Media):
        return value
    raise MediaError(f"not read yet: {shown(value)}")
