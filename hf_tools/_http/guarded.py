"""Connections for downloads that a model has asked for: to the very addresses that were checked, and to no others.

The check is part of connecting, below redirects and URL parsers: a name is looked up once, all of its addresses are
checked, and the connection goes to one of those. TLS still verifies the name. No proxy, no cookie, no credential.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

import httpcore
import httpx

from hf_tools._http.deadlines import Backend, left
from hf_tools._http.shared import landed, no_cookies, tls
from hf_tools.errors import MediaError, shown
from hf_tools.media.addresses import literal
from hf_tools.steps import Flight, Send

TRIED = 4
"""Addresses of a host that are tried, one after the other."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the system's order."""
    return list(dict.fromkeys(str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class Lookup:
    """A name that is looked up in a thread of its own: the system's resolver knows no deadline."""

    def __init__(self, host: str, port: int) -> None:
        self.done = Flight()
        self._found: list[str] | Exception = []
        self._asked = host, port
        threading.Thread(target=self._run, name="hf-tools lookup", daemon=True).start()

    def _run(self) -> None:
        try:
            self._found = resolve(*self._asked)
        except Exception as error:  # noqa: BLE001 - whoever waits raises it
            self._found = error
        self.done.land()

    def addresses(self) -> list[str]:
        """What was found; httpcore's error where it was nothing, in time."""
        if isinstance(self._found, OSError | UnicodeError):
            raise httpcore.ConnectError(f"name resolution failed for {shown(self._asked[0], 60)}") from self._found
        if isinstance(self._found, Exception):
            raise self._found
        if not self._found:
            raise httpcore.ConnectTimeout("name resolution took too long")
        return self._found


class Blocking(Backend):
    """The network for the blocking driver, behind the guard of a step."""

    def __init__(self, step: Send) -> None:
        super().__init__()
        self._guard = Guard(step)

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """Look the name up, check its addresses, and connect to one of them."""
        lookup = self._guard.admitted(host, port)
        if lookup is not None:
            lookup.done.wait(left(timeout))
        failure: Exception | None = None
        for address in self._guard.checked(host, lookup):
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("no address")


class Awaiting(httpcore.AsyncNetworkBackend):
    """The network for the awaiting driver, behind the guard of a step."""

    def __init__(self, step: Send) -> None:
        self._guard = Guard(step)
        self._network: httpcore.AsyncNetworkBackend = cast(Any, httpcore.AnyIOBackend)()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None,  # noqa: ASYNC109 - httpcore's name
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        """Look the name up, check its addresses, and connect to one of them."""
        lookup = self._guard.admitted(host, port)
        if lookup is not None:
            await landed(lookup.done, timeout)
        failure: Exception | None = None
        for address in self._guard.checked(host, lookup):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("no address")


class Gate(Protocol):
    """What is asked of the guard of a step."""

    def admit(self, host: str, port: int) -> None:
        """Refuse a host or port."""
        ...

    def admit_addresses(self, host: str, addresses: list[str]) -> None:
        """Refuse a host for its addresses."""
        ...


class Guard:
    """What both networks ask of a step's guard."""

    def __init__(self, step: Send) -> None:
        assert step.guard is not None
        self._gate: Gate = step.guard.gate

    def admitted(self, host: str, port: int) -> Lookup | None:
        """The lookup of a name that is admitted; None for an address."""
        self._gate.admit(host, port)
        return None if literal(host) else Lookup(host, port)

    def checked(self, host: str, lookup: Lookup | None) -> list[str]:
        """The addresses to connect to, all of them checked."""
        addresses = [host] if lookup is None else lookup.addresses()
        self._gate.admit_addresses(host, addresses)
        return addresses[:TRIED]


@contextmanager
def _as_httpx() -> Generator[None, None, None]:
    """Errors of httpcore as those of the same name in httpx."""
    try:
        yield
    except Exception as error:
        same: Any = getattr(httpx, type(error).__name__, None)
        if type(error).__module__.partition(".")[0] != "httpcore" or same is None:
            raise
        raise same(str(error)) from error


def _asked(request: httpx.Request) -> httpcore.Request:
    url = request.url
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    return httpcore.Request(request.method, target, headers=request.headers.raw, extensions=request.extensions)


def _unencoded(headers: httpx.Headers) -> None:
    """Refuse a body that would have to be unpacked, before any of it is: a few bytes may become gigabytes."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise MediaError(f"the server sends the file packed ({shown(encoding, 20)}), though that was not asked for")


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for piece in self._answer.aiter_stream():
                yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


class _Transport(httpx.BaseTransport):
    def __init__(self, step: Send) -> None:
        self._pool = httpcore.ConnectionPool(tls(), network_backend=Blocking(step))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _as_httpx():
            answer = self._pool.handle_request(_asked(request))
        response = httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))
        _unencoded(response.headers)
        return response

    def close(self) -> None:
        self._pool.close()


class _AsyncTransport(httpx.AsyncBaseTransport):
    def __init__(self, step: Send) -> None:
        self._pool = httpcore.AsyncConnectionPool(tls(), network_backend=Awaiting(step))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _as_httpx():
            answer = await self._pool.handle_async_request(_asked(request))
        response = httpx.Response(answer.status, headers=answer.headers, stream=_AsyncBody(answer))
        _unencoded(response.headers)
        return response

    async def aclose(self) -> None:
        await self._pool.aclose()


def guarded(step: Send) -> httpx.Client:
    """A client for one request of a step that has a guard."""
    return httpx.Client(transport=_Transport(step), trust_env=False, cookies=no_cookies())


def aguarded(step: Send) -> httpx.AsyncClient:
    """An awaiting client for one request of a step that has a guard."""
    return httpx.AsyncClient(transport=_AsyncTransport(step), trust_env=False, cookies=no_cookies())
