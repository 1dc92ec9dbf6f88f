"""Rounds: in each, every subject does the same work once, in an order that turns."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from benchmarks import fresh
from benchmarks.cases import MEASURES, Measure
from benchmarks.footprint import footprints
from benchmarks.processes import PEERS, Process

Sample = dict[str, float]
Samples = dict[str, list[Sample]]
"""For each subject what was measured in each round."""
FEWEST = 5
"""Rounds, but for a quick look."""
FEW = 2
"""Rounds of a quick look."""


class Bench:
    """Measures one thing after the other; a worker stays for all that it times, but not where memory counts."""

    def __init__(self, base: str, pythons: Callable[[str], str], rounds: int, held: ExitStack, *, quick: bool) -> None:
        self._base, self._pythons, self._rounds, self._held, self._quick = base, pythons, rounds, held, quick
        self._workers: dict[str, Process] = {}
        self.peers = True
        """Whether the others are measured as well."""

    def samples(self, name: str) -> Samples:
        """What a measure finds; `subject@peers` is the baseline in the environment of the peers."""
        if name.endswith("footprint"):
            return {key: [found] for key, found in footprints(name, self._python, peers=self.peers).items()}
        if name in fresh.STATEMENTS:
            return fresh.samples(name, self._base, self._rounds, self._python, peers=self.peers)
        return self.measured(MEASURES[name])

    def measured(self, measure: Measure) -> Samples:
        """What one measure finds."""
        chosen = [one for one in measure.subjects if self.peers or one not in PEERS]
        if measure.kind == "memory":
            return self._memory(measure, [one for one in chosen if one != "bare"])
        return self._timed(measure, chosen)

    def worker(self, subject: str) -> Process:
        """The process of a subject, which is started when it is first needed."""
        if subject not in self._workers:
            process = Process(subject, self._python(subject), self._base)
            self._workers[subject] = self._held.enter_context(process)
        return self._workers[subject]

    def alone(self, subject: str, *, anywhere: bool = False) -> Process:
        """A process of a subject that nobody has used before; to be closed. `anywhere`: on any CPU."""
        return Process(subject, self._python(subject), self._base, anywhere=anywhere)

    def _python(self, subject: str) -> str:
        return self._pythons("peers") if subject in PEERS or subject.endswith("@peers") else self._pythons("ours")

    def _timed(self, measure: Measure, subjects: list[str]) -> Samples:
        order = measure.order(quick=self._quick)
        found: Samples = {}
        proofs: dict[str, str] = {}
        for number in range(self._rounds):
            turn = number % len(subjects)
            for subject in subjects[turn:] + subjects[:turn]:
                result = self.worker(subject).ask(order)
                if "missing" in result:
                    continue
                sample = {unit: result[unit] / order["per"] for unit in ("cpu", "wall")}
                if measure.first:
                    sample["itself"] = self.worker(subject).ask(order | measure.first)["cpu"]
                found.setdefault(subject, []).append(sample)
                proofs[subject] = str(result["proof"])
        if len(set(proofs.values())) > 1:
            raise RuntimeError(f"{measure.work}: the subjects did different things: {proofs}")
        return found

    def _memory(self, measure: Measure, subjects: list[str]) -> Samples:
        """Two at once, each in a process of its own: what others do does not change what is kept."""
        order = measure.order(quick=self._quick)

        def slope(subject: str) -> dict[str, Any]:
            with self.alone(subject, anywhere=True) as process:
                return process.ask(order)

        with ThreadPoolExecutor(2) as pool:
            results = zip(subjects, pool.map(slope, subjects), strict=True)
            return {subject: [{"slope": found["slope"]}] for subject, found in results if "slope" in found}


def told(text: str) -> None:
    """Progress, on the standard error."""
    print(text, file=sys.stderr, flush=True)
