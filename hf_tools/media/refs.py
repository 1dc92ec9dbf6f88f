"""The short handle of a medium, which is made of its content, and the name that a user gave it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any

from hf_tools.errors import InputError, MediaError, shown
from hf_tools.media import Media
from hf_tools.media.probe import seconds_of, size_of

HANDLE = "hf-media://"
"""How the handle of a medium begins that a tool has made and a store keeps."""
DIGITS = 16
"""Hexadecimal digits of the SHA-256 in a handle: 64 bits, which do not meet by chance and cannot be guessed."""
LONGEST_NAME = 60
"""Characters of a name that a user gave."""


@dataclass(frozen=True, slots=True)
class MediaRef:
    """What is known of a medium in a store: `size` in bytes, `width` and `height` in pixels, the name a user gave."""

    handle: str
    mime_type: str
    size: int
    sha256: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    name: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The fields that are known, as JSON values."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def __str__(self) -> str:
        measures = f"{self.width}×{self.height} px" if self.width else f"{self.seconds:.1f} s" if self.seconds else None
        known = (self.name, self.mime_type, measures, f"{self.size:,} bytes")
        return f"{self.handle} ({', '.join(part for part in known if part)})"


def described(media: Media) -> MediaRef:
    """The reference of a medium; MediaError where it is empty."""
    if not media.data:
        raise MediaError("the media is empty")
    sha256 = hashlib.sha256(media.data).hexdigest()
    width, height = size_of(media) or (None, None)
    seconds = seconds_of(media)
    handle = f"{HANDLE}{sha256[:DIGITS]}.{media.extension}"
    return MediaRef(handle, media.mime_type, len(media.data), sha256, width, height, seconds and round(seconds, 3))


def clean_name(name: str | None) -> str | None:
    """A name as it may be shown to a model: letters, digits and `._- ` of its last part; None where none are left."""
    text = unicodedata.normalize("NFC", PurePath((name or "").replace("\\", "/")).name[:1000])
    kept = "".join(letter for letter in text if letter.isalnum() or letter in "._- ")
    stem, dot, ending = " ".join(kept.split()).lstrip(". ").rpartition(".")
    if not dot or len(ending) > 10:
        return f"{stem}{dot}{ending}"[:LONGEST_NAME].strip() or None
    return f"{stem[: LONGEST_NAME - 1 - len(ending)].rstrip()}.{ending}".strip() or None


def key_of(handle: object) -> tuple[str | None, str | None]:
    """The digits of a handle, with or without its beginning and extension, and the name that it may be instead."""
    if not isinstance(handle, str):
        return None, None
    bare = handle.removeprefix(HANDLE)
    digits = re.fullmatch(rf"([0-9a-fA-F]{{{DIGITS}}})(\.[A-Za-z0-9]{{1,10}})?", bare)
    return digits and digits[1].lower(), None if "/" in bare or "\\" in bare else clean_name(bare)


def check_room(media: Media, max_bytes: int) -> None:
    """Refuse what a store cannot hold."""
    if len(media.data) > max_bytes:
        raise MediaError(f"the media has {len(media.data):,} bytes, and the store keeps {max_bytes:,}")


def check_max(max_bytes: object) -> int:
    """Refuse a cap that is no positive number of bytes."""
    if not isinstance(max_bytes, int) or isinstance(max_bytes, bool) or max_bytes < 1:
        raise InputError(f"`max_bytes` = {shown(repr(max_bytes), 60)}: must be a whole number of bytes above 0")
    return max_bytes
