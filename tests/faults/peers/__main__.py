"""How many faults other clients get right: `python -m tests.faults.peers [--python PYTHON] [--save]`.

The others live in an environment of their own: `--python` names its Python, else .venv-peers is made (from the package
index; about 150 MB). `--save` writes docs/faults_peers.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import logging
import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from benchmarks.peers.environment import environment
from tests.faults.all import PAIRS
from tests.faults.kit import run_all
from tests.faults.peers.judging import GAVE_UP, RULE
from tests.faults.peers.subjects import LIBRARIES, SUBJECTS

ROOT: Final = Path(__file__).resolve().parents[3]
SAVED: Final = ROOT / "docs" / "faults_peers.md"
Results: TypeAlias = dict[str, dict[str, str | None]]
KINDS: Final = ("call", "stream", "embed")
OURS: Final = "hf-tools"


def found(python: Path | str) -> dict[str, Any]:
    """Versions and results of the others; no setting of the user's has a say."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "OPENAI_", "LANG"))}
    ran = subprocess.run(
        [python, "-m", "tests.faults.peers.run"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=900,
        env=clean | {"PYTHONPATH": str(ROOT), "HF_HUB_DISABLE_TELEMETRY": "1"},
    )  # fmt: skip
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def ours() -> dict[str, bool]:
    """Whether each fault ends as it should with all of our clients, by the stricter rule of the kit."""
    right: dict[str, bool] = {}
    for one in run_all([pair for pair in PAIRS if pair[1].kind in KINDS]):
        right[one.fault.key] = right.get(one.fault.key, True) and one.wrong is None
    return right


@dataclass(frozen=True)
class Score:
    """How many of so many faults are right; `gave_up` are those that are wrong for giving up alone."""

    right: int
    gave_up: int
    count: int


def scored(problems: list[list[str | None]]) -> Score:
    """The score of a library: for each fault what is wrong with each of its classes."""
    wrong = [[each for each in one if each is not None] for one in problems]
    gave_up = [one for one in wrong if one and all(each.startswith(GAVE_UP) for each in one)]
    return Score(sum(not one for one in wrong), len(gave_up), len(wrong))


def scores(results: Results, right: dict[str, bool]) -> dict[str, Score]:
    """The score of each library in the faults that it was tried on, those without a fault left out."""
    keys = [key for key in results if not key.startswith("000")]
    counted: dict[str, Score] = {}
    for library in dict.fromkeys(LIBRARIES.values()):
        mine = {name for name in (one.name for one in SUBJECTS) if LIBRARIES[name.partition(".")[0]] == library}
        found = [[problem for name, problem in results[key].items() if name in mine] for key in keys]
        counted[library] = scored([one for one in found if one])
    return counted | {OURS: scored([[None if right[key] else "wrong"] for key in keys])}


def page(told: dict[str, Any], right: dict[str, bool], day: str) -> str:
    """The page: rule, versions, scores, then a row for each fault."""
    results: Results = told["results"]
    versions = ", ".join(f"{name} {number}" for name, number in sorted(told["versions"].items()))
    names = [one.name for one in SUBJECTS]
    lines = ["# The fault kit on other clients", "", RULE, ""]
    lines += [f"Made on {day} by `make faults-peers ARGS=--save` with", f"{versions}.", ""]
    lines += ["| Library | Right | Wrong for giving up | Wrong | Faults |", "|---|---|---|---|---|"]
    for name, score in scores(results, right).items():
        wrong = score.count - score.right - score.gave_up
        lines.append(f"| {name} | {score.right} | {score.gave_up} | {wrong} | {score.count} |")
    lines += ["", f"| Fault | {OURS} | {' | '.join(f'`{name}`' for name in names)} |", f"|{'---|' * (len(names) + 2)}"]
    for key in sorted(results):
        cells = ["yes" if right[key] else "no", *(_cell(results[key], name) for name in names)]
        lines.append(f"| {key} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(each: dict[str, str | None], name: str) -> str:
    if name not in each:
        return ""
    return "yes" if each[name] is None else f"no: {each[name]}".replace("|", "/").replace("\n", " ")


def main() -> int:
    """Print the page, and write it where that is asked for; 1 where a client is not even right without a fault."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", help="Python of an environment with the other packages")
    parser.add_argument("--save", action="store_true", help=f"write {SAVED.relative_to(ROOT)}")
    chosen = parser.parse_args()
    logging.disable()
    warnings.simplefilter("ignore")
    told = found(chosen.python or environment())
    text = page(told, ours(), dt.datetime.now(dt.UTC).date().isoformat())
    print(text, end="")
    if chosen.save:
        SAVED.write_text(text, encoding="utf-8")
    return int(any(told["results"]["000 nothing is wrong"].values()))


if __name__ == "__main__":
    sys.exit(main())
