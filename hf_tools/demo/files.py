"""The files that the demonstration is about: those that ship with the package, the README, or the user's."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_tools.errors import CONTROL, InputError, MediaError, shown
from hf_tools.media.sniff import TEXTS

PACKAGE = Path(__file__).parent.parent
LIMIT = 25_000_000
"""Bytes of the longest file; what the models themselves take is less for pictures and recordings."""
SAMPLES = ("voicemail.ogg", "invoice.png", "stock.csv")
README = "README.md"
ASKED = {
    "audio": "What is said in {name}?",
    "image": "Read the text in {name}.",
    "text": "What is {name} about?",
}
"""The question about a file of the user's, where there is none, by the kind of the file."""


@dataclass(frozen=True)
class Given:
    """A file that was read."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Named:
    """A file that the tools know, and the kind of its content."""

    name: str
    kind: str

    @property
    def quoted(self) -> str:
        """The name as it stands in a question: one with spaces in quotation marks."""
        return f'"{self.name}"' if " " in self.name else self.name

    @property
    def question(self) -> str:
        """A question about the file."""
        return ASKED[self.kind].format(name=self.quoted)


def read(paths: Iterable[Path]) -> list[Given]:
    """The user's files; InputError where one cannot be read, is empty or too long, and where two have one name."""
    found: dict[str, Given] = {}
    for path in paths:
        told = f"--file: {shown(repr(path.name), 80)}"
        try:
            with path.open("rb") as opened:
                data = opened.read(LIMIT + 1)
        except OSError as error:
            raise InputError(f"{told} cannot be read: {error.strerror}") from error
        if not data.strip() or len(data) > LIMIT:
            raise InputError(f"{told} must not be empty, and at most {LIMIT:,} bytes")
        if path.name in found:
            raise InputError(f"{told}: two files have this name")
        found[path.name] = Given(path.name, data)
    return [*found.values()]


def samples() -> list[Given]:
    """The files that ship with the package, and the README; InputError where an installation came without it."""
    shipped = [Given(name, (PACKAGE / "demo_files" / name).read_bytes()) for name in SAMPLES]
    return [*shipped, Given(README, readme().encode())]


def add(toolkit: Any, given: Given) -> Named:
    """Give a file to the tools; InputError for content that the embedded backend has no tool for."""
    name = re.sub(CONTROL, "?", given.name).replace('"', "?")
    told = f"--file: {shown(repr(given.name), 80)}"
    try:
        ref = toolkit.add_media(given.data, name=name)
    except MediaError as error:
        raise InputError(f"{told} cannot be used: {error.message}", hint=error.hint) from error
    kind = "text" if ref.mime_type in TEXTS else ref.mime_type.partition("/")[0]
    if kind not in ASKED:
        raise InputError(f"{told} is {ref.mime_type}; name a text, a table as CSV, a picture or a recording")
    return Named(name, kind)


def readme() -> str:
    """The README of the checkout that this module is in, else the installed package's copy of it."""
    beside = PACKAGE.parent
    if (beside / README).is_file() and (beside / "pyproject.toml").is_file():
        return (beside / README).read_text("utf-8")
    try:
        text = str(importlib.metadata.metadata("hf-tools").json.get("description", ""))
    except importlib.metadata.PackageNotFoundError:
        text = ""
    if not text.strip():
        raise InputError("this installation came without the README", hint="Name files with --file PATH")
    return text
