"""What an agent reads of each answer: exact texts."""

from __future__ import annotations

import math
from typing import Any

import pytest

from hf_tools.catalogue import catalogue
from hf_tools.media import Audio, Image, Media
from hf_tools.media.store import MemoryStore
from hf_tools.tasks.chat import ChatCompletionOutput
from hf_tools.tasks.features import Features
from hf_tools.tasks.text import MaskFills
from langchain_hf_tools._tools.artifacts import Stored
from langchain_hf_tools._tools.content import LIMIT, Words, clean, nearest, noted
from tests.langchain.agents import png, said
from tests.langchain.tool_cases import CASES, FENCE, PICTURE, SOUND, asked, handle, kit, label, only


def written(answer: Any, source: str | None = None) -> str:
    """The text for an answer."""
    stored = Stored(MemoryStore().put)
    return Words(stored, source).write(answer, stored.data(answer))


def test_there_is_a_case_for_each_task() -> None:
    assert sorted(CASES) == sorted(name for name, _ in catalogue())


@pytest.mark.parametrize("task", CASES)
def test_each_task(task: str) -> None:
    case = CASES[task]
    message = asked(only(kit(task, case.answer)), **case.arguments)
    assert (message.status, message.content) == ("success", case.content)


SHAPES: list[tuple[Any, str]] = [
    ("plain", "plain"),
    ("", "The answer is empty."),
    (3, "3"),
    (None, "null"),
    ([], "Nothing was found."),
    ([0.123456, math.nan, 1e-9, 0], "0.12; null; 1e-09; 0"),
    ({"answer": "a", "score": None}, "a"),
    ({"answer": ""}, "The answer is empty."),
    ({"answer": 1}, "1"),
    ({"a": 1.23456, "b": True, "c": [1.23456, None], "d": []}, "a 1.23, b true, c [1.2346, null]"),
    ({"label": "joy", "score": math.nan}, "joy"),
    ([label("joy", "0.5")], "joy unknown"),
    ([["a", "b"], ["c"], "d"], "a, b; c; d"),
    ([[0.5] * 20], "1 lists of numbers: not shown, they are in the artifact."),
    ([["a", *[0.5] * 20]], "a, " + ", ".join(["0.50"] * 15) + ", (5 more)"),
    ({}, "The answer is empty."),
    ({"text": "a", "chunks": "b"}, "a (chunks b)"),
    ({"text": "a", "chunks": [{"text": "b"}]}, 'a (chunks [{"text": "b"}])'),
    ([{"label": "a", "box": {"xmin": 1.5, "ymax": 2}}], "1 found: a [1.50, null, null, 2]"),
    ([{}], "The answer is empty."),
    ([1e200, -12345.678, 1e9], "1e+200; -12345.68; 1e+09"),
    ([0.5] * 20, "; ".join(["0.50"] * 16) + " (4 more, not shown)"),
    ({"cells": list(range(18))}, 'cells [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, "(2 more)"]'),
    ({"depth": [[1.5, 2.0]] * 9}, "depth (9 lists of numbers, not shown)"),
    (MaskFills([["x"], ["y", "z"]]), "x; y, z"),
    (MaskFills([["x", "y"]]), "x; y"),
    (Features([[1.0, 2.0], [3.0]]), "Vectors of the shape [2, None]: not shown, they are in the artifact."),
    ([{"name": "two\nlines  here", "note": "a\tb"}], "two lines here note a b"),
]


@pytest.mark.parametrize(("answer", "text"), SHAPES)
def test_shapes(answer: Any, text: str) -> None:
    assert written(answer) == text


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("", "Nothing was found in the picture."),
        ([], "Nothing was found in the picture."),
        ("a «b» c", FENCE.format("picture", "a ‹b› c")),
        ([{"answer": "a »"}, {"answer": "b", "score": 0.5}], FENCE.format("picture", "a ›; b 0.50")),
        ([label("cat", 0.5)], "cat 0.50"),
    ],
)
def test_what_came_out_of_a_picture(answer: Any, text: str) -> None:
    assert written(answer, "picture") == text


def test_media_among_several() -> None:
    picture = Image(png())
    told = f"{handle(picture.data, 'png')} (image/png, 4×3 px)"
    assert written([picture, Audio(b"RIFF\0\0\0\0WAVE")])[: len(told) + 1] == f"{told};"
    assert written(picture) == f"Made: {handle(picture.data, 'png')} (image/png, 4×3 px, {len(picture.data)} bytes)."


# chats


def chat(**message: Any) -> ChatCompletionOutput:
    body = said("")
    body["choices"][0]["message"].update(message)
    return ChatCompletionOutput.model_validate(body)


def test_a_chat_that_calls_tools_or_is_silent() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": '{"a": "</tool>"}'}}
    assert written(chat(content=None, tool_calls=[call])) == 'look({"a": "< /tool>"})'
    assert written(chat(content=None)) == "The answer is empty."
    assert written(chat(content="Hi"), "picture") == FENCE.format("picture", "Hi")


# speech


def test_times_of_speech() -> None:
    chunks = [
        {"text": " Hello", "timestamp": [0.0, 1.25]}, {"text": " you.", "timestamp": [1.25, None]},
        {"text": " Hm", "timestamp": [None, 61.5]},
    ]  # fmt: skip
    tool = only(kit("automatic_speech_recognition", {"text": "Hello you. Hm", "chunks": chunks}))
    message = asked(tool, **SOUND, return_timestamps=True)
    assert message.content == FENCE.format("sound", "[0.0–1.2 s] Hello\n[from 1.2 s] you.\n[0.0–61.5 s] Hm")


# long ones


def test_a_long_text_goes_to_the_store() -> None:
    text = "word " * 1000
    toolkit = kit("image_to_text", [{"generated_text": text}])
    message = asked(only(toolkit), **PICTURE)
    found = handle(text.encode(), "txt")
    beginning = FENCE.format("picture", text[:1500] + "…")
    assert message.content == f"{beginning} (the first 1,500 of 4,999 characters; the whole text is {found})"
    assert toolkit.store.get(found).data.decode() == text
    assert [each["handle"] for each in message.artifact["media"]] == [found]


def test_a_cut_list_says_how_many_more() -> None:
    labels = [label(f"label {number}", 0.5) for number in range(1000)]
    text = written(labels)
    shown, _, rest = text.rpartition(" (")
    many = len(shown.split("; "))
    assert shown == "; ".join(f"label {number} 0.50" for number in range(many))
    assert 90 < many < 140
    assert rest == f"{1000 - many} more, not shown)"
    assert len(text) < LIMIT


def test_a_first_item_that_is_too_long_is_cut() -> None:
    rest = {"one": "a " * 600, "two": "b " * 600}
    assert written([{"name": "x", **rest}, {"name": "y"}]).endswith(" b b… (1 more, not shown)")
    assert written([{"name": "x", **rest}]).endswith(" b b…")


@pytest.mark.parametrize("answer", ["word " * 2000, ["word " * 3000], [["word"] * 5000], {"a": "word " * 900}])
@pytest.mark.parametrize("source", [None, "picture"])
def test_a_text_is_never_long(answer: Any, source: str | None) -> None:
    assert 0 < len(written(answer, source)) <= LIMIT


def test_more_about_a_text_is_left_out_where_it_is_long() -> None:
    assert written({"answer": "a", "why": "b " * 200}) == "a"


# notes and ranks


def test_notes_are_short_and_keep_the_closing_mark() -> None:
    assert noted("a", []) == "a"
    assert noted("a", ["b.", "c."]) == "a Note: b. Note: c."
    cut = noted(f"From «{'a' * 2500}»", ["b " * 450])
    assert (len(cut), cut.count("»"), cut[-1]) == (LIMIT, 1, "…")
    assert noted("a" * 2100, []) == "a" * 1998 + "…"


def test_notes_leave_room_for_the_handle_of_the_rest() -> None:
    stored = Stored(MemoryStore().put)
    text = noted(Words(stored, "recording").write("word " * 900, "word " * 900), ["x " * 400])
    assert len(text) <= LIMIT
    assert f"the whole text is {stored.refs[0].handle}) Note: x x" in text


def test_the_nearest_texts_come_first() -> None:
    assert nearest([(0.1, 0), (math.nan, 1), (0.9, 2)], ["a", "b", "c" * 90]) == (
        f"3. (0.90) {'c' * 80}; 1. (0.10) a; 2. (unknown) b"
    )


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a\r\nb\tc\x00\x07\x7f\x9b", "a\nb\tc"),
        ("\x1b[31;1mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "red link"),
        ("a\u202eb\u2066c\u200bd\ufeffe\u00adf\u2063g", "abcdefg"),
        ("hid\U000e0068\U000e0069den\U000e0101", "hidden"),
        ("</tool><|im_end|><b><!--x", "< /tool>< |im_end|>< b>< !--x"),
        ("1 < 2 <3", "1 < 2 <3"),
        ("![x](http://a/?q=1) [y](z)", "![x] (http://a/?q=1) [y] (z)"),
        (f"see {'QUJD' * 60}== end", "see (242 characters of data) end"),
        ("half \ud83d of one", "half  of one"),
    ],
)
def test_clean(text: str, plain: str) -> None:
    assert clean(text) == plain


def test_a_medium_is_told_without_its_bytes() -> None:
    data = Media(b"\0\1\2" * 300)
    assert written({"file": data, "n": 1}) == f"file {handle(data.data, 'bin')} (application/octet-stream), n 1"
