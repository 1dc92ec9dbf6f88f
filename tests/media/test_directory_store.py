"""What others may do to the files of a store: damage, links, leftovers, missing rights."""

import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from hf_tools.errors import InputError, MediaError
from hf_tools.media import Image, Media
from hf_tools.media import private as files
from hf_tools.media.store import DirectoryStore

PNG = Image(b"\x89PNG\r\n\x1a\nrest")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(place: Path) -> DirectoryStore:
    return DirectoryStore(place)


@pytest.fixture
def key(store: DirectoryStore) -> str:
    return store.put(PNG, name="a.png").handle[11:27]


def test_files_are_private(place: Path, key: str) -> None:
    found = {path.relative_to(place).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in place.rglob("*")}
    assert found == {f"{key}.data": 0o600, f"{key}.json": 0o600, "names": 0o700, "names/a.png": 0o600}
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_a_directory_that_others_may_read_becomes_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    DirectoryStore(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_what_cannot_be_a_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name, reason in (("file", "File exists"), ("link", "it is a link, or no directory")):
        with pytest.raises(InputError, match=rf"cannot be a store of media: {reason}$"):
            DirectoryStore(tmp_path / name)
    wrong: Any = 5
    with pytest.raises(InputError, match=r"^5 cannot be a store of media: "):
        DirectoryStore(wrong)


def test_damaged_bytes_are_noticed_and_mended_by_the_next_put(store: DirectoryStore, place: Path, key: str) -> None:
    (place / f"{key}.data").write_bytes(b"\x89PNG\r\n\x1a\nevil")
    with pytest.raises(MediaError, match=rf"^the file of hf-media://{key} is damaged$"):
        store.get(key)
    store.put(PNG)
    assert store.get("a.png") == PNG


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"kind": "image"}', "\udcff", "[" * 9000]
    + [json.dumps({"made": 1, "kind": kind, "handle": "hf-media://other.png", "mime_type": "", "size": 1, "sha256": ""})
       for kind in ("image", "zip")],
)  # fmt: skip
def test_a_damaged_description_is_noticed(store: DirectoryStore, place: Path, key: str, text: str) -> None:
    (place / f"{key}.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    for find in (store.get, store.ref):
        with pytest.raises(MediaError, match=rf"^the description of hf-media://{key} is damaged$"):
            find(key)
    assert store.refs() == []
    assert store.put(PNG).handle == f"hf-media://{key}.png"


def test_a_medium_without_its_bytes_is_not_there(store: DirectoryStore, place: Path, key: str) -> None:
    (place / f"{key}.data").unlink()
    with pytest.raises(KeyError):
        store.get(key)
    (place / f"{key}.json").unlink()
    for handle in (key, "a.png"):
        with pytest.raises(KeyError):
            store.get(handle)


def test_links_are_not_followed(store: DirectoryStore, place: Path, key: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(PNG.data)
    (place / f"{key}.data").unlink()
    (place / f"{key}.data").symlink_to(tmp_path / "secret")
    with pytest.raises(MediaError, match=rf"^hf-media://{key} cannot be read: it is no regular file$"):
        store.get(key)
    (place / "names" / "b.png").symlink_to(place / "names" / "a.png")
    with pytest.raises(KeyError):
        store.get("b.png")
    store.put(PNG)
    assert (tmp_path / "secret").read_bytes() == PNG.data
    assert not (place / f"{key}.data").is_symlink()


def test_a_name_that_leads_nowhere(store: DirectoryStore, place: Path, key: str) -> None:
    for content in (b"../../secret", b"\xff", b""):
        (place / "names" / "a.png").write_bytes(content)
        with pytest.raises(KeyError):
            store.get("a.png")
    assert store.get(key) == PNG


def test_what_cannot_be_written_leaves_nothing(
    store: DirectoryStore, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(MediaError, match=r"^the media cannot be kept: No space left on device$"):
        store.put(PNG)
    assert [path.name for path in place.iterdir()] == ["names"]


def test_leftovers_of_dead_processes_go(store: DirectoryStore, place: Path) -> None:
    for name, age in ((".part-old", 2 * files.STALE), (".part-new", 0.0)):
        (place / name).write_bytes(b"x")
        os.utime(place / name, (time.time() - age, time.time() - age))
    store.put(PNG)
    assert sorted(path.name for path in place.glob(".part-*")) == [".part-new"]


def test_another_process_may_remove_what_is_looked_at(
    store: DirectoryStore, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "gone.data").symlink_to(place / "nowhere")
    (place / "names" / "odd").mkdir()
    small = DirectoryStore(place, 20)
    small.put(PNG, name="a.png")
    lstat = Path.lstat

    def vanished(path: Path) -> os.stat_result:
        if path.name == "gone.data":
            raise FileNotFoundError(2, "No such file or directory")
        return lstat(path)

    monkeypatch.setattr(Path, "lstat", vanished)
    kept = small.put(Media(b"fifteen bytes..")).handle
    assert [ref.handle for ref in store.refs()] == [kept]
    files.remove(place / "nowhere")
