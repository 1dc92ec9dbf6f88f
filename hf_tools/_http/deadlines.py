"""A blocking transport whose every wait ends at the deadline of the call.

httpx knows the longest silence between bytes, no total: a server that sends one byte now and then would keep a blocking
call for ever, in the head of an answer as well. Here each read, write and connect gets what is left of the call's time.
"""

from __future__ import annotations

import ssl
import time
import urllib.request
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from hf_tools._http.faults import DEADLINE


def left(timeout: float | None) -> float | None:
    """The shorter of a wait and what is left; httpcore's own error where nothing is."""
    deadline = DEADLINE.get()
    if deadline is None:
        return timeout
    rest = deadline - time.monotonic()
    if rest <= 0:
        raise httpcore.ReadTimeout("the deadline of the call")
    return rest if timeout is None else min(timeout, rest)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Backend(httpcore.SyncBackend):
    """The network, with every wait bounded by the deadline of the call."""

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """Connect within what is left."""
        return _Stream(super().connect_tcp(host, port, left(timeout), local_address, socket_options))


class Deadlined(httpx.HTTPTransport):
    """httpx's own transport, on a pool with the backend above.

    httpx has no public way to choose the backend of its pool. Where its private attribute is not there, this is
    httpx's transport unchanged, and a deadline is noticed between reads only.
    """

    def __init__(self, tls: ssl.SSLContext, limits: httpx.Limits) -> None:
        super().__init__(verify=tls, limits=limits)
        if isinstance(getattr(self, "_pool", None), httpcore.ConnectionPool):
            self._pool = httpcore.ConnectionPool(
                ssl_context=tls,
                max_connections=limits.max_connections,
                max_keepalive_connections=limits.max_keepalive_connections,
                keepalive_expiry=limits.keepalive_expiry,
                network_backend=Backend(),
            )


def deadlined(tls: ssl.SSLContext, limits: httpx.Limits) -> Deadlined | None:
    """The transport for the network; None where a proxy is set, for httpx then chooses transports by itself."""
    return None if urllib.request.getproxies() else Deadlined(tls, limits)
