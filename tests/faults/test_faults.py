"""Every fault of the table against every subject; all are tried at once, and each is a test of its own."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.faults.all import PAIRS
from tests.faults.kit import run_all

Found: TypeAlias = dict[str, str]
"""What is wrong, by fault and subject; empty where nothing is."""


def tried() -> Found:
    return {f"{one.fault.key}/{one.subject.name}": one.wrong or "" for one in run_all(PAIRS)}


def shared(place: Path) -> Found:
    """What the first of several processes finds; the others wait for it."""
    done = place / "faults.json"
    try:
        (place / "faults.begun").touch(exist_ok=False)
    except FileExistsError:
        begun = time.monotonic()
        while not done.exists():
            assert time.monotonic() - begun < 300, "the process that tries the faults does not end"
            time.sleep(0.2)
        found: Found = json.loads(done.read_text())
        return found
    found = tried()
    part = place / "faults.part"
    part.write_text(json.dumps(found))
    part.rename(done)
    return found


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Found:
    """What came of each fault and subject; with pytest-xdist one process tries them for all."""
    return tried() if worker_id == "master" else shared(tmp_path_factory.getbasetemp().parent)


@pytest.mark.parametrize(("key", "name"), [(fault.key, subject.name) for fault, subject in PAIRS])
def test_fault(runs: Found, key: str, name: str) -> None:
    assert runs[f"{key}/{name}"] == ""
