"""Answers: as text, as JSON, as files."""

from __future__ import annotations

import base64
import io
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from hf_tools.cli import main

URL = ["--base-url", "https://server.test"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
SOUND = b"fLaC" + bytes(20)
BOX = {"xmin": 1, "ymin": 2, "xmax": 30, "ymax": 40}
NOT_SHOWN = "which a terminal cannot show: say with -o FILE where it goes"
Capture = pytest.CaptureFixture[str]


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
def png(tmp_path: Path) -> str:
    path = tmp_path / "in.png"
    path.write_bytes(PNG)
    return str(path)


def ends(argv: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["run", *argv])
    assert isinstance(ended.value.code, int)
    return ended.value.code


TEXTS: list[tuple[list[str], Any, str]] = [
    (["summarization", "a"], [{"summary_text": "short\nand good"}], "short\nand good\n"),
    (["translation", "a"], [{"translation_text": "eins"}], "eins\n"),
    (["translation", "a", "b"], [{"translation_text": "eins"}, {"translation_text": "zwei"}], "eins\nzwei\n"),
    (["question_answering", "Who?", "Me"], {"answer": "Me", "score": 0.9, "start": 0, "end": 2}, "Me\n"),
    (["question_answering", "Who?", "Me", "--top-k", "1"], [{"answer": "Me", "score": 0.9, "start": 0, "end": 2}],
     "0.9000  Me  0-2\n"),
    (["conversational", "a"], {"generated_text": "b"}, "b\n"),
    (["text_generation", "a", "--num-return-sequences", "2"], [{"generated_text": "b"}, {"generated_text": "c"}],
     "b\n\nc\n"),
    (["text_classification", "a"], [{"label": "POSITIVE", "score": 0.99914}, {"label": "NEG", "score": 0.00086}],
     "0.9991  POSITIVE\n0.0009  NEG\n"),
    (["text_classification", "a", "b"], [[{"label": "P", "score": 1}], [{"label": "N", "score": None}]],
     "1.0000  P\n\nnan  N\n"),
    (["token_classification", "a"],
     [{"entity_group": "PER", "score": 0.5, "word": "Wolf\n gang", "start": 11, "end": 19},
      {"entity_group": "LOC", "score": 0.25, "word": "Berlin", "start": None, "end": None}],
     "0.5000  PER  Wolf gang  11-19\n0.2500  LOC  Berlin\n"),
    (["fill_mask", "a"], [{"score": 0.5, "token": 1, "token_str": " sun", "sequence": "the sun"}],
     "0.5000  sun  the sun\n"),
    (["fill_mask", "a"], [[{"score": 0.5, "token": 1, "token_str": x, "sequence": x}] for x in "ab"],
     "0.5000  a  a\n\n0.5000  b  b\n"),
    (["text_ranking", "q", "a", "b", "--return-documents"], [{"index": 1, "score": 0.75}, {"index": 0, "score": -2}],
     "0.7500   1  b\n-2.0000  0  a\n"),
    (["sentence_similarity", "q", "a", "b"], [0.25, None], "0.25\nNaN\n"),
    (["feature_extraction", "a"], [0.5, None], "[0.5, null]\n"),
    (["feature_extraction", "a", "b"], [[0.5, 1.0], [2.0, 3.0]], "[0.5, 1.0]\n[2.0, 3.0]\n"),
    (["object_detection", "IN"], [{"label": "cat", "score": 0.5, "box": BOX}], "0.5000  cat  1,2,30,40\n"),
    (["visual_question_answering", "IN", "q"], [{"answer": "two"}], "two\n"),
    (["visual_question_answering", "IN", "q"], [{"score": 0.5, "answer": "two"}, {"answer": "three"}],
     "0.5000  two\n        three\n"),
    (["automatic_speech_recognition", "IN"], {"text": "Hello there"}, "Hello there\n"),
    (["automatic_speech_recognition", "IN"], {"text": ""}, ""),
    (["automatic_speech_recognition", "IN", "--return-timestamps", "word"],
     {"text": "Hello there", "chunks": [{"text": " Hello", "timestamp": [0, 9.5]},
                                        {"text": "there", "timestamp": [10.25, None]}]},
     "0.00   9.50  Hello\n10.25  -     there\n"),
    (["image_to_text", "IN"], [{"generated_text": "a cat"}], "a cat\n"),
    (["image_segmentation", "IN"], [{"label": "sky", "score": None, "mask": "no base64"}], "sky\n"),
    (["image_classification", "IN"], [], ""),
    (["table_question_answering", "TABLE", "q"], {"answer": "Bonn", "cells": ["Bonn"]}, "Bonn\n"),
    (["tabular_classification", "TABLE"], ["a"], "a\n"),
    (["tabular_regression", "TABLE"], [1.5], "1.5\n"),
    (["depth_estimation", "IN"], {"predicted_depth": [[0.5, None], [1.0, 2.0]]}, "[0.5, null]\n[1.0, 2.0]\n"),
]  # fmt: skip


@pytest.mark.parametrize(("argv", "answer", "printed"), TEXTS)
def test_answers_as_text(
    argv: list[str], answer: Any, printed: str, wire: Any, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "IN").write_bytes(PNG if argv[0] != "automatic_speech_recognition" else SOUND)
    (tmp_path / "TABLE").write_text("city\nBonn\n", "utf-8")
    words = [str(tmp_path / word) if word in ("IN", "TABLE") else word for word in argv]
    wire.script = [answer]
    assert main(["run", *words, *URL]) == 0
    assert capsys.readouterr() == (printed, "")


def test_json_is_the_whole_answer(wire: Any, capsys: Capture) -> None:
    entity = {"entity_group": "PER", "score": None, "word": "Köln\x1b", "start": 1, "end": 5, "more": {"a": [1]}}
    wire.script = [[entity]]
    assert main(["run", "token_classification", "a", "--json", *URL]) == 0
    out = capsys.readouterr().out
    assert json.loads(out) == [{**entity, "entity": None, "index": None}]
    assert '"Köln\\u001b"' in out


def test_json_of_several_masks(wire: Any, capsys: Capture) -> None:
    found = [[{"score": 0.5, "token": 1, "token_str": x, "sequence": x}] for x in "ab"]
    wire.script = [found]
    assert main(["run", "fill_mask", "a", "--json", *URL]) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_json_for_a_stdout_that_is_not_utf_8(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    wire.script = [[{"summary_text": "Gruß 🤗"}]]
    assert main(["run", "summarization", "a", "--json", *URL]) == 0
    out.seek(0)
    assert json.loads(out.read()) == {"summary_text": "Gruß 🤗"}


def test_a_picture_goes_to_its_file(wire: Any, tmp_path: Path, capsys: Capture) -> None:
    for name, data, file in [("a.bin", PNG, "a.bin"), ("b", PNG, "b.png"), ("c", JPEG, "c.jpg")]:
        wire.script = [data]
        assert main(["run", "text_to_image", "a", *URL, "-o", str(tmp_path / name)]) == 0
        assert (tmp_path / file).read_bytes() == data
        out, err = capsys.readouterr()
        kind = "jpeg" if data == JPEG else "png"
        assert (out, err) == ("", f"wrote {tmp_path / file} (image/{kind}, {len(data)} bytes)\n")


@pytest.mark.parametrize("words", [[], ["-o", "-"]])
def test_a_picture_goes_into_a_pipe(words: list[str], wire: Any, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    wire.script = [PNG]
    assert main(["run", "text_to_image", "a", *URL, *words]) == 0
    assert capfdbinary.readouterr() == (PNG, b"")


def test_json_about_a_picture(wire: Any, tmp_path: Path, capsys: Capture) -> None:
    wire.script = [PNG, PNG]
    told = {"type": "image", "mime_type": "image/png", "bytes": len(PNG)}
    assert main(["run", "text_to_image", "a", *URL, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {**told, "base64": coded(PNG)}
    path = str(tmp_path / "a.png")
    assert main(["run", "text_to_image", "a", *URL, "--json", "-o", path]) == 0
    assert json.loads(capsys.readouterr().out) == {**told, "file": path}
    assert Path(path).read_bytes() == PNG


MASKS = [{"label": x, "score": 0.5, "mask": coded(data)} for x, data in [("sky", PNG), ("sea", JPEG)]]


def test_several_masks_get_numbers(wire: Any, png: str, tmp_path: Path, capsys: Capture) -> None:
    wire.script = [MASKS, MASKS, MASKS[:1]]
    assert main(["run", "image_segmentation", png, *URL, "-o", str(tmp_path / "m")]) == 0
    out, err = capsys.readouterr()
    assert out == f"0.5000  sky  {tmp_path / 'm-1.png'}\n0.5000  sea  {tmp_path / 'm-2.jpg'}\n"
    assert err.count("wrote ") == 2
    assert [(tmp_path / name).read_bytes() for name in ("m-1.png", "m-2.jpg")] == [PNG, JPEG]
    assert main(["run", "image_segmentation", png, *URL, "--json", "-o", str(tmp_path / "j.png")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["mask"]["file"] for each in found] == [str(tmp_path / name) for name in ("j-1.png", "j-2.png")]
    assert main(["run", "image_segmentation", png, *URL, "-o", str(tmp_path / "one.png")]) == 0
    assert capsys.readouterr().out == f"0.5000  sky  {tmp_path / 'one.png'}\n"


def test_masks_on_a_terminal(wire: Any, png: str, terminal: Any) -> None:
    wire.script = [MASKS, MASKS]
    screen = terminal()
    assert main(["run", "image_segmentation", png, *URL]) == 0
    assert screen.getvalue() == b"0.5000  sky\n0.5000  sea\n"
    screen = terminal()
    assert main(["run", "image_segmentation", png, *URL, "--json"]) == 0
    about = {"type": "image", "mime_type": "image/png", "bytes": len(PNG)}
    assert json.loads(screen.getvalue())[0] == {"label": "sky", "score": 0.5, "mask": about}


def test_sounds_and_depth(wire: Any, png: str, tmp_path: Path, capsys: Capture) -> None:
    sounds = [{"label": f"voice {n}", "blob": coded(SOUND), "content-type": "audio/flac"} for n in (1, 2)]
    wire.script = [sounds, sounds[:1], sounds[:1], {"depth": coded(PNG)}]
    (tmp_path / "in.flac").write_bytes(SOUND)
    argv = ["run", "audio_to_audio", str(tmp_path / "in.flac"), *URL]
    assert main([*argv, "-o", str(tmp_path / "v.flac")]) == 0
    assert main([*argv, "-o", str(tmp_path / "alone.flac")]) == 0
    files = ["v-1.flac", "v-2.flac", "alone.flac"]
    assert [(tmp_path / name).read_bytes() for name in files] == [SOUND] * 3
    assert capsys.readouterr().out == ""
    assert main([*argv, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["blob"]["base64"] == coded(SOUND)
    assert main(["run", "depth_estimation", png, *URL, "-o", str(tmp_path / "d.png")]) == 0
    assert (tmp_path / "d.png").read_bytes() == PNG


def test_json_of_a_depth_without_a_picture(wire: Any, png: str, capsys: Capture) -> None:
    wire.script = [{"predicted_depth": [[0.5, None]]}]
    assert main(["run", "depth_estimation", png, *URL, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"depth": None, "predicted_depth": [[0.5, None]]}


@pytest.mark.parametrize(
    ("argv", "tty", "said"),
    [
        (["text_to_image", "a"], True, f"the answer is an image, {NOT_SHOWN}"),
        (["text_to_image", "a", "--json"], True, f"the answer is an image, {NOT_SHOWN}"),
        (["text_to_speech", "a"], True, f"the answer is a sound, {NOT_SHOWN}"),
        (["text_to_video", "a"], True, f"the answer is a video, {NOT_SHOWN}"),
        (["text_to_image", "a", "-o", "-"], True, "-o - would write bytes to a terminal: give -o FILE"),
        (["text_to_image", "a", "-o", "-", "--json"], False, "-o - is for one file alone: give -o FILE"),
        (["image_segmentation", "a", "-o", "-"], False, "-o - is for one file alone: give -o FILE"),
        (["audio_to_audio", "a"], False, "the answer may be several files: say with -o FILE where they go"),
        (["text_to_image", "a", "-o", "."], False, "-o '.' is a directory: name a file in it"),
        (["text_to_image", "a", "-o", ""], False, "-o '' is a directory: name a file in it"),
        (["text_to_image", "a", "-o", "no/such/a.png"], False, "-o 'no/such/a.png': there is no directory 'no/such'"),
    ],
)
def test_where_media_cannot_go_is_told_before_anything_is_sent(
    argv: list[str], tty: bool, said: str, wire: Any, terminal: Any, capsys: Capture
) -> None:
    screen = terminal() if tty else io.BytesIO()
    assert ends([*argv, *URL]) == 2
    assert screen.getvalue() == b""
    assert f": error: {said}" in capsys.readouterr().err
    assert wire.posts == []


def test_a_file_that_cannot_be_written(wire: Any, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "link.png").symlink_to(tmp_path / "none" / "a.png")
    wire.script = [PNG]
    assert main(["run", "text_to_image", "a", *URL, "-o", str(tmp_path / "link.png")]) == 1
    assert capsys.readouterr() == ("", f"error: cannot write {tmp_path / 'link.png'}: No such file or directory\n")


@pytest.mark.parametrize(
    ("status", "code"), [(400, 1), (401, 3), (402, 3), (403, 3), (404, 1), (429, 4), (503, 4), (500, 1)]
)
def test_the_exit_code_tells_the_kind_of_error(
    status: int, code: int, wire: Any, monkeypatch: Any, capsys: Capture
) -> None:
    monkeypatch.setattr("hf_tools._http.sync.sleep", list[float]().append)
    wire.script = [httpx.Response(status, json={"error": "no"}) for _ in range(9)]
    assert main(["run", "summarization", "a", *URL]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {status} no")
    assert err.count("\n") == 1
