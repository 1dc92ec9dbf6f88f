"""Packed bodies: unpacked once, a piece at a time, and not beyond what is sane."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference, errors
from hf_tools._http.unpacking import PIECE, Unpacking
from tests.core.conftest import Ask, Script

PLAIN = bytes(range(256)) * 2000
"""512,000 bytes, which pack well."""


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that comes in pieces; nobody has read it before."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def answer(*pieces: bytes, packing: str = "gzip", status: int = 200) -> httpx.Response:
    headers = {"content-encoding": packing, "content-type": "application/json"}
    return httpx.Response(status, headers=headers, stream=Pieces(*pieces))


def fed(packing: str, *pieces: bytes) -> list[bytes]:
    unpacking = Unpacking(packing)
    found = [each for piece in pieces for each in unpacking.feed(piece)]
    unpacking.end()
    return found


def bare(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=-15)
    return made.compress(data) + made.flush()


def whole(data: bytes) -> bytes:
    return data


PACKINGS = {
    "": whole,
    "identity": whole,
    "gzip": gzip.compress,
    "X-Gzip ": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": bare,
}


@pytest.mark.parametrize(("packing", "pack"), PACKINGS.items())
def test_what_was_packed_comes_out(packing: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(PLAIN)
    assert b"".join(fed(packing, packed)) == PLAIN
    assert b"".join(fed(packing, *(packed[place : place + 1] for place in range(len(packed))))) == PLAIN


def test_pieces_are_small() -> None:
    pieces = fed("gzip", gzip.compress(PLAIN))
    assert {len(piece) for piece in pieces[:-1]} == {PIECE}
    assert b"".join(pieces) == PLAIN


def test_a_file_of_several_members() -> None:
    assert b"".join(fed("gzip", gzip.compress(b"one ") + gzip.compress(b"two"))) == b"one two"
    assert b"".join(fed("gzip", gzip.compress(b"one "), gzip.compress(b"two"))) == b"one two"


@pytest.mark.parametrize(("packing", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_bytes_behind_the_end_are_left(packing: str, pack: Callable[[bytes], bytes]) -> None:
    assert b"".join(fed(packing, pack(b"one") + bytes(20))) == b"one"
    assert b"".join(fed(packing, pack(b"one"), bytes(20))) == b"one"


@pytest.mark.parametrize("packing", ["gzip, gzip", "br", "zstd", "gzip, identity", "\x7f"])
def test_other_packings_are_refused(packing: str) -> None:
    with pytest.raises(errors.UnexpectedContent, match="which was not asked for"):
        fed(packing, b"x")
    assert fed(packing) == []


def test_what_is_cut_off_or_broken() -> None:
    with pytest.raises(errors.DecodeError, match="it ends too early"):
        fed("gzip", gzip.compress(PLAIN)[:-9])
    with pytest.raises(errors.DecodeError, match="incorrect header check"):
        fed("gzip", b"no gzip at all")


def test_a_bomb_takes_no_memory() -> None:
    bomb = gzip.compress(bytes(300_000_000))
    unpacking = Unpacking("gzip")
    tracemalloc.start()
    sizes: list[int] = []
    with pytest.raises(errors.ResponseTooLarge, match="unpacks to more than 200 times its size"):
        sizes.extend(len(piece) for piece in unpacking.feed(bomb))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(sizes) < 1_200_000
    assert peak < 2_000_000


def test_what_packs_well_is_no_bomb() -> None:
    data = b'{"token": 0.25, "text": "the same words over and over"}, ' * 100_000
    packed = gzip.compress(data, 1)
    assert 50 < len(data) / len(packed) < 200
    assert b"".join(fed("gzip", packed)) == data


@pytest.mark.parametrize(
    "body",
    [b"no gzip", gzip.compress(bytes(10**7)), gzip.compress(b'{"error": "sorry"}')[:-9]],
    ids=["no gzip", "a bomb", "cut"],
)
def test_the_status_of_an_error_outlives_its_body(ask: Ask, body: bytes) -> None:
    with pytest.raises(errors.InvalidRequest, match=r"^400") as caught:
        ask(Script(lambda _: answer(body, status=400)), lambda hf: hf.summarization("x", model="a/b"))
    assert len(caught.value.body) <= 2**16


def test_a_hook_of_ones_own_may_read_before() -> None:
    """Its body is unpacked by httpx then."""
    body = gzip.compress(b'[{"summary_text": "s"}]')

    def read(response: httpx.Response) -> None:
        response.read()

    http = httpx.Client(transport=httpx.MockTransport(lambda _: answer(body)), event_hooks={"response": [read]})
    with http:
        found: Any = HfInference(False, http_client=http).summarization("x", model="a/b")
    assert found.summary_text == "s"


def test_an_answer_that_a_hook_has_closed_is_none() -> None:
    def close(response: httpx.Response) -> None:
        response.close()

    transport = httpx.MockTransport(lambda _: answer(b'[{"summary_text": "s"}]', packing="identity"))
    with httpx.Client(transport=transport, event_hooks={"response": [close]}) as http:
        for _ in range(2):
            with pytest.raises(errors.ClientClosed):
                HfInference(False, http_client=http).summarization("x", model="a/b")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_no_other_packing_is_asked_for(kind: str) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["accept-encoding"])
        return httpx.Response(404) if "v1" in request.url.path or "info" in request.url.path else answer(b"[]")

    transport = httpx.MockTransport(handler)
    if kind == "sync":
        with httpx.Client(transport=transport) as http:
            hf = HfInference(False, base_url="http://127.0.0.1:1", http_client=http)
            with pytest.raises(errors.DecodeError):
                hf.summarization("x")
    else:

        async def ask() -> None:
            async with httpx.AsyncClient(transport=transport) as http:
                hf = AsyncHfInference(False, base_url="http://127.0.0.1:1", http_client=http)
                with pytest.raises(errors.DecodeError):
                    await hf.summarization("x")

        asyncio.run(ask())
    assert set(asked) == {"gzip, deflate"}
