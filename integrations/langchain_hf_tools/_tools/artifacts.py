"""An answer as JSON values for a program: whole, but for media, which are put into the store and named by handle."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from pydantic import BaseModel

from hf_tools.media import Media
from hf_tools.media.store import MediaRef
from hf_tools.tasks.text import MaskFills

CODED = "encoded_"
"""How fields begin that hold media as base64; the medium itself is the property without it."""


LONE = re.compile(r"[\ud800-\udfff]")
"""Halves of characters, which JSON can write and UTF-8 cannot."""


def is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    """Whether it is a mapping, of whatever."""
    return isinstance(value, Mapping)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether it is a list or tuple, of whatever."""
    return isinstance(value, list | tuple)


class Stored:
    """Turns answers into JSON values; `refs` are the media that were put into the store on the way, `media` they."""

    def __init__(self, put: Callable[[Media], MediaRef]) -> None:
        self._put = put
        self.refs: list[MediaRef] = []
        self.media: list[Media] = []

    def put(self, media: Media) -> MediaRef:
        """Put a medium into the store, and remember that."""
        ref = self._put(media)
        if ref not in self.refs:
            self.refs.append(ref)
            self.media.append(media)
        return ref

    def data(self, value: Any) -> Any:
        """The value as JSON values: media as what describes them, what is no number as None."""
        value = every_mask(value)
        if isinstance(value, Media):
            return self.put(value).as_dict()
        if isinstance(value, BaseModel):
            return {name.removeprefix(CODED): self.data(each) for name, each in self._fields(value)}
        if is_mapping(value):
            return {_text(str(name)): self.data(each) for name, each in value.items()}
        if is_list(value):
            return [self.data(each) for each in value]
        return plain(value)

    def _fields(self, answer: BaseModel) -> list[tuple[str, Any]]:
        """The fields with their values, decoded where they hold media as text."""
        return [
            (name, getattr(answer, name.removeprefix(CODED)) if name.startswith(CODED) and value else value)
            for name, value in answer
        ]


def _text(value: str) -> str:
    return LONE.sub("\ufffd", value)


def plain(value: Any) -> Any:
    """A value that every writer of JSON and of checkpoints takes: whole numbers beyond 64 bits are texts."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if not isinstance(value, int) or -(2**63) <= value < 2**64 else str(value)


def every_mask(value: Any) -> Any:
    """The fills of all masks of a text, where it has several."""
    if type(value) is not MaskFills:
        return value
    masks: list[Any] = value.masks  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return masks if len(masks) > 1 else list(masks[0])
