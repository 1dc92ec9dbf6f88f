"""Cassettes are small, hold nothing but the exchange, and each is replayed by a test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.record import CASSETTES, HEADERS, LIMIT

TESTS = Path(__file__).parent
FILES = sorted(CASSETTES.rglob("*"))
SECRET = re.compile(r"hf_[A-Za-z0-9]{10,}|api_org_|\bsk-[A-Za-z0-9]|[Bb]earer |authorization|cookie", re.IGNORECASE)


def interactions(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))["interactions"]
    return found


def test_there_are_cassettes() -> None:
    assert FILES
    assert {path.suffix for path in FILES} == {".yaml"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
class TestCassette:
    def test_is_small(self, path: Path) -> None:
        assert path.stat().st_size <= LIMIT

    def test_holds_allowed_headers_only(self, path: Path) -> None:
        for each in interactions(path):
            assert {name.lower() for side in each.values() for name in side["headers"]} <= HEADERS

    def test_holds_no_secret(self, path: Path) -> None:
        assert SECRET.search(path.read_text("utf-8")) is None

    def test_comes_from_this_machine_or_hugging_face(self, path: Path) -> None:
        for each in interactions(path):
            assert re.match(r"http://127\.0\.0\.1:\d+/|https://[a-z.]*huggingface\.co/", each["request"]["uri"])
            assert "?" not in each["request"]["uri"]

    def test_is_replayed_by_a_test(self, path: Path) -> None:
        named = re.compile(rf"\bcassette\(\"{re.escape(path.stem)}\"\)")
        assert [test.name for test in TESTS.rglob("test_*.py") if named.search(test.read_text("utf-8"))]
