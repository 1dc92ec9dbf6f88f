"""Constructors and copies whose refusals are ours: an InputError without secrets, not pydantic's ValidationError."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import AliasChoices, BaseModel, ValidationError

from hf_tools.errors import InputError, shown

SECRET = frozenset(["api_key", "token", "extra_headers", "default_headers"])
"""Fields whose value no message shows."""
INTERNAL = frozenset(["bench", "clients"])
"""Fields that are not for callers."""


class Checked(BaseModel):
    """A model that raises InputError for wrong fields, when it is made and when it is copied with changes."""

    if not TYPE_CHECKING:  # pragma: no branch - a type checker reads the fields

        def __init__(self, /, *args: Any, **fields: Any) -> None:
            try:
                super().__init__(*args, **fields)
            except ValidationError as error:
                raise refused(type(self), error) from None

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields changed; InputError for what the constructor refuses."""
        copied = super().model_copy(update=self._changes(update) if update else None, deep=deep)
        for name in vars(copied).keys() - type(self).model_fields.keys():
            del vars(copied)[name]  # worked out from the fields as they were
        return copied

    def _changes(self, update: Mapping[str, Any]) -> dict[str, Any]:
        """The changes by the names of the fields, as the constructor takes them."""
        fields, names = type(self).model_fields, aliases(type(self))
        given = {names.get(name, name): value for name, value in update.items()}
        if unknown := given.keys() - fields.keys():  # a constructor may take more than there are fields
            raise InputError(f"{type(self).__name__}: {_unknown(type(self), min(unknown))}")
        checked = type(self)(**{**{name: getattr(self, name) for name in fields}, **given})
        return {name: getattr(checked, name) for name in given}


def refused(kind: type[BaseModel], error: ValidationError) -> InputError:
    """What is wrong: each field by name, with its value unless it is secret, and what is allowed."""
    problems = dict.fromkeys(_problem(kind, dict(one)) for one in error.errors(include_url=False))
    return InputError(f"{kind.__name__}: {'; '.join(problems)}")


def _problem(kind: type[BaseModel], one: dict[str, Any]) -> str:
    name = str(one["loc"][0]) if one["loc"] else ""
    reason, value = str(one["msg"]).removeprefix("Value error, "), one["input"]
    if one["type"] == "extra_forbidden":
        return _unknown(kind, name)
    if not name or reason.startswith(f"`{name}"):
        return reason
    # anything else might show what is secret in its repr
    plain = name not in SECRET and (value is None or isinstance(value, str | int | float))
    return f"`{name}` {f'= {shown(repr(value), 60)}' if plain else f'({type(value).__name__})'}: {reason}"


def aliases(kind: type[BaseModel]) -> dict[str, str]:
    """Other names of fields, and whose they are."""
    choices = [(name, field.validation_alias) for name, field in kind.model_fields.items()]
    return {
        alias: name for name, one in choices if isinstance(one, AliasChoices)
        for alias in one.choices if isinstance(alias, str)
    }  # fmt: skip


def _unknown(kind: type[BaseModel], name: str) -> str:
    if own := aliases(kind).get(name):
        return f"`{name}` is another name of `{own}`: give one of them"
    known = [field for field in kind.model_fields if field not in INTERNAL]
    near = difflib.get_close_matches(name, known, 1)
    meant = f" (did you mean `{near[0]}`?)" if near else ""
    return f"`{shown(name, 60)}` is not a parameter{meant}; it takes {', '.join(known)}"
