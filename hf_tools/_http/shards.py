"""Several small pools behind one async client.

httpcore looks at every connection of a pool whenever a request begins or ends, so that one pool with 100 requests in
flight costs five times what thirteen pools with eight each cost (measured; encode/httpcore#1035 would mend it).
"""

from __future__ import annotations

import asyncio
import functools
import types
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Generator
from typing import Any, Protocol, cast

import httpcore
import httpx

from hf_tools._http.awaiting import AsyncBackend
from hf_tools._http.direct import Incoming, asked, ended, untouched
from hf_tools._http.shared import bare_request, proxied, tls, unloaded
from hf_tools.steps import Send

IN_FLIGHT = 8
"""Requests in one pool before another pool is opened."""
POOLS = 64
"""Most pools; beyond, they are shared evenly."""


class _Pool:
    def __init__(self, transport: Sending) -> None:
        self.transport = transport
        self.load = 0
        self._left: list[Any] = []

    def forget(self) -> None:
        """Forget requests that have ended and that httpcore has kept; not at once, for it may be just about to."""
        while self._left:
            asked, request = getattr(getattr(self.transport, "_pool", None), "_requests", []), self._left.pop()
            if request in asked:
                asked.remove(request)

    async def swept(self, body: Any = None) -> None:
        """Close connections that are busy with no request: httpcore keeps those that were cancelled at a bad moment.

        That is just as one was made, or a second time while it was given back; a `body` is that of a request which then
        may be kept as well. They stand in private lists of its pool; where those are not there, nothing is done.
        """
        inner = getattr(self.transport, "_pool", None)
        known, asked = getattr(inner, "_connections", []), getattr(inner, "_requests", [])
        if (left := getattr(body, "_pool_request", None)) in asked:
            self._left.append(left)
        used = [each.connection for each in asked if each is not left]
        for each in [one for one in known if one not in used and not (one.is_idle() or one.is_closed())]:
            known.remove(each)
            await put_off(each.aclose())


@types.coroutine
def put_off(made: Coroutine[Any, Any, None]) -> Generator[Any, Any, None]:
    """Await to its end what only gives others their turn: a cancellation meanwhile is raised after it.

    httpcore gives a connection back in several steps; cancelled between two of them it would keep it for ever.
    """
    cancelled: asyncio.CancelledError | None = None
    resume: Callable[[], Any] = functools.partial(made.send, None)
    while True:
        try:
            waits_for = resume()
        except StopIteration:
            break
        resume = functools.partial(made.send, None)
        try:
            yield waits_for
        except asyncio.CancelledError as error:
            if waits_for is None:
                cancelled = error
            else:  # it waits for something, maybe for long
                resume = functools.partial(made.throw, error)
        except GeneratorExit as error:
            resume = functools.partial(made.throw, error)
    if cancelled is not None:
        raise cancelled


class _Counted(httpx.AsyncByteStream):
    """The body of an answer; its pool is free again once it is closed."""

    def __init__(self, stream: AsyncIterable[bytes], pool: _Pool) -> None:
        self._stream, self._pool, self._open = stream, pool, True

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            self._pool.load -= 1
        failed = getattr(self._stream, "_closed", False)  # httpcore closes by itself a body whose reading fails
        try:
            await put_off(ended(self._stream))
        except BaseException:
            failed = True
            raise
        finally:
            if failed:
                await self._pool.swept(self._stream)


class Sending(Protocol):
    """A transport that takes steps."""

    async def send(self, step: Send) -> httpx.Response | Incoming:
        """Send; the answer's head has come, its body is still to be read."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class Shards(httpx.AsyncBaseTransport):
    """A transport that opens another pool when the pools it has are busy."""

    def __init__(self, make: Callable[[], Sending]) -> None:
        self._make = make
        self._pools: list[_Pool] = []

    async def send(self, step: Send) -> httpx.Response | Incoming:
        """Send by the first pool that has room: its connections are the warmest."""
        pool = self._free()
        pool.load += 1
        pool.forget()
        try:
            response = await pool.transport.send(step)
        except BaseException:
            pool.load -= 1
            await pool.swept()
            raise
        response.stream = _Counted(cast(AsyncIterable[bytes], response.stream), pool)
        return response

    def _free(self) -> _Pool:
        for pool in self._pools:
            if pool.load < IN_FLIGHT:
                return pool
        if len(self._pools) < POOLS:
            self._pools.append(_Pool(self._make()))
            return self._pools[-1]
        return min(self._pools, key=lambda pool: pool.load)

    async def aclose(self) -> None:
        """Close all pools."""
        for pool in self._pools:
            await pool.transport.aclose()


class Looking(httpx.AsyncHTTPTransport):
    """httpx's own transport on a pool whose names are looked up within the time to connect.

    asyncio's own look-up goes on in a thread when nobody waits for it any more, and `asyncio.run` then waits for that
    thread. Where httpx's private attribute is not there, this is httpx's transport unchanged.
    """

    def __init__(self, limits: httpx.Limits) -> None:
        super().__init__(verify=unloaded(), limits=limits)
        self._own: httpcore.AsyncConnectionPool | None = None
        if isinstance(getattr(self, "_pool", None), httpcore.AsyncConnectionPool):
            self._pool = self._own = httpcore.AsyncConnectionPool(
                ssl_context=unloaded(),
                max_connections=limits.max_connections,
                max_keepalive_connections=limits.max_keepalive_connections,
                keepalive_expiry=limits.keepalive_expiry,
                network_backend=AsyncBackend(),
            )
        else:
            super().__init__(verify=tls(), limits=limits)

    async def send(self, step: Send) -> httpx.Response | Incoming:
        """Send; the answer's head has come, its body is still to be read."""
        if self._own is not None and untouched(httpx.AsyncHTTPTransport, "handle_async_request"):
            return Incoming(await self._own.handle_async_request(asked(step)))
        response = await self.handle_async_request(request := bare_request(step))
        response.request = request
        return response


def sharded() -> Shards | None:
    """The transport for the network; None where a proxy is set, for httpx then chooses transports by itself."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=IN_FLIGHT)
    return None if proxied() else Shards(lambda: Looking(limits))
