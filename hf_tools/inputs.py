"""The types of arguments that many tasks share, with what is refused before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Strict, Tag


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _not_empty(values: Any) -> Any:
    if not values:
        raise ValueError("must not be empty")
    return values


def _number(value: Any) -> Any:
    """Python counts True as 1; as an argument it is a mistake."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic collects ValueError only
    return value


def _labels(value: Any) -> Any:
    """A comma-joined string is what older clients took; a label that contains a comma needs the list."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _str_or_list(value: Any) -> str:
    """The arm of a union that a value is checked against, so that a wrong one is told about once."""
    return "list[str]" if isinstance(value, list | tuple) else "str"


def _task_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError('must be the name of a task, such as "text-generation"')
    return name


Text: TypeAlias = Annotated[str, Strict(), AfterValidator(_not_blank)]
Texts: TypeAlias = Annotated[list[Text], AfterValidator(_not_empty)]
TextOrTexts: TypeAlias = Annotated[
    Annotated[Text, Tag("str")] | Annotated[Texts, Tag("list[str]")], Discriminator(_str_or_list)
]
"""One text or several."""
Labels: TypeAlias = Annotated[
    Annotated[str, Strict(), Tag("str")] | Annotated[list[Text], Tag("list[str]")],
    Discriminator(_str_or_list),
    BeforeValidator(_labels),
    AfterValidator(_not_empty),
]
"""A list of labels; one string is split at its commas."""
Positive: TypeAlias = Annotated[int, Field(gt=0), BeforeValidator(_number)]
NotNegative: TypeAlias = Annotated[int, Field(ge=0), BeforeValidator(_number)]
NotNegativeFloat: TypeAlias = Annotated[float, Field(ge=0), BeforeValidator(_number)]
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1), BeforeValidator(_number)]
TopK: TypeAlias = Annotated[int, Field(ge=-1), BeforeValidator(_number)]
"""Some servers take 0 or -1 for "all"."""
Object: TypeAlias = Mapping[str, Any]
TaskName: TypeAlias = Annotated[str, AfterValidator(_task_name)]
"""Lower-case words with hyphens: it becomes a part of a URL."""

Truncation: TypeAlias = Literal["do_not_truncate", "longest_first", "only_first", "only_second"]
OutputTransform: TypeAlias = Literal["sigmoid", "softmax", "none"]


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _table(value: Any) -> dict[str, list[str]]:
    """The table by columns; a ValueError whatever the caller's objects raise when they are asked for their values."""
    try:
        return _by_column(value)
    except ValueError:
        raise
    except Exception as error:
        kind, reason = type(value).__name__, type(error).__name__
        raise ValueError(f"cannot read {kind} as a table: {reason}") from error


def _by_column(value: Any) -> dict[str, list[str]]:
    """Columns by name; rows as a list of mappings and data frames (`to_dict("list")`) are turned into that."""
    if hasattr(value, "to_dict"):
        value = value.to_dict("list")
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        value = _columns(value)  # pyright: ignore[reportUnknownArgumentType]
    if not isinstance(value, Mapping) or not value:
        raise ValueError("expected columns by name, such as {'city': ['Paris'], 'people': ['2.1']}, and at least one")
    columns: Mapping[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
    for name, column in columns.items():
        if not isinstance(column, Sequence) or isinstance(column, str | bytes):
            kind = type(column).__name__
            raise ValueError(f"column {name!r} must be a list of cells, got {kind}")  # noqa: TRY004
    table = {str(name): [_cell(cell) for cell in column] for name, column in columns.items()}
    lengths = {name: len(column) for name, column in table.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"columns must have equal lengths, got {lengths}")
    if not next(iter(lengths.values())):
        raise ValueError("the table has no rows")
    return table


def _columns(rows: Sequence[Any]) -> dict[str, list[Any]]:
    if not rows or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError("expected at least one row, each a mapping from column name to cell")
    names = list(rows[0])
    for number, row in enumerate(rows):
        if list(row) != names and set(row) != set(names):
            raise ValueError(f"row {number} has the columns {list(row)}, row 0 has {names}")
    return {name: [row[name] for row in rows] for name in names}


Table: TypeAlias = Annotated[Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]], BeforeValidator(_table)]
"""Columns by name, or rows; cells become text, None an empty text."""


def ordered(low: Any, high: Any, names: tuple[str, str]) -> None:
    """Refuse a minimum above its maximum."""
    if low is not None and high is not None and low > high:
        raise ValueError(f"`{names[0]}` = {low} is above `{names[1]}` = {high}")


Direction: TypeAlias = Literal["left", "right"]
"""The end at which a text that is too long is cut."""
