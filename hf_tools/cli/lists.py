"""The commands that list: `tasks`, `models`, `providers`."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from typing import Any

from hf_tools import HfInference
from hf_tools.catalogue import catalogue, streams
from hf_tools.errors import InputError, shown

WIDTH = 100
"""Characters of a line of prose."""


def add_commands(commands: Any) -> None:
    """Add the commands; each sets `run` to a function that takes the arguments and returns a code."""
    listed = commands.add_parser(
        "tasks",
        help="list the tasks: what each does, whether it streams, who serves it",
        epilog="examples: hf-tools tasks | hf-tools tasks --json",
    )
    listed.add_argument("--json", action="store_true", help="print a JSON list")
    listed.set_defaults(run=_tasks)
    found = commands.add_parser(
        "models",
        help="list the models that providers serve for a task, the most popular first",
        epilog="examples: hf-tools models text_to_image | hf-tools models chat_completion --provider groq --limit 5",
    )
    found.add_argument("task", metavar="TASK", help="as `hf-tools tasks` names it")
    found.add_argument("--provider", metavar="NAME", help="only what this provider serves")
    found.add_argument("--limit", metavar="N", type=int, default=30, help="at most so many, up to 1000; default: 30")
    found.set_defaults(run=_models)
    asked = commands.add_parser(
        "providers",
        help="list the providers that serve a model: for which task, whether it works, under which name",
        epilog="example: hf-tools providers black-forest-labs/FLUX.1-schnell",
    )
    asked.add_argument("model", metavar="MODEL", help="the model's ID on the Hub")
    asked.set_defaults(run=_providers)


def task_rows() -> list[dict[str, Any]]:
    """The catalogue as rows: name, summary (one sentence), streams, local, providers."""
    from hf_tools.local import TASKS

    return [
        {
            "name": name,
            "summary": sentence(kind.__doc__ or ""),
            "streams": streams(name),
            "local": kind.name in TASKS,
            "providers": list(kind.remote),
        }
        for name, kind in catalogue()
    ]


def sentence(text: str) -> str:
    """The first sentence, on one line."""
    line = " ".join(text.split("\n\n")[0].split())
    head, stop, _ = line.partition(". ")
    return head + stop.strip()


def filled(text: str) -> str:
    """A text below a head: wrapped and indented."""
    return textwrap.fill(text, WIDTH, initial_indent="    ", subsequent_indent="    ")


def _tasks(arguments: argparse.Namespace) -> int:
    rows = task_rows()
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        marks = [mark for mark in ("streams", "local") if row[mark]]
        print(f"{row['name']:<32}{', '.join([*marks, *row['providers']])}".rstrip())
        print(filled(row["summary"]))
    return 0


def _models(arguments: argparse.Namespace) -> int:
    task: str = arguments.task.replace("-", "_")
    if task not in dict(catalogue()):
        raise InputError(f"models: no task {shown(repr(arguments.task), 60)}", hint="`hf-tools tasks` lists them")
    with HfInference() as hf:
        found = hf.list_models(task, arguments.provider, limit=arguments.limit)
    if not found:
        sys.stderr.write(f"no model for {task} is served by {arguments.provider or 'any provider'}\n")
    for model in found:
        print(model)
    return 0


def _providers(arguments: argparse.Namespace) -> int:
    with HfInference() as hf:
        found = hf.who_serves(arguments.model)
    if not found:
        sys.stderr.write(f"no provider serves {shown(arguments.model, 100)}\n")
        return 0
    table_of = [("provider", "task", "status", "model")]
    for row in aligned([*table_of, *((one.provider, one.task, one.status, one.model) for one in found)]):
        print(row)
    return 0


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows of cells as lines, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
