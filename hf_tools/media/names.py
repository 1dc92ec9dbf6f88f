"""Which names of files a model may write: relative, visible and harmless ones, below a directory that was opened."""

from __future__ import annotations

import re
from pathlib import Path

from hf_tools.errors import CONTROL, InputError, shown
from hf_tools.media.private import is_plain

MOST_LISTED = 300
"""Entries of a directory that are looked at to name what there is."""

_FORBIDDEN = '~$%\\:*?"<>|'
"""Characters that a shell or Windows gives a meaning: a home, a variable, an escape, a drive, a stream, a pattern."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Devices that Windows finds in every directory."""
_SECRET = re.compile(
    r"\..*|.*\.(env|pem|key|p12|pfx|ppk|jks|keystore|kdbx|gpg|asc)|id_[a-z0-9]+(\.pub)?|(\.|_)?(netrc|htpasswd|pgpass)|"
    r"(credentials?|secrets?|passwords?|tokens?)(\.(json|ya?ml|toml|ini|txt|csv|env|xml))?|authorized_keys|known_hosts",
    re.IGNORECASE,
)
"""Names of files that hold keys and passwords; no picture is called so."""


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a name that may be looked for below a directory; InputError says why another one may not."""
    reason = _reason(name)
    parts = tuple(part for part in name.split("/") if part != ".")
    reason = reason or next((found for part in parts if (found := _part(part))), None)
    if reason:
        raise InputError(f"{shown(repr(name), 60)} is refused: {reason}")
    return parts


def _reason(name: str) -> str | None:
    if re.search(CONTROL, name):
        return "it has control characters"
    if name.startswith("/"):
        return "it is an absolute path"
    if found := next((letter for letter in name if letter in _FORBIDDEN), None):
        return f"a name of a file may not have {found!r}"
    return "it has an empty part" if "//" in name or name.endswith("/") or not name else None


def _part(part: str) -> str | None:
    if part == "..":
        return "`..` leads out of the directory"
    if part.startswith("."):
        return "hidden files are not read"
    if is_secret(part):
        return "files with keys or passwords are not read"
    if _RESERVED.fullmatch(part) or part != part.rstrip(". ") or len(part.encode()) > 255:
        return "it is no name of a file"
    return None


def is_secret(part: str) -> bool:
    """Whether a file is named as one that holds keys or passwords, or is hidden."""
    return _SECRET.fullmatch(part) is not None


def listed(roots: tuple[Path, ...]) -> list[str]:
    """Names by which a model can reach the files that stand in the directories themselves, sorted."""
    found: list[str] = []
    for root in roots:
        try:
            for _, path in zip(range(MOST_LISTED), root.iterdir(), strict=False):
                if is_plain(path) and not _reason(path.name) and not _part(path.name):
                    found.append(f"{root.name}/{path.name}")
        except OSError:
            continue
    return sorted(found)
