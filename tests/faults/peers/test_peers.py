"""The comparison with other clients: what counts as right, how it is counted, and that its page is of today's table."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.faults.declared import FAULTS, MODULES
from tests.faults.outcomes import Outcome
from tests.faults.peers.__main__ import KINDS, SAVED, Score, page, scored, scores
from tests.faults.peers.judging import patience, wrong
from tests.faults.peers.run import OBEDIENT
from tests.faults.peers.subjects import LIBRARIES, SUBJECTS
from tests.faults.table import Expect
from tests.faults.trying import CANARY

ANSWER, ERROR = Expect("right"), Expect(error="DecodeError")
ODD = ("langchain_openai.X", "builtins.Exception")
"""The classes of an error of a library's own."""


def raised(*bases: str, message: str = "") -> Outcome:
    return Outcome(0.1, error=bases[0].rpartition(".")[2], bases=bases, message=message)


@pytest.mark.parametrize(
    ("expect", "outcome", "problem"),
    [
        (ANSWER, Outcome(0.1, answer="right"), None),
        (ANSWER, Outcome(0.1, answer=""), "answer ''"),
        (ANSWER, raised(*ODD), "gave up: X"),
        (ANSWER, raised("json.decoder.JSONDecodeError", "builtins.ValueError"), "JSONDecodeError"),
        (ANSWER, Outcome(9.0, hung=True), "not back after 9 s"),
        (ERROR, Outcome(0.1, answer="right"), "answer 'right'"),
        (ERROR, raised(*ODD), None),
        (ERROR, raised("httpx.ReadTimeout", "builtins.Exception"), None),
        (ERROR, raised("builtins.TimeoutError", "builtins.OSError"), None),
        (ERROR, raised("builtins.ValueError"), None),
        (ERROR, raised("json.decoder.JSONDecodeError", "builtins.ValueError"), "JSONDecodeError"),
        (ERROR, raised("builtins.KeyError", "builtins.LookupError"), "KeyError"),
        (
            ERROR,
            raised("builtins.UnicodeDecodeError", "builtins.UnicodeError", "builtins.ValueError"),
            "UnicodeDecodeError",
        ),
        (ERROR, raised("builtins.RecursionError", "builtins.RuntimeError"), "RecursionError"),
        (ERROR, raised("other.Thing", "builtins.Exception"), "Thing"),
        (ERROR, raised(*ODD, message=f"bad key {CANARY}"), "shows the key"),
        (Expect(says="x"), Outcome(0.1, answer="any"), None),
    ],
)
def test_what_counts_as_right(expect: Expect, outcome: Outcome, problem: str | None) -> None:
    assert wrong(expect, outcome) == problem


def test_patience() -> None:
    assert (patience(1.5), patience(8)) == (9, 22)


def test_how_it_is_counted() -> None:
    assert scored([[None], [None, "x"], ["gave up: X", None], ["gave up: X", "x"], []]) == Score(2, 1, 5)
    results: dict[str, dict[str, str | None]] = {
        "000 nothing": {"ChatOpenAI.invoke": "x"},
        "001 a": {
            "InferenceClient.chat_completion": None,
            "ChatOpenAI.invoke": "gave up: X",
            "ChatOpenAI.stream": None,
        },
        "002 b": {"ChatOpenAI.invoke": None},
    }
    right = {"000 nothing": False, "001 a": True, "002 b": False}
    assert scores(results, right) == {
        "huggingface_hub": Score(1, 0, 1), "langchain-huggingface": Score(0, 0, 0),
        "langchain-openai": Score(1, 1, 2), "hf-tools": Score(1, 0, 2),
    }  # fmt: skip
    text = page({"versions": {"httpx": "1"}, "results": results}, right, "2026-01-02")
    assert "Made on 2026-01-02 by" in text
    assert "| langchain-openai | 1 | 1 | 0 | 2 |" in text
    assert "| 002 b | no |  |  |  |  |  | yes |  |  |" in text


def test_every_class_belongs_to_a_library() -> None:
    assert {one.name.partition(".")[0] for one in SUBJECTS} == LIBRARIES.keys()
    assert {one.kind for one in SUBJECTS} == set(KINDS)


def test_the_page_names_every_fault() -> None:
    """Renew it with `make faults-peers ARGS=--save`."""
    assert len(MODULES) > 3
    listed = set(re.findall(r"^\| (\d{3}[a-z]? [^|]*) \|", SAVED.read_text(encoding="utf-8"), re.M))
    expected = {fault.key for fault in FAULTS if fault.expect.keys() & set(KINDS)} - {OBEDIENT}
    assert listed == expected


def test_ours_is_right_throughout() -> None:
    line = next(line for line in SAVED.read_text(encoding="utf-8").splitlines() if line.startswith("| hf-tools |"))
    _, _, right, gave_up, bad, count, _ = [cell.strip() for cell in line.split("|")]
    assert (right, gave_up, bad) == (count, "0", "0")


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    return plain | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_the_other_environment_needs_nothing_of_ours() -> None:
    """Whatever `peers.run` imports is found in it: the standard library and the kit itself."""
    folder, todo, seen = Path(__file__).parents[1], ["peers.run"], set[str]()
    while todo:
        name = todo.pop()
        seen.add(name)
        for found in imported(folder / f"{name.replace('.', '/')}.py"):
            assert found.split(".")[0] not in {"hf_tools", "langchain_hf_tools", "pytest"}, name
            inner = found.removeprefix("tests.faults.")
            if inner != found and inner not in seen:
                todo.append(inner)
    assert {"declared", "trying", "wire", "peers.judging"} <= seen
