"""Every fault from 105 to 138 is tried: in the table, or by the tests that are named for it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.faults.declared import FAULTS
from tests.faults.elsewhere_lifecycle import ELSEWHERE, NOT_OURS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("number", range(105, 139))
def test_each_number_is_tried(number: int) -> None:
    places = [number in {fault.number for fault in FAULTS}, number in ELSEWHERE, number in NOT_OURS]
    assert places.count(True) == 1


@pytest.mark.parametrize("name", [name for names in ELSEWHERE.values() for name in names])
def test_the_tests_that_are_named_exist(name: str) -> None:
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
