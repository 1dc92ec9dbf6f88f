"""Downloads that a model has asked for, over real sockets: what is fetched, what is refused, and by whom."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference, Options
from hf_tools.errors import ClientClosed, DeadlineExceeded, InputError, MediaError
from hf_tools.media import Audio, Image, Media, MediaPolicy, MemoryStore, Text
from hf_tools.tasks.image import ImageClassification
from hf_tools.tasks.video import VideoClassification
from tests.core.serving_files import PNG, Server, answer, forever, load, policy, source

Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def made(*answers: Any) -> Server:
        servers.append(Server(*answers))
        return servers[-1]

    yield made
    for server in servers:
        server.close()


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def refused(kind: str, url: str, allowed: MediaPolicy, **options: Any) -> str:
    with pytest.raises(MediaError) as caught:
        load(kind, source(url, allowed), **options)
    return caught.value.message


def test_a_file_comes_without_anything_of_the_user(kind: str, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(answer(PNG, "set-cookie: a=b"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    found = load(
        kind, source(server.url("/cat.png?q=1"), policy(server)), options=Options(extra_headers={"x-own": "1"})
    )
    assert found == Image(PNG)
    lines = server.heads[0].decode().lower().split("\r\n")
    assert lines[0] == "get /cat.png?q=1 http/1.1"
    assert sorted(lines[1:-2]) == [
        "accept-encoding: identity", "accept: */*", "connection: keep-alive", f"host: 127.0.0.1:{server.port}",
        "user-agent: hf-tools",
    ]  # fmt: skip


def test_redirects_are_followed_and_each_is_checked(kind: str, serve: Serve) -> None:
    there = serve(answer())
    server = serve(
        answer(b"", f"location: {there.url('/moved')}", status="302 Found"),
        answer(b"", "location: http://127.0.0.1:1/", status="302 Found"),
        answer(b"", "location: http://localhost/", status="302 Found"),
        answer(b"", "location: http://169.254.169.254/latest/meta-data/", status="302 Found"),
        answer(b"", "location: http://2130706433/", status="302 Found"),
        answer(b"", "location: http://me:secret@127.0.0.1/", status="302 Found"),
        answer(b"", "location: file:///etc/passwd", status="302 Found"),
        answer(b"", "location: http://[zz]/?key=1", status="302 Found"),
        answer(b"", "location: /cat.png", status="302 Found"),
    )
    allowed = policy(server, there)
    allowed = policy(server, there, ports=[*allowed.ports, 80])
    assert load(kind, source(server.url(), allowed)) == Image(PNG)
    assert refused(kind, server.url(), allowed).startswith("the port 1 is refused: open is ")
    assert refused(kind, server.url(), allowed) == "the host 'localhost' is not allowed"
    assert refused(kind, server.url(), allowed) == "the host '169.254.169.254' is not allowed"
    assert refused(kind, server.url(), allowed) == "the host '2130706433' is not allowed"
    assert refused(kind, server.url(), allowed) == "the URL has a user or password in it"
    assert refused(kind, server.url(), allowed) == "a redirect leads to file:///etc/passwd, which is not followed"
    assert refused(kind, server.url(), allowed) == "a redirect leads to http://[zz]/, which is not followed"
    before = len(server.heads)
    message = f"the URL {server.url()} redirects more than 2 times"
    assert refused(kind, server.url(), policy(server, max_redirects=2)) == message
    assert len(server.heads) == before + 3


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (answer(status="404 Not Found"), "answers 404"),
        (answer(b"<html>", kind="text/html; charset=utf-8"), "is a web page, not a file"),
        (answer(b"<svg/>", kind="image/png"), "is SVG, not image"),
        (answer(b"plain"), "is text, not image"),
        (answer(b""), "is empty"),
        (answer(PNG + bytes(3000)), "is larger than 2 KiB"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort", "cannot be read: the connection broke: peer closed"),
        (b"no HTTP\r\n\r\n", "cannot be read: the answer is not HTTP as it should be: "),
    ],
)
def test_answers_that_are_refused(kind: str, serve: Serve, body: bytes, message: str) -> None:
    server = serve(body)
    found = refused(kind, server.url("/a?sig=secret"), policy(server, max_bytes={"image": 2048}))
    assert found.startswith(f"the URL {server.url('/a')} {message}")


def test_a_packed_body_is_refused_before_it_is_unpacked(kind: str, serve: Serve) -> None:
    server = serve(answer(gzip.compress(bytes(30_000_000)), "content-encoding: gzip"))
    message = "the server sends the file packed (gzip), though that was not asked for"
    assert refused(kind, server.url(), policy(server)) == message
    plain = serve(answer(PNG, "content-encoding: Identity"))
    assert load(kind, source(plain.url(), policy(plain))) == Image(PNG)


def test_an_endless_body_ends_at_the_cap(kind: str, serve: Serve) -> None:
    server = serve(forever(bytes(100_000)))
    message = f"the URL {server.url()} is larger than 1 MiB"
    assert refused(kind, server.url(), policy(server, max_bytes={"image": 2**20})) == message


@pytest.mark.parametrize("wait", [0.02, 30.0])
def test_a_slow_body_ends_with_the_time(kind: str, serve: Serve, wait: float) -> None:
    server = serve(forever(b"x", wait))
    begun = time.monotonic()
    message = f"the URL {server.url()} takes longer than 0.3 s"
    assert refused(kind, server.url(), policy(server, timeout=0.3)) == message
    assert time.monotonic() - begun < 10


def test_the_time_of_the_call_holds_too(kind: str, serve: Serve) -> None:
    server = serve(forever(b"x", 0.02))
    with pytest.raises(DeadlineExceeded):
        load(kind, source(server.url(), policy(server)), options=Options(timeout=0.3))


def test_a_port_that_nobody_listens_on(kind: str, serve: Serve) -> None:
    server = serve(answer())
    other = Server(answer())
    other.close()
    message = refused(kind, other.url(), policy(server, other))
    assert message.startswith(f"the URL {other.url()} cannot be read: no connection: ")


def test_a_text_is_read_as_text(kind: str, serve: Serve) -> None:
    server = serve(answer(b"a,b", kind="text/csv"))
    found = load(kind, source(server.url("/t.csv"), policy(server), Text))
    assert (type(found), found) == (Text, Text(b"a,b", "text/csv"))


def test_a_task_gets_the_file_through_the_guard_and_the_rest_through_the_client(serve: Serve) -> None:
    server = serve(answer())
    asked: list[httpx.Request] = []

    def served(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=[{"label": "cat", "score": 1.0}])

    hf = HfInference(
        "hf_test", provider="hf-inference", http_client=httpx.Client(transport=httpx.MockTransport(served))
    )
    named = policy(server).resolve(Image, server.url(), MemoryStore())
    assert hf.run(ImageClassification(named, model="a/b"))[0].label == "cat"  # type: ignore[arg-type]
    assert [request.content for request in asked] == [PNG]
    assert b"hf_test" not in server.heads[0]


def test_the_url_is_handed_to_no_server(serve: Serve) -> None:
    server = serve(answer(b"\x1aE\xdf\xa3webm"))
    http = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(500, text=request.url.host)))
    hf = HfInference(False, http_client=http).endpoint("https://x.endpoints.huggingface.cloud", server="toolkit")
    named = policy(server).resolve(Media, server.url(), MemoryStore())
    with pytest.raises(InputError, match="the bytes of a video"):
        hf.run(VideoClassification(named))  # type: ignore[arg-type]
    assert len(server.heads) == 1


def test_a_closed_client_downloads_nothing(serve: Serve) -> None:
    server = serve(answer())
    hf = HfInference(False)
    hf.close()
    with pytest.raises(ClientClosed):
        hf.load(source(server.url(), policy(server)))
    assert server.heads == []


async def test_a_closed_awaiting_client_downloads_nothing(serve: Serve) -> None:
    server = serve(answer())
    hf = AsyncHfInference(False)
    await hf.aclose()
    with pytest.raises(ClientClosed):
        await hf.load(source(server.url(), policy(server)))
    assert server.heads == []


def test_another_field_checks_for_its_own_kind(kind: str, serve: Serve) -> None:
    server = serve(answer())
    with pytest.raises(MediaError, match="is image/png, not audio"):
        load(kind, source(server.url(), policy(server)), Audio)
