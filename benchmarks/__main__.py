"""What calls cost, ours and others': `python -m benchmarks [--quick] [--case NAME] [--rounds N]`, `make bench`.

Prints a table of ratios to bare httpx. A run of all cases writes benchmarks/RESULTS.md, the table in README.md,
docs/bench.svg and docs/growth.svg as well. Exits with 1 where a row is not what it must be.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Final

from benchmarks import charts, pages, results
from benchmarks.cases import ROWS
from benchmarks.growth import Curve, growth
from benchmarks.peers.environment import environment
from benchmarks.processes import ROOT, serving, variables
from benchmarks.rounds import FEW, FEWEST, Bench, Samples, told

SAVED: Final = ROOT / "benchmarks" / "RESULTS.md"
README: Final = ROOT / "README.md"
VERSIONS: Final = (
    "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
)
PACKAGES: Final = ("hf-tools", "langchain-core", "httpx", "httpcore", "pydantic")
COMPARED: Final = ("huggingface_hub", "openai", "langchain-huggingface", "langchain-openai")
"""The first are those of our environment, the others those of the peers'."""
GROWTH: Final = "growth"


def versions(peers: str) -> str:
    """The versions that are compared."""
    listed: list[str] = []
    for python, peer, names in ((sys.executable, False, PACKAGES), (peers, True, COMPARED)):
        done = subprocess.run(
            [python, "-c", VERSIONS], check=True, capture_output=True, text=True, env=variables(peer=peer)
        )
        found = {name.lower().replace("-", "_"): number for name, number in json.loads(done.stdout).items()}
        listed += [f"{name} {found[name.lower().replace('-', '_')]}" for name in names]
    return ", ".join(listed)


def measured(names: list[str], chosen: argparse.Namespace, peers: str) -> tuple[list[results.Line], list[Curve]]:
    """What the measures of these names find."""
    found: dict[str, Samples] = {}
    curves: list[Curve] = []
    pythons = {"ours": sys.executable, "peers": peers}
    with serving() as base, ExitStack() as held:
        bench = Bench(base, pythons.__getitem__, chosen.rounds, held, quick=chosen.quick)
        for name in names:
            start = time.monotonic()
            if name == GROWTH:
                curves = growth(bench, quick=chosen.quick)
            else:
                found[name] = bench.samples(name)
            told(f"{name}: {time.monotonic() - start:.0f} s")
    return results.lines(found), curves


def save(found: list[results.Line], curves: list[Curve], about: str) -> None:
    """Write the page, the table of the README and the charts."""
    today = f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d %H:%M} UTC"
    before = SAVED.read_text("utf-8") if SAVED.exists() else ""
    SAVED.write_text(pages.page(found, curves, f"{today}, {about}", before), encoding="utf-8")
    README.write_text(pages.quoted(README.read_text("utf-8"), found, today), encoding="utf-8")
    (ROOT / "docs" / "bench.svg").write_text(charts.bars(found, f"make bench, {today}"), encoding="utf-8")
    (ROOT / "docs" / "growth.svg").write_text(charts.curves(curves), encoding="utf-8")


def main() -> int:
    """Measure, print, judge; 1 where a row fails."""
    known = [*dict.fromkeys(row.measure for row in ROWS), GROWTH]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a look in two minutes, which writes nothing")
    parser.add_argument("--case", action="append", choices=known, help="only this; may be given again")
    parser.add_argument("--rounds", type=int, help=f"rounds of each case; {FEWEST} without it, {FEW} for a quick look")
    chosen = parser.parse_args()
    chosen.rounds = chosen.rounds or (FEW if chosen.quick else FEWEST)
    pages.quoted(README.read_text("utf-8"), [], "")  # what cannot be written is told now, not after ten minutes
    peers = str(environment())
    busy = f"load average {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else "load unknown"
    found, curves = measured(chosen.case or known, chosen, peers)
    print(results.table(found) if found else "")
    print(f"\n{pages.grown(curves)}" if curves else "")
    if not chosen.quick and not chosen.case:
        save(found, curves, f"{results.machine()}, {busy}, {chosen.rounds} rounds, with {versions(peers)}")
    missed = [line.row.title for line in found if line.met == "no"]
    print(f"\nNot what they must be (docs/performance.md says why): {', '.join(missed)}" if missed else "")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
