"""The parts of the demonstration: files, questions, the steps as they are written. No engine runs."""

from __future__ import annotations

import importlib.metadata
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage

from hf_tools import HfInference, demo
from hf_tools.cli import main
from hf_tools.demo import agent, files, printing
from hf_tools.errors import InputError, MissingExtra
from langchain_hf_tools import HfInferenceToolkit

ROOT = Path(__file__).parent.parent.parent
PNG = (ROOT / "hf_tools" / "demo_files" / "invoice.png").read_bytes()
Capture = pytest.CaptureFixture[str]
CALL = {"name": "hf_look", "args": {"image": "é.png"}, "id": "1", "type": "tool_call"}
ANSWER = AIMessage("It is a fox.")


class Endless(Exception):
    pass


class Graph:
    """An agent that says what a script has; an exception in it is raised."""

    def __init__(self, *script: Any) -> None:
        self.script = script
        self.asked: list[Any] = []

    def stream(self, *given: Any, **more: Any) -> Iterator[dict[str, Any]]:
        self.asked.append((given, more))
        for one in self.script:
            if isinstance(one, Exception):
                raise one
            yield {"model": {"messages": [one]}}


def written(capsys: Capture, *script: Any) -> str:
    agent.answer(agent.Agent(Graph(*script), Endless), "What is it?")
    return capsys.readouterr().out


@pytest.fixture
def toolkit() -> Iterator[HfInferenceToolkit]:
    with HfInference(provider="local") as hf:
        yield HfInferenceToolkit(hf)


def test_each_step_is_written_with_its_time(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([1.0, 1.5, 3.75, 4.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(times))
    result = ToolMessage("A fox\nin the snow", tool_call_id="1")
    assert written(capsys, AIMessage("", tool_calls=[CALL]), result, ANSWER) == (
        "\nWhat is it?\n"
        '   call    hf_look(image="é.png")\n           [0.5 s]\n'
        "   result  A fox\n           in the snow\n           [2.2 s]\n"
        "   answer  It is a fox.\n           [0.2 s]\n"
    )


def test_what_the_agent_is_asked() -> None:
    graph = Graph(ANSWER)
    ((message, seconds),) = agent.Agent(graph, Endless).messages("Why?")
    assert message is ANSWER
    assert 0 <= seconds < 5
    ((given, more),) = graph.asked
    assert given == ({"messages": [("user", "Why?")]}, {"recursion_limit": agent.STEPS})
    assert more == {"stream_mode": "updates"}


def test_a_failure_a_loop_and_an_answer_without_tools_are_told(capsys: Capture) -> None:
    failed = ToolMessage("No such file.", tool_call_id="1", status="error")
    out = written(capsys, AIMessage("", tool_calls=[CALL]), failed, ANSWER)
    assert "\n   failed  No such file.\n" in out
    assert "no tool was called" not in out
    assert "   answer  It is a fox.\n           (no tool was called)\n" in written(capsys, ANSWER)
    assert written(capsys, Endless()).endswith("   stopped the agent made no end of it in 8 steps\n")


def test_other_errors_end_the_demonstration() -> None:
    with pytest.raises(InputError, match="broken"):
        agent.answer(agent.Agent(Graph(InputError("broken")), Endless), "Why?")


def test_long_texts_are_cut_and_wrapped_and_steer_no_terminal(capsys: Capture) -> None:
    printing.item("result", "word " * 100 + "\n\n\x1b[31mred\u202e")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= printing.WIDTH
    assert all(line.startswith(("   result  word", "           ")) for line in lines)
    assert lines[-1].endswith("… (91 more characters)")
    printing.item("answer", "\x1b[31mred\u202e\tand blue")
    assert capsys.readouterr().out == "   answer  ?[31mred? and blue\n"


def test_an_empty_answer_has_its_time(capsys: Capture) -> None:
    printing.item("answer", "", 0.04)
    assert capsys.readouterr().out == "   answer  [0.0 s]\n"


@pytest.mark.parametrize(
    ("name", "data", "named", "question"),
    [
        ("a.png", PNG, "a.png", "Read the text in a.png."),
        ("a b.png", PNG, '"a b.png"', 'Read the text in "a b.png".'),
        ("t.csv", b"a,b\n1,2\n", "t.csv", "What is t.csv about?"),
        ("t.json", b'{"a": 1}', "t.json", "What is t.json about?"),
        ('"x\x1b".txt', b"Hello", "?x??.txt", "What is ?x??.txt about?"),
    ],
)
def test_a_file_is_known_by_its_name(
    toolkit: HfInferenceToolkit, name: str, data: bytes, named: str, question: str
) -> None:
    found = files.add(toolkit, files.Given(name, data))
    assert (found.quoted, found.question) == (named, question)
    assert toolkit.store.ref(found.name).size == len(data)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        (
            "a.txt",
            b"\xff\xfe\x00",
            "--file: 'a.txt' cannot be used: the media is neither a known type of media",
        ),
        ("a.pdf", b"%PDF-1.7\n", "--file: 'a.pdf' is application/pdf; name a text, a table as CSV, a picture or a"),
    ],
)
def test_content_without_a_tool_is_refused(toolkit: HfInferenceToolkit, name: str, data: bytes, says: str) -> None:
    with pytest.raises(InputError) as caught:
        files.add(toolkit, files.Given(name, data))
    assert caught.value.message.startswith(says)


@pytest.mark.parametrize("content", [None, b"", b" \n"])
def test_a_file_that_cannot_be_read_or_is_empty_is_refused(
    content: bytes | None, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "given.txt"
    if content is not None:
        path.write_bytes(content)
    assert main(["demo", "--file", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: --file: 'given.txt' ")
    assert str(tmp_path) not in err


def test_long_files_and_two_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / "a" / "x.txt", tmp_path / "b" / "x.txt"]
    for path in paths:
        path.parent.mkdir()
        path.write_text("Hello")
    assert files.read(paths[:1]) == [files.Given("x.txt", b"Hello")]
    with pytest.raises(InputError, match=r"^--file: 'x.txt': two files have this name$"):
        files.read(paths)
    monkeypatch.setattr(files, "LIMIT", 4)
    with pytest.raises(InputError, match=r"^--file: 'x.txt' must not be empty, and at most 4 bytes$"):
        files.read(paths[:1])


def test_an_empty_question_is_refused(capsys: Capture) -> None:
    assert main(["demo", "--ask", " "]) == 2
    assert capsys.readouterr().err == "error: --ask: the question must not be empty\n"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """asked(arguments): the questions of a run, without an agent."""

    def run(*arguments: str) -> list[str]:
        found: list[str] = []

        def answer(made: agent.Agent, question: str) -> None:
            assert made.endless.__name__ == "GraphRecursionError"
            found.append(question)

        monkeypatch.setattr(agent, "answer", answer)
        assert main(["demo", *arguments]) == 0
        return found

    return run


def test_what_is_asked(asked: Callable[..., list[str]], tmp_path: Path, capsys: Capture) -> None:
    table, picture = tmp_path / "my table.csv", tmp_path / "a.png"
    table.write_text("a,b\n1,2\n")
    picture.write_bytes(PNG)
    given = ["--file", str(table), "--file", str(picture)]
    assert asked() == [*demo.QUESTIONS]
    assert asked(*given) == ['What is "my table.csv" about?', "Read the text in a.png."]
    assert asked("--ask", "What\n is it?", *given) == ['What is it? ("my table.csv", a.png)']
    assert asked("--ask", "What is a.png?", *given) == ["What is a.png?"]
    assert asked("--ask", "Why?") == ["Why?"]
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 120
    assert out.count(demo.REMOTE) == 5


def test_the_lines_for_a_large_model_are_python() -> None:
    code = "\n".join(line.strip() for line in demo.REMOTE.splitlines()[1:])
    compile(code, "remote", "exec")
    assert "langchain.agents" in code


@pytest.mark.parametrize("missing", ["langchain.agents", "langchain_hf_tools"])
def test_a_missing_package_names_the_extra(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtra, match=r"^The demo needs LangChain \(.*\): pip install 'hf-tools\[demo\]'$"):
        demo.demo()


def test_the_readme_of_the_checkout() -> None:
    assert files.readme() == (ROOT / "README.md").read_text("utf-8")
    assert [one.name for one in files.samples()] == ["voicemail.ogg", "invoice.png", "stock.csv", "README.md"]


@pytest.mark.parametrize("beside", [[], ["README.md"]])
def test_the_readme_of_an_installed_package(beside: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in beside:  # some other package's, not ours: there is no pyproject.toml
        (tmp_path / name).write_text("other")
    monkeypatch.setattr(files, "PACKAGE", tmp_path / "hf_tools")
    assert files.readme().startswith("# hf-tools")


@pytest.mark.parametrize("reason", ["no package", "no description"])
def test_no_readme_anywhere(reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def metadata(name: str) -> Any:
        if reason == "no package":
            raise importlib.metadata.PackageNotFoundError(name)
        return type("Metadata", (), {"json": {"name": name}})

    monkeypatch.setattr(files, "PACKAGE", tmp_path / "hf_tools")
    monkeypatch.setattr(importlib.metadata, "metadata", metadata)
    with pytest.raises(InputError, match="--file"):
        files.readme()


def test_the_agent_has_the_tools_and_the_local_model(toolkit: HfInferenceToolkit) -> None:
    made = agent.langchain().agent(toolkit)
    assert {*made.graph.nodes} >= {"model", "tools"}
    assert {*made.graph.nodes["tools"].bound.tools_by_name} == {tool.name for tool in toolkit.get_tools()}
