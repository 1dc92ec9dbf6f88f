"""The command as a process of its own, against a server on this machine: pipes, terminals, exit codes; and progress."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hf_tools.cli import main

ROOT = Path(__file__).parent.parent.parent
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
HELLO = {"choices": [{"index": 0, "delta": {"content": "Hello\x1b[2J"}, "finish_reason": None}]}
END: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
ANSWERS: dict[str, tuple[str, bytes]] = {
    "/toolkit": ("application/json", b'[{"summary_text": "short\\u001b[2J"}]'),
    "/pictures": ("image/png", PNG),
    "/chat/v1/chat/completions": ("text/event-stream", b""),
}


class Handler(BaseHTTPRequestHandler):
    """Answers by path; a chat begins, and then waits until it is told to end."""

    go_on = threading.Event()
    bodies: ClassVar[list[bytes]] = []

    def do_GET(self) -> None:
        known = self.path == "/chat/v1/models"
        self.answer("application/json", b'{"data": [{"id": "org/m"}]}', 200 if known else 404)

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        kind, data = ANSWERS[self.path]
        if kind != "text/event-stream":
            self.answer(kind, data)
            return
        self.send_response(200)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(f"data: {json.dumps(HELLO)}\n\n".encode())
        self.wfile.flush()
        self.go_on.wait(30)
        self.wfile.write(f"data: {json.dumps(END)}\n\ndata: [DONE]\n\n".encode())

    def answer(self, kind: str, data: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep still."""


class Server(ThreadingHTTPServer):
    """A server whose clients may go away."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was closed is no news."""


@pytest.fixture
def url() -> Iterator[str]:
    Handler.go_on.clear()
    Handler.bodies.clear()
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        Handler.go_on.set()
        server.shutdown()
        thread.join()


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "hf_tools", "run", *words]


def test_a_pipeline(url: str) -> None:
    words = command("summarization", "--base-url", f"{url}/toolkit")
    done = subprocess.run(words, input=b"A text\n", capture_output=True, cwd=ROOT, check=True)
    assert (done.stdout, done.stderr) == (b"short\x1b[2J\n", b"")
    assert Handler.bodies == [b'{"inputs":"A text"}']


def test_a_picture_into_a_pipe(url: str) -> None:
    words = command("text_to_image", "a", "--base-url", f"{url}/pictures")
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, cwd=ROOT, check=True)
    assert (done.stdout, done.stderr) == (PNG, b"")


def on_terminal(words: list[str]) -> tuple[int, str, str]:
    """Run a command whose stdin and stdout are a terminal: its exit code, what the terminal got, stderr."""
    outer, inner = pty.openpty()
    with subprocess.Popen(words, stdin=inner, stdout=inner, stderr=subprocess.PIPE, cwd=ROOT) as process:
        os.close(inner)
        data = b""
        while chunk := _read(outer):
            data += chunk
        assert process.stderr
        err = process.stderr.read().decode()
    os.close(outer)
    return process.returncode, data.decode(), err


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux tells that the other side is closed
        return b""


def test_a_terminal_gets_no_bytes_and_nothing_is_sent(url: str) -> None:
    code, out, err = on_terminal(command("text_to_image", "a", "--base-url", f"{url}/pictures"))
    assert (code, out) == (2, "")
    assert "the answer is an image, which a terminal cannot show: say with -o FILE where it goes\n" in err
    assert Handler.bodies == []


def test_a_terminal_gets_no_control_characters(url: str) -> None:
    code, out, err = on_terminal(command("summarization", "a", "--base-url", f"{url}/toolkit"))
    assert (code, out, err) == (0, "short?[2J\r\n", "")


def test_nobody_has_to_type_a_missing_input() -> None:
    code, out, err = on_terminal(command("summarization"))
    assert (code, out) == (2, "")
    assert "error: TEXT is missing\n" in err


@pytest.mark.parametrize("end", ["interrupt", "pipe"])
def test_a_stream_that_nobody_wants_any_more_ends_quietly(url: str, end: str) -> None:
    words = command("chat_completion", "Hi", "--base-url", f"{url}/chat")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        assert process.stderr
        assert os.read(process.stdout.fileno(), 99) == b"Hello\x1b[2J"
        if end == "interrupt":
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=30) == (b"\n", b"interrupted\n")
        else:
            process.stdout.close()
            Handler.go_on.set()
            assert process.stderr.read() == b""
    assert process.returncode == {"interrupt": 130, "pipe": 141}[end]


def test_the_whole_stream(url: str) -> None:
    Handler.go_on.set()
    words = command("chat_completion", "Hi", "--base-url", f"{url}/chat")
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, cwd=ROOT, check=True)
    assert (done.stdout, done.stderr) == (b"Hello\x1b[2J\n", b"")


def test_a_long_job_tells_how_far_it_is(
    wire: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hf_tools._http.sync.sleep", list[float]().append)
    monkeypatch.setenv("KEY", "key_test")
    served = {"fal-ai": {"providerId": "fal-ai/app", "status": "live", "task": "text-to-image"}}
    states = ["IN_QUEUE", "IN_PROGRESS", "IN_PROGRESS", "FAILED\x1b"]
    wire.got = {
        "/api/models/org/m": {"id": "org/m", "inferenceProviderMapping": served},
        "/fal-ai/app/requests/r1/status": partial(next, iter([{"status": state} for state in states])),
    }
    where = "https://queue.fal.run/fal-ai/app/requests/r1"
    wire.script = [{"status": "IN_QUEUE", "request_id": "r1", "queue_position": 2, "response_url": where}]
    asked = ["--provider", "fal-ai", "--model", "org/m", "--token-env", "KEY", "-o", "-"]
    assert main(["run", "text_to_image", "a fox", *asked]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    *told, last = err.splitlines()
    assert told == ["fal-ai: in_queue, 2 before it", "fal-ai: in_queue", "fal-ai: in_progress"]
    assert last.startswith("error: ")
    assert wire.posts[0]["headers"]["authorization"] == "Key key_test"
