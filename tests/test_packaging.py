"""The wheel holds what it promises and nothing else."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.floors import floors

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel that is built from the checkout, without the network."""
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = target.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def packages() -> set[str]:
    """The last components of the packages in pyproject.toml: hatchling skips a missing folder in silence."""
    return {Path(each).name for each in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}


def test_top_level_names_are_the_packages_of_pyproject(wheel: set[str]) -> None:
    top = {name.split("/")[0] for name in wheel}
    assert {name for name in top if not name.endswith(".dist-info")} == packages()
    assert packages() == {"hf_tools", "langchain_hf_tools"}


def test_holds_every_file_of_the_packages(wheel: set[str]) -> None:
    for folder in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        base = (ROOT / folder).parent
        files = {path.relative_to(base).as_posix() for path in (ROOT / folder).rglob("*.py")}
        assert files
        assert files <= wheel


@pytest.mark.parametrize(
    "name",
    [
        "hf_tools/py.typed",
        "langchain_hf_tools/py.typed",
        "hf_tools/local/vocab.txt",
        *(f"hf_tools/demo_files/{name}" for name in ("README.md", "invoice.png", "stock.csv", "voicemail.ogg")),
    ],
)
def test_holds_data(wheel: set[str], name: str) -> None:
    assert name in wheel


def test_holds_licences(wheel: set[str]) -> None:
    held = {name.split(".dist-info/licenses/")[1] for name in wheel if ".dist-info/licenses/" in name}
    assert held == {"LICENSE", "NOTICE", "hf_tools/local/NOTICE"}


def test_holds_no_tests_nor_recordings(wheel: set[str]) -> None:
    parts = {part for name in wheel for part in name.split("/")}
    assert not parts & {"tests", "cassettes", "recordings", "benchmarks", "examples", "conftest.py", "__pycache__"}


@pytest.mark.parametrize("folder", ["integrations", "tests"])
def test_containers_are_no_packages(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


def test_base_dependencies_are_httpx_and_pydantic() -> None:
    names = [re.split(r"[^\w-]", each)[0] for each in PROJECT["project"]["dependencies"]]
    assert names == ["httpx", "pydantic"]


def test_all_is_every_extra_but_dev() -> None:
    extras: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
    (everything,) = extras["all"]
    named = set(everything.removeprefix("hf-tools[").removesuffix("]").split(","))
    assert named == extras.keys() - {"all", "demo", "dev"}


def test_the_demo_needs_nothing_but_langchain_that_all_has_not() -> None:
    extras: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
    ours, agent = extras["demo"]
    named = set(ours.removeprefix("hf-tools[").removesuffix("]").split(","))
    assert named == {"langchain", "local", "local-audio", "local-vision"}
    assert agent in extras["dev"]


def test_each_oldest_release_is_named() -> None:
    project: dict[str, Any] = {
        "dependencies": ["httpx>=0.27,<1"],
        "optional-dependencies": {
            "some": ["a.b-c~=3.10.0", "pinned==1.0.0", "hf-tools[other]"],
            "other": ["httpx>=0.27", "d>=2; python_version < '3.12'"],
            "dev": ["pytest>=8"],
        },
    }
    assert floors(project) == ["a.b-c==3.10.0", "d==2", "httpx==0.27"]
