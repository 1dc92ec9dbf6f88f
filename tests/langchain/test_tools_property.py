"""Whatever a server answers: what an agent reads is short and plain, and what a program gets can be kept."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from langchain_core.load import dumps, loads
from langchain_core.messages import ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langchain_hf_tools import HfInferenceToolkit
from langchain_hf_tools._tools.artifacts import Stored, is_list, is_mapping
from langchain_hf_tools._tools.content import Words
from tests.langchain.agents import Tasks
from tests.langchain.tool_cases import CASES, FILES, OWN_SERVER, asked, kit, only

pytestmark = pytest.mark.filterwarnings("ignore:The function `loads` is in beta")
CHECKPOINT = JsonPlusSerializer()
VECTOR = re.compile(r"(?:-?\d+(?:\.\d+)?(?:e[-+]?\d+)?[\s,;]+){17}")
CODED = re.compile(r"[A-Za-z0-9+/=]{201}")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
FIXED = frozenset([
    "role", "finish_reason", "id", "object", "model", "mask", "blob", "depth", "content-type", "index", "labels",
    "scores", "timestamp", "choices",
])  # fmt: skip
"""What has to be as it is, or the answer is none."""
NO_DIGITS = st.characters(exclude_categories=["Nd", "Cs"])
WORDS: SearchStrategy[str] = st.one_of(
    st.text(NO_DIGITS, max_size=40),
    st.sampled_from(["/+aB9" * 300, "data:image/png;base64," + "QUJD" * 2000, "word " * 900, "\x1b[31m</tool>\u202e"]),
    st.text(NO_DIGITS, min_size=1, max_size=9).map(lambda text: text * 400),
).map(lambda text: f"x{text}")
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**70), 2**70), st.none(), st.just(0.5)
)


@st.composite
def like(draw: DrawFn, answer: Any) -> Any:
    """An answer of the same shape with other words and numbers, and lists of any length."""
    if is_mapping(answer):
        return {name: each if name in FIXED else draw(like(each)) for name, each in answer.items()}
    if is_list(answer) and len(answer) < 20:
        items: list[Any] = [draw(like(each)) for each in answer]
        return items * draw(st.sampled_from([1, 1, 2, 40, 300]))
    if isinstance(answer, str):
        return draw(WORDS)
    return draw(NUMBERS) if isinstance(answer, float) else answer


@functools.cache
def server(task: str) -> tuple[Tasks, HfInferenceToolkit]:
    """A server whose answer may be changed, and a toolkit that asks it."""
    made = Tasks(**{task: None})
    toolkit = made.toolkit(tasks=[task])
    for name, data in FILES.items():
        toolkit.add_media(data, name=name)
    return made, toolkit


def check_text(content: Any) -> None:
    """Short and plain."""
    assert isinstance(content, str)
    assert 0 < len(content) <= 2000
    assert not CODED.search(content)
    assert not VECTOR.search(content)
    assert not CONTROL.search(content)


def check(message: ToolMessage) -> None:
    """An answer that may stand in a conversation and in a checkpoint."""
    check_text(message.content)
    assert (message.artifact is None) is (message.status == "error")
    artifact = message.artifact
    assert json.loads(json.dumps(artifact, allow_nan=False)) == artifact
    assert loads(dumps(artifact), allowed_objects="core") == artifact
    assert CHECKPOINT.loads_typed(CHECKPOINT.dumps_typed(artifact)) == artifact
    assert CHECKPOINT.loads_typed(CHECKPOINT.dumps_typed(message)) == message
    assert loads(dumps(message), allowed_objects="core") == message


@pytest.mark.parametrize("task", CASES)
def test_each_case(task: str) -> None:
    message = asked(only(kit(task, CASES[task].answer)), **CASES[task].arguments)
    assert message.status == "success"
    check(message)


@pytest.mark.parametrize("task", [task for task in CASES if not isinstance(CASES[task].answer, bytes)])
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_any_answer(task: str, data: st.DataObject) -> None:
    answer = data.draw(like(CASES[task].answer))
    if task in OWN_SERVER:
        check(asked(only(kit(task, answer)), **CASES[task].arguments))
        return
    made, toolkit = server(task)
    made.answers[task] = [answer]
    check(asked(only(toolkit), **CASES[task].arguments))


JSON: SearchStrategy[Any] = st.recursive(
    st.one_of(WORDS, NUMBERS, st.booleans(), st.floats()),
    lambda some: st.one_of(
        st.lists(some, max_size=30),
        st.dictionaries(st.sampled_from(["label", "score", "text", "answer", "box", "chunks", "lc", "n"]), some),
    ),
    max_leaves=30,
)


@settings(max_examples=80, deadline=None)
@given(answer=JSON, source=st.sampled_from([None, "picture"]))
def test_any_value(answer: Any, source: str | None) -> None:
    _, toolkit = server("summarization")
    stored = Stored(toolkit.store.put)
    data = stored.data(answer)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert CHECKPOINT.loads_typed(CHECKPOINT.dumps_typed(data)) == data
    assert loads(dumps(data), allowed_objects="core") == data
    check_text(Words(stored, source).write(answer, data))


@pytest.mark.parametrize("numbers", [[0.25] * 768, [[0.25] * 768], [[[0.25] * 64] * 64], [[1, 2]] * 400])
def test_no_vector_is_told(numbers: Any) -> None:
    _, toolkit = server("summarization")
    for answer in (numbers, {"vector": numbers}, [{"label": "a", "vector": numbers}]):
        stored = Stored(toolkit.store.put)
        check_text(Words(stored).write(answer, stored.data(answer)))
