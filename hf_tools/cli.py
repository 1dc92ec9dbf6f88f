"""The command `hf-tools`, also `python -m hf_tools`: results on stdout, everything else on stderr.

Exit codes: 0 done, 1 error, 2 wrong usage or refused input, 3 token, permission or credits, 4 rate limit, or a model
that is loading or overloaded, 130 interrupted, 141 the reader of stdout is gone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from pathlib import Path
from typing import Any

from hf_tools import HfInference, __version__, local
from hf_tools.catalogue import catalogue, streams
from hf_tools.errors import (
    AuthenticationError,
    HfError,
    InputError,
    ModelLoading,
    Overloaded,
    PaymentRequired,
    PermissionDenied,
    RateLimited,
    shown,
)
from hf_tools.local.cli import add_commands

WIDTH = 100
CODES: tuple[tuple[tuple[type[HfError], ...], int], ...] = (
    ((InputError,), 2),
    ((AuthenticationError, PermissionDenied, PaymentRequired), 3),
    ((RateLimited, ModelLoading, Overloaded), 4),
)
INTERRUPTED = 130
PIPE_CLOSED = 141


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` is without the program's name, None for the process's own.

    `--help` and a wrong command line end as argparse does, with SystemExit (0 and 2).
    """
    for stream in (sys.stdout, sys.stderr):
        _replacing(stream)
    try:
        return _run(argv)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes stdout once more at its end, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _run(argv: list[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except HfError as error:
        sys.stdout.flush()
        sys.stderr.write(f"error: {error}\n")
        return exit_code(error)
    sys.stdout.flush()
    return code


def exit_code(error: HfError) -> int:
    """The exit code that an error stands for."""
    return next((code for kinds, code in CODES if isinstance(error, kinds)), 1)


def _replacing(stream: Any) -> None:
    """Let a terminal that lacks a character show a question mark; a stream of another kind stays as it is."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hf-tools", description="Every Hugging Face inference task.")
    parser.add_argument("--version", action="version", version=f"hf-tools {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listed = commands.add_parser(
        "tasks",
        help="list the tasks: what each does, whether it streams, who serves it",
        epilog="examples: hf-tools tasks | hf-tools tasks --json",
    )
    listed.add_argument("--json", action="store_true", help="print a JSON list")
    listed.set_defaults(run=_tasks)
    played = commands.add_parser(
        "demo",
        help="real inference on the embedded backend: no token, no network",
        description="Chat, retrieval, classification, ranking and a tool on the embedded backend, each with its time.",
        epilog='examples: hf-tools demo | hf-tools demo --ask "Which extras are there?" --file README.md',
    )
    played.add_argument("--ask", metavar="QUESTION", help="answer this question: from memory, and from the file")
    played.add_argument(
        "--file", type=Path, metavar="PATH", help="a text file to look in; default: the project's README"
    )
    played.set_defaults(run=_demo)
    _add_serving(commands)
    weights = commands.add_parser("local", help="the embedded backend's models: pull, list")
    add_commands(weights)
    return parser


def _add_serving(commands: Any) -> None:
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
    return [
        {
            "name": name,
            "summary": sentence(kind.__doc__ or ""),
            "streams": streams(name),
            "local": kind.name in local.TASKS,
            "providers": list(kind.remote),
        }
        for name, kind in catalogue()
    ]


def sentence(text: str) -> str:
    """The first sentence, on one line."""
    line = " ".join(text.split("\n\n")[0].split())
    head, stop, _ = line.partition(". ")
    return head + stop.strip()


def _tasks(arguments: argparse.Namespace) -> int:
    rows = task_rows()
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        marks = [mark for mark in ("streams", "local") if row[mark]]
        print(f"{row['name']:<32}{', '.join([*marks, *row['providers']])}".rstrip())
        print(textwrap.fill(row["summary"], WIDTH, initial_indent="    ", subsequent_indent="    "))
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
    rows = [
        ("provider", "task", "status", "model"),
        *((one.provider, one.task, one.status, one.model) for one in found),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    from hf_tools.demo import demo

    demo(ask=arguments.ask, file=arguments.file)
    return 0
