"""The typed API: correct use has no diagnostics, and each planted mistake is found on exactly its line.

In `mistakes.py` a line that both checkers must refuse ends with `# E`, one that only a single checker refuses with
`# E: pyright` or `# E: mypy`. Lines are compared both ways: a mistake that is not found fails, and so does a
diagnostic on a line that is not marked. `correct.py` may have neither.
"""

import functools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
CORRECT = HERE / "correct.py"
MISTAKES = HERE / "mistakes.py"
CHECKERS = ("pyright", "mypy")
FEWEST = 15
MARK = re.compile(r"# E(?:: (?P<checker>pyright|mypy))?\s*$")

Lines = dict[int, str]
"""Line numbers, counted from 1, to the messages on them."""


def marked(source: str, checker: str) -> set[int]:
    """The lines of a source on which a checker must report an error."""
    found = ((number, MARK.search(line)) for number, line in enumerate(source.splitlines(), 1))
    return {number for number, mark in found if mark and mark["checker"] in {None, checker}}


def run(checker: str, *arguments: str) -> str:
    """The output of a checker; one that could not work at all fails with its message."""
    command = [sys.executable, "-m", checker, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, cwd=ROOT)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def pyright(*files: Path) -> list[tuple[str, int, str]]:
    """File name, line and message of every diagnostic that is not only a hint."""
    with tempfile.TemporaryDirectory() as folder:
        # copies, as the project's configuration leaves mistakes.py out, even where it is asked for by name
        copies = [str(shutil.copy(path, folder)) for path in files]
        report: dict[str, Any] = json.loads(run("pyright", "--outputjson", *copies))
    assert report["summary"]["filesAnalyzed"] == len(files), report["summary"]
    return [
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1, each["message"])
        for each in report["generalDiagnostics"]
        if each["severity"] in {"error", "warning"}
    ]


def mypy(*files: Path) -> list[tuple[str, int, str]]:
    """The same; notes belong to the error above them. (From its cache, mypy may name another folder.)"""
    output = run("mypy", "--config-file", str(ROOT / "pyproject.toml"), "--output", "json", *map(str, files))
    reports: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [
        (Path(each["file"]).name, each["line"], each["message"])
        for each in reports
        if each["severity"] in {"error", "warning"}
    ]


@functools.cache
def diagnostics(checker: str, files: tuple[Path, ...]) -> dict[str, Lines]:
    """What a checker says about some files, by name, in one run."""
    found: dict[str, Lines] = {path.name: {} for path in files}
    for name, line, message in {"pyright": pyright, "mypy": mypy}[checker](*files):
        lines = found.setdefault(name, {})
        lines[line] = f"{lines[line]}; {message}" if line in lines else message
    return found


def problems(checker: str, path: Path, files: tuple[Path, ...]) -> list[str]:
    """Where the diagnostics of a checker and the marks of a file differ, both ways."""
    expected = marked(path.read_text(encoding="utf-8"), checker)
    found = diagnostics(checker, files)[path.name]
    missed = [f"line {line}: {checker} found no mistake" for line in sorted(expected - found.keys())]
    return missed + [f"line {line}: {checker}: {found[line]}" for line in sorted(found.keys() - expected)]


@pytest.mark.parametrize("checker", CHECKERS)
def test_correct_use_has_no_diagnostics(checker: str) -> None:
    assert diagnostics(checker, (CORRECT, MISTAKES))[CORRECT.name] == {}


@pytest.mark.parametrize("checker", CHECKERS)
def test_mistakes_are_found_on_exactly_their_lines(checker: str) -> None:
    assert problems(checker, MISTAKES, (CORRECT, MISTAKES)) == []


@pytest.mark.parametrize("checker", CHECKERS)
def test_enough_mistakes_are_planted(checker: str) -> None:
    assert len(marked(MISTAKES.read_text(encoding="utf-8"), checker)) >= FEWEST


@pytest.mark.parametrize("checker", CHECKERS)
def test_the_harness_sees_what_is_missed_and_what_is_unmarked(checker: str, tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    lines = [
        '"""A sample."""',
        'marked: int = "text"  # E',
        "innocent: int = 1  # E",
        'unmarked: int = "text"',
        'one: int = "text"  # E: pyright',
        'other: int = "text"  # E: mypy',
        "def untyped(argument):  # E",
        "    return argument  # E: pyright",
        'mentioned = "# E, not at the end"',
    ]
    sample.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = problems(checker, sample, (sample,))
    other = {"pyright": 6, "mypy": 5}[checker]
    assert [each.split(":")[0] for each in found] == ["line 3", "line 4", f"line {other}"]
    assert found[0] == f"line 3: {checker} found no mistake"
