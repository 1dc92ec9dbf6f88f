"""What a caller may pass as media, and how it is read."""

import os
import re
import zipfile
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from hf_tools import HfInference
from hf_tools.errors import InputError, MediaError
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
        ("https://x.test:8080/a%20b/ü?q=@b", Source(Image, url="https://x.test:8080/a%20b/ü?q=@b")),
        ("http://[::1]/a", Source(Image, url="http://[::1]/a")),
        ("http", Source(Image, path=Path("http"))),
        ("data", Source(Image, path=Path("data"))),
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


class PathOf:
    """A path object with the wrong path."""

    def __init__(self, path: Any) -> None:
        self._path = path

    def __fspath__(self) -> Any:
        if isinstance(self._path, Exception):
            raise self._path
        return self._path


class Hostile:
    """An object that cannot even be looked at."""

    @property
    def read(self) -> Any:
        raise KeyError("read")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (PathOf(b"cat.png"), "PathOf cannot be used: TypeError; pass bytes, a path"),
        (PathOf(None), "PathOf cannot be used: TypeError"),
        (PathOf(LookupError()), "PathOf cannot be used: LookupError"),
        (Hostile(), "Hostile cannot be used: KeyError"),
        (SimpleNamespace(read=5), "got SimpleNamespace"),
    ],
)
def test_an_object_that_is_broken(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        source(Image, value)


NO_URL = [
    ("http://", "no host"),
    ("https:///x", "no host"),
    ("https:x", "no host"),
    ("https://:80/", "no host"),
    ("https://./", "no host"),
    ("https://x\\y.test/", "no host"),
    ("https://[::1/", "no valid host and port"),
    ("https://x.test:99999/", "no valid host and port"),
    ("https://x.test:a/", "no valid host and port"),
    ("https://x.test/\ud800", "characters that no URL has"),
    ("https://x.test/a b", "characters that no URL has"),
    ("https://x.test/a\nb", "characters that no URL has"),
    ("https://x.test/a\x7f", "characters that no URL has"),
    ("https://x.test/a\u202e", "characters that no URL has"),
    ("https://me:secret@x.test/", "a user or password"),
    ("https://me@x.test/", "a user or password"),
]


@pytest.mark.parametrize(("url", "message"), NO_URL)
def test_a_url_that_is_none(url: str, message: str) -> None:
    makes: list[Callable[[], object]] = [lambda: source(Image, url), lambda: Source(Image, url=url)]
    for make in makes:
        with pytest.raises(MediaError, match=f"the URL has {message}") as caught:
            make()
        assert "secret" not in str(caught.value)


def test_a_source_of_another_scheme() -> None:
    with pytest.raises(MediaError, match="the URL has no host"):
        Source(Image, url="ftp://x.test/a")


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


class Unwritable:
    mode, size = "RGB", (1, 1)

    def save(self, fp: Any, format: str | None = None, **params: Any) -> None:
        raise ZeroDivisionError


def test_a_picture_that_cannot_be_written() -> None:
    with pytest.raises(MediaError, match="mode RGB cannot be written as PNG"):
        source(Image, Unwritable())


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


def odd(**members: Any) -> Any:
    """A caller's object; typed as anything, as checkers would refuse it."""
    kind: Any = type("Odd", (), {n: staticmethod(each) if callable(each) else each for n, each in members.items()})
    return kind()


def nothing(_size: int) -> None:
    return None


def raising(error: Exception) -> Any:
    def read(_size: int) -> bytes:
        raise error

    return odd(read=read)


DEVICE = re.escape(Path(os.devnull).name)
UNREADABLE: list[tuple[Callable[[Path], Source], str]] = [
    (lambda at: Source(Image, path=at / "none.png"), "cannot read the file none.png: No such file"),
    (lambda at: Source(Image, path=at), "cannot read the file .*: it is no regular file. Check that it is a readable"),
    (lambda at: Source(Image, path=Path(os.devnull)), f"cannot read the file .*{DEVICE}: it is no regular file"),
    (lambda at: Source(Image, path=at / "a\0b"), "cannot read the file .*: ValueError"),
    (lambda at: Source(Image, path=at / ("x" * 5000)), "cannot read the file x{200}…: File name too long"),
    (lambda at: Source(Image, file=closed()), "cannot read the file object: ValueError. Pass a binary file object"),
    (lambda at: Source(Image, file=Broken()), "cannot read the file object: Input/output error"),
    (lambda at: Source(Image, file=cast(Any, StringIO("x"))), 'the file object gives str, not bytes.*mode "rb"'),
    (lambda at: Source(Image, file=raising(zipfile.BadZipFile("x"))), "cannot read the file object: BadZipFile"),
    (lambda at: Source(Image, file=raising(EOFError())), "cannot read the file object: EOFError"),
    (lambda at: Source(Image, file=raising(OSError("no number"))), "cannot read the file object: OSError"),
    (lambda at: Source(Image, file=odd(read=lambda: PNG)), r"the file object: TypeError.*read\(size\) gives bytes"),
    (lambda at: Source(Image, file=odd(read=nothing)), "the file object gives NoneType, not bytes"),
]


@pytest.mark.parametrize(("make", "message"), UNREADABLE)
def test_what_cannot_be_read(make: Callable[[Path], Source], message: str, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=message) as caught:
        make(tmp_path).read()
    assert str(tmp_path.parent) not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
@pytest.mark.timeout(20)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "file"
    os.mkfifo(pipe)
    file.write_bytes(PNG)
    link.symlink_to(file)
    assert Source(Image, path=link).read() == PNG
    with pytest.raises(MediaError, match="cannot read the file pipe: it is no regular file"):
        Source(Image, path=pipe).read()
    # one that takes the place of a file after that was looked at
    regular = file.stat()

    def stat(_path: Path) -> os.stat_result:
        return regular

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(MediaError, match="cannot read the file pipe: it is no regular file"):
        Source(Image, path=pipe).read()


def test_nothing_is_sent_for_media_that_are_refused(tmp_path: Path) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json=[])

    hf = HfInference(False, http_client=httpx.Client(transport=httpx.MockTransport(answer)))
    for value in (os.devnull, tmp_path, raising(EOFError()), raising(zipfile.BadZipFile())):
        with pytest.raises(MediaError, match="cannot read the file"):
            hf.image_classification(value, model="org/m")
    for value in ("http://", "https://u:p@x.test/", "http://x.test/\ud800", PathOf(b"a"), odd(read=5)):
        with pytest.raises(InputError, match=r"^image_classification: `image` = "):
            hf.image_classification(value, model="org/m")
    assert sent == []


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
