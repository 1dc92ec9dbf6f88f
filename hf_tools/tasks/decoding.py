"""What every stream decoder shares: bytes to events to JSON objects, errors midway, and the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, cast

from pydantic_core import from_json

from hf_tools.errors import (
    EmptyResponse,
    StreamError,
    StreamInterrupted,
    StreamProtocolError,
    StreamReportedError,
    shown,
)
from hf_tools.loose import table
from hf_tools.sse import MAX_EVENT, Event, Events
from hf_tools.task import Out, Part, Reply
from hf_tools.wire import reported


class StreamDecoder(ABC, Generic[Out, Part]):
    """Feeds on the bytes of one stream; `whole` decodes an answer that is no stream though one was asked for."""

    def __init__(self, head: Reply, whole: Callable[[Reply], Out]) -> None:
        self.usage: Any = None
        self.done = False
        self.finished = False
        self._head, self._whole = head, whole
        self._events = Events()
        self._answer: Out | None = None
        self._bytes = bytearray()
        self._is_whole = head.content_type.endswith("json") or head.content_type == "text/html"
        self._seen = False

    def feed(self, data: bytes) -> Iterator[Part]:
        """Take the next bytes; yield the parts that are complete with them."""
        if self.done:
            return
        if self._is_whole:
            self._bytes += data
            if len(self._bytes) > MAX_EVENT:
                raise StreamProtocolError("the answer is no stream, and too large")
            return
        yield from self._parts(self._events.feed(data))

    def close(self) -> Iterator[Part]:
        """The bytes have ended; StreamInterrupted with the partial answer where no terminal mark has come."""
        if self._is_whole:
            self._answer = self._whole(Reply(self._head.status, self._head.headers, bytes(self._bytes)))
            self.done = True
            yield from self.parts_of(self._answer)
            return
        if not self.done:
            yield from self._parts(self._events.close())
        if not self._seen:
            raise EmptyResponse("the stream has no event")
        if not (self.done or self.finished):
            raise StreamInterrupted("the stream ended early, without a terminal mark", partial=self.final)

    @property
    def final(self) -> Out:
        """The answer as far as it came."""
        return self.assembled() if self._answer is None else self._answer

    def _parts(self, events: Iterator[Event]) -> Iterator[Part]:
        try:
            for event in events:
                yield from self._event(event)
                if self.done:
                    return
        except StreamError as error:
            error.partial = self.final
            raise

    def _event(self, event: Event) -> Sequence[Part]:
        self._seen = True
        data = event.data.strip()
        if data == "[DONE]":
            self.done = True
            return ()
        value = self._json(data)
        if value is None:
            return ()
        if not isinstance(value, dict):
            raise StreamProtocolError(f"an event of the stream is not an object: {shown(data)}")
        about = table(cast(object, value))
        report = reported(about)
        if report is None and (event.kind == "error" or ("detail" in about and "choices" not in about)):
            report = shown(about.get("message") or about.get("detail") or data), None
        if report is not None:
            raise StreamReportedError(f"the server reported an error in the stream: {report[0]}", code=report[1])
        return self.part(about)

    def _json(self, data: str) -> Any:
        try:
            return from_json(data)
        except ValueError as error:
            raise StreamProtocolError(f"an event of the stream is not JSON: {shown(data)}") from error

    @abstractmethod
    def part(self, value: dict[str, Any]) -> Sequence[Part]:
        """The parts that one JSON object brings."""

    @abstractmethod
    def parts_of(self, answer: Out) -> Sequence[Part]:
        """A whole answer as parts."""

    @abstractmethod
    def assembled(self) -> Out:
        """The answer as far as it came, from the parts."""
