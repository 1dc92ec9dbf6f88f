"""Questions about texts and tables: what is written, what is read, what is refused."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import TypeAdapter

from hf_tools.errors import HfError, InputError, ResponseError, ShapeError
from hf_tools.inputs import Table
from hf_tools.task import Reply, Server, Task
from hf_tools.tasks.question import (
    QuestionAnswering,
    QuestionAnsweringOutput,
    QuestionAnsweringTop,
    TableQuestionAnswering,
    TableQuestionAnsweringOutput,
)

Written = Callable[[Task[Any], Server], tuple[str, Any]]
Made = Callable[[Any], Reply]

STARS = {"Repository": ["Transformers", "Datasets"], "Stars": ["36542", "4512"]}
SETTINGS: dict[str, Any] = {
    "align_to_words": False, "doc_stride": 128, "handle_impossible_answer": True, "max_answer_len": 15,
    "max_question_len": 64, "max_seq_len": 100_000,
}  # fmt: skip
PAIR = {"question": "q", "context": "c"}

ENCODED: list[tuple[Task[Any], Server, Any]] = [
    (QuestionAnswering("q", "c"), "hf-inference", {"inputs": PAIR}),
    (QuestionAnswering("q", "c", **SETTINGS), "hf-inference", {"inputs": PAIR, "parameters": SETTINGS}),
    (QuestionAnswering("q", context="c", doc_stride=0), "toolkit", {"inputs": PAIR, "parameters": {"doc_stride": 0}}),
    (QuestionAnsweringTop("q", "c", top_k=3), "toolkit", {"inputs": PAIR, "parameters": {"top_k": 3}}),
    (
        QuestionAnsweringTop("q", "c", top_k=3, **SETTINGS),
        "hf-inference",
        {"inputs": PAIR, "parameters": {**SETTINGS, "top_k": 3}},
    ),
    (TableQuestionAnswering(STARS, "q"), "hf-inference", {"inputs": {"query": "q", "table": STARS}}),
    (
        TableQuestionAnswering(STARS, query="q", padding="longest", sequential=True, truncation=False),
        "toolkit",
        {
            "inputs": {"query": "q", "table": STARS},
            "parameters": {"padding": "longest", "sequential": True, "truncation": False},
        },
    ),
]


@pytest.mark.parametrize(("task", "server", "body"), ENCODED)
def test_encode(task: Task[Any], server: Server, body: Any, written: Written) -> None:
    assert written(task, server) == ("", body)


CELLS: list[tuple[str, Any, Any]] = [
    ("case-4-cells", {"a": [36542, None, 2.5, True]}, {"a": ["36542", "", "2.5", "True"]}),
    ("case-4-rows", [{"a": 1, "b": "x"}, {"b": None, "a": 2}], {"a": ["1", "2"], "b": ["x", ""]}),
    ("tuples", {"a": (1, 2), 3: ["x", "y"]}, {"a": ["1", "2"], "3": ["x", "y"]}),
]


@pytest.mark.parametrize(("case", "table", "sent"), CELLS, ids=[one[0] for one in CELLS])
def test_case_4_cells_become_text(case: str, table: Any, sent: Any, written: Written) -> None:
    path, body = written(TableQuestionAnswering(table, "q"), "hf-inference")
    assert (path, body) == ("", {"inputs": {"query": "q", "table": sent}})


class Frame:
    """What is used of a data frame."""

    def to_dict(self, orient: str) -> Any:
        return {"a": [1, 2]} if orient == "list" else None


class OtherFrame:
    """The method with another signature, as some libraries have it."""

    def to_dict(self, *, as_series: bool = True) -> Any:
        return {"a": [1, 2]}


def test_case_4_data_frames(written: Written) -> None:
    frame: Any = Frame()
    body = written(TableQuestionAnswering(frame, "q"), "hf-inference")[1]
    assert body == {"inputs": {"query": "q", "table": {"a": ["1", "2"]}}}


ANSWER = {"score": 0.5, "start": 25, "end": 30, "answer": "Paris"}
ANSWERED = QuestionAnsweringOutput(score=0.5, start=25, end=30, answer="Paris")
OTHER = {"score": 0, "start": 0, "end": 0, "answer": ""}
OTHERED = QuestionAnsweringOutput(score=0.0, start=0, end=0, answer="")
QUESTION, TOP, TABLE = (
    QuestionAnswering("q", "c"),
    QuestionAnsweringTop("q", "c", top_k=3),
    TableQuestionAnswering(STARS, "q"),
)
FOUND = {"answer": "AVERAGE > 36542", "coordinates": [[0, 1]], "cells": ["36542"], "aggregator": "AVERAGE"}
FOUND_OUT = TableQuestionAnsweringOutput(
    answer="AVERAGE > 36542", coordinates=[(0, 1)], cells=["36542"], aggregator="AVERAGE"
)

DECODED: list[tuple[str, Task[Any], Any, Any]] = [
    ("18-single", QUESTION, ANSWER, ANSWERED),
    ("18-single-in-a-list", QUESTION, [ANSWER], ANSWERED),
    ("18-single-of-several", QUESTION, [ANSWER, OTHER], ANSWERED),
    ("18-top", TOP, [ANSWER, OTHER], [ANSWERED, OTHERED]),
    ("18-top-bare", TOP, ANSWER, [ANSWERED]),
    ("18-top-wrapped", TOP, [[ANSWER, OTHER]], [ANSWERED, OTHERED]),
    ("18-top-nothing", TOP, [], []),
    ("18-impossible", QUESTION, OTHER, OTHERED),
    ("6-with-aggregator", TABLE, FOUND, FOUND_OUT),
    ("6-in-a-list", TABLE, [FOUND], FOUND_OUT),
    ("6-tapex", TABLE, {"answer": "x"}, TableQuestionAnsweringOutput(answer="x")),
    ("6-tapex-empty", TABLE, {"answer": "x", "coordinates": [], "cells": []},
     TableQuestionAnsweringOutput(answer="x", coordinates=[], cells=[])),
    ("6-null", TABLE, {"answer": "x", "coordinates": None, "cells": None, "aggregator": None},
     TableQuestionAnsweringOutput(answer="x")),
    ("6-numbers", TABLE, {"answer": 3, "cells": [36542]}, TableQuestionAnsweringOutput(answer="3", cells=["36542"])),
]  # fmt: skip


@pytest.mark.parametrize(("case", "task", "value", "answer"), DECODED, ids=[f"case-{one[0]}" for one in DECODED])
def test_decode(case: str, task: Task[Any], value: Any, answer: Any, reply: Made) -> None:
    decoded = task.decode(reply(value))
    assert decoded == answer
    assert type(decoded) is type(answer)


def test_case_9_a_score_that_is_null(reply: Made) -> None:
    score = QUESTION.decode(reply(ANSWER | {"score": None})).score
    assert score != score  # nan


def test_case_17_offsets_count_characters_not_utf_16(reply: Made) -> None:
    context = "😀 The capital is Paris 🗼."
    start = context.index("Paris")
    answer = QuestionAnswering("q", context).decode(reply(ANSWER | {"start": start, "end": start + 5}))
    assert context[answer.start : answer.end] == answer.answer == "Paris"


# Both were recorded in the legacy form with the inputs at the root, which the toolkit refuses; today's has `inputs`.
RECORDED: list[tuple[str, Callable[[Any], Task[Any]], Any]] = [
    (
        "question_answering",
        lambda body: QuestionAnswering(**body),
        QuestionAnsweringOutput(score=1.4291124728060822e-08, start=0, end=2, answer="42"),
    ),
    ("table_question_answering", lambda body: TableQuestionAnswering(**body), FOUND_OUT),
]


@pytest.mark.parametrize(("name", "task", "answer"), RECORDED, ids=[one[0] for one in RECORDED])
def test_recordings(
    name: str,
    task: Callable[[Any], Task[Any]],
    answer: Any,
    recording: Callable[[str], list[dict[str, Any]]],
    written: Written,
) -> None:
    for exchange in recording(name):
        body = exchange["request"]["body"]
        assert written(task(body), "hf-inference") == ("", {"inputs": body})
        assert task(body).decode(exchange["reply"]) == answer


def test_specs(spec: Callable[[str, str], Any], reply: Made, written: Written) -> None:
    spec("question-answering", "output").validate([each.model_dump() for each in TOP.decode(reply([ANSWER, OTHER]))])
    table = TABLE.decode(reply(FOUND)).model_dump(mode="json")
    spec("table-question-answering", "output").validate([table])
    top = QuestionAnsweringTop("q", "c", top_k=3, **SETTINGS)
    schema = spec("question-answering", "input")
    body = written(top, "hf-inference")[1]
    schema.validate(body)
    assert body["parameters"].keys() == schema.schema["$defs"]["QuestionAnsweringParameters"]["properties"].keys()
    schema = spec("table-question-answering", "input")
    parameters = schema.schema["$defs"]["TableQuestionAnsweringParameters"]["properties"]
    for padding in parameters["padding"]["enum"]:
        task = TableQuestionAnswering(STARS, "q", padding=padding, sequential=False, truncation=True)
        body = written(task, "hf-inference")[1]
        assert body["parameters"].keys() == parameters.keys()
        # the spec calls it `question`; every server takes `query`
        schema.validate(body | {"inputs": {"table": STARS, "question": body["inputs"]["query"]}})


Refused = Callable[[], Task[Any]]


def bad(task: Any, *args: Any, **kwargs: Any) -> Refused:
    """A call that checkers must not see."""
    return functools.partial(task, *args, **kwargs)


COLUMNS = "table_question_answering: `table` = "
BAD_INPUT: list[tuple[Refused, str]] = [
    (bad(QuestionAnswering, "q"), "question_answering: `context` is missing"),
    (bad(QuestionAnswering, "", "c"), "question_answering: `question` = '': must not be empty"),
    (bad(QuestionAnswering, "q", " "), "question_answering: `context` = ' ': must not be empty"),
    (
        bad(QuestionAnswering, "q", "c", max_answer_len=0),
        "question_answering: `max_answer_len` = 0: Input should be",
    ),
    (bad(QuestionAnswering, "q", "c", doc_stride=-1), "question_answering: `doc_stride` = -1: Input should be greater"),
    (bad(QuestionAnsweringTop, "q", "c"), "question_answering: `top_k` is missing"),
    (bad(QuestionAnsweringTop, "q", "c", top_k=0), "question_answering: `top_k` = 0: Input should be greater than 0"),
    (bad(TableQuestionAnswering, STARS), "table_question_answering: `query` is missing"),
    (bad(TableQuestionAnswering, STARS, ""), "table_question_answering: `query` = '': must not be empty"),
    (bad(TableQuestionAnswering, "q", STARS), COLUMNS + "'q': expected columns by name, such as"),
    (bad(TableQuestionAnswering, {}, "q"), COLUMNS + "{}: expected columns by name, such as"),
    (bad(TableQuestionAnswering, [], "q"), COLUMNS + "[]: expected at least one row, each a mapping"),
    (bad(TableQuestionAnswering, [1], "q"), COLUMNS + "[1]: expected at least one row, each a mapping"),
    (bad(TableQuestionAnswering, [{"a": 1}, {"b": 1}], "q"), COLUMNS + "[{'a': 1}, {'b': 1}]: row 1 has the columns"),
    (
        bad(TableQuestionAnswering, {"a": [1], "b": []}, "q"),
        COLUMNS + "{'a': [1], 'b': []}: columns must have",
    ),
    (bad(TableQuestionAnswering, {"a": []}, "q"), COLUMNS + "{'a': []}: the table has no rows"),
    (bad(TableQuestionAnswering, {"a": "text"}, "q"), COLUMNS + "{'a': 'text'}: column 'a' must be a list of cells"),
    (
        bad(TableQuestionAnswering, STARS, "q", padding="all"),
        "table_question_answering: `padding` = 'all': Input",
    ),
]


@pytest.mark.parametrize(("make", "message"), BAD_INPUT, ids=[message for _, message in BAD_INPUT])
def test_bad_input(make: Refused, message: str) -> None:
    with pytest.raises(InputError) as refused:
        make()
    assert str(refused.value).startswith(message)


class Raising:
    """The caller's own class, broken in any place."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def to_dict(self, _orient: str) -> Any:
        raise self._error


class Wordless:
    """No text, and no `repr` either."""

    def __str__(self) -> str:
        raise ZeroDivisionError

    __repr__ = __str__


class Lookless:
    """Cannot even be asked what it has."""

    def __getattr__(self, name: str) -> Any:
        raise LookupError(name)


BROKEN: list[tuple[Any, str]] = [
    (OtherFrame(), "cannot read OtherFrame as a table: TypeError"),
    (Raising(KeyError("a")), "cannot read Raising as a table: KeyError"),
    (Raising(RecursionError()), "cannot read Raising as a table: RecursionError"),
    (Raising(ValueError("no columns")), "no columns"),
    (Lookless(), "cannot read Lookless as a table: LookupError"),
    ({"a": [Wordless()]}, "cannot read dict as a table: ZeroDivisionError"),
    ([{"a": Wordless()}], "cannot read list as a table: ZeroDivisionError"),
    ([{Wordless(): 1}], "cannot read list as a table: ZeroDivisionError"),
    ({Wordless(): 1}, "cannot read dict as a table: ZeroDivisionError"),
    (Wordless(), "expected columns by name"),
]


@pytest.mark.parametrize(("table", "message"), BROKEN, ids=[type(table).__name__ for table, _ in BROKEN])
def test_a_table_that_is_broken(table: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TypeAdapter(Table).validate_python(table)
    with pytest.raises(InputError, match=f"^table_question_answering: `table` = .*{message}"):
        TableQuestionAnswering(table, "q")


TASKS: list[Task[Any]] = [QUESTION, TOP, TABLE]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_bad_answers(task: Task[Any], reply: Made, broken: list[tuple[bytes, type[ResponseError]]]) -> None:
    for content, error in broken:
        with pytest.raises(ResponseError) as refused:
            task.decode(reply(content))
        assert type(refused.value) is error, content


WRONG: list[tuple[Task[Any], Any, str]] = [
    (QUESTION, [], "unexpected answer: the answer: Input should be a valid dictionary"),
    (QUESTION, {"answer": "a", "score": 1, "start": None, "end": 3}, "unexpected answer: start: Input should be a val"),
    (TOP, [ANSWER, {"answer": "a"}], "unexpected answer: 1.score: Field required"),
    (TABLE, {"cells": ["a"]}, "unexpected answer: answer: Field required"),
    (TABLE, FOUND | {"coordinates": [[0]]}, "unexpected answer: coordinates.0.1: Field required"),
    (TABLE, [FOUND, FOUND], "unexpected answer: the answer: Input should be a valid dictionary"),
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
    keys = ("answer", "score", "start", "end", "coordinates", "cells", "aggregator", "error")
    with contextlib.suppress(HfError):
        task.decode(Reply(200, {}, data.draw(anything(*keys))))
