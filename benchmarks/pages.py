"""What `make bench` writes: benchmarks/RESULTS.md with the run before it, and the table of the README."""

from __future__ import annotations

import re
from typing import Final

from benchmarks import results
from benchmarks.growth import Curve, bends

INTRODUCTION: Final = """\
Everything runs against a server on 127.0.0.1 with a CPU of its own and canned answers. Each client is a process of its
own; in each round every client does the same work once, in an order that turns. Figures are CPU time of the client's
process in times of what bare httpx (`benchmarks/subjects/bare.py` says what that does) took in the same round, the
median of all rounds, unless the row says otherwise; imports in times of `import httpx, pydantic`, that of the chat
model in times of `import httpx` and langchain-core's chat models. "In flight" is the cost of a request in times of the
same client's with one in flight."""
BEGIN, END = "<!-- written by make bench -->\n", "<!-- end of what make bench writes -->"


def grown(found: list[Curve]) -> str:
    """The curves as a table."""
    rows = ["| cost | of | client | by size | last / smallest before |", "|---|---|---|---|---|"]
    for curve in found:
        for subject, line in curve.lines.items():
            points = ", ".join(f"{size:,}: {results.number(cost)}" for size, cost in line)
            told_as = f"| {curve.title}, {curve.unit} | {curve.sizes} | {results.TITLES[subject]} | {points} |"
            rows.append(f"{told_as} {results.number(bends(line))} |")
    return "\n".join(rows)


def page(found: list[results.Line], curves: list[Curve], about: str, before: str) -> str:
    """benchmarks/RESULTS.md, with the table of the one `before`."""
    parts = [
        "# What calls cost",
        f"Made by `make bench` on {about}.",
        INTRODUCTION,
        results.table(found),
        "## How cost grows",
        grown(curves),
        "## Spreads",
        results.spreads(found),
        *earlier(before),
    ]
    return "\n\n".join(parts) + "\n"


def earlier(before: str) -> list[str]:
    """When the run before was made, and what it found: the first sentence of its page, and its first table."""
    made = re.search(r"^Made by .*$", before, re.M)
    table = re.search(r"(?:^\|.*\n)+", before, re.M)
    return ["## The run before", made[0], table[0].rstrip()] if made and table else []


def quoted(readme: str, found: list[results.Line], today: str) -> str:
    """The README with the table of this run; ValueError where its marks are not there, or not once."""
    head, begun, rest = readme.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not begun or not ended or BEGIN in rest or END in head + tail:
        raise ValueError(f"the README must hold {BEGIN.strip()} and then {END}, each once")
    return f"{head}{BEGIN}\n`make bench` on {today}:\n\n{results.table(found)}\n\n{END}{tail}"
