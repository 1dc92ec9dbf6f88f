"""What a model may name as media: each form that is accepted, each that is refused, and how that is said."""

import base64
import os
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_tools.errors import HfError, InputError, MediaError
from hf_tools.media import Audio, Image, Media, MediaPolicy, MemoryStore, Text, Video
from hf_tools.media.source import Source

PNG = b"\x89PNG\r\n\x1a\nrest"
WAV = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\xfa\0\0" + bytes(64_000)
POLICY = MediaPolicy()
KINDS = (Media, Image, Audio, Video, Text)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "inputs"
    root.mkdir()
    (root / "cat.png").write_bytes(PNG)
    return root


def uri(data: bytes, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def read(policy: MediaPolicy, text: Any, store: MemoryStore, kind: type[Media]) -> Media:
    """The media that a model has named, in the store or in a file."""
    found = policy.resolve(kind, text, store)
    return found.media(found.read()) if isinstance(found, Source) else found


def refused(policy: MediaPolicy, text: Any, store: MemoryStore, kind: type[Media] = Image) -> HfError:
    """The refusal of what a model wrote, or of what that leads to."""
    with pytest.raises((InputError, MediaError)) as caught:
        read(policy, text, store, kind)
    assert len(str(caught.value)) <= 400
    return caught.value


# what is accepted


@pytest.mark.parametrize("form", ["{}", " `{}`\n", '"{}"', "<{}>"])
def test_handles_and_names_of_the_store(store: MemoryStore, form: str) -> None:
    ref = store.put(Image(PNG), name="cat.png")
    for text in (ref.handle, ref.handle[11:], "cat.png"):
        assert POLICY.resolve(Image, form.format(text), store) == Image(PNG)


def test_stored_media_become_the_kind_that_is_asked_for(store: MemoryStore) -> None:
    sound = Audio(WAV, sampling_rate=8000)
    handle = store.put(sound).handle
    assert POLICY.resolve(Audio, handle, store) is sound
    assert POLICY.resolve(Media, handle, store) is sound
    film = b"\x1aE\xdf\xa3\x9fB\x82\x84webm"
    found = POLICY.resolve(Audio, store.put(Video(film)).handle, store)
    assert (type(found), found) == (Audio, Audio(film))


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        (Image, PNG, Image(PNG)),
        (Media, PNG, Image(PNG)),
        (Media, WAV, Audio(WAV)),
        (Media, b"%PDF-1.7 x", Media(b"%PDF-1.7 x")),
        (Media, b"a,b", Text(b"a,b")),
        (Text, "\ufeffäöü".encode(), Text("\ufeffäöü".encode())),
        (Text, b"<b>GIF89a</b>", Text(b"<b>GIF89a</b>")),
    ],
)
def test_data_uris(store: MemoryStore, kind: type[Media], data: bytes, expected: Media) -> None:
    found = POLICY.resolve(kind, uri(data, "application/x-lie"), store)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize("text", ["cat.png", "inputs/cat.png", "./inputs/cat.png"])
def test_files_of_a_root(store: MemoryStore, root: Path, text: str) -> None:
    policy = MediaPolicy(roots=[root])
    found = policy.resolve(Image, text, store)
    assert isinstance(found, Source)
    assert found.media(found.read()) == Image(PNG)
    assert (found.policy, str(found)) == (policy, f"the file {text.removeprefix('./')}")


def test_urls_of_hosts_that_were_opened(store: MemoryStore) -> None:
    policy = MediaPolicy(hosts=["*.example.org"])
    found = policy.resolve(Image, "https://a.example.org/cat.png?sig=s#top", store)
    assert found == Source(Image, url="https://a.example.org/cat.png?sig=s", policy=policy)
    assert str(found) == "the URL https://a.example.org/cat.png"


# what is refused


@pytest.mark.parametrize(
    "text",
    ["/etc/passwd", "/proc/self/environ", "../secret.png", "C:\\cat.png", "~/cat.png", ".env", "cat.png", "x" * 5000,
     "hf-media://0123456789abcdef.png", "hf-media:cat.png", "iVBORw0KGgpyZXN0" * 100],
)  # fmt: skip
def test_what_no_store_knows(store: MemoryStore, text: str) -> None:
    error = refused(POLICY, text, store)
    assert error.message.startswith("there is no media '")
    assert error.hint == "Allowed: a handle (hf-media://...), a data: URI of at most 256 KiB"


@pytest.mark.parametrize("text", ["", " \n", '""', 5, None])
def test_nothing_was_named(store: MemoryStore, text: Any) -> None:
    assert refused(POLICY, text, store).message == "no media was named"


@pytest.mark.parametrize("scheme", ["file", "FILE", "ftp", "gopher", "javascript", "blob", "jar"])
def test_other_schemes(store: MemoryStore, root: Path, scheme: str) -> None:
    policy = MediaPolicy(roots=[root], hosts="public")
    assert refused(policy, f"{scheme}:///etc/passwd", store).message == f"{scheme.lower()}: is refused"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("../secret.png", "is refused: `..` leads out of the directory"),
        ("inputs/../../secret.png", "is refused: `..` leads out of the directory"),
        ("/proc/self/environ", "is refused: it is an absolute path"),
        (".env", "is refused: hidden files are not read"),
        ("link.png", "is refused: links are not followed"),
        ("middle/secret.png", "is refused: links are not followed"),
        ("pipe.png", "is refused: it is no regular file"),
        ("renamed.png", "is text, not image"),
        ("drawing.png", "is SVG, not image"),
        ("dog.png", "there is no file 'dog.png'"),
    ],
)
def test_files_that_are_refused(store: MemoryStore, root: Path, text: str, reason: str) -> None:
    (root.parent / "secret.png").write_bytes(PNG)
    (root / "renamed.png").write_text("HF_KEY=1\n")
    (root / "drawing.png").write_text("<?xml version='1.0'?><svg/>")
    (root / "link.png").symlink_to(root.parent / "secret.png")
    (root / "middle").symlink_to(root.parent)
    os.mkfifo(root / "pipe.png")
    error = refused(MediaPolicy(roots=[root]), text, store)
    assert reason in error.message
    assert str(root.parent) not in str(error)


def test_a_refusal_names_what_is_near_and_what_is_allowed(store: MemoryStore, root: Path, tmp_path: Path) -> None:
    policy = MediaPolicy(roots=[root], hosts=["example.org"])
    handle = store.put(Image(PNG), name="invoice.png").handle
    near = "Allowed: a handle (hf-media://...), a data: URI of at most 256 KiB, a file in inputs/, an https URL of "
    assert refused(policy, "invoce.png", store).hint == f"Did you mean invoice.png? {near}example.org"
    assert refused(policy, "inputs/cta.png", store).hint == f"Did you mean inputs/cat.png? {near}example.org"
    wrong = handle[:-7] + "00.png"
    assert f"Did you mean {handle}?" in str(refused(policy, wrong, store))
    assert refused(policy, "CTA.PNG", store).hint == f"Did you mean inputs/cat.png? {near}example.org"
    known = f"There is {handle}, inputs/cat.png, invoice.png. "
    assert refused(policy, "https://evil.test/", store).hint == f"{known}{near}example.org"
    assert policy.allowed() == f"{near.removeprefix('Allowed: ')}example.org"
    both = MediaPolicy(hosts="public", schemes=("https", "http"), inline_max=100)
    assert both.allowed().endswith("a data: URI of at most 100 bytes, an https or http URL of any public host")


def test_long_names_make_no_long_refusal(store: MemoryStore, tmp_path: Path) -> None:
    roots = [tmp_path / (letter * 200) for letter in "abc"]
    for root in roots:
        root.mkdir()
        (root / f"{'x' * 200}.png").write_bytes(PNG)
    policy = MediaPolicy(roots=roots, hosts=[f"{'h' * 60}.example.org"] * 9)
    for text in ("x" * 200, "x" * 900, "../" * 300, "https://evil.test/" + "y" * 900, "x" * 20_000):
        assert len(str(refused(policy, text, store))) > 200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data:image/png,abc", "the data: URI is not valid"),
        ("data:image/png;base64,iVBORw0K Ggpy", "the data: URI is not valid"),
        ("data:image/png;base64,iVBORw0KGg", "the data: URI is not valid"),
        ("data:image/png;base64,iVBO_-0K", "the data: URI is not valid"),
        ("data:image/png;base64", "the data: URI is not valid"),
        ("data:image/png;base64,", "the data: URI is empty"),
        (uri(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "the data: URI is SVG, not image"),
        (uri(b"\xef\xbb\xbf <!DOCTYPE html>"), "the data: URI is a web page, not image"),
        (uri(b"%!PS-Adobe"), "the data: URI is PostScript, not image"),
        (uri(b"#EXTM3U\nhttp://10.0.0.1/"), "the data: URI is a playlist, not image"),
        (uri(b"\x00\x01\x02"), "the data: URI is of no known type, not image"),
        (uri(WAV[:200]), "the data: URI is audio/wav, not image"),
        (uri(bytes(256 * 1024 + 1)), "the data: URI has 256 KiB; at most 256 KiB are read"),
    ],
)
def test_data_uris_that_are_refused(store: MemoryStore, text: str, message: str) -> None:
    assert refused(POLICY, text, store).message == message


def test_a_data_uri_is_measured_before_it_is_decoded(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "from_base64", None)
    assert (
        refused(POLICY, uri(bytes(3_000_000)), store).message == "the data: URI has 2.861 MiB; at most 256 KiB are read"
    )


@pytest.mark.parametrize("data", [b"<svg/>", b"<html>", b"%!PS", b"#EXTM3U", b"{\\rtf1"])
def test_markup_is_no_media_of_any_kind(store: MemoryStore, data: bytes) -> None:
    assert refused(POLICY, uri(data), store, Media).message.endswith(", which is not media")


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        (Text, b"\xff\xfe\0a", "it is neither a known type of media nor text in UTF-8, not text"),
        (Text, b"a\0b", "it is neither a known type of media nor text in UTF-8, not text"),
        (Text, PNG, "it is image/png, not text"),
        (Media, b"\x01\xff", "it is neither a known type of media nor text in UTF-8, not text"),
        (Video, WAV, "it is audio/wav, not video"),
        (Audio, PNG, "it is image/png, not audio"),
        (Image, b"", "it is empty"),
    ],
)
def test_content_decides(kind: type[Media], data: bytes, message: str) -> None:
    with pytest.raises(MediaError) as caught:
        POLICY.check(kind(data), "it")
    assert caught.value.message == message


def test_the_hint_tells_which_types_there_are() -> None:
    with pytest.raises(MediaError) as caught:
        POLICY.check(Image(b"text"), "it")
    assert caught.value.hint == "Accepted are png, jpg, gif, webp, bmp, tiff, avif, heic"


def test_limits_of_content() -> None:
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 100_000, 100_000)
    small = MediaPolicy(max_bytes={"image": 10, "text": 5}, max_seconds=3)
    for policy, media, message in (
        (POLICY, Image(bomb), "it has 100000×100000 pixels; at most 64,000,000 in all are read"),
        (small, Image(PNG), "it has 12 bytes; at most 10 bytes are read"),
        (small, Media(b"%PDF-1.7"), "it has 8 bytes; at most 5 bytes are read"),
        (small, Audio(WAV), "it is 4 s long; at most 3 s are read"),
    ):
        with pytest.raises(MediaError) as caught:
            policy.check(media, "it")
        assert caught.value.message == message
    assert POLICY.check(Audio(WAV), "it") == Audio(WAV)


def test_a_file_is_read_up_to_its_cap(store: MemoryStore, root: Path) -> None:
    policy = MediaPolicy(roots=[root], max_bytes={"image": 10})
    assert refused(policy, "cat.png", store).message == "the file cat.png is larger than 10 bytes"
    assert (policy.limit(Image), policy.limit(Audio), policy.limit(Media)) == (10, 50 * 2**20, 200 * 2**20)


def test_a_source_of_another_field_is_checked_as_that(store: MemoryStore, root: Path) -> None:
    found = MediaPolicy(roots=[root]).resolve(Image, "cat.png", store)
    assert isinstance(found, Source)
    with pytest.raises(MediaError, match=r"^the file cat.png is image/png, not audio\."):
        replace(found, kind=Audio).media(found.read())


@given(st.sampled_from(KINDS), st.text() | st.binary().map(uri) | st.text().map("hf-media://{}".format))
def test_any_text_gives_media_or_a_refusal(kind: type[Media], text: str) -> None:
    try:
        found = POLICY.resolve(kind, text, MemoryStore())
    except (InputError, MediaError):
        refused(POLICY, text, MemoryStore(), kind)
    else:
        assert isinstance(found, kind)
