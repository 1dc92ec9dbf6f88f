"""Predictions for the rows of a table: what is written, what is read, what is refused."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hf_tools.errors import HfError, InputError, ResponseError, ShapeError
from hf_tools.task import Reply, Server, Task
from hf_tools.tasks.tabular import TabularClassification, TabularRegression

Written = Callable[[Task[Any], Server], tuple[str, Any]]
Made = Callable[[Any], Reply]

FISH = {"Height": ["11.52", "12.48", "12.3778"], "Species": ["Bream", "Bream", "Bream"]}
ROWS = [
    {"Height": 11.52, "Species": "Bream"},
    {"Height": 12.48, "Species": "Bream"},
    {"Species": "Bream", "Height": 12.3778},
]
CLASSES, NUMBERS = TabularClassification(FISH), TabularRegression(FISH)


@pytest.mark.parametrize("kind", [TabularClassification, TabularRegression])
@pytest.mark.parametrize("server", ["hf-inference", "toolkit"])
@pytest.mark.parametrize("table", [FISH, ROWS])
def test_encode(kind: type[TabularRegression], server: Server, table: Any, written: Written) -> None:
    assert written(kind(table), server) == ("", {"inputs": {"data": FISH}})


DECODED: list[tuple[str, Task[Any], Any, Any]] = [
    ("numbers", CLASSES, [5, 5, 7], [5, 5, 7]),
    ("34-names", CLASSES, ["setosa", "setosa", "virginica"], ["setosa", "setosa", "virginica"]),
    ("34-mixed", CLASSES, [1, 2.5, "3"], [1, 2.5, "3"]),
    ("34-booleans", CLASSES, [True, False, True], [True, False, True]),
    ("one-row", TabularClassification({"a": [1]}), 5, [5]),
    ("regression", NUMBERS, [270.5, 313.6843425638086, 328], [270.5, 313.6843425638086, 328.0]),
    ("one-row-regression", TabularRegression({"a": [1]}), 5, [5.0]),
]


@pytest.mark.parametrize(("case", "task", "value", "answer"), DECODED, ids=[f"case-{one[0]}" for one in DECODED])
def test_decode(case: str, task: Task[Any], value: Any, answer: Any, reply: Made) -> None:
    decoded = task.decode(reply(value))
    assert decoded == answer
    assert [type(each) for each in decoded] == [type(each) for each in answer]


def test_case_9_null_and_nan(reply: Made) -> None:
    for task in (CLASSES, NUMBERS):
        null, nan, known = task.decode(reply(b"[null, NaN, 1.5]"))
        assert null != null
        assert nan != nan
        assert known == 1.5


Refused = Callable[[], Task[Any]]


def bad(task: Any, *args: Any, **kwargs: Any) -> Refused:
    """A call that checkers must not see."""
    return functools.partial(task, *args, **kwargs)


BAD_INPUT: list[tuple[Refused, str]] = [
    (bad(TabularClassification), "tabular_classification: `table` is missing"),
    (bad(TabularClassification, {}), "tabular_classification: `table` = {}: expected columns by name"),
    (bad(TabularRegression, {"a": []}), "tabular_regression: `table` = {'a': []}: the table has no rows"),
    (bad(TabularRegression, {"a": [1, 2], "b": [1]}), "tabular_regression: `table` = {'a': [1, 2], 'b': [1]}: columns"),
    (bad(TabularRegression, "a,b\n1,2"), r"tabular_regression: `table` = 'a,b\n1,2': expected columns by name"),
    (bad(TabularRegression, FISH, top_k=3), "tabular_regression: `top_k` is not a parameter of this task; it takes"),
]


@pytest.mark.parametrize(("make", "message"), BAD_INPUT, ids=[message for _, message in BAD_INPUT])
def test_bad_input(make: Refused, message: str) -> None:
    with pytest.raises(InputError) as refused:
        make()
    assert str(refused.value).startswith(message)


TASKS: list[Task[Any]] = [CLASSES, NUMBERS]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_bad_answers(task: Task[Any], reply: Made, broken: list[tuple[bytes, type[ResponseError]]]) -> None:
    for content, error in broken:
        with pytest.raises(ResponseError) as refused:
            task.decode(reply(content))
        assert type(refused.value) is error, content


WRONG: list[tuple[Task[Any], Any, str]] = [
    (CLASSES, [5, 5], "3 inputs were sent, 2 answers came"),
    (CLASSES, [5, 5, [7]], "unexpected answer: 2."),
    (CLASSES, {"predictions": [1, 2, 3]}, "3 inputs were sent, 1 answers came"),
    (NUMBERS, [1.0, 2.0, "setosa"], "unexpected answer: 2: Input should be a valid number"),
    (NUMBERS, [[1.0], [2.0], [3.0]], "unexpected answer: 0: Input should be a valid number"),
]


@pytest.mark.parametrize(("task", "value", "message"), WRONG)
def test_wrong_shapes(task: Task[Any], value: Any, message: str, reply: Made) -> None:
    with pytest.raises(ShapeError) as refused:
        task.decode(reply(value))
    assert message in str(refused.value)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_only_our_errors_escape(
    task: Task[Any], data: st.DataObject, anything: Callable[..., SearchStrategy[bytes]]
) -> None:
    with contextlib.suppress(HfError):
        task.decode(Reply(200, {}, data.draw(anything("error", "output"))))
