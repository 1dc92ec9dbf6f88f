"""Questions about pictures and documents: what is sent, and what is made of every answer."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_tools.errors import (
    DecodeError,
    EmptyResponse,
    HfError,
    InputError,
    ReportedError,
    ShapeError,
    UnexpectedContent,
)
from hf_tools.media import Image
from hf_tools.media.source import Source
from hf_tools.task import Body, Reply, Server, Task
from hf_tools.tasks.multimodal import DocumentQuestionAnswering, VisualQuestionAnswering

Recording = Callable[[str], list[dict[str, Any]]]
Written = Callable[[Task[Any], Server], tuple[str, Any]]
MakeReply = Callable[[Any], Reply]
Spec = Callable[[str, str], Any]

PNG = b"\x89PNG\r\n\x1a\nrest"
B64 = "iVBORw0KGgpyZXN0"
VQA = VisualQuestionAnswering(PNG, "Who?")
DOC = DocumentQuestionAnswering(PNG, "How much?")
TASKS: list[Task[Any]] = [VQA, DOC]
ALL: dict[str, Any] = {
    "doc_stride": 64,
    "handle_impossible_answer": True,
    "lang": "en",
    "max_answer_len": 15,
    "max_question_len": 64,
    "max_seq_len": 4096,
    "top_k": 20,
}


def name_of(value: object) -> str:
    return value.name if isinstance(value, Task) else str(value)[:40]


def untyped(cls: type[Task[Any]]) -> Any:
    """The class for a call that type checkers refuse, too."""
    return cls


# encode


@pytest.mark.parametrize("server", ["hf-inference", "toolkit"])
@pytest.mark.parametrize(
    ("task", "body"),
    [
        (VQA, {"inputs": {"question": "Who?", "image": B64}}),
        (
            VisualQuestionAnswering(PNG, "Who?", top_k=3),
            {"inputs": {"question": "Who?", "image": B64}, "parameters": {"top_k": 3}},
        ),
        (DOC, {"inputs": {"question": "How much?", "image": B64}}),
        (
            DocumentQuestionAnswering(PNG, "How much?", **ALL, word_boxes=[["us-001", [1, 2.5, 3, 1000]]]),
            {
                "inputs": {"question": "How much?", "image": B64},
                "parameters": {**ALL, "word_boxes": [["us-001", [1, 2.5, 3, 1000]]]},
            },
        ),
    ],
    ids=name_of,
)
def test_what_is_written(task: Task[Any], body: dict[str, Any], server: Server, written: Written, spec: Spec) -> None:
    assert written(task, server) == ("", body)
    if "word_boxes" not in body.get("parameters", {}):  # the spec has words and boxes in one list, see below
        spec(task.name, "input").validate(body)


@pytest.mark.parametrize(
    "boxes",
    [
        [["a", [0, 1, 2, 3]], ["b", [4, 5, 6, 7]]],
        [("a", (0, 1, 2, 3)), ("b", (4, 5, 6, 7))],
        ["a", [0, 1, 2, 3], "b", [4, 5, 6, 7]],  # as InferenceClient and the spec have it
    ],
)
def test_word_boxes_are_sent_as_the_pipeline_takes_them(boxes: Any, written: Written) -> None:
    task = DocumentQuestionAnswering("cat.png", "?", word_boxes=boxes).loaded({"image": Image(PNG)})
    _, body = written(task, "toolkit")
    assert body["parameters"] == {"word_boxes": [["a", [0, 1, 2, 3]], ["b", [4, 5, 6, 7]]]}
    assert type(body["parameters"]["word_boxes"][0][1][0]) is int  # the models look positions up


@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_sources_stay_unread_until_they_are_loaded(task: Task[Any], tmp_path: Path, written: Written) -> None:
    waiting: Task[Any] = untyped(type(task))(tmp_path / "page.png", "Who?")
    assert isinstance(untyped(waiting).image, Source)  # type: ignore[arg-type]
    _, body = written(waiting.loaded({"image": Image(PNG)}), "toolkit")
    assert body == {"inputs": {"question": "Who?", "image": B64}}


# recordings: the request of 2023 had question and image at the root, which the toolkit and the spec of today do not


@pytest.mark.parametrize(
    ("case", "task", "expected"),
    [
        (
            "visual_question_answering",
            VQA,
            [
                {"score": 0.9386941194534302, "answer": "woman"},
                {"score": 0.34311845898628235, "answer": "girl"},
                {"score": 0.08407749235630035, "answer": "lady"},
                {"score": 0.0507517009973526, "answer": "female"},
                {"score": 0.01777094043791294, "answer": "man"},
            ],
        ),
        (
            "document_question_answering",
            DOC,
            [{"answer": "$1,000,000,000", "score": None, "start": None, "end": None}],
        ),
    ],
)
def test_recordings(case: str, task: Task[Any], expected: Any, recording: Recording, written: Written) -> None:
    (each,) = recording(case)
    assert [answer.model_dump() for answer in task.decode(each["reply"])] == expected
    assert each["request"]["body"].keys() == written(task, "hf-inference")[1]["inputs"].keys()


# decode


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([{"answer": "us-001"}], [("us-001", None, None, None)]),
        ({"answer": "us-001"}, [("us-001", None, None, None)]),
        (
            [{"score": 0.6035408973693848, "answer": "us-001", "start": 16, "end": 16}],
            [("us-001", 0.6035408973693848, 16, 16)],
        ),
        ([{"answer": None}], [("", None, None, None)]),
        ([[{"answer": "a", "score": 1}, {"answer": "", "score": 0}]], [("a", 1.0, None, None), ("", 0.0, None, None)]),
        ([], []),
    ],
)
def test_case_19_documents(body: Any, expected: list[Any], reply: MakeReply) -> None:
    found = [(each.answer, each.score, each.start, each.end) for each in DOC.decode(reply(body))]
    assert found == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([{"answer": "a"}], [("a", None)]),
        ({"answer": "a", "score": None}, [("a", None)]),
        ([{"score": 1}], [(None, 1.0)]),
        ([[{"answer": "a", "score": 0.5}]], [("a", 0.5)]),
    ],
)
def test_pictures(body: Any, expected: list[Any], reply: MakeReply) -> None:
    assert [(each.answer, each.score) for each in VQA.decode(reply(body))] == expected


@pytest.mark.parametrize(
    ("task", "instance"),
    [
        (VQA, [{"score": 0.5}, {"score": 0.25, "answer": "a"}]),
        (DOC, [{"answer": "a", "score": 0.5, "start": 1, "end": 2}]),
    ],
)
def test_instances_of_the_spec(task: Task[Any], instance: Any, spec: Spec, reply: MakeReply) -> None:
    spec(task.name, "output").validate(instance)
    assert [each.model_dump(exclude_none=True) for each in task.decode(reply(instance))] == instance


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", EmptyResponse, "empty"),
        (b"<html>", UnexpectedContent, "HTML"),
        (b'[{"answer": "a"', DecodeError, "not valid JSON"),
        (b'{"error": "no"}', ReportedError, "no"),
        (b"7", ShapeError, "unexpected answer"),
        (b'"a"', ShapeError, "unexpected answer"),
        (b"[{}]", ShapeError, "unexpected answer: 0"),
        (b'[{"answer": 7, "score": 1}]', ShapeError, "0.answer"),
        (b'[{"answer": "a", "score": "x"}]', ShapeError, "0.score"),
    ],
)
@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_bad_answers(task: Task[Any], content: bytes, error: type[HfError], message: str) -> None:
    with pytest.raises(HfError, match=message) as caught:
        task.decode(Reply(200, {}, content))
    assert type(caught.value) is error


KEYS = st.sampled_from(["answer", "score", "start", "end", "error", "object"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner, max_size=5),
    max_leaves=12,
)


@pytest.mark.parametrize("task", TASKS, ids=name_of)
@given(content=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_nothing_but_our_errors_escapes(task: Task[Any], content: bytes) -> None:
    with suppress(HfError):
        task.decode(Reply(200, {}, content))


# bad input


def document(boxes: Any) -> Callable[[], Any]:
    return lambda: DocumentQuestionAnswering(PNG, "?", word_boxes=boxes)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VisualQuestionAnswering(PNG, ""), "`question` = '': must not be empty"),
        (lambda: VisualQuestionAnswering(b"", "?"), r"`image` \(bytes\): the data is empty"),
        (lambda: untyped(VisualQuestionAnswering)([PNG], "?"), "got list"),
        (lambda: untyped(VisualQuestionAnswering)(PNG), "`question` is missing"),
        (lambda: VisualQuestionAnswering(PNG, "?", top_k=0), "`top_k` = 0"),
        (lambda: DocumentQuestionAnswering(PNG, "?", max_seq_len=-1), "`max_seq_len` = -1"),
        (lambda: DocumentQuestionAnswering(PNG, "?", lang=""), "`lang` = ''"),
        (document([]), r"`word_boxes` = \[\]: expected"),
        (document("abcd"), "`word_boxes` = 'abcd': expected"),
        (document([["a", [0, 0, 1]]]), r"item 0 must be \[word, \[x0, y0, x1, y1\]\]"),
        (document([["a", [0, 0, 1, 1001]]]), "item 0"),
        (document([["a", [0, 0, 1, float("nan")]]]), "item 0"),
        (document([["a", [0, 0, 1, "1"]]]), "item 0"),
        (document([["a", [0, 0, 1, 1]], [1, [0, 0, 1, 1]]]), "item 1"),
        (document([["a", "0011"]]), "item 0"),
        (document(["a", [0, 0, 1, 1], "b"]), "item 1"),
        (document([7]), "item 0"),
    ],
)
def test_bad_input(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_an_image_that_is_asked_for_as_bytes_is_never_a_body_of_its_own(
    encode: Callable[[Task[Any], Server], Body],
) -> None:
    assert {encode(task, "toolkit").content_type for task in TASKS} == {"application/json"}
