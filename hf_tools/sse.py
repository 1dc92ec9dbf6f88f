"""Server-sent events from bytes, after the WHATWG rules: no I/O, no JSON, no policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hf_tools.errors import StreamProtocolError

MAX_EVENT = 8 * 2**20
"""Bytes of one event; base64 media in a stream stays below it, a runaway server does not."""

BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event with data; `kind` is `message` unless the server named another."""

    data: str
    kind: str = "message"


class Events:
    """Splits bytes into events: lines end at LF, CR or CRLF and nowhere else, wherever the chunks are cut."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._waiting = self._size = 0
        self._data: list[bytes] = []
        self._kind = ""
        self._start: bytes | None = b""
        self._after_cr = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Take the next bytes; yield the events that are complete with them."""
        if self._start is not None:
            chunk = self._without_bom(chunk)
        if not chunk:
            return
        if self._after_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]
        self._after_cr = chunk[-1:] == b"\r"
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            if self._pieces:
                line = b"".join((*self._pieces, line))
                self._pieces.clear()
                self._waiting = 0
            event = self._line(line)
            if event is not None:
                yield event
        if rest:
            self._pieces.append(rest)
            self._waiting += len(rest)
            self._check(self._waiting)

    def whole(self, chunk: bytes) -> Event | None:
        """The event that the next bytes are, where they are one of one line; else None, and they are to be fed.

        Nearly all servers send each event so, in an HTTP chunk of its own.
        """
        plain = (
            chunk.startswith(b"data: ") and chunk.find(b"\n") == len(chunk) - 2 and chunk.endswith(b"\n\n")
            and not (self._pieces or self._data or self._kind or self._after_cr) and b"\r" not in chunk
            and self._start is None and len(chunk) < MAX_EVENT and not chunk[6:].isspace()
        )  # fmt: skip
        return Event(chunk[6:-2].decode("utf-8", "replace")) if plain else None

    def close(self) -> Iterator[Event]:
        """The bytes have ended: yield an event that no blank line has ended; many servers leave that out."""
        for line in (b"".join(self._pieces), b""):
            event = self._line(line)
            if event is not None:
                yield event
        self._pieces.clear()

    def _without_bom(self, chunk: bytes) -> bytes:
        """A byte order mark at the very start is dropped, though it may come in pieces."""
        chunk = (self._start or b"") + chunk
        if len(chunk) < len(BOM) and BOM.startswith(chunk):
            self._start = chunk
            return b""
        self._start = None
        return chunk.removeprefix(BOM)

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._dispatch()
        self._check(len(line))
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._size += len(line)
        elif name == b"event":
            self._kind = value.decode("utf-8", "replace")
        return None

    def _dispatch(self) -> Event | None:
        data, kind = b"\n".join(self._data), self._kind or "message"
        self._data, self._kind, self._size = [], "", 0
        return Event(data.decode("utf-8", "replace"), kind) if data.strip() else None

    def _check(self, line: int) -> None:
        """Refuse a line that makes its event too large, whether or not it has come as a whole."""
        if self._size + line > MAX_EVENT:
            raise StreamProtocolError(f"an event of the stream is larger than {MAX_EVENT // 2**20} MiB")
