"""Both stores of media: handles, names, caps; and what the one in a directory does beyond."""

import copy
import hashlib
import os
import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hf_tools.errors import InputError, MediaError
from hf_tools.media import Audio, Image, Media, Text, Video
from hf_tools.media.refs import clean_name
from hf_tools.media.store import HANDLE, DirectoryStore, MediaRef, MediaStore, MemoryStore

PNG = Image(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0")
OTHER = Image(b"\x89PNG\r\n\x1a\nother")
SHA = hashlib.sha256(PNG.data).hexdigest()
NAME = f"{SHA[:16]}.png"

Made = Callable[..., MemoryStore | DirectoryStore]


@pytest.fixture(params=[MemoryStore, DirectoryStore])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    if request.param is MemoryStore:
        return MemoryStore
    return lambda *args: DirectoryStore(tmp_path / "store", *args)


@pytest.fixture
def store(made: Made) -> MemoryStore | DirectoryStore:
    return made()


def test_it_is_a_store(store: MediaStore) -> None:
    assert isinstance(store, MediaStore)


def test_a_handle_is_made_of_the_content(store: MediaStore) -> None:
    ref = store.put(PNG)
    assert ref == MediaRef(f"hf-media://{NAME}", "image/png", 24, SHA, 640, 480)
    assert HANDLE == "hf-media://"
    assert store.refs() == [ref]
    assert str(ref) == f"hf-media://{NAME} (image/png, 640×480 px, 24 bytes)"
    assert ref.as_dict() == {
        "handle": f"hf-media://{NAME}", "mime_type": "image/png", "size": 24, "sha256": SHA, "width": 640, "height": 480
    }  # fmt: skip


@pytest.mark.parametrize("handle", [f"{HANDLE}{NAME}", NAME, SHA[:16], SHA[:16].upper(), f"{HANDLE}{SHA[:16]}.jpg"])
def test_forms_of_a_handle(store: MediaStore, handle: str) -> None:
    ref = store.put(PNG)
    assert (store.get(handle), type(store.get(handle)), store.ref(handle)) == (PNG, Image, ref)


@pytest.mark.parametrize("name", ["my invoice.png", f"{HANDLE}my invoice.png"])
def test_a_name_finds_its_medium(store: MediaStore, name: str) -> None:
    ref = store.put(PNG, name="../my: invoice.png")
    assert ref.name == "my invoice.png"
    assert str(ref) == f"hf-media://{NAME} (my invoice.png, image/png, 640×480 px, 24 bytes)"
    assert (store.get(name), store.ref(name)) == (PNG, ref)


@pytest.mark.parametrize(
    "handle", ["", "..", "/", "missing.png", f"{HANDLE}0123456789abcdef.png", f"x/{NAME}", f"..\\{NAME}", "\0", None]
)
def test_what_is_not_there_is_a_key_error(store: MediaStore, handle: Any) -> None:
    store.put(PNG, name="there.png")
    for find in (store.get, store.ref):
        with pytest.raises(KeyError) as caught:
            find(handle)
        assert caught.value.args == (handle,)


def test_the_same_content_is_kept_once_and_gets_the_later_name(store: MediaStore) -> None:
    first = store.put(PNG)
    second = store.put(PNG, name="a.png")
    third = store.put(Image(PNG.data), name="b.png")
    assert (first.name, second.name, third.name, store.put(PNG)) == (None, "a.png", "b.png", third)
    assert store.refs() == [third]
    assert store.get("a.png") == store.get("b.png") == PNG


def test_the_newest_of_equal_names_wins_and_refs_are_oldest_first(store: MediaStore) -> None:
    store.put(PNG, name="a.png")
    store.put(OTHER, name="a.png")
    assert store.get("a.png") == OTHER
    assert [ref.size for ref in store.refs()] == [24, 13]
    store.put(PNG, name="a.png")
    assert store.get("a.png") == PNG


@pytest.mark.parametrize(
    "media",
    [
        Audio(b"fLaC\0\0\0\x22sound", sampling_rate=16_000),
        Video(b"\x1aE\xdf\xa3webm"),
        Text(b"a,b\n1,2", "text/csv"),
        Media(b"?", "application/x-odd"),
        Image(b"?", "image/x-odd"),
    ],
)
def test_media_come_back_as_they_were(store: MediaStore, media: Media) -> None:
    ref = store.put(media)
    assert (store.get(ref.handle), type(store.get(ref.handle))) == (media, type(media))
    assert ref.handle.endswith(f".{media.extension}")


def test_a_sound_tells_its_length(store: MediaStore) -> None:
    rate_and_samples = ((16_000 << 44) | (1 << 41) | 99_200).to_bytes(8, "big")
    ref = store.put(Audio(b"fLaC\0\0\0\x22" + bytes(10) + rate_and_samples))
    assert ref.seconds == 6.2
    assert str(ref).endswith("(audio/flac, 6.2 s, 26 bytes)")
    assert store.refs() == [ref]


def test_what_is_empty_or_too_large_is_refused(made: Made) -> None:
    with pytest.raises(MediaError, match=r"^the media is empty$"):
        made().put(Media(b""))
    with pytest.raises(MediaError, match=r"^the media has 24 bytes, and the store keeps 23$"):
        made(23).put(PNG)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "1", None])
def test_a_cap_is_a_number_of_bytes(made: Made, wrong: Any) -> None:
    with pytest.raises(InputError, match=rf"^`max_bytes` = {wrong!r}: must be a whole number of bytes above 0$"):
        made(wrong)


def test_what_was_not_used_for_longest_goes_first(made: Made, tmp_path: Path) -> None:
    store = made(50)
    store.put(PNG, name="a.png")
    store.put(OTHER, name="b.png")
    if isinstance(store, DirectoryStore):  # file times may be coarse
        age(tmp_path, PNG, 20)
        age(tmp_path, OTHER, 10)
    store.get("a.png")
    newest = store.put(Media(bytes(20)))
    assert [ref.name for ref in store.refs()] == ["a.png", None]
    assert store.get(newest.handle).data == bytes(20)
    assert store.get("a.png") == PNG
    with pytest.raises(KeyError):
        store.get("b.png")


def age(directory: Path, media: Media, seconds: float) -> None:
    """Make a medium look as if it had been used so many seconds ago."""
    path = directory / "store" / f"{hashlib.sha256(media.data).hexdigest()[:16]}.data"
    os.utime(path, (time.time() - seconds, time.time() - seconds))


def test_a_copy_is_the_store_itself(store: MediaStore) -> None:
    assert copy.deepcopy({"store": store})["store"] is store


def test_threads_may_share_it(store: MediaStore) -> None:
    failures: list[Exception] = []

    def work(start: int) -> None:
        try:
            for number in range(start, start + 15):
                data = b"%d" % (number % 20)
                assert store.get(store.put(Media(data), name=f"{number % 5}.bin").handle).data == data
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(start * 3,)) for start in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.refs()) == 20


def test_repr(tmp_path: Path) -> None:
    memory = MemoryStore(100)
    memory.put(PNG)
    assert repr(memory) == "MemoryStore(1 media, 24 of 100 bytes)"
    assert repr(DirectoryStore(tmp_path / "kept")) == "DirectoryStore('kept', at most 2,147,483,648 bytes)"


def test_a_directory_outlives_the_store_and_travels_in_a_pickle(tmp_path: Path) -> None:
    first = DirectoryStore(tmp_path / "store")
    ref = first.put(PNG, name="a.png")
    for store in (DirectoryStore(tmp_path / "store"), pickle.loads(pickle.dumps(first))):
        assert (store.refs(), store.get("a.png")) == ([ref], PNG)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        (None, None),
        ("", None),
        ("..", None),
        ("invoice.png", "invoice.png"),
        ("/etc/passwd", "passwd"),
        ("C:\\tmp\\a b.PNG", "a b.PNG"),
        (".env", "env"),
        ("a\n\x1b[31m\u202eb<script>.png", "a31mbscript.png"),
        ("Übung  (1).pdf", "Übung 1.pdf"),
        ("x" * 80 + ".jpeg", "x" * 55 + ".jpeg"),
        ("x" * 80, "x" * 60),
        ("a." + "y" * 80, "a." + "y" * 58),
        ("archive.", "archive."),
    ],
)
def test_names_are_cleaned(name: str | None, clean: str | None) -> None:
    assert clean_name(name) == clean
