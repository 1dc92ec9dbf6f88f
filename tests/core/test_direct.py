"""Requests go straight to the pool, as httpx would send them, and through httpx where a tool has its hand in it."""

from __future__ import annotations

import asyncio
import functools
import gzip
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpcore
import httpx
import pytest

from hf_tools import AsyncHfInferenceEndpoint, HfInferenceEndpoint, Options, Timeout
from hf_tools._http import deadlines, shards, shared
from hf_tools._http.direct import HTTPX, untouched
from hf_tools.errors import ConfigurationError, ConnectError, HfError
from hf_tools.tasks.classification import TextClassification
from tests.core.serving_files import Server, answer

TEXT = b'[{"label": "good", "score": 0.9}]'
CHAT = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
WAYS = [("hf_tools._http.deadlines", httpx.HTTPTransport, "handle_request"),
        ("hf_tools._http.shards", httpx.AsyncHTTPTransport, "handle_async_request")]  # fmt: skip


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _silent(ended: threading.Event) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n["
    ended.wait(5)


def _json(body: bytes = TEXT, *headers: str, status: str = "200 OK") -> bytes:
    return answer(body, *headers, status=status, kind="application/json")


ANSWERS: dict[str, bytes | Callable[[threading.Event], Iterable[bytes]]] = {
    "whole": _json(),
    "headers": _json(TEXT, "x-request-id: r1", "x-compute-time: 0.5", "X-A: 1", "x-a: caf\u00e9"),
    "packed": _json(gzip.compress(TEXT), "content-encoding: gzip"),
    "in chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n21\r\n" + TEXT + b"\r\n0\r\n\r\n",
    "to the end": b"HTTP/1.1 200 OK\r\n\r\n" + TEXT,
    "refused": _json(b'{"error": "no"}', status="400 Bad Request"),
    "not found": _json(b"", status="404 Not Found"),
    "elsewhere": _json(b"", "location: /b", status="307 Temporary Redirect"),
    "cut": b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n" + TEXT,
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "a broken head": b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
    "silent": _silent,
    "a stream": b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + CHAT,
    "a stream that is cut": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nda",
}


def _called(kind: str, url: str, *, stream: bool) -> Any:
    """What a call gives: the answer with its headers, or the error with its text."""
    options: dict[str, Any] = {"options": Options(timeout=Timeout(read=0.3, total=3.0), max_retries=0)}
    said = [{"role": "user", "content": "hi"}]

    async def awaited() -> Any:
        async with AsyncHfInferenceEndpoint(url, "key", server="openai" if stream else "toolkit", **options) as hf:
            if stream:
                return [part.text async for part in hf.chat_completion_stream(said, model="m")]
            return await hf.respond(TextClassification("a text"))

    def blocking() -> Any:
        with HfInferenceEndpoint(url, "key", server="openai" if stream else "toolkit", **options) as hf:
            return (
                [part.text for part in hf.chat_completion_stream(said, model="m")]
                if stream
                else hf.respond(TextClassification("a text"))
            )

    try:
        return asyncio.run(awaited()) if kind == "async" else blocking()
    except HfError as error:
        chain = type(error.__cause__), type(error.__cause__ and error.__cause__.__cause__)
        return type(error), str(error), chain, getattr(error, "headers", None), getattr(error, "retryable", None)


def _touched(*_: object) -> bool:
    return False


@pytest.mark.parametrize("name", ANSWERS)
def test_both_ways_send_the_same_and_say_the_same(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[str, str]] = []
    for _ in range(2):
        server = Server(ANSWERS[name])
        try:
            said = repr(_called(kind, f"http://127.0.0.1:{server.port}", stream="stream" in name))
        finally:
            server.close()
        (head,) = server.heads
        found.append((said.replace(str(server.port), "PORT"), head.decode().replace(str(server.port), "PORT")))
        for module, _, _ in WAYS:
            monkeypatch.setattr(f"{module}.untouched", _touched)
    assert found[0] == found[1]
    assert "authorization: Bearer key" in found[0][1]


def test_nobody_listens(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(b"")
    server.close()
    found: list[Any] = [_called(kind, f"http://127.0.0.1:{server.port}", stream=False)]
    for module, _, _ in WAYS:
        monkeypatch.setattr(f"{module}.untouched", _touched)
    found.append(_called(kind, f"http://127.0.0.1:{server.port}", stream=False))
    assert found[0] == found[1]
    assert "Connection refused" in found[0][1]


class _Proxy:
    """What wrapt, which tracing is made with, puts into the place of a function."""

    def __init__(self, function: Any) -> None:
        self.__wrapped__, self.__code__, self.__module__ = function, function.__code__, function.__module__


@pytest.mark.parametrize(("module", "owner", "name"), WAYS)
def test_a_tool_that_replaces_a_method_of_httpx_is_asked(
    module: str, owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original: Any = getattr(owner, name)
    assert untouched(owner, name)

    def wrapped(*args: Any) -> Any:
        return original(*args)

    functools.update_wrapper(wrapped, original)
    replaced: list[Any] = [wrapped, _Proxy(original), functools.partial(original)]
    places: dict[str, Any] = {}
    for beside in (f"{HTTPX[:-1]}_mock/plugin.py", f"{HTTPX}_other.py"):  # the first is no part of httpx
        exec(compile(f"def {name}(self, request): ...", beside, "exec"), places)
        replaced.append(places[name])
    replaced.append(vars(httpx.MockTransport)[name])
    for other in replaced:
        monkeypatch.setattr(owner, name, other)
        assert not untouched(owner, name)


@pytest.fixture
def without_certificates(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Loading the certificates fails, and is noted."""
    tried: list[int] = []

    def fail() -> ssl.SSLContext:
        tried.append(1)
        raise OSError("no certificates here")

    shared.tls.cache_clear()
    monkeypatch.setattr(httpx, "create_ssl_context", fail)
    yield tried
    shared.tls.cache_clear()


def test_certificates_are_loaded_for_a_secured_connection_only(kind: str, without_certificates: list[int]) -> None:
    server = Server(_json(), b"no TLS\r\n\r\n")
    try:
        url = f"127.0.0.1:{server.port}"
        assert _called(kind, f"http://{url}", stream=False).answer[0].label == "good"
        assert without_certificates == []
        failed, text, *_ = _called(kind, f"https://{url}", stream=False)
        assert failed is ConfigurationError
        assert text.startswith(
            "the certificates cannot be loaded: no certificates here (task text-classification, url "
        )
        assert text.endswith("). Mend SSL_CERT_FILE or SSL_CERT_DIR, which name them")
        assert without_certificates == [1]
    finally:
        server.close()


def test_certificates_are_not_mended_at_the_proxy(
    kind: str, without_certificates: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    failed, text, *_ = _called(kind, "https://127.0.0.1:9", stream=False)
    assert (failed, without_certificates) == (ConfigurationError, [1])
    assert text.startswith("the certificates cannot be loaded: no certificates here (task text-classification")
    assert "HTTPS_PROXY" not in text


def test_a_pool_by_itself_trusts_nobody() -> None:
    context, another = shared.unloaded(), shared.unloaded()  # made by two threads at once, say
    assert (context.check_hostname, context.verify_mode, context.get_ca_certs()) == (True, ssl.CERT_REQUIRED, [])
    assert shared.loaded(context) is shared.loaded(another) is shared.tls()
    other = ssl.create_default_context()
    assert shared.loaded(other) is other


@pytest.mark.parametrize("transport", [deadlines.Deadlined, shards.Looking])
def test_where_the_pool_cannot_be_ours_it_has_certificates(transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    def nothing(*_: object, verify: Any, **__: object) -> None:
        given.append(verify)

    monkeypatch.setattr(transport.__base__, "__init__", nothing)
    transport(shared.LIMITS)
    assert [type(each) for each in given] == [shared.Unloaded, ssl.SSLContext]
    assert given[1] is shared.tls()


def test_a_tool_that_was_there_before_us_is_asked() -> None:
    code = """
import httpx
original, seen = httpx.HTTPTransport.handle_request, []
def traced(self, request):
    seen.append(str(request.url))
    raise httpx.ConnectError("as the tool says")
httpx.HTTPTransport.handle_request = traced
from hf_tools import HfInferenceEndpoint
from hf_tools.errors import ConnectError
try:
    HfInferenceEndpoint("http://127.0.0.1:9", server="toolkit").with_options(max_retries=0).summarization("a")
except ConnectError as error:
    print(seen, error.message)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['http://127.0.0.1:9'] no connection: as the tool says\n"


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_may_answer_for_the_pool(kind: str, stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """vcrpy's answers hold a body that has nothing to close."""
    told = CHAT if stream else TEXT

    def replay(*_: object) -> httpcore.Response:
        return httpcore.Response(200, content=told)

    async def areplay(*_: object) -> httpcore.Response:
        return httpcore.Response(200, content=told)

    monkeypatch.setattr(httpcore.ConnectionPool, "handle_request", replay)
    monkeypatch.setattr(httpcore.AsyncConnectionPool, "handle_async_request", areplay)
    found = _called(kind, "http://127.0.0.1:9", stream=stream)
    assert (found if stream else found.answer[0].label) == (["Hi"] if stream else "good")


def test_an_error_that_a_tool_has_derived_is_one_of_its_kind(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(httpcore.ConnectError):
        """A tool's own."""

    def fail(*_: object) -> httpcore.Response:
        raise Refused("by a tool")

    monkeypatch.setattr(httpcore.ConnectionPool, "handle_request", fail)
    monkeypatch.setattr(httpcore.AsyncConnectionPool, "handle_async_request", fail)
    failed, text, *_ = _called(kind, "http://127.0.0.1:9", stream=False)
    assert (failed, text.partition(" (")[0]) == (ConnectError, "no connection: by a tool")


PROXIES = [
    ("socks5://127.0.0.1:9", "Using SOCKS proxy, but the 'socksio' package is not installed"),
    ("gopher://me:secret@127.0.0.1:9", "Unknown scheme for proxy URL"),
    ("http://127.0.0.1:port", "Invalid port"),
]


@pytest.mark.parametrize(("proxy", "why"), PROXIES)
def test_a_proxy_that_cannot_be_used(kind: str, proxy: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setitem(sys.modules, "socksio", None)
    failed, text, *_ = _called(kind, "http://127.0.0.1:9", stream=False)
    assert failed is ConfigurationError
    assert text.startswith(f"the proxy that the environment names cannot be used: {why}")
    assert "Mend HTTP_PROXY, HTTPS_PROXY or ALL_PROXY, or pass http_client=" in text
    assert "secret" not in text
