"""Write profiles.json from a wheel of langchain-huggingface: `python docs/make_profiles.py WHEEL`.

Its table is generated from models.dev; both are under the MIT License (see NOTICE). The wheel is read, never imported.
The file has one line for each model, without what is False: `langchain_hf_tools.profiles` fills that in.
"""

from __future__ import annotations

import ast
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

TABLE = "langchain_huggingface/data/_profiles.py"
TARGET = Path(__file__).parents[1] / "integrations" / "langchain_hf_tools" / "profiles.json"


def table(wheel: Path) -> dict[str, dict[str, Any]]:
    """The profiles in the wheel, by model ID; ValueError where it has none."""
    with zipfile.ZipFile(wheel) as archive:
        module = ast.parse(archive.read(TABLE))
    for statement in module.body:
        if isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) == "_PROFILES" and statement.value:
            found: dict[str, dict[str, Any]] = ast.literal_eval(statement.value)
            return found
    raise ValueError(f"{wheel}: {TABLE} has no _PROFILES")


def text(profiles: dict[str, dict[str, Any]]) -> str:
    """The file: sorted by model ID, a line for each."""
    lines = [
        f"{json.dumps(model)}: {json.dumps({key: value for key, value in facts.items() if value is not False})}"
        for model, facts in sorted(profiles.items())
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(text(table(Path(sys.argv[1]))), "utf-8")
