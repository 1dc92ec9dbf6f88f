"""Streams: iterate over the parts, or read the whole; leaving the `with` block closes the connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import AsyncExitStack, ExitStack, aclosing
from typing import TYPE_CHECKING, Any, Generic, Self

from hf_tools._http import Http, pieces
from hf_tools.errors import EmptyResponse, HfError, StreamConsumed, StreamInterrupted, TransportError
from hf_tools.exchange import Opened, opened, redacted
from hf_tools.steps import Settings
from hf_tools.task import Out, Part, Streamed

if TYPE_CHECKING:
    from hf_tools._http.aio import AsyncHttp


class _State(Generic[Out, Part]):
    """What both kinds of streams know."""

    def __init__(self, task: Streamed[Out, Part], settings: Settings) -> None:
        self._task, self._settings = task, settings
        self._opened: Opened[Out, Part] | None = None
        self._ended = self._complete = False
        self.interrupted = False
        """The stream has ended before its terminal mark."""

    @property
    def usage(self) -> Any:
        """Tokens used as the server told them, mostly with the last part; None before, and where it does not tell."""
        return self._opened.decoder.usage if self._opened else None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer, lower-case names; empty before the first part."""
        return dict(self._opened.head.headers) if self._opened else {}

    @property
    def final(self) -> Out:
        """The whole answer, put together from the parts; StreamConsumed before the stream was read to its end."""
        if self._opened is None or not self._complete:
            raise StreamConsumed(
                "the stream was not read to its end", hint="Iterate over it first, or call read()",
                partial=self._opened.decoder.final if self._opened else None,
            )  # fmt: skip
        return self._opened.decoder.final

    def _begun(self) -> None:
        if self._ended:
            raise StreamConsumed("the stream was read or closed before", hint="Send the request again")

    def _failed(self, error: HfError) -> HfError:
        """The error of a stream that has begun: with its place and the answer as far as it came."""
        self.interrupted = True
        if self._opened is None:
            return error
        if isinstance(error, TransportError):
            cause, error = error, StreamInterrupted(f"the stream broke: {error.message}", hint=error.hint)
            error.partial, error.__cause__ = self._opened.decoder.final, cause
        if isinstance(error, EmptyResponse):
            error.status, error.headers = self._opened.head.status, self._opened.head.headers
        return redacted(error.at(**self._opened.place), self._settings.token)


class Stream(_State[Out, Part]):
    """A stream of parts. Nothing is sent before the first part is asked for.

    Iterate, best in a `with` block: leaving it closes the connection at once; a stream that is just dropped is
    closed when it is collected. Not for several threads at a time. An early end raises StreamInterrupted with
    `partial`.
    """

    def __init__(self, task: Streamed[Out, Part], settings: Settings, http: Http) -> None:
        super().__init__(task, settings)
        self._parts = self._read(http)

    def __iter__(self) -> Iterator[Part]:
        self._begun()
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
        self._ended = True
        self._parts.close()

    def read(self) -> Out:
        """Read what is left and return the whole answer."""
        for _ in self:
            pass
        return self.final

    def _read(self, http: Http) -> Generator[Part, None, None]:
        try:
            with ExitStack() as held:
                begun, response = http.drive(opened(self._task, self._settings), held)
                self._opened, decoder = begun, begun.decoder
                for data in pieces(response, begun.deadline):
                    yield from decoder.feed(data)
                    if decoder.done:
                        break
                yield from decoder.close()
                self._complete = True
        except HfError as error:
            raise self._failed(error)  # noqa: B904 - it is the error itself, or holds it as its cause
        finally:
            self._ended = True


class AsyncStream(_State[Out, Part]):
    """A stream of parts, awaited; otherwise as `Stream`."""

    def __init__(self, task: Streamed[Out, Part], settings: Settings, http: AsyncHttp) -> None:
        super().__init__(task, settings)
        self._parts = self._read(http)

    def __aiter__(self) -> AsyncIterator[Part]:
        self._begun()
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
        self._ended = True
        await self._parts.aclose()

    async def read(self) -> Out:
        """Read what is left and return the whole answer."""
        async for _ in self:
            pass
        return self.final

    async def _read(self, http: AsyncHttp) -> AsyncGenerator[Part, None]:
        from hf_tools._http.aio import apieces

        try:
            async with AsyncExitStack() as held:
                begun, response = await http.drive(opened(self._task, self._settings), held)
                self._opened, decoder = begun, begun.decoder
                source = await held.enter_async_context(aclosing(apieces(response, begun.deadline)))
                async for data in source:
                    for part in decoder.feed(data):
                        yield part
                    if decoder.done:
                        break
                for part in decoder.close():
                    yield part
                self._complete = True
        except HfError as error:
            raise self._failed(error)  # noqa: B904 - it is the error itself, or holds it as its cause
        finally:
            self._ended = True
