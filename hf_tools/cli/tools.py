"""The command `tools`: the LangChain tools of a preset, their schemas, and what these take of a model's context."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from typing import Any

from hf_tools.cli.lists import aligned, filled, sentence
from hf_tools.cli.printing import say
from hf_tools.client import HfInference
from hf_tools.errors import InputError, MissingExtra, shown

CHARACTERS = 4
"""Characters of a token, about: a rule of thumb for English text and JSON."""
HEAD = ("", "tools", "characters", "tokens (about)")


def tools(arguments: argparse.Namespace) -> int:
    """Print the tools; returns the exit code, raises InputError for an unknown preset and MissingExtra."""
    presets, toolkit, schema = _langchain()
    if arguments.preset is not None and arguments.preset not in presets:
        said = f"tools: no preset {shown(repr(arguments.preset), 60)}"
        raise InputError(said, hint=f"Known are {', '.join(presets)}")
    with HfInference(provider=arguments.provider or "auto") as hf:
        names = [arguments.preset or "core"] if arguments.preset or not arguments.stats else [*presets]
        made = {name: toolkit(hf, preset=name).get_tools() for name in names}
        if arguments.stats:
            counts = {name: [_count(schema(tool)) for tool in found] for name, found in made.items()}
            _print_counts(counts, arguments)
        elif arguments.json:
            say(json.dumps([schema(tool) for tool in made[names[0]]], indent=2) + "\n")
        else:
            say("".join(f"{tool.name}\n{filled(sentence(tool.description))}\n" for tool in made[names[0]]))
    return 0


def _langchain() -> tuple[Any, Any, Callable[[Any], dict[str, Any]]]:
    """The presets, the toolkit, and what makes a tool's schema; MissingExtra without langchain-core."""
    try:
        from langchain_core.utils.function_calling import convert_to_openai_tool
    except ModuleNotFoundError as error:
        raise MissingExtra("`hf-tools tools` needs langchain-core: pip install 'hf-tools[langchain]'") from error
    import langchain_hf_tools

    package: Any = langchain_hf_tools
    return package.PRESETS, package.HfInferenceToolkit, convert_to_openai_tool


def _count(schema: dict[str, Any]) -> tuple[str, int]:
    """The name of a tool, and the characters of its schema as it is sent."""
    return schema["function"]["name"], len(json.dumps(schema, separators=(",", ":"), ensure_ascii=False))


def _tokens(characters: int) -> int:
    return math.ceil(characters / CHARACTERS)


def _print_counts(counts: dict[str, list[tuple[str, int]]], arguments: argparse.Namespace) -> None:
    """For each preset the sum and each tool: a table, or JSON."""
    if arguments.json:
        say(json.dumps({name: _summary(found) for name, found in counts.items()}, indent=2) + "\n")
        return
    for place, (name, found) in enumerate(counts.items()):
        total = sum(characters for _, characters in found)
        rows: list[tuple[str, ...]] = [HEAD, (name, f"{len(found):5}", f"{total:10,}", f"{_tokens(total):14,}")]
        rows += [(f"  {tool}", "", f"{size:10,}", f"{_tokens(size):14,}") for tool, size in found]
        say(("\n" if place else "") + "\n".join(aligned(rows)) + "\n")


def _summary(found: list[tuple[str, int]]) -> dict[str, Any]:
    total = sum(characters for _, characters in found)
    each = [{"name": tool, "characters": size, "tokens": _tokens(size)} for tool, size in found]
    return {"count": len(found), "characters": total, "tokens": _tokens(total), "tools": each}
