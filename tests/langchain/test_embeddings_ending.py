"""How calls with several requests end before their time: nobody waits for what is still in flight."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from hf_tools.errors import AuthenticationError, RateLimited
from langchain_hf_tools import HfInferenceEmbeddings, HfInferenceLLM, HfInferenceReranker
from langchain_hf_tools._calls import ordered
from tests.langchain.vector_server import Loopback, VectorServer, eventually

HELD = 20.0
"""Seconds that the server keeps a request in these tests, unless nobody waits for it."""
SOON = 5.0
"""Seconds in which a call must end; it takes a fraction of one, but the machine may be busy."""


@contextmanager
def soon() -> Generator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < SOON


def busy_but(failing: str) -> VectorServer:
    """A server that wants everybody to come back later, and refuses one text for good."""

    def answers(body: Any) -> httpx.Response:
        if failing in VectorServer.texts(body):
            return httpx.Response(401, json={"error": "no"})
        return httpx.Response(429, headers={"retry-after": str(HELD)}, json={"error": "slow down"})

    return VectorServer(answers=answers)


def test_a_failure_does_not_wait_for_the_others_retries() -> None:
    fields: dict[str, Any] = {**busy_but("5").fields, "max_retries": 1, "batch_size": 1}
    with soon(), pytest.raises(AuthenticationError, match="401 no; this is text 5, counted from 0"):
        HfInferenceEmbeddings(**fields).embed_documents([str(place) for place in range(200)])
    with soon(), pytest.raises(AuthenticationError, match="401 no; this is document 5, counted from 0"):
        HfInferenceReranker(**fields).rerank("q", [str(place) for place in range(200)])


def test_a_failing_prompt_does_not_wait_for_the_others_retries() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if b"bad" in request.content:
            return httpx.Response(401, json={"error": "no"})
        return httpx.Response(429, headers={"retry-after": str(HELD)})

    http = httpx.Client(transport=httpx.MockTransport(handle))
    model = HfInferenceLLM(base_url="http://127.0.0.1:9", server="tgi", max_retries=1, http_client=http)
    with soon(), pytest.raises(AuthenticationError, match="401 no; this is prompt 2, counted from 0"):
        model.batch(["a", "b", "bad", "c"])


def test_a_generator_that_is_left_does_not_wait() -> None:
    def answers(body: Any) -> Any:
        later = httpx.Response(429, headers={"retry-after": str(HELD)})
        return [[0.0, 1.0]] if body["inputs"] == ["0"] else later

    server = VectorServer(answers=answers)
    fields: dict[str, Any] = {**server.fields, "max_retries": 1, "batch_size": 1}
    model = HfInferenceEmbeddings(**fields)
    with soon():
        found = model.embed_iter(str(place) for place in range(50))
        assert next(found) == [0.0, 1.0]
        found.close()
    assert len(server.bodies) <= 9


def test_nothing_is_begun_after_a_failure() -> None:
    failed = threading.Event()

    def answers(body: Any) -> httpx.Response:
        if "8" in body["inputs"]:
            return httpx.Response(401, json={"error": "no"})
        assert failed.wait(SOON)
        return httpx.Response(413)

    server, before = VectorServer(answers=answers), {*threading.enumerate()}
    with pytest.raises(AuthenticationError):
        HfInferenceEmbeddings(**server.fields, batch_size=8, max_concurrency=2).embed_documents(
            [str(place) for place in range(64)]
        )
    failed.set()
    assert eventually(lambda: before >= {*threading.enumerate()})  # the threads have ended with their requests
    assert sorted(server.sizes) == [8, 8]  # the one that was too large was not sent again in two


def test_a_call_may_take_longer_than_one_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordered, "TICK", 0.01)
    server = VectorServer(delay=0.1)
    assert HfInferenceEmbeddings(**server.fields, batch_size=1).embed_documents(["1", "2"]) == [[1.0, 1.0], [2.0, 1.0]]


def test_a_failure_of_the_work_itself_is_told() -> None:
    def work(item: int) -> int:
        raise SystemExit(item)

    with pytest.raises(SystemExit) as caught:
        list(ordered.ordered(iter([3, 3]), work, at_once=2))
    assert caught.value.code == 3


# with programs of their own


PROGRAM = """
import sys, threading
from langchain_hf_tools import HfInferenceEmbeddings

model = HfInferenceEmbeddings(base_url=sys.argv[1], server="tei", batch_size=1, max_retries=0)
texts = [str(place) for place in range(int(sys.argv[2]))]
"""
INTERRUPTED = PROGRAM + "model.embed_documents(texts)"
ENDING = PROGRAM + "threading.Thread(target=model.embed_documents, args=(texts,), daemon=True).start(); input()"
LEAVING = (
    PROGRAM
    + """
found = model.embed_iter(texts)
threading.Thread(target=lambda: next(found), daemon=True).start()
input()
"""
)


@pytest.fixture
def server() -> Iterator[tuple[VectorServer, str]]:
    made = VectorServer(delay=HELD)
    loopback = Loopback(made)
    yield made, loopback.url
    loopback.close()


def started(code: str, url: str, texts: int) -> subprocess.Popen[bytes]:
    path = [entry for entry in sys.path if entry]
    code = f"import sys; sys.path[:0] = {path!r}\n{code}"
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code, url, str(texts)], stdin=pipe, stdout=pipe, stderr=pipe)


@pytest.mark.skipif(sys.platform == "win32", reason="a signal cannot be sent to one process there")
@pytest.mark.parametrize("texts", [1, 2, 20])
def test_ctrl_c_ends_a_call_at_once(server: tuple[VectorServer, str], texts: int) -> None:
    program = started(INTERRUPTED, server[1], texts)
    assert eventually(lambda: server[0].flying == min(texts, 8), 30), program.communicate(timeout=1)
    with soon():
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=HELD)
    assert errors.decode().rstrip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize("code", [ENDING, LEAVING])
def test_a_program_ends_though_requests_are_in_flight(server: tuple[VectorServer, str], code: str) -> None:
    program = started(code, server[1], 20)
    assert eventually(lambda: server[0].flying == 8, 30), program.communicate(timeout=1)
    with soon():
        _, errors = program.communicate(b"\n", timeout=HELD)
    assert (program.returncode, errors.decode()) == (0, "")


def test_what_is_left_in_the_background_ends_by_itself() -> None:
    server = busy_but("1")
    fields: dict[str, Any] = {**server.fields, "batch_size": 1}
    before = {*threading.enumerate()}
    with pytest.raises((AuthenticationError, RateLimited)):
        HfInferenceEmbeddings(**fields).embed_documents(["0", "1", "2"])
    assert server.settled()
    assert eventually(lambda: before >= {*threading.enumerate()})
