"""What is written on the command line as the arguments of a task: texts, files, JSON, tables, messages."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from hf_tools.cli.flags import Flag
from hf_tools.errors import InputError, shown
from hf_tools.media.source import MAX_INPUT, amount

SEPARATORS = ",;\t"
"""Of a table's cells; the one that its first line has most often."""
BOOLS: Mapping[str, bool] = {"true": True, "false": False}
STDIN = "-"
"""Stands for standard input."""


class Stdin:
    """Standard input, which can stand for one input."""

    def __init__(self) -> None:
        self._data: bytes | None = None
        self._used = False

    @property
    def waiting(self) -> bool:
        """Whether something may stand there that nobody has to type."""
        stream: Any = sys.stdin
        return stream is not None and not stream.isatty()

    def fetched(self) -> bytes:
        """All of it, read once; InputError where there is none, or more than an input may have."""
        if self._data is None:
            stream: Any = sys.stdin
            if stream is None:
                raise InputError("`-` stands for standard input, which is closed")
            self._data = _bounded(stream.buffer, "standard input")
        return self._data

    def read(self) -> bytes:
        """All of it; InputError the second time."""
        if self._used:
            raise InputError("`-` stands for standard input, which can be read once")
        self._used = True
        return self.fetched()


def decoded(data: bytes, where: str) -> str:
    """UTF-8 text without its mark and without the end of its last line; InputError where it is no such."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is not UTF-8 text") from error
    return text.removesuffix("\n").removesuffix("\r")


def _bounded(stream: BinaryIO, where: str) -> bytes:
    """All that a stream has; InputError for more than an input may have, as a device without end has."""
    data = stream.read(MAX_INPUT + 1)
    if len(data) > MAX_INPUT:
        raise InputError(f"{where} is larger than {amount(MAX_INPUT)}")
    return data


def contents(path: str, hint: str | None = None) -> str:
    """A text file; InputError where it cannot be read."""
    try:
        with Path(path).open("rb") as opened:
            data = _bounded(opened, shown(path, 100))
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "no path"
        raise InputError(f"cannot read {shown(path or 'a file without a name', 100)}: {reason}", hint=hint) from error
    return decoded(data, shown(path, 100))


class Reader:
    """Turns what is written for a flag into its value; InputError for what cannot be."""

    def __init__(self, stdin: Stdin) -> None:
        self.stdin = stdin
        self._kinds: Mapping[str, Callable[[Flag, list[str]], Any]] = {
            "text": lambda _, given: self.text(given[0]),
            "texts": self._texts,
            "list": self._list,
            "labels": self._labels,
            "word": lambda flag, given: self._json(flag, given) if given[0].startswith("{") else given[0],
            "choice": lambda _, given: BOOLS.get(given[0], given[0]),
            "json": self._json,
            "media": lambda _, given: self.stdin.read() if given[0] == STDIN else given[0],
            "table": lambda _, given: self._table(given[0]),
            "messages": lambda _, given: messages(self.text(given[0])),
        }

    def value(self, flag: Flag, given: list[str]) -> Any:
        """The value of a flag that was given, once or several times."""
        return self._kinds[flag.kind](flag, given)

    def text(self, written: str) -> str:
        """The text itself, that of a file (`@file`) or of standard input (`-`); `@@` begins a text with `@`."""
        if written == STDIN:
            return decoded(self.stdin.read(), "standard input")
        if written.startswith("@@"):
            return written[1:]
        if written.startswith("@"):
            return contents(written[1:], "`@` names a file; write @@ for a text that begins with @")
        return written

    def _texts(self, flag: Flag, given: list[str]) -> str | list[str]:
        found = [self.text(each) for each in given] if flag.positional else given
        return found[0] if len(found) == 1 else found

    def _list(self, flag: Flag, given: list[str]) -> list[str]:
        """Each text as it is; of an input that is a file, or standard input, each line."""
        return [text for each in given for text in (self._lines(each) if flag.positional else [each])]

    def _lines(self, written: str) -> list[str]:
        text = self.text(written)
        if written != STDIN and (not written.startswith("@") or written.startswith("@@")):
            return [text]
        return [line for line in text.splitlines() if line.strip()]

    def _labels(self, flag: Flag, given: list[str]) -> str | list[str]:
        """One text is left to the task, which splits it at its commas."""
        found = self._list(flag, given)
        return found[0] if len(found) == len(given) == 1 and found == given else found

    def _json(self, flag: Flag, given: list[str]) -> Any:
        try:
            return json.loads(self.text(given[0]))
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            hint = "Write JSON in single quotes, or @file.json"
            raise InputError(f"{flag.option} = {shown(repr(given[0]), 60)}: not JSON: {error}", hint=hint) from error

    def _table(self, written: str) -> Any:
        text = decoded(self.stdin.read(), "standard input") if written == STDIN else contents(written.removeprefix("@"))
        if text.lstrip()[:1] not in ("[", "{"):
            return columns(text)
        try:
            return json.loads(text)
        except ValueError as error:
            raise InputError(f"the table begins as JSON, but is none: {error}") from error


def columns(text: str) -> dict[str, list[str]]:
    """The columns of a CSV text whose first line names them; cells are separated by commas, semicolons or tabs."""
    separator = max(SEPARATORS, key=text.partition("\n")[0].count)
    try:
        head, *rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator, strict=True) if row] or [[]]
    except csv.Error as error:
        raise InputError(f"the table cannot be read as CSV: {error}") from error
    if not head or len(set(head)) != len(head):
        raise InputError(f"the table needs a first line that names its columns, each once; it has {shown(head, 100)}")
    for number, row in enumerate(rows, 1):
        if len(row) != len(head):
            raise InputError(f"row {number} of the table has {len(row)} cells, and its first line names {len(head)}")
    return {name: [row[place] for row in rows] for place, name in enumerate(head)}


def messages(text: str) -> list[dict[str, Any]]:
    """A conversation: a JSON list of messages, or any other text as what the user says."""
    try:
        found: object = json.loads(text) if text.lstrip().startswith("[") else None
    except ValueError:
        found = None
    if isinstance(found, Sequence) and found and all(isinstance(each, Mapping) for each in cast("list[Any]", found)):
        return list(cast("list[dict[str, Any]]", found))
    return [{"role": "user", "content": text}]
