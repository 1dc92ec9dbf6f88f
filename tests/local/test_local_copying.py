"""What arguments may be copied from a message, and schemas that are narrowed to it. No engine runs."""

from __future__ import annotations

from typing import Any

import pytest

from hf_tools.local.copying import numbers, phrases, said, words_of
from hf_tools.local.schemas import LONGEST_TEXT, MOST_ITEMS, base, bounded, runs_on, signature, tied

TEXT: dict[str, Any] = {"type": "string"}
WHOLE: dict[str, Any] = {"type": "integer"}
NUMBER: dict[str, Any] = {"type": "number"}


def schema(required: list[str] | None = None, /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties] if required is None else required}


def test_phrases_are_runs_of_words_without_marks_and_small_words_at_their_ends() -> None:
    assert phrases("Turn on the light!") == ["Turn", "Turn on the light", "light"]
    assert "notes.txt" in phrases("Show me the contents of notes.txt.")
    assert "San Francisco, CA" in phrases("What is the weather in San Francisco, CA?")
    assert "Apple" in phrases("What is Apple's price?")
    assert phrases("") == []
    assert phrases("...") == []


def test_quoted_phrases_come_first_as_they_are() -> None:
    assert phrases("Translate 'the end of it' into Dutch")[0] == "the end of it"
    assert phrases('Say "to be or not to be" in French')[0] == "to be or not to be"
    assert phrases("Run `print(1)` now")[0] == "print(1)"


def test_a_phrase_to_the_end_of_its_sentence_may_be_long() -> None:
    told = " ".join(f"word{place}" for place in range(30))
    found = phrases(f"Write to Bob: {told}. Thanks")
    assert told in found
    assert " ".join(told.split()[:13]) not in found


def test_phrases_of_long_messages_are_shorter_and_of_the_longest_there_are_none() -> None:
    many = [f"w{place}" for place in range(400)]
    assert max(len(phrase.split()) for phrase in phrases(" ".join(many[:200]))) == 60
    assert " ".join(many[:5]) in phrases(" ".join(many[:200]))
    assert " ".join(many[:6]) not in phrases(" ".join(many[:200]))
    assert phrases(" ".join(many)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is 12 plus 30?", [12, 30]),
        ("-5 and 2.50, then 1,234 and 1,234,567.5", [-5, 2.5, 1234, 1234567.5]),
        ("Order A-77 of 2026-05-03 at 3pm", [77, 2026, 5, 3]),
        ("magic_function(3) or f(-4)", [3, -4]),
        ("ten minutes, twenty-five seconds, two hours", [10, 25, 2]),
        ("twenty of the five", [20, 5]),
        ("12 and 12.0 and 012", [12]),
        ("card 4111111111111111222", []),
        ("no number; someone often", []),
    ],
)
def test_numbers_in_digits_and_words(text: str, expected: list[float]) -> None:
    assert numbers(text) == expected


def test_said_means_whole_words_in_any_case() -> None:
    assert said("fahrenheit", "In Fahrenheit, please")
    assert said("next_week", "some time next week")
    assert not said("art", "a party")
    assert not said("on", "on Monday")
    assert not said("", "anything")
    assert not said(3, "3")


def test_words_of_names() -> None:
    assert words_of("maxPrice") == words_of("max_price") == {"max", "price"}
    assert words_of("a1") == frozenset()


def test_open_values_may_only_be_chosen_from_the_message() -> None:
    found = tied(schema(a=WHOLE, b=NUMBER, city=TEXT), "Add 1 and 2.5 in Paris")
    assert found["properties"]["a"] == {"enum": [1]}
    assert found["properties"]["b"] == {"enum": [1, 2.5]}
    assert found["properties"]["city"] == {"enum": phrases("Add 1 and 2.5 in Paris")}


def test_limits_of_the_schema_hold_for_what_is_copied() -> None:
    fields = schema(
        code={"type": "string", "pattern": "^[A-Z]{2}\\d+$"},
        short={"type": "string", "minLength": 2, "maxLength": 6},
        percent={"type": "integer", "minimum": 0, "maximum": 100},
        above={"type": "number", "exclusiveMinimum": 50, "exclusiveMaximum": 400, "multipleOf": 10},
    )
    found = tied(fields, "Parcel DE4411: 50 or 300")["properties"]
    assert found["code"] == {"enum": ["DE4411"]}
    assert found["short"] == {"enum": ["Parcel", "DE4411", "50", "300"]}
    assert found["percent"] == {"enum": [50]}
    assert found["above"] == {"enum": [300]}


def test_what_the_message_has_nothing_for_stays_open_but_bounded() -> None:
    odd = {"type": "string", "pattern": "("}
    date = {"type": "string", "format": "date"}
    fixed = {"const": "x", "type": "string"}
    fields = schema(a=WHOLE, b=TEXT, odd=odd, date=date, fixed=fixed, free={"type": "array", "items": {}})
    found = tied(fields, "")["properties"]
    assert found["a"] == WHOLE
    assert found["b"] == {"type": "string", "maxLength": LONGEST_TEXT + 1}
    assert (found["odd"], found["date"], found["fixed"]) == (odd, date, fixed)
    assert found["free"] == {"type": "array", "items": {}, "maxItems": MOST_ITEMS + 1}
    for pattern in ("(", "a{99999999999999999999}"):
        odd = {"type": "string", "pattern": pattern}
        assert tied(schema(odd=odd), "hello there")["properties"]["odd"] == odd


def test_choices_are_narrowed_to_those_that_are_said() -> None:
    unit = {"type": "string", "enum": ["celsius", "fahrenheit"]}
    assert tied(schema(unit=unit), "in Fahrenheit please")["properties"]["unit"]["enum"] == ["fahrenheit"]
    assert tied(schema(unit=unit), "hello")["properties"]["unit"] == unit
    assert tied(schema(level={"enum": [1, 2]}), "level 2")["properties"]["level"] == {"enum": [1, 2]}


def test_optional_properties_are_kept_where_the_message_speaks_of_them() -> None:
    fields = schema(
        ["query"],
        query=TEXT,
        limit={"type": "integer", "default": 10},
        unit={"anyOf": [{"enum": ["km", "mile"]}, {"type": "null"}]},
        extra_cheese={"type": "boolean"},
        language={"anyOf": [TEXT, {"type": "null"}]},
    )
    assert [*tied(fields, "Find solar energy")["properties"]] == ["query"]
    assert [*tied(fields, "Find 5 of them")["properties"]] == ["query", "limit"]
    assert [*tied(fields, "one mile, with cheese, language German")["properties"]] == [*fields["properties"]]


def test_a_number_for_each_required_one_comes_before_the_optional_ones() -> None:
    fields = schema(["a"], a=WHOLE, digits=WHOLE)
    assert [*tied(fields, "Round 7")["properties"]] == ["a"]
    assert [*tied(fields, "Round 7 to 2")["properties"]] == ["a", "digits"]


def test_texts_stay_where_nothing_is_required() -> None:
    assert [*tied(schema([], query=TEXT, limit=WHOLE), "What is love?")["properties"]] == ["query"]
    assert tied(schema([], limit=WHOLE), "What is love?")["properties"] == {}


def test_schemas_inside_schemas_are_found_by_keyword_and_names_are_left_alone() -> None:
    inner = schema(type=TEXT, items=TEXT, enum=WHOLE)
    whole = {"$defs": {"Inner": inner}, **schema(one={"$ref": "#/$defs/Inner"}, many={"type": "array", "items": inner})}
    found = tied(whole, "Paris 3")
    for part in (found["$defs"]["Inner"], found["properties"]["many"]["items"]):
        assert part["properties"]["type"] == {"enum": ["Paris", "Paris 3", "3"]}
        assert part["properties"]["items"] == {"enum": ["Paris", "Paris 3", "3"]}
        assert part["properties"]["enum"] == {"enum": [3]}
    assert found["properties"]["one"] == {"$ref": "#/$defs/Inner"}
    assert inner["properties"]["type"] == TEXT


def test_kinds_in_a_list_are_apart() -> None:
    found = tied(schema(a={"type": ["string", "null"], "description": "x"}), "Rome")["properties"]["a"]
    assert found == {"anyOf": [{"enum": ["Rome"]}, {"type": "null", "description": "x"}]}


def test_bounded_limits_what_has_no_limit() -> None:
    fields = schema(
        a=TEXT,
        b={"type": "string", "maxLength": 9},
        c={"type": "array", "items": TEXT, "minItems": 20},
        d={"enum": [1]},
    )
    found = bounded(fields)["properties"]
    assert found["a"] == {"type": "string", "maxLength": 200}
    assert found["b"]["maxLength"] == 9
    assert found["c"] == {
        "type": "array",
        "items": {"type": "string", "maxLength": 200},
        "minItems": 20,
        "maxItems": 20,
    }
    assert found["d"] == {"enum": [1]}


def test_what_reaches_the_limit_ran_on_unless_it_is_a_copy() -> None:
    long = "x" * (LONGEST_TEXT + 1)
    assert runs_on({"a": [{"b": long}]}, "")
    assert not runs_on({"a": long}, f"say {long}")
    assert not runs_on({"a": long + "x", "b": 3, "c": [None] * MOST_ITEMS}, "")
    assert runs_on({"a": [0] * (MOST_ITEMS + 1)}, "")


def test_base_follows_references_and_leaves_null_aside() -> None:
    root = {
        "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/B"}, {"type": "null"}]}, "B": WHOLE, "C": {"$ref": "#/$defs/C"}}
    }
    assert base({"$ref": "#/$defs/A"}, root) == WHOLE
    assert base({"anyOf": [WHOLE, TEXT]}, root) == {"anyOf": [WHOLE, TEXT]}
    assert base({"$ref": "#"}, {"type": "object"}) == {"type": "object"}
    assert base({"$ref": "#/$defs/C"}, root) == base({"$ref": "#/no"}, root) == base(True, root) == {}


def test_a_signature_names_kind_and_description() -> None:
    root: dict[str, Any] = schema(
        a={"type": "integer", "description": "how\n many"},
        unit={"enum": ["c", "f"]},
        tags={"type": "array", "items": TEXT},
        user={"$ref": "#/$defs/User"},
        any={},
    )
    root["$defs"] = {"User": schema(name=TEXT, friend={"$ref": "#/$defs/User"})}
    assert signature(root, root).splitlines() == [
        "- a (integer): how many",
        "- unit (c or f)",
        "- tags (list of string)",
        "- user (object of name string, friend object of name string, friend object)",
        "- any (value)",
    ]
