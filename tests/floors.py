"""The oldest releases that pyproject.toml admits, one `name==version` a line: `python -m tests.floors`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def floors(project: dict[str, Any]) -> list[str]:
    """What users may have installed at the oldest; what only developers need is left as it is."""
    extras = project["optional-dependencies"]
    lines = project["dependencies"] + [line for name in extras if name != "dev" for line in extras[name]]
    found = (re.match(r"([\w.-]+)(?:>=|~=)([\w.]+)", line) for line in lines)
    return sorted({f"{each[1]}=={each[2]}" for each in found if each})


if __name__ == "__main__":
    print("\n".join(floors(tomllib.loads(PROJECT.read_text())["project"])))
