"""The embedded backend as a pair of httpx transports: it answers for every host, in the wire forms of the Hub.

    POST /v1/chat/completions, /v1/completions     llama.cpp's own server, streams included
    POST /v1/chat/completions with tools           the tool chosen here, its arguments by llama.cpp
    POST /models/{id}/pipeline/{task}              embeddings, speech and text in pictures, computed here
    anything else                                  404 {"error": ...}

An engine loads on the first request that needs it and is shared by all transports of the process. A transport holds
it until it is closed; the last close stops it.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic_core import from_json, to_json

from hf_tools.local import ocr, speech
from hf_tools.local.answers import PIPELINES, Refused, chat_body, checked
from hf_tools.local.calls import Fill, completion, empty, events, fill, refused
from hf_tools.local.chat import ChatServer
from hf_tools.local.embed import Embedder
from hf_tools.local.ocr import Reader
from hf_tools.local.senses import received
from hf_tools.local.shared import Holder, Shared
from hf_tools.local.speech import Listener
from hf_tools.local.tools import Toolbox, planned

CHAT = Shared(ChatServer)
EMBEDDER = Shared(Embedder)
LISTENER = Shared(Listener)
READER = Shared(Reader)
CHAT_PATHS = ("/v1/chat/completions", "/v1/completions")
# No connection outlives its answer: an idle one would keep one of the server's few threads, and an async one would
# belong to a loop that may be gone. No pool limit: waiting is the server's business.
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=0)


@dataclass(frozen=True)
class Work:
    """A computation and the engine that it needs; it may raise Refused."""

    share: Shared[Any]
    compute: Callable[[Any], Any]


def _planned(request: httpx.Request) -> dict[str, Any] | Toolbox | Work:
    """A body for the chat server, tools to choose from, or a computation; raises Refused. No engine is loaded."""
    path = request.url.path
    if request.method == "POST" and path in CHAT_PATHS:
        body = chat_body(_json(request))
        return planned(body) if path == CHAT_PATHS[0] else body
    model, _, task = path.removeprefix("/models/").partition("/pipeline/")
    if request.method == "POST" and path.startswith("/models/") and task and model.count("/") <= 1:
        return _work(task, model, request)
    shown = ", ".join((*CHAT_PATHS, *(f"/models/{{id}}/pipeline/{name}" for name in PIPELINES)))
    raise Refused(404, f"The embedded backend has no {request.method} {path[:100]}; it answers POST to {shown}")


def _work(task: str, model: str, request: httpx.Request) -> Work:
    content_type = request.headers.get("content-type", "")
    if task == speech.TASK:
        return Work(LISTENER, speech.checked(model, received(request.content, content_type, "sound")))
    if task == ocr.TASK:
        return Work(READER, ocr.checked(model, received(request.content, content_type, "picture")))
    return Work(EMBEDDER, checked(task, model, _json(request)))


def _json(request: httpx.Request) -> object:
    try:
        return from_json(request.content)
    except ValueError as error:
        raise Refused(400, f"The body is not JSON: {error}") from error


def _forwarded(request: httpx.Request, body: dict[str, Any], server: ChatServer) -> httpx.Request:
    # Only what llama.cpp needs: the caller's own token and headers stay here.
    headers = {"authorization": f"Bearer {server.key}", "content-type": "application/json"}
    extensions = {name: value for name, value in request.extensions.items() if name == "timeout"}
    url = httpx.URL(server.address, path=request.url.path)
    return httpx.Request("POST", url, headers=headers, content=to_json(body), extensions=extensions)


def _refusal(error: Refused) -> httpx.Response:
    return httpx.Response(error.status, json={"error": error.message})


def _computed(holder: Holder, work: Work) -> httpx.Response:
    try:
        found = to_json(work.compute(holder.engine(work.share)))
    except Refused as error:
        return _refusal(error)
    return httpx.Response(200, headers={"content-type": "application/json"}, content=found)


def _picked(holder: Holder, tools: Toolbox) -> Fill | dict[str, Any]:
    """The call to make, or the body of a plain chat where none is to be made."""
    function = tools.sole or tools.pick(holder.engine(EMBEDDER))
    return fill(function, tools.body) if function else tools.chat


def _call(call: Fill, status: int, written: bytes) -> httpx.Response:
    """The answer with the call, whole or as a stream of events, from what llama.cpp wrote."""
    try:
        body: Any = from_json(written)
    except ValueError:
        body = None
    if status != 200:
        return _refusal(refused(call, status, body))
    whole = completion(call, body)
    if call.stream:
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, content=b"".join(events(call, whole)))
    return httpx.Response(200, headers={"content-type": "application/json"}, content=to_json(whole))


class LocalTransport(httpx.BaseTransport):
    """Answers an httpx.Client from the embedded backend.

    Raises MissingExtra or LocalBackendError when an engine cannot be loaded, ClientClosed after close.
    """

    def __init__(self) -> None:
        self._holder = Holder()
        # Plain HTTP on the loopback: nothing to verify, and no certificates to read.
        self._pool = httpx.HTTPTransport(verify=False, limits=LIMITS)
        weakref.finalize(self, self._holder.close)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; a streamed answer is passed on as it comes."""
        self._holder.check()
        request.read()
        try:
            plan = _planned(request)
        except Refused as error:
            return _refusal(error)
        if isinstance(plan, Work):
            return _computed(self._holder, plan)
        chosen = _picked(self._holder, plan) if isinstance(plan, Toolbox) else plan
        if not isinstance(chosen, Fill):
            return self._send(request, chosen)
        if chosen.body is None:
            return _call(chosen, 200, to_json(empty()))
        # The whole of the arguments, also for a stream: they are worth nothing in pieces.
        response = self._send(request, chosen.body)
        try:
            return _call(chosen, response.status_code, response.read())
        finally:
            response.close()

    def _send(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        return self._pool.handle_request(_forwarded(request, body, self._holder.engine(CHAT)))

    def close(self) -> None:
        """Give the engines back and end open streams; a second call does nothing."""
        self._pool.close()
        self._holder.close()


class AsyncLocalTransport(httpx.AsyncBaseTransport):
    """Answers an httpx.AsyncClient from the embedded backend, in any number of event loops one after the other.

    Loading and computing happen in threads of the loop's executor. Raises as LocalTransport does.
    """

    def __init__(self) -> None:
        self._holder = Holder()
        self._pools: dict[asyncio.AbstractEventLoop, httpx.AsyncHTTPTransport] = {}
        weakref.finalize(self, self._holder.close)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; a streamed answer is passed on as it comes."""
        self._holder.check()
        await request.aread()
        try:
            plan = _planned(request)
        except Refused as error:
            return _refusal(error)
        if isinstance(plan, Work):
            return await asyncio.to_thread(_computed, self._holder, plan)
        chosen = await asyncio.to_thread(_picked, self._holder, plan) if isinstance(plan, Toolbox) else plan
        if not isinstance(chosen, Fill):
            return await self._send(request, chosen)
        if chosen.body is None:
            return _call(chosen, 200, to_json(empty()))
        response = await self._send(request, chosen.body)
        try:
            return _call(chosen, response.status_code, await response.aread())
        finally:
            await response.aclose()

    async def _send(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        if (server := self._holder.ready(CHAT)) is None:
            server = await asyncio.to_thread(self._holder.engine, CHAT)
        return await self._pool().handle_async_request(_forwarded(request, body, server))

    def _pool(self) -> httpx.AsyncHTTPTransport:
        # What waits in a pool belongs to its loop, so each loop has its own; those of closed loops hold nothing.
        loop = asyncio.get_running_loop()
        if (pool := self._pools.get(loop)) is None:
            pool = httpx.AsyncHTTPTransport(verify=False, limits=LIMITS)
            self._pools = {key: value for key, value in self._pools.items() if not key.is_closed()} | {loop: pool}
        return pool

    async def aclose(self) -> None:
        """Give the engines back and end the open streams of this loop; a second call does nothing."""
        pools, self._pools = self._pools, {}
        if (pool := pools.get(asyncio.get_running_loop())) is not None:
            await pool.aclose()
        await asyncio.to_thread(self._holder.close)
