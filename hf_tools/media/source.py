"""Media that is still to be read: from a path, a file object or a URL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from hf_tools.errors import MediaError, shown
from hf_tools.media import Media

MAX_INPUT = 256 * 2**20
"""Bytes of a file or URL that is read as an input."""


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
        if not isinstance(cast(object, data), bytes):
            raise MediaError(f"{self} gives text", hint='Open the file with mode "rb"')
        return data

    def media(self, data: bytes, declared: str = "") -> Media:
        """The bytes that were read, as media of the wanted kind; MediaError where they cannot be that."""
        if len(data) > MAX_INPUT:
            raise MediaError(f"{self} is larger than {MAX_INPUT // 2**20} MiB")
        return checked(self.kind(data, declared), str(self))

    def __str__(self) -> str:
        if self.path is not None:
            return f"the file {shown(self.path.name)}"
        return "the file object" if self.url is None else f"the URL {shown(self.url.partition('?')[0])}"


def checked(media: Media, where: str) -> Media:
    """The media itself; MediaError where it is empty, of another kind, or a web page."""
    if not media.data:
        raise MediaError(f"{where} is empty")
    kind = media.mime_type.partition("/")[0]
    if kind in ("image", "audio", "video") and kind != media.kind and media.kind != "media":
        raise MediaError(f"{where} is {media.mime_type}, not {media.kind}")
    if media.data.lstrip()[:1] == b"<" and media.mime_type in ("text/html", "application/octet-stream"):
        raise MediaError(f"{where} is HTML or XML, not {media.kind}")
    return media
