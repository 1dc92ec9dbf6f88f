"""How the faults of streams are written: the bytes of an answer, and the outcomes by kind of call.

Besides `stream` there are kinds of their own: `end` tells the finish reason and the tokens used, `calls` the tool calls
of the message, `agent` what an agent's tool ran with.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.faults.table import TABLE, Expect, Fault
from tests.faults.wire import TEXT, Script, Wire, chunk, event, opening

FIRST, CUT = opening(2), "Hello from "
"""The first two events of a stream, and their text."""
STOP, DONE = event(chunk({}, "stop")), event("[DONE]")
WHOLE = Expect(TEXT, partial=TEXT)
"""The right answer."""
BODIES: dict[str, bytes] = {}
"""The streams of the faults that end in good order, by the key of the fault."""


def broken(error: str, says: str = "", *, partial: str | None = CUT, within: float = 5.0) -> Expect:
    """An error after the text that has come; nothing is sent again."""
    return Expect(error=error, says=says, partial=partial, within=within)


def declare(
    number: int, name: str, script: Script | bytes, label: str = "", *, timeout: float = 8.0, **expect: Expect
) -> None:
    """Add a fault to the table; bytes are the body of an event stream that ends in good order."""
    fault = Fault(number, name, says(script) if isinstance(script, bytes) else script, expect, label, timeout)
    if isinstance(script, bytes):
        BODIES[fault.key] = script
    TABLE.faults.append(fault)


def says(*body: bytes, then: Callable[[Wire], None] = Wire.close, headers: tuple[str, ...] = ()) -> Script:
    """Send an event stream in these pieces, then close in good order or do something else."""

    def script(wire: Wire) -> None:
        wire.request()
        wire.begin(*headers)
        for piece in body:
            wire.send(piece)
        then(wire)

    return script


def replies(body: bytes, status: str = "200 OK", kind: str = "application/json") -> Script:
    """Answer with this body where a stream was asked for."""

    def script(wire: Wire) -> None:
        wire.request()
        wire.answer(body, status=status, kind=kind)

    return script


def chunked(data: bytes) -> bytes:
    """The bytes as one chunk of HTTP/1.1."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def unescaped(value: Any) -> str:
    """JSON with every character as it is."""
    return json.dumps(value, ensure_ascii=False)


def text(*pieces: str) -> bytes:
    """Events with these pieces of text, written without escapes."""
    return b"".join(event(unescaped(chunk({"content": piece}))) for piece in pieces)


def call(arguments: Any = None, name: Any = None, number: Any = None, **more: Any) -> dict[str, Any]:
    """A piece of a tool call."""
    return {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def calling(*pieces: Any, reason: str | None = "tool_calls", mark: bytes = DONE) -> bytes:
    """A stream with one event for each of these values of `tool_calls`; a single piece needs no list."""
    deltas: list[list[Any]] = [each if isinstance(each, list) else [each] for each in pieces]
    sent = [event(chunk({"role": "assistant", "content": None, "tool_calls": each})) for each in deltas]
    return b"".join(sent) + (event(chunk({}, reason)) if reason else b"") + mark
