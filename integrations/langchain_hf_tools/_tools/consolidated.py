"""Tools that take several tasks: the arguments that a model gives choose one. What nobody serves is not offered."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hf_tools.choice import ELSEWHERE
from hf_tools.errors import InputError
from langchain_hf_tools._tools.abilities import Form, Work
from langchain_hf_tools._tools.arguments import Argument
from langchain_hf_tools._tools.bench import Bench
from langchain_hf_tools._tools.catalogued import task
from langchain_hf_tools._tools.schema import arguments


@dataclass(frozen=True)
class Consolidated:
    """An ability with several forms; `about` is followed by what each form that is served does."""

    name: str
    about: str
    offered: tuple[Argument, ...]
    forms: tuple[tuple[str, Form], ...]
    """What a form does, for the description, and the form."""
    examples: tuple[Mapping[str, Any], ...] = ()
    """Arguments of calls; the first that a form takes that is served stands in the description."""

    def on(self, bench: Bench) -> Served | None:
        """The ability as far as it is served; None where it is not."""
        forms = tuple(one for one in self.forms if one[1].served(bench) and _is_reached(one[1].task, bench))
        if not forms:
            return None
        takes = [form.takes.keys() | form.when.keys() for _, form in forms]
        choosing = {name for _, form in forms for name in form.when}
        # an argument that chooses is needed only where there is a choice
        alone = {name for name in choosing if len({form.when.get(name) for _, form in forms}) == 1}
        named = frozenset[str]().union(*takes) - alone
        needed = functools.reduce(lambda some, more: some & more, [_needed(form) for _, form in forms])
        found = [replace(each, required=each.name in needed) for each in self.offered if each.name in named]
        does = filter(None, dict.fromkeys(does for does, _ in forms))
        about = " ".join([self.about, *does, *self._example([form for _, form in forms])])
        ordered = tuple(sorted(found, key=lambda each: not each.required))
        return Served(self.name, about, ordered, tuple(form for _, form in forms))

    def _example(self, forms: Sequence[Form]) -> list[str]:
        taken = (one for one in self.examples if any(_takes(form, one) for form in forms))
        return [f"Example: {json.dumps(one)}" for one in taken][:1]


def _is_reached(name: str, bench: Bench) -> bool:
    """Whether the task can be asked for where it would go: some take an endpoint, whatever the model."""
    kind, client = task(name), bench.clients.known
    if bench.local or client.url or kind.name in ELSEWHERE or "hf-inference" in kind.servers:
        return True
    return "://" in [*bench.choices(name), client.model or ""][0]


def _takes(form: Form, given: Mapping[str, Any]) -> bool:
    """Whether the form can be asked for with these arguments."""
    return form.fits(given) and _needed(form) <= given.keys()


def _needed(form: Form) -> frozenset[str]:
    """The arguments without which a form cannot be asked for."""
    required = {each.field or each.name for each in arguments(task(form.task)) if each.required}
    named = [name for name, field in form.takes.items() if field in required and not form.make]
    return form.needs | frozenset(named)


@dataclass(frozen=True)
class Served:
    """An ability with the forms that somebody serves."""

    name: str
    about: str
    arguments: tuple[Argument, ...]
    forms: tuple[Form, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks of its forms."""
        return tuple(dict.fromkeys(form.task for form in self.forms))

    def work(self, bench: Bench, given: dict[str, Any]) -> Work:
        """Take the first form that fits, and ask."""
        # a provider that is strict makes a model write each argument; false says no more than leaving it out
        given = {name: value for name, value in given.items() if value is not False}
        form = next((form for form in self.forms if _takes(form, given)), None)
        if form is None:
            ways = " or ".join(dict.fromkeys(_way(one) for one in self.forms))
            got = ", ".join(f"`{name}`" for name in given) or "nothing"
            raise InputError(f"the arguments do not go together: give {ways}; {got} came")
        return (yield from form.work(bench, given))


def _way(form: Form) -> str:
    needed = sorted(_needed(form), key=[*form.takes].index)
    rest = [f"`{name}`" for name in form.takes if name not in needed]
    rest += [f"`{name}` {value!r}" for name, value in form.when.items()]
    more = f" (and if you like {', '.join(rest)})" if rest else ""
    return " with ".join(f"`{name}`" for name in needed) + more
