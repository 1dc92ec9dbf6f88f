"""The demonstration as a user runs it, on the real models of the embedded backend."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hf_tools import HfInference, demo, local
from hf_tools.cli import main
from hf_tools.local.weights import PULL_COMMAND

ROOT = Path(__file__).parent.parent.parent
VOICE = ROOT / "hf_tools" / "demo_files" / "voicemail.ogg"
MUSEUM = """The harbour museum shows ships, ropes and charts from three centuries.

It opens at nine in the morning from Tuesday to Sunday. It is closed on Mondays.

A ticket costs 12 euros; children under 14 go in for 5 euros. The café sells pea soup.
"""
STEP = re.compile(r"^   (call|result|failed|stopped|answer) +(\S.*(?:\n {11}.*)*)", re.MULTILINE)
RELIABLE = {0: "roses", 1: "781.50", 2: "tea", 4: "delivery"}
"""What answers of the model hold, by question: they are the same at temperature 0. That about the README is not among
them: a model of this size says something else after each edit of it, so only what the tool finds there is checked."""
Capture = pytest.CaptureFixture[str]
Steps = list[tuple[str, str]]


@pytest.fixture(scope="module", autouse=True)
def engines() -> Iterator[None]:
    """One client for all tests, which keeps the engines running for the demonstration's own."""
    with HfInference(provider="local") as client:
        client.chat_completion([{"role": "user", "content": "Hello"}], max_tokens=1)
        yield


def sections(out: str) -> dict[str, Steps]:
    """The steps of each question, every text on one line, with the time that it must end with taken off."""
    found: dict[str, Steps] = {}
    for part in out.split("\n\n")[2:-1]:
        title, _, body = part.partition("\n   ")
        steps = [(mark, " ".join(text.split())) for mark, text in STEP.findall(f"   {body}")]
        assert all(re.search(r"\[\d+\.\d s\]$", text) for _, text in steps)
        found[" ".join(title.split())] = [(mark, re.sub(r" \[\d+\.\d s\]$", "", text)) for mark, text in steps]
    return found


def test_every_question_is_answered_by_the_right_tool(capsys: Capture) -> None:
    assert main(["demo"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.endswith(f"\n{demo.REMOTE}")
    assert {local.CHAT_MODEL, local.SPEECH_MODEL, local.OCR_MODEL, local.EMBEDDING_MODEL} <= {*out.split()}
    found = sections(out)
    assert [*found] == [*demo.QUESTIONS]
    assert [[mark for mark, _ in steps] for steps in found.values()] == [["call", "result", "answer"]] * 5
    calls, results, answers = ([text for _, text in column] for column in zip(*found.values(), strict=True))
    assert calls[:2] == ['hf_transcribe_audio(audio="voicemail.ogg")', 'hf_describe_image(image="invoice.png")']
    assert calls[2].startswith("hf_search_texts(query=")
    assert calls[2].endswith('source="stock.csv")')
    assert calls[3].endswith('source="README.md")')
    assert calls[4].endswith('late and the box was torn.", labels=["delivery", "price", "taste"])')
    assert "12 red roses is ready. Please pick it up before 6 o'clock on Friday" in results[0]
    assert "Total due: $781.50" in results[1]
    assert re.search(r"first \(untrusted.*?\): 2\. \(0\.\d+\) product: Green tea 500 g; country: Japan", results[2])
    assert "StreamInterrupted" in results[3]
    assert results[4].startswith("delivery 0.9")
    assert all(answers)
    assert [word for place, word in RELIABLE.items() if word not in answers[place]] == []


def test_the_users_question_and_files_in_a_terminal_without_utf8(tmp_path: Path) -> None:
    museum = tmp_path / "the café.txt"
    museum.write_text(MUSEUM, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "hf_tools", "demo", "--ask", "On which day is the museum closed?", "--file", museum],
        capture_output=True, text=True, check=False, cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    ((title, steps),) = sections(done.stdout).items()
    assert title == 'On which day is the museum closed? ("the caf?.txt")'
    assert [mark for mark, _ in steps] == ["call", "result", "answer"]
    assert steps[0][1].endswith('source="the caf?.txt")')
    assert "It is closed on Mondays." in steps[1][1]


def test_files_without_a_question_are_each_asked_about(tmp_path: Path, capsys: Capture) -> None:
    sound, table = tmp_path / "for me.ogg", tmp_path / "prices.csv"
    sound.write_bytes(VOICE.read_bytes())
    table.write_text("thing,price\nlamp,12\ntable,90\n")
    assert main(["demo", "--file", str(sound), "--file", str(table)]) == 0
    said, searched = sections(capsys.readouterr().out).values()
    assert said[0] == ("call", 'hf_transcribe_audio(audio="for me.ogg")')
    assert "flower shop" in said[1][1].lower()
    assert searched[0][1].endswith('source="prices.csv")')
    assert "thing: lamp; price: 12" in searched[1][1]


def in_a_new_process(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the demonstration after this code; here the engines are running already."""
    program = f"import sys; {code}; from hf_tools.cli import main; sys.exit(main(['demo']))"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT,
        env=os.environ | environment,
    )  # fmt: skip


def test_missing_weights_name_the_command(tmp_path: Path) -> None:
    done = in_a_new_process("pass", HF_TOOLS_CACHE=str(tmp_path), HF_TOOLS_LOCAL_SMOLLM2="")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert f"`{PULL_COMMAND}`" in done.stderr


def test_a_missing_extra_is_named() -> None:
    done = in_a_new_process("sys.modules['xllamacpp'] = None")
    assert done.returncode == 1
    assert "pip install 'hf-tools[local]'" in done.stderr
