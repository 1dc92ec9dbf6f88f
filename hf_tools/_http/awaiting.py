"""What only the awaiting driver needs of the network: asyncio takes a tenth of the time of importing the package."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterable
from typing import Any, cast

import httpcore

from hf_tools._http.network import FAILED, Gate, Outgoing, Way, spoken
from hf_tools._http.shared import loaded
from hf_tools.steps import Flight


async def landed(flight: Flight, seconds: float | None) -> None:
    """Wait for an answer that another thread or event loop asks for, at most so many seconds."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            loop.call_soon_threadsafe(ended.set)

    flight.call(wake)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await ended.wait()


class _Connection(httpcore.AsyncNetworkStream):
    """A connection whose first bytes are looked at, and which a broken handshake leaves closed."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream, self._begun, self._outgoing = stream, False, Outgoing()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's name
        if self._outgoing.held:
            await self.write(b"", timeout)
        data = await self._stream.read(max_bytes, timeout)
        if not self._begun:
            self._begun = True
            spoken(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        pieces, self._outgoing.broken = self._outgoing.take(buffer), True
        for piece in pieces:
            await self._stream.write(piece, timeout)
        self._outgoing.broken = False

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        try:
            return _Connection(await self._stream.start_tls(loaded(ssl_context), server_hostname, timeout))
        except BaseException:  # httpcore forgets the connection where the call is cancelled
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        """About the connection; one that is broken is `is_readable`, by which pools know that it has ended."""
        return True if info == "is_readable" and self._outgoing.broken else self._stream.get_extra_info(info)


class AsyncBackend(httpcore.AsyncNetworkBackend):
    """The network for the awaiting driver."""

    def __init__(self, gate: Gate | None = None) -> None:
        self._gate = gate
        self._network: httpcore.AsyncNetworkBackend = cast(Any, httpcore.AnyIOBackend)()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None,  # noqa: ASYNC109 - httpcore's name
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        """Look the name up, and connect to the first of its addresses that answers."""
        way = Way(host, port, timeout, self._gate)
        if way.lookup is not None:
            await landed(way.lookup.done, way.left)
        failure: Exception | None = None
        for address, seconds in way.attempts():
            try:
                return _Connection(
                    await self._network.connect_tcp(address, port, seconds, local_address, socket_options)
                )
            except FAILED as error:
                failure = error
        raise failure or httpcore.ConnectError("no address")
