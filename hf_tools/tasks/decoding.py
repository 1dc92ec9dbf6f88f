"""What every stream decoder shares: bytes to events to JSON objects, errors midway, and the end."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, cast

from pydantic_core import from_json

from hf_tools.errors import (
    EXCERPT,
    EmptyResponse,
    ResponseError,
    StreamError,
    StreamInterrupted,
    StreamProtocolError,
    StreamReportedError,
    shown,
)
from hf_tools.loose import table
from hf_tools.sse import BOM, MAX_EVENT, Event, Events
from hf_tools.task import Out, Part, Reply
from hf_tools.wire import reported

_FIELDS = (b"data", b"event", b"id", b"retry")
_FIELD = re.compile(rb":|(?:data|event|id|retry)[:\r\n]")
"""How a line of an event stream begins: as a comment, or with the name of a field."""
_ESCAPES = re.compile(r"\\u[dD](?:[89abAB]\w\w\\u[dD][c-fC-F]\w\w|[89a-fA-F]\w\w)|\\.")
"""Escapes in JSON, with those that are half a character: servers that count in UTF-16 cut between two of them."""
_HALF = len(r"\ud800")
_KEPT = 4 * EXCERPT
"""Bytes of a stream that are kept for the message that nothing useful came."""
MAX_STREAM = 64 * 2**20
"""Bytes of a stream: 200,000 tokens of the wordiest servers, 30,000 with log probabilities of 20 others each."""
_PROMISED = frozenset(["choices", "token"])
"""Keys of a part of an answer: an event that has one reports no error with its `detail`."""


def _parsed(data: str) -> Any:
    """JSON; halves of characters become replacement characters, as bytes do that are no UTF-8."""
    try:
        return from_json(data)
    except ValueError:
        return from_json(_ESCAPES.sub(lambda found: "\ufffd" if len(found[0]) == _HALF else found[0], data))


def expected(count: Any) -> int:
    """How many answers a stream has that was asked for `count`: one unless that is a number above it."""
    return max(1, count) if isinstance(count, int) else 1


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
        self._blank = self._size = 0
        self._is_stream: bool | None = None
        self._seen = self._content = False

    def feed(self, data: bytes) -> Iterable[Part]:
        """Take the next bytes; the parts that are complete with them."""
        if self.done:
            return ()
        self._size += len(data)
        if self._size > MAX_STREAM:
            raise StreamProtocolError(f"the stream is larger than {MAX_STREAM // 2**20} MiB", partial=self.final)
        event = self._events.whole(data) if self._content else None
        if event is None:
            return self._fed(data)
        try:
            return self._event(event)
        except StreamError as error:
            error.partial = self.final
            raise

    def _fed(self, data: bytes) -> Iterator[Part]:
        if self._is_stream:
            if not self._content and len(self._bytes) < _KEPT:
                self._bytes += data[:_KEPT]
            yield from self._parts(self._events.feed(data))
            return
        self._bytes += data
        if self._is_stream is None:
            self._is_stream = self._told()
        if self._is_stream:
            first = bytes(self._bytes)
            del self._bytes[_KEPT:]
            yield from self._parts(self._events.feed(first))
        elif len(self._bytes) > MAX_EVENT:
            raise StreamProtocolError(f"the answer is no stream, and too large; it begins {self._beginning()}")

    def close(self) -> Iterator[Part]:
        """The bytes have ended; StreamInterrupted with the partial answer where no terminal mark has come."""
        if self._is_stream is None and self._bytes.strip():
            self._is_stream = self._declared()
        if self._is_stream is False:
            yield from self.parts_of(self._taken())
            return
        if not self.done:
            yield from self._last()
        if not self._content and (self.done or not self._seen):
            beginning = self._beginning()
            message = f"the stream has no {'content' if self._seen else 'event'}"
            raise EmptyResponse(f"{message}; it begins {beginning}" if beginning else message, body=bytes(self._bytes))
        if not (self.done or self.finished):
            raise StreamInterrupted("the stream ended early, without a terminal mark", partial=self.final)

    def _last(self) -> Iterator[Part]:
        """What no blank line has ended: an event, or the half of one where the connection was cut."""
        try:
            yield from self._parts(self._events.close())
        except StreamProtocolError as error:
            if not self.finished:
                message = f"the stream ended early, within an event: {error.message}"
                raise StreamInterrupted(message, partial=self.final) from error

    @property
    def final(self) -> Out:
        """The answer as far as it came."""
        return self.assembled() if self._answer is None else self._answer

    def _told(self) -> bool | None:
        """Whether the bytes are events, as the first one tells: some servers declare neither; None before it came."""
        rest = bytes(self._bytes[self._blank :])  # what is known to be blank is not looked at again
        start = (rest if self._blank else rest.removeprefix(BOM)).lstrip()
        if BOM.startswith(start):
            self._blank += len(rest) - len(start)
            return None
        if start[:1] in (b"{", b"[", b"<"):
            return False
        if _FIELD.match(start):
            return True
        return None if any(name.startswith(start) for name in _FIELDS) else self._declared()

    def _declared(self) -> bool:
        return self._head.content_type == "text/event-stream"

    def _beginning(self) -> str:
        """The first characters that came, for a message."""
        return shown(bytes(self._bytes[:_KEPT]).removeprefix(BOM).strip())

    def _taken(self) -> Out:
        """The answer that came whole though a stream was asked for."""
        reply = Reply(self._head.status, self._head.headers, bytes(self._bytes))
        try:
            self._answer = answer = self._whole(reply)
        except ResponseError as error:
            error.body = reply.content
            raise
        self.done = True
        return answer

    def _parts(self, events: Iterator[Event]) -> Iterator[Part]:
        try:
            for event in events:
                yield from self._event(event)
                if self.done:
                    return
        except StreamError as error:
            error.partial = self.final
            if not self._seen:
                error.hint = f"The answer begins {self._beginning()}"
            raise

    def _event(self, event: Event) -> Sequence[Part]:
        if event.kind == "ping":
            return ()
        self._seen = True
        if event.data.strip() == "[DONE]":
            self.done = True
            return ()
        value = self._value(event)
        if value is None:
            return ()
        if not isinstance(value, dict):
            raise StreamProtocolError(f"an event of the stream is not an object: {shown(event.data)}")
        about = table(cast(object, value))
        report = reported(about)
        if report is None and (event.kind == "error" or ("detail" in about and not about.keys() & _PROMISED)):
            report = shown(about.get("message") or about.get("detail") or event.data), None
        if report is not None:
            raise StreamReportedError(f"the server reported an error in the stream: {report[0]}", code=report[1])
        parts = self.part(about)
        self._content = self._content or bool(parts)
        return parts

    def _value(self, event: Event) -> Any:
        """The JSON value of an event; of an error event always an object, whatever the server wrote."""
        value: Any = event.data
        try:
            value = _parsed(event.data)
        except ValueError as error:
            if event.kind != "error":
                raise StreamProtocolError(f"an event of the stream is not JSON: {shown(event.data)}") from error
        return (table(value) or {"error": value}) if event.kind == "error" else value

    @abstractmethod
    def part(self, value: dict[str, Any]) -> Sequence[Part]:
        """The parts that one JSON object brings."""

    @abstractmethod
    def parts_of(self, answer: Out) -> Sequence[Part]:
        """A whole answer as parts."""

    @abstractmethod
    def assembled(self) -> Out:
        """The answer as far as it came, from the parts."""
