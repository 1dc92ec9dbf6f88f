"""Every fault of streams, 67 to 104, is tried: in the table, or by the tests that are named for it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.faults import streaming, streaming_calls, streaming_time
from tests.faults.elsewhere_streaming import ELSEWHERE, NOT_OURS
from tests.faults.table import TABLE

ROOT = Path(__file__).parents[2]
MODULES = (streaming, streaming_calls, streaming_time)


@pytest.mark.parametrize("number", range(67, 105))
def test_each_number_is_tried(number: int) -> None:
    assert all(module.declare for module in MODULES)
    assert number in {fault.number for fault in TABLE.faults} | ELSEWHERE.keys()
    assert number not in NOT_OURS


@pytest.mark.parametrize("name", [name for names in ELSEWHERE.values() for name in names])
def test_the_tests_that_are_named_exist(name: str) -> None:
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_fault_has_a_key_of_its_own() -> None:
    keys = [fault.key for fault in TABLE.faults]
    assert len(set(keys)) == len(keys)
