"""The table: ratios of each row, and whether they meet what they should."""

from __future__ import annotations

import platform
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.cases import OURS, ROWS, Row
from benchmarks.processes import PEERS
from benchmarks.rounds import Sample, Samples

TITLES: Final = {
    "ours": "hf-tools", "ours_chain": "hf-tools", "hub": "huggingface_hub", "openai_sdk": "openai",
    "chain_hf": "langchain-huggingface", "chain_openai": "langchain-openai", "bare": "httpx",
}  # fmt: skip
COLUMNS: Final = ("hf-tools", *(TITLES[one] for one in PEERS))


@dataclass(frozen=True)
class Figure:
    """What one subject comes to in a row."""

    middle: float
    least: float
    most: float
    of_least: float
    """The ratio of the smallest cost to the smallest of the baseline: what noise changes least."""
    cost: float
    """The middle of what it is the ratio of: seconds, or the same as `middle`."""

    @property
    def spread(self) -> str:
        """The middle, and all that was found."""
        return f"{number(self.middle)} [{number(self.least)}-{number(self.most)}]"


def number(value: float) -> str:
    """A number with two or three digits that say something."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def told(row: Row, value: float) -> str:
    """A figure of a row: packages and bytes are whole."""
    return f"{value:.0f}" if row.unit in ("packages", "slope") else number(value)


@dataclass(frozen=True)
class Line:
    """A row with what was found."""

    row: Row
    figures: dict[str, Figure]
    """By subject."""

    @property
    def ours(self) -> Figure:
        return next(self.figures[one] for one in OURS if one in self.figures)

    def cell(self, title: str) -> str:
        """What the column of a library says."""
        return next((told(self.row, one.middle) for key, one in self.figures.items() if TITLES[key] == title), "")

    @property
    def met(self) -> str:
        """Whether ours, as it is printed, is as good as it must be, and as it should be."""
        row, value = self.row, float(told(self.row, self.ours.middle))
        if row.must is None:
            return ""
        peer, times = row.times_peer or ("", 0.0)
        if value > row.must or (peer in self.figures and value > times * self.figures[peer].middle):
            return "no"
        return "yes" if row.goal is not None and value <= row.goal else "yes, not the goal"


def lines(found: dict[str, Samples]) -> list[Line]:
    """The rows whose measures were taken."""
    return [Line(row, figures(row, found[row.measure])) for row in ROWS if row.measure in found]


def figures(row: Row, samples: Samples) -> dict[str, Figure]:
    """What each subject comes to."""
    return {
        subject: figure(row, taken, baseline(row, subject, samples))
        for subject, taken in samples.items()
        if not subject.startswith("bare")
    }


def baseline(row: Row, subject: str, samples: Samples) -> list[Sample]:
    """What a subject's cost is divided by, round by round; nothing where the number itself is told."""
    if row.over == "itself":
        return [{row.unit: sample["itself"]} for sample in samples[subject]]
    apart = f"{row.over}@peers"
    return samples.get(apart if subject in PEERS and apart in samples else row.over, [])


def figure(row: Row, taken: list[Sample], base: list[Sample]) -> Figure:
    """The ratios of the rounds, or the numbers themselves."""
    values = [sample[row.unit] for sample in taken]
    bases = [sample[row.unit] for sample in base] or [1.0] * len(values)
    ratios = [value / one for value, one in zip(values, bases, strict=True)]
    middles = statistics.median(ratios), min(ratios), max(ratios), min(values) / min(bases)
    return Figure(*middles, statistics.median(values))


def table(found: list[Line]) -> str:
    """The table in Markdown."""
    heads = ["case", *COLUMNS, "goal", "must", "met"]
    rows = [
        [line.row.title, *(line.cell(title) for title in COLUMNS), limit(line.row.goal), limit(line.row.must), line.met]
        for line in found
    ]
    return "\n".join([f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)])


def limit(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def spreads(found: list[Line]) -> str:
    """Each figure with its spread, its ratio of the smallest, and its cost in microseconds."""
    rows = [["case", "client", "median [all rounds]", "of the smallest", "cost, us"], ["---"] * 5]
    for line in found:
        for subject, one in line.figures.items():
            cost = number(one.cost * 1e6) if line.row.unit in ("cpu", "wall") else ""
            rows.append([line.row.title, TITLES[subject], one.spread, number(one.of_least), cost])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def machine() -> str:
    """What this ran on."""
    info = Path("/proc/cpuinfo")
    names = [text for text in info.read_text().splitlines() if "model name" in text] if info.exists() else []
    name = names[0].partition(": ")[2] if names else platform.processor()
    cores = f"{len(names) or '?'} x {name or platform.machine()}"
    return f"{cores}, {platform.system()}, Python {platform.python_version()}"
