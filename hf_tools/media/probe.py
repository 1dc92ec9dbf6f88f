"""Size of a picture and length of a sound or film, from their headers; nothing is decoded."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from hf_tools.media import Media, sniff
from hf_tools.media.lengths import LENGTHS

SEGMENTS = 10_000
"""Segments of a JPEG, or entries of a TIFF, that are looked at."""
_BROKEN = (struct.error, IndexError, ValueError, ZeroDivisionError, OverflowError)
"""What a header with wrong numbers raises."""

Size = tuple[int, int]


def size_of(media: Media) -> tuple[int, int] | None:
    """Width and height in pixels; None for what is no picture, is broken, or is AVIF or HEIC."""
    read = _SIZES.get(sniff(media.data) or "")
    try:
        size = read(media.data) if read else None
    except _BROKEN:
        return None
    return size if size and min(size) > 0 else None


def seconds_of(media: Media) -> float | None:
    """Length in seconds as the header of WAV, FLAC, Ogg, MP4 or MP3 tells it; None where it does not.

    Of an MP3 without a table of contents it is what its first frame's bit rate makes of its bytes.
    """
    read = LENGTHS.get(sniff(media.data) or "")
    try:
        seconds = read(media.data) if read else None
    except _BROKEN:
        return None
    return seconds if seconds and seconds > 0 else None


def _png(data: bytes) -> Size | None:
    return struct.unpack_from(">II", data, 16) if data[12:16] == b"IHDR" else None


def _gif(data: bytes) -> Size:
    return struct.unpack_from("<HH", data, 6)


def _bmp(data: bytes) -> Size:
    if struct.unpack_from("<I", data, 14)[0] == 12:  # the header of OS/2
        return struct.unpack_from("<HH", data, 18)
    width, height = struct.unpack_from("<ii", data, 18)
    return width, abs(height)  # a negative one means that the rows go from top to bottom


def _jpeg(data: bytes) -> Size | None:
    """The frame header (SOF) is one of the segments; of four of its numbers three mean another thing (ITU T.81)."""
    place = 2
    for _ in range(SEGMENTS):
        place = data.index(b"\xff", place)
        marker = data[place + 1]
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD8:  # filling, or a marker without a length
            place += 1 if marker == 0xFF else 2
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, place + 5)
            return width, height
        place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    return None


def _webp(data: bytes) -> Size | None:
    """The three forms of WebP: lossy, lossless and extended (RFC 9649)."""
    if data[12:16] == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if data[12:16] == b"VP8L" and data[20:21] == b"\x2f":
        bits: int = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if data[12:16] == b"VP8X" and len(data) >= 30:
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    return None


def _tiff(data: bytes) -> Size | None:
    """Width (256) and length (257) in the first directory of tags (TIFF 6.0)."""
    order = "<" if data[:2] == b"II" else ">"
    start: int = struct.unpack_from(f"{order}I", data, 4)[0]
    count: int = struct.unpack_from(f"{order}H", data, start)[0]
    found: dict[int, int] = {}
    for entry in range(min(count, SEGMENTS)):
        tag, kind = struct.unpack_from(f"{order}HH", data, start + 2 + 12 * entry)
        form = {3: "H", 4: "I"}.get(kind)
        if tag in (256, 257) and form:
            found[tag] = struct.unpack_from(order + form, data, start + 10 + 12 * entry)[0]
    return (found[256], found[257]) if len(found) == 2 else None


_SIZES: Mapping[str, Callable[[bytes], Size | None]] = {
    "image/png": _png, "image/gif": _gif, "image/bmp": _bmp, "image/jpeg": _jpeg, "image/webp": _webp,
    "image/tiff": _tiff,
}  # fmt: skip
