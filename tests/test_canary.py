"""The watch for the canary token sees it wherever it shows, and nothing in the repository holds it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from hf_tools import HfInference, Options
from tests import canary
from tests.canary import CANARY
from tests.test_secrets import ROOT, files

CONFTEST = """
from tests import canary

def pytest_configure(config):
    canary.Watch().start(config)
"""
LEAKS = """
import logging, pickle, subprocess, sys, warnings
import httpx, pytest
from hf_tools import HfInference, errors
from tests.canary import CANARY

def answer(request):
    return httpx.Response(200)

def send(url, **given):
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        http.post(url, **given)

def test_prints(): print("it is", CANARY)
def test_a_process_prints(): subprocess.run([sys.executable, "-c", f"print('{CANARY}')"], check=True)
def test_writes_to_stderr(): print(CANARY, file=sys.stderr)
def test_fails(): assert CANARY == ""
def test_logs(): logging.getLogger("x").warning("with %s", CANARY)
def test_logs_an_error():
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("x").exception("it failed")
def test_warns():
    with pytest.warns(UserWarning): warnings.warn(CANARY)
def test_raises():
    with pytest.raises(ValueError): raise ValueError(CANARY)
def test_raises_from_what_tells():
    with pytest.raises(ValueError):
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise ValueError("no") from error
def test_raises_with_a_field():
    with pytest.raises(errors.StatusError): raise errors.StatusError("no", body=CANARY.encode())
def test_an_error_is_shown(): assert str(errors.HfError(CANARY[:4] + CANARY[4:])) == "hf_***"
def test_a_repr(monkeypatch):
    monkeypatch.setattr(HfInference, "__repr__", lambda self: CANARY)
    HfInference(False)
def test_a_pickle(): pickle.dumps({"token": CANARY})
def test_the_key_elsewhere(): send("https://example.com", headers={"Authorization": CANARY})
def test_the_key_over_http(): send("http://huggingface.co", headers={"Authorization": CANARY})
def test_the_key_here(): send("http://127.0.0.1:1", headers={"Authorization": CANARY})
def test_another_header(): send("https://huggingface.co", headers={"X-Api-Key": CANARY})
def test_a_url(): send("https://huggingface.co", params={"token": CANARY})
def test_a_body(): send("https://huggingface.co", json={"token": CANARY})
def test_harmless():
    print("nothing")
    send("https://router.huggingface.co/v1", headers={"Authorization": CANARY}, json={"inputs": "x"})
"""
HARMLESS = {"test_harmless", "test_an_error_is_shown"}
"""The text of an error of ours masks tokens: there is nothing to be seen."""


def ran(folder: Path, tests: str, *options: str) -> tuple[int, str]:
    """The exit code and output of pytest with the watch in a folder of its own."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(tests)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "integrations")])}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rA",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--rootdir",
        ".",
    ]
    done = subprocess.run(
        [*command, "-c", os.devnull, *options, "test_it.py"],
        capture_output=True, text=True, env=environment, cwd=folder, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_every_leak_fails_its_test(tmp_path: Path) -> None:
    code, said = ran(tmp_path, LEAKS)
    names = [line.removeprefix("def ").partition("(")[0] for line in LEAKS.splitlines() if line.startswith("def test_")]
    passed = {line.rpartition("::")[2] for line in said.splitlines() if line.startswith("PASSED")}
    failed = {line.partition("::")[2].partition(" ")[0] for line in said.splitlines() if line.startswith("FAILED")}
    assert (code, passed, failed) == (1, HARMLESS, set(names) - HARMLESS)
    assert CANARY not in said
    for place in ("Captured stdout call", "Captured stderr call", "the failure", "a log record of x", "a warning",
                  "an exception", "the repr of HfInference", "a pickle", "the header Authorization to example.com",
                  "the header X-Api-Key to huggingface.co", "the request to huggingface.co"):  # fmt: skip
        assert f"the canary token was in {place}" in said or f", {place}" in said, place


def test_a_file_that_is_left_fails_the_run(tmp_path: Path) -> None:
    leak = "def test_it(tmp_path): (tmp_path / 'log.bin').write_bytes(b'x' + CANARY.encode())\n"
    code, said = ran(tmp_path, f"from tests.canary import CANARY\n{leak}", "--basetemp", "left")
    (tmp_path / "left" / "test_it0" / "log.bin").unlink()  # the watch over this test would find it
    assert code == 1
    assert "the canary token was in files of the tests: test_it0/log.bin" in said.replace(os.sep, "/")


def test_this_very_test_is_watched(request: pytest.FixtureRequest) -> None:
    watch: Any = request.config.pluginmanager.get_plugin("canary")
    assert os.environ["HF_TOKEN"] == CANARY
    before = watch.looked
    with pytest.raises(ZeroDivisionError):
        _ = 1 / 0
    HfInference()
    logging.getLogger("hf_tools").warning("nothing to see")
    assert watch.looked >= before + 3


def test_no_logger_of_the_http_library_tells_the_token(caplog: pytest.LogCaptureFixture) -> None:
    """With every logger as talkative as it can be; the watch looks at the records."""
    caplog.set_level(logging.DEBUG)
    taken: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        taken.append(request.headers["authorization"])
        return httpx.Response(200, json=[[{"label": "x", "score": 1.0}]])

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        client = HfInference(http_client=http, provider="hf-inference", options=Options(max_retries=0))
        client.text_classification("x", model="a/b")
    assert taken == [f"Bearer {CANARY}"]
    assert any(record.name == "httpx" for record in caplog.records)


def test_no_file_of_the_repository_and_no_cassette_holds_it() -> None:
    paths = files()
    assert any("cassettes" in path.parts for path in paths)
    assert [str(path.relative_to(ROOT)) for path in paths if canary.holds(path.read_bytes())] == []
