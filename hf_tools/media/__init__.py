"""Media: results and inputs as bytes with their sniffed type."""

from __future__ import annotations

import base64
import binascii
import importlib
import os
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from hf_tools.errors import MediaError, MissingExtra, shown
from hf_tools.media.sniff import EXTENSIONS, TEXTS, sniff

if TYPE_CHECKING:
    import PIL.Image

    from hf_tools.media.policy import MediaPolicy
    from hf_tools.media.store import DirectoryStore, MediaRef, MediaStore, MemoryStore

__all__ = [
    "Audio", "DirectoryStore", "Image", "Media", "MediaPolicy", "MediaRef", "MediaStore", "MemoryStore", "Text",
    "Video", "media_from", "sniff",
]  # fmt: skip

_STORES = ("DirectoryStore", "MediaRef", "MediaStore", "MemoryStore")


def __getattr__(name: str) -> Any:
    """The policy and the stores, which import this module and are needed for tools alone."""
    if name != "MediaPolicy" and name not in _STORES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{'store' if name in _STORES else 'policy'}"), name)


@dataclass(frozen=True, slots=True)
class Media:
    """Bytes with their type: sniffed from the first bytes, else as declared, else `application/octet-stream`."""

    kind: ClassVar[str] = "media"

    data: bytes = field(repr=False)
    mime_type: str = ""

    def __post_init__(self) -> None:
        mime = sniff(self.data) or self.mime_type or "application/octet-stream"
        if self.kind == "audio" and mime in ("video/webm", "video/mp4"):
            mime = {"video/webm": "audio/webm", "video/mp4": "audio/m4a"}[mime]
        object.__setattr__(self, "mime_type", mime)

    @property
    def extension(self) -> str:
        """The usual file extension of the type, without a dot; `bin` for an unknown type."""
        return EXTENSIONS.get(self.mime_type) or TEXTS.get(self.mime_type, "bin")

    @property
    def base64(self) -> str:
        """The bytes in the standard base64 alphabet, on one line."""
        return base64.b64encode(self.data).decode("ascii")

    @property
    def data_uri(self) -> str:
        """The bytes as a `data:` URI."""
        return f"data:{self.mime_type};base64,{self.base64}"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the bytes as they are; a path without a suffix gets the extension of the type. Returns the path."""
        target = Path(path)
        if not target.suffix:
            target = target.with_name(f"{target.name}.{self.extension}")
        try:
            target.write_bytes(self.data)
        except OSError as error:
            raise MediaError(f"cannot write {shown(path)}: {error.strerror}") from error
        return target

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.mime_type}, {len(self.data):,} bytes)"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """What a notebook shows: the picture, or a player."""
        bundle: dict[str, Any] = {"text/plain": repr(self)}
        if self.kind == "image":
            bundle[self.mime_type] = self.base64 if self.mime_type in ("image/png", "image/jpeg") else self.data
        if self.kind in ("audio", "video"):
            bundle["text/html"] = f'<{self.kind} controls src="{self.data_uri}"></{self.kind}>'
        return bundle

    @classmethod
    def from_base64(cls, text: str) -> Self:
        """Decode base64, with or without a `data:` URI around it; MediaError where it is not valid."""
        declared, _, encoded = text.rpartition(",") if text[:5].lower() == "data:" else ("", "", text)
        if declared and not declared.lower().endswith(";base64"):
            raise MediaError("a data: URI must be base64", hint="Write data:<type>;base64,<data>")
        try:
            data = base64.b64decode("".join(encoded.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise MediaError(f"not valid base64: {shown(encoded, 40)}") from error
        return cls(data, declared[5:].partition(";")[0])


class Image(Media):
    """A picture."""

    __slots__ = ()
    kind: ClassVar[str] = "image"

    def to_pil(self) -> PIL.Image.Image:
        """The picture as a PIL image, decoded; needs the extra `media`. MediaError where it is broken."""
        try:
            import PIL.Image
        except ImportError as error:
            raise MissingExtra("to_pil() needs Pillow: pip install 'hf-tools[media]'") from error
        try:
            picture = PIL.Image.open(BytesIO(self.data))
            picture.load()
        except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
            raise MediaError(f"the image cannot be read: {shown(error)}") from error
        return picture


@dataclass(frozen=True, slots=True, repr=False)
class Audio(Media):
    """A sound; `sampling_rate` in Hz where the server told it (a file carries its own)."""

    kind: ClassVar[str] = "audio"

    sampling_rate: int | None = None


class Video(Media):
    """A film."""

    __slots__ = ()
    kind: ClassVar[str] = "video"


class Text(Media):
    """A document of text in UTF-8; its type is the declared one where that is known as text, else `text/plain`."""

    __slots__ = ()
    kind: ClassVar[str] = "text"

    def __post_init__(self) -> None:
        declared = self.mime_type.partition(";")[0].strip().lower()
        object.__setattr__(self, "mime_type", declared if declared in TEXTS else "text/plain")

    @property
    def text(self) -> str:
        """The text without a byte order mark; MediaError where the bytes are no UTF-8 or hold a NUL."""
        try:
            text = self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise MediaError("the text is not UTF-8", hint="Save it as UTF-8") from error
        if "\0" in text:
            raise MediaError("the text holds a NUL byte: it is no text")
        return text


def media_from(data: bytes, declared: str = "") -> Media:
    """Bytes of unknown kind as Image, Audio or Video by their sniffed (else declared) type, else as Media."""
    kinds: dict[str, type[Media]] = {"image": Image, "audio": Audio, "video": Video}
    mime = sniff(data) or declared
    return kinds.get(mime.partition("/")[0], Media)(data, declared)
