"""The blocking driver: performs the steps of the exchange."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from hf_tools._http.faults import Exit, at_exit, late, ours, until
from hf_tools._http.shared import DRAIN, LIMITS, Whole, expect, head_of, left, made, request
from hf_tools._http.unpacking import Unpacking, packing, raw
from hf_tools.errors import ClientClosed, HfError
from hf_tools.steps import Load, Send, Step, Steps, Wait
from hf_tools.task import Reply

if TYPE_CHECKING:
    from hf_tools._http.direct import Incoming

T = TypeVar("T")


class Http:
    """Connections of a blocking client; made on first use, once for each process."""

    def __init__(self, own: httpx.Client | None = None, transport: Callable[[], Any] | None = None) -> None:
        expect(own, httpx.Client)
        self._own, self._transport = own, transport
        self._made: httpx.Client | None = None
        self._network: Any = None
        self.bounded = False
        """Every wait ends at the deadline of the call, and not between reads only."""
        self._pid, self._lock, self._closed = os.getpid(), threading.Lock(), False

    def client(self) -> httpx.Client:
        """The client to send with; a forked child makes its own, for the parent's answers must not reach it."""
        self._check_open()
        if self._own is not None:
            return self._own
        if self._pid != os.getpid():
            self._pid, self._lock, self._made = os.getpid(), threading.Lock(), None
        with self._lock:
            if self._made is None:
                transport = self._transport() if self._transport else _network()
                self.bounded, self._network = isinstance(transport, httpx.HTTPTransport), transport
                self._made = made(httpx.Client, transport)
                weakref.finalize(self, _end, self._made, transport, self._pid)
                at_exit()
            return self._made

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosed("the client was closed", hint="Make a new one, or leave its `with` block later")

    def _sender(self, step: Send, held: ExitStack) -> Callable[[Send], httpx.Response | Incoming]:
        """What sends this step: for a download that a model has asked for never the caller's own client."""
        if step.guard is not None:
            from hf_tools._http.guarded import Guarded

            self._check_open()
            return held.enter_context(contextlib.closing(Guarded(step.guard))).send
        http = self.client()
        return self._network.send if self.bounded else partial(_by_client, http)

    @property
    def is_own(self) -> bool:
        """The HTTP client is the caller's own."""
        return self._own is not None

    def close(self) -> None:
        """Close the connections; a caller's own client stays open."""
        self._closed = True
        if self._made is not None and self._pid == os.getpid():
            self._made.close()

    def drive(self, steps: Steps[T], held: ExitStack) -> tuple[T, Any]:
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
                held.close()
                try:
                    if isinstance(step, Load):
                        reply = Reply(200, content=step.source.read())
                    elif isinstance(step, Wait):
                        step.done.wait(left(step.deadline))
                        reply = Reply(200)
                    else:
                        reply, response = self._send(step, held)
                except HfError as error:
                    resume, told = steps.throw, error
                else:
                    resume, told = steps.send, reply
        finally:
            steps.close()  # whoever waits for this call's question must not wait for a call that was given up

    def _send(self, step: Send, held: ExitStack) -> tuple[Reply, httpx.Response | Incoming]:
        if step.wait:
            sleep(step.wait)
        send = self._sender(step, held)
        with ours(step.deadline), until(step.deadline):
            response = send(step)
            head = head_of(response)
            if step.stream and 200 <= head.status < 300:
                held.callback(response.close)
                return head, response
            try:
                whole = Whole(head, packing(response, head.headers), step)
                for piece in raw(response):
                    if whole.add(piece):
                        break
            finally:
                response.close()
        return whole.reply(), response


def _by_client(http: httpx.Client, step: Send) -> httpx.Response:
    return http.send(request(http, step), stream=True, follow_redirects=False)


def _end(made: httpx.Client, transport: Any, pid: int) -> None:
    """Close the connections of a client that nobody holds any more, not even a stream.

    At the end of the interpreter a thread may still hold it, which would fail in public, or before its work is done.
    """
    if pid != os.getpid():  # a forked child leaves its parent's alone
        return
    shared, close_idle = Exit.begun and threading.active_count() > 1, getattr(transport, "close_idle", None)
    if shared and close_idle:
        close_idle()
    elif transport or not shared:  # engines end with the interpreter, and so does what they write
        made.close()


def _network() -> Any:
    """The transport for the network."""
    from hf_tools._http.deadlines import deadlined

    return deadlined(LIMITS)


def drain(flow: Iterator[bytes]) -> None:
    """Read on for a moment after the last event: where the body ends there, its connection serves the next call."""
    with contextlib.suppress(Exception), until(time.monotonic() + DRAIN):
        next(flow, None)


def pieces(response: httpx.Response | Incoming, deadline: float | None) -> Iterator[bytes]:
    """The bytes of a stream as they come."""
    unpacking, source = Unpacking(packing(response, head_of(response).headers)), raw(response)
    with ours(deadline):
        if deadline is None and unpacking.plain:
            yield from source
            return
        while True:
            with until(deadline):
                piece = next(source, None)
            if piece is None:
                return
            if deadline is not None and time.monotonic() > deadline:
                raise late()
            if unpacking.plain:
                yield piece
            else:
                yield from unpacking.feed(piece)
