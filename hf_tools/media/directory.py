"""A store of media in a directory: it survives the process, and several processes may use it at once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, cast

from hf_tools.errors import InputError, MediaError, shown
from hf_tools.media import Audio, Image, Media, Text, Video
from hf_tools.media.private import make_private, read_private, remove, sweep, write_private
from hf_tools.media.refs import DIGITS, HANDLE, MediaRef, check_max, check_room, clean_name, described, key_of

MOST = 2 * 2**30
"""Bytes that a directory keeps where it is not told otherwise."""
_KINDS: dict[str, type[Media]] = {kind.kind: kind for kind in (Media, Image, Audio, Video, Text)}
_ABOUT = 10_000
"""Bytes of a description that are read."""


class DirectoryStore:
    """Media in a directory of its own, which is made private (0700; files 0600), at most `max_bytes` of them (2 GiB).

    What has not been used for longest goes first, told by the files' times. A medium is two files, its bytes and its
    description; a name is a file that holds the handle's digits. All are written in one step, so there is no lock.
    """

    def __init__(self, path: str | os.PathLike[str], max_bytes: int = MOST) -> None:
        self._max = check_max(max_bytes)
        try:
            self._path = Path(path).absolute()
            make_private(self._path)
            make_private(self._path / "names")
        except (OSError, TypeError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise InputError(f"{shown(repr(path), 100)} cannot be a store of media: {reason}") from error

    def put(self, media: Media, *, name: str | None = None) -> MediaRef:
        """Keep a medium; the same content is kept once. MediaError where it is empty, too large or not written."""
        check_room(media, self._max)
        ref, clean = described(media), clean_name(name)
        key = ref.sha256[:DIGITS]
        try:
            ref = self._written(key, media, ref, clean)
        except OSError as error:
            raise MediaError(f"the media cannot be kept: {error.strerror}") from error
        self._shrink(key)
        return ref

    def _written(self, key: str, media: Media, ref: MediaRef, clean: str | None) -> MediaRef:
        made = time.time_ns()
        try:
            self._read(key)
            about = self._about(key)
            ref, made, media = _ref(about), about["made"], _KINDS[about["kind"]](media.data, about["mime_type"])
        except (KeyError, MediaError):
            write_private(self._path, f"{key}.data", media.data)
        if clean is not None:
            ref = replace(ref, name=clean)
            write_private(self._path / "names", clean, key.encode())
        extra = {"sampling_rate": media.sampling_rate} if isinstance(media, Audio) else {}
        about = {**ref.as_dict(), "kind": media.kind, "made": made, **extra}
        write_private(self._path, f"{key}.json", json.dumps(about).encode())
        return ref

    def get(self, handle: str) -> Media:
        """The medium behind a handle or name; KeyError where there is none, MediaError where its files are damaged."""
        key = self._key(handle)
        about, data = self._about(key), self._read(key)
        media = _KINDS[about["kind"]](data, about["mime_type"])
        rate = about.get("sampling_rate")
        return replace(media, sampling_rate=rate) if isinstance(media, Audio) else media

    def ref(self, handle: str) -> MediaRef:
        """What is known of the medium behind a handle or name; KeyError and MediaError as for `get`."""
        return _ref(self._about(self._key(handle)))

    def refs(self) -> list[MediaRef]:
        """All media, the oldest first; without those whose files are damaged."""
        found: list[dict[str, Any]] = []
        for path in self._path.glob("*.json"):
            try:
                found.append(self._about(path.stem))
            except (KeyError, MediaError):
                continue
        return [_ref(about) for about in sorted(found, key=lambda about: about["made"])]

    def _key(self, handle: str) -> str:
        digits, name = key_of(handle)
        if digits is not None and (self._path / f"{digits}.json").is_file():
            return digits
        try:
            key = read_private(self._path / "names" / (name or ""), DIGITS).decode()
        except (OSError, ValueError) as error:
            raise KeyError(handle) from error
        if key_of(key)[0] != key:
            raise KeyError(handle)
        return key

    def _about(self, key: str) -> dict[str, Any]:
        """The description of a medium, checked."""
        try:
            about: Any = json.loads(read_private(self._path / f"{key}.json", _ABOUT))
            if about["kind"] not in _KINDS or not _ref(about).handle.startswith(f"{HANDLE}{key}."):
                raise ValueError("another medium's")
            about["made"] += 0
        except FileNotFoundError as error:
            raise KeyError(key) from error
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            raise MediaError(f"the description of {HANDLE}{key} is damaged") from error
        return cast("dict[str, Any]", about)

    def _read(self, key: str) -> bytes:
        """The bytes of a medium, as they were written; marks it as used."""
        path = self._path / f"{key}.data"
        try:
            data = read_private(path, self._max + 1)
            os.utime(path)
        except FileNotFoundError as error:
            raise KeyError(key) from error
        except OSError as error:
            raise MediaError(f"{HANDLE}{key} cannot be read: {error.strerror}") from error
        if hashlib.sha256(data).hexdigest()[:DIGITS] != key:
            raise MediaError(f"the file of {HANDLE}{key} is damaged")
        return data

    def _shrink(self, newest: str) -> None:
        """Remove what was not used for longest, until the rest has room."""
        kept = sorted(self._sizes())
        total = sum(size for _, size, _ in kept)
        for _, size, key in kept:
            if total > self._max and key != newest:
                self._drop(key)
                total -= size

    def _sizes(self) -> Iterator[tuple[int, int, str]]:
        """Time of use, size and key of each medium."""
        for place in (self._path, self._path / "names"):
            sweep(place)
        for path in self._path.glob("*.data"):
            with contextlib.suppress(OSError):  # another process has removed it
                status = path.lstat()
                yield status.st_mtime_ns, status.st_size, path.stem

    def _drop(self, key: str) -> None:
        for ending in ("json", "data"):
            remove(self._path / f"{key}.{ending}")
        for name in (self._path / "names").glob("[!.]*"):
            with contextlib.suppress(OSError):
                if read_private(name, DIGITS) == key.encode():
                    name.unlink()

    def __deepcopy__(self, memo: object) -> Self:
        """The store itself: a copy of a tool works with the same media."""
        return self

    def __repr__(self) -> str:
        return f"DirectoryStore({shown(self._path.name)!r}, at most {self._max:,} bytes)"


def _ref(about: dict[str, Any]) -> MediaRef:
    return MediaRef(**{name: about[name] for name in MediaRef.__slots__ if name in about})
