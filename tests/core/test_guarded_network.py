"""Names are looked up once, all their addresses are checked, and the connection goes to one that was checked."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpcore
import pytest

from hf_tools._http import network as lookups
from hf_tools.errors import MediaError
from hf_tools.media import Image, MediaPolicy
from tests.core.serving_files import PNG, Server, answer, load, policy, source

PUBLIC = "93.184.216.34"


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(answer())
    yield made
    made.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Give names addresses, a list for each lookup; tells which names were asked for."""

    def known(*answers: list[str] | Exception) -> list[str]:
        asked: list[str] = []

        def resolve(host: str, port: int) -> list[str]:
            asked.append(host)
            found = answers[min(len(asked), len(answers)) - 1]
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(lookups, "resolve", resolve)
        return asked

    return known


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were connected to; the public ones lead to this machine, but for the first one listed."""
    found: list[str] = []
    network: Any = httpcore.AnyIOBackend
    blocking, awaiting = httpcore.SyncBackend.connect_tcp, network.connect_tcp

    def there(host: str) -> str:
        found.append(host)
        if host == "8.8.8.8":
            raise httpcore.ConnectError("nobody there")
        return "127.0.0.1"

    def connect(self: Any, host: str, *args: Any) -> Any:
        return blocking(self, there(host), *args)

    async def aconnect(self: Any, host: str, *args: Any) -> Any:
        return await awaiting(self, there(host), *args)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    monkeypatch.setattr(network, "connect_tcp", aconnect)
    return found


def refused(kind: str, url: str, allowed: MediaPolicy) -> str:
    with pytest.raises(MediaError) as caught:
        load(kind, source(url, allowed))
    return caught.value.message


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["0.0.0.0"], ["100.64.1.1"], ["::1"], ["fe80::1%2"],
        ["2002:7f00:1::"], ["2001:0:4136:e378:8000:63bf:3fff:fdd2"], ["64:ff9b::7f00:1"], ["::ffff:127.0.0.1"],
        ["fd00:ec2::254"], [PUBLIC, "127.0.0.1"],
    ],
)  # fmt: skip
def test_a_name_of_a_private_address_is_refused(
    kind: str, server: Server, names: Any, connected: list[str], addresses: list[str]
) -> None:
    names(addresses)
    message = "the host 'cat.example.org' is not allowed: it is not on the public internet"
    for hosts in ("public", ["cat.example.org"], ["*.example.org"]):
        assert refused(kind, server.url(host="cat.example.org"), policy(server, hosts=hosts)) == message
    assert (connected, server.heads) == ([], [])


def test_the_connection_goes_to_the_address_that_was_checked(
    kind: str, server: Server, names: Any, connected: list[str]
) -> None:
    """A second lookup would give another address."""
    asked = names([PUBLIC], ["127.0.0.1"])
    assert load(kind, source(server.url(host="cat.example.org"), policy(server, hosts="public"))) == Image(PNG)
    assert (asked, connected) == (["cat.example.org"], [PUBLIC])
    assert f"host: cat.example.org:{server.port}" in server.heads[0].decode().lower()


def test_the_next_request_is_checked_again(kind: str, server: Server, names: Any, connected: list[str]) -> None:
    server.answers[0] = answer(b"", "location: /again", status="302 Found")
    names([PUBLIC], ["127.0.0.1"])
    message = "the host 'cat.example.org' is not allowed: it is not on the public internet"
    assert refused(kind, server.url(host="cat.example.org"), policy(server, hosts="public")) == message
    assert (connected, len(server.heads)) == ([PUBLIC], 1)


def test_the_next_address_is_tried(kind: str, server: Server, names: Any, connected: list[str]) -> None:
    names(["8.8.8.8", PUBLIC])
    assert load(kind, source(server.url(host="cat.example.org"), policy(server, hosts="public"))) == Image(PNG)
    names(["8.8.8.8"])
    url = server.url(host="cat.example.org")
    assert (
        refused(kind, url, policy(server, hosts="public"))
        == f"the URL {url} cannot be read: no connection: nobody there"
    )
    assert connected == ["8.8.8.8", PUBLIC, "8.8.8.8"]


def test_an_address_that_was_listed_may_be_private(kind: str, server: Server, names: Any) -> None:
    names(["127.0.0.1"])
    allowed = policy(server, hosts=["intranet.example", "127.0.0.1"])
    assert load(kind, source(server.url(host="intranet.example"), allowed)) == Image(PNG)


def test_what_is_connected_to_is_checked_whatever_the_url_seemed_to_say(kind: str, server: Server) -> None:
    """The last check is where the connection is made, for two parsers may read one URL in two ways."""

    class Blind(MediaPolicy):
        @property
        def gate(self) -> Any:
            real = super().gate

            class Open:
                check = staticmethod(str)
                admit = staticmethod(real.admit)
                admit_addresses = staticmethod(real.admit_addresses)

            return Open()

    allowed = Blind(hosts=["example.org"], schemes=["http"], ports=[server.port])
    assert refused(kind, server.url(), allowed) == "the host '127.0.0.1' is not allowed"
    assert server.heads == []


@pytest.mark.parametrize("failure", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_name_that_does_not_exist(kind: str, server: Server, names: Any, failure: Exception) -> None:
    names(failure)
    url = server.url(host="cat.example.org")
    message = (
        f"the URL {url} cannot be read: the host name cannot be resolved: name resolution failed for cat.example.org"
    )
    assert refused(kind, url, policy(server, hosts="public")) == message


def test_another_failure_of_the_lookup_is_told(kind: str, server: Server, names: Any) -> None:
    names(RuntimeError("out of order"))
    url = server.url(host="cat.example.org")
    message = f"the URL {url} cannot be read: RuntimeError: out of order"
    assert refused(kind, url, policy(server, hosts="public")) == message


def test_a_slow_lookup_ends_with_the_time(kind: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        ended.wait(30.0)
        return ["127.0.0.1"]

    monkeypatch.setattr(lookups, "resolve", slow)
    url = server.url(host="cat.example.org")
    begun = time.monotonic()
    allowed = policy(server, hosts="public", timeout=0.2)
    assert refused(kind, url, allowed) == f"the URL {url} takes longer than 0.2 s"
    assert time.monotonic() - begun < 10
    ended.set()


def test_a_lookup_that_gives_nothing(kind: str, server: Server, names: Any) -> None:
    names([])
    url = server.url(host="cat.example.org")
    message = f"the URL {url} cannot be read: no connection within the connect timeout: name resolution took too long"
    assert refused(kind, url, policy(server, hosts="public")) == message


def test_the_system_is_asked_for_addresses() -> None:
    assert lookups.resolve("localhost", 80)[0] in ("127.0.0.1", "::1")
    with pytest.raises(OSError, match="not known"):
        lookups.resolve("nowhere.invalid", 80)


def test_tls_verifies_the_name(kind: str, server: Server, names: Any, connected: list[str], monkeypatch: Any) -> None:
    names([PUBLIC])
    asked: list[str] = []
    wrap, bio = ssl.SSLContext.wrap_socket, ssl.SSLContext.wrap_bio

    def noted(original: Any) -> Any:
        def call(self: Any, *args: Any, **options: Any) -> Any:
            name: Any = options.get("server_hostname")
            asked.append(name.decode() if isinstance(name, bytes) else name)
            assert (self.check_hostname, self.verify_mode) == (True, ssl.CERT_REQUIRED)
            return original(self, *args, **options)

        return call

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", noted(wrap))
    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", noted(bio))
    server.answers[0] = b"no TLS\r\n\r\n"
    url = server.url(host="cat.example.org").replace("http:", "https:")
    allowed = policy(server, hosts="public", schemes=["https"], timeout=1.0)
    assert refused(kind, url, allowed).startswith(f"the URL {url} cannot be read: no secure connection: ")
    assert asked == ["cat.example.org"]
