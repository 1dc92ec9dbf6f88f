"""A server on 127.0.0.1 that costs next to nothing: `python -m benchmarks.server.serve` prints its port.

It ends when its standard input does. What a request asks for stands in its path, as `/chunks=500,pace=1.5/v1/...`:

- `delay`: milliseconds before the answer. `limit`: texts that it takes at once; more are refused with 413, or 422 for
  OpenAI's shape.
- `chunks`: pieces of a stream. `pace`: milliseconds between them; without it a stream is written in one go.
- `tools`: 1 for pieces of a tool call's arguments instead of text.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import sys
from typing import Any, Final, cast

from benchmarks.server import bodies

NUMBERS: Final = {"delay": 0.0, "limit": 0.0, "chunks": 16.0, "pace": 0.0, "tools": 0.0}
STREAMED: Final = re.compile(rb'"stream": ?true')


def asked(path: str) -> tuple[str, dict[str, float]]:
    """The path without its options, and these."""
    first, _, rest = path.lstrip("/").partition("/")
    if "=" not in first:
        return path, NUMBERS
    given = dict(pair.split("=") for pair in first.split(","))
    return f"/{rest}", NUMBERS | {name: float(value) for name, value in given.items()}


def events(path: str, body: bytes, options: dict[str, float]) -> tuple[bytes, ...] | None:
    """The events that a request is answered with; None where the answer is no stream."""
    count = int(options["chunks"])
    if path.endswith("/chat/completions") and STREAMED.search(body):
        return bodies.chat_events(count, tools=bool(options["tools"]), usage=b"include_usage" in body)
    return bodies.tgi_events(count) if path.endswith("/tgi") else None


def answer(path: str, body: bytes, options: dict[str, float]) -> bytes:
    """The whole answer to a request."""
    if path.endswith("/chat/completions"):
        return bodies.completion()
    if path.endswith(("/embed", "/embeddings")):
        return vectors(path, json.loads(body), options["limit"])
    if path.endswith("/picture"):
        return bodies.picture()
    if path.startswith("/models/"):
        return bodies.PICTURE_LABELS if body.startswith(b"\x89PNG") else bodies.LABELS
    return bodies.reply(404, b'{"error":"not found"}')


def vectors(path: str, body: dict[str, Any], limit: float) -> bytes:
    """Vectors for the texts, or what TEI (413) or an OpenAI-shaped server (422) says of too many."""
    texts: str | list[str] = body.get("inputs") or body["input"]
    count, openai = 1 if isinstance(texts, str) else len(texts), path.endswith("/embeddings")
    if limit and count > limit:
        said = {"error": f"batch size {count} > maximum allowed batch size {limit:.0f}", "error_type": "Validation"}
        return bodies.reply(422 if openai else 413, bodies.packed(said))
    if openai:
        return bodies.openai_vectors(count, encoded=body.get("encoding_format") == "base64")
    return bodies.tei_vectors(count)


class Connection(asyncio.Protocol):
    """One connection: one request after the other."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._buffer, self._busy = bytearray(), False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=1 << 22)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._busy:
            self._next()

    def _next(self) -> None:
        """Answer the next request if all of it is there; clients give its length."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[:end])
        _, found, rest = head.lower().partition(b"\r\ncontent-length:")
        whole = end + 4 + (int(rest.partition(b"\r\n")[0]) if found else 0)
        if len(self._buffer) < whole:
            return
        body = bytes(self._buffer[end + 4 : whole])
        del self._buffer[:whole]
        self._busy = True
        path, options = asked(head.split(b" ", 2)[1].decode())
        if options["delay"]:
            self._loop.call_later(options["delay"] / 1e3, self._answer, path, body, options)
        else:
            self._answer(path, body, options)

    def _answer(self, path: str, body: bytes, options: dict[str, float]) -> None:
        pieces = events(path, body, options)
        if pieces is not None and options["pace"]:
            self._write(bodies.STREAM)
            self._paced(pieces, 0, self._loop.time(), options["pace"] / 1e3)
            return
        self._write(answer(path, body, options) if pieces is None else bodies.streamed(pieces))
        self._done()

    def _paced(self, pieces: tuple[bytes, ...], place: int, start: float, pace: float) -> None:
        """The next event, and those after it each at its time."""
        if place == len(pieces) or self._transport is None:
            self._write(bodies.END)
            self._done()
            return
        self._write(pieces[place])
        self._loop.call_at(start + (place + 1) * pace, self._paced, pieces, place + 1, start, pace)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _done(self) -> None:
        self._busy = False
        if self._buffer:
            self._loop.call_soon(self._next)


async def serve() -> None:
    """Print the port and serve until the standard input ends."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=1024)

    def ended() -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            over.set()

    loop.add_reader(sys.stdin.fileno(), ended)
    print(server.sockets[0].getsockname()[1], flush=True)
    await over.wait()
    server.close()


if __name__ == "__main__":
    gc.disable()
    asyncio.run(serve())
