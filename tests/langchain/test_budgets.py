"""How often tools may ask, and what they have used."""

from __future__ import annotations

import copy
import math
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hf_tools.errors import InputError
from langchain_hf_tools.budgets import Budget, Usage


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_calls": -1}, "`max_calls` = -1: must be a whole number of at least 0"),
        ({"max_calls": 1.5}, "`max_calls` = 1.5: must be a whole number of at least 0"),
        ({"max_calls": True}, "`max_calls` = True: must be a whole number of at least 0"),
        ({"max_seconds": "3"}, "`max_seconds` = '3': must be a number of at least 0"),
        ({"max_seconds": math.nan}, "`max_seconds` = nan: must be a number of at least 0"),
        ({"per_tool": {"a": -2}}, "`per_tool['a']` = -2: must be a whole number of at least 0"),
        ({"per_tool": {"a": None}}, "`per_tool['a']` = None: must be a whole number of at least 0"),
        ({"per_tool": ["a"]}, "`per_tool` (list): must be a mapping of names of tools to numbers"),
    ],
)
def test_what_is_no_limit(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        Budget(**options)
    assert caught.value.message == said


def test_without_limits_all_goes() -> None:
    budget = Budget()
    assert [budget.take("a") for _ in range(100)] == [None] * 100
    assert repr(budget) == "Budget(calls=100 of None, seconds=0.0 of None)"


def test_calls_in_all() -> None:
    budget = Budget(2)
    assert [budget.take(tool) for tool in "aba"] == [None, None, "the budget of 2 calls is used up"]
    assert repr(budget) == "Budget(calls=2 of 2, seconds=0.0 of None)"


def test_calls_of_one_tool() -> None:
    budget = Budget(per_tool={"a": 1, "c": 0})
    spent = "the budget of 1 call of this tool is used up"
    assert [budget.take(tool) for tool in "abab"] == [None, None, spent, None]
    assert budget.take("c") == "the budget of 0 calls of this tool is used up"


def test_seconds() -> None:
    budget = Budget(max_seconds=2.5)
    budget.waited(2.4)
    assert budget.take("a") is None
    budget.waited(0.1)
    assert budget.take("a") == "the budget of 2.5 seconds is used up"
    assert Budget(max_seconds=0).take("a") == "the budget of 0 seconds is used up"
    assert Budget(max_seconds=math.inf).take("a") is None


def test_one_purse_whoever_holds_it() -> None:
    budget, usage = Budget(1), Usage()
    assert copy.deepcopy(budget) is budget
    assert copy.deepcopy(usage) is usage


def test_threads_do_not_overdraw() -> None:
    budget, usage, start = Budget(50), Usage(), threading.Barrier(8)

    def spend(_: int) -> int:
        start.wait()
        taken = 0
        for _ in range(20):
            if budget.take("a") is None:
                usage.add("a", 0.5, failed=True, tokens={"total_tokens": 2})
                taken += 1
        return taken

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(spend, range(8))) == 50
    assert (usage.calls, usage.failures, usage.seconds) == (Counter(a=50), Counter(a=50), 25.0)
    assert usage.tokens == Counter(total_tokens=100)


def test_usage() -> None:
    usage = Usage()
    assert repr(usage) == "Usage(0 calls, 0 failed, 0.0 s)"
    usage.add("a", 1.25, tokens={"prompt_tokens": 3, "completion_tokens": 0, "details": {"x": 1}, "none": None})
    usage.add("b", 0.5, failed=True)
    assert usage.calls == Counter(a=1, b=1)
    assert usage.failures == Counter(b=1)
    assert repr(usage) == "Usage(2 calls, 1 failed, 1.8 s, prompt_tokens 3)"
