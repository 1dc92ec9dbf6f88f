"""Media: bytes, their type, and ways out of them."""

import base64
import pickle
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_tools.errors import MediaError, MissingExtra
from hf_tools.media import Audio, Image, Media, Video, media_from

PNG = b"\x89PNG\r\n\x1a\nrest"
WEBM = b"\x1aE\xdf\xa3....webm"
MP4 = b"\0\0\0\x18ftypisom"


def picture(mode: str = "RGB") -> bytes:
    buffer = BytesIO()
    PIL.Image.new(mode, (3, 2)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("media", "mime", "extension"),
    [
        (Image(PNG), "image/png", "png"),
        (Image(PNG, "image/jpeg"), "image/png", "png"),  # the bytes know better
        (Image(b"?", "image/x-odd"), "image/x-odd", "bin"),
        (Image(b"?"), "application/octet-stream", "bin"),
        (Image(b""), "application/octet-stream", "bin"),
        (Audio(WEBM), "audio/webm", "weba"),
        (Audio(MP4), "audio/m4a", "m4a"),
        (Audio(b"?", "video/webm"), "audio/webm", "weba"),
        (Video(WEBM), "video/webm", "webm"),
        (Video(MP4), "video/mp4", "mp4"),
        (Media(MP4), "video/mp4", "mp4"),
    ],
)
def test_the_type(media: Media, mime: str, extension: str) -> None:
    assert (media.mime_type, media.extension) == (mime, extension)


def test_what_it_looks_like() -> None:
    media = Audio(b"fLaC" + bytes(1996), sampling_rate=16000)
    assert repr(media) == "Audio(audio/flac, 2,000 bytes)"
    assert (len(media), media.sampling_rate) == (2000, 16000)
    assert pickle.loads(pickle.dumps(media)) == media
    assert len({Image(PNG), Image(PNG), Video(MP4)}) == 2
    with pytest.raises(AttributeError):
        media.data = b""  # type: ignore[misc]


@pytest.mark.parametrize(
    ("declared", "data", "kind"),
    [
        ("", PNG, Image),
        ("audio/wav", PNG, Image),
        ("", b"fLaC", Audio),
        ("", MP4, Video),
        ("image/x-odd", b"?", Image),
        ("text/plain", b"?", Media),
        ("", b"%PDF-", Media),
        ("", b"", Media),
    ],
)
def test_media_of_unknown_kind(declared: str, data: bytes, kind: type[Media]) -> None:
    media = media_from(data, declared)
    assert (type(media), media.data) == (kind, data)


# saving


def test_saving(tmp_path: Path) -> None:
    media = Image(PNG)
    assert media.save(tmp_path / "cat") == tmp_path / "cat.png"
    assert media.save(str(tmp_path / "cat.jpg")) == tmp_path / "cat.jpg"  # the caller's name stays
    assert Image(b"?").save(tmp_path / "odd") == tmp_path / "odd.bin"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "cat.png": PNG,
        "cat.jpg": PNG,
        "odd.bin": b"?",
    }


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"cannot write .*none.*cat: No such file"):
        Image(PNG).save(tmp_path / "none" / "cat")


# base64


@given(st.binary())
def test_base64_comes_back(data: bytes) -> None:
    media = Image(data)
    assert Image.from_base64(media.base64) == media
    assert Image.from_base64(media.data_uri) == media
    assert base64.b64decode(media.base64, validate=True) == data
    assert media.data_uri.startswith(f"data:{media.mime_type};base64,")


@given(st.text())
def test_any_text_is_media_or_a_media_error(text: str) -> None:
    for each in (text, "data:" + text, "data:image/png;base64," + text):
        try:
            Image.from_base64(each)
        except MediaError:
            continue


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("iVBORw0KGgpyZXN0", Image(PNG)),
        ("iVBORw0K\r\nGgpyZXN0\n", Image(PNG)),
        ("data:image/jpeg;base64,iVBORw0KGgpyZXN0", Image(PNG)),
        ("DATA:image/jpeg;charset=x;BASE64,iVBORw0KGgpyZXN0", Image(PNG)),
        ("data:;base64,Pw==", Image(b"?")),
        ("data:image/x-odd;base64,Pw==", Image(b"?", "image/x-odd")),
        ("", Image(b"")),
    ],
)
def test_base64_as_it_is_met(text: str, expected: Image) -> None:
    assert Image.from_base64(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%%%", "not valid base64: %%%"),
        ("abc", "not valid base64: abc"),
        ("-_-_", "not valid base64"),  # the alphabet for URLs
        ("é", "not valid base64"),
        ("data:image/png,abcd", r"must be base64.*data:<type>;base64,<data>"),
        ("data:image/png;base64", "not valid base64"),
        ("x" * 1001, "not valid base64: x{40}…"),
    ],
)
def test_what_is_not_base64(text: str, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        Image.from_base64(text)


# notebooks and PIL


def shown(media: Media) -> dict[str, Any]:
    """What a notebook asks for."""
    bundle: dict[str, Any] = getattr(media, "_repr_mimebundle_")(include=None, exclude=None)  # noqa: B009
    return bundle


def test_what_a_notebook_shows() -> None:
    assert shown(Image(PNG)) == {
        "text/plain": "Image(image/png, 12 bytes)",
        "image/png": "iVBORw0KGgpyZXN0",
    }
    gif = Image(b"GIF89a")
    assert shown(gif)["image/gif"] == b"GIF89a"
    assert shown(Audio(b"fLaC"))["text/html"] == ('<audio controls src="data:audio/flac;base64,ZkxhQw=="></audio>')
    assert shown(Video(MP4))["text/html"].startswith('<video controls src="data:video/mp4;base64,AAAA')
    assert shown(Media(b"?")) == {"text/plain": "Media(application/octet-stream, 1 bytes)"}


def test_a_picture_for_pil() -> None:
    found = Image(picture("L")).to_pil()
    assert (found.size, found.mode) == ((3, 2), "L")


@pytest.mark.parametrize("data", [PNG, b"?", picture()[:45]])
def test_a_picture_that_is_broken(data: bytes) -> None:
    with pytest.raises(MediaError, match="the image cannot be read"):
        Image(data).to_pil()


def test_a_picture_that_is_a_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 1)
    with pytest.raises(MediaError, match=r"the image cannot be read.*exceeds limit"):
        Image(picture()).to_pil()


def test_pillow_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(MissingExtra, match=r"pip install 'hf-tools\[media\]'"):
        Image(picture()).to_pil()
