"""The arguments of a tool: what a model reads about each, and how the slips of models are put right.

A schema is flat: text, numbers, truth values, and lists of texts or numbers. No $ref, no unions, no null, no bounds: an
argument that may be left out is one that is not required, and limits stand in the description.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model, model_validator

from hf_tools.errors import InputError, shown
from hf_tools.media import Media
from hf_tools.media.refs import DIGITS, HANDLE
from langchain_hf_tools._tools.artifacts import is_list

Schema = Mapping[str, Any]

NOTHING = frozenset(["", "null", "none", "undefined"])
"""What models write for an argument that they leave out."""
_HANDLE = re.compile(rf"{HANDLE}[0-9a-fA-F]{{{DIGITS}}}(?:\.[A-Za-z0-9]+)?")
TRUTHS: Mapping[str, bool] = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its flat schema, and how its value becomes that of the task's field.

    `media` is the kind of medium that is named by a handle; `most` the largest number that is passed on; `split`: a
    text with commas stands for a list; `pairs`: an object stands for a list of name=value; `field` the name of the
    task's field, where that is another one.
    """

    name: str
    schema: Schema
    required: bool = False
    media: type[Media] | None = None
    most: int | None = None
    split: bool = False
    pairs: bool = False
    field: str = ""
    becomes: Callable[[Any], Any] = dataclasses.field(default=_same, compare=False)

    @property
    def about(self) -> str:
        """The schema with the limit in its description."""
        said: str = self.schema["description"]
        return f"{said} At most {self.most}." if self.most else said

    def told(self) -> dict[str, Any]:
        """The schema for the model."""
        return {**self.schema, "description": self.about}

    def optional(self) -> Argument:
        """The same argument, not required."""
        return replace(self, required=False)


class Arguments(BaseModel):
    """What a model wrote for the arguments; checked by the tool, which knows how to say what is wrong."""

    model_config = ConfigDict(
        extra="allow", hide_input_in_errors=True, json_schema_extra={"additionalProperties": False}
    )

    @model_validator(mode="before")
    @classmethod
    def _given(cls, values: Any) -> Any:
        """Without what was left out by writing null: a required argument is then told as missing."""
        if not isinstance(values, dict):
            return values
        given = cast("dict[str, Any]", values)
        return {name: value for name, value in given.items() if value is not None or name not in cls.model_fields}


def model_of(name: str, arguments: Iterable[Argument]) -> type[BaseModel]:
    """The arguments as a pydantic model that takes any values; others than these are kept, to be told about."""
    made: dict[str, Any] = {}
    for each in arguments:
        # a factory, because a default would be written into the schema, as null
        rest = Field() if each.required else Field(default_factory=lambda: None)
        made[each.name] = (Annotated[Any, WithJsonSchema(each.told())], rest)
    return create_model(f"{name.title().replace('_', '')}Arguments", __base__=Arguments, __doc__=name, **made)


@dataclass
class Given:
    """The arguments as they were understood, and what the model should know about how that was done."""

    values: dict[str, Any] = dataclasses.field(default_factory=lambda: dict[str, Any]())
    notes: list[str] = dataclasses.field(default_factory=lambda: list[str]())


def understood(arguments: Iterable[Argument], written: Mapping[str, Any]) -> Given:
    """The arguments with small slips put right; InputError for what means nothing."""
    known = {each.name: each for each in arguments}
    given = Given()
    for name, value in written.items():
        if name not in known:
            taken = ", ".join(f"`{one}`" for one in known) or "none"
            given.notes.append(
                f"`{shown(name, 60)}` is not an argument of this tool and was ignored; it takes {taken}."
            )
        elif (meant := _meant(known[name], value, given.notes)) is not None:
            given.values[name] = meant
    if missing := [f"`{name}`" for name, each in known.items() if each.required and name not in given.values]:
        raise InputError(f"{', '.join(missing)} must be given")
    return given


def _meant(argument: Argument, value: Any, notes: list[str]) -> Any:
    """The value that was meant; None for none."""
    if value is None or (isinstance(value, str) and value.strip().lower() in NOTHING and _is_left_out(argument, value)):
        return None
    if argument.schema["type"] == "array":
        return _list(argument, value) or None
    return _within(argument, _READERS[argument.schema["type"]](argument, _alone(value)), notes)


def _alone(value: Any) -> Any:
    """The only item of a list, where one value is wanted."""
    return value[0] if is_list(value) and len(value) == 1 else value


def _within(argument: Argument, meant: Any, notes: list[str]) -> Any:
    """A number within its limit, None for one that counts nothing, where there is a limit."""
    if argument.most is None or 1 <= meant <= argument.most:
        return meant
    too_much = meant > argument.most
    how = f"reduced to {argument.most}" if too_much else "ignored: it must be at least 1"
    notes.append(f"`{argument.name}` = {shown(meant, 30)} was {how}.")
    return argument.most if too_much else None


def _is_left_out(argument: Argument, value: str) -> bool:
    """An empty text, or a word for nothing where no text is wanted."""
    return not value.strip() or argument.schema["type"] != "string" or "enum" in argument.schema or bool(argument.media)


def _wrong(argument: Argument, value: Any, wanted: str) -> InputError:
    return InputError(f"`{argument.name}` = {shown(repr(value), 60)}: must be {wanted}")


def _text(argument: Argument, value: Any) -> str:
    if isinstance(value, dict | list | bool):
        raise _wrong(argument, cast(Any, value), "one text")
    text = str(value).encode("utf-8", "replace").decode()  # no halves of characters
    if argument.media:
        return _medium(text.strip().strip("`'\"<>").strip())
    choices: list[str] | None = argument.schema.get("enum")
    if choices is None:
        return text
    found = {one.lower(): one for one in choices}.get(text.strip().strip("`'\"").lower())
    if found is None:
        raise _wrong(argument, value, f"one of {', '.join(choices)}")
    return found


def _medium(bare: str) -> str:
    """How a medium is named: by the one handle in the text, or by a name without file://."""
    handles = _HANDLE.findall(bare)
    if len(handles) == 1:
        return str(handles[0])
    return bare.removeprefix("file://") if bare.startswith("file://") and "/" not in bare[7:] else bare


def _number(argument: Argument, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(argument, value, "a number")
    return number


def _whole(argument: Argument, value: Any) -> int:
    number = _number(argument, value)
    if not number.is_integer():
        raise _wrong(argument, value, "a whole number")
    return value if isinstance(value, int) else int(number)


def _truth(argument: Argument, value: Any) -> bool:
    found = TRUTHS.get(str(value).strip().lower())
    if found is None:
        raise _wrong(argument, value, "true or false")
    return found


_READERS: Mapping[str, Callable[[Argument, Any], Any]] = {
    "string": _text, "number": _number, "integer": _whole, "boolean": _truth,
}  # fmt: skip


def _list(argument: Argument, value: Any) -> list[Any]:
    """The items: of a list, of JSON that is one, of a text with commas where that is meant, else the value alone."""
    if isinstance(value, str):
        value = _from_json(value, "[{" if argument.pairs else "[")
    if isinstance(value, str) and argument.split:
        value = [part.strip() for part in value.split(",")]
    items = list(value) if is_list(value) else [value]
    if argument.pairs:
        items = [pair for item in items for pair in _as_pairs(item)]
    one = replace(argument, schema={"type": argument.schema["items"]["type"]})
    return [_READERS[one.schema["type"]](one, item) for item in items if item is not None and item != ""]


def _as_pairs(item: Any) -> list[Any]:
    """An object as texts name=value, one for each item of a list; anything else as it is."""
    if not isinstance(item, dict):
        return [item]
    named = cast("dict[str, Any]", item)
    if named.keys() == {"name", "value"}:
        named = {str(named["name"]): named["value"]}
    pairs: list[tuple[str, Any]] = []
    for name, value in named.items():
        pairs += [(name, _written(one)) for one in (value if is_list(value) else [value])]
    return [f"{name}={one}" for name, one in pairs if one is not None]


def _written(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _from_json(text: str, marks: str) -> Any:
    """The value that is written as JSON, where the text begins with one of these marks; else the text."""
    if text.lstrip()[:1] not in tuple(marks):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
