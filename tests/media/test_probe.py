"""Sizes and lengths out of headers; the numbers come from Pillow, the wave module and hand-written headers."""

import struct
import wave
from io import BytesIO
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_tools.media import Media
from hf_tools.media.probe import seconds_of, size_of

VOICE = Path(__file__).parent.parent.parent / "hf_tools" / "demo_files" / "voicemail.ogg"


def picture(form: str, mode: str = "RGB", **options: Any) -> bytes:
    buffer = BytesIO()
    PIL.Image.new(mode, (640, 481)).save(buffer, form, **options)
    return buffer.getvalue()


def extended_webp() -> bytes:
    return b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0" + b"\x7f\x02\0" + b"\xe0\x01\0"


@pytest.mark.parametrize(
    "data",
    [
        picture("PNG"),
        picture("GIF"),
        picture("BMP"),
        picture("JPEG"),
        picture("JPEG", progressive=True),
        picture("TIFF"),
        picture("WEBP"),
        picture("WEBP", "RGBA", lossless=True),
        extended_webp(),
        b"BM" + bytes(12) + struct.pack("<IHH", 12, 640, 481) + bytes(8),
        b"BM" + bytes(12) + struct.pack("<Iii", 40, 640, -481) + bytes(8),
        b"MM\0*" + struct.pack(">IH", 8, 3) + struct.pack(">HHIHH", 254, 4, 1, 0, 0)
        + struct.pack(">HHII", 256, 4, 1, 640) + struct.pack(">HHIHH", 257, 3, 1, 481, 0),
        b"\xff\xd8\xff\xff\xe0\0\x04ab\xff\x01\xff\xc4\0\x03x\xff\xc2\0\x08\x08" + struct.pack(">HH", 481, 640),
    ],
)  # fmt: skip
def test_size_of_a_picture(data: bytes) -> None:
    assert size_of(Media(data)) == (640, 481)


@pytest.mark.parametrize(
    "data",
    [
        b"no picture",
        b"\x89PNG\r\n\x1a\nrest",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 0, 5),
        b"\xff\xd8\xff\xe0\0\x04ab",
        b"\xff\xd8\xff" + b"\xe0\0\x02\xff" * 10_001,
        b"RIFF\0\0\0\0WEBPVP8 " + bytes(20),
        b"RIFF\0\0\0\0WEBPVP8L" + bytes(20),
        b"RIFF\0\0\0\0WEBPVP8X" + bytes(10),
        b"RIFF\0\0\0\0WEBPALPH" + bytes(20),
        b"II*\0" + struct.pack("<IHHHII", 8, 1, 256, 9, 1, 640),
        b"II*\0\xff\xff\xff\xff",
        b"\0\0\0\x18ftypavif",
    ],
)
def test_where_no_size_is_told(data: bytes) -> None:
    assert size_of(Media(data)) is None


def wav(seconds: float, size: int | None = None) -> bytes:
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(int(seconds * 32_000)))
    data = buffer.getvalue()
    return data if size is None else data[:40] + struct.pack("<I", size) + data[44:]


def flac(rate: int, samples: int) -> bytes:
    return b"fLaC\0\0\0\x22" + bytes(10) + ((rate << 44) | (1 << 41) | (15 << 36) | samples).to_bytes(8, "big")


def page(granule: int, packet: bytes = b"") -> bytes:
    return b"OggS\0\0" + struct.pack("<q", granule) + bytes(12) + b"\x01" + bytes([len(packet)]) + packet


OPUS = page(0, b"OpusHead\x01\x01" + struct.pack("<HI", 312, 16_000))
VORBIS = page(0, b"\x01vorbis" + struct.pack("<IBI", 0, 1, 22_050))


def box(name: bytes, content: bytes, *, large: bool = False, size: int | None = None) -> bytes:
    if large:
        return struct.pack(">I4sQ", 1, name, 16 + len(content)) + content
    return struct.pack(">I4s", 8 + len(content) if size is None else size, name) + content


FILM = box(b"ftyp", b"isom")
SHORT = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 2500))
LONG = box(b"mvhd", struct.pack(">IQQIQ", 1 << 24, 0, 0, 1000, 2500))


def mp3(head: bytes, size: int = 16_000, tag: bytes = b"") -> bytes:
    return tag + head + bytes(size - len(head))


TAG = b"ID3\x04\0\0\0\0\x01\x02" + bytes(130)


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        (wav(1.5), 1.5),
        (wav(1.5, 0xFFFFFFFF), 1.5),
        (wav(1.5).replace(b"WAVE", b"WAVEjunk\x03\0\0\0abc\0"), 1.5),
        (flac(16_000, 40_000), 2.5),
        (OPUS + page(48_312) + page(-1), 1.0),
        (VORBIS + page(44_100), 2.0),
        (FILM + box(b"free", b"") + box(b"moov", box(b"udta", b"abc") + SHORT), 2.5),
        (FILM + box(b"moov", LONG, large=True), 2.5),
        (FILM + box(b"moov", SHORT, size=0), 2.5),
        (mp3(b"\xff\xfb\x90\0"), 1.0),
        (mp3(b"\xff\xfb\x90\0", tag=TAG), 1.0),
        (mp3(b"\xff\xfb\x90\0" + bytes(32) + b"Xing\0\0\0\x01" + struct.pack(">I", 100)), 100 * 1152 / 44_100),
        (mp3(b"\xff\xfb\x90\xc0" + bytes(17) + b"Info\0\0\0\x0f" + struct.pack(">I", 100)), 100 * 1152 / 44_100),
        (mp3(b"\xff\xfb\x90\0" + bytes(32) + b"Xing\0\0\0\x02" + struct.pack(">I", 100)), 1.0),
        (mp3(b"\xff\xf3\x80\0" + bytes(17) + b"Xing\0\0\0\x01" + struct.pack(">I", 100)), 100 * 576 / 22_050),
        (mp3(b"\xff\xf3\x80\xc0", 8000), 1.0),
    ],
)
def test_length_of_a_sound_or_film(data: bytes, seconds: float) -> None:
    assert seconds_of(Media(data)) == pytest.approx(seconds)


def test_length_of_a_real_recording() -> None:
    assert seconds_of(Media(VOICE.read_bytes())) == pytest.approx(11.09, abs=0.01)


@pytest.mark.parametrize(
    "data",
    [
        b"no sound",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 300,
        wav(0),
        flac(0, 5),
        b"fLaC",
        b"OggS",
        page(5),
        OPUS[:-4] + page(-1) * 300,
        VORBIS.replace(struct.pack("<I", 22_050), bytes(4)) + page(5),
        FILM,
        FILM + box(b"moov", box(b"free", b"")),
        FILM + box(b"moov", SHORT[:20]),
        FILM + box(b"moov", b"", size=4) + SHORT,
        FILM + box(b"free", b"") * 300 + box(b"moov", SHORT),
        mp3(b"\xff\xfb\0\0"),
        TAG + b"no frame",
        TAG + b"\xff\xe9\x90\0",
        TAG,
    ],
)
def test_where_no_length_is_told(data: bytes) -> None:
    assert seconds_of(Media(data)) is None


STARTS = [
    b"", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"GIF89a", b"BM\0\0\0\0\0\0\0\0", b"\xff\xd8\xff", b"II*\0", b"MM\0*",
    b"RIFF\0\0\0\0WEBPVP8 ", b"RIFF\0\0\0\0WEBPVP8L", b"RIFF\0\0\0\0WAVEfmt ", b"fLaC", b"OggS", b"\0\0\0\x10ftypisom",
    b"ID3", b"\xff\xfb", OPUS, VORBIS, FILM + b"\0\0\0\x20moov",
]  # fmt: skip


@given(st.sampled_from(STARTS), st.binary(max_size=300))
def test_broken_headers_give_a_value_or_none(start: bytes, rest: bytes) -> None:
    media = Media(start + rest)
    size, seconds = size_of(media), seconds_of(media)
    assert size is None or min(size) > 0
    assert seconds is None or seconds > 0
