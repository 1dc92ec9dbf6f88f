"""How cost grows: with calls in flight, with the length of a stream, with documents, with the tools of an agent."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.processes import PEERS, Process
from benchmarks.rounds import Bench, told

ROUNDS: Final = 3
"""The median of so many is a point of a curve."""
FLIGHTS: Final = (1, 8, 32, 100, 300)
LENGTHS: Final = (100, 1000, 10_000, 100_000)
DOCUMENTS: Final = (100, 1000, 10_000, 100_000)
TOOLS: Final = (1, 4, 8, 16, 24, 37)
MICRO: Final = 1e6
MEGA: Final = 1e6

Line = list[tuple[int, float]]


@dataclass
class Curve:
    """One picture: for each subject its cost at each size."""

    title: str
    sizes: str
    """What grows."""
    unit: str
    lines: dict[str, Line] = field(default_factory=lambda: dict[str, Line]())


def growth(bench: Bench, *, quick: bool) -> list[Curve]:
    """All curves; a quick look stops at a tenth of the largest stream and corpus, and takes each point once."""
    chosen = [one for one in ("bare", "ours", "hub", "openai_sdk") if bench.peers or one not in PEERS]
    ends, rounds = (-1, 1) if quick else (None, ROUNDS)
    told("growth: in flight")
    curves = [in_flight(bench, chosen, rounds)]
    told("growth: streams")
    curves += streams(bench, [one for one in chosen if one != "openai_sdk"], LENGTHS[:ends], rounds)
    told("growth: documents")
    with bench.alone("ours_chain") as process:
        curves += documents(process, DOCUMENTS[:ends])
    told("growth: tools")
    return [*curves, agents(bench, rounds)]


def median(process: Process, order: dict[str, Any], unit: str, rounds: int) -> float:
    """The middle of some results."""
    return float(statistics.median(process.ask(order)[unit] for _ in range(rounds)))


def in_flight(bench: Bench, subjects: list[str], rounds: int) -> Curve:
    """CPU for a request."""
    curve = Curve("CPU of a request", "requests in flight", "us")
    for flight in FLIGHTS:
        order = {"work": "achat", "path": "", "flight": flight, "times": max(200, flight)}
        for subject in subjects:
            cost = median(bench.worker(subject), order, "cpu", rounds) * MICRO
            curve.lines.setdefault(subject, []).append((flight, cost))
    return curve


def streams(bench: Bench, subjects: list[str], lengths: tuple[int, ...], rounds: int) -> list[Curve]:
    """CPU for a chunk, time to the first text, and memory."""
    cost = Curve("CPU of a chunk", "chunks of a stream", "us")
    first = Curve("time to the first text", "chunks of a stream", "ms")
    memory = Curve("largest memory", "chunks of a stream", "MB")
    for subject in subjects:
        with bench.alone(subject) as process:
            for length in lengths:
                order = {"work": "stream", "path": f"/chunks={length}"}
                times = 1 if length > 10_000 else rounds
                found = [process.ask(order) for _ in range(times)]
                spent = statistics.median(each["cpu"] for each in found) / length * MICRO
                cost.lines.setdefault(subject, []).append((length, spent))
                memory.lines.setdefault(subject, []).append((length, found[-1]["peak"] / MEGA))
                waited = process.ask(order | {"kind": "first", "times": times})["first"] * 1e3
                first.lines.setdefault(subject, []).append((length, waited))
    return [cost, first, memory]


def documents(process: Process, counts: tuple[int, ...]) -> list[Curve]:
    """CPU for a document and memory, read from an iterator, by requests of 32 that take 2 ms."""
    cost = Curve("CPU of a document", "documents from an iterator", "us")
    memory = Curve("largest memory", "documents from an iterator", "MB")
    for count in counts:
        found = process.ask({"work": "embed_all", "path": "/delay=2,limit=32", "count": count})
        cost.lines.setdefault("ours_chain", []).append((count, found["cpu"] / count * MICRO))
        memory.lines.setdefault("ours_chain", []).append((count, found["peak"] / MEGA))
    return [cost, memory]


def agents(bench: Bench, rounds: int) -> Curve:
    """CPU for a turn."""
    curve = Curve("CPU of an agent's turn", "tools", "us")
    process = bench.worker("ours_chain")
    for count in TOOLS:
        cost = median(process, {"work": "agent", "path": "", "count": count, "times": 50}, "cpu", rounds) * MICRO
        curve.lines.setdefault("ours_chain", []).append((count, cost))
    return curve


def bends(line: Line) -> float:
    """The last cost in times of the smallest before it: what is flat or falls stays at or below 1."""
    return line[-1][1] / min(cost for _, cost in line[:-1])
