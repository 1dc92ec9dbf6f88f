"""Connections for downloads that a model has asked for: to the very addresses that were checked, and to no others.

The check is part of connecting, below redirects and URL parsers: a name is looked up once, all of its addresses are
checked, and the connection goes to one of those. TLS still verifies the name. No proxy, no cookie, no credential.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from hf_tools._http.awaiting import AsyncBackend
from hf_tools._http.deadlines import Backend
from hf_tools._http.network import Gate
from hf_tools._http.shared import no_cookies, tls
from hf_tools.errors import MediaError, shown
from hf_tools.steps import Send


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


def _gate(step: Send) -> Gate:
    assert step.guard is not None
    return step.guard.gate


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
        self._pool = httpcore.ConnectionPool(tls(), network_backend=Backend(_gate(step)))

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
        self._pool = httpcore.AsyncConnectionPool(tls(), network_backend=AsyncBackend(_gate(step)))

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
