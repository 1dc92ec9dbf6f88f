"""Faults 1 to 12: the server cannot be reached, or breaks off before it answers."""

from __future__ import annotations

import time

from tests.faults import names
from tests.faults.expects import RIGHT, after, fails
from tests.faults.table import each_request, fault
from tests.faults.wire import Wire


@fault(0, "nothing is wrong", RIGHT)
@fault(0, "nothing is wrong, by TLS", RIGHT, label="b", secure="good", scheme="https")
@fault(8, "IPv6 refused, IPv4 works", RIGHT, host=names.REFUSED_FIRST)
@fault(8, "the first address is silent", RIGHT, label="b", host=names.SILENT_FIRST, silent=True)
@each_request
def nothing(wire: Wire) -> None:
    wire.good()


@fault(1, "connection refused", fails("ConnectError", 0, "refused"), host="127.0.0.3")
@fault(2, "a name without address", fails("ConnectError", 0, "cannot be resolved"), host=names.NOWHERE)
@fault(3, "the resolver is silent", fails("DeadlineExceeded", 0, within=3), host=names.STALLED, timeout=1.5)
@fault(
    4, "nobody takes the connection", fails("DeadlineExceeded", 0, within=3), host="127.0.0.2", silent=True, timeout=1.5
)
@fault(5, "certificate expired", fails("ConnectError", 0, "expired"), secure="expired", scheme="https")
@fault(
    5,
    "certificate of another host",
    fails("ConnectError", 0, "not valid for"),
    label="b",
    secure="other",
    scheme="https",
)
@fault(
    5, "certificate signed by itself", fails("ConnectError", 0, "self-signed"), label="c", secure="self", scheme="https"
)
def unreached(wire: Wire) -> None:
    wire.request()
    wire.good()


@fault(6, "https to a plain port", fails("ConnectError", 0, "is it http://", within=3), scheme="https")
def plain(wire: Wire) -> None:
    wire.some()
    wire.send(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")


@fault(
    6, "https to a port that is silent", fails("DeadlineExceeded", 0, within=3), label="b", scheme="https", timeout=1.5
)
def no_handshake(wire: Wire) -> None:
    wire.hold()


PROXY = fails("ConnectError", 1, "proxy")


@fault(7, "the proxy wants a password", PROXY, host="far.invalid", scheme="https", proxied=True)
def proxy_password(wire: Wire) -> None:
    wire.request()
    wire.answer(b"who are you?", status="407 Proxy Authentication Required", Proxy_Authenticate='Basic realm="x"')


@fault(7, "the proxy cannot connect", PROXY, label="b", host="far.invalid", scheme="https", proxied=True)
def proxy_gateway(wire: Wire) -> None:
    wire.request()
    wire.answer(b"no route", status="502 Bad Gateway")


@fault(9, "reset before any byte, once", after(2))
def reset_once(wire: Wire) -> None:
    wire.request()
    if wire.turn == 1:
        wire.reset()
    else:
        wire.good()


LOST = fails("ConnectionLost", 3)


@fault(9, "reset before any byte, always", LOST, label="b")
def reset_always(wire: Wire) -> None:
    wire.request()
    wire.reset()


@fault(9, "closed in good order before any byte", LOST, label="c")
def closed(wire: Wire) -> None:
    wire.request()


@fault(9, "an idle connection closed by the server", RIGHT, label="d")
def idle(wire: Wire) -> None:
    wire.request()
    wire.good()
    wire.close()


@fault(13, "accepts, never answers", fails("DeadlineExceeded", within=3), timeout=1.5)
def silent(wire: Wire) -> None:
    wire.request()
    wire.hold()


SLOW = fails("DeadlineExceeded", within=3)


@fault(14, "the head comes byte by byte", SLOW, timeout=1.5)
def head_dribble(wire: Wire) -> None:
    wire.request()
    wire.send(b"HTTP/1.1 200 OK\r\n")
    wire.dribble(b"x-more: 1\r\n", 0.02)


@fault(16, "100 Continue without end", SLOW, timeout=1.5)
def continues(wire: Wire) -> None:
    wire.request()
    while True:
        wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.01)
