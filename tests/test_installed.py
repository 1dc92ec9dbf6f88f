"""The package as it is installed. `.ci/run` copies this file out of the checkout and runs it against the wheel."""

import importlib
import importlib.metadata
import json
import subprocess
import sys
import sysconfig
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

PACKAGES = ["hf_tools", "langchain_hf_tools"]


def expected_root() -> Path:
    """Where the packages must come from: site-packages, or the checkout of an editable install."""
    record: dict[str, object] = json.loads(
        importlib.metadata.distribution("hf-tools").read_text("direct_url.json") or "{}"
    )
    if record.get("dir_info") == {"editable": True}:
        return Path(url2pathname(urlsplit(str(record["url"])).path))
    return Path(sysconfig.get_path("purelib"))


def run(*command: str) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", PACKAGES)
def test_imports_from_where_it_was_installed(name: str) -> None:
    file = importlib.import_module(name).__file__
    assert file is not None
    assert Path(file).resolve().is_relative_to(expected_root().resolve())


@pytest.mark.parametrize("name", PACKAGES)
def test_is_marked_as_typed(name: str) -> None:
    assert files(name).joinpath("py.typed").is_file()


@pytest.mark.parametrize("name", ["integrations", "tests", "cassettes", "examples", "benchmarks"])
def test_nothing_else_is_installed(name: str) -> None:
    installed = {str(file).split("/")[0] for file in importlib.metadata.files("hf-tools") or ()}
    assert name not in installed


def test_console_script_explains_itself() -> None:
    script = Path(sysconfig.get_path("scripts")) / ("hf-tools.exe" if sys.platform == "win32" else "hf-tools")
    help_text = run(str(script), "--help")
    assert "demo" in help_text
    assert "tasks" in help_text


def test_module_prints_the_catalogue() -> None:
    catalogue = run(sys.executable, "-m", "hf_tools", "tasks")
    assert "chat_completion" in catalogue
    assert "zero_shot_classification" in catalogue


def test_version_is_that_of_the_metadata() -> None:
    version = run(sys.executable, "-c", "import hf_tools; print(hf_tools.__version__)").strip()
    assert version == importlib.metadata.version("hf-tools")
