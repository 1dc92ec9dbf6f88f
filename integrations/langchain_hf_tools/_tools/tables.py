"""Tables and long texts that a model names by handle, or writes as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from typing import Any

from hf_tools.errors import InputError, shown
from hf_tools.media import Media, Text

TABLES = frozenset(["text/csv", "text/tab-separated-values"])
"""Types of tables."""
PASSAGE = 500
"""Characters of a passage of a text: what an embedding model of 256 tokens reads whole."""


def rows(text: str) -> list[list[str]]:
    """The rows of a table that is written with commas, semicolons or tabs; InputError where that is not possible."""
    text = "\n".join(text.strip().splitlines())
    head = text.partition("\n")[0]
    best = max(",;\t", key=head.count)
    try:
        found = [row for row in csv.reader(io.StringIO(text), delimiter=best, strict=True) if any(row)]
    except csv.Error as error:
        raise InputError(f"`table`: not readable as CSV ({error})") from error
    if len(found) < 2:
        raise InputError("`table`: needs a line of column names and at least one row below it")
    if wrong := next((number for number, row in enumerate(found) if len(row) != len(found[0])), None):
        raise InputError(f"`table`: row {wrong} has {len(found[wrong])} cells, the line of names has {len(found[0])}")
    return found


def columns(media: Media) -> dict[str, list[str]]:
    """The columns of a CSV text by name."""
    names, *body = [[cell.strip() for cell in row] for row in rows(content(media))]
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise InputError(f"`table`: two columns have the name {shown(twice, 40)!r}")
    return {name: [row[place] for row in body] for place, name in enumerate(names)}


def content(media: Any) -> str:
    """The text of a document."""
    return media.text if isinstance(media, Text) else Text(media.data).text


def passages(media: Media) -> list[str]:
    """What can be searched: the rows of a table with their column names, else the paragraphs of a text in pieces.

    A CSV file that is no table, and a list, are searched line by line.
    """
    text = content(media)
    if (table := _table(media, text)) is not None:
        return ["; ".join(f"{name}: {cell}" for name, cell in zip(table, row, strict=True))
                for row in zip(*table.values(), strict=True)]  # fmt: skip
    blocks = re.split(r"\n\s*\n", "\n".join(text.strip().splitlines()))
    if media.mime_type in TABLES or len(blocks) == 1:
        blocks = text.splitlines()
    return [piece for block in blocks for piece in _pieces(" ".join(block.split()))]


def _table(media: Media, text: str) -> dict[str, list[str]] | None:
    """The columns, where the text is a table of at least two of them."""
    try:
        found = columns(media)
    except InputError:
        return None
    # in prose a blank follows each comma
    prose = media.mime_type not in TABLES and any(name[:1].isspace() for name in rows(text)[0])
    return found if len(found) > 1 and not prose else None


def _pieces(block: str) -> list[str]:
    """The block in pieces that end at a space."""
    found: list[str] = []
    start = 0
    while len(block) - start > PASSAGE:
        end = block.rfind(" ", start + PASSAGE // 2, start + PASSAGE) + 1 or start + PASSAGE
        found.append(block[start:end].strip())
        start = end
    return [*found, block[start:]] if block[start:] else found
