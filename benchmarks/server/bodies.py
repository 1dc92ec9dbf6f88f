"""The answers of the loopback server: bytes that are made once and sent many times."""

from __future__ import annotations

import base64
import json
import random
import struct
import zlib
from functools import cache
from typing import Any, Final

WORDS: Final = (
    " the", " a", " model", " of", " token", " stream", " is", " and", " to", " inference", " fast", " été", ",", ".",
    " Hugging", " Face",
)  # fmt: skip
VECTORS: Final = 128
"""Different vectors; longer batches repeat them."""
DIMENSIONS: Final = 384
WIDTH, HEIGHT = 512, 683
"""Of the picture: 1 MiB of pixels, which are stored uncompressed."""
USAGE: Final = {"prompt_tokens": 17, "completion_tokens": 64, "total_tokens": 81}
ABOUT: Final = {
    "id": "chatcmpl-9f2b6c1d", "created": 1763762400, "model": "m", "system_fingerprint": "3.3.4-sha-ab12cd3",
}  # fmt: skip
REASONS: Final = {200: "OK", 404: "Not Found", 413: "Payload Too Large", 422: "Unprocessable Entity"}


def packed(value: Any) -> bytes:
    """JSON as servers write it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def reply(status: int, body: bytes, kind: str = "application/json") -> bytes:
    """A whole answer with its head."""
    head = f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: {kind}\r\nx-request-id: 0f3c1d3e\r\n"
    return f"{head}date: Fri, 21 Nov 2025 22:00:00 GMT\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


STREAM: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: 0f3c1d3e\r\ncache-control: no-cache\r\n"
    b"date: Fri, 21 Nov 2025 22:00:00 GMT\r\ntransfer-encoding: chunked\r\n\r\n"
)
END: Final = b"0\r\n\r\n"
CLASSES: Final = [{"label": "POSITIVE", "score": 0.9991257190704346}, {"label": "NEGATIVE", "score": 0.00087429187}]
LABELS: Final = reply(200, packed([CLASSES]))
PICTURE_LABELS: Final = reply(200, packed(CLASSES))


@cache
def completion() -> bytes:
    """A whole chat answer of 64 words."""
    text = "".join(WORDS[place % 16] for place in range(64)).strip()
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "logprobs": None, "finish_reason": "stop"}
    return reply(200, packed({"object": "chat.completion", **ABOUT, "choices": [choice], "usage": USAGE}))


def event(value: Any) -> bytes:
    """One server-sent event, in an HTTP chunk of its own as real servers send it."""
    data = b"data: " + (value if isinstance(value, bytes) else packed(value)) + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


def _delta(delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return event({"object": "chat.completion.chunk", **ABOUT, "choices": [choice]})


def _call(arguments: str, **more: str) -> bytes:
    function = {"name": more.pop("name"), "arguments": arguments} if "name" in more else {"arguments": arguments}
    return _delta({"tool_calls": [{"index": 0, **more, "function": function}]})


@cache
def chat_events(count: int, *, tools: bool, usage: bool) -> tuple[bytes, ...]:
    """A chat stream of `count` pieces: of text, or of the arguments of a tool call."""
    if tools:
        first = _call("", id="call_abc0", type="function", name="get_weather")
        pieces = [first, _call('{"city": "'), *[_call("x")] * max(0, count - 2), _call('"}')]
    else:
        words = [_delta({"content": word}) for word in WORDS]
        pieces = [words[place % 16] for place in range(count)]
    told = [event({"object": "chat.completion.chunk", **ABOUT, "choices": [], "usage": USAGE})] if usage else []
    last = _delta({}, "tool_calls" if tools else "stop")
    return (_delta({"role": "assistant", "content": ""}), *pieces, last, *told, event(b"[DONE]"))


@cache
def tgi_events(count: int) -> tuple[bytes, ...]:
    """A stream of TGI's own, with `count` tokens."""
    return tuple(_token(place, last=place == count - 1) for place in range(count))


def _token(place: int, *, last: bool) -> bytes:
    token = {"id": 100 + place % 16, "text": WORDS[place % 16], "logprob": -0.03125, "special": False}
    details = {"finish_reason": "length", "generated_tokens": place + 1, "seed": None, "input_length": 4}
    whole = "".join(WORDS) if last else None
    about = {"generated_text": whole, "details": details if last else None}
    return event({"index": place + 1, "token": token, **about})


@cache
def streamed(events: tuple[bytes, ...]) -> bytes:
    """A whole stream as one piece: the kernel cuts it as it does for a client that lags behind."""
    return STREAM + b"".join(events) + END


@cache
def _vectors() -> list[tuple[bytes, bytes]]:
    """Each vector as JSON and as base64, of 32 bit floats in the shortest form that tells them apart."""
    chance, made = random.Random(7), list[tuple[bytes, bytes]]()
    for _ in range(VECTORS):
        raw = struct.pack(f"<{DIMENSIONS}f", *(chance.gauss(0, 0.05) for _ in range(DIMENSIONS)))
        numbers = ",".join(_shortest(number) for number in struct.unpack(f"<{DIMENSIONS}f", raw))
        made.append((f"[{numbers}]".encode(), b'"' + base64.b64encode(raw) + b'"'))
    return made


def _shortest(number: float) -> str:
    for digits in (6, 7, 8):
        text = f"{number:.{digits}g}"
        if struct.unpack("<f", struct.pack("<f", float(text)))[0] == number:
            return repr(float(text))
    return repr(float(f"{number:.9g}"))


@cache
def tei_vectors(count: int) -> bytes:
    """TEI's answer to `count` texts."""
    made = _vectors()
    return reply(200, b"[" + b",".join(made[place % VECTORS][0] for place in range(count)) + b"]")


@cache
def openai_vectors(count: int, *, encoded: bool) -> bytes:
    """OpenAI's answer to `count` texts."""
    made = _vectors()
    form = b'{"object":"embedding","embedding":%s,"index":%d}'
    rows = b",".join(form % (made[place % VECTORS][encoded], place) for place in range(count))
    usage = b'{"prompt_tokens":%d,"total_tokens":%d}' % (8 * count, 8 * count)
    return reply(200, b'{"object":"list","data":[' + rows + b'],"model":"m","usage":' + usage + b"}")


@cache
def png() -> bytes:
    """A picture of noise, 1 MiB."""
    row = b"\0" + random.Random(3).randbytes(WIDTH * 3)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(row * HEIGHT, 0)),
        (b"IEND", b""),
    ]  # fmt: skip
    chunks = (struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
              for kind, data in parts)  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@cache
def picture() -> bytes:
    """The picture as an answer."""
    return reply(200, png(), "image/png")
