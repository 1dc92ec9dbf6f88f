"""`load`: media read as a call does, and given back."""

from __future__ import annotations

from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import httpx
import PIL.Image
import pytest

from hf_tools.errors import HfError, InputError, MediaError
from hf_tools.media import Audio, Image, Media, MediaPolicy, MemoryStore, Text
from hf_tools.media.source import Source
from hf_tools.media.sources import ACCEPTED

PNG = b"\x89PNG\r\n\x1a\nrest"
URI = "data:image/png;base64,iVBORw0KGgpyZXN0"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "cat.png").write_bytes(PNG)
    (tmp_path / "t.txt").write_text("text")
    return tmp_path / "cat.png"


def load(ask: Any, *args: Any) -> Any:
    def served(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=PNG)

    def call(hf: Any) -> Any:
        return hf.load(*args)

    return ask(served, call)


def test_every_form_is_read(ask: Any, path: Path) -> None:
    for value in (PNG, path, str(path), "https://x.test/cat.png", URI, BytesIO(PNG), Image(PNG), Media(PNG)):
        found = load(ask, value)
        assert (type(found), found) == (Image, Image(PNG))
    assert load(ask, BytesIO(PNG), Image) == Image(PNG)
    assert load(ask, PIL.Image.new("RGB", (3, 2)), Image).to_pil().size == (3, 2)


def test_the_kind_is_what_was_asked_for_or_what_it_is(ask: Any, path: Path) -> None:
    text = str(path.with_name("t.txt"))
    for value, args, expected in (
        (text, (), Media(b"text")),
        (text, (Text,), Text(b"text")),
        (Text(b"text"), (), Text(b"text")),
        (Text(b"text"), (Text,), Text(b"text")),
        (Source(Text, path=Path(text)), (), Text(b"text")),
        (Source(Text, path=Path(text)), (Media,), Text(b"text")),
        (Source(Media, path=path), (), Image(PNG)),
    ):
        found = load(ask, value, *args)
        assert (type(found), found) == (type(expected), expected)


def test_what_a_model_has_named_is_read_by_its_policy(ask: Any, path: Path) -> None:
    policy = MediaPolicy(roots=[path.parent])
    for name, kind, expected in (("cat.png", Image, Image(PNG)), ("t.txt", Media, Text(b"text"))):
        found = load(ask, policy.resolve(kind, name, MemoryStore()))
        assert (type(found), found) == (type(expected), expected)
    with pytest.raises(MediaError, match=r"^the file t.txt is text, not image\. Accepted are png, "):
        load(ask, policy.resolve(Image, "t.txt", MemoryStore()))


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((5,), InputError, f"load: expected {ACCEPTED}, got int"),
        ((PNG, Audio), MediaError, "the data is image/png, not audio"),
        ((b"\xff\xfe", Text), MediaError, "the data is no text: the text is not UTF-8"),
        ((b"a\0", Text), MediaError, "the data is no text: the text holds a NUL byte: it is no text"),
        ((Image(b""), Image), MediaError, "the media is empty"),
        ((StringIO("x"),), MediaError, "the file object gives str, not bytes"),
        (("/none/at/all.png",), MediaError, "cannot read the file all.png: No such file or directory"),
        ((PNG, "image"), InputError, "load: `kind` = 'image': expected Media, Image, Audio, Video or Text"),
        ((PNG, int), InputError, "load: `kind` = <class 'int'>: expected Media, Image, Audio, Video or Text"),
        ((PNG, None), InputError, "load: `kind` = None: expected Media, Image, Audio, Video or Text"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(ask: Any, args: tuple[Any, ...], error: type[HfError], message: str) -> None:
    with pytest.raises(HfError) as caught:
        load(ask, *args)
    assert (type(caught.value), caught.value.message) == (error, message)
