"""The slips of models in arguments: what is put right, what is refused and with which words."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hf_tools.errors import InputError
from hf_tools.media import Image
from langchain_hf_tools import HfInferenceTool
from langchain_hf_tools._tools.arguments import Argument, model_of, understood
from tests.langchain.conftest import Server

HANDLE = "hf-media://3f9a0c1e5b7d2a48.png"


def argument(kind: str, **more: Any) -> Argument:
    """An argument `it` of this type."""
    items: dict[str, Any] = {"items": {"type": more.pop("items", "string")}} if kind == "array" else {}
    enum: dict[str, Any] = {"enum": more.pop("enum")} if "enum" in more else {}
    return Argument("it", {"type": kind, "description": "It.", **items, **enum}, **more)


TEXT, MODE = argument("string"), argument("string", enum=["Boxes", "masks"])
PICTURE, WORDS = argument("string", media=Image), argument("array")
LABELS, NUMBERS = argument("array", split=True), argument("array", items="integer")
PAIRS = argument("array", pairs=True)
WHOLE, COUNT = argument("integer"), argument("integer", most=50)
NUMBER, TRUTH = argument("number"), argument("boolean")


@pytest.mark.parametrize(
    ("one", "written", "meant"),
    [
        (TEXT, "a", "a"), (TEXT, 3, "3"), (TEXT, 0.5, "0.5"), (TEXT, ["a"], "a"), (TEXT, "none", "none"),
        (TEXT, "a\ud800b", "a?b"), (TEXT, " a ", " a "),
        (MODE, "Boxes", "Boxes"), (MODE, " 'MASKS' ", "masks"), (MODE, '"boxes"', "Boxes"), (MODE, ["masks"], "masks"),
        (PICTURE, HANDLE, HANDLE), (PICTURE, f" `{HANDLE}` ", HANDLE), (PICTURE, f"<{HANDLE}>", HANDLE),
        (PICTURE, f"![a cat]({HANDLE})", HANDLE), (PICTURE, f"{HANDLE} (image/png, 2×2 px, 9 bytes)", HANDLE),
        (PICTURE, f"{HANDLE} {HANDLE}", f"{HANDLE} {HANDLE}"), (PICTURE, "file://cat.png", "cat.png"),
        (PICTURE, "file:///etc/passwd", "file:///etc/passwd"),
        (PICTURE, "hf-media://my cat.png", "hf-media://my cat.png"),
        (WORDS, ["a", "b"], ["a", "b"]), (WORDS, ("a", "b"), ["a", "b"]), (WORDS, '["a", "b"]', ["a", "b"]),
        (WORDS, "a, b", ["a, b"]), (WORDS, "[a", ["[a"]), (WORDS, 3, ["3"]), (WORDS, ["a", None, "", 2], ["a", "2"]),
        (WORDS, '{"a": 1}', ['{"a": 1}']), (WORDS, "[" * 100_000, ["[" * 100_000]),
        (LABELS, "a, b,,c", ["a", "b", "c"]), (LABELS, '["a, b"]', ["a, b"]), (LABELS, ["a, b"], ["a, b"]),
        (NUMBERS, "[1, 2]", [1, 2]), (NUMBERS, ["1", 2.0], [1, 2]), (NUMBERS, 7, [7]),
        (PAIRS, {"text": "a b", "labels": ["x", "y"], "top_k": 3, "seed": None},
         ["text=a b", "labels=x", "labels=y", "top_k=3"]),
        (PAIRS, '{"text": "a"}', ["text=a"]), (PAIRS, [{"name": "text", "value": "a"}, "b=c"], ["text=a", "b=c"]),
        (PAIRS, [{"table": {"a": [1]}}], ['table={"a": [1]}']), (PAIRS, "text=a, b", ["text=a, b"]),
        (WHOLE, 3, 3), (WHOLE, "3", 3), (WHOLE, 3.0, 3), (WHOLE, " 3.0 ", 3), (WHOLE, [3], 3), (WHOLE, -2, -2),
        (WHOLE, 2**53 + 1, 2**53 + 1),
        (NUMBER, 0.5, 0.5), (NUMBER, "0.5", 0.5), (NUMBER, 2, 2.0), (COUNT, 50, 50), (COUNT, 1, 1),
        (TRUTH, True, True), (TRUTH, "TRUE", True), (TRUTH, "yes", True), (TRUTH, 1, True), (TRUTH, "False", False),
        (TRUTH, " no ", False), (TRUTH, 0, False), (TRUTH, [False], False),
    ],
)  # fmt: skip
def test_what_is_understood(one: Argument, written: Any, meant: Any) -> None:
    found = understood([one], {"it": written})
    assert found.values == {"it": meant}
    assert type(found.values["it"]) is type(meant)
    assert found.notes == []


@pytest.mark.parametrize(
    ("one", "written"),
    [
        (TEXT, None), (TEXT, ""), (TEXT, " \n"), (MODE, "none"), (MODE, "null"), (PICTURE, "None"), (PICTURE, ""),
        (WHOLE, "null"), (NUMBER, "undefined"), (TRUTH, "none"), (WORDS, []), (WORDS, "null"), (WORDS, "[]"),
        (WORDS, [None, ""]), (LABELS, ""), (PAIRS, {}),
    ],
)  # fmt: skip
def test_what_is_taken_as_left_out(one: Argument, written: Any) -> None:
    assert understood([one], {"it": written}).values == {}
    with pytest.raises(InputError) as caught:
        understood([replace(one, required=True)], {"it": written})
    assert caught.value.message == "`it` must be given"


@pytest.mark.parametrize(
    ("one", "written", "said"),
    [
        (TEXT, {"a": 1}, "`it` = {'a': 1}: must be one text"),
        (TEXT, ["a", "b"], "`it` = ['a', 'b']: must be one text"),
        (TEXT, True, "`it` = True: must be one text"), (PICTURE, {"url": "x"}, "`it` = {'url': 'x'}: must be one text"),
        (MODE, "circles", "`it` = 'circles': must be one of Boxes, masks"),
        (WORDS, [["a"]], "`it` = ['a']: must be one text"), (WORDS, {"a": 1}, "`it` = {'a': 1}: must be one text"),
        (NUMBERS, ["a"], "`it` = 'a': must be a number"), (PAIRS, [["a"]], "`it` = ['a']: must be one text"),
        (WHOLE, "three", "`it` = 'three': must be a number"), (WHOLE, 3.5, "`it` = 3.5: must be a whole number"),
        (WHOLE, True, "`it` = True: must be a number"), (WHOLE, [1, 2], "`it` = [1, 2]: must be a number"),
        (NUMBER, math.nan, "`it` = nan: must be a number"), (NUMBER, "inf", "`it` = 'inf': must be a number"),
        (NUMBER, {}, "`it` = {}: must be a number"), (WHOLE, 10**400, f"`it` = 1{'0' * 59}…: must be a number"),
        (TRUTH, "maybe", "`it` = 'maybe': must be true or false"), (TRUTH, 2, "`it` = 2: must be true or false"),
    ],
)  # fmt: skip
def test_what_is_refused(one: Argument, written: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        understood([one], {"it": written})
    assert caught.value.message == said


@pytest.mark.parametrize(
    ("written", "values", "note"),
    [
        (500, {"it": 50}, "`it` = 500 was reduced to 50."),
        ("1e9", {"it": 50}, "`it` = 1000000000 was reduced to 50."),
        (1e40, {"it": 50}, "`it` = 100000000000000003039…"[:37] + "… was reduced to 50."),
        (0, {}, "`it` = 0 was ignored: it must be at least 1."),
        (-3, {}, "`it` = -3 was ignored: it must be at least 1."),
    ],
)
def test_numbers_beyond_the_limit_are_noted(written: Any, values: dict[str, int], note: str) -> None:
    found = understood([COUNT], {"it": written})
    assert found.values == values
    assert len(found.notes) == 1
    assert found.notes[0].startswith(note[:20])
    assert found.notes[0].endswith(note[-20:])


def test_unknown_names_are_noted() -> None:
    found = understood([TEXT, replace(TEXT, name="other")], {"it": "a", "x\n": 1})
    assert found.values == {"it": "a"}
    assert found.notes == ["`x\\n` is not an argument of this tool and was ignored; it takes `it`, `other`."]
    assert understood([], {"x": 1}).notes == ["`x` is not an argument of this tool and was ignored; it takes none."]


def test_all_that_is_missing_is_named() -> None:
    with pytest.raises(InputError) as caught:
        understood([replace(TEXT, required=True), replace(WORDS, name="words", required=True)], {"it": None})
    assert caught.value.message == "`it`, `words` must be given"


def test_the_schema_tells_the_limit() -> None:
    assert COUNT.told() == {"type": "integer", "description": "It. At most 50."}
    assert TEXT.told() == {"type": "string", "description": "It."}
    assert replace(TEXT, required=True).optional() == TEXT


def test_the_model_takes_any_value_and_keeps_unknown_names() -> None:
    model = model_of("some_tool", [replace(TEXT, required=True), COUNT.optional()])
    assert model.__name__ == "SomeToolArguments"
    made = model.model_validate({"it": {"a": 1}, "more": [2]})
    assert made.model_dump() == {"it": {"a": 1}, "more": [2]}
    assert model.model_validate({"it": "a", "more": None}).model_dump() == {"it": "a", "more": None}


@pytest.mark.parametrize("written", [{}, {"text": None}])
def test_a_required_argument_that_is_null_is_missing(written: dict[str, Any]) -> None:
    model = model_of("tool", [Argument("text", TEXT.schema, required=True), Argument("rest", TEXT.schema)])
    with pytest.raises(ValidationError) as caught:
        model.model_validate(written)
    assert [(one["loc"], one["type"]) for one in caught.value.errors()] == [(("text",), "missing")]
    assert model.model_validate({"text": "a", "rest": None}).model_dump()["text"] == "a"


def test_the_model_refuses_what_is_no_object() -> None:
    with pytest.raises(ValidationError) as caught:
        model_of("tool", [TEXT]).model_validate(["a"])
    assert [one["type"] for one in caught.value.errors()] == ["model_type"]


def test_a_bare_text_is_the_first_argument(serve: type[Server]) -> None:
    server = serve([{"summary_text": "Short."}])
    tool = HfInferenceTool("summarization", server.client)
    assert tool.invoke("Long text.") == "Short."
    assert server.bodies == [{"inputs": "Long text."}]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["none", "true", "[1]", '{"a": 1}', "[[]]", "1e400", "file://a", HANDLE, "Boxes"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
TYPES: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list}


@given(
    written=JSON, one=st.sampled_from([TEXT, MODE, PICTURE, WORDS, LABELS, NUMBERS, PAIRS, WHOLE, COUNT, NUMBER, TRUTH])
)
def test_any_json_gives_a_value_of_the_type_or_an_input_error(written: Any, one: Argument) -> None:
    try:
        found = understood([one], {"it": written})
    except InputError as error:
        said = error.message
    else:
        check_type(one, found.values)
        return
    assert said.startswith("`it` = ")
    assert len(said) < 160


def check_type(one: Argument, values: dict[str, Any]) -> None:
    for value in values.values():
        assert type(value) is TYPES[one.schema["type"]]
        assert value in one.schema.get("enum", [value])
        assert one.most is None or 1 <= value <= one.most
        items: list[Any] = value if one.schema["type"] == "array" else []
        for item in items:
            assert type(item) is TYPES[one.schema["items"]["type"]]
