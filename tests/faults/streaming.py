"""Faults 67 to 88 but for the slow ones: how a stream ends, how its events are written, what is no stream at all."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.faults.streaming_wire import (
    CUT,
    DONE,
    FIRST,
    STOP,
    WHOLE,
    broken,
    chunked,
    declare,
    replies,
    says,
    text,
)
from tests.faults.table import Expect
from tests.faults.wire import TEXT, Wire, chunk, completion, event, events, opening

ALL = opening(4)
"""All of the text, without an end."""

# the end

declare(67, "ends without a mark", FIRST, stream=broken("StreamInterrupted", "without a terminal mark"))
CHUNKS = ("transfer-encoding: chunked",)
declare(67, "ends without a mark, in good chunks", says(chunked(FIRST), b"0\r\n\r\n", headers=CHUNKS), "b",
        stream=broken("StreamInterrupted", "without a terminal mark"))  # fmt: skip
declare(67, "ends within an event", FIRST + event(chunk({"content": "the"}))[:60], "c",
        stream=broken("StreamInterrupted", "within an event"))  # fmt: skip
declare(67, "ends within a character", FIRST + "data: é".encode()[:-1], "d",
        stream=broken("StreamInterrupted", "within an event"))  # fmt: skip
declare(68, "finish_reason without [DONE]", ALL + STOP, stream=WHOLE)
declare(69, "[DONE] without finish_reason", ALL + DONE, stream=WHOLE, end=Expect("None, None"))
declare(70, "no blank line after [DONE]", ALL + STOP + DONE.rstrip(), stream=WHOLE)
declare(70, "no blank line after the last event", ALL + STOP.rstrip(), "b", stream=WHOLE)
declare(70, "one line end after the last event", ALL + STOP[:-1], "c", stream=WHOLE)
declare(71, "data:[DONE]", ALL + b"data:[DONE]\n\n", stream=WHOLE)
declare(71, "[DONE] with spaces", ALL + b"data:  [DONE] \n\n", "b", stream=WHOLE)
declare(71, "[DONE] twice", ALL + STOP + DONE + DONE, "c", stream=WHOLE)
declare(71, "more after [DONE]", ALL + STOP + DONE + text(" and more") + b"data: junk\n\n", "d", stream=WHOLE)
declare(71, "[DONE], and the connection stays open", says(events(), then=Wire.hold), "e",
        stream=Expect(TEXT, partial=TEXT, within=1.5))  # fmt: skip
declare(71, "[DONE], then a reset", says(events(), then=Wire.reset), "f", stream=WHOLE)

# the bytes

declare(72, "lines end with CR LF", events().replace(b"\n", b"\r\n"), stream=WHOLE)
declare(72, "lines end with CR", events().replace(b"\n", b"\r"), "b", stream=WHOLE)


def in_bytes(data: bytes) -> list[bytes]:
    """The bytes one by one."""
    return [data[place : place + 1] for place in range(len(data))]


declare(72, "CR LF, byte by byte", says(*in_bytes(events().replace(b"\n", b"\r\n"))), "c", stream=WHOLE)
ODD = "Grüße, 世界, 😀👩\u200d🚀"
declare(73, "characters cut apart", says(*in_bytes(text(ODD) + STOP)), stream=Expect(ODD, partial=ODD))
ENDS = "a\u2028b\u2029c\u0085d\x7fe"
declare(74, "line ends of Unicode within JSON", text(ENDS) + STOP + DONE, stream=Expect(ENDS, partial=ENDS))
LINES = "\n".join(json.dumps(chunk({"content": TEXT}), indent=1).splitlines()).replace("\n", "\ndata: ")
declare(75, "an event of many lines", event(LINES) + STOP + DONE, stream=WHOLE)
NOISE = (
    b': OPENROUTER PROCESSING\n\nid: 7\n\nretry: 1000\n\nevent: ping\ndata: {"type": "ping"}\n\ndata:\n\ndata\n\n:\n\n'
)
declare(
    76,
    "comments, ids, pings, empty data",
    NOISE + FIRST + NOISE + ALL[len(FIRST) :] + STOP + NOISE + DONE,
    stream=WHOLE,
)
declare(76, "a byte order mark", b"\xef\xbb\xbf" + events(), "b", stream=WHOLE)
BAD = event(chunk({"content": "Hel?lo"})).replace(b"?", b"\xff") + STOP + DONE
declare(77, "bytes that are no UTF-8", BAD, stream=Expect("Hel\ufffdlo", partial="Hel\ufffdlo"))
HALVES = ["Hel\ud83d", "\ude00lo", " \U0001f600"]
declare(77, "halves of characters", b"".join(event(chunk({"content": half})) for half in HALVES) + STOP + DONE, "b",
        stream=Expect("Hel\ufffd\ufffdlo \U0001f600", partial="Hel\ufffd\ufffdlo \U0001f600"))  # fmt: skip
declare(78, "data: null", FIRST + event("null") + ALL[len(FIRST) :] + STOP + DONE, stream=WHOLE)
NO_OBJECT = {"b": '"x"', "c": "[]", "d": "17"}
for label, value in NO_OBJECT.items():
    declare(78, f"data: {value}", FIRST + event(value) + DONE, label,
            stream=broken("StreamProtocolError", f"not an object: {value}"))  # fmt: skip
declare(78, "plain text", FIRST + event("Internal Server Error") + DONE, "e",
        stream=broken("StreamProtocolError", "not JSON: Internal Server Error"))  # fmt: skip
declare(
    78, "200,000 brackets", FIRST + event("[" * 200_000) + DONE, "f", stream=broken("StreamProtocolError", "not JSON")
)

# errors of the server

REPORTS = {
    "": event({"error": {"message": "out of memory", "type": "server_error"}}),
    "b": event({"error": "out of memory", "error_type": "overloaded"}),
    "c": b'event: error\ndata: {"message": "out of memory"}\n\n',
    "d": b"event: error\ndata: out of memory\n\n",
    "e": event({"detail": "out of memory"}),
    "f": event(chunk({}, error={"message": "out of memory", "code": 500})),
}
for label, data in REPORTS.items():
    declare(79, "an error midway", FIRST + data + DONE, label, stream=broken("StreamReportedError", "out of memory"))
declare(
    79, "an error first", REPORTS[""] + DONE, "g", stream=broken("StreamReportedError", "out of memory", partial="")
)


def settled(wire: Wire) -> None:
    """Reset the connection when what was sent has been read."""
    time.sleep(0.3)
    wire.reset()


LOST = broken("StreamInterrupted", "the stream broke")
declare(81, "a reset midway", says(FIRST, then=settled), stream=LOST)
declare(81, "a chunk that is cut off", says(chunked(FIRST), b"ff\r\ndata: {", headers=CHUNKS), "b", stream=LOST)
declare(81, "chunks without an end", says(chunked(FIRST), headers=CHUNKS), "c", stream=LOST)
declare(81, "shorter than it was told", says(FIRST, headers=(f"content-length: {len(FIRST) + 9}",)), "d", stream=LOST)
declare(81, "no chunk at all", says(chunked(FIRST), b"zz\r\n", headers=CHUNKS), "e", stream=LOST)
declare(81, "a reset after the end of the answer", says(ALL + STOP, then=settled), "f", stream=WHOLE)
declare(
    81,
    "cut off within the event after the end",
    says(ALL + STOP + b'data: {"choices": [', then=settled),
    "g",
    stream=WHOLE,
)
declare(
    81,
    "a reset after the head",
    says(then=settled),
    "h",
    stream=broken("StreamInterrupted", "the stream broke", partial=""),
)

# no stream

WHOLE_ANSWER = json.dumps(completion()).encode()
declare(85, "a JSON answer", replies(WHOLE_ANSWER), stream=WHOLE)
declare(85, "a JSON answer declared as a stream", replies(WHOLE_ANSWER, kind="text/event-stream"), "b", stream=WHOLE)
declare(85, "a stream declared as JSON", replies(events()), "c", stream=WHOLE)
declare(86, "HTML", replies(b"<!DOCTYPE html><title>Sign in</title>", kind="text/html"),
        stream=broken("UnexpectedContent", "Sign in", partial=""))  # fmt: skip
declare(86, "204", replies(b"", "204 No Content"), "b", stream=Expect(error="EmptyResponse", partial=""))
declare(86, "200 with an error", replies(b'{"error": "out of memory"}'), "c",
        stream=broken("ReportedError", "out of memory", partial=""))  # fmt: skip
declare(
    86, "JSON of another shape", replies(b'{"choices": []}'), "d", stream=broken("ShapeError", "choices", partial="")
)
declare(87, "nothing at all", b"", stream=broken("EmptyResponse", "no event", partial=""))
declare(87, "only [DONE]", DONE, "b", stream=broken("EmptyResponse", "no content", partial=""))
declare(87, "only comments", b": hello\n\n: bye\n\n", "c", stream=broken("EmptyResponse", "no event", partial=""))
declare(
    87, "an answer without words", event(chunk({"role": "assistant"})) + STOP + DONE, "d", stream=Expect("", partial="")
)

# odd shapes

ODDITIES: list[dict[str, Any]] = [
    {"choices": None}, {}, {"choices": []}, {"choices": [None]}, {"choices": [{"index": 0, "delta": None}]},
    {"choices": [{"index": 0}]}, {"choices": [{"delta": {"content": None, "role": None}}]},
    {"choices": [{"delta": {"content": [], "tool_calls": None}}]},
]  # fmt: skip
ODD_EVENTS = b"".join(map(event, ODDITIES))
declare(88, "choices, delta and content null or absent",
        ODD_EVENTS + FIRST + ODD_EVENTS + ALL[len(FIRST) :] + STOP + DONE, stream=WHOLE)  # fmt: skip
PARTS = [{"type": "text", "text": "Hello "}, {"type": "text", "text": "from the server"}]
declare(88, "content as a list of parts", event(chunk({"content": PARTS})) + STOP + DONE, "b", stream=WHOLE)
declare(88, "content as an object", event(chunk({"content": {"text": TEXT}})) + STOP + DONE, "c", stream=WHOLE)
assert CUT in TEXT
