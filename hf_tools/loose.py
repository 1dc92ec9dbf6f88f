"""Look into JSON of unknown shape: what is not there, or of another kind, is empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError, WrapValidator


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


def _or_none(value: Any, check: Callable[[Any], Any]) -> Any:
    try:
        return check(value)
    except ValidationError:
        return None


UNPROMISED = WrapValidator(_or_none)
"""For fields of an answer that come beside what was asked for: None where the value is of another kind."""
