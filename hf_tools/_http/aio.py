"""The awaiting driver: performs the steps of the exchange on asyncio, one pool for each event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
import weakref
from asyncio import sleep
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from hf_tools._http.awaiting import landed
from hf_tools._http.faults import late, ours
from hf_tools._http.shards import Shards, sharded
from hf_tools._http.shared import DRAIN, Whole, expect, head_of, left, made, request
from hf_tools._http.unpacking import Unpacking, araw, packing
from hf_tools.errors import ClientClosed, HfError
from hf_tools.steps import Load, Send, Step, Steps, Wait
from hf_tools.task import Reply

if TYPE_CHECKING:
    from hf_tools._http.direct import Incoming

T = TypeVar("T")


class AsyncHttp:
    """Connections of an async client: one pool for each event loop, closed when the loop ends."""

    def __init__(self, own: httpx.AsyncClient | None = None, transport: Callable[[], Any] | None = None) -> None:
        expect(own, httpx.AsyncClient)
        self._own, self._transport = own, transport
        self._pools: weakref.WeakKeyDictionary[Any, tuple[httpx.AsyncClient, Any]] = weakref.WeakKeyDictionary()
        self._networks: weakref.WeakKeyDictionary[httpx.AsyncClient, Shards] = weakref.WeakKeyDictionary()
        self._pid, self._lock, self._closed = os.getpid(), threading.Lock(), False

    async def client(self) -> httpx.AsyncClient:
        """The client of the running loop."""
        self._check_open()
        if self._own is not None:
            return self._own
        if self._pid != os.getpid():
            self._pid, self._lock, self._pools = os.getpid(), threading.Lock(), weakref.WeakKeyDictionary()
        loop = asyncio.get_running_loop()
        with self._lock:
            found = self._pools.get(loop)
        if found is None:
            transport = self._transport() if self._transport else sharded()
            http = made(httpx.AsyncClient, transport)
            if isinstance(transport, Shards):
                self._networks[http] = transport
            guard = _guard(http, weakref.ref(self), weakref.ref(loop))
            found = (http, guard)
            with self._lock:
                # a loop that was closed without shutdown_asyncgens is kept alive by its own connections
                for ended in [known for known in self._pools if known.is_closed()]:
                    del self._pools[ended]
                self._pools[loop] = found
            # asyncio.run finalises async generators before it closes the loop: that closes the connections
            await anext(guard)
        return found[0]

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosed("the client was closed", hint="Make a new one, or leave its `async with` block later")

    async def _sender(self, step: Send, held: AsyncExitStack) -> Callable[[Send], Awaitable[httpx.Response | Incoming]]:
        """What sends this step: for a download that a model has asked for never the caller's own client."""
        if step.guard is not None:
            from hf_tools._http.guarded import AsyncGuarded

            self._check_open()
            return (await held.enter_async_context(contextlib.aclosing(AsyncGuarded(step.guard)))).send
        http = await self.client()
        network = self._networks.get(http)
        return network.send if network is not None else partial(_by_client, http)

    def forget(self, loop: Any) -> None:
        """The pool of this loop is closed."""
        with self._lock:
            self._pools.pop(loop, None)

    @property
    def is_own(self) -> bool:
        """The HTTP client is the caller's own."""
        return self._own is not None

    async def aclose(self) -> None:
        """Close the connections of the running loop; a caller's own client stays open."""
        self._closed = True
        with self._lock:
            found = self._pools.get(asyncio.get_running_loop())
        if found is not None:
            await found[1].aclose()

    async def drive(self, steps: Steps[T], held: AsyncExitStack) -> tuple[T, Any]:
        """Perform the steps to their end; `held` closes the last answer, which may be an unread stream."""
        response: Any = None
        resume: Callable[[Any], Step] = steps.send
        told: Any = None
        try:
            while True:
                try:
                    step = resume(told)
                except StopIteration as stop:
                    return stop.value, response
                await held.aclose()
                try:
                    if isinstance(step, Load):
                        reply = Reply(200, content=await asyncio.to_thread(step.source.read))
                    elif isinstance(step, Wait):
                        await landed(step.done, left(step.deadline))
                        reply = Reply(200)
                    else:
                        reply, response = await self._send(step, held)
                except HfError as error:
                    resume, told = steps.throw, error
                else:
                    resume, told = steps.send, reply
        finally:
            steps.close()  # whoever waits for this call's question must not wait for a call that was given up

    async def _send(self, step: Send, held: AsyncExitStack) -> tuple[Reply, httpx.Response | Incoming]:
        if step.wait:
            await sleep(step.wait)
        send = await self._sender(step, held)
        with ours(step.deadline):
            async with Until(step.deadline):
                response = await send(step)
                head = head_of(response)
                if step.stream and 200 <= head.status < 300:
                    held.push_async_callback(response.aclose)
                    return head, response
                try:
                    whole = Whole(head, packing(response, head.headers), step)
                    async for piece in araw(response):
                        if whole.add(piece):
                            break
                finally:
                    await response.aclose()
        return whole.reply(), response


async def _by_client(http: httpx.AsyncClient, step: Send) -> httpx.Response:
    return await http.send(request(http, step), stream=True, follow_redirects=False)


class Until:
    """`asyncio.timeout` up to a monotonic deadline, with our error."""

    def __init__(self, deadline: float | None) -> None:
        seconds = None if deadline is None else max(deadline - time.monotonic(), 0.001)
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, *raised: Any) -> None:
        try:
            await self._timeout.__aexit__(*raised)
        except TimeoutError as error:
            raise late() from error


async def adrain(flow: AsyncGenerator[bytes, None]) -> None:
    """Read on for a moment after the last event: where the body ends there, its connection serves the next call."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(DRAIN):
            await anext(flow, None)


async def apieces(response: httpx.Response | Incoming, deadline: float | None) -> AsyncGenerator[bytes, None]:
    """The bytes of a stream as they come."""
    unpacking, source = Unpacking(packing(response, head_of(response).headers)), aiter(araw(response))
    with ours(deadline):
        while True:
            try:
                if deadline is None:
                    piece = await anext(source)
                else:
                    async with Until(deadline):
                        piece = await anext(source)
            except StopAsyncIteration:
                return
            if unpacking.plain:
                yield piece
                continue
            for plain in unpacking.feed(piece):
                yield plain


async def _guard(http: httpx.AsyncClient, owner: Any, loop: Any) -> AsyncGenerator[None, None]:
    """Closes the connections of a loop at its end, or when their owner, which it must not hold, goes before."""
    try:
        yield
    finally:
        held, ended = owner(), loop()
        if held is not None and ended is not None:
            held.forget(ended)
        await http.aclose()
