"""Faults 32 to 66: error statuses and their bodies, waiting as the server asks, redirects, cookies."""

from __future__ import annotations

import gzip
import json
from email.utils import formatdate
from typing import Any

from tests.faults.expects import RIGHT, after, fails
from tests.faults.table import Expect, each_request, fault
from tests.faults.wire import Wire

PAGE = b"<html><head><title>Bad gateway</title></head><body>" + b"<p>cloud</p>" * 9000


def refuses(
    number: int, name: str, expect: dict[str, Expect], status: str, body: Any = b"", label: str = "", **more: Any
) -> None:
    """Declare a fault where every request gets a status; a body that is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = more.pop("kind", "text/html" if content[:1] == b"<" else "application/json")

    @fault(number, name, expect, label=label)
    @each_request
    def answers(wire: Wire) -> None:
        wire.answer(content, status=status, kind=kind, **more)


def first(number: int, name: str, status: str, body: Any = None, label: str = "", **more: Any) -> None:
    """Declare a fault where the first request gets a status, and the second one the right answer."""

    @fault(number, name, after(2), label=label)
    @each_request
    def answers(wire: Wire) -> None:
        if wire.turn == 1:
            wire.answer(json.dumps(body).encode() if body else b"", status=status, **more)
        else:
            wire.good()


def refused(error: str, says: str = "", requests: int = 1) -> dict[str, Expect]:
    """An error whose message says something."""
    return fails(error, requests, says)


WEB = refused("ServerError", 'HTML page titled "Bad gateway"', 3)
refuses(32, "a web page with 502", WEB, "502 Bad Gateway", PAGE)
refuses(32, "a web page with 504", WEB, "504 Gateway Timeout", PAGE, "b")
EMPTY = fails("EmptyResponse", 2) | {"stream": Expect(error="EmptyResponse")}
refuses(34, "204", EMPTY, "204 No Content")
refuses(34, "205", EMPTY, "205 Reset Content", label="b")
refuses(34, "300", refused("UnexpectedStatus"), "300 Multiple Choices", label="c")
refuses(34, "304", refused("UnexpectedStatus"), "304 Not Modified", label="d")

ERROR = fails("ReportedError", 1, "out of memory")
REPORTS: dict[str, Any] = {
    "": {"error": "out of memory"},
    "b": {"error": {"message": "out of memory", "code": 500}},
    "c": {"error": ["out of memory"]},
    "d": {"error": "out of memory", "error_type": "generation"},
}
for label, body in REPORTS.items():
    refuses(36, "200 with an error", ERROR, "200 OK", body, label)


@fault(38, "an error page of 50 MB", refused("InvalidRequest", "400"))
def large_page(wire: Wire) -> None:
    wire.request()
    wire.send(b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 50000000\r\n\r\n")
    for _ in range(50):
        wire.send(b"x" * 1_000_000)


for place, (body, words) in enumerate({
    b"null": "400", b'"sorry"': "sorry", b'["sorry"]': "sorry", b'{"errors": [null]}': "400", b"{": "400",
    b'{"detail": [{"loc": ["body", "messages"], "msg": "required"}]}': "body.messages: required",
    gzip.compress(b'{"error": "sorry"}'): "sorry", gzip.compress(bytes(50_000_000)): "400", b"\xff\xfe": "400",
}.items()):  # fmt: skip
    packing = {"Content_Encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
    refuses(
        39,
        "odd bodies of an error",
        refused("InvalidRequest", words),
        "400 Bad Request",
        body,
        "abcdefghi"[place],
        **packing,
    )


@fault(40, "the server repeats the key", refused("InvalidRequest", "***"))
@each_request
def repeats(wire: Wire) -> None:
    key = next(line for line in wire.head.split(b"\r\n") if line.lower().startswith(b"authorization"))
    said = {"error": f"bad header {key.decode()}", "detail": key.decode(), "code": key.decode()[-9:]}
    wire.answer(json.dumps(said).encode(), status="400 Bad Request", X_Request_Id=key.decode()[-9:])


WRONG = {"detail": [{"loc": ["body", "temperature"], "msg": "too hot", "type": "value_error"}]}
refuses(45, "400", refused("InvalidRequest", "body.temperature: too hot"), "400 Bad Request", WRONG)
refuses(45, "422", refused("InvalidRequest", "body.temperature: too hot"), "422 Unprocessable Entity", WRONG, "b")
refuses(
    46, "401", refused("AuthenticationError", "The token came from argument"), "401 Unauthorized", {"error": "who?"}
)
refuses(47, "402", refused("PaymentRequired", "billing"), "402 Payment Required", {"error": "no credits"})
refuses(48, "403", refused("PermissionDenied", "Make calls to Inference Providers"), "403 Forbidden", {"error": "no"})
refuses(49, "404", refused("NotFound", "Check the model ID"), "404 Not Found", {"error": "no such model"})
first(50, "408, once", "408 Request Timeout")
first(50, "409, once", "409 Conflict", label="b")
first(50, "425, once", "425 Too Early", label="c")
LESS = refused("InvalidRequest", "send less")
HALVED = {"embed": Expect(error="InvalidRequest", requests=2)}
refuses(51, "413", LESS | HALVED, "413 Payload Too Large", {"error": "too much"})
first(52, "429, wait a second", "429 Too Many Requests", Retry_After="1")
first(53, "429, wait until a date", "429 Too Many Requests", Retry_After=formatdate(usegmt=True))
first(
    53,
    "429, wait until a date that is past",
    "429 Too Many Requests",
    label="b",
    Retry_After=formatdate(1, usegmt=True),
)
first(53, "429, wait for milliseconds", "429 Too Many Requests", label="c", retry_after_ms="300")
first(53, "429 with a ratelimit header", "429 Too Many Requests", label="d", RateLimit='"api";r=0;t=1')
for place, wait in enumerate(("999999", "1e999", formatdate(4e9, usegmt=True), "120")):
    label, expect = "abcd"[place], refused("RateLimited") if wait != "1e999" else refused("RateLimited", requests=3)
    refuses(54, f"429, wait {wait}", expect, "429 Too Many Requests", label=label, Retry_After=wait)
for place, wait in enumerate(("-5", "nan", "soon")):
    first(55, f"429, wait {wait}", "429 Too Many Requests", label="abc"[place], Retry_After=wait)
LOADING = "503 Service Unavailable"
first(56, "loading for 2 seconds", LOADING, {"error": "Model m is currently loading", "estimated_time": 2})
ESTIMATES: tuple[Any, ...] = (None, -4, "soon", [1])
for place, estimate in enumerate(ESTIMATES):
    said = {"error": "Model m is currently loading", "estimated_time": estimate}
    first(57, f"loading for {estimate!r} seconds", LOADING, said, "abcd"[place])
refuses(57, "loading for a year", refused("ModelLoading"), LOADING, {"error": "loading", "estimated_time": 3e7}, "e")
refuses(58, "503, always", refused("Overloaded", requests=3), LOADING)
first(59, "500, once", "500 Internal Server Error", {"error": "boom"})
for place, number in enumerate((529, 520, 521, 522, 523, 524)):
    first(60, f"{number}, once", f"{number} Sorry", label="abcdef"[place])

MOVED = {
    "61 302 /v1/chat/completions": "a redirect to itself", "62 307 http://127.0.0.1:9/": "307 to another server",
    "62b 308 https://other.invalid/": "308 to another host", "63 301 /": "301 to a page", "63b 303 /": "303 to a page",
    "64 302 file:///etc/passwd": "to a file", "64b 302 http://169.254.169.254/": "to the cloud's metadata",
    "64c 302 https://user:pw@other.invalid/": "to an address with a password",
}  # fmt: skip
for told, name in MOVED.items():
    key, status, location = told.split(" ")
    refuses(
        int(key[:2]),
        f"redirect: {name}",
        refused("UnexpectedStatus", "redirects"),
        f"{status} Moved",
        label=key[2:],
        Location=location,
    )


refuses(64, "redirect: to no address", refused("UnexpectedStatus", "redirects"), "302 Moved", label="d",
        Location="http://[::1")  # fmt: skip


@fault(65, "a cookie", after(2))
@each_request
def cookie(wire: Wire) -> None:
    if wire.turn == 1:
        wire.answer(b"", status="503 Service Unavailable", Set_Cookie="session=1; Path=/")
    elif b"cookie:" in wire.head.lower():
        wire.answer(b'{"error": "a cookie came back"}', status="400 Bad Request")
    else:
        wire.good()


@fault(66, "a warning with escape sequences", RIGHT)
@each_request
def warning(wire: Wire) -> None:
    if wire.streams:
        wire.good()
    else:
        wire.answer(wire.right(), X_HF_Warning="\x1b]0;owned\x07\x1b[31mdeprecated")
