"""What a message names instead of saying it: files, paths, URLs and handles, and which arguments take such names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hf_tools.local.copying import EDGE, quotes

ENDING = r"\.(?:[a-z][a-z0-9]{1,4}|[A-Z][A-Z0-9]{1,4}|3gp)"
REFERENCE = re.compile(rf"[A-Za-z][\w+.-]*://\S+|(?:~|\.{{1,2}})?/\S+|[^\s@]*\w{ENDING}")
SPACED = re.compile(rf"[^\n@]*\w{ENDING}")
"""A quoted name may have spaces."""
TAKES = re.compile(r"\b(?:handle|path|ur[il]|link|file ?name)s?\b")
"""How the name or the description of an argument says that it takes a name of that kind."""
KINDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    kind: (frozenset(endings.split()), frozenset(words.split()))
    for kind, endings, words in (
        ("picture", "png jpg jpeg gif webp bmp tif tiff avif heic", "picture image photo"),
        ("recording", "wav flac ogg oga opus mp3 m4a aac amr weba", "recording audio sound voice speech"),
        ("film", "mp4 webm mkv mov avi mpg mpeg 3gp", "video film movie"),
        ("table", "csv tsv xls xlsx ods parquet", "table csv spreadsheet"),
        ("document", "txt md rst pdf doc docx odt rtf html", "document page"),
    )
}
"""Kinds of files: their endings, and the words by which a tool says that it takes them."""


def references(text: str) -> list[str]:
    """The files, paths, URLs and handles that a text names, each once; of an e-mail's address nothing."""
    found = [quote for quote in quotes(text) if SPACED.fullmatch(quote)]
    for word in without(text, found).split():
        name = word.rstrip(EDGE).removesuffix("'s").removesuffix("’s").lstrip(EDGE.replace(".", ""))
        if REFERENCE.fullmatch(name):
            found.append(name)
    return list(dict.fromkeys(found))


def without(text: str, names: Iterable[str]) -> str:
    """The text without these names."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, " ")
    return text


def kind(name: str) -> str | None:
    """The kind of a file by the ending of its name."""
    ending = name.rpartition(".")[2].lower()
    return next((found for found, (endings, _) in KINDS.items() if ending in endings), None)


def explained(text: str) -> str:
    """The text, and behind it what kinds of files those are that it names."""
    known = [f"{name}: a {found}" for name in references(text) if (found := kind(name))]
    return f"{text} ({', '.join(known)})" if known else text


def takes_names(name: str, schema: dict[str, Any]) -> bool:
    """Whether an argument says that it takes the name of a file, a path, a URL or a handle."""
    about = schema.get("description")
    said = f"{name.replace('_', ' ')} {about if isinstance(about, str) else ''}"
    return TAKES.search(said.lower()) is not None


def suits(words: frozenset[str], names: Iterable[str]) -> bool:
    """Whether a tool that has these words is for files of one of these names."""
    kinds = {found for name in names if (found := kind(name))}
    return any(words & KINDS[found][1] for found in kinds)
