"""`make audit`: asks pip-audit, in an environment of its own, about the packages that are installed.

Ends with 0 where nothing is known against them, with 1 and a list where something is, and with 2 where it cannot be
told: the package index has no pip-audit, or its service of known vulnerabilities does not answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HOME = Path(__file__).parent.parent / ".venv-audit"
BIN = "Scripts" if os.name == "nt" else "bin"
Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


class CannotTellError(Exception):
    """Why there is no answer."""


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """A program with its output."""
    return subprocess.run(command, capture_output=True, text=True, check=False)


def installed(run: Run = run) -> list[str]:
    """The packages of this environment with their versions, without what is installed from a folder."""
    listed = run([sys.executable, "-m", "pip", "list", "--format", "json", "--exclude-editable"])
    return [f"{one['name']}=={one['version']}" for one in json.loads(listed.stdout)]


def auditor(home: Path = HOME, run: Run = run) -> Path:
    """pip-audit, installed on first use."""
    program = home / BIN / "pip-audit"
    if not program.exists():
        venv.create(home, clear=True, with_pip=True)
        (home / ".gitignore").write_text("*\n")
        done = run([str(home / BIN / "python"), "-m", "pip", "install", "--quiet", "pip-audit>=2.7,<3"])
        if done.returncode:
            raise CannotTellError(f"pip-audit cannot be installed: {_last(done.stderr)}")
    return program


def found(packages: list[str], program: Path, home: Path = HOME, run: Run = run) -> list[str]:
    """What is known against the packages, a line for each."""
    wanted = home / "packages.txt"
    wanted.write_text("\n".join(packages))
    done = run(
        [str(program), "-r", str(wanted), "--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    )
    try:
        rows: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError) as error:
        raise CannotTellError(f"the service of known vulnerabilities gives no answer: {_last(done.stderr)}") from error
    return [
        f"{row['name']} {row.get('version')}: {one['id']}, mended in {', '.join(one['fix_versions']) or 'no release'}"
        for row in rows
        for one in row.get("vulns", [])
    ]


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["it says nothing"])[-1][:200]


def main(home: Path = HOME, run: Run = run) -> int:
    """The command."""
    try:
        packages = installed(run)
        known = found(packages, auditor(home, run), home, run)
    except CannotTellError as error:
        print(f"audit: nothing can be told. {error}", file=sys.stderr)
        return 2
    print("\n".join(known) or f"audit: nothing is known against the {len(packages)} packages that are installed")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main())
