"""The blocking transport: what is left of a call's time bounds each wait of a connection."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import httpcore
import httpx
import pytest

from hf_tools import HfInference, Options, Timeout, errors
from hf_tools._http.awaiting import _Connection  # pyright: ignore[reportPrivateUsage]
from hf_tools._http.deadlines import Backend, Deadlined, _Stream, deadlined, left  # pyright: ignore[reportPrivateUsage]
from hf_tools._http.faults import until
from hf_tools._http.network import SMALL
from hf_tools._http.shared import LIMITS, bare_request, head_of, tls
from hf_tools.steps import Send
from hf_tools.task import Reply


class Connection(httpcore.NetworkStream):
    """Notes the waits that it is given, and what is written."""

    def __init__(self) -> None:
        self.waits: list[float | None] = []
        self.written: list[bytes] = []

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.waits.append(timeout)
        return b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.waits.append(timeout)
        self.written.append(buffer)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self.waits.append(timeout)
        return self

    def get_extra_info(self, info: str) -> Any:
        return info

    def close(self) -> None:
        self.waits.append(None)


class AsyncConnection(httpcore.AsyncNetworkStream):
    """Notes what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.written.append(buffer)


@pytest.mark.parametrize(
    ("buffers", "written"),
    [
        ([b"head", b"body", b""], [b"headbody"]),
        ([b"head", b"body"], [b"headbody"]),  # whoever reads has written all
        ([b"head", b""], [b"head"]),
        ([b"head", bytes(SMALL), b""], [b"head", bytes(SMALL)]),
        ([bytes(SMALL + 1), b"rest", b""], [bytes(SMALL + 1), b"rest"]),
        ([b""], []),
    ],
)
async def test_a_small_request_leaves_in_one_piece(buffers: list[bytes], written: list[bytes]) -> None:
    connection, awaited = Connection(), AsyncConnection()
    stream, other = _Stream(connection), _Connection(awaited)
    for buffer in buffers:
        stream.write(buffer)
        await other.write(buffer)
    stream.read(1)
    await other.read(1)
    assert connection.written == awaited.written == written


async def test_a_connection_on_which_a_request_was_not_written_is_not_used_again() -> None:
    class Full(Connection):
        def write(self, buffer: bytes, timeout: float | None = None) -> None:
            raise httpcore.WriteError("no room")

    class AsyncFull(AsyncConnection):
        async def write(self, buffer: bytes, timeout: float | None = None) -> None:
            raise httpcore.WriteError("no room")

        def get_extra_info(self, info: str) -> Any:
            return info

    stream, other = _Stream(Full()), _Connection(AsyncFull())
    for each in (stream, other):
        assert each.get_extra_info("is_readable") == "is_readable"
    stream.write(b"request")
    await other.write(b"request")
    with pytest.raises(httpcore.WriteError):
        stream.write(b"")
    with pytest.raises(httpcore.WriteError):
        await other.write(b"")
    for each in (stream, other):
        assert each.get_extra_info("is_readable") is True
        assert each.get_extra_info("socket") == "socket"


SENT: list[tuple[str, dict[str, str], bytes | None, dict[str, str]]] = [
    ("POST", {}, b"{}", {"host": "h:81", "content-length": "2"}),
    ("POST", {}, None, {"host": "h:81", "content-length": "0"}),
    ("PUT", {}, None, {"host": "h:81", "content-length": "0"}),
    ("PATCH", {}, b"", {"host": "h:81", "content-length": "0"}),
    ("GET", {}, None, {"host": "h:81"}),
    ("POST", {"host": "models.internal"}, b"{}", {"host": "models.internal", "content-length": "2"}),
    ("POST", {"content-length": "2"}, b"{}", {"host": "h:81", "content-length": "2"}),
    ("POST", {"transfer-encoding": "chunked"}, None, {"host": "h:81", "transfer-encoding": "chunked"}),
]


@pytest.mark.parametrize(("method", "given", "content", "framed"), SENT)
def test_a_request_has_the_headers_that_httpx_gives_it(
    method: str, given: dict[str, str], content: bytes | None, framed: dict[str, str]
) -> None:
    found = bare_request(Send(method, "http://h:81/x", tuple(given.items()), content))
    usual = {"accept": "*/*", "accept-encoding": "gzip, deflate", "connection": "keep-alive"}
    assert sorted(found.headers.multi_items()) == sorted({**usual, **framed}.items())
    asked = httpx.Request(method, "http://h:81/x", headers={**usual, **given}, content=content)
    assert {name: asked.headers[name] for name in framed} == framed


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ([(b"X-A", b"1"), (b"x-a", b"2"), (b"X-B", b"3")], {"x-a": "1, 2", "x-b": "3"}),
        ([(b"X-A", "caf\u00e9".encode()), (b"X-B", b"3")], {"x-a": "caf\u00e9", "x-b": "3"}),
        ([(b"X-A", b"caf\xe9"), (b"X-A", b"2")], {"x-a": "caf\u00e9, 2"}),
    ],
)
def test_the_headers_of_an_answer_are_those_that_httpx_tells(raw: list[tuple[bytes, bytes]], told: Any) -> None:
    response = httpx.Response(204, headers=raw)
    assert head_of(response) == Reply(204, told)
    assert dict(response.headers) == told


def test_a_read_that_fails_after_the_close_is_told_as_such() -> None:
    class Broken(Connection):
        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            raise httpcore.ReadError("reset")

    stream = _Stream(Broken())
    with pytest.raises(httpcore.ReadError, match="reset"):
        stream.read(1)
    stream.close()
    with pytest.raises(httpcore.ReadError, match="the client was closed meanwhile"):
        stream.read(1)


def test_every_wait_is_bounded() -> None:
    connection = Connection()
    stream = _Stream(connection)
    with until(time.monotonic() + 5):
        stream.read(1, 60)
        stream.write(b"x", None)
        stream.write(b"", None)
        secured = stream.start_tls(tls(), "h", 2)
        secured.read(1, None)
    assert [4 < (wait or 0) <= 5 for wait in connection.waits] == [True, True, False, True]
    assert connection.waits[2] == 2
    assert secured.get_extra_info("socket") == "socket"
    secured.close()
    assert connection.waits[-1] is None


def test_without_a_deadline_the_wait_is_as_it_was() -> None:
    assert (left(7), left(None)) == (7, None)


def test_no_wait_is_begun_after_the_deadline() -> None:
    with until(time.monotonic() - 1), pytest.raises(httpcore.ReadTimeout):
        left(7)


def test_the_pool_has_our_backend() -> None:
    transport = deadlined(LIMITS)
    assert transport is not None
    assert isinstance(transport._pool._network_backend, Backend)  # pyright: ignore[reportPrivateUsage]
    transport.close()


def test_another_httpx_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> None:
        """An httpx that keeps its pool elsewhere."""

    monkeypatch.setattr(httpx.HTTPTransport, "__init__", nothing)
    assert not hasattr(Deadlined(LIMITS), "_pool")


def test_proxies_are_left_to_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert deadlined(LIMITS) is None
    with HfInference(False) as hf:
        assert not isinstance(hf._http.client()._transport, Deadlined)  # pyright: ignore[reportPrivateUsage]


def test_a_list_of_hosts_without_a_proxy_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert isinstance(deadlined(LIMITS), Deadlined)


class Dripping(httpx.SyncByteStream):
    """A stream that goes on and on."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            time.sleep(0.02)
            yield b": still here\n"


@pytest.mark.parametrize("timeout", [0.1, Timeout(total=0.1)])
def test_a_clients_own_connections_are_checked_between_reads(timeout: Any) -> None:
    answer = httpx.Response(200, stream=Dripping(), headers={"content-type": "text/event-stream"})
    http = httpx.Client(transport=httpx.MockTransport(lambda _: answer))
    hf = HfInference(False, http_client=http, options=Options(timeout=timeout))
    begun = time.monotonic()
    with pytest.raises(errors.StreamInterrupted) as caught:
        hf.chat_completion_stream([{"role": "user", "content": "x"}], model="a/b").read()
    assert isinstance(caught.value.__cause__, errors.DeadlineExceeded)
    assert time.monotonic() - begun < 1


def test_a_connection_made_while_the_client_is_closed_is_closed() -> None:
    backend = Backend()
    backend.closed = True
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with pytest.raises(httpcore.ConnectError, match="the client was closed meanwhile"):
            backend.connect_tcp("127.0.0.1", listener.getsockname()[1])
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            assert connection.recv(1) == b""
