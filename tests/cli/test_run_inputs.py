"""Inputs: texts, files, standard input, tables, media, JSON."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import pytest

from hf_tools.cli import main, reading
from hf_tools.cli.reading import columns
from hf_tools.cli.run import run
from hf_tools.errors import InputError, shown

URL = ["--base-url", "https://server.test"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
SHORT = [{"summary_text": "short"}]
AT = "`@` names a file; write @@ for a text that begins with @"
NO_JSON = "the table begins as JSON, but is none: Expecting value: line 1 column 2 (char 1)"
PLACE = "enclosed in double quotes: line 1 column 2 (char 1)"
QUOTES = "Write JSON in single quotes, or @file.json"
Capture = pytest.CaptureFixture[str]


def ends(argv: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["run", *argv])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"A text\n", "A text"),
        (b"A text\r\n", "A text"),
        (b"two\n\n", "two\n"),
        (b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe", "Grüße"),
    ],
)
def test_a_text_may_be_a_file_or_standard_input(
    data: bytes, text: str, wire: Any, stdin: Any, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    for words in ([f"@{tmp_path / 'a.txt'}"], ["-"], [], ["--text", "-"]):
        stdin(data)
        wire.script = [SHORT]
        assert main(["run", "summarization", *words, *URL]) == 0
        assert wire.body == {"inputs": text}
        assert capsys.readouterr() == ("short\n", "")
        wire.posts.clear()


def test_two_at_signs_are_one(wire: Any) -> None:
    wire.script = [SHORT]
    assert main(["run", "summarization", "@@alice wrote", *URL]) == 0
    assert wire.body == {"inputs": "@alice wrote"}


def test_a_parameter_may_be_a_file_too(wire: Any, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("blurry", "utf-8")
    (tmp_path / "e.json").write_text('{"steps": 2}', "utf-8")
    wire.script = [PNG]
    given = ["--negative-prompt", f"@{tmp_path / 'p.txt'}", "--extra-body", f"@{tmp_path / 'e.json'}"]
    assert main(["run", "text_to_image", "a", *given, *URL, "-o", str(tmp_path / "a.png")]) == 0
    assert wire.body == {"inputs": "a", "parameters": {"negative_prompt": "blurry", "steps": 2}}


def test_standard_input_is_the_one_input_that_is_missing(wire: Any, stdin: Any) -> None:
    stdin(b"Me\n")
    wire.script = [{"answer": "Me", "score": 1.0, "start": 0, "end": 2}]
    assert main(["run", "question_answering", "Who?", *URL]) == 0
    assert wire.body == {"inputs": {"question": "Who?", "context": "Me"}}


def test_lines_are_the_texts_of_a_list(wire: Any, stdin: Any, tmp_path: Path) -> None:
    stdin(b"one\n\n two\r\n")
    (tmp_path / "more.txt").write_text("three\nfour", "utf-8")
    wire.script = [[{"index": 0, "score": 1.0}], [{"index": 0, "score": 1.0}]]
    assert main(["run", "text_ranking", "which", *URL]) == 0
    assert main(["run", "text_ranking", "which", f"@{tmp_path / 'more.txt'}", "@@five", "six\nseven", *URL]) == 0
    bodies = [post["body"] for post in wire.posts]
    assert b'["one"," two"]' in bodies[0]
    assert b'["three","four","@five","six\\nseven"]' in bodies[1]


def test_lines_of_a_file_are_the_labels(wire: Any, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("a, b\n", "utf-8")
    wire.script = [{"labels": ["a, b"], "scores": [1.0]}]
    assert main(["run", "zero_shot_classification", "text", f"@{tmp_path / 'labels.txt'}", *URL]) == 0
    assert wire.body["parameters"] == {"candidate_labels": ["a, b"]}


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["text_ranking", "-", "-"], "`-` stands for standard input, which can be read once"),
        (["summarization", "@no-such-file"], f"cannot read no-such-file: No such file or directory. {AT}"),
        (["summarization", "@a\0b"], f"cannot read a\\x00b: no path. {AT}"),
        (["summarization", "@"], f"cannot read a file without a name: Is a directory. {AT}"),
        (["summarization", "@latin.txt"], "latin.txt is not UTF-8 text"),
        (["summarization", "a", "--generate-parameters", "{a}"],
         f"--generate-parameters = '{{a}}': not JSON: Expecting property name {PLACE}. {QUOTES}"),
        (["summarization", "a", "--generate-parameters", "@no-such-file"],
         f"cannot read no-such-file: No such file or directory. {AT}"),
        (["summarization", "a", "--generate-parameters", "[1]"],
         "summarization: `generate_parameters` = [1]: Input should be a valid dictionary"),
        (["summarization", " "], "summarization: `text` = ' ': must not be empty"),
        (["summarization", "a", "--top-p", "nan"], "summarization: `top_p` = nan: Input should be a finite number"),
        (["image_text_to_image", "-o", "x.png"], "image_text_to_image: give `image`, `prompt` or both"),
        (["tabular_regression", "no.csv"], "cannot read no.csv: No such file or directory"),
        (["tabular_regression", "half.json"], NO_JSON),
    ],
)  # fmt: skip
def test_inputs_that_cannot_be_read(
    argv: list[str], said: str, wire: Any, stdin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("latin.txt").write_bytes(b"Gr\xfc\xdfe")
    Path("half.json").write_text("[", "utf-8")
    stdin(b"text")
    assert main(["run", *argv, *URL]) == 2
    assert capsys.readouterr() == ("", f"error: {said}\n")
    assert wire.posts == []


@pytest.mark.parametrize(
    ("argv", "data", "said"),
    [
        (["summarization"], b"", "TEXT is missing, and standard input is empty"),
        (["summarization"], b" \n", "TEXT is missing, and standard input is empty"),
        (["summarization"], None, "TEXT is missing"),
        (["question_answering"], b"text", "QUESTION and CONTEXT are missing"),
        (["question_answering", "-"], b"text", "CONTEXT is missing"),
    ],
)
def test_standard_input_that_cannot_stand_for_an_input(
    argv: list[str], data: bytes | None, said: str, wire: Any, stdin: Any, capsys: Capture
) -> None:
    stdin(data)
    assert ends([*argv, *URL]) == 2
    assert f": error: {said}\nexample: hf-tools run {argv[0]} " in capsys.readouterr().err
    assert wire.posts == []


def test_without_any_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert ends(["summarization"]) == 2
    assert ": error: TEXT is missing\n" in capsys.readouterr().err


def test_media_are_a_file_or_standard_input_or_a_data_uri(wire: Any, stdin: Any, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    uri = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    for words in ([str(tmp_path / "a.png")], ["-"], [], [uri]):
        stdin(PNG)
        wire.script = [[{"label": "cat", "score": 0.5}]]
        assert main(["run", "image_classification", *words, *URL]) == 0
        assert wire.posts.pop()["body"] == PNG


def test_a_media_file_that_is_not_there(wire: Any, capsys: Capture) -> None:
    assert main(["run", "image_classification", "no.png", *URL]) == 1
    assert capsys.readouterr().err.startswith("error: cannot read the file no.png: No such file or directory")
    assert wire.posts == []


@pytest.mark.parametrize(
    "data",
    [
        b"city,people\nBonn,0.3\nK\xc3\xb6ln,1.1\n",
        b'city;people\n"Bonn";0.3\n\nK\xc3\xb6ln;1.1',
        b"\xef\xbb\xbfcity\tpeople\r\nBonn\t0.3\r\nK\xc3\xb6ln\t1.1\r\n",
        '{"city": ["Bonn", "Köln"], "people": [0.3, 1.1]}'.encode(),
        '\n[{"city": "Bonn", "people": 0.3}, {"city": "Köln", "people": 1.1}]'.encode(),
    ],
)
def test_a_table_is_csv_or_json(data: bytes, wire: Any, stdin: Any, tmp_path: Path) -> None:
    (tmp_path / "table").write_bytes(data)
    for word in (str(tmp_path / "table"), f"@{tmp_path / 'table'}", "-"):
        stdin(data)
        wire.script = [[1, 2]]
        assert main(["run", "tabular_classification", word, *URL]) == 0
        assert wire.body == {"inputs": {"data": {"city": ["Bonn", "Köln"], "people": ["0.3", "1.1"]}}}
        wire.posts.clear()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the table needs a first line that names its columns, each once; it has []"),
        ("a,b,a\n1,2,3", "the table needs a first line that names its columns, each once; it has ['a', 'b', 'a']"),
        ("a,b\n1,2\n3", "row 2 of the table has 1 cells, and its first line names 2"),
        ('a,b\n"1,2', "the table cannot be read as CSV: unexpected end of data"),
    ],
)
def test_tables_that_are_none(text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        columns(text)
    assert refused.value.message == said


def test_an_input_without_end(wire: Any, stdin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_INPUT", 4)
    (tmp_path / "a.txt").write_bytes(b"Longer")
    for word, where in ((f"@{tmp_path / 'a.txt'}", str(tmp_path / "a.txt")), ("-", "standard input")):
        stdin(b"Longer")
        with pytest.raises(InputError) as refused:
            run(["summarization", word, *URL])
        assert refused.value.message == f"{shown(where, 100)} is larger than 4 bytes"
    assert wire.posts == []


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["run", "summarization", "-", *URL]) == 2
    assert capsys.readouterr().err == "error: `-` stands for standard input, which is closed\n"
    assert ends(["summarization", *URL]) == 2
