"""What works in our chat model and in two others, on one server: a table in Markdown.

    python benchmarks/peers/compare.py [--peers PYTHON] [--save]

The others live in an environment of their own: `--peers` names its Python, else .venv-peers is made (from the package
index; about 150 MB). `--save` writes docs/langchain_comparison.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PATHS: Final = [str(ROOT), str(ROOT / "integrations")]
sys.path[:0] = [path for path in PATHS if path not in sys.path]

from benchmarks.peers.environment import environment  # noqa: E402
from benchmarks.peers.features import FEATURES  # noqa: E402
from benchmarks.peers.subjects import OURS, SUBJECTS  # noqa: E402

SAVED: Final = ROOT / "docs" / "langchain_comparison.md"
INTRODUCTION: Final = """\
# ChatHfInference, ChatHuggingFace and ChatOpenAI on one server

Each row is a check that ran for all three against the same OpenAI-style server (`tests/langchain/scripted`), which
refuses what OpenAI, vLLM and TGI refuse. ChatHuggingFace wraps a HuggingFaceEndpoint with the server's URL, and what
both objects know was set on both; ChatOpenAI has the URL as `base_url`. Ours passes each check in the test suite:
`tests/langchain/test_features.py::test_feature[NAME]`.

Made by `python benchmarks/peers/compare.py --save`, which prints for each "no" what went wrong; with
"""


def found(python: Path | str, name: str) -> dict[str, Any]:
    """Versions and results of one model, in that environment; no setting of the user's has a say."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "OPENAI_", "LANG"))}
    path = PATHS if name == OURS.name else PATHS[:1]
    ran = subprocess.run(
        [python, "-m", "benchmarks.peers.run", name], cwd=ROOT, env=clean | {"PYTHONPATH": os.pathsep.join(path)},
        check=True, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def table(results: dict[str, dict[str, Any]]) -> str:
    """The page: versions, then a row for each check."""
    versions = {package: number for each in results.values() for package, number in each["versions"].items()}
    versions.pop(OURS.distribution, None)
    told = ", ".join(f"{package} {number}" for package, number in sorted(versions.items()))
    heads = ["Works", *(SUBJECTS[name].title for name in results), "Check"]
    lines = [f"{INTRODUCTION}{told}.", "", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for name, feature in FEATURES.items():
        cells = ["yes" if each["results"][name] is True else "no" for each in results.values()]
        lines.append(f"| {feature.title} | {' | '.join(cells)} | `test_feature[{name}]` |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the checks for each model and print the table; what went wrong goes to the standard error."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peers", help="Python of an environment with the other packages")
    parser.add_argument("--save", action="store_true", help=f"write {SAVED.relative_to(ROOT)}")
    chosen = parser.parse_args()
    python = chosen.peers or environment()
    results = {name: found(sys.executable if name == OURS.name else python, name) for name in SUBJECTS}
    for name, each in results.items():
        for check, result in each["results"].items():
            if result is not True:
                print(f"{name}: {check}: {result}", file=sys.stderr)
    text = table(results)
    print(text, end="")
    if chosen.save:
        SAVED.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
