"""The command `hf-tools`, also `python -m hf_tools`: results on stdout, everything else on stderr.

Exit codes: 0 done, 1 error, 2 wrong usage or refused input, 3 token, permission or credits, 4 rate limit, or a model
that is loading or overloaded, 130 interrupted, 141 the reader of stdout is gone.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from hf_tools import __version__
from hf_tools.cli import lists
from hf_tools.cli.lists import sentence, task_rows
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

__all__ = ["exit_code", "main", "sentence", "task_rows"]

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
    if sys.stdout is None or sys.stderr is None:
        # they were closed before; what is printed goes nowhere
        sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        _replacing(stream)
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        _silenced()
        return PIPE_CLOSED
    except OSError as error:
        # what a task does raises an HfError: this is stdout on a full disk, or a file of the command itself
        sys.stderr.write(f"error: {shown(error)}\n")
        try:
            sys.stdout.flush()
        except OSError:
            _silenced()
        return 1


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def _silenced() -> None:
    """The interpreter flushes stdout once more at its end, which must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(argv: list[str]) -> int:
    try:
        code = _called(argv)
    except HfError as error:
        sys.stdout.flush()
        sys.stderr.write(f"error: {error}\n")
        return exit_code(error)
    sys.stdout.flush()
    return code


def _called(argv: list[str]) -> int:
    if argv[:1] == ["run"]:
        # its flags are those of the task, so it has parsers of its own
        from hf_tools.cli.run import run

        return run(argv[1:])
    arguments = _parser(argv[0] if argv else "").parse_args(argv)
    code: int = arguments.run(arguments)
    return code


def exit_code(error: HfError) -> int:
    """The exit code that an error stands for."""
    return next((code for kinds, code in CODES if isinstance(error, kinds)), 1)


def _replacing(stream: Any) -> None:
    """Let a terminal that lacks a character show a question mark; a stream of another kind stays as it is."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")


def _parser(command: str) -> argparse.ArgumentParser:
    """The parser; what only one command needs is loaded for that one."""
    parser = argparse.ArgumentParser(prog="hf-tools", description="Every Hugging Face inference task.")
    parser.add_argument("--version", action="version", version=f"hf-tools {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("run", help="run a task: text, pictures, sounds, films and tables in, the answer out")
    lists.add_commands(commands)
    _add_tools(commands)
    _add_demo(commands)
    weights = commands.add_parser("local", help="the embedded backend's models: pull, list")
    if command == "local":
        from hf_tools.local.cli import add_commands

        add_commands(weights)
    return parser


def _add_tools(commands: Any) -> None:
    shown = commands.add_parser(
        "tools",
        help="print the LangChain tools that an agent gets: names, schemas, how many tokens they take",
        epilog="examples: hf-tools tools | hf-tools tools --preset all --json | hf-tools tools --stats",
    )
    shown.add_argument("--preset", metavar="NAME", help="which tools; default: core, with --stats all presets")
    shown.add_argument("--provider", metavar="NAME", help="who is asked by them; default: auto")
    shown.add_argument("--stats", action="store_true", help="count tools, and characters and tokens of their schemas")
    shown.add_argument("--json", action="store_true", help="print JSON: schemas as OpenAI takes them, or counts")
    shown.set_defaults(run=_tools)


def _add_demo(commands: Any) -> None:
    played = commands.add_parser(
        "demo",
        help="an agent with tools and files on the embedded backend: no token, no network",
        description="An agent answers questions about a recording, a picture, a table and a text; each step is shown.",
        epilog='examples: hf-tools demo | hf-tools demo --ask "What does she want?" --file message.wav',
    )
    played.add_argument("--ask", metavar="QUESTION", help="what the agent is asked; default: a question for each file")
    played.add_argument(
        "--file",
        type=Path,
        metavar="PATH",
        action="append",
        help="a recording, picture, table (CSV) or text that it is about, several times if you like; default: samples",
    )
    played.set_defaults(run=_demo)


def _tools(arguments: argparse.Namespace) -> int:
    from hf_tools.cli.tools import tools

    return tools(arguments)


def _demo(arguments: argparse.Namespace) -> int:
    from hf_tools.demo import demo

    demo(ask=arguments.ask, file=arguments.file)
    return 0
