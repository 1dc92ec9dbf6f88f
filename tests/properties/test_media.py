"""What tells and reads media, on any bytes and any words of a model: media, or an error of ours, and soon."""

from __future__ import annotations

import base64
import contextlib
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hf_tools.errors import HfError
from hf_tools.media import Audio, Image, Media, Text, Video
from hf_tools.media.policy import MediaPolicy
from hf_tools.media.probe import seconds_of, size_of
from hf_tools.media.refs import clean_name, key_of
from hf_tools.media.sniff import EXTENSIONS, sniff
from hf_tools.media.sources import source
from hf_tools.media.store import MemoryStore

KINDS: tuple[Any, ...] = (Media, Image, Audio, Video, Text)
STARTS = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    b"GIF89a",
    b"RIFF\xff\xff\xff\xffWAVEfmt ",
    b"RIFF\0\0\0\0WEBPVP8 ",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"fLaC",
    b"OggS",
    b"ID3\x04",
    b"\xff\xfb\x90\x44",
    b"\0\0\0\x18ftypmp42",
    b"\x1a\x45\xdf\xa3",
    b"%PDF-1.7",
    b"<svg",
    b"<!DOCTYPE html>",
    b"PK\3\4",
    b"\x80\x04\x95",
    b"\0\0\1\xba",
    b"#!AMR\n",
    b"\xff\xf1",
)
"""Beginnings of files, whole and half."""


def _begun(start: bytes, cut: int, rest: bytes) -> bytes:
    return start[:cut] + rest


BYTES = st.builds(_begun, st.sampled_from(STARTS), st.integers(0, 24), st.binary(max_size=80))
SCHEMES = st.sampled_from(
    [
        "data:",
        "data:image/png;base64,",
        "data:;base64,",
        "data:,",
        "DATA:image/PNG;BASE64,",
        "hf-media://",
        "hf-media:",
        "http://",
        "https://",
        "https://127.0.0.1/",
        "https://[::1]/",
        "file:///etc/",
        "/",
        "../",
        "~/",
        "C:\\",
        "\\\\host\\",
        "",
        "ftp://",
        "javascript:",
    ]
)
PADDED = st.binary(max_size=60).map(lambda data: base64.b64encode(data).decode())
WORDS = st.builds("".join, st.tuples(SCHEMES, st.one_of(st.text(max_size=60), PADDED)))
"""What a model may write for media."""
TYPES = ("image/png", "image/webp", "audio/wav", "audio/flac", "video/mp4", "image/tiff", "")
BOUNDED = settings(deadline=2000, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@BOUNDED
@given(data=BYTES)
def test_any_bytes_have_a_known_type_or_none(data: bytes) -> None:
    found = sniff(data)
    assert found is None or found in EXTENSIONS


@BOUNDED
@given(
    data=BYTES,
    kind=st.sampled_from(["image/png", "image/webp", "audio/wav", "audio/flac", "video/mp4", "image/tiff", ""]),
)
def test_any_header_gives_a_size_and_a_length_or_none(data: bytes, kind: str) -> None:
    media = Media(data, kind)
    size, seconds = size_of(media), seconds_of(media)
    assert size is None or all(each >= 0 for each in size)
    assert seconds is None or seconds >= 0


@BOUNDED
@example(text="data:image/png;base64,=")
@example(text="data:" + ";" * 1000 + "base64,AAAA")
@given(text=WORDS)
def test_any_base64_and_data_uri_is_media_or_refused(text: str) -> None:
    with contextlib.suppress(HfError):
        assert isinstance(Media.from_base64(text), Media)


@BOUNDED
@given(text=WORDS)
def test_any_handle_is_one_or_is_none(text: str) -> None:
    key, name = key_of(text)
    assert key is None or key.isalnum()
    assert name is None or isinstance(name, str)
    cleaned = clean_name(text)
    assert cleaned is None or ("/" not in cleaned and "\0" not in cleaned)
    store = MemoryStore()
    with pytest.raises(KeyError):
        store.get(text)


@BOUNDED
@given(text=WORDS, kind=st.sampled_from(KINDS), hosts=st.sampled_from([(), ("public",), ("*.example.com",)]))
def test_what_a_model_writes_is_media_a_source_or_refused(text: str, kind: Any, hosts: tuple[str, ...]) -> None:
    policy = MediaPolicy(hosts=hosts)
    with contextlib.suppress(HfError):
        policy.resolve(kind, text, MemoryStore())
    with contextlib.suppress(ValueError):  # which the task's field tells as an InputError
        source(kind, text)


LONG = {
    "base64": "data:image/png;base64," + "A" * 2_000_000,
    "base64 that is none": "data:image/png;base64," + "=" * 2_000_000,
    "a type that does not end": "data:" + "a/" * 1_000_000,
    "percent signs": "data:text/plain," + "%" * 1_000_000,
    "a handle": "hf-media://" + "a" * 1_000_000,
    "a path": "/a" * 1_000_000,
    "a host": "https://" + "a." * 1_000_000,
    "quotes": "'" * 1_000_000,
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_long_words_take_linear_time_and_are_not_repeated(name: str, kind: Any) -> None:
    begun = time.monotonic()
    with pytest.raises(HfError) as refused:
        MediaPolicy(hosts=("public",)).resolve(kind, LONG[name], MemoryStore())
    assert len(str(refused.value)) <= 700
    with contextlib.suppress(ValueError):  # which the task's field tells as an InputError
        source(kind, LONG[name])
    assert time.monotonic() - begun < 2
