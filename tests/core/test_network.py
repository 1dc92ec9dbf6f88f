"""Names are looked up within the call's time, addresses are tried by turns, and nothing stays open."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest

from hf_tools import AsyncHfInferenceEndpoint, HfInferenceEndpoint, Options, errors
from hf_tools._http import network
from hf_tools._http.awaiting import AsyncBackend
from hf_tools._http.deadlines import Backend
from hf_tools._http.network import alternating, spoken

NAME = "server.invalid"


@pytest.fixture
def stalled(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A resolver that answers when the test is over."""
    ended = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        ended.wait(30)
        return ["127.0.0.1"]

    monkeypatch.setattr(network, "resolve", resolve)
    yield ended
    ended.set()


def named(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    monkeypatch.setattr(network, "resolve", resolve)


@pytest.fixture
def listening() -> Iterator[tuple[int, list[socket.socket]]]:
    """A port of this machine, and the connections that it got; nothing is ever said."""
    got: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    got.append(server.accept()[0])
                except OSError:
                    return

        taking = threading.Thread(target=accept, daemon=True)
        taking.start()
        yield server.getsockname()[1], got
        server.shutdown(socket.SHUT_RDWR)
        taking.join()
    for one in got:
        one.close()


def connect(kind: str, host: str, port: int, timeout: float | None = 5.0) -> None:
    """Connect, and close again."""
    if kind == "sync":
        Backend().connect_tcp(host, port, timeout).close()
        return

    async def run() -> None:
        found = await AsyncBackend().connect_tcp(host, port, timeout)
        assert found.get_extra_info("socket") is not None
        await found.aclose()

    asyncio.run(run())


def summarized(kind: str, url: str, options: Options) -> None:
    """A call of a client of that kind."""
    if kind == "sync":
        HfInferenceEndpoint(url, False, server="openai", options=options).summarization("x")
    else:
        asyncio.run(AsyncHfInferenceEndpoint(url, False, server="openai", options=options).summarization("x"))


@pytest.mark.parametrize(
    ("addresses", "order"),
    [
        (["1.1.1.1"], ["1.1.1.1"]),
        (["::1", "::2", "::3", "1.1.1.1"], ["::1", "1.1.1.1", "::2", "::3"]),
        (["1.1.1.1", "1.1.1.2", "::1"], ["1.1.1.1", "::1", "1.1.1.2"]),
    ],
)
def test_both_families_come_by_turns(addresses: list[str], order: list[str]) -> None:
    assert alternating(addresses) == order


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_silent_resolver_is_not_waited_for(kind: str, stalled: threading.Event) -> None:
    begun = time.monotonic()
    with pytest.raises(errors.DeadlineExceeded):
        summarized(kind, f"http://{NAME}", Options(timeout=0.3, max_retries=0))
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_time_to_connect_bounds_the_look_up(kind: str, stalled: threading.Event) -> None:
    with pytest.raises(httpcore.ConnectTimeout, match="name resolution took too long"):
        connect(kind, NAME, 80, 0.05)


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("timeout", [None, 5.0])
def test_the_next_address_is_tried(
    kind: str, timeout: float | None, listening: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, "::1", "127.0.0.1")
    connect(kind, NAME, listening[0], timeout)
    named(monkeypatch, "::1", "127.0.0.3")
    with pytest.raises(httpcore.ConnectError):
        connect(kind, NAME, listening[0], timeout)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_address_that_is_silent_has_its_turn_only(
    kind: str, listening: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, "127.0.0.2", "127.0.0.1")
    monkeypatch.setattr(network, "TURN", 0.1)
    port = listening[0]
    with socket.create_server(("127.0.0.2", port), backlog=0), socket.socket() as one, socket.socket() as two:
        for each in (one, two):  # the queue is full
            each.setblocking(False)
            each.connect_ex(("127.0.0.2", port))
        begun = time.monotonic()
        connect(kind, NAME, port)
    assert 0.1 <= time.monotonic() - begun < 2


@pytest.mark.parametrize("first", [b"SSH-2.0-OpenSSH_9.6\r\n", b"<html>", b"HTTQ", b"\x15\x03\x01"])
def test_first_bytes_that_are_no_http(first: bytes) -> None:
    with pytest.raises(httpcore.RemoteProtocolError, match="it begins"):
        spoken(first)


def test_first_bytes_that_are_http() -> None:
    for first in (b"", b"H", b"HTTP", b"HTTP/", b"HTTP/1.1 200 OK"):
        spoken(first)


def test_a_handshake_that_is_cancelled_leaves_nothing_open(listening: Any) -> None:
    """httpcore closes the connection for errors only."""
    port, got = listening

    async def run() -> bytes:
        stream = await AsyncBackend().connect_tcp("127.0.0.1", port, 5)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await stream.start_tls(ssl.create_default_context(), "localhost", 5)
        return await asyncio.get_running_loop().run_in_executor(None, ended, got[0])

    assert asyncio.run(run()) == b""


def ended(connection: socket.socket) -> bytes:
    """What comes after the client's greeting: nothing, for it has closed."""
    connection.settimeout(2)
    while data := connection.recv(65536):
        assert data[:1] == b"\x16"
    return data


def test_the_systems_word_for_a_failure(listening: Any) -> None:
    hf = AsyncHfInferenceEndpoint("http://127.0.0.3:9", False, server="openai", options=Options(max_retries=0))
    with pytest.raises(errors.ConnectError, match="Connection refused"):
        asyncio.run(hf.summarization("x"))
