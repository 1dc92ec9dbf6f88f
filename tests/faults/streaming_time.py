"""Faults 80 to 84 that take time or bytes without end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace

from tests.faults.streaming_wire import FIRST, STOP, broken, declare, says
from tests.faults.table import Expect
from tests.faults.wire import TEXT, Gone, Wire, chunk, event, opening

SHORT = 1.5
"""Seconds that a call has here."""


LATE = broken("StreamTimeout", "the time for the call is used up", within=SHORT + 1.5)
LATE_FIRST = broken("StreamTimeout", "the time for the call is used up", partial="", within=SHORT + 1.5)


def again(data: bytes, gap: float) -> Callable[[Wire], None]:
    """Send this for ever."""

    def script(wire: Wire) -> None:
        with contextlib.suppress(Gone):
            while True:
                wire.send(data)
                time.sleep(gap)

    return script


def dribbled(data: bytes) -> Callable[[Wire], None]:
    """Send this for ever, a byte at a time."""
    return lambda wire: wire.dribble(data)


declare(80, "silence midway", says(FIRST, then=Wire.hold), timeout=SHORT, stream=LATE)
declare(80, "silence after the head", says(then=Wire.hold), "b", timeout=SHORT, stream=LATE_FIRST)
declare(80, "silence after the end of the answer", says(opening(4) + STOP, then=Wire.hold), "d", timeout=SHORT,
        stream=Expect(TEXT, partial=TEXT, within=SHORT + 1.5))  # fmt: skip
declare(80, "an event that comes byte by byte", says(FIRST, then=dribbled(b"data: " + b"x" * 1000)), "c", timeout=SHORT,
        stream=LATE)  # fmt: skip
declare(82, "comments without end", says(FIRST, then=again(b": keep-alive\n\n", 0.1)), timeout=SHORT, stream=LATE)
declare(82, "comments byte by byte", says(FIRST, then=dribbled(b": keep-alive\n\n")), "b", timeout=SHORT, stream=LATE)
declare(82, "a flood of comments", says(FIRST, then=again(b": x\n" * 500, 0.01)), "c", timeout=SHORT, stream=LATE)
declare(
    82, "pings without end", says(FIRST, then=again(b"event: ping\ndata: {}\n\n", 0.1)), "d", timeout=SHORT, stream=LATE
)
declare(82, "empty lines from the first", says(then=again(b"\n" * 1000, 0.02)), "e", timeout=SHORT, stream=LATE_FIRST)
declare(82, "one comment without an end", says(FIRST, b":", then=again(b" " * 2**20, 0.0)), "f",
        stream=broken("StreamProtocolError", "larger than 8 MiB"))  # fmt: skip
declare(83, "tokens without end", says(FIRST, then=again(event(chunk({"content": "x"})), 0.05)), timeout=SHORT,
        stream=replace(LATE, partial=None))  # fmt: skip
PADDED = event(chunk({"content": "x"}, obfuscation="x" * 2**22))
declare(83, "tokens without end, at full speed", says(FIRST, then=again(PADDED, 0.0)), "b",
        stream=broken("StreamProtocolError", "larger than 64 MiB", partial="Hello from " + "x" * 15))  # fmt: skip
declare(84, "an event of 64 MiB", says(FIRST, b'data: {"choices": "', then=again(b"x" * 2**20, 0.0)),
        stream=broken("StreamProtocolError", "larger than 8 MiB"))  # fmt: skip
LINES = (b"data: " + b"12345678" * 140 + b"\n") * 2**10
declare(84, "an event of many lines without an end", says(FIRST, then=again(LINES, 0.0)), "b",
        timeout=60.0, stream=replace(broken("StreamProtocolError", "larger than 8 MiB"), within=10.0))  # fmt: skip
declare(84, "a whole answer without an end", says(b'{"choices": "', then=again(b"x" * 2**20, 0.0)), "c",
        stream=broken("StreamProtocolError", "too large", partial=""))  # fmt: skip
