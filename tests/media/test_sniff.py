"""Media types from the first bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_tools.media.sniff import EXTENSIONS, sniff

KNOWN: list[tuple[bytes, str]] = [
    (b"\x89PNG\r\n\x1a\n....", "image/png"),
    (b"\xff\xd8\xff\xe0....", "image/jpeg"),
    (b"GIF87a....", "image/gif"),
    (b"GIF89a....", "image/gif"),
    (b"II*\x00....", "image/tiff"),
    (b"MM\x00*....", "image/tiff"),
    (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1", "image/bmp"),
    (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
    (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
    (b"RIFF\x10\0\0\0AVI LIST", "video/x-msvideo"),
    (b"fLaC\0\0\0\x22", "audio/flac"),
    (b"OggS\0\2", "audio/ogg"),
    (b"ID3\4\0\0", "audio/mpeg"),
    (b"\xff\xfb\x90\x44", "audio/mpeg"),  # MPEG 1 layer III, 128 kbit/s, 44.1 kHz
    (b"\xff\xf3\x40\xc0", "audio/mpeg"),  # MPEG 2 layer III
    (b"\xff\xfd\x80\x04", "audio/mpeg"),  # MPEG 1 layer II
    (b"\xff\xf1\x50\x80", "audio/aac"),  # ADTS, MPEG 4
    (b"\xff\xf9\x50\x80", "audio/aac"),  # ADTS, MPEG 2
    (b"#!AMR\n....", "audio/AMR"),
    (b"#!AMR-WB\n....", "audio/AMR-WB"),
    (b"\0\0\0\x20ftypM4A ", "audio/m4a"),
    (b"\0\0\0\x20ftypM4B ", "audio/m4a"),
    (b"\0\0\0\x20ftypisom", "video/mp4"),
    (b"\0\0\0\x20ftypmp42", "video/mp4"),
    (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
    (b"\0\0\0\x18ftyp3gp5", "video/3gpp"),
    (b"\0\0\0\x1cftypavif", "image/avif"),
    (b"\0\0\0\x1cftypavis", "image/avif"),
    (b"\0\0\0\x18ftypheic", "image/heic"),
    (b"\0\0\0\x18ftypheix", "image/heic"),
    (b"\0\0\0\x18ftypmif1", "image/heic"),
    (b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1B\x82\x84webm", "video/webm"),
    (b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1B\x82\x88matroska", "video/x-matroska"),
    (b"\0\0\1\xba\x44", "video/mpeg"),
    (b"\0\0\1\xb3\x16", "video/mpeg"),
    (b"%PDF-1.7\n", "application/pdf"),
]


@pytest.mark.parametrize(("data", "mime"), KNOWN)
def test_known_beginnings(data: bytes, mime: str) -> None:
    assert sniff(data) == mime
    assert sniff(data + bytes(100)) == mime


def test_every_type_with_an_extension_but_one_is_in_the_table() -> None:
    assert EXTENSIONS.keys() - {mime for _, mime in KNOWN} == {"audio/webm"}  # what Audio makes of video/webm
    assert len(set(EXTENSIONS.values())) == len(EXTENSIONS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PN",
        b"\xff",
        b"\xff\xd8",
        b"BM",
        b"BMW is a company in Munich, Bavaria",
        b"RIFF....ABCD",
        b"RIFF",
        b'{"error": "x"}',
        b"<html>",
        b"<svg/>",
        "\ufefftext".encode(),
        "\ufeff{}".encode("utf-16-le"),
        "\ufeffAB".encode("utf-16-le"),
        "\ufeff<html>".encode("utf-16-be"),
        b"\xff\xff\xff\xff",
        b"\xff\xfb\xf0\x00",  # bit rate 15 does not exist
        b"\xff\xfb\x9c\x00",  # sampling rate 3 does not exist
        b"\xff\xeb\x90\x00",  # version 1 does not exist
        b"\xff\xe1\x90\x00",  # layer 0 does not exist
        b"\xff\x00\x90\x00",
    ],
)
def test_unknown_beginnings(data: bytes) -> None:
    assert sniff(data) is None


@given(st.binary(max_size=80))
def test_anything_is_a_known_type_or_none(data: bytes) -> None:
    assert sniff(data) in {None, *EXTENSIONS}


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), min_size=4))
def test_utf_16_text_is_no_sound(text: str) -> None:
    assert sniff(text.encode("utf-16")) is None
    assert sniff(b"\xff\xfe" + text.encode("utf-16-le")) is None


@given(st.sampled_from(KNOWN), st.binary(max_size=40))
def test_what_follows_does_not_matter(known: tuple[bytes, str], more: bytes) -> None:
    data, mime = known
    assert sniff(data + more) == (
        "video/webm" if mime == "video/x-matroska" and b"webm" in (data + more)[:64] else mime
    )
