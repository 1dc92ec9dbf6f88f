"""Every fault from 1 to 66 is tried in the table or by tests that are named, or it is said why it is not ours."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.faults.declared import FAULTS, MODULES
from tests.faults.elsewhere_reaching import ELSEWHERE, NOT_OURS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("number", range(1, 67))
def test_each_number_is_tried(number: int) -> None:
    assert len(MODULES) > 3
    tried = number in {fault.number for fault in FAULTS} | ELSEWHERE.keys()
    assert tried is not (number in NOT_OURS)


@pytest.mark.parametrize("name", [name for names in ELSEWHERE.values() for name in names])
def test_the_tests_that_are_named_exist(name: str) -> None:
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_reasons_are_sentences() -> None:
    assert all(len(reason) > 40 and reason.endswith(".") for reason in NOT_OURS.values())
