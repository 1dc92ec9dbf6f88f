"""The benchmarks run: each case once, tiny, with our own clients and bare httpx; and what they find is told right."""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import distribution
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks import charts, fresh, growth, pages, results
from benchmarks.cases import MEASURES, ROWS, Measure, Row
from benchmarks.footprint import footprints, size
from benchmarks.processes import ROOT, serving
from benchmarks.rounds import Bench
from benchmarks.worker import slope

pytestmark = pytest.mark.xdist_group("benchmarks")
TIMED = [name for name, measure in MEASURES.items() if measure.kind == "time"]
KEPT = [name for name, measure in MEASURES.items() if measure.kind == "memory"]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with serving() as base, ExitStack() as held:
        made = Bench(base, lambda _: sys.executable, 1, held, quick=True)
        made.peers = False
        yield made


def tiny(measure: Measure) -> Measure:
    count, flight = min(measure.count, 70), min(measure.flight, 4)
    first = {"flight": 1, "times": 1} if measure.first else {}
    return dataclasses.replace(
        measure, times=1, quick=1, count=count, quick_count=count, chunks=min(measure.chunks, 20), flight=flight,
        first=first,
    )  # fmt: skip


@pytest.mark.parametrize("name", TIMED)
def test_each_case_runs_and_all_subjects_do_the_same(bench: Bench, name: str) -> None:
    measure = tiny(MEASURES[name])
    found = bench.measured(measure)
    assert found.keys() == set(measure.subjects[:2])
    assert all(sample["cpu"] > 0 and sample["wall"] > 0 for [sample] in found.values())
    if measure.first:
        assert all(sample["itself"] > 0 for [sample] in found.values())


@pytest.mark.parametrize("name", KEPT)
def test_memory_is_watched(bench: Bench, name: str) -> None:
    measure = MEASURES[name]
    found = bench.worker(measure.subjects[1]).ask(measure.order(quick=True) | {"times": 40})
    assert found["resident"] > 10_000_000
    assert found["slope"] < found["resident"]


def test_what_fails_is_told(bench: Bench) -> None:
    order = {"work": "embed", "path": "/limit=8", "count": 9}
    with pytest.raises(RuntimeError, match=r"^bare: embed: HTTPStatusError: Client error '413 Payload Too Large'"):
        bench.worker("bare").ask(order)


def test_subjects_that_do_different_things_are_not_compared(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        def __init__(self, subject: str) -> None:
            self.subject = subject

        def ask(self, order: dict[str, Any]) -> dict[str, Any]:
            return {"cpu": 1.0, "wall": 1.0, "proof": self.subject}

    monkeypatch.setattr(bench, "worker", Fake)
    with pytest.raises(
        RuntimeError, match=r"chat: the subjects did different things: .'bare': 'bare', 'ours': 'ours'."
    ):
        bench.measured(tiny(MEASURES["chat"]))


def test_costs_grow_with_what_they_are_measured_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "FLIGHTS", (1, 2))
    monkeypatch.setattr(growth, "TOOLS", (1, 37))
    curves = [growth.in_flight(bench, ["ours"], 1), *growth.streams(bench, ["ours"], (20, 40), 1)]
    curves.append(growth.agents(bench, 1))
    curves += growth.documents(bench.worker("ours_chain"), (40, 80))
    assert [[size for size, _ in line] for curve in curves for line in curve.lines.values()] == [
        [1, 2], [20, 40], [20, 40], [20, 40], [1, 37], [40, 80], [40, 80],
    ]  # fmt: skip
    assert all(cost > 0 for curve in curves for line in curve.lines.values() for _, cost in line)
    assert ET.fromstring(charts.curves(curves)).tag.endswith("svg")


def test_fresh_processes(bench: Bench) -> None:
    python = sys.executable
    assert fresh.sample(python, fresh.STATEMENTS["import"]["ours"], peer=False)["cpu"] > 0
    with pytest.raises(RuntimeError, match="this failed:\nraise SystemExit"):
        fresh.sample(python, "raise SystemExit(3)", peer=False)


@pytest.mark.parametrize("key", ["bare", "bare_typed", "ours"])
def test_first_calls(bench: Bench, key: str) -> None:
    found = bench.samples("cold")[key]
    assert [sample["cpu"] > 0 for sample in found] == [True]


def test_peers_are_divided_by_the_baseline_of_their_own_environment() -> None:
    row = next(row for row in ROWS if row.over == "bare_typed")
    costs = {"bare_typed": 4.0, "bare_typed@peers": 2.0, "bare": 1.0, "bare@peers": 1.0, "ours": 6.0, "hub": 6.0}
    found = results.figures(row, {key: [{"cpu": cost}] for key, cost in costs.items()})
    assert {key: one.middle for key, one in found.items()} == {"ours": 1.5, "hub": 3.0}


def test_an_installation_counts_sources_and_metadata() -> None:
    found = distribution("hf-tools")
    metadata = sum(path.size or 0 for path in found.files or () if ".dist-info" in path.as_posix())
    sources = sum(
        path.stat().st_size for path in [*(ROOT / "hf_tools").rglob("*"), *(ROOT / "integrations").rglob("*")]
        if path.is_file() and "__pycache__" not in path.parts
    )  # fmt: skip
    assert metadata > 10_000
    assert size(found) >= metadata + sources


def test_an_installation_is_small() -> None:
    found = footprints("footprint", lambda _: sys.executable, peers=False)["ours"]
    assert found["packages"] <= 13  # typing-extensions and the like differ with the version of Python
    assert 5 < found["megabytes"] < 20


def test_each_row_is_measured() -> None:
    assert {row.measure for row in ROWS} <= MEASURES.keys() | fresh.STATEMENTS.keys() | {"footprint", "chain_footprint"}
    assert len({row.title for row in ROWS}) == len(ROWS)
    assert set(charts.SHOWN) <= {row.title for row in ROWS}


def line(ours: list[float], row: Row | None = None, hub: float = 4.0) -> results.Line:
    samples = {
        "bare": [{"cpu": 1.0}, {"cpu": 2.0}, {"cpu": 1.0}],
        "ours": [{"cpu": cost, "itself": 0.5} for cost in ours],
        "hub": [{"cpu": hub, "itself": 1.0}] * 3,
    }
    row = row or Row("chat", "chat", 1.0, 1.5)
    return results.Line(row, results.figures(row, samples))


def test_figures_are_ratios_of_the_same_round() -> None:
    found = line([1.5, 2.0, 1.2])
    assert found.ours == results.Figure(1.2, 1.0, 1.5, 1.2, 1.5)
    assert found.ours.spread == "1.20 [1.00-1.50]"
    assert (found.cell("hf-tools"), found.cell("huggingface_hub"), found.cell("openai")) == ("1.20", "4.00", "")
    assert line([1.0] * 3, Row("", "", None, None, over="itself")).ours.middle == 2.0
    assert line([7.0] * 3, Row("", "", None, None, over="")).ours.middle == 7.0


def test_rows_are_judged() -> None:
    assert line([1.0, 2.0, 1.0]).met == "yes"
    assert line([1.2, 2.4, 1.2]).met == "yes, not the goal"
    assert line([1.6, 3.2, 1.6]).met == "no"
    assert line([1.0] * 3, Row("", "", None, None)).met == ""
    against = Row("", "", 1.0, 1.5, times_peer=("hub", 0.3))
    assert line([1.0, 2.0, 1.0], against).met == "yes"
    assert line([1.0, 2.0, 1.0], against, hub=2.0).met == "no"


def test_the_table_and_the_chart() -> None:
    found = [dataclasses.replace(line([1.2, 2.4, 1.2]), row=Row(charts.SHOWN[0], "chat", 1.0, 1.5))]
    last = results.table(found).splitlines()[-1]
    assert last == "| import of the client | 1.20 | 4.00 |  |  |  | 1 | 1.5 | yes, not the goal |"
    assert ET.fromstring(charts.bars(found, "today & here")).tag.endswith("svg")


def test_packages_and_bytes_are_whole() -> None:
    assert line([12.0] * 3, Row("", "", 12, 13, unit="cpu", over="")).cell("hf-tools") == "12.0"
    kept = {"ours": [{"slope": 0.4}], "hub": [{"slope": 10_123.4}]}
    row = Row("", "", 0, 100, unit="slope", over="")
    found = results.Line(row, results.figures(row, kept))
    assert (found.cell("hf-tools"), found.cell("huggingface_hub"), found.met) == ("0", "10123", "yes")


def test_a_run_is_written_down_with_the_one_before() -> None:
    found = [dataclasses.replace(line([1.2, 2.4, 1.2]), row=Row("chat, sync", "chat", 1.0, 1.5))]
    curves = [growth.Curve("CPU of a request", "requests in flight", "us", {"ours": [(1, 10.0), (8, 5.0), (32, 6.0)]})]
    first = pages.page(found, curves, "Monday", "")
    second = pages.page(found, curves, "Tuesday", first)
    assert "| CPU of a request, us | requests in flight | hf-tools | 1: 10.0, 8: 5.00, 32: 6.00 | 1.20 |" in first
    assert "The run before" not in first
    end = f"## The run before\n\nMade by `make bench` on Monday.\n\n{results.table(found)}\n"
    assert second.endswith(end)
    assert pages.page(found, curves, "Wednesday", second).count("Made by") == 2
    readme = pages.quoted(f"# A\n\n{pages.BEGIN}old\n{pages.END}\n\n## B\n", found, "Monday")
    assert readme == f"# A\n\n{pages.BEGIN}\n`make bench` on Monday:\n\n{results.table(found)}\n\n{pages.END}\n\n## B\n"
    assert pages.quoted(readme, found, "Monday") == readme


@pytest.mark.parametrize("readme", ["", pages.BEGIN, pages.END + pages.BEGIN, (pages.BEGIN + pages.END) * 2])
def test_a_readme_without_its_marks_is_left_alone(readme: str) -> None:
    with pytest.raises(ValueError, match="each once"):
        pages.quoted(readme, [], "Monday")


def rows(text: str) -> list[str]:
    """The lines of the first table of what calls cost."""
    begun = text[text.index("| case |") :]
    return list(itertools.takewhile(lambda each: each.startswith("|"), begun.splitlines()))


def test_the_readme_quotes_the_last_run() -> None:
    told = rows((ROOT / "benchmarks" / "RESULTS.md").read_text("utf-8"))
    assert rows((ROOT / "README.md").read_text("utf-8")) == told
    assert [each.split(" | ")[0].removeprefix("| ") for each in told[2:]] == [row.title for row in ROWS]


def test_what_is_short_of_its_goal_is_explained() -> None:
    told = [each.strip("| ").split(" | ") for each in rows((ROOT / "benchmarks" / "RESULTS.md").read_text("utf-8"))[2:]]
    short = [cells[0] for cells in told if cells[-1] in ("no", "yes, not the goal")]
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    assert [title for title in short if f"| {title} |" not in page] == []


def test_slopes() -> None:
    assert slope([0, *range(100, 800, 100)], 10) == pytest.approx(10)
    assert slope([5] * 8, 10) == 0
    assert slope([*[1000] * 10, *[200_000] * 10], 10) == 0
