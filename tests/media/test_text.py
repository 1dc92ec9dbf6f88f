"""Texts as media, and what `hf_tools.media` gives."""

import pytest

import hf_tools.media
from hf_tools.errors import MediaError
from hf_tools.media import Media, Text, media_from
from hf_tools.media.source import amount


@pytest.mark.parametrize(
    ("declared", "mime_type", "extension"),
    [
        ("", "text/plain", "txt"),
        ("text/plain; charset=utf-8", "text/plain", "txt"),
        ("Text/CSV", "text/csv", "csv"),
        ("text/markdown", "text/markdown", "md"),
        ("application/json", "application/json", "json"),
        ("text/html", "text/plain", "txt"),
        ("image/png", "text/plain", "txt"),
    ],
)
def test_type_and_extension(declared: str, mime_type: str, extension: str) -> None:
    text = Text(b"GIF89a is how they begin", declared)
    assert (text.kind, text.mime_type, text.extension) == ("text", mime_type, extension)


def test_other_media_know_the_extensions_too() -> None:
    assert Media(b"a,b", "text/csv").extension == "csv"
    assert (media_from(b"a,b", "text/csv"), type(media_from(b"a,b", "text/csv"))) == (Media(b"a,b", "text/csv"), Media)


def test_the_text() -> None:
    assert Text("äöü\n".encode()).text == "äöü\n"
    assert Text("\ufeffäöü".encode()).text == "äöü"
    assert Text(b"").text == ""


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"\xe4", "the text is not UTF-8"), (b"a\0b", "the text holds a NUL byte: it is no text")],
)
def test_what_is_no_text(data: bytes, message: str) -> None:
    with pytest.raises(MediaError) as caught:
        _ = Text(data).text
    assert caught.value.message == message


@pytest.mark.parametrize("name", hf_tools.media.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(hf_tools.media, name).__name__ == name


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match=r"^module 'hf_tools.media' has no attribute 'Nothing'$"):
        _ = hf_tools.media.Nothing


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (20 * 2**20, "20 MiB")]
)
def test_amounts(size: int, text: str) -> None:
    assert amount(size) == text
