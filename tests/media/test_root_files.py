"""Files that a model names: below the directories that were opened, regular, visible, and no link on the way."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from hf_tools.errors import InputError, MediaError
from hf_tools.media import files
from hf_tools.media.files import RootFile
from hf_tools.media.names import listed, parts_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "inputs"
    (root / "deep" / "deeper").mkdir(parents=True)
    (root / "cat.png").write_bytes(b"cat")
    (root / "deep" / "deeper" / "dog.png").write_bytes(b"dog")
    (tmp_path / "secret.png").write_bytes(b"secret")
    return root


@pytest.fixture(params=["walked", "checked"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(files, "WALKS", request.param == "walked")
    return str(request.param)


def read(root: Path, name: str) -> bytes:
    return RootFile((root,), parts_of(name), lambda: "hint").read(100)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("cat.png", b"cat"),
        ("inputs/cat.png", b"cat"),
        ("./inputs/./cat.png", b"cat"),
        ("deep/deeper/dog.png", b"dog"),
        ("inputs/deep/deeper/dog.png", b"dog"),
    ],
)
def test_files_of_a_root(way: str, root: Path, name: str, data: bytes) -> None:
    assert read(root, name) == data


def test_the_next_root_is_tried(way: str, root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "only.png").write_bytes(b"only")
    assert RootFile((root, other), ("only.png",), str).read(100) == b"only"
    assert RootFile((root, other), ("other", "only.png"), str).read(2) == b"on"


@pytest.mark.parametrize("name", ["dog.png", "inputs", "cat.png/dog.png", "deep/none/dog.png"])
def test_what_is_not_there(way: str, root: Path, name: str) -> None:
    with pytest.raises(MediaError) as caught:
        read(root, name)
    assert (caught.value.message, caught.value.hint) == (f"there is no file '{name}'", "hint")


def test_links_pipes_and_directories_are_refused(way: str, root: Path, tmp_path: Path) -> None:
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "inside.png").symlink_to(root / "cat.png")
    (root / "up").symlink_to(tmp_path)
    os.mkfifo(root / "pipe.png")
    link, odd = "links are not followed", "it is no regular file"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(root / "socket.png"))
        for name, reason in {
            "link.png": link, "inside.png": link, "up/secret.png": link, "pipe.png": odd, "deep": odd, "socket.png": odd
        }.items():  # fmt: skip
            with pytest.raises(MediaError) as caught:
                read(root, name)
            assert caught.value.message == f"the file '{name}' is refused: {reason}"


def test_a_file_that_may_not_be_read(way: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(MediaError, match=r"^cannot read the file 'cat.png': Permission denied$"):
        read(root, "cat.png")


def test_a_link_that_takes_the_place_of_a_directory_is_not_followed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The directory is exchanged after it was looked at, before it is opened."""
    stat = os.stat
    swapped: list[str] = []

    def looked(path: str, **options: Any) -> os.stat_result:
        found = stat(path, **options)
        if path == "deep" and not swapped:
            swapped.append(path)
            (root / "deep").rename(root / "moved")
            (root / "deep").symlink_to(tmp_path)
        return found

    monkeypatch.setattr(os, "stat", looked)
    with pytest.raises(MediaError, match=r"^there is no file 'deep/secret.png'. hint$"):
        read(root, "deep/secret.png")
    assert swapped == ["deep"]


def test_where_directories_cannot_be_held_what_lies_outside_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A junction of Windows is no link for lstat."""
    (root / "junction").symlink_to(tmp_path)
    monkeypatch.setattr(files, "WALKS", False)
    monkeypatch.setattr(files, "_no_link", lambda status: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with pytest.raises(MediaError, match=r"is refused: it lies outside of the directory. hint$"):
        read(root, "junction/secret.png")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../secret.png", "`..` leads out of the directory"),
        ("inputs/../../secret.png", "`..` leads out of the directory"),
        ("deep/..", "`..` leads out of the directory"),
        ("/etc/passwd", "it is an absolute path"),
        ("/proc/self/environ", "it is an absolute path"),
        ("//server/share", "it is an absolute path"),
        ("C:/cat.png", "a name of a file may not have ':'"),
        ("C:\\cat.png", "a name of a file may not have ':'"),
        ("\\\\server\\share", "a name of a file may not have '\\\\'"),
        ("cat.png:stream", "a name of a file may not have ':'"),
        ("~/cat.png", "a name of a file may not have '~'"),
        ("$HOME/cat.png", "a name of a file may not have '$'"),
        ("%2e%2e/cat.png", "a name of a file may not have '%'"),
        ("*.png", "a name of a file may not have '*'"),
        ("deep//dog.png", "it has an empty part"),
        ("deep/", "it has an empty part"),
        ("", "it has an empty part"),
        ("cat\0.png", "it has control characters"),
        ("cat\n.png", "it has control characters"),
        ("cat\u202egnp.exe", "it has control characters"),
        (".env", "hidden files are not read"),
        (".git/config", "hidden files are not read"),
        ("deep/.hidden.png", "hidden files are not read"),
        ("prod.env", "files with keys or passwords are not read"),
        ("server.PEM", "files with keys or passwords are not read"),
        ("id_rsa", "files with keys or passwords are not read"),
        ("deep/id_ed25519.pub", "files with keys or passwords are not read"),
        ("credentials.json", "files with keys or passwords are not read"),
        ("id_rsa/cat.png", "files with keys or passwords are not read"),
        ("NUL", "it is no name of a file"),
        ("com1.png", "it is no name of a file"),
        ("cat.png.", "it is no name of a file"),
        ("cat.png /x", "it is no name of a file"),
        ("a" * 256, "it is no name of a file"),
    ],
)
def test_names_that_are_refused(name: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        parts_of(name)
    assert caught.value.message.endswith(f" is refused: {reason}")
    assert len(caught.value.message) < 130


@pytest.mark.parametrize("name", ["id_card.png", "secret garden.jpg", "environment.png", "keys.png", "tokens.png"])
def test_names_that_are_harmless(name: str) -> None:
    assert parts_of(name) == (name,)


def test_what_there_is(root: Path, tmp_path: Path) -> None:
    for name in (".env", "key.pem", "b~.png", "ape.png"):
        (root / name).write_bytes(b"x")
    (root / "link.png").symlink_to(root / "cat.png")
    assert listed((root, tmp_path / "none")) == ["inputs/ape.png", "inputs/cat.png"]
