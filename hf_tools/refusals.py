"""What is wrong with the arguments of a task: pydantic's findings as one sentence for each."""

from __future__ import annotations

import inspect
import re
from typing import Any

from pydantic_core import ValidationError

from hf_tools.errors import shown
from hf_tools.media import Media


def refusal(cls: type[Any], error: ValidationError) -> str:
    """The sentences, after the name of the task."""
    problems = [_problem(cls, dict(one)) for one in error.errors(include_url=False)]
    return f"{str(cls.name).replace('-', '_')}: {'; '.join(dict.fromkeys(problems))}"


BRANCHES = frozenset(["str", "bytes", "bool", "int", "float"])
"""How pydantic names the branches of a union in a place; a reader does not need them."""


def _problem(cls: type[Any], one: dict[str, Any]) -> str:
    names = list(inspect.signature(cls).parameters)
    where = [part for part in one["loc"] if not (isinstance(part, str) and ("[" in part or part in BRANCHES))]
    if where and isinstance(where[0], int) and where[0] < len(names):
        where[0] = names[where[0]]
    name = ".".join(str(part) for part in where)
    if one["type"] == "missing" or one["type"] == "missing_argument":
        return f"`{name}` is missing"
    if one["type"] == "unexpected_positional_argument":
        taken = [n for n, each in inspect.signature(cls).parameters.items() if each.kind is not each.KEYWORD_ONLY]
        return f"too many positional arguments: {', '.join(taken) or 'none'} may be given so, the others by name"
    if one["type"] == "unexpected_keyword_argument":
        return f"`{name}` is not a parameter of this task; it takes {', '.join(names)}"
    value, reason = one["input"], str(one["msg"]).removeprefix("Value error, ")
    if not name:
        return reason
    if isinstance(value, bytes | Media):
        return f"`{name}` ({type(value).__name__}): {reason}"
    return f"`{name}` = {_repr(value)}: {reason}"


def _repr(value: object) -> str:
    """The value for a message, a URL without its credentials and query; a broken `__repr__` must not hide the rest."""
    if isinstance(value, str) and value[:8].lower().startswith(("http://", "https://")):
        value = re.sub(r"//[^/@]*@", "//***@", value.partition("?")[0])
    try:
        return shown(repr(value), 60)
    except Exception:  # noqa: BLE001 - it is the caller's code
        return f"<{type(value).__name__}>"
