"""Open a file that a model has named, below a directory that the developer has opened; no link is followed."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from hf_tools.errors import MediaError, shown
from hf_tools.media.private import QUICK

WALKS = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW") and hasattr(os, "O_DIRECTORY")
"""Whether the system opens a file relative to an open directory; Windows does not."""


@dataclass(frozen=True, slots=True)
class RootFile:
    """A file that is opened when it is read; `hint` says what there is instead where it is missing."""

    roots: tuple[Path, ...]
    parts: tuple[str, ...]
    hint: Callable[[], str]

    @property
    def name(self) -> str:
        """The name as the model wrote it."""
        return "/".join(self.parts)

    def read(self, size: int) -> bytes:
        """At most `size` bytes; MediaError where there is no such file, or it is a link or no regular file."""
        for root, parts in self._places():
            try:
                with _opened(root, parts) as number, open(number, "rb", closefd=False) as opened:
                    return opened.read(size)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except _Refused as error:
                raise MediaError(f"the file {shown(self.name, 60)!r} is refused: {error}", hint=self.hint()) from error
            except OSError as error:
                raise MediaError(f"cannot read the file {shown(self.name, 60)!r}: {error.strerror}") from error
        raise MediaError(f"there is no file {shown(self.name, 60)!r}", hint=self.hint())

    def _places(self) -> Iterator[tuple[Path, tuple[str, ...]]]:
        """Each directory with the way to the file in it; a model may name the directory too."""
        for root in self.roots:
            if len(self.parts) > 1 and self.parts[0] == root.name:
                yield root, self.parts[1:]
            yield root, self.parts


class _Refused(Exception):
    """A link, or no regular file."""


@contextlib.contextmanager
def _opened(root: Path, parts: tuple[str, ...]) -> Generator[int]:
    """The number of the open file."""
    number = _walked(root, parts) if WALKS else _checked(root, parts)
    try:
        _regular(os.fstat(number))
        yield number
    finally:
        os.close(number)


def _walked(root: Path, parts: tuple[str, ...]) -> int:
    """From directory to directory, each held open, so that none can be exchanged for a link on the way."""
    held = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            _no_link(os.stat(part, dir_fd=held, follow_symlinks=False))
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=held)
            os.close(held)
            held = inner
        # a device may do something when it is opened
        _regular(os.stat(parts[-1], dir_fd=held, follow_symlinks=False))
        return os.open(parts[-1], QUICK, dir_fd=held)
    finally:
        os.close(held)


def _checked(root: Path, parts: tuple[str, ...]) -> int:
    """Where directories cannot be held open: no part may be a link, and the file must lie below the directory."""
    path = root
    for part in parts:
        path = path / part
        _no_link(path.lstat())
    _regular(path.lstat())
    if not path.resolve(strict=True).is_relative_to(root.resolve(strict=True)):
        raise _Refused("it lies outside of the directory")
    return os.open(path, QUICK)


def _no_link(status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise _Refused("links are not followed")


def _regular(status: os.stat_result) -> None:
    _no_link(status)
    if not stat.S_ISREG(status.st_mode):
        raise _Refused("it is no regular file")
