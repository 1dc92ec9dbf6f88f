"""Bodies that come packed: one layer of gzip or deflate, unpacked in small pieces up to a sane ratio.

httpx unpacks each piece that it reads at once and as often as the server says: 300 kB become 300 MB before anybody can
count them. Here no more than a piece is unpacked at a time.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import httpx

from hf_tools.errors import DecodeError, ResponseTooLarge, UnexpectedContent, shown

if TYPE_CHECKING:
    from hf_tools._http.direct import Incoming

ACCEPTED = "gzip, deflate"
"""What requests allow a server; brotli and zstandard need packages that are not always there."""
PIECE = 64 * 2**10
"""Bytes that are unpacked at a time."""
RATIO, FREE = 200, 2**20
"""Bytes out of each byte in, beyond the first MiB: JSON and vectors stay below 20, deflate can reach 1032."""


class Unpacking:
    """The plain bytes of an answer's body, from those on the wire."""

    def __init__(self, packing: str) -> None:
        self._packing = packing.strip().lower()
        self.plain = self._packing in ("", "identity")
        """Bytes come as they are: `feed` only passes them on."""
        self._packed = self._plain = 0
        self._inflate: Any = None

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """The plain bytes of the next bytes on the wire, in pieces of at most 64 KiB; ResponseTooLarge for a bomb."""
        if self.plain:
            yield raw
            return
        if self._packing not in ("gzip", "x-gzip", "deflate"):
            raise UnexpectedContent(f"the answer comes packed as {shown(self._packing, 60)!r}, which was not asked for")
        self._packed += len(raw)
        piece = b""
        while raw or (len(piece) == PIECE and not self._inflate.eof):  # a full piece: zlib may hold more
            if self._inflate is None or self._inflate.eof:
                self._inflate = self._next(raw)
            if self._inflate is None:
                return
            piece, raw = self._step(raw)
            self._plain += len(piece)
            if self._plain > FREE and self._plain > RATIO * (self._packed - len(raw)):
                raise ResponseTooLarge(f"the answer unpacks to more than {RATIO} times its size on the wire")
            if piece:
                yield piece

    def _next(self, raw: bytes) -> Any:
        """What unpacks the body, or the next member of a gzip file; None for bytes after the end."""
        if self._packing == "deflate":
            bare = raw[0] & 0x0F != 8  # some servers leave zlib's own head out
            return None if self._inflate is not None else zlib.decompressobj(-15 if bare else 15)
        return None if self._inflate is not None and raw[0] != 0x1F else zlib.decompressobj(31)

    def _step(self, raw: bytes) -> tuple[bytes, bytes]:
        """One piece, and the bytes on the wire that are left."""
        try:
            piece: bytes = self._inflate.decompress(raw, PIECE)
        except zlib.error as error:
            raise DecodeError(f"the answer cannot be decompressed: {error}") from error
        return piece, self._inflate.unused_data or self._inflate.unconsumed_tail

    def end(self) -> None:
        """Refuse a body that has ended in the midst of its packing."""
        if self._inflate is not None and not self._inflate.eof:
            raise DecodeError("the answer cannot be decompressed: it ends too early")


def packing(response: httpx.Response | Incoming, headers: Mapping[str, str]) -> str:
    """How the body comes; what a hook of the caller's own client, or a mock, has read before is unpacked."""
    read = isinstance(response, httpx.Response) and response.is_stream_consumed
    return "" if read else headers.get("content-encoding", "")


def raw(response: httpx.Response | Incoming) -> Iterator[bytes]:
    """The body as it is on the wire, whoever iterates closes the answer; plain where it was read before."""
    if isinstance(response, httpx.Response):
        if response.is_stream_consumed or response.is_closed:  # of one that was closed unread httpx says so
            return response.iter_bytes()
        response.is_stream_consumed = True
    return iter(cast("httpx.SyncByteStream", response.stream))


def araw(response: httpx.Response | Incoming) -> AsyncIterator[bytes]:
    """The same, awaited."""
    if isinstance(response, httpx.Response):
        if response.is_stream_consumed or response.is_closed:
            return response.aiter_bytes()
        response.is_stream_consumed = True
    return aiter(cast("httpx.AsyncByteStream", response.stream))
