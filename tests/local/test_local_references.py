"""Files, URLs and handles that a message names, and the arguments and tools that take them. No engine runs."""

from __future__ import annotations

from typing import Any

import pytest

from hf_tools.local.copying import entries, phrases
from hf_tools.local.references import explained, kind, references, takes_names, without
from hf_tools.local.schemas import tied
from hf_tools.local.tools import Function

TEXT: dict[str, Any] = {"type": "string"}
HANDLE: dict[str, Any] = {"type": "string", "description": "Handle of the picture."}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("What is in photo.png?", ["photo.png"]),
        ("Compare a.csv, b.csv and (c.CSV).", ["a.csv", "b.csv", "c.CSV"]),
        ("Listen to 'call 12.mp3' and call.mp3", ["call 12.mp3", "call.mp3"]),
        ("Open https://example.com/docs?page=2.", ["https://example.com/docs?page=2"]),
        ("See hf-media://0123456789abcdef.png!", ["hf-media://0123456789abcdef.png"]),
        ("Remove /home/me/old and ~/new, then ./x/y.txt", ["/home/me/old", "~/new", "./x/y.txt"]),
        ("clip.3gp's length", ["clip.3gp"]),
        ("Mail eve@site.net at 3.5 km, e.g. on 12.May", []),
        ("yes and/or no. The end", []),
    ],
)
def test_names_in_a_message(text: str, named: list[str]) -> None:
    assert references(text) == named


def test_names_are_taken_out_the_longest_first() -> None:
    assert without("a.txt and aa.txt", ["a.txt", "aa.txt"]).split() == ["and"]


def test_endings_tell_the_kind_of_a_file() -> None:
    assert [kind(name) for name in ("a.JPG", "b.opus", "c.mov", "d.csv", "e.md", "f.xyz", "g")] == [
        "picture", "recording", "film", "table", "document", None, None,
    ]  # fmt: skip
    assert explained("Read a.png and b.xyz") == "Read a.png and b.xyz (a.png: a picture)"
    assert explained("Hello") == "Hello"


def test_arguments_say_that_they_take_names() -> None:
    assert takes_names("image", HANDLE)
    assert takes_names("file_name", {})
    assert takes_names("link", {"description": 3})
    assert not takes_names("content", {"description": "What to write to the file."})


def schema(required: list[str], /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


def test_an_argument_for_names_gets_a_name_of_the_message_whole() -> None:
    found = tied(schema(["image", "question"], image=HANDLE, question=TEXT), "Who is on photo.png?")["properties"]
    assert found["image"] == {"enum": ["photo.png"]}
    assert found["question"] == {"enum": phrases("Who is on photo.png?")}
    assert "Who" in tied(schema(["image"], image=HANDLE), "Who is it?")["properties"]["image"]["enum"]


def test_an_optional_argument_for_names_is_filled_where_there_is_one_for_it() -> None:
    fields = schema(["query"], query=TEXT, source=HANDLE)
    found = tied(fields, "Find tea in stock.csv")
    assert found["required"] == ["query", "source"]
    assert found["properties"]["source"] == {"enum": ["stock.csv"]}
    assert [*tied(fields, "Find tea")["properties"]] == ["query"]
    two = schema(["image"], image=HANDLE, mask=HANDLE)
    assert [*tied(two, "Crop a.png")["properties"]] == ["image"]
    assert tied(two, "Crop a.png with b.png")["required"] == ["image", "mask"]


def test_of_several_optional_ones_none_is_sure_where_names_are_few() -> None:
    found = tied(schema([], one=HANDLE, two=HANDLE), "Look at a.png")
    assert [*found["properties"]] == ["one", "two"]
    assert found["required"] == []


def test_digits_in_a_name_are_no_numbers() -> None:
    fields = schema(["image", "degrees"], image=HANDLE, degrees={"type": "integer"})
    assert tied(fields, "Rotate photo2.png by 90")["properties"]["degrees"] == {"enum": [90]}
    assert tied(fields, "Rotate img-2024.png by 90")["properties"]["degrees"] == {"enum": [90]}


def test_lists_hold_no_pieces_of_a_quotation() -> None:
    text = "Is 'the soup was cold' about food or service?"
    held = tied(schema(["labels"], labels={"type": "array", "items": TEXT}), text)["properties"]["labels"]["items"]
    assert {"the soup was cold", "food", "service"} <= {*held["enum"]}
    assert not {"soup", "cold"} & {*held["enum"]}
    assert held["enum"] == entries(text)
    fixed = {"type": "array", "items": {"enum": ["soup", "tea"]}}
    assert tied(schema(["a"], a=fixed), text)["properties"]["a"]["items"] == {"enum": ["soup"]}
    assert tied(schema(["a"], a={"type": "array", "items": TEXT}), "")["properties"]["a"]["items"]["type"] == "string"


def test_words_that_ask_are_no_values() -> None:
    assert "which" not in phrases("Tell me which of these")
    assert "which of these" in phrases("Tell me which of these")


def test_a_tool_suits_files_of_its_kind_if_it_takes_names() -> None:
    look = Function("look", "Reads the text in a picture.", schema(["image"], image=HANDLE))
    assert look.suits(["a.jpg", "b.xyz"])
    assert not look.suits(["a.mp3"])
    assert not look.suits([])
    assert not Function("look", "Reads the text in a picture.", schema(["a"], a=TEXT)).suits(["a.jpg"])
