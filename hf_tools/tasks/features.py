"""The answer of feature extraction: nested lists of numbers, and what one needs of them."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

from pydantic import Strict

from hf_tools.errors import DecodeError, InputError, MissingExtra, ShapeError, shown
from hf_tools.loose import items
from hf_tools.wire import depth, excerpt, parse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Number = Annotated[float, Strict()]


class Features(list[Any]):
    """Nested lists of floats exactly as deep as the server's; null is nan.

    `texts` is the number of texts that were sent. Use `vectors()` for one vector a text.
    """

    def __init__(self, values: Iterable[Any] = (), *, texts: int = 1) -> None:
        super().__init__(values)
        self.texts = texts

    @classmethod
    def read(cls, value: Any, *, texts: int, coded: bool = False) -> Self:
        """Features from JSON; `coded` allows for vectors in base64. ShapeError where it is anything else.

        The error has `missing`, the places of the texts for which null came in the place of a vector.
        """
        _refuse_null(value, texts)
        features = cls(_numbers(value, coded), texts=texts)
        if not features:
            raise ShapeError("the answer holds no features")
        _shape(features)
        return features

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Length of the lists at each depth; None where they are of unequal length."""
        return _shape(self)

    @property
    def ragged(self) -> bool:
        """Whether lists of the same depth are of unequal length."""
        return None in self.shape

    def vectors(self, pooling: Literal["mean", "cls"] | None = None, *, first: int = 0) -> list[list[float]]:
        """One vector a text, in the order of the texts; `first` is the number of the first one in messages.

        Features of tokens are made into one vector by `pooling`: the mean over all tokens (also the special ones), or
        the first token ("cls"); InputError without it. ShapeError where the number of vectors is not that of the
        texts, where they differ in length or where one of their numbers is nan or infinite.
        """
        if depth(self) > 1 and len(self) == self.texts:
            rows = [_vector(item, pooling) for item in self]
        elif self.texts == 1:
            rows = [_vector([*self], pooling)]
        else:
            message = f"{self.texts} texts were sent, and features of the shape {self.shape} came"
            silent = depth(self) > 1 and len(self) < self.texts
            raise ShapeError(f"{message}; the server did not tell which are missing" if silent else message)
        length = len(rows[0])
        for place, row in enumerate(rows, first):
            if len(row) != length or length == 0:
                raise ShapeError(f"vector {place} has {len(row)} numbers, vector {first} has {length}")
            if not _finite(row):
                raise ShapeError(f"vector {place} holds nan or an infinite number")
        return rows

    def to_numpy(self) -> NDArray[np.float32]:
        """The features as an array of float32; InputError where they are ragged, MissingExtra without numpy."""
        try:
            import numpy as np
        except ImportError as error:
            raise MissingExtra("to_numpy() needs numpy: pip install numpy") from error
        if self.ragged:
            raise InputError(f"features of the shape {self.shape} are no array", hint="Use vectors(pooling=...)")
        return np.array(self, dtype=np.float32)

    def __repr__(self) -> str:
        return f"Features(shape={self.shape}, texts={self.texts})"


def _refuse_null(value: Any, texts: int) -> None:
    """Null among vectors is none of nan, but a vector that is missing."""
    found = items(value)
    nulls = [place for place, item in enumerate(found) if item is None]
    among = any(isinstance(item, list | str) for item in found) or len(nulls) == len(found) == texts
    if nulls and among:
        raise ShapeError(f"the answer has null instead of a vector at {excerpt(nulls)}", missing=nulls)


def _numbers(value: Any, coded: bool) -> list[Any]:
    if coded and isinstance(value, str):
        return _from_base64(value)
    values = items(value) if isinstance(value, list) else parse(list[Any], value)
    if values and isinstance(values[0], list | str):
        return [_numbers(item, coded) for item in values]
    if None in values:
        values = [math.nan if item is None else item for item in values]
    return parse(list[Number], values)


def _from_base64(text: str) -> list[float]:
    """A vector of little-endian float32 numbers."""
    try:
        data = base64.b64decode(text, validate=True)
        return list(struct.unpack(f"<{len(data) // 4}f", data))
    except (binascii.Error, ValueError, struct.error) as error:
        raise DecodeError(f"a vector is no base64 of float32 numbers: {shown(text, 40)}") from error


def _shape(value: list[Any]) -> tuple[int | None, ...]:
    if not value or not isinstance(value[0], list):
        return (len(value),)
    shapes = {_shape(item) for item in cast(list[list[Any]], value)}
    if len({len(shape) for shape in shapes}) > 1:
        raise ShapeError(f"unexpected answer: lists of unequal depth; it begins {excerpt(value)}")
    merged = (set(lengths) for lengths in zip(*shapes, strict=True))
    return (len(value), *(lengths.pop() if len(lengths) == 1 else None for lengths in merged))


def _finite(row: list[float]) -> bool:
    """Whether all numbers are finite: so is their sum, which is ten times as quick to look at, unless it overflows."""
    try:
        return math.isfinite(sum(row)) or all(map(math.isfinite, row))
    except OverflowError:  # of whole numbers whose sum is no float
        return all(map(math.isfinite, row))


def _vector(item: list[Any], pooling: str | None) -> list[float]:
    """One text's features as one vector."""
    while depth(item) > 2 and len(item) == 1:
        item = item[0]
    if depth(item) == 1:
        return item
    if pooling is None:
        raise InputError(
            "these are features of tokens, and how to pool them is not given",
            hint='Call vectors(pooling="mean") or vectors(pooling="cls"), whichever the model was trained for',
        )
    if pooling not in ("mean", "cls"):
        raise InputError(f"`pooling` = {shown(repr(pooling), 60)}: expected 'mean' or 'cls'")
    if depth(item) > 2 or len({len(token) for token in item}) > 1:
        raise ShapeError(f"these are no features of tokens: {excerpt(item)}")
    return item[0] if pooling == "cls" else [sum(column) / len(item) for column in zip(*item, strict=True)]
