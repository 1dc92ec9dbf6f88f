"""The environment of the packages that ours are compared with: `python benchmarks/peers/environment.py` makes it.

It is .venv-peers, made once for each set of versions, from the package index; about 150 MB.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

HOME: Final = Path(__file__).resolve().parents[2] / ".venv-peers"
PINNED: Final = (
    "langchain-core==1.7.2", "langchain==1.4.7", "langgraph==1.2.22", "langchain-huggingface==1.2.3",
    "langchain-openai==1.7.3", "huggingface_hub==1.33.0", "openai==3.54.0", "httpx==0.28.1", "numpy==2.4.6",
)  # fmt: skip


def environment() -> Path:
    """The Python of the environment with the other packages."""
    folder = "Scripts" if sys.platform == "win32" else "bin"
    python, made = HOME / folder / "python", HOME / "made"
    if not made.exists() or made.read_text() != " ".join(PINNED):
        print(f"Installing {', '.join(PINNED)} into {HOME.name}", file=sys.stderr)
        if not python.exists():
            venv.create(HOME, with_pip=True)
        (HOME / ".gitignore").write_text("*\n")
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINNED]
        subprocess.run(command, check=True)
        made.write_text(" ".join(PINNED))
    return python


if __name__ == "__main__":
    print(environment())
