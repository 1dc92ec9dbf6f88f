"""The flags of a task, derived from its class: a field is an input or a parameter, its type tells how it is written."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from hf_tools.catalogue import Catalogue, other_form
from hf_tools.errors import InputError, shown
from hf_tools.inputs import Labels, Table
from hf_tools.media.sources import AudioInput, ImageInput, VideoInput
from hf_tools.methods import either, joint_signature, method, signature

Kind: TypeAlias = Literal[
    "text", "texts", "list", "labels", "word", "int", "float", "bool", "choice", "json", "media", "table", "messages"
]
"""How a value is written.

`text` one text; `list` several; `texts` either, `labels` as well, one being split at its commas; `word` a text, or a
JSON object; `json` any other structure, as JSON; `media` and `table` a file; `messages` a text or JSON messages.
"""

MARKS: tuple[tuple[Any, int, Kind], ...] = (
    (ImageInput, 0, "media"),
    (AudioInput, 0, "media"),
    (VideoInput, 0, "media"),
    (Table, 0, "table"),
    (Labels, 1, "labels"),
)
"""Types that are told by one of their annotations, which no other type has."""

SINGLE: Mapping[frozenset[str], Kind] = {
    frozenset(["bool"]): "bool",
    frozenset(["int"]): "int",
    frozenset(["float"]): "float",
    frozenset(["int", "float"]): "float",
    frozenset(["str"]): "text",
    frozenset(["list"]): "list",
    frozenset(["str", "list"]): "texts",
    frozenset(["choice"]): "choice",
    frozenset(["choice", "bool"]): "choice",
}
NEEDED = frozenset(["other_sentences"])
"""Inputs that the class can do without only where another one is a mapping, which is not written on a command line."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A field of a task."""

    name: str
    kind: Kind
    about: str
    """Its description, on one line."""
    positional: bool
    """Whether it is an input: given by position, or by name."""
    required: bool
    choices: tuple[str, ...] = ()
    """The words to choose from; `true` and `false` stand for the bools."""

    @property
    def many(self) -> bool:
        """Whether it takes several values."""
        return self.kind in ("texts", "list", "labels")

    @property
    def option(self) -> str:
        """Its name on the command line."""
        return f"--{self.name.replace('_', '-')}"


def task_named(word: str) -> str:
    """The name of the method that a word stands for, hyphens being as good as underscores; InputError if none is."""
    name = word.replace("-", "_")
    names = [known for known, value in vars(Catalogue).items() if isinstance(value, method | either)]
    names.remove("request")
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, 3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "`hf-tools tasks` lists them"
    raise InputError(f"no task {shown(repr(word), 60)}", hint=hint)


def forms(name: str) -> list[Any]:
    """The classes of a task: one, or that for one input and that for several; only their module is loaded."""
    value: Any = vars(Catalogue)[name]
    other = other_form(name)
    return [value.task, other] if other else [value.task]


def flags_of(name: str) -> list[Flag]:
    """A flag for each parameter of a task's forms, in the order of the method."""
    found = forms(name)
    shape = joint_signature(*found) if len(found) == 2 else signature(found[0])
    return [_flag(name, found, each) for each in shape.parameters.values()]


def _flag(task: str, found: Sequence[Any], parameter: Any) -> Flag:
    name: str = parameter.name
    having = [form for form in found if name in form.__pydantic_fields__]
    hints = [get_type_hints(form, include_extras=True)[name] for form in having]
    positional = parameter.kind is not parameter.KEYWORD_ONLY
    required = parameter.default is parameter.empty or name in NEEDED
    about = " ".join((having[0].__pydantic_fields__[name].description or "").split())
    kind: Kind = "messages" if (task, name) == ("chat_completion", "messages") else _kind(hints, positional)
    return Flag(name, kind, about, positional, required, _words(hints) if kind == "choice" else ())


def _kind(hints: Sequence[Any], positional: bool) -> Kind:
    for hint in hints:
        for alias, place, kind in MARKS:
            if any(alias.__metadata__[place] is each for each in _annotations(hint)):
                return kind
    bases = frozenset(_base(arm) for hint in hints for arm in _arms(hint))
    if positional and "str" in bases:
        bases -= {"json"}
    found: Kind = "word" if "str" in bases else "json"
    return SINGLE.get(bases, found)


def _arms(hint: Any) -> Iterator[Any]:
    """The types that a value may have, without what validates them, and without None."""
    if get_origin(hint) is Annotated:
        yield from _arms(hint.__origin__)
    elif get_origin(hint) in (Union, types.UnionType):
        for part in get_args(hint):
            yield from _arms(part)
    elif hint is not types.NoneType:
        yield hint


def _annotations(hint: Any) -> Iterator[Any]:
    """What validates a type or a branch of it."""
    if get_origin(hint) is Annotated:
        yield from hint.__metadata__
        yield from _annotations(hint.__origin__)
    elif get_origin(hint) in (Union, types.UnionType):
        for part in get_args(hint):
            yield from _annotations(part)


def _base(arm: Any) -> str:
    """What a type is on a command line: `json` for what has parts that are no texts."""
    origin = get_origin(arm)
    if origin is Literal:
        return "choice"
    if origin is not None and issubclass(origin, Sequence):
        return "list" if [*_arms(get_args(arm)[0])] == [str] else "json"
    plain = isinstance(arm, type) and not typing.is_typeddict(arm) and arm in (str, int, float, bool)
    return arm.__name__ if plain else "json"


def _words(hints: Sequence[Any]) -> tuple[str, ...]:
    arms = [arm for hint in hints for arm in _arms(hint)]
    words = [str(value) for arm in arms if get_origin(arm) is Literal for value in get_args(arm)]
    return tuple(dict.fromkeys([*(["true", "false"] if bool in arms else []), *words]))
