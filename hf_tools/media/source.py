"""Media that is still to be read: from a path, a file object or a URL."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import urlsplit

from hf_tools.errors import MediaError, shown
from hf_tools.media import Media, Text

if TYPE_CHECKING:
    from hf_tools.media.policy import MediaPolicy

MAX_INPUT = 256 * 2**20
"""Bytes of a file or URL that is read as an input."""


def amount(size: int) -> str:
    """A number of bytes as people write it."""
    for name, unit in (("MiB", 2**20), ("KiB", 2**10)):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return f"{size} bytes"


_NEVER = frozenset('\\<>"{}|^`')
"""Characters that are in no host; some read a backslash as a slash, and so find another host."""


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe that has taken its place is not waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def check_url(url: str) -> None:
    """Refuse what is no http(s) URL that can be asked for: without host, with user and password, or with blanks."""
    if not url.isprintable() or " " in url:
        raise MediaError("the URL has characters that no URL has", hint="Percent-encode spaces and the like")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise MediaError("the URL has no valid host and port") from error
    if parts.scheme not in ("http", "https") or not (host or "").strip(".") or set(parts.netloc) & _NEVER:
        raise MediaError("the URL has no host", hint="Write https://host/path")
    if "@" in parts.netloc:
        raise MediaError("the URL has a user or password in it", hint="Download the file yourself and pass its bytes")


@dataclass(frozen=True, slots=True)
class Source:
    """Media that is still to be read: exactly one of `path`, `file` and `url`; MediaError for a URL that is none.

    With a `policy` a model has named it: nothing is read beyond what that allows.
    """

    kind: type[Media]
    path: Path | None = None
    file: BinaryIO | None = None
    url: str | None = None
    policy: MediaPolicy | None = None

    @property
    def limit(self) -> int:
        """Bytes that are read."""
        return MAX_INPUT if self.policy is None else self.policy.limit(self.kind)

    def __post_init__(self) -> None:
        if self.url is not None:
            check_url(self.url)

    def read(self) -> bytes:
        """The bytes of the path or file object; MediaError where that is not possible. Blocks."""
        try:
            data = self._read()
        except MediaError:
            raise
        except Exception as error:  # a file object may raise anything
            reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            raise MediaError(f"cannot read {self}: {reason}", hint=self._hint()) from error
        if not isinstance(data, bytes):
            raise MediaError(f"{self} gives {type(data).__name__}, not bytes", hint='Open the file with mode "rb"')
        return data

    def _read(self) -> object:
        if self.path is None:
            return cast(BinaryIO, self.file).read(self.limit + 1)
        # before it is opened, for that alone may do something to a device; and after, for it may be another one now
        self._regular(self.path.stat())
        with open(self.path, "rb", opener=_without_waiting) as opened:
            self._regular(os.fstat(opened.fileno()))
            return opened.read(self.limit + 1)

    def _regular(self, status: os.stat_result) -> None:
        """Refuse what is no regular file: a pipe or a device may never end."""
        if not stat.S_ISREG(status.st_mode):
            raise MediaError(f"cannot read {self}: it is no regular file", hint=self._hint())

    def _hint(self) -> str:
        if self.path is None:
            return "Pass a binary file object whose read(size) gives bytes"
        return "Check that it is a readable file"

    def media(self, data: bytes, declared: str = "") -> Media:
        """The bytes that were read, as media of the wanted kind; MediaError where they cannot be that."""
        if len(data) > self.limit:
            raise self.too_large()
        check = checked if self.policy is None else self.policy.check
        return check(self.kind(data, declared), str(self))

    def too_large(self) -> MediaError:
        """The error for more bytes than are read."""
        return MediaError(f"{self} is larger than {amount(self.limit)}")

    def __str__(self) -> str:
        name = self.path.name if self.path else getattr(self.file, "name", None) if self.policy else None
        if self.url is not None:
            return f"the URL {shown(self.url.partition('?')[0], 200 if self.policy is None else 80)}"
        return "the file object" if name is None else f"the file {shown(name, 200 if self.policy is None else 80)}"


def checked(media: Media, where: str) -> Media:
    """The media itself; MediaError where it is empty, of another kind, or a web page."""
    if not media.data:
        raise MediaError(f"{where} is empty")
    kind = media.mime_type.partition("/")[0]
    if kind in ("image", "audio", "video") and kind != media.kind and media.kind != "media":
        raise MediaError(f"{where} is {media.mime_type}, not {media.kind}")
    if media.data.lstrip()[:1] == b"<" and media.mime_type in ("text/html", "application/octet-stream"):
        raise MediaError(f"{where} is HTML or XML, not {media.kind}")
    if isinstance(media, Text):
        return _readable(media, where)
    return media


def _readable(media: Text, where: str) -> Media:
    """The text itself; MediaError where its bytes are no text."""
    try:
        media.text  # noqa: B018 - for its error
    except MediaError as error:
        raise MediaError(f"{where} is no text: {error.message}", hint=error.hint) from error
    return media
