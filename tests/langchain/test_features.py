"""What the comparison with other LangChain packages says of ours: each check passes, and the table has them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.peers.features import FEATURES
from benchmarks.peers.subjects import OURS
from tests.langchain.scripted import ScriptedServer

TABLE = Path(__file__).parents[2] / "docs" / "langchain_comparison.md"


@pytest.mark.parametrize("name", FEATURES)
def test_feature(name: str) -> None:
    with ScriptedServer() as server:
        FEATURES[name].check(OURS, server)


def rows() -> list[list[str]]:
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def test_the_table_has_the_checks_as_rows() -> None:
    expected = [(feature.title, f"`test_feature[{name}]`") for name, feature in FEATURES.items()]
    assert [(row[0], row[-1]) for row in rows()] == expected


def test_the_table_says_that_ours_does_all_of_it() -> None:
    assert {row[1] for row in rows()} == {"yes"}


def test_the_table_names_the_versions_that_were_compared() -> None:
    text = TABLE.read_text("utf-8")
    for name in ("langchain-huggingface", "langchain-openai", "langchain-core"):
        assert re.search(rf"\b{name} \d+\.\d+\.\d+", text)
