"""What the package promises: its names, their docstrings and types, the drawing of its errors, the reference page."""

import builtins
import copy
import importlib.metadata
import importlib.resources
import importlib.util
import inspect
import pickle
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import hf_tools
from hf_tools import errors
from hf_tools.catalogue import catalogue

ROOT = Path(__file__).parent.parent
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
CLASSES = {name: value for name, value in vars(hf_tools).items() if isinstance(value, type)}
ERRORS: dict[str, type[errors.HfError]] = {
    name: value for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.HfError)
}


# names


def test_all_lists_exactly_what_is_public() -> None:
    found = {
        name
        for name, value in vars(hf_tools).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and name != "annotations"
    }
    assert sorted(hf_tools.__all__) == sorted(found | {"__version__", "errors"})
    assert hf_tools.__all__ == sorted(hf_tools.__all__, key=lambda name: (name.lower() == name, name))


@pytest.mark.parametrize("name", hf_tools.__all__)
def test_every_public_name_is_there_and_on_the_reference_page(name: str) -> None:
    assert hasattr(hf_tools, name)
    assert f"\n- `{name}`: " in REFERENCE


def test_a_star_import_gives_the_public_names() -> None:
    code = "before = set(globals())\nfrom hf_tools import *\nprint(*sorted(set(globals()) - before - {'before'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == sorted(hf_tools.__all__)


@pytest.mark.parametrize(("name", "cls"), CLASSES.items())
def test_every_public_class_and_each_of_its_public_members_has_a_docstring(name: str, cls: type) -> None:
    first = (vars(cls).get("__doc__") or "").partition("\n")[0]
    assert first.endswith(".")
    for member, value in inspect.getmembers(cls):
        function = value.fget if isinstance(value, property) else value
        own = getattr(function, "__module__", "") or ""
        if not member.startswith("_") and inspect.isfunction(function) and own.startswith("hf_tools"):
            assert inspect.getdoc(function), f"{name}.{member}"


def test_the_package_and_every_module_has_a_docstring() -> None:
    for path in sorted((ROOT / "hf_tools").rglob("*.py")):
        assert path.read_text(encoding="utf-8").lstrip("#! ").startswith('"""'), path.name


def test_the_version_is_that_of_the_distribution() -> None:
    assert importlib.metadata.version("hf-tools") == hf_tools.__version__


def test_types_are_shipped() -> None:
    assert importlib.resources.files("hf_tools").joinpath("py.typed").is_file()


@pytest.mark.parametrize("use", ["", "hf_tools.HfInference(False).summarization", "dir(hf_tools.HfInference)"])
def test_nothing_optional_is_imported(use: str) -> None:
    code = f"import sys, hf_tools\n{use}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    optional = {
        "langchain",
        "langchain_core",
        "xllamacpp",
        "onnxruntime",
        "tokenizers",
        "PIL",
        "numpy",
        "huggingface_hub",
    }
    assert optional.isdisjoint(done.stdout.split())


# the tree of errors


def drawing() -> dict[str, tuple[str | None, str]]:
    """The tree in the docstring of hf_tools.errors: each name with its parent and the other base in parentheses."""
    found: dict[str, tuple[str | None, str]] = {}
    above: list[tuple[int, str]] = []
    for text in inspect.cleandoc(errors.__doc__ or "").splitlines():
        bare = text.lstrip(" │├└─")
        name, _, rest = bare.partition(" ")
        if not (name in ERRORS or "├" in text or "└" in text):
            continue
        depth = len(text) - len(bare)
        above = [(level, each) for level, each in above if level < depth]
        other = rest.strip()[1:].partition(")")[0] if rest.strip().startswith("(") else ""
        found[name] = (above[-1][1] if above else None, other)
        above.append((depth, name))
    return found


def test_the_drawing_shows_every_error_at_its_place_and_no_other() -> None:
    expected = {
        name: (
            next((base.__name__ for base in cls.__bases__ if issubclass(base, errors.HfError)), None),
            ", ".join(
                base.__name__
                for base in cls.__bases__
                if not issubclass(base, errors.HfError) and base is not Exception
            ),
        )
        for name, cls in ERRORS.items()
    }  # fmt: skip
    assert drawing() == expected
    assert len(expected) > 30


@pytest.mark.parametrize(("name", "cls"), ERRORS.items())
def test_every_error_is_described(name: str, cls: type[errors.HfError]) -> None:
    first = (vars(cls).get("__doc__") or "").partition("\n")[0]
    assert first.endswith(".")
    assert name == cls.__name__


PLACE = {"task": "summarization", "model": "org/model", "provider": "auto", "url": "https://host/path"}


@pytest.mark.parametrize("cls", ERRORS.values(), ids=ERRORS)
def test_every_error_can_be_pickled_and_copied(cls: type[errors.HfError]) -> None:
    error = cls("it failed", hint="Do this", status=418, partial={"a": 1}, link="https://host", **PLACE)
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is cls
        assert str(other) == str(error)
        assert (other.args, vars(other)) == (error.args, vars(error))


@pytest.mark.parametrize("cls", ERRORS.values(), ids=ERRORS)
def test_every_error_is_one_short_line_without_secrets(cls: type[errors.HfError]) -> None:
    secret = "hf_" + "s" * 34
    nasty = f"first\nsecond\r\u2028\u2029\x1b[31m\u202e {secret} " + "long " * 2000
    error = cls(nasty, hint=nasty, **dict.fromkeys(PLACE, nasty))
    for text in (str(error), str(cls(nasty)), str(cls("", **dict.fromkeys(PLACE, nasty)))):
        assert len(text) <= 700
        assert text.splitlines() == [text]
        assert text.isprintable()
        assert secret not in text
    assert str(cls("it failed", hint="Do this", **PLACE)) == (
        "it failed (task summarization, model org/model, provider auto, url https://host/path). Do this"
    )


def test_an_error_is_filled_in_but_never_changed_by_its_place() -> None:
    error = errors.NotFound("gone", model="org/model")
    assert error.at(model="other", task="fill-mask", url=None) is error
    assert (error.model, error.task, error.url) == ("org/model", "fill-mask", None)


@pytest.mark.parametrize("cls", ERRORS.values(), ids=ERRORS)
def test_every_error_is_caught_as_what_python_programs_expect(cls: type[errors.HfError]) -> None:
    _, other = drawing()[cls.__name__]
    assert not other or issubclass(cls, getattr(builtins, other))
    with pytest.raises(errors.HfError):
        raise cls("it failed")


# the reference page


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_page_is_what_is_generated() -> None:
    page: str = generator().page()
    assert page == REFERENCE, "python docs/make_reference.py writes it anew"


def test_the_reference_page_has_every_task() -> None:
    for name, task in catalogue():
        assert f"\n## {name}\n" in REFERENCE
        assert f"]\n\n{name}(" in REFERENCE.replace("```\n", "]\n\n")
        assert inspect.cleandoc(task.__doc__ or "").partition("\n")[0] in REFERENCE
