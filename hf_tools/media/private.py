"""Files that only their owner reads: written whole or not at all, and read without following a link."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
from pathlib import Path

TEMPORARY = ".part-"
"""How the name of a file begins that is being written."""
STALE = 3600.0
"""Seconds after which a file that is still being written belongs to a process that has died."""
_WITHOUT_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
QUICK = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _WITHOUT_LINKS
"""How a file is opened for reading: no link is followed, and a pipe that has taken its place is not waited for."""


def make_private(directory: Path) -> None:
    """Make a directory (0700) where there is none, and take others' rights away; an OSError for a link."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = directory.lstat().st_mode
    if not stat.S_ISDIR(mode):
        raise NotADirectoryError(20, "it is a link, or no directory")
    if stat.S_IMODE(mode) != 0o700:
        directory.chmod(0o700)


def write_private(directory: Path, name: str, data: bytes) -> None:
    """Write a file (0600) under its name in one step; a link of that name is replaced, not followed."""
    part = directory / f"{TEMPORARY}{secrets.token_hex(8)}"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _WITHOUT_LINKS
        with os.fdopen(os.open(part, flags, 0o600), "wb") as opened:
            opened.write(data)
        part.replace(directory / name)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def read_private(path: Path, most: int) -> bytes:
    """At most that many bytes of a regular file; an OSError for a link or anything else."""
    if not is_plain(path):
        raise OSError(22, "it is no regular file")
    with os.fdopen(os.open(path, QUICK), "rb") as opened:
        return opened.read(most)


def is_plain(path: Path) -> bool:
    """Whether it is a regular file and no link; an OSError where there is none."""
    return stat.S_ISREG(path.lstat().st_mode)


def remove(path: Path) -> None:
    """Remove a file, which another process may have done before."""
    with contextlib.suppress(OSError):
        path.unlink()


def sweep(directory: Path) -> None:
    """Remove what processes have left that died while they wrote."""
    for part in directory.glob(f"{TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if part.lstat().st_mtime < time.time() - STALE:
                part.unlink()
