"""Where media are kept for a conversation: each under a short handle that is made of its content."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Protocol, Self, runtime_checkable

from hf_tools.media import Media
from hf_tools.media.directory import DirectoryStore
from hf_tools.media.refs import DIGITS, HANDLE, MediaRef, check_max, check_room, clean_name, described, key_of

__all__ = ["HANDLE", "DirectoryStore", "MediaRef", "MediaStore", "MemoryStore"]

MOST = 256 * 2**20
"""Bytes that a store in memory keeps where it is not told otherwise."""


@runtime_checkable
class MediaStore(Protocol):
    """What tools and chat models need of a store of media."""

    def put(self, media: Media, *, name: str | None = None) -> MediaRef:
        """Keep a medium, under the name that the user has for it as well."""
        ...

    def get(self, handle: str) -> Media:
        """The medium behind a handle or name; KeyError where there is none."""
        ...

    def ref(self, handle: str) -> MediaRef:
        """What is known of the medium behind a handle or name; KeyError where there is none."""
        ...

    def refs(self) -> list[MediaRef]:
        """All media, the oldest first."""
        ...


class MemoryStore:
    """Media in memory, at most `max_bytes` of them (256 MiB): what has not been used for longest goes first."""

    def __init__(self, max_bytes: int = MOST) -> None:
        self._max = check_max(max_bytes)
        self._kept: dict[str, tuple[Media, MediaRef]] = {}
        self._order: dict[str, None] = {}
        """Keys in the order of their last use."""
        self._names: dict[str, str] = {}
        self._bytes = 0
        self._lock = threading.RLock()

    def put(self, media: Media, *, name: str | None = None) -> MediaRef:
        """Keep a medium; the same content is kept once. MediaError where it is empty or larger than the store."""
        check_room(media, self._max)
        ref = described(media)
        key, clean = ref.sha256[:DIGITS], clean_name(name)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = media, ref
                self._bytes += ref.size
            if clean is not None:
                held, known = self._kept[key]
                self._kept[key] = held, replace(known, name=clean)
                self._names[clean] = key
            self._touch(key)
            while self._bytes > self._max:
                self._drop(next(iter(self._order)))
            return self._kept[key][1]

    def get(self, handle: str) -> Media:
        """The medium behind a handle or name; KeyError where there is none."""
        with self._lock:
            key = self._key(handle)
            self._touch(key)
            return self._kept[key][0]

    def ref(self, handle: str) -> MediaRef:
        """What is known of the medium behind a handle or name; KeyError where there is none."""
        with self._lock:
            return self._kept[self._key(handle)][1]

    def refs(self) -> list[MediaRef]:
        """All media, the oldest first."""
        with self._lock:
            return [ref for _, ref in self._kept.values()]

    def _key(self, handle: str) -> str:
        digits, name = key_of(handle)
        key = digits if digits in self._kept else self._names.get(name or "")
        if key is None:
            raise KeyError(handle)
        return key

    def _touch(self, key: str) -> None:
        self._order.pop(key, None)
        self._order[key] = None

    def _drop(self, key: str) -> None:
        del self._order[key]
        self._bytes -= self._kept.pop(key)[1].size
        self._names = {name: held for name, held in self._names.items() if held != key}

    def __deepcopy__(self, memo: object) -> Self:
        """The store itself: a copy of a tool works with the same media."""
        return self

    def __repr__(self) -> str:
        with self._lock:
            return f"MemoryStore({len(self._kept)} media, {self._bytes:,} of {self._max:,} bytes)"
