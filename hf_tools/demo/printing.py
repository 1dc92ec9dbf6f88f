"""How the demonstration is written: lines of at most 100 columns, nothing that steers a terminal."""

from __future__ import annotations

import re
import sys
import textwrap

from hf_tools.errors import CONTROL

WIDTH = 100
SHOWN = 420
"""Characters of a result or an answer that are shown."""


def say(text: str) -> None:
    """Write a text and show it at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def paragraph(text: str) -> None:
    """Write a text after an empty line."""
    say("\n" + textwrap.fill(clean(text), WIDTH) + "\n")


def item(mark: str, text: str, seconds: float | None = None) -> None:
    """Write a marked text of several lines, cut where it is long, and the time that it took."""
    lines = [clean(line) for line in _cut(text).split("\n") if line.strip()]
    if seconds is not None:
        lines.append(f"[{seconds:.1f} s]")
    for place, line in enumerate(lines):
        first = f"   {mark if place == 0 else '':8}"
        say(textwrap.fill(line, WIDTH, initial_indent=first, subsequent_indent=" " * 11, break_on_hyphens=False) + "\n")


def clean(text: str) -> str:
    """The text on one line, without what steers a terminal."""
    return re.sub(CONTROL, "?", " ".join(text.split()))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN].rstrip()} … ({len(text) - SHOWN:,} more characters)"
