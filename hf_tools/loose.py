"""Look into JSON of unknown shape: what is not there, or of another kind, is empty."""

from __future__ import annotations

import math
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


def table(value: Any) -> dict[str, Any]:
    """The value as an object; anything else as an empty one."""
    if not isinstance(value, dict):
        return {}
    found: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
    return found


def items(value: Any) -> list[Any]:
    """The value as a list; anything else as an empty one."""
    if not isinstance(value, list):
        return []
    found: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
    return found


def rows(value: Any) -> list[dict[str, Any]]:
    """The objects in a list that may be missing, null, a single object, or hold nulls."""
    if value is None:  # what most fields of a stream's pieces are
        return []
    return [table(row) for row in (items(value) or [value]) if isinstance(row, dict)]


def amount(value: Any) -> float | None:
    """The value as a finite number that is not negative; anything else as None."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


class _Unpromised:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_default_schema(handler(source), default=None, on_error="default")


UNPROMISED = _Unpromised()
"""For fields of an answer that come beside what was asked for: None where the value is of another kind.

Not for fields with validators in Python: whatever these raise would be taken for that.
"""
