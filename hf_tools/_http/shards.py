"""Several small pools behind one async client.

httpcore looks at every connection of a pool whenever a request begins or ends, so that one pool with 100 requests in
flight costs five times what thirteen pools with eight each cost (measured; encode/httpcore#1035 would mend it).
"""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import AsyncIterator, Callable
from typing import cast

import httpx

IN_FLIGHT = 8
"""Requests in one pool before another pool is opened."""
POOLS = 64
"""Most pools; beyond, they are shared evenly."""


class _Pool:
    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.load = 0


class _Counted(httpx.AsyncByteStream):
    """The body of an answer; its pool is free again once it is closed."""

    def __init__(self, stream: httpx.AsyncByteStream, pool: _Pool) -> None:
        self._stream, self._pool, self._open = stream, pool, True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            self._pool.load -= 1
        await self._stream.aclose()


class Shards(httpx.AsyncBaseTransport):
    """A transport that opens another pool when the pools it has are busy."""

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._make = make
        self._pools: list[_Pool] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send by the first pool that has room: its connections are the warmest."""
        pool = self._free()
        pool.load += 1
        try:
            response = await pool.transport.handle_async_request(request)
        except BaseException:
            pool.load -= 1
            raise
        response.stream = _Counted(cast(httpx.AsyncByteStream, response.stream), pool)
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


def sharded(tls: ssl.SSLContext) -> Shards | None:
    """The transport for the network; None where a proxy is set, for httpx then chooses transports by itself."""
    if urllib.request.getproxies():
        return None
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=IN_FLIGHT)
    return Shards(lambda: httpx.AsyncHTTPTransport(verify=tls, limits=limits))
