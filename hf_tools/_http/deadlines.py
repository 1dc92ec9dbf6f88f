"""A blocking transport whose every wait ends at the deadline of the call.

httpx knows the longest silence between bytes, no total: a server that sends one byte now and then would keep a blocking
call for ever, in the head of an answer as well. Here each read, write and connect gets what is left of the call's time.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from hf_tools._http.direct import Incoming, asked, untouched
from hf_tools._http.faults import DEADLINE, Exit
from hf_tools._http.network import FAILED, Gate, Outgoing, Way, spoken
from hf_tools._http.shared import bare_request, loaded, proxied, tls, unloaded
from hf_tools.steps import Send


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
        self._stream, self._begun, self._closed, self._pid = stream, False, False, os.getpid()
        self._outgoing = Outgoing()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._outgoing.held:
            self.write(b"", timeout)
        data = b""
        try:
            data = self._stream.read(max_bytes, left(timeout))
        except httpcore.ReadError:
            if not self._closed:
                raise
        if self._closed:  # the end of what was read is not the end of the answer
            raise httpcore.ReadError("the client was closed meanwhile")
        if not self._begun:
            self._begun = True
            spoken(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        pieces, self._outgoing.broken = self._outgoing.take(buffer), True
        for piece in pieces:
            self._stream.write(piece, left(timeout))
        self._outgoing.broken = False

    def close(self) -> None:
        """Close, and wake up another thread that reads here, which closing alone leaves asleep."""
        self._closed = True
        raw = self._stream.get_extra_info("socket")
        if (
            isinstance(raw, socket.socket) and self._pid == os.getpid() and not Exit.begun
        ):  # never what a forked child has copied
            with contextlib.suppress(OSError):
                raw.shutdown(socket.SHUT_RDWR)
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            return _Stream(self._stream.start_tls(loaded(ssl_context), server_hostname, left(timeout)))
        except BaseException:  # httpcore forgets the connection where the certificates cannot be loaded
            self._stream.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        """About the connection; one that is broken is `is_readable`, by which pools know that it has ended."""
        return True if info == "is_readable" and self._outgoing.broken else self._stream.get_extra_info(info)


class Backend(httpcore.SyncBackend):
    """The network, with every wait bounded by the deadline of the call, looking up a name as well."""

    def __init__(self, gate: Gate | None = None) -> None:
        super().__init__()
        self._gate, self.closed = gate, False

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """Look the name up, and connect to the first of its addresses that answers."""
        way = Way(host, port, left(timeout), self._gate)
        if way.lookup is not None:
            way.lookup.done.wait(way.left)
        failure: Exception | None = None
        for address, seconds in way.attempts():
            try:
                stream = _Stream(super().connect_tcp(address, port, left(seconds), local_address, socket_options))
            except FAILED as error:
                failure = error
            else:
                return self._kept(stream)
        raise failure or httpcore.ConnectError("no address")

    def _kept(self, stream: _Stream) -> httpcore.NetworkStream:
        if self.closed:  # by another thread: the pool would never close this one
            stream.close()
            raise httpcore.ConnectError("the client was closed meanwhile")
        return stream


class Deadlined(httpx.HTTPTransport):
    """httpx's own transport, on a pool with the backend above.

    httpx has no public way to choose the backend of its pool. Where its private attribute is not there, this is
    httpx's transport unchanged, and a deadline is noticed between reads only.
    """

    def __init__(self, limits: httpx.Limits) -> None:
        super().__init__(verify=unloaded(), limits=limits)
        self._backend = Backend()
        self._own: httpcore.ConnectionPool | None = None
        if isinstance(getattr(self, "_pool", None), httpcore.ConnectionPool):
            self._pool = self._own = httpcore.ConnectionPool(
                ssl_context=unloaded(),
                max_connections=limits.max_connections,
                max_keepalive_connections=limits.max_keepalive_connections,
                keepalive_expiry=limits.keepalive_expiry,
                network_backend=self._backend,
            )
        else:
            super().__init__(verify=tls(), limits=limits)

    def send(self, step: Send) -> httpx.Response | Incoming:
        """Send; the answer's head has come, its body is still to be read."""
        if self._own is not None and untouched(httpx.HTTPTransport, "handle_request"):
            return Incoming(self._own.handle_request(asked(step)))
        response = self.handle_request(request := bare_request(step))
        response.request = request
        return response

    def close(self) -> None:
        """Close the connections, and those that are just being made."""
        self._backend.closed = True
        super().close()

    def close_idle(self) -> None:
        """Close the connections that serve nobody at the moment."""
        for each in self._own.connections if self._own else []:
            if each.is_idle():
                each.close()


def deadlined(limits: httpx.Limits) -> Deadlined | None:
    """The transport for the network; None where a proxy is set, for httpx then chooses transports by itself."""
    return None if proxied() else Deadlined(limits)
