"""What a model may name as media: handles and small data: URIs, and what the developer has opened beyond."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal, cast

from hf_tools.errors import InputError, MediaError, shown
from hf_tools.media import Media
from hf_tools.media.content import typed
from hf_tools.media.files import RootFile
from hf_tools.media.hosts import Gate
from hf_tools.media.limits import DEFAULT_BYTES, checked_policy
from hf_tools.media.names import listed, parts_of
from hf_tools.media.private import write_private
from hf_tools.media.probe import seconds_of, size_of
from hf_tools.media.refs import HANDLE
from hf_tools.media.source import Source, amount
from hf_tools.media.store import MediaStore

LONGEST = 400
"""Characters of a refusal: a model reads it, and pays for it."""
_LONGEST_NAME = 1000
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_DATA = re.compile(r"data:[^,]*;base64,([A-Za-z0-9+/]*={0,2})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPolicy:
    """The media that a model may name. By default: handles of a store, and data: URIs of at most 256 KiB.

    - `roots`: directories whose files it may name; no links, no hidden files, nothing outside.
    - `hosts`: hosts whose URLs it may name, as "example.org" or "*.example.org", or "public" for any public host. The
      address is checked when the connection is made, and must be public unless it stands in `hosts` itself.
    - `schemes`, `ports`: of those URLs; `timeout` in seconds for a whole download, `max_redirects` each checked again.
    - `max_bytes`: by kind; what is not given stays 20 MiB (image, text), 50 MiB (audio) or 200 MiB (video).
    - `inline_max`: bytes of a data: URI; `max_pixels` of a picture, `max_seconds` of a sound or film, by their headers.
    - `out`: directory into which results may be written; None for no writing.

    InputError for a value that cannot be meant. All refusals are an InputError or MediaError of at most 400 characters.
    """

    roots: Sequence[str | os.PathLike[str]] = ()
    hosts: Sequence[str] | Literal["public"] = ()
    schemes: Sequence[str] = ("https",)
    ports: Sequence[int] = (443,)
    max_bytes: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_BYTES))
    inline_max: int = 256 * 2**10
    max_pixels: int = 64_000_000
    max_seconds: float = 3600
    timeout: float = 30.0
    max_redirects: int = 3
    out: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        for name, value in checked_policy(self).items():
            object.__setattr__(self, name, value)

    @property
    def gate(self) -> Gate:
        """The check of URLs, hosts and addresses."""
        return Gate(cast("tuple[str, ...]", self.hosts), tuple(self.schemes), tuple(self.ports))

    def limit(self, kind: type[Media]) -> int:
        """Bytes that are read of this kind."""
        return max(self.max_bytes.values()) if kind.kind == "media" else self.max_bytes[kind.kind]

    def resolve(self, kind: type[Media], text: str, store: MediaStore) -> Media | Source:
        """What a model wrote, as media of the store or a data: URI, or as what is still to be read; else a refusal."""
        text = text.strip().strip("`'\"<>").strip() if isinstance(cast(object, text), str) else ""
        if not text:
            raise self._refusal("no media was named", store)
        found = _SCHEME.match(text)
        scheme = found[1].lower() if found else ""
        if scheme == "data":
            return self.check(self._inline(kind, text), "the data: URI")
        if scheme in ("http", "https"):
            return self._remote(kind, text.partition("#")[0], store)
        if scheme and scheme != "hf-media":
            raise self._refusal(f"{shown(scheme, 20)}: is refused", store)
        stored = self._stored(text, store)
        if stored is not None:
            return self.check(_as(kind, stored), f"{shown(text, 60)!r}")
        if scheme or not self.roots or len(text) > _LONGEST_NAME:
            raise self._refusal(f"there is no media {shown(repr(text), 60)}", store, near=text)
        return self._file(kind, text, store)

    def check(self, media: Media, where: str) -> Media:
        """The media, of the kind that its content has; MediaError where it is of another kind or too large."""
        found = typed(media, where)
        most = self.max_bytes.get(found.kind, self.max_bytes["text"])
        if len(found.data) > most:
            raise MediaError(f"{where} has {amount(len(found.data))}; at most {amount(most)} are read")
        size, seconds = size_of(found), seconds_of(found)
        if size and size[0] * size[1] > self.max_pixels:
            raise MediaError(f"{where} has {size[0]}×{size[1]} pixels; at most {self.max_pixels:,} in all are read")
        if seconds and seconds > self.max_seconds:
            raise MediaError(f"{where} is {seconds:.0f} s long; at most {self.max_seconds:g} s are read")
        return found

    def save(self, media: Media, stem: str) -> str:
        """Write media into the directory `out`, readable for its owner alone; returns the name of the file."""
        if self.out is None:
            raise InputError("nothing may be written", hint="Leave the result in the store, and name its handle")
        clean = re.sub(r"[^A-Za-z0-9_-]+", "-", stem)[:40].strip("-_") or "media"
        name = f"{clean}-{hashlib.sha256(media.data).hexdigest()[:12]}.{media.extension}"
        try:
            Path(self.out).mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(Path(self.out), name, media.data)
        except OSError as error:
            raise MediaError(f"{name} cannot be written: {error.strerror}") from error
        return name

    def allowed(self) -> str:
        """What a model may name, in words."""
        ways = [f"a handle ({HANDLE}...)", f"a data: URI of at most {amount(self.inline_max)}"]
        if self.roots:
            ways.append(f"a file in {shown(', '.join(f'{Path(root).name}/' for root in self.roots), 80)}")
        if self.hosts:
            hosts = "any public host" if self.hosts == "public" else shown(", ".join(self.hosts), 80)
            ways.append(f"an {' or '.join(self.schemes)} URL of {hosts}")
        return ", ".join(ways)

    def _refusal(self, why: str, store: MediaStore, *, near: str = "") -> InputError:
        """A refusal that a model can act on: why, what is near or there, and what is allowed."""
        return InputError(why, hint=self._hint(store, near, LONGEST - 5 - len(why)))

    def _hint(self, store: MediaStore, near: str, most: int) -> str:
        """What is near or there, and what is allowed, in at most so many characters."""
        known = shown(self._known(store, near[:LONGEST]), 130)
        return shown(f"{known} Allowed: {self.allowed()}".lstrip(), most)

    def _known(self, store: MediaStore, near: str) -> str:
        """The names that are nearest to what was written, else the newest ones."""
        refs = store.refs()
        names = [ref.handle for ref in refs] + listed(self._roots()) + [ref.name for ref in refs if ref.name]
        ends = {each.rpartition("/")[2].lower(): each for each in names}
        wanted = near.rpartition("/")[2].lower()
        close = [ends[end] for end in difflib.get_close_matches(wanted, ends, 3, 0.6)] if wanted else []
        if close:
            return f"Did you mean {' or '.join(close)}?"
        return f"There is {', '.join(names[-3:])}." if names else ""

    def _roots(self) -> tuple[Path, ...]:
        return tuple(Path(root) for root in self.roots)

    def _inline(self, kind: type[Media], text: str) -> Media:
        """A data: URI; its declared type is not looked at, and its size is known before it is decoded."""
        encoded = len(text) - text.find(",") - 1
        if encoded * 3 // 4 > self.inline_max + 2:
            message = f"the data: URI has {amount(encoded * 3 // 4)}; at most {amount(self.inline_max)} are read"
            raise InputError(message, hint="Name a handle or a file instead")
        found = _DATA.fullmatch(text)
        if found is None or len(found[1]) % 4:
            raise InputError("the data: URI is not valid", hint="Write data:image/png;base64,<data> without blanks")
        media = kind.from_base64(found[1])
        if len(media.data) > self.inline_max:
            raise InputError(f"the data: URI has {amount(len(media.data))}; at most {amount(self.inline_max)} are read")
        return media

    def _remote(self, kind: type[Media], url: str, store: MediaStore) -> Source:
        try:
            self.gate.check(url)
        except MediaError as error:
            raise self._refusal(error.message, store) from error
        return Source(kind, url=url, policy=self)

    def _stored(self, text: str, store: MediaStore) -> Media | None:
        try:
            return store.get(text)
        except KeyError:
            return None

    def _file(self, kind: type[Media], text: str, store: MediaStore) -> Source:
        try:
            parts = parts_of(text)
        except InputError as error:
            raise self._refusal(error.message, store) from error
        file = RootFile(self._roots(), parts, partial(self._hint, store, text, LONGEST - 130))
        return Source(kind, file=cast(BinaryIO, file), policy=self)


def _as(kind: type[Media], media: Media) -> Media:
    """Stored media as the kind that is wanted."""
    if kind is Media or isinstance(media, kind):
        return media
    return kind(media.data, media.mime_type)
