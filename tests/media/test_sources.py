"""What a caller may pass as media, and how it is read."""

import os
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, cast

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from hf_tools.errors import MediaError
from hf_tools.media import Audio, Image, Media, Video
from hf_tools.media import source as reading
from hf_tools.media.source import Source
from hf_tools.media.sources import AnyInput, AudioInput, ImageInput, VideoInput, link, read, source

PNG = b"\x89PNG\r\n\x1a\nrest"
URI = "data:image/jpeg;base64,iVBORw0KGgpyZXN0"


class Named(os.PathLike[str]):
    def __fspath__(self) -> str:
        return "cat.png"


FILE = BytesIO(PNG)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (PNG, Image(PNG)),
        (bytearray(PNG), Image(PNG)),
        (memoryview(PNG), Image(PNG)),
        (Image(PNG), Image(PNG)),
        (Media(PNG), Image(PNG)),
        (Image(b"?", "image/x-odd"), Image(b"?", "image/x-odd")),
        (b"unknown", Image(b"unknown")),
        (URI, Image(PNG)),
        ("cat.png", Source(Image, path=Path("cat.png"))),
        ("a:b.png", Source(Image, path=Path("a:b.png"))),
        (r"C:\cat.png", Source(Image, path=Path(r"C:\cat.png"))),
        (Path("cat.png"), Source(Image, path=Path("cat.png"))),
        (Named(), Source(Image, path=Path("cat.png"))),
        ("https://x.test/cat.png", Source(Image, url="https://x.test/cat.png")),
        ("HTTP://x.test/cat.png", Source(Image, url="HTTP://x.test/cat.png")),
        (FILE, Source(Image, file=FILE)),
        (Source(Image, path=Path("cat.png")), Source(Image, path=Path("cat.png"))),
        (Source(Media, url="https://x.test/"), Source(Image, url="https://x.test/")),
    ],
)
def test_what_is_accepted(value: object, expected: Media | Source) -> None:
    found = source(Image, value)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "the data is empty"),
        (Image(b""), "the media is empty"),
        ("data:image/png;base64,", "the data: URI is empty"),
        ("data:image/png;base64,%", "not valid base64"),
        ("data:text/plain,hi", "must be base64"),
        (b"fLaC....", "the data is audio/flac, not image"),
        (Audio(b"fLaC...."), "the media is audio/flac, not image"),
        (b" <!doctype html>", "the data is HTML or XML, not image"),
        ("data:text/html;base64,PGh0bWw+", "the data: URI is HTML or XML, not image"),
        ("", "an empty path"),
        (" ", "an empty path"),
        ("a\0b", "an empty path"),
        ("file:///etc/passwd", "file: URLs are not read here; pass bytes, a path"),
        ("FTP://x.test/a", "ftp: URLs"),
        ("hf-media://abc.png", "hf-media: URLs"),
        (7, "expected bytes, a path, .*got int"),
        (None, "got NoneType"),
        ([PNG], "got list"),
    ],
)
def test_what_is_refused(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        source(Image, value)


def test_a_drawing_is_a_picture() -> None:
    assert source(Image, Image(b"<svg/>", "image/svg+xml")) == Image(b"<svg/>", "image/svg+xml")


def test_any_kind_is_accepted_where_any_is_wanted() -> None:
    assert source(Media, PNG) == Media(PNG)
    assert source(Media, Audio(b"fLaC....")) == Media(b"fLaC....")


@given(st.text())
def test_any_text_is_media_a_source_or_refused(text: str) -> None:
    for each in (text, "data:" + text, "http:" + text):
        try:
            found = source(Image, each)
        except ValueError:
            continue
        assert isinstance(found, Image | Source)


# PIL


def test_a_pil_image_is_written_as_png() -> None:
    found = source(Image, PIL.Image.new("RGBA", (3, 2), (1, 2, 3, 4)))
    assert isinstance(found, Image)
    assert found.mime_type == "image/png"
    assert found.to_pil().getpixel((0, 0)) == (1, 2, 3, 4)


def test_a_pil_image_that_png_cannot_hold() -> None:
    with pytest.raises(MediaError, match=r'mode CMYK cannot be written as PNG.*convert\("RGB"\)'):
        source(Image, PIL.Image.new("CMYK", (1, 1)))


def test_a_pil_image_is_no_sound() -> None:
    with pytest.raises(ValueError, match="got Image"):
        source(Audio, PIL.Image.new("L", (1, 1)))


# reading


def test_reading(tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(PNG)
    with path.open("rb") as file:
        for each in (Source(Image, path=path), Source(Image, file=file), Source(Image, file=BytesIO(PNG))):
            assert each.media(each.read()) == Image(PNG)


def closed() -> BytesIO:
    file = BytesIO(PNG)
    file.close()
    return file


class Broken(BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(5, "Input/output error")


UNREADABLE: list[tuple[Callable[[Path], Source], str]] = [
    (lambda at: Source(Image, path=at / "none.png"), "cannot read the file none.png: No such file"),
    (lambda at: Source(Image, path=at), "cannot read the file .*: Is a directory"),
    (lambda at: Source(Image, path=at / ("x" * 5000)), "cannot read the file x{200}…: File name too long"),
    (lambda at: Source(Image, file=closed()), "cannot read the file object: ValueError.*readable file"),
    (lambda at: Source(Image, file=Broken()), "cannot read the file object: Input/output error"),
    (lambda at: Source(Image, file=cast(Any, StringIO("x"))), 'the file object gives text.*mode "rb"'),
]


@pytest.mark.parametrize(("make", "message"), UNREADABLE)
def test_what_cannot_be_read(make: Callable[[Path], Source], message: str, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=message) as caught:
        make(tmp_path).read()
    assert str(tmp_path.parent) not in str(caught.value)


@pytest.mark.parametrize(
    ("each", "data", "message"),
    [
        (Source(Image, path=Path("/a/cat.png")), b"", "the file cat.png is empty"),
        (Source(Image, url="https://x.test/a?token=1"), b"<html>", "the URL https://x.test/a is HTML or XML"),
        (Source(Image, file=FILE), b"fLaC....", "the file object is audio/flac, not image"),
        (Source(Video, file=FILE), PNG, "image/png, not video"),
    ],
)
def test_what_was_read_and_is_no_such_media(each: Source, data: bytes, message: str) -> None:
    with pytest.raises(MediaError, match=message) as caught:
        each.media(data)
    assert "token" not in str(caught.value)


def test_what_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_INPUT", 2**20)
    each = Source(Image, file=BytesIO(PNG + bytes(2**21)))
    data = each.read()
    assert len(data) == 2**20 + 1  # not a byte more than what shows that it is too large
    with pytest.raises(MediaError, match="the file object is larger than 1 MiB"):
        each.media(data)
    assert len(each.media(PNG + bytes(2**20 - len(PNG)))) == 2**20


def test_the_declared_type_is_kept_where_the_bytes_tell_nothing() -> None:
    assert Source(Image, url="https://x.test/").media(b"?", "image/x-odd").mime_type == "image/x-odd"


def test_fields_that_were_read_and_that_were_not() -> None:
    waiting = Source(Video, url="https://x.test/a.mp4?x=1")
    assert read(Image(PNG)) == Image(PNG)
    assert link(waiting) == "https://x.test/a.mp4?x=1"
    assert [link(Image(PNG)), link(Source(Image, path=Path("a")))] == [None, None]
    with pytest.raises(MediaError, match=r"not read yet: the URL https://x\.test/a\.mp4$"):
        read(waiting)


@pytest.mark.parametrize(
    ("kind", "what", "data"),
    [
        (ImageInput, "image", PNG),
        (AudioInput, "sound", b"fLaC...."),
        (VideoInput, "film", b"\0\0\0\x18ftypisom"),
        (AnyInput, "URI", PNG),
    ],
)
def test_the_types_of_fields(kind: Any, what: str, data: bytes) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    assert adapter.validate_python(data).data == data
    schema = adapter.json_schema()
    assert schema["type"] == "string"
    assert what in schema["description"]
