"""Connections for downloads that a model has asked for: to the very addresses that were checked, and to no others.

The check is part of connecting, below redirects and URL parsers: a name is looked up once, all of its addresses are
checked, and the connection goes to one of those. TLS still verifies the name. No proxy, no cookie, no credential.
"""

from __future__ import annotations

import httpcore

from hf_tools._http.awaiting import AsyncBackend
from hf_tools._http.deadlines import Backend
from hf_tools._http.direct import Incoming, asked
from hf_tools._http.shared import head_of, unloaded
from hf_tools.errors import MediaError, shown
from hf_tools.media.policy import MediaPolicy
from hf_tools.steps import Send


def _plain(response: Incoming) -> Incoming:
    """Refuse a body that would have to be unpacked, before any of it is: a few bytes may become gigabytes."""
    encoding = head_of(response).headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise MediaError(f"the server sends the file packed ({shown(encoding, 20)}), though that was not asked for")
    return response


class Guarded:
    """Sends one request past a guard; closing it ends the connection."""

    def __init__(self, guard: MediaPolicy) -> None:
        self._pool = httpcore.ConnectionPool(unloaded(), network_backend=Backend(guard.gate))
        self.close = self._pool.close

    def send(self, step: Send) -> Incoming:
        """Send; the answer's head has come, its body is still to be read."""
        return _plain(Incoming(self._pool.handle_request(asked(step))))


class AsyncGuarded:
    """The same, awaited."""

    def __init__(self, guard: MediaPolicy) -> None:
        self._pool = httpcore.AsyncConnectionPool(unloaded(), network_backend=AsyncBackend(guard.gate))
        self.aclose = self._pool.aclose

    async def send(self, step: Send) -> Incoming:
        """Send; the answer's head has come, its body is still to be read."""
        return _plain(Incoming(await self._pool.handle_async_request(asked(step))))
