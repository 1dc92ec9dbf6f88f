"""Processes: forks, Ctrl-C, the end of the interpreter, and what a long life costs."""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from hf_tools import HfInference, errors
from tests.faults.lifecycle import (
    MESSAGES,
    asked,
    awaiting,
    blocking,
    closed,
    echo,
    eventually,
    forked,
    said,
    unfinished,
)
from tests.faults.table import each_request
from tests.faults.wire import FaultServer, Wire, opening

ROOT = Path(__file__).parent.parent.parent
STRICT = ("-X", "dev", "-W", "error::ResourceWarning", "-c")
START = """
import asyncio, os, sys, threading, time
from hf_tools import AsyncHfInferenceEndpoint, HfInferenceEndpoint
MESSAGES = [{"role": "user", "content": "Hi"}]
client = HfInferenceEndpoint(sys.argv[1], "hf_test", server="openai")
other = AsyncHfInferenceEndpoint(sys.argv[1], "hf_test", server="openai")
def ask(): return client.chat_completion(MESSAGES, model="m").text
def stream(): return client.chat_completion_stream(MESSAGES, model="m")
"""


def started(code: str, url: str) -> subprocess.Popen[str]:
    """An interpreter that minds everything left open."""
    command = [sys.executable, *STRICT, START + code, url]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    )


ENDINGS: dict[str, str] = {
    "a client that is left open": "print(ask())",
    "a stream that is left open": "one = stream(); print(next(one).text)",
    "a stream that is left open, at the top of a module that ends by an error": (
        "one = stream(); print(next(one).text, flush=True); sys.exit(3)"
    ),
    "an awaiting client that is left open": ("print(asyncio.run(other.chat_completion(MESSAGES, model='m')).text)"),
    "an awaited stream that is left open": (
        "async def run():\n"
        "    global one\n"
        "    one = other.chat_completion_stream(MESSAGES, model='m')\n"
        "    print((await anext(aiter(one))).text)\n"
        "asyncio.run(run())"
    ),
    "threads of which one still reads": (
        "begun = threading.Event()\n"
        "def read():\n"
        "    for part in stream():\n"
        "        print(part.text, flush=True); begun.set()\n"
        "threading.Thread(target=read, daemon=True).start()\n"
        "begun.wait(30)"
    ),
    "a thread that reads on when all else has ended": (
        "import atexit\n"
        "begun, ended = threading.Event(), threading.Event()\n"
        "atexit.register(lambda: (ended.set(), time.sleep(0.5)))\n"
        "def read():\n"
        "    one = stream(); print(next(one).text, flush=True); begun.set()\n"
        "    ended.wait(); next(one)\n"
        "threading.Thread(target=read, daemon=True).start()\n"
        "begun.wait(30)"
    ),
    "a thread whose work is waited for when all else has ended": (
        "import atexit\n"
        "ended, done = threading.Event(), threading.Event()\n"
        "atexit.register(lambda: (ended.set(), done.wait(5) or sys.stderr.write('not done')))\n"
        "print(ask(), flush=True)\n"
        "def work():\n"
        "    ended.wait(); ask(); client.close(); done.set()\n"
        "threading.Thread(target=work, daemon=True).start()"
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_the_interpreter_ends_at_once_and_without_a_word(name: str) -> None:
    """Nobody closes anything: no traceback, no warning, no thread that is waited for."""

    def begun(wire: Wire) -> None:
        wire.request()
        if wire.streams:
            wire.begin()
            wire.send(opening(1))
            wire.hold()
        else:
            wire.good()

    with FaultServer(begun) as server:
        process = started(ENDINGS[name], server.url)
        began = time.monotonic()
        out, err = process.communicate(timeout=20)
        assert out.startswith("Hello")
        # asyncio's debug mode tells how long the imports of the first call took
        assert [line for line in err.splitlines() if not line.startswith("Executing <")] == []
        assert process.returncode == (3 if "error" in name else 0)
        assert time.monotonic() - began < 10
        assert closed(server)


READS: dict[str, str] = {
    "call": "ask()",
    "stream": "for _ in stream(): print('part', flush=True)",
    "awaited call": "asyncio.run(other.chat_completion(MESSAGES, model='m'))",
    "wait between attempts": "client.with_options(max_retries=5).chat_completion(MESSAGES, model='m')",
}


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no SIGINT for one process")
@pytest.mark.parametrize("name", READS)
def test_ctrl_c_ends_what_blocks_within_a_second_and_closes_the_connection(name: str) -> None:
    def script(wire: Wire) -> None:
        if name.startswith("wait"):
            wire.request()
            wire.answer(b'{"error": "busy"}', status="503 Service Unavailable", retry_after=60)
            wire.hold()
        else:
            unfinished(wire)

    code = f"""
try:
    {READS[name]}
except KeyboardInterrupt:
    print("interrupted", flush=True)
    time.sleep(30)
"""
    with FaultServer(script) as server:
        process = started(code, server.url)
        assert eventually(lambda: bool(server.requests), 20)
        time.sleep(0.3)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        lines = iter(process.stdout or [])
        assert next(line for line in lines if "part" not in line) == "interrupted\n"
        assert time.monotonic() - begun < 1
        assert name.startswith("wait") or closed(server)
        process.kill()
        process.communicate(timeout=5)


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_no_answer_crosses_into_another_process() -> None:
    with FaultServer(each_request(echo)) as server, blocking(server.url) as client:
        other = awaiting(server.url)

        def own(words: str) -> None:
            assert client.chat_completion(said(words), model="m").text == words

        def work(place: int) -> None:
            for turn in range(40):
                own(f"child {place}, call {turn}")
            answer = asyncio.run(other.chat_completion(said(f"awaited {place}"), model="m"))
            assert answer.text == f"awaited {place}"

        own("parent before")
        assert asyncio.run(asked(other)) == "Hi"
        stream = client.chat_completion_stream(said("streamed"), model="m")
        next(stream)
        assert forked(4, work) == [0] * 4
        assert stream.read().text == "streamed"
        own("parent after")


def test_memory_stays_flat() -> None:
    """1,000 calls after 300, with and without streams and errors: the soak tells more exactly how little is left."""

    turns = itertools.count()

    def script(wire: Wire) -> None:
        if next(turns) % 10 == 0:
            wire.answer(b'{"error": "no"}', status="400 Bad Request")
        else:
            wire.good()

    with FaultServer(each_request(script)) as server, blocking(server.url) as client:

        def calls(count: int) -> None:
            for turn in range(count):
                server.bodies.clear()
                server.requests.clear()
                try:
                    if turn % 2:
                        client.chat_completion(MESSAGES, model="m")
                    else:
                        client.chat_completion_stream(MESSAGES, model="m").read()
                except errors.InvalidRequest:
                    pass

        tracemalloc.start()
        try:
            calls(300)
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            calls(1000)
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert grown / 1000 < 2000  # measured with coverage, which keeps 500 by itself


def test_a_clock_that_is_put_back_or_forward_changes_no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = time.time, iter(range(1000))
    monkeypatch.setattr(time, "time", lambda: real() + (1e9 if next(calls) % 2 else -1e9))

    def busy(wire: Wire) -> None:
        if wire.turn == 1:
            wire.answer(b'{"error": "busy"}', status="503 Service Unavailable", retry_after=0.1)
        else:
            wire.good()

    with FaultServer(each_request(busy)) as server, blocking(server.url, timeout=5) as client:
        begun = time.monotonic()
        assert client.chat_completion(MESSAGES, model="m").text
        assert time.monotonic() - begun < 3
        assert len(server.requests) == 2


def test_a_token_that_has_changed_is_found_by_the_next_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A client keeps the token that it was made with, for all of its life; the next one reads the file again."""
    login = tmp_path / "token"
    monkeypatch.setenv("HF_TOKEN_PATH", str(login))
    monkeypatch.delenv("HF_TOKEN")
    found: list[Any] = []
    for words in ("hf_first", "hf_second"):
        login.write_text(words)
        found.append(HfInference())
    tokens = [one._settings.token.secret.get_secret_value() for one in found]
    assert tokens == ["hf_first", "hf_second"]
    assert json.dumps([repr(one) for one in found]).count("the login file") == 2
