"""One subject in a process of its own: `python -m benchmarks.worker SUBJECT BASE` reads orders and prints results.

An order is one line of JSON, and so is a result: seconds of CPU (all threads of this process) and of wall time for one
repetition, the resident memory, and what shows that the work was done. Each work is done once before it is timed, and
garbage is collected before, never after.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import itertools
import json
import logging
import statistics
import sys
import warnings
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from benchmarks.subjects.common import First

PAGE = 4096
"""Bytes of a page of memory on Linux."""
FEW = 64
"""Documents that are enough to begin with."""
SAMPLES = 40
"""How often memory is looked at for its slope."""


def resident() -> int:
    """Bytes of memory that this process has; 0 where there is no /proc."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0


def peak() -> int:
    """The most bytes of memory that this process has had; 0 on Windows."""
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def slope(values: list[int], step: float) -> float:
    """By how much the values grow with each repetition, without the first quarter; they are `step` apart.

    The median of the slopes between any two of them (Theil and Sen): memory is taken from the system in pieces, and
    one piece more is no growth with each repetition.
    """
    kept = values[len(values) // 4 :]
    pairs = itertools.combinations(enumerate(kept), 2)
    return statistics.median((later - value) / ((after - place) * step) for (place, value), (after, later) in pairs)


async def at_once(work: Callable[[], Awaitable[Any]], times: int, flight: int) -> Any:
    """Repeat an awaited work, `flight` of them at once."""
    left, found = iter(range(times)), None

    async def one() -> None:
        nonlocal found
        for _ in left:
            found = await work()

    await asyncio.gather(*(one() for _ in range(flight)))
    return found


class Worker:
    """Carries out orders: `work` and `path` (the server's options), `times`, `flight`, `count` (documents), `kind`."""

    def __init__(self, subject: str, base: str) -> None:
        self._module = importlib.import_module(f"benchmarks.subjects.{subject}")
        self._base, self._loop = base, asyncio.Runner()
        self._made: tuple[str, Callable[..., Any]] = "", print
        self._warm = 0

    def __call__(self, order: dict[str, Any]) -> dict[str, Any]:
        """The result; `missing` where the subject does not know the work."""
        if not hasattr(self._module, order["work"]):
            return {"missing": True}
        run = self._run(order)
        gc.collect()
        if order["kind"] == "memory":
            return self._memory(run, order["times"])
        if order["kind"] == "first":
            return self._first(run, order["times"])
        cpu, wall = process_time(), perf_counter()
        proof = run(order["times"])
        cpu, wall = process_time() - cpu, perf_counter() - wall
        times = order["times"]
        memory = {"resident": resident(), "peak": peak()}
        return {"cpu": cpu / times, "wall": wall / times, "proof": proof, **memory}

    def _run(self, order: dict[str, Any]) -> Callable[[int], Any]:
        """What does the work so many times and returns what the last one showed."""
        key = json.dumps([order["work"], order["path"]])
        if self._made[0] != key:
            self._made = "", print  # the one before is dropped with its connections
            self._made, self._warm = (key, getattr(self._module, order["work"])(self._base + order["path"])), 0
        made, flight = self._made[1], order["flight"]
        if self._warm < max(1, flight):
            self._warm = max(1, flight)
            self._repeating(partial(made, min(order["count"], FEW)) if order["count"] else made, flight)(self._warm)
        return self._repeating(partial(made, order["count"]) if order["count"] else made, flight)

    def _repeating(self, work: Callable[..., Any], flight: int) -> Callable[[int], Any]:
        return partial(self._awaited, work, flight) if flight else partial(_repeated, work)

    def _awaited(self, work: Callable[[], Awaitable[Any]], flight: int, times: int) -> Any:
        return self._loop.run(at_once(work, times, flight))

    def _first(self, run: Callable[[int], Any], times: int) -> dict[str, Any]:
        """Seconds to the first text of a stream."""
        waits: list[float] = []
        for _ in range(times):
            start = perf_counter()
            run(1)
            waits.append(First.at - start)
        return {"first": statistics.median(waits), "proof": None}

    def _memory(self, run: Callable[[int], Any], times: int) -> dict[str, Any]:
        """Bytes by which memory grows with each repetition; as many, or the first 1,000, are done before."""
        run(min(times, 1000))
        step, found = max(1, times // SAMPLES), list[int]()
        for _ in range(SAMPLES):
            run(step)
            found.append(resident())
        return {"slope": slope(found, step), "resident": found[-1], "proof": None}


def _repeated(work: Callable[[], Any], times: int) -> Any:
    found = None
    for _ in range(times):
        found = work()
    return found


def main(subject: str, base: str) -> None:
    """Carry out the orders of the standard input until it ends."""
    logging.disable()
    warnings.simplefilter("ignore")
    worker = Worker(subject, base)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        try:
            result = worker(json.loads(line))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is the result
            result = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
