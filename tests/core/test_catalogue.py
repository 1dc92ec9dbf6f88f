"""The catalogue lists every task once, by the name of its method, and loads the modules when they are used."""

import subprocess
import sys
import types
from pathlib import Path
from typing import Any, cast

import pytest

from hf_tools import tasks
from hf_tools.catalogue import Catalogue, catalogue, other_form, streams
from hf_tools.methods import either, method, stream
from hf_tools.task import Streamed, Task

ROOT = Path(__file__).parent.parent.parent
TASKS = dict(catalogue())


def test_each_task_is_there_once_under_its_own_name() -> None:
    assert len(TASKS) == len([*catalogue()]) == len(set(TASKS.values())) == 37
    assert [name for name, task in TASKS.items() if task.name != name.replace("_", "-")] == []
    assert "request" not in TASKS
    assert not any(name.endswith("_stream") for name in TASKS)


def test_every_class_that_is_a_task_of_its_own_is_in_the_catalogue() -> None:
    found: set[str] = set()
    for path in sorted((ROOT / "hf_tools" / "tasks").glob("[!_]*.py")):
        module: types.ModuleType = getattr(tasks, path.stem)
        found |= {name for name in vars(module) if is_task(vars(module)[name], module)}
    listed = {task.__name__ for task in TASKS.values()} | {"Request"}
    others = {other.__name__ for name in TASKS if (other := other_form(name)) is not None}
    assert found == listed | others


def is_task(value: Any, module: types.ModuleType) -> bool:
    """A task that can be run: it has a name and reads an answer, or it is made of several that do."""
    if not (isinstance(value, type) and issubclass(value, Task) and value.__module__ == module.__name__):
        return False
    own: dict[str, Any] = {name: getattr(cast(Any, value), name) for name in ("name", "decode", "joined")}
    base: Any = Task
    return bool(own["name"]) and (own["decode"] is not base.decode or own["joined"] is not base.joined)


def test_the_other_form_is_of_the_same_task() -> None:
    for name, task in TASKS.items():
        other = other_form(name)
        assert (other is not None) is isinstance(vars(Catalogue)[name], either)
        assert other is None or (other is not task and other.name == task.name)
    assert other_form("request") is None


def test_what_streams_says_so_and_nothing_else() -> None:
    assert [name for name in TASKS if streams(name)] == ["text_generation", "chat_completion"]
    for name, task in TASKS.items():
        assert issubclass(task, Streamed) is streams(name)
    for name, value in vars(Catalogue).items():
        if isinstance(value, stream) and name != "streaming_request":
            assert value.task is TASKS[name.removesuffix("_stream")]


def test_a_class_is_found_once() -> None:
    for value in vars(Catalogue).values():
        if isinstance(value, method | stream | either):
            assert value.task is value.task
        if isinstance(value, either):
            assert value.other is value.other


# families


def test_families_are_modules_that_are_loaded_when_used() -> None:
    code = (
        "import sys\nfrom hf_tools import tasks\nprint('hf_tools.tasks.tabular' in sys.modules)\n"
        "print(tasks.tabular.TabularRegression.name)\nprint('hf_tools.tasks.tabular' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "tabular-regression", "True"]


@pytest.mark.parametrize("name", ["unheard_of", "txt"])
def test_an_unknown_family_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=f"no family of tasks named '{name}'") as caught:
        getattr(tasks, name)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


@pytest.mark.parametrize("name", ["_private", "__wrapped__", "__path__of"])
def test_private_names_are_never_imported(name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        getattr(tasks, name)


def test_a_family_is_found_by_its_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    from hf_tools.tasks import text

    monkeypatch.delattr(tasks, "text")
    assert tasks.text is text
