"""The demonstration, on the real models of the embedded backend."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hf_tools import HfInference, demo, local
from hf_tools.cli import main
from hf_tools.errors import InputError
from hf_tools.local.weights import PULL_COMMAND

ROOT = Path(__file__).parent.parent.parent
MUSEUM = """# The harbour museum

The museum shows ships, ropes and charts from three centuries. It was built in 1904 by a fisherman's daughter, who had
made a fortune with smoked herring and gave all of it to the town. The tower is older: until 1871 it was a lighthouse.

## Hours

It opens at nine in the morning from Tuesday to Sunday, and it closes at five. It is closed on Mondays. In the summer
holidays a boat leaves from its quay every hour and takes visitors around the island, if the wind allows it.

## Visitors

A ticket costs 12 euros; children under 14 go in for 5 euros, and school classes pay nothing. Dogs are not allowed
inside, but there is a place in the yard where they are looked after. The café on the first floor sells pea soup. The
lift is wide enough for a wheelchair, and it goes to every floor but the tower's.
"""
TIME = re.compile(r"^   \[\d+\.\d\d s\] (.*)", re.MULTILINE)
PASSAGE = re.compile(r"^   (-?\d\.\d\d)  (\S.*(?:\n {9}.*)*)", re.MULTILINE)
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def hf() -> Iterator[HfInference]:
    """One client for all tests, which keeps the engines running for the demonstration's own."""
    with HfInference(provider="local") as client:
        yield client


@pytest.fixture
def museum(tmp_path: Path) -> Path:
    path = tmp_path / "museum.txt"
    path.write_text(MUSEUM, "utf-8")
    return path


def sections(out: str) -> dict[str, str]:
    """The parts of the output by their titles."""
    parts = [part.partition("\n") for part in out.split("\n\n")]
    return {title: body for title, _, body in parts}


def flat(text: str) -> str:
    return " ".join(text.split())


def check_retrieval(section: str, text: str) -> list[str]:
    """What a retrieval section must hold; returns the passages."""
    found = PASSAGE.findall(section)
    scores = [float(score) for score, _ in found]
    assert scores == sorted(scores, reverse=True)
    assert 0 < len(found) <= demo.NEAREST
    passages = [flat(passage) for _, passage in found]
    assert [passage for passage in passages if passage not in flat(text)] == []
    (nearest,) = re.findall(r"Nearest sentence:  (.*)\n(?=   In)", flat_lines(section))
    assert any(nearest in passage for passage in passages)
    assert re.search(r"In the chat model's words:  \S", section)
    assert [about.split(" ")[0].isdecimal() for about in TIME.findall(section)] == [True, True]
    return passages


def flat_lines(section: str) -> str:
    """Continued lines joined to the line that they continue."""
    return re.sub(r"\n {9}", " ", section)


@pytest.mark.usefixtures("hf")
def test_everything_in_order_and_with_its_time(museum: Path, capsys: Capture) -> None:
    assert main(["demo", "--file", str(museum)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert max(map(len, out.splitlines())) <= 100
    head, *rest = sections(out).items()
    assert local.CHAT_MODEL in head[1]
    assert local.EMBEDDING_MODEL in head[1]
    assert [title.split(":")[0] for title, _ in rest] == [
        "Chat, streamed",
        "Answer from museum.txt",
        "Zero-shot classification",
        "Ranking",
        "A LangChain tool",
    ]
    assert all(TIME.search(body) for title, body in rest if not title.startswith("A LangChain"))
    check_retrieval(rest[1][1], MUSEUM)


def test_labels_and_ranking_are_sorted_and_whole(hf: HfInference, capsys: Capture) -> None:
    demo.classification(hf)
    demo.ranking(hf)
    found = sections(capsys.readouterr().out.strip("\n"))
    for body, expected in zip(found.values(), (demo.LABELS, demo.TEXTS), strict=True):
        items = PASSAGE.findall(body)
        assert sorted(text for _, text in items) == sorted(expected)
        assert [float(score) for score, _ in items] == sorted((float(score) for score, _ in items), reverse=True)
    labels, ranked = (PASSAGE.findall(body) for body in found.values())
    assert labels[0][1] == "delivery"
    assert "ground beans" in ranked[0][1]


def test_the_users_question_and_file_in_a_terminal_without_utf8(museum: Path) -> None:
    question = "On which day is the café’s museum closed?"
    done = subprocess.run(
        [sys.executable, "-m", "hf_tools", "demo", "--ask", question, "--file", str(museum)],
        capture_output=True, text=True, check=False, cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    shown = question.encode("ascii", "replace").decode()
    found = sections(done.stdout)
    assert [*found][1:] == [f"Chat, streamed: {shown}", f"Answer from museum.txt: {shown}"]
    passages = check_retrieval(found[f"Answer from museum.txt: {shown}"], MUSEUM.replace("é", "?"))
    assert "closed on Mondays" in " ".join(passages)


@pytest.mark.usefixtures("hf")
def test_a_question_is_answered_from_the_readme(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(demo, "ANSWER_TOKENS", 10)
    question = "Which framework are the tools for?"
    assert main(["demo", "--ask", question]) == 0
    found = sections(capsys.readouterr().out)
    assert [*found][1:] == [f"Chat, streamed: {question}", f"Answer from README.md: {question}"]
    check_retrieval(found[f"Answer from README.md: {question}"], (ROOT / "README.md").read_text("utf-8"))


def test_the_chat_answer_streams(hf: HfInference, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    pieces: list[str] = []

    def add(_: demo.Flow, text: str) -> None:
        pieces.append(text)

    monkeypatch.setattr(demo.Flow, "add", add)
    demo.chat(hf, "What is the capital of France?")
    assert len([piece for piece in pieces if piece]) > 3
    assert "Paris" in "".join(pieces)
    assert re.search(r"\] [1-9]\d* tokens; \d+\.\d\d s to the first", capsys.readouterr().out)


def test_an_answer_that_was_cut_says_so(hf: HfInference, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(demo, "ANSWER_TOKENS", 3)
    demo.chat(hf, "Tell me a long story.")
    assert "] 3 tokens, cut at the limit; " in capsys.readouterr().out


def test_a_long_file_is_embedded_in_batches(hf: HfInference, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(demo, "BATCH", 2)
    demo.retrieval(hf, "How much does a child pay?", "museum.txt", MUSEUM)
    section = capsys.readouterr().out.lstrip("\n").partition("\n")[2]
    assert "children under 14" in check_retrieval(section, MUSEUM)[0]
    assert f"] {len(demo.passages(MUSEUM))} passages embedded" in section
    assert len(demo.passages(MUSEUM)) > 2


def test_a_short_text_is_one_passage(hf: HfInference, capsys: Capture) -> None:
    demo.retrieval(hf, "What grows here?", "note", "Only moss grows here.")
    out = capsys.readouterr().out
    assert "1 passage embedded and compared" in out
    assert "1 sentence ranked, the best 1 told" in out


def test_a_text_without_sentences_is_told_as_it_is(hf: HfInference, capsys: Capture) -> None:
    demo.retrieval(hf, "What is x?", "note", "```\nx = 1\n```")
    assert "Nearest sentence:  ``` x = 1 ```" in capsys.readouterr().out


def test_a_tool_is_run_through_its_schema(hf: HfInference, capsys: Capture) -> None:
    demo.tool(hf)
    out = flat_lines(capsys.readouterr().out)
    assert re.search(r"^   candidate_labels  \{.*\}$", out, re.MULTILINE)
    assert re.search(r"^   text  \{.*\"type\": \"string\".*\}$", out, re.MULTILINE)
    assert re.search(r"^   answers  .*delivery", out, re.MULTILINE)
    assert TIME.search(out)


def test_without_langchain_the_tool_says_how_to_get_it(
    hf: HfInference, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, "langchain_hf_tools", None)
    demo.tool(hf)
    assert "pip install 'hf-tools[langchain]'" in capsys.readouterr().out


def in_a_new_process(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the demonstration after this code; here the engines may be running already."""
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


@pytest.mark.parametrize("content", [None, b"", b" \n", b"PK\0\x03", b"x" * (demo.LIMIT + 1)])
def test_a_file_that_is_no_text_is_refused(content: bytes | None, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "given.txt"
    if content is not None:
        path.write_bytes(content)
    assert main(["demo", "--file", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: --file: ")
    assert "'given.txt'" in err
    assert str(tmp_path) not in err


def test_an_empty_question_is_refused(capsys: Capture) -> None:
    assert main(["demo", "--ask", " "]) == 2
    assert "--ask" in capsys.readouterr().err


def test_any_bytes_without_a_null_are_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "latin1.txt"
    path.write_bytes(b"\xef\xbb\xbfcaf\xe9")
    assert demo.read(path) == ("latin1.txt", "caf\ufffd")


def test_the_readme_of_the_checkout() -> None:
    assert demo.read(None) == ("README.md", (ROOT / "README.md").read_text("utf-8"))


@pytest.mark.parametrize("beside", [[], ["README.md"]])
def test_the_readme_of_an_installed_package(beside: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in beside:  # some other package's, not ours: there is no pyproject.toml
        (tmp_path / name).write_text("other")
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "hf_tools" / "demo.py"))
    assert demo.readme().startswith("# hf-tools")


@pytest.mark.parametrize("reason", ["no package", "no description"])
def test_no_readme_anywhere(reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def metadata(name: str) -> Any:
        if reason == "no package":
            raise importlib.metadata.PackageNotFoundError(name)
        return type("Metadata", (), {"json": {"name": name}})

    monkeypatch.setattr(demo, "__file__", str(tmp_path / "hf_tools" / "demo.py"))
    monkeypatch.setattr(importlib.metadata, "metadata", metadata)
    with pytest.raises(InputError, match="--file"):
        demo.readme()


MARKDOWN = """Before.
# One

Text.
More.
## Two
- an item
  of two lines
- another. It has two sentences.

### Code
```python
# no heading

x = 1
```
| a | b |
1. first
"""


def test_passages_hold_the_whole_text_in_order() -> None:
    for text in (MUSEUM, MARKDOWN, (ROOT / "README.md").read_text("utf-8"), Path(__file__).read_text("utf-8")):
        found = demo.passages(text)
        assert flat(" ".join(found)) == flat(text)
        assert max(map(len, found)) <= 3 * demo.PASSAGE


def test_blocks_are_the_parts_of_markdown() -> None:
    assert list(demo.blocks(MARKDOWN)) == [
        "Before.",
        "# One",
        "Text. More.",
        "## Two",
        "- an item of two lines",
        "- another. It has two sentences.",
        "### Code",
        "```python # no heading x = 1 ```",
        "| a | b |",
        "1. first",
    ]


def test_a_heading_begins_a_passage_and_keeps_its_text() -> None:
    assert demo.passages(MARKDOWN) == [
        "Before.",
        "# One\nText. More.",
        "## Two\n- an item of two lines\n- another. It has two sentences.",
        "### Code\n```python # no heading x = 1 ```\n| a | b |\n1. first",
    ]
    long = "word " * 79
    assert demo.passages(f"# One\n## Two\n{long}") == [f"# One\n## Two\n{long.strip()}"]
    comments = "\n".join("# a comment of twenty" for _ in range(100))
    assert max(map(len, demo.passages(comments))) <= demo.PASSAGE


def test_long_paragraphs_are_divided_between_sentences_and_words() -> None:
    found = demo.passages("A sentence of forty characters it is so. " * 30)
    assert len(found) > 2
    assert all(passage.endswith("so.") for passage in found)
    assert [len(passage) for passage in demo.passages("x" * 900)] == [400, 400, 100]
    assert demo.passages("") == []


def test_sentences() -> None:
    assert demo.sentences("One. Two! 3.11 is a number? Ja。 Ende") == [
        "One.",
        "Two!",
        "3.11 is a number?",
        "Ja。",
        "Ende",
    ]
    assert demo.sentences("# One\nText. More.\n``` x = 1. y = 2 ```") == ["Text.", "More."]
    assert demo.sentences("# Only a heading") == []


def flow(capsys: Capture, *pieces: str) -> str:
    written = demo.Flow()
    for piece in pieces:
        written.add(piece)
    written.end()
    return capsys.readouterr().out


def test_flow_writes_each_piece_at_once(capsys: Capture) -> None:
    written = demo.Flow()
    written.add(" The cap")
    assert capsys.readouterr().out == "   The cap"
    written.add("ital")
    assert capsys.readouterr().out == "ital"


def test_flow_breaks_lines_between_words(capsys: Capture) -> None:
    out = flow(capsys, *(["wor", "d "] * 60))
    assert out.replace("\n", " ").split() == ["word"] * 60
    assert all(len(line) <= 100 and line.startswith("   word") for line in out.splitlines())


def test_flow_breaks_endless_words_hard(capsys: Capture) -> None:
    lines = flow(capsys, "x" * 250).splitlines()
    assert [len(line) <= 100 for line in lines] == [True] * 3
    assert "".join(line.strip() for line in lines) == "x" * 250


def test_flow_keeps_the_text_s_own_lines_and_their_indent(capsys: Capture) -> None:
    assert flow(capsys, "\n\nif x:\n", "\n    y\n\tz") == "   if x:\n       y\n       z\n"


def test_flow_lets_no_text_steer_the_terminal(capsys: Capture) -> None:
    assert flow(capsys, "a\x1b[31mb\u202e\r") == "   a?[31mb?\n"


def test_flow_of_nothing_is_nothing(capsys: Capture) -> None:
    assert flow(capsys, "", " \n ") == ""
