"""A short run of the soak: a few seconds of what `make soak` does for minutes."""

from __future__ import annotations

import pytest

from tests.faults import soak
from tests.faults.soak import Found, main, slope


def test_every_answer_is_its_own_calls_and_nothing_is_left() -> None:
    found = soak.soaked(1000, 100, flat=2000)  # so few calls tell little of the memory, and coverage takes some
    assert found.wrong == []
    assert (found.calls, found.streams) == (992, 100)
    assert found.seconds < 60


def test_what_is_wrong_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = Found()
    found.check("yours", "mine")

    def soaked(calls: int, streams: int) -> Found:
        return found

    monkeypatch.setattr("tests.faults.soak.soaked", soaked)
    assert main(["--calls", "1", "--streams", "1"]) == 1
    assert "WRONG: [\"'mine' expected, got 'yours'\"]" in capsys.readouterr().out


def test_the_slope_is_that_of_the_second_half() -> None:
    points = [(10, 1000), (20, 5000), (30, 6000), (40, 6050), (50, 6100), (60, 6150)]
    assert slope(points) == pytest.approx(5.0)
    assert slope([(each, 7) for each in range(8)]) == 0.0
