"""What the command does where standard output is full, broken or closed."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hf_tools.cli import main

Capture = pytest.CaptureFixture[str]


class Full(io.FileIO):
    """A file on a disk that is full; `full` may change."""

    full = True

    def write(self, data: Any) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(data)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Full]:
    """disk(): makes standard output a file on a full disk."""

    def full() -> Full:
        raw = Full(os.open(tmp_path / "out", os.O_RDWR | os.O_CREAT), "w")
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8"))
        return raw

    return full


def test_a_full_disk_is_told_in_a_line(disk: Callable[[], Full], capsys: Capture) -> None:
    raw = disk()
    assert main(["tasks"]) == 1
    assert capsys.readouterr().err == "error: [Errno 28] No space left on device\n"
    # the last flush of the interpreter goes nowhere
    raw.full = False
    sys.stdout.close()


def test_what_was_printed_before_another_mistake_is_kept(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def broken(arguments: Any) -> int:
        print("first")
        raise PermissionError(13, "Permission denied", "weights")

    monkeypatch.setattr("hf_tools.cli.lists._tasks", broken)
    assert main(["tasks"]) == 1
    assert capsys.readouterr() == ("first\n", "error: [Errno 13] Permission denied: 'weights'\n")


@pytest.mark.parametrize("closed", [["stdout"], ["stderr"], ["stdout", "stderr"]])
def test_streams_that_are_closed(closed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in closed:
        monkeypatch.setattr(sys, name, None)
    assert main(["tasks"]) == 0
    assert main(["models", "no_task"]) == 2
    for name in closed:
        getattr(sys, name).close()
