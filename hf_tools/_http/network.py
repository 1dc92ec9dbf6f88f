"""How a host is reached: its name looked up within the call's time, its addresses tried one after the other."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from itertools import zip_longest
from typing import Protocol

import httpcore

from hf_tools.errors import shown
from hf_tools.media.addresses import literal
from hf_tools.steps import Flight

TRIED = 4
"""Addresses of a host that are tried, one after the other."""
TURN = 1.0
"""Seconds for an address while others wait: a network that loses IPv6 must not cost the whole time to connect."""
SMALL = 64 * 2**10
"""Bytes of a request that are written at once."""
FAILED = (httpcore.ConnectError, httpcore.ConnectTimeout)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the system's order."""
    return list(dict.fromkeys(str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def alternating(addresses: list[str]) -> list[str]:
    """The addresses with both families by turns, the system's first one first (RFC 8305, section 4)."""
    first = [each for each in addresses if (":" in each) == (":" in addresses[0])]
    second = [each for each in addresses if each not in first]
    return [each for pair in zip_longest(first, second) for each in pair if each is not None]


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


class Gate(Protocol):
    """What is asked of the guard of a step."""

    def admit(self, host: str, port: int) -> None:
        """Refuse a host or port."""
        ...

    def admit_addresses(self, host: str, addresses: list[str]) -> None:
        """Refuse a host for its addresses."""
        ...


class Way:
    """The way to a host: through its gate, where there is one, to its addresses."""

    def __init__(self, host: str, port: int, seconds: float | None, gate: Gate | None) -> None:
        self._host, self._gate = host, gate
        self._ends = None if seconds is None else time.monotonic() + seconds
        if gate is not None:
            gate.admit(host, port)
        self.lookup = None if literal(host) else Lookup(host, port)

    @property
    def left(self) -> float | None:
        """Seconds until the time to connect is over."""
        return None if self._ends is None else max(self._ends - time.monotonic(), 0.001)

    def attempts(self) -> Iterator[tuple[str, float | None]]:
        """The addresses, all of them checked, each with the seconds that it may take."""
        addresses = [self._host] if self.lookup is None else self.lookup.addresses()
        if self._gate is not None:
            self._gate.admit_addresses(self._host, addresses)
        *others, last = alternating(addresses)[:TRIED]
        for address in others:
            yield address, TURN if self.left is None else min(TURN, self.left)
        yield last, self.left


def spoken(data: bytes) -> None:
    """Refuse the first bytes of an answer that is no HTTP: the HTTP library would wait for its head to end."""
    if not data.startswith(b"HTTP/") and not b"HTTP/".startswith(data):
        raise httpcore.RemoteProtocolError(f"it begins {shown(data, 40)!r}")


class Outgoing:
    """The bytes of a request, held back until it is whole: the head and a small body leave in one packet.

    httpcore writes the head, each piece of the body and, at the end, nothing; whoever reads has written all.
    """

    def __init__(self) -> None:
        self.held = b""
        self.broken = False
        """Something was not written to its end: no other request may follow on this connection."""

    def take(self, buffer: bytes) -> tuple[bytes, ...]:
        """What is to be written now."""
        held, self.held = self.held, b""
        if not buffer:
            return (held,) if held else ()
        if len(held) + len(buffer) <= SMALL:
            self.held = held + buffer
            return ()
        return (held, buffer) if held else (buffer,)
