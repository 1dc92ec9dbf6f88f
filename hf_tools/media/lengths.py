"""How long a sound or film is, by its type: each function reads seconds out of headers, or raises on broken ones."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping

BOXES = 200
"""Chunks of a WAV, boxes of an MP4 or pages of an Ogg that are looked at."""
TAIL = 128 * 2**10
"""Bytes at the end of an Ogg in which its last page begins: a page has at most 65,307 (RFC 3533)."""


def _wav(data: bytes) -> float | None:
    place, rate = 12, 0
    for _ in range(BOXES):
        name, size = struct.unpack_from("<4sI", data, place)
        if name == b"fmt ":
            rate = struct.unpack_from("<I", data, place + 16)[0]
        if name == b"data":
            return float(min(size, len(data) - place - 8) / rate)  # a stream writes the largest number as its size
        place += 8 + size + size % 2
    return None


def _flac(data: bytes) -> float:
    """The rate has 20 bits, the number of samples 36 (RFC 9639)."""
    rate = int.from_bytes(data[18:21], "big") >> 4
    return (int.from_bytes(data[21:26], "big") & 0xF_FFFF_FFFF) / rate


def _ogg(data: bytes) -> float | None:
    """The last page that ends a packet tells the number of samples until there."""
    head = data[:256]
    rate, skipped = 0, 0
    if (opus := head.find(b"OpusHead")) >= 0:
        rate, skipped = 48_000, struct.unpack_from("<H", head, opus + 10)[0]  # always counted at 48 kHz (RFC 7845)
    elif (vorbis := head.find(b"\x01vorbis")) >= 0:
        rate = struct.unpack_from("<I", head, vorbis + 12)[0]
    tail = data[-TAIL:]
    place = len(tail)
    for _ in range(BOXES):
        place = tail.rindex(b"OggS", 0, place)
        samples: int = struct.unpack_from("<q", tail, place + 6)[0]
        if samples >= 0:
            return (samples - skipped) / rate
    return None


def _boxes(data: bytes, place: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, beginning and end of what is in each box (ISO 14496-12)."""
    for _ in range(BOXES):
        if place + 8 > end:
            return
        size, name = struct.unpack_from(">I4s", data, place)
        inside = place + 8
        if size == 1:
            size, inside = struct.unpack_from(">Q", data, place + 8)[0], place + 16
        after = end if size == 0 else place + size
        if after < inside:
            return
        yield name, inside, min(after, end)
        place = after


def _mp4(data: bytes) -> float | None:
    for name, start, end in _boxes(data, 0, len(data)):
        for inner, place, _ in _boxes(data, start, end) if name == b"moov" else ():
            if inner == b"mvhd":
                form, offset = (">IQ", 20) if data[place] == 1 else (">II", 12)
                scale, length = struct.unpack_from(form, data, place + offset)
                return float(length / scale)
    return None


RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Hz by the two bits of the version: MPEG 1, 2 and 2.5."""
KBITS = {
    (True, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits a second, by whether it is MPEG 1 and by the two bits of the layer (ISO 11172-3, 13818-3)."""


def _mp3(data: bytes) -> float:
    """From the number of frames in the first one (Xing, Info), else as if all had the bit rate of the first."""
    start = 0
    if data[:3] == b"ID3":  # its size has seven bits in each byte
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    version, layer = data[start + 1] >> 3 & 3, data[start + 1] >> 1 & 3
    if data[start] != 0xFF or data[start + 1] < 0xE0 or version == 1 or layer == 0:
        raise ValueError("no frame")
    rate = RATES[version][data[start + 2] >> 2 & 3]
    mono = data[start + 3] >> 6 == 3
    table = start + 4 + ((17 if mono else 32) if version == 3 else (9 if mono else 17))
    if data[table : table + 4] in (b"Xing", b"Info") and data[table + 7] & 1:
        samples = {3: 384, 2: 1152, 1: 1152 if version == 3 else 576}[layer]
        return float(struct.unpack_from(">I", data, table + 8)[0] * samples / rate)
    bits = data[start + 2] >> 4
    if bits == 0:
        raise ValueError("a free bit rate")
    return (len(data) - start) / (KBITS[version == 3, layer][bits - 1] * 125)


LENGTHS: Mapping[str, Callable[[bytes], float | None]] = {
    "audio/wav": _wav, "audio/flac": _flac, "audio/ogg": _ogg, "audio/mpeg": _mp3,
    "audio/m4a": _mp4, "video/mp4": _mp4, "video/quicktime": _mp4, "video/3gpp": _mp4,
}  # fmt: skip
"""How each type tells its length."""
