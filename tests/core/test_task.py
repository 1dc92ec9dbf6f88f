"""Tasks as data: built on first use, checked, frozen, copied, and told apart from what they are not."""

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import KW_ONLY
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hf_tools.answer import Answer
from hf_tools.catalogue import catalogue, other_form
from hf_tools.errors import InputError
from hf_tools.inputs import Positive, Text
from hf_tools.media import Image
from hf_tools.methods import signature
from hf_tools.task import SERVERS, Body, Declared, Reply, Route, Streamed, Task, build, cannot, only
from hf_tools.tasks.classification import TextClassification
from hf_tools.tasks.image import ImageClassification
from hf_tools.tasks.raw import Request
from hf_tools.tasks.text import Summarization, Translation

ROOT = Path(__file__).parent.parent.parent
PICTURE = b"\x89PNG\r\n\x1a\n the rest"


def every_class() -> Iterator[tuple[str, Any]]:
    """The name of the method and each class behind it, batch forms and `request` too."""
    for name, task in [*catalogue(), ("request", Request)]:
        yield name, task
        other = other_form(name)
        if other is not None:
            yield name, other


CLASSES = [*every_class()]


class Sample(Task[int]):
    """A task of these tests."""

    name: ClassVar[str] = "sample-task"

    text: Text
    """A text."""
    count: int = 1
    """A number that may be given by position."""
    _: KW_ONLY
    many: Positive | None = None
    """A number above 0."""
    other: str | None = None
    """A text."""


class Late(Task[int]):
    """A task that no test but one builds."""

    text: str = ""
    """A text."""


class Flowing(Streamed[int, int]):
    """A task that can stream."""

    name: ClassVar[str] = "flowing-task"


class Undescribed(Declared):
    """Fields need no description."""

    number: int


# built on first use


def in_a_fresh_process(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


LOADED = "print(*[name for name in sys.modules if name.startswith('hf_tools.tasks.')], '-')\n"


def test_importing_the_package_loads_no_task_and_using_one_loads_its_family() -> None:
    code = (
        f"import sys\nfrom hf_tools import HfInference\n{LOADED}"
        f"HfInference.summarization\ndir(HfInference)\n{LOADED}"
        f"hf = HfInference(False)\nhasattr(hf, 'endpoint')\n{LOADED}hf.summarization\n{LOADED}"
    )
    family = ["hf_tools.tasks.writing", "hf_tools.tasks.text"]
    assert in_a_fresh_process(code) == ["-", "-", "-", *family, "-"]


def test_a_class_is_made_on_first_use() -> None:
    code = (
        "from hf_tools.tasks.text import Summarization, FillMask\n"
        "print('__pydantic_fields__' in vars(Summarization))\n"
        "Summarization('a')\n"
        "print('__pydantic_fields__' in vars(Summarization), '__pydantic_fields__' in vars(FillMask))\n"
    )
    assert in_a_fresh_process(code) == ["False", "True", "False"]


def test_a_class_that_another_thread_has_made_meanwhile_is_not_made_again() -> None:
    started, done = threading.Event(), threading.Event()

    def use() -> None:
        started.set()
        build(Late)
        done.set()

    thread = threading.Thread(target=use)
    with vars(sys.modules["hf_tools.task"])["_building"]:
        thread.start()
        assert started.wait(5)
        assert not done.wait(0.05)
        build(Late)
        made = vars(Late)["__init__"]
    thread.join(5)
    assert done.is_set()
    assert vars(Late)["__init__"] is made


def test_many_threads_may_use_a_class_for_the_first_time() -> None:
    code = (
        "import threading\nfrom hf_tools.tasks.speech import TextToSpeech\nbad = []\ngate = threading.Barrier(8)\n"
        "def use():\n  gate.wait()\n  try:\n    assert TextToSpeech('a', top_k=3).top_k == 3\n"
        "  except BaseException as error:\n    bad.append(repr(error))\n"
        "threads = [threading.Thread(target=use) for _ in range(8)]\n"
        "[each.start() for each in threads], [each.join() for each in threads]\nprint(bad)"
    )
    assert in_a_fresh_process(code) == ["[]"]


# refused, by name


def refused(*args: Any, **kwargs: Any) -> str:
    kind: Any = Sample
    with pytest.raises(InputError) as caught:
        kind(*args, **kwargs)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


def test_what_is_wrong_is_named_with_its_value_and_what_is_allowed() -> None:
    assert refused() == "sample_task: `text` is missing"
    assert refused("a", many=0) == "sample_task: `many` = 0: Input should be greater than 0"
    assert refused("", many="x").startswith("sample_task: `text` = '': must not be empty; `many` = 'x': ")
    assert refused(1) == "sample_task: `text` = 1: Input should be a valid string"
    assert refused(b"bytes").startswith("sample_task: `text` (bytes): ")
    assert refused(Image(PICTURE)).startswith("sample_task: `text` (Image): ")
    assert refused("a", 1.5).startswith("sample_task: `count` = 1.5: ")
    assert refused("a", mani=1) == (
        "sample_task: `mani` is not a parameter of this task; it takes text, count, model, many, other"
    )
    assert refused("a", 1, 2) == (
        "sample_task: too many positional arguments: text, count may be given so, the others by name"
    )
    assert "too many positional arguments" in refused("a", 1, *range(9))
    assert len(refused("x" * 5000, many="y" * 5000)) <= 700


def test_a_task_may_have_no_positional_argument() -> None:
    kind: Any = Request
    with pytest.raises(InputError, match="too many positional arguments: none may be given so"):
        kind("a")


def test_a_contradiction_is_told_in_its_own_words() -> None:
    with pytest.raises(InputError) as caught:
        Summarization("a", min_length=5, max_length=4)
    assert str(caught.value) == "summarization: `min_length` = 5 is above `max_length` = 4"


def test_the_place_in_a_nested_value_is_named_without_the_branches_of_types() -> None:
    kind: Any = Translation
    with pytest.raises(InputError, match=r"^translation: `text` = \['a'\]: "):
        kind(["a"])
    with pytest.raises(InputError, match=r"`generate_parameters`"):
        kind("a", generate_parameters=[1])


def test_stream_names_the_method_that_streams() -> None:
    kind: Any = Flowing
    with pytest.raises(InputError, match=r"^flowing_task: .* call flowing_task_stream\(\.\.\.\) for a stream$"):
        kind(stream=True)
    assert refused("a", stream=False) == "sample_task: `stream` is not a parameter, and this task cannot stream"


@pytest.mark.parametrize(("name", "task"), CLASSES)
def test_every_parameter_of_every_task_is_checked_and_named(name: str, task: Any) -> None:
    wrong = [parameter for parameter in signature(task).parameters if (name, parameter) != ("request", "inputs")]
    for parameter in wrong:
        with pytest.raises(InputError) as caught:
            task(**{parameter: object()})
        assert str(caught.value).startswith(f"{name}: ")
        assert f"`{parameter}`" in str(caught.value)


# described


@pytest.mark.parametrize(("name", "task"), CLASSES)
def test_every_task_is_described_in_one_sentence_and_every_parameter(name: str, task: Any) -> None:
    assert task.name == name.replace("_", "-")
    first = inspect.cleandoc(task.__doc__).split("\n\n")[0].replace("\n", " ")
    assert vars(task)["__doc__"] == task.__doc__
    assert first.endswith(".")
    assert ". " not in first
    assert 10 < len(first) < 120
    build(task)
    for parameter, field in task.__pydantic_fields__.items():
        description = field.description or ""
        assert description.rstrip(" )`").endswith((".", "?")), f"{parameter}: {description!r}"


@pytest.mark.parametrize(("name", "task"), CLASSES)
def test_every_task_says_who_can_carry_it(name: str, task: Any) -> None:
    assert task.servers
    assert task.servers <= SERVERS.keys()
    assert task.deadline > 0
    assert all(isinstance(provider, str) for provider in task.remote)


def test_descriptions_are_not_needed_outside_of_tasks() -> None:
    assert Undescribed(3).number == 3
    assert vars(Undescribed)["__pydantic_fields__"]["number"].description is None


def test_the_signature_shows_types_as_they_are_written() -> None:
    shown = signature(Summarization).parameters
    assert {name: shown[name].annotation for name in ("text", "model", "max_length", "truncation")} == {
        "text": "Text",
        "model": "str | None",
        "max_length": "Positive | None",
        "truncation": "Truncation | None",
    }
    assert [shown[name].default for name in ("text", "model")] == [inspect.Parameter.empty, None]


# values


def test_a_task_is_frozen() -> None:
    task: Any = Sample("a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.text = "b"
    with pytest.raises(dataclasses.FrozenInstanceError):
        del task.text
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.unknown = 1


def test_tasks_are_equal_by_value() -> None:
    assert Sample("a", many=2) == Sample("a", many=2)
    assert Sample("a") != Sample("b")
    assert hash(Sample("a")) == hash(Sample("a"))
    assert repr(Sample("a", 2)) == "Sample(model=None, text='a', count=2, many=None, other=None)"


EXAMPLES: dict[str, Any] = {
    "text": "a", "prompt": "a", "question": "a", "context": "a", "query": "a", "texts": ["a"], "sentence": "a",
    "image": PICTURE, "audio": b"\0\1", "video": b"\0\1", "table": {"a": ["1"]}, "candidate_labels": ["a"],
    "messages": [{"role": "user", "content": "a"}], "top_k": 2,
}  # fmt: skip
MORE: dict[str, dict[str, Any]] = {
    "sentence_similarity": {"other_sentences": ["b"]},
    "request": {"inputs": "a"},
    "image_text_to_image": {"prompt": "a"},
    "image_text_to_video": {"prompt": "a"},
}
LISTS: dict[str, Any] = {"text": ["a"], "sentence": [{"source_sentence": "a", "sentences": ["b"]}]}


def example(name: str, task: Any) -> Any:
    """The task with what it must be given."""
    needed = [each.name for each in signature(task).parameters.values() if each.default is each.empty]
    values = EXAMPLES | (LISTS if task is other_form(name) else {})
    more: dict[str, Any] = {} if task is other_form(name) else MORE.get(name, {})
    return task(**{each: values[each] for each in needed}, **more)


@pytest.mark.parametrize(("name", "task"), CLASSES)
def test_every_task_can_be_copied_and_pickled(name: str, task: Any) -> None:
    made = example(name, task)
    for other in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made)), dataclasses.replace(made)):
        assert other == made
        assert type(other) is task
    changed = dataclasses.replace(made, model="org/other")
    assert (changed.model, made.model) == ("org/other", None)
    with pytest.raises(InputError):
        dataclasses.replace(made, model=3)


def test_a_pickled_task_is_whole_in_a_process_that_has_not_made_its_class(tmp_path: Path) -> None:
    path = tmp_path / "task.pickle"
    path.write_bytes(pickle.dumps(Summarization("a", max_length=3)))
    code = f"import pickle, pathlib\nprint(pickle.loads(pathlib.Path({str(path)!r}).read_bytes()).given())"
    assert "".join(in_a_fresh_process(code)) == "{'max_length':3}"


# what a task offers to those who run it


def test_given_has_the_parameters_that_were_set_under_their_wire_names() -> None:
    task = Sample("a", 5, many=2, other="", model="org/model")
    assert task.given() == {"many": 2, "other": ""}
    assert task.given("other") == {"many": 2}
    assert task.given(many="max_many") == {"max_many": 2, "other": ""}
    assert Sample("a").given() == {}


def test_a_call_is_one_request_unless_the_task_says_otherwise() -> None:
    task = Sample("a")
    assert task.single() == (task,)
    assert task.joined([7]) == 7
    assert not task.costly


def test_media_that_were_read_take_their_place() -> None:
    task = ImageClassification("picture.png", top_k=2)
    loaded = task.loaded({"image": Image(PICTURE)})
    assert loaded.image == Image(PICTURE)
    assert loaded.top_k == 2
    assert task.loaded({}) == task


def test_encode_decode_and_decoder_are_for_the_tasks_to_write() -> None:
    with pytest.raises(NotImplementedError):
        Sample("a").encode(Route("toolkit", "https://host"))
    with pytest.raises(NotImplementedError):
        Sample("a").decode(Reply(200))
    with pytest.raises(NotImplementedError):
        Flowing().decoder(Reply(200))


def test_what_a_route_cannot_carry_is_named() -> None:
    route = Route("tei", "https://host", "org/model")
    error = cannot(Sample("a"), route, "`many`", "Leave it out")
    assert str(error) == (
        "sample_task: a TEI server cannot carry `many` (task sample-task, model org/model). Leave it out"
    )
    assert cannot(Sample("a"), route, "this").hint is None


def test_only_lets_through_what_is_allowed() -> None:
    route = Route("tgi", "https://host")
    assert only(Sample("a"), route, {"many": 2}, frozenset(["many", "other"])) == {"many": 2}
    with pytest.raises(InputError, match=r"a TGI server cannot carry `odd` .*It carries many, other$"):
        only(Sample("a"), route, {"many": 2, "odd": 1}, frozenset(["other", "many"]))
    with pytest.raises(InputError, match=r"It carries no parameter$"):
        only(Sample("a"), route, {"odd": 1}, frozenset())


def test_the_content_type_of_a_reply_is_plain() -> None:
    assert Reply(200, {"content-type": " Application/JSON; charset=utf-8"}).content_type == "application/json"
    assert Reply(200).content_type == ""


def test_routes_bodies_and_replies_are_frozen_and_share_nothing() -> None:
    one, other = Route("tgi", "https://host"), Route("tgi", "https://host")
    assert one == other
    assert one.options is not other.options
    assert Reply(200).headers is not Reply(200).headers
    with pytest.raises(dataclasses.FrozenInstanceError):
        Body(b"").path = "/"  # type: ignore[misc]


# answers


class Small(Answer):
    """An answer of these tests."""

    label: str
    model_name: str | None = None


def test_answers_check_what_is_promised_and_keep_the_rest() -> None:
    answer: Any = Small.model_validate({"label": "a", "more": {"b": 1}})
    assert answer.label == "a"
    assert answer.more == {"b": 1}
    assert answer.model_name is None
    assert pickle.loads(pickle.dumps(answer)) == answer
    with pytest.raises(ValueError, match="frozen"):
        answer.label = "b"
    with pytest.raises(ValueError, match="label"):
        Small.model_validate({})


def test_an_answer_that_no_one_promises_is_an_error() -> None:
    task = TextClassification("a")
    assert [each.label for each in task.decode(Reply(200, content=b'[{"label": "x", "score": 1}]'))] == ["x"]
