"""Faults 15 to 42: heads and bodies that are cut, wrong, too large or packed."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import TypeAlias

from tests.faults.expects import RIGHT, after, fails, no_stream
from tests.faults.table import Expect, each_request, fault
from tests.faults.wire import Wire, completion, events

Pack: TypeAlias = Callable[[bytes], bytes]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
BROKEN = no_stream(fails("ConnectionLost", 3))
TWICE = fails("DecodeError", 2)


@fault(15, "the body comes byte by byte", no_stream(fails("DeadlineExceeded", within=3)), timeout=1.5)
def body_dribble(wire: Wire) -> None:
    wire.request()
    wire.send(HEAD + b"content-length: 100000\r\n\r\n")
    wire.dribble(b" ", 0.02)


@fault(17, "100 kB of headers", fails("TransportError", 1, "not HTTP as it should be"))
def large_head(wire: Wire) -> None:
    wire.request()
    wire.send(HEAD + b"x-large: " + b"x" * 200_000 + b"\r\ncontent-length: 2\r\n\r\n{}")


@fault(17, "4,000 short headers", after(1), label="b")
def many_headers(wire: Wire) -> None:
    wire.request()
    more = {f"x-{place}": "y" for place in range(4000)}
    if wire.streams:
        wire.begin(*(f"{name}: y" for name in more))
        wire.send(events())
    else:
        wire.answer(wire.right(), **more)


@fault(18, "not HTTP", fails("TransportError", 1, "not HTTP as it should be"))
def banner(wire: Wire) -> None:
    wire.request()
    wire.send(b"SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13\r\n")
    wire.hold()


@fault(19, "reset in the body", BROKEN)
def reset_within(wire: Wire) -> None:
    wire.request()
    wire.send(HEAD + b"content-length: 1000\r\n\r\n" + wire.right()[:20])
    wire.reset()


@fault(20, "shorter than its length", BROKEN)
def short(wire: Wire) -> None:
    wire.request()
    wire.send(HEAD + b"content-length: 1000\r\n\r\n" + wire.right())


@fault(21, "chunks without the last one", BROKEN)
def no_last_chunk(wire: Wire) -> None:
    wire.request()
    body = wire.right()
    wire.send(HEAD + b"transfer-encoding: chunked\r\n\r\n" + f"{len(body):x}\r\n".encode() + body + b"\r\n")


@fault(22, "a second answer behind the first", after(1, without="stream"))
@each_request
def smuggled(wire: Wire) -> None:
    body = wire.right()
    evil = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 6\r\n\r\n"evil"'
    wire.send(HEAD + f"content-length: {len(body)}\r\n\r\n".encode() + body + evil)


def says(number: int, name: str, expect: dict[str, Expect], body: bytes | None, label: str = "", **about: str) -> None:
    """Declare a fault whose answer is a JSON body, or the right one where that is None; streams are not tried."""
    kind = about.pop("kind", "application/json")

    @fault(number, name, {key: one for key, one in expect.items() if key != "stream"}, label=label)
    @each_request
    def answers(wire: Wire) -> None:
        wire.answer(wire.right() if body is None else body, status=about.pop("status", "200 OK"), kind=kind, **about)


WHOLE = json.dumps(completion()).encode()
NONE = no_stream(fails("ResponseError"))

says(23, "JSON that is cut off", no_stream(TWICE), WHOLE[:60])
REPLACED = Expect("H\ufffd\ufffd from the server")
says(24, "bytes that are no UTF-8", {"call": REPLACED, "tool": REPLACED}, WHOLE.replace(b"Hello", b"H\xff\xfe"))
says(26, "Infinity where a number of tokens stands", after(1, without="embed"),
     WHOLE.replace(b'"total_tokens": 7', b'"total_tokens": Infinity'), "b")  # fmt: skip
says(27, "200,000 brackets", no_stream(fails("ResponseError", None)), b"[" * 200_000)
says(28, "keys twice", after(1, without="embed"), WHOLE.replace(b'"id":', b'"id": "c0", "id":'))
says(28, "an integer of 300 digits", after(1, without="embed"), WHOLE.replace(b": 1,", b": " + b"9" * 300 + b","), "b")
DIGITS = {kind: one for kind, one in TWICE.items() if kind == "tool"} | {"call": TWICE["any"]}
says(28, "an integer of 5,000 digits", DIGITS, WHOLE.replace(b": 1,", b": " + b"9" * 5000 + b","), "c")
says(29, "JSON called text/plain", after(1), None, kind="text/plain")
says(29, "JSON called an image", after(1), None, "b", kind="image/png")
says(31, "a web page with status 200", no_stream(fails("UnexpectedContent", 1, "Sign in")),
     b"<!doctype html><html><head><title>Sign in</title></head>", kind="text/html")  # fmt: skip
says(33, "nothing at all", no_stream(fails("EmptyResponse", 2)), b"")
for label, body in zip("abcde", (b"null", b'"text"', b"[]", b"{}", b"7"), strict=True):
    says(35, f"{body.decode()} for an object", no_stream(fails("ShapeError")), body, label)


@fault(26, "NaN in an embedding", {"embed": Expect(error="ShapeError")})
@each_request
def nan(wire: Wire) -> None:
    wire.answer(wire.right().replace(b"0.25", b"NaN"))


@fault(25, "a byte order mark", after(1, without="stream"))
@each_request
def marked(wire: Wire) -> None:
    wire.answer(b"\xef\xbb\xbf" + wire.right())


@fault(30, "no content type", after(1, without="stream"))
@each_request
def untyped(wire: Wire) -> None:
    body = wire.right()
    wire.send(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)


LARGE = fails("ResponseTooLarge", 1, "larger than", within=3)
LARGE["stream"] = Expect(error="StreamProtocolError", says="too large", within=3)


@fault(37, "10 GB, as its length says", LARGE)
def large(wire: Wire) -> None:
    wire.request()
    wire.send(HEAD + b"content-length: 10000000000\r\n\r\n")
    for _ in range(40):
        wire.send(b" " * 2**20)


def packed(
    number: int, name: str, expect: dict[str, Expect], pack: Pack | bytes, label: str = "", packing: str = "gzip"
) -> None:
    """Declare a fault whose answer, whole or a stream, is packed by a function, or bytes as they are."""

    @fault(number, name, expect, label=label)
    @each_request
    def answers(wire: Wire) -> None:
        plain = events() if wire.streams else wire.right()
        kind = "text/event-stream" if wire.streams else "application/json"
        wire.answer(pack if isinstance(pack, bytes) else pack(plain), kind=kind, Content_Encoding=packing)


def bare(data: bytes) -> bytes:
    """Deflate without zlib's head, as some servers send it."""
    made = zlib.compressobj(wbits=-15)
    return made.compress(data) + made.flush()


def members(data: bytes) -> bytes:
    """Two gzip files, one behind the other, which are one (RFC 1952, section 2.2)."""
    return gzip.compress(data[:30]) + gzip.compress(data[30:])


def cut(data: bytes) -> bytes:
    """Gzip without its end."""
    return gzip.compress(data)[:-10]


BOMB = gzip.compress(bytes(100_000_000))
SMALL = fails("ResponseTooLarge", 1, "unpacks to more than 200 times")
packed(41, "a bomb: 100 MB in 100 kB", SMALL, BOMB)
packed(41, "a bomb, packed twice", fails("UnexpectedContent", 1, "gzip, gzip"), gzip.compress(BOMB), "b", "gzip, gzip")
packed(41, "a packing that nobody asked for", fails("UnexpectedContent", 1, "br"), b"\x0b\x02\x80", "c", "br")
packed(41, "gzip, as asked for", RIGHT, gzip.compress, "d")
packed(41, "deflate, as asked for", RIGHT, zlib.compress, "e", "deflate")
packed(41, "deflate without a head", RIGHT, bare, "f", "deflate")
packed(41, "gzip in two members", RIGHT, members, "g")
packed(42, "what is called gzip is none", fails("DecodeError", None), b"no gzip at all")
packed(42, "gzip that is cut off", no_stream(TWICE), cut, "b")
