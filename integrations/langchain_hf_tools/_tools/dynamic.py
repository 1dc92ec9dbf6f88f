"""Three tools for all tasks: find a task, read what it takes, run it. For models that are given few schemas."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hf_tools.errors import InputError, shown
from langchain_hf_tools._tools.abilities import Result, Single, Work, read, told
from langchain_hf_tools._tools.arguments import Argument, understood
from langchain_hf_tools._tools.bench import Bench
from langchain_hf_tools._tools.catalogued import task, tasks
from langchain_hf_tools._tools.content import LIMIT, noted
from langchain_hf_tools._tools.schema import arguments, described
from langchain_hf_tools._tools.told import USELESS, Unserved

STEM = 6
"""Letters of a word that must be found: translate and translation are one."""
WORD = re.compile(r"[a-z]{3,}")
COMMON = frozenset(["all", "and", "any", "for", "from", "into", "its", "not", "task", "tasks", "the", "that", "what",
                    "which", "with", "you", "your"])  # fmt: skip
"""Words of a query that say nothing."""
_TASK = Argument("task", {"type": "string", "description": "Name of the task, as the list of tasks has it."}, True)


def single(name: str, parameters: frozenset[str] | None = None) -> Single:
    """One task as an ability."""
    kind = task(name)
    return Single(name, described(kind), arguments(kind, parameters=parameters))


@dataclass(frozen=True)
class FindTasks:
    """Which tasks there are."""

    name: str = "find_tasks"
    about: str = (
        "List the tasks that models can do for you, with texts, pictures, sound, films (video) and tables. "
        "Call it first."
    )
    tasks: tuple[str, ...] = ()
    arguments: tuple[Argument, ...] = (
        Argument("query", {"type": "string", "description": "What to do, in a few English words; without it, all."}),
    )

    def work(self, bench: Bench, given: dict[str, Any]) -> Work:
        """List those whose name or description has a word of the query, else all."""
        result: Result = yield partial(self._list, bench, set(WORD.findall(given.get("query", "").lower())) - COMMON)
        return result

    def _list(self, bench: Bench, words: set[str]) -> Result:
        served = {name: described(kind) for name, kind in tasks().items() if bench.serves(name)}
        hits = {name: sum(word[:STEM] in f"{name} {said}".lower() for word in words) for name, said in served.items()}
        found = sorted((name for name in served if hits[name]), key=lambda name: -hits[name]) or list(served)
        head = ["No task has these words; all that there are:"] if words and not any(hits.values()) else []
        lines = [f"{name}: {_sentence(served[name])}" for name in found]
        while len("\n".join([*head, *lines, *_rest(found[len(lines) :])])) > LIMIT:
            lines.pop()
        return told("\n".join([*head, *lines, *_rest(found[len(lines) :])]), found)


def _sentence(about: str) -> str:
    """What a task does without what comes back."""
    return re.split(r"(?<=\.) |: ", about)[0].rstrip(".") + "."


def _rest(names: list[str]) -> list[str]:
    return [f"Also: {', '.join(names)}"] if names else []


@dataclass(frozen=True)
class TaskHelp:
    """What a task takes."""

    name: str = "task_help"
    about: str = "Tell what a task does, which arguments it takes, and how to run it. Call it before you run one."
    tasks: tuple[str, ...] = ()
    arguments: tuple[Argument, ...] = (_TASK,)

    def work(self, bench: Bench, given: dict[str, Any]) -> Work:
        """Tell each argument with type and description, and an example call."""
        result: Result = yield partial(self._help, bench, single(_named(given["task"])))
        return result

    def _help(self, bench: Bench, about: Single) -> Result:
        lines = [f"{about.name}: {about.about}", *([f"{USELESS}."] if bench.unserved(about.name) else [])]
        lines += [f"- {each.name} ({_kind(each)}{', required' if each.required else ''}): {each.about}"
                  for each in about.arguments]  # fmt: skip
        example = [f"{each.name}=..." for each in about.arguments if each.required]
        lines.append(f'Run it: {{"task": "{about.name}", "arguments": {json.dumps(example)}}}')
        return told("\n".join(lines), {each.name: each.told() for each in about.arguments})


@dataclass(frozen=True)
class RunTask:
    """Any task."""

    name: str = "run_task"
    about: str = 'Run a task. Example: {"task": "translation", "arguments": ["text=Good morning"]}'
    tasks: tuple[str, ...] = field(default_factory=lambda: tuple(tasks()))
    arguments: tuple[Argument, ...] = (
        _TASK,
        Argument(
            "arguments",
            {
                "type": "array",
                "items": {"type": "string"},
                "description": "Each as name=value, media by handle or name; for a list repeat the name.",
            },
            pairs=True,
        ),
    )

    @property
    def names(self) -> frozenset[str]:
        """The names of the arguments of all tasks: an error may be about any of them."""
        inner = (each.name for kind in tasks().values() for each in arguments(kind))
        return frozenset(["task", "arguments", "model", *inner])

    def work(self, bench: Bench, given: dict[str, Any]) -> Work:
        """Understand the arguments as the task's own tool does, and run it."""
        ability = single(_named(given["task"]))
        if "model" not in given and (said := bench.unserved(ability.name)):
            raise Unserved(USELESS, hint=said)
        meant = understood(ability.arguments, _pairs(given.get("arguments", [])))
        values = yield from read(bench, ability.arguments, meant.values)
        values |= {"model": given["model"]} if "model" in given else {}
        result = yield from ability.work(bench, values)
        result.text = noted(result.text, meant.notes)
        return result


def _named(name: str) -> str:
    """The name of a task as the catalogue has it; InputError with the nearest names for one that there is not."""
    try:
        kind = task("_".join(name.strip("`'\" ").lower().split()).removeprefix("hf_"))
    except InputError as error:
        raise InputError(f"{error.message}. {error.hint}") from error
    return str(kind.name).replace("-", "_")


def _pairs(written: list[str]) -> dict[str, Any]:
    """The arguments by name; a name that comes several times has a list."""
    found: dict[str, list[str]] = {}
    for one in written:
        name, mark, value = one.partition("=")
        if not mark:
            raise InputError(f"`arguments`: {shown(repr(one), 60)} is not name=value")
        found.setdefault(name.strip().strip("`'\""), []).append(value.strip())
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _kind(argument: Argument) -> str:
    kind = argument.schema["type"]
    choices = f" of {', '.join(argument.schema['enum'])}" if "enum" in argument.schema else ""
    return f"list of {argument.schema['items']['type']}s" if kind == "array" else f"{kind}{choices}"


DYNAMIC = (FindTasks(), TaskHelp(), RunTask())
