"""Host names that resolve as a fault wants it, and an address where nobody answers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest import mock

NOWHERE = "nowhere.invalid"
"""Has no address."""
STALLED = "stalled.invalid"
"""The resolver does not answer while the kit runs."""
REFUSED_FIRST = "refused-first.invalid"
"""Its IPv6 address refuses connections, its IPv4 address works."""
SILENT_FIRST = "silent-first.invalid"
"""At its first address nobody answers, the second one works."""
HOLE = "127.0.0.2"
"""A loopback address of its own, for connections that nobody takes."""
ADDRESSES = {REFUSED_FIRST: ("::1", "127.0.0.1"), SILENT_FIRST: (HOLE, "127.0.0.1")}


@contextmanager
def resolving() -> Generator[None]:
    """The system's resolver, which knows the names above as well."""
    ended, original = threading.Event(), socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name == STALLED:
            ended.wait(60)
        if name in (STALLED, NOWHERE):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        found = [original(each, port, *args, **kwargs) for each in ADDRESSES.get(name, (host,))]
        return [entry for entries in found for entry in entries]

    with mock.patch("socket.getaddrinfo", getaddrinfo):
        try:
            yield
        finally:
            ended.set()


@contextmanager
def hole(port: int) -> Generator[None]:
    """A listener whose queue is full: the system drops what else comes."""
    with contextlib.ExitStack() as held:
        held.enter_context(socket.create_server((HOLE, port), backlog=0))
        for _ in range(3):
            one = held.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex((HOLE, port))
        yield
