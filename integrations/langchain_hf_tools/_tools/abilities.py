"""What a tool can do, as data: its arguments, and a generator that asks for what it needs and ends in a result.

Nothing here does I/O: a generator yields media to read, tasks to run and functions that may block, and gets their
outcome back. The tool that drives it either blocks or awaits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeAlias

from hf_tools import Response
from hf_tools.errors import ConfigurationError, InputError, MediaError, TransportError
from hf_tools.media import Media, Text
from hf_tools.media.refs import HANDLE, MediaRef, key_of
from hf_tools.media.source import Source
from hf_tools.task import Task
from langchain_hf_tools._tools.arguments import Argument
from langchain_hf_tools._tools.artifacts import Stored, plain
from langchain_hf_tools._tools.bench import Bench
from langchain_hf_tools._tools.catalogued import IMAGE_CHAT, task
from langchain_hf_tools._tools.content import LIMIT, Words, nearest
from langchain_hf_tools._tools.tables import content

Ask: TypeAlias = Source | Task[Any] | Callable[[], Any]
"""Media to read, a task to run, or a function that may block."""


@dataclass
class Result:
    """What a tool has found: the text for the model, and the artifact for a program."""

    text: str
    artifact: dict[str, Any]
    made: list[Media] = field(default_factory=lambda: list[Media]())
    """Media to be looked at, where previews are wanted."""
    shown: bool = False
    """Whether they are shown in any case."""


LONGEST = 255
"""Characters of the name of a file; a longer text is none."""
Work: TypeAlias = Generator[Ask, Any, Result]


class Ability(Protocol):
    """Something that a tool does."""

    @property
    def name(self) -> str:
        """The name of the tool without its prefix."""
        ...

    @property
    def about(self) -> str:
        """What it does, for a model."""
        ...

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that it may run."""
        ...

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The arguments, the required ones first."""
        ...

    def work(self, bench: Bench, given: dict[str, Any]) -> Work:
        """Do it with these arguments: values as the tasks take them, media read."""
        ...


def read(
    bench: Bench, arguments: tuple[Argument, ...], given: Mapping[str, Any]
) -> Generator[Ask, Any, dict[str, Any]]:
    """The arguments with the media behind handles, and what becomes of each value."""
    values: dict[str, Any] = {}
    for argument in arguments:
        if argument.name not in given:
            continue
        value = given[argument.name]
        if argument.media:
            value = yield from found(bench, argument.name, argument.media, value)
        elif isinstance(value, str) and "enum" not in argument.schema and (yield partial(_named, bench, value)):
            value = content((yield from found(bench, argument.name, Text, value)))
        # a table may be large, and an event loop must not wait for it
        values[argument.name] = yield partial(argument.becomes, value)
    return values


def _named(bench: Bench, text: str) -> bool:
    """Whether a text stands for a document: a handle, or the name of a file that is in the store."""
    if text.startswith(HANDLE) or len(text) > LONGEST:
        return text.startswith(HANDLE)
    try:
        # a store finds more than what is the name letter by letter: digits, and names with signs that it leaves out
        return bench.store.ref(text).name == text or key_of(text) == (None, text)
    except KeyError:
        return False
    except MediaError:
        return True  # it is there, but damaged: who reads it tells so


def found(bench: Bench, name: str, kind: type[Media], written: str) -> Generator[Ask, Any, Media]:
    """The medium that a model named; an InputError that names the argument where it cannot be had."""
    try:
        media = yield partial(bench.policy.resolve, kind, written, bench.store)
        if isinstance(media, Source):
            media = yield media
    except ConfigurationError:
        raise
    except (InputError, MediaError, TransportError) as error:
        more = f". {error.hint}" if error.hint else ""
        raise InputError(f"`{name}`: {error.message}{more}") from error
    medium: Media = media
    return medium


@dataclass(frozen=True)
class Form:
    """One way to do something: a task, the argument of the tool for each of its fields, and when it is taken."""

    task: str
    takes: Mapping[str, str]
    """Names of arguments, and the fields of the task that they go to."""
    needs: frozenset[str] = frozenset()
    """Arguments without which this form makes no sense, besides those that the task requires."""
    when: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    """Values of arguments that choose this form and are not passed on."""
    make: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """Makes the task's fields of the arguments, where they are not the same."""
    source: str | None = None
    """What the words of the answer came out of, where that is foreign."""
    write: Callable[[Any, dict[str, Any]], str] | None = None
    """Writes the answer as text, where it needs the arguments for that."""
    local: bool = True
    """Whether the embedded backend is good enough for it."""

    def fits(self, given: Mapping[str, Any]) -> bool:
        """Whether the form takes these arguments, and has all that it needs."""
        chosen = all(given.get(name, value) == value for name, value in self.when.items())
        named = given.keys() - self.when.keys()
        return chosen and named <= self.takes.keys() | {"model"} and self.needs <= named

    def served(self, bench: Bench) -> bool:
        """Whether somebody answers for it, well enough."""
        return bench.serves(self.task) and (self.local or not bench.local)

    def asked(self, bench: Bench, given: Mapping[str, Any]) -> Task[Any]:
        """The task; InputError in the words of the tool's own arguments."""
        values = {name: each for name, each in given.items() if name in self.takes}
        model = given.get("model") or bench.model(self.task)
        try:
            fields = self.make(values) if self.make else {self.takes[name]: each for name, each in values.items()}
            made: Task[Any] = task(self.task)(**fields, model=model)
        except InputError as error:
            raise InputError(self._renamed(error.message), hint=error.hint) from error
        return made

    def _renamed(self, message: str) -> str:
        for name, target in self.takes.items():
            message = message.replace(f"`{target}`", f"`{name}`")
        return message.removeprefix(f"{self.task.replace(IMAGE_CHAT, 'chat_completion')}: ")

    def work(self, bench: Bench, given: dict[str, Any]) -> Work:
        """Ask, and write down the answer."""
        made: Task[Any] = yield partial(self.asked, bench, given)  # which may search a long text
        response = yield made
        result: Result = yield partial(self._result, bench, given, response)
        return result

    def _result(self, bench: Bench, given: dict[str, Any], response: Response[Any]) -> Result:
        stored = Stored(bench.store.put)
        answer = response.answer
        data = stored.data(answer)
        text = self.write(answer, given) if self.write else Words(stored, self.source).write(answer, data)
        return Result(text, artifact(self.task, response, data, stored.refs), stored.media)


def artifact(name: str, response: Response[Any], data: Any, refs: list[MediaRef]) -> dict[str, Any]:
    """The answer for a program, as JSON values."""
    usage = getattr(response.answer, "usage", None)
    return {
        "task": name.replace(IMAGE_CHAT, "chat_completion"),
        "model": response.route.model,
        "provider": plain(response.provider),
        "data": data,
        "media": [ref.as_dict() for ref in refs],
        "usage": usage.model_dump(mode="json", exclude_none=True) if usage is not None else None,
        "timings": {"compute_seconds": plain(response.compute_time)},
        "request_id": plain(response.request_id),
    }


def told(text: str, data: Any = None, refs: Iterable[MediaRef] = ()) -> Result:
    """A result that no model was asked for, in the same form."""
    nobody = dict.fromkeys(["task", "model", "provider"])
    found = {"data": data, "media": [ref.as_dict() for ref in refs]}
    return Result(text[:LIMIT], {**nobody, **found, "usage": None, "timings": {}, "request_id": None})


SOURCES: Mapping[str, str] = {"image": "picture", "audio": "sound", "video": "film"}
"""What foreign words come out of, by the argument that holds it."""


def _similar(answer: Any, given: Mapping[str, Any]) -> str:
    return nearest(((score, place) for place, score in enumerate(answer)), given["other_sentences"])


def _ranked(answer: Any, given: Mapping[str, Any]) -> str:
    return nearest(((each.score, each.index) for each in answer), given["texts"])


WRITERS: Mapping[str, Callable[[Any, dict[str, Any]], str]] = {
    "sentence_similarity": _similar, "text_ranking": _ranked,
}  # fmt: skip
"""Answers that are told in the words of the question."""


@dataclass(frozen=True)
class Single:
    """One task as an ability."""

    name: str
    about: str
    arguments: tuple[Argument, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The task."""
        return (self.name,)

    def work(self, bench: Bench, given: dict[str, Any]) -> Work:
        """Run it."""
        source = next((what for name, what in SOURCES.items() if name in given), None)
        takes = {each.name: each.field or each.name for each in self.arguments}
        return (yield from Form(self.name, takes, source=source, write=WRITERS.get(self.name)).work(bench, given))
