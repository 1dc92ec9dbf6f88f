"""Runs every fault against every subject, many at a time, and tells what came of it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

from hf_tools._http.shared import tls
from tests.faults.names import resolving
from tests.faults.secure import trusted
from tests.faults.subjects import SUBJECTS, Subject
from tests.faults.table import Fault
from tests.faults.trying import Run, run

AT_ONCE = 24
"""Calls at a time: nearly all of them wait."""
FASTER = 0.1
"""Waits between attempts are cut to this part, so that the kit is quick; their number stays."""


def pairs(faults: Iterable[Fault], subjects: Iterable[Subject] = ()) -> list[tuple[Fault, Subject]]:
    """Each fault with each subject of a kind that it is for."""
    whom = list(subjects) or SUBJECTS
    return [(fault, one) for fault in faults for one in whom if one.kind in fault.expect]


@contextmanager
def quick() -> Generator[None]:
    """Shorten the waits between attempts."""
    import asyncio

    sleep = time.sleep

    def doze(seconds: float) -> None:
        sleep(seconds * FASTER)

    async def nap(seconds: float) -> None:
        await asyncio.sleep(seconds * FASTER)

    with (
        mock.patch("hf_tools._http.sync.sleep", doze),
        mock.patch("hf_tools._http.aio.sleep", nap),
    ):
        yield


@contextmanager
def trusting() -> Generator[None]:
    """Trust the CA of these tests while the kit runs."""
    with trusted():
        tls.cache_clear()
        yield
    tls.cache_clear()


def run_all(chosen: list[tuple[Fault, Subject]]) -> list[Run]:
    """Try them all, the slow ones first; those with a proxy of the environment one by one."""
    order = sorted(chosen, key=lambda pair: -pair[0].expect[pair[1].kind].within)
    together = [pair for pair in order if not pair[0].proxied]
    with trusting(), resolving(), quick(), ThreadPoolExecutor(AT_ONCE) as pool:
        runs = [*pool.map(run, together), *(run(pair) for pair in order if pair[0].proxied)]
    return sorted(runs, key=lambda one: (one.fault.key, one.subject.name))


def table(runs: list[Run]) -> str:
    """One line for each fault: its number, name, what came of it by subject where that differs, the longest time."""
    lines: list[str] = []
    for key in dict.fromkeys(one.fault.key for one in runs):
        mine = [one for one in runs if one.fault.key == key]
        outcomes = dict.fromkeys(replace(one.outcome, partial=None).short for one in mine)
        bad = [f"    {one.subject.name}: {one.wrong}" for one in mine if one.wrong]
        mark = "WRONG" if bad else "ok"
        longest = max(one.outcome.seconds for one in mine)
        lines += [f"{mark:<6}{key:<64}{len(mine):>3}  {longest:>5.2f} s  {' | '.join(outcomes)[:80]}", *bad]
    right = sum(not one.wrong for one in runs)
    return "\n".join([*lines, f"{right} of {len(runs)} as expected, {len({one.fault.key for one in runs})} faults"])
