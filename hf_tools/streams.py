"""Streams: iterate over the parts, or read the whole; leaving the `with` block closes the connection."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import AsyncExitStack, ExitStack, aclosing, contextmanager
from typing import TYPE_CHECKING, Any, Generic, Self

from hf_tools._http import Http, drain, pieces
from hf_tools.auth import redacted
from hf_tools.errors import (
    HfError,
    RequestTimeout,
    ResponseError,
    StreamConsumed,
    StreamInterrupted,
    StreamTimeout,
    TransportError,
)
from hf_tools.response import KEPT, request_id
from hf_tools.steps import Settings, Steps
from hf_tools.task import Out, Part, Streamed

if TYPE_CHECKING:
    from hf_tools._http.aio import AsyncHttp
    from hf_tools.exchange import Opened


def _opened(task: Streamed[Out, Part], settings: Settings) -> Steps[Opened[Out, Part]]:
    """The exchange, loaded with the first call: it is a quarter of what importing the package would take."""
    from hf_tools.exchange import opened

    return opened(task, settings)


class _Reading(Generic[Out, Part]):
    """How far a stream was read. Its generator holds this, not the stream: one that is dropped is closed at once."""

    def __init__(self, task: Streamed[Out, Part], settings: Settings) -> None:
        self.task, self.settings = task, settings
        self.opened: Opened[Out, Part] | None = None
        self.ended = self.complete = self.interrupted = False

    @contextmanager
    def to_the_end(self) -> Generator[None]:
        """A connection that breaks, or falls silent, after the end of the answer takes nothing from it."""
        try:
            yield
        except TransportError:
            if self.opened is None or not self.opened.decoder.finished:
                raise

    def failed(self, error: HfError) -> HfError:
        """The error of a stream that has begun: with its place and the answer as far as it came."""
        self.interrupted = True
        if self.opened is None:
            return error
        if isinstance(error, TransportError):
            kind = StreamTimeout if isinstance(error, RequestTimeout) else StreamInterrupted
            cause, error = error, kind(f"the stream broke: {error.message}", hint=error.hint)
            error.partial, error.__cause__ = self.opened.decoder.final, cause
        if isinstance(error, ResponseError):
            head = self.opened.head
            error.status, error.headers, error.body = head.status, head.headers, error.body[:KEPT]
            error.request_id = request_id(head.headers)
        return redacted(error.at(**self.opened.place), self.settings.token)


class _Patience:
    """Ends a stream that is only kept alive: nothing of the answer has come for `Timeout.idle` seconds."""

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.options.waits(stream=True).idle
        self.heard()

    def heard(self) -> None:
        """Something of the answer has come, and the reader is back."""
        self._since = time.monotonic()

    def check(self) -> None:
        """RequestTimeout when it was too long."""
        if self._seconds is not None and time.monotonic() - self._since > self._seconds:
            message = f"the server only kept the connection alive for {self._seconds:g} s"
            raise RequestTimeout(message, hint="Pass Timeout(idle=...) for a model that thinks longer")


class _Told(Generic[Out, Part]):
    """What both kinds of streams tell."""

    def __init__(self, task: Streamed[Out, Part], settings: Settings) -> None:
        self._reading = _Reading(task, settings)

    @property
    def interrupted(self) -> bool:
        """The stream has failed before its terminal mark."""
        return self._reading.interrupted

    @property
    def usage(self) -> Any:
        """Tokens used as the server told them, mostly with the last part; None before, and where it does not tell."""
        return self._reading.opened.decoder.usage if self._reading.opened else None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer, lower-case names; empty before the first part."""
        return dict(self._reading.opened.head.headers) if self._reading.opened else {}

    @property
    def provider(self) -> str | None:
        """Who answers, as far as the server told, else who was asked; None before the first part."""
        begun = self._reading.opened
        return (self.headers.get("x-inference-provider") or begun.place.get("provider")) if begun else None

    @property
    def request_id(self) -> str | None:
        """The id under which the server's support finds the request; None before the first part."""
        return request_id(self.headers)

    @property
    def final(self) -> Out:
        """The whole answer, put together from the parts; StreamConsumed before the stream was read to its end."""
        begun = self._reading.opened
        if begun is None or not self._reading.complete:
            raise StreamConsumed(
                "the stream was not read to its end", hint="Iterate over it first, or call read()",
                partial=begun.decoder.final if begun else None,
            )  # fmt: skip
        return begun.decoder.final

    def _begin(self) -> None:
        if self._reading.ended:
            raise StreamConsumed("the stream was read or closed before", hint="Send the request again")


class Stream(_Told[Out, Part]):
    """A stream of parts. Nothing is sent before the first part is asked for.

    Iterate, best in a `with` block: leaving it closes the connection at once; a stream that is just dropped is
    closed when it is collected. Not for several threads at a time. An early end raises StreamInterrupted with
    `partial`.
    """

    def __init__(self, task: Streamed[Out, Part], settings: Settings, http: Http) -> None:
        super().__init__(task, settings)
        self._parts = _parts(self._reading, http)

    def __iter__(self) -> Iterator[Part]:
        self._begin()
        return self

    def __next__(self) -> Part:
        try:
            return next(self._parts)
        except ValueError as error:
            if isinstance(error, HfError) or "already executing" not in str(error):
                raise
            raise StreamConsumed("the stream is being read by another thread") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what was not read is lost. May be called any number of times."""
        try:
            self._parts.close()
        except ValueError as error:
            raise StreamConsumed("the stream is being read by another thread") from error
        self._reading.ended = True

    def read(self) -> Out:
        """Read what is left and return the whole answer."""
        if not self._reading.complete:
            for _ in self:
                pass
        return self.final


def _parts(reading: _Reading[Out, Part], http: Http) -> Generator[Part, None, None]:
    try:
        with ExitStack() as held:
            begun, response = http.drive(_opened(reading.task, reading.settings), held)
            reading.opened, decoder, patience = begun, begun.decoder, _Patience(reading.settings)
            with reading.to_the_end():
                for data in (flow := pieces(response, begun.deadline)):
                    for part in decoder.feed(data):
                        yield part
                        patience.heard()
                    if decoder.done:
                        if http.bounded:
                            drain(flow)
                        break
                    patience.check()
            yield from decoder.close()
            reading.complete = True
    except HfError as error:
        raise reading.failed(error)  # noqa: B904 - it is the error itself, or holds it as its cause
    finally:
        reading.ended = True


class AsyncStream(_Told[Out, Part]):
    """A stream of parts, awaited; otherwise as `Stream`."""

    def __init__(self, task: Streamed[Out, Part], settings: Settings, http: AsyncHttp) -> None:
        super().__init__(task, settings)
        self._parts = _aparts(self._reading, http)

    def __aiter__(self) -> AsyncIterator[Part]:
        self._begin()
        return self

    async def __anext__(self) -> Part:
        try:
            return await anext(self._parts)
        except RuntimeError as error:
            if isinstance(error, HfError) or "already running" not in str(error):
                raise
            raise StreamConsumed("the stream is being read by another task") from error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection; what was not read is lost. May be called any number of times."""
        try:
            await self._parts.aclose()
        except RuntimeError as error:
            raise StreamConsumed("the stream is being read by another task") from error
        self._reading.ended = True

    async def read(self) -> Out:
        """Read what is left and return the whole answer."""
        if not self._reading.complete:
            async for _ in self:
                pass
        return self.final


async def _aparts(reading: _Reading[Out, Part], http: AsyncHttp) -> AsyncGenerator[Part, None]:
    from hf_tools._http.aio import adrain, apieces

    try:
        async with AsyncExitStack() as held:
            begun, response = await http.drive(_opened(reading.task, reading.settings), held)
            reading.opened, decoder, patience = begun, begun.decoder, _Patience(reading.settings)
            source = await held.enter_async_context(aclosing(apieces(response, begun.deadline)))
            with reading.to_the_end():
                async for data in source:
                    for part in decoder.feed(data):
                        yield part
                        patience.heard()
                    if decoder.done:
                        await adrain(source)
                        break
                    patience.check()
            for part in decoder.close():
                yield part
            reading.complete = True
    except HfError as error:
        raise reading.failed(error)  # noqa: B904 - it is the error itself, or holds it as its cause
    finally:
        reading.ended = True
