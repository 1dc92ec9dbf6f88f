"""A task is data: what to ask, how it is written, how the answer is read. Nothing here does I/O."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, field, fields, replace
from dataclasses import dataclass as plain
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    dataclass_transform,
    get_origin,
    get_type_hints,
)

from pydantic_core import ValidationError

from hf_tools.docstrings import attribute_docstrings
from hf_tools.errors import HfError, InputError
from hf_tools.media import Media
from hf_tools.refusals import refusal

Out = TypeVar("Out")
Out_co = TypeVar("Out_co", covariant=True)
Part = TypeVar("Part")
Part_co = TypeVar("Part_co", covariant=True)

Server: TypeAlias = Literal["hf-inference", "router", "toolkit", "tgi", "tei", "openai"]
"""The wire form that is spoken: hf-inference (its models), router (chat), or the kind of an endpoint or provider:
toolkit (Hugging Face's inference toolkit, api-inference-community, custom handlers), TGI, TEI, or
OpenAI-shaped (vLLM, SGLang, llama.cpp)."""

SERVERS: Mapping[Server, str] = {
    "hf-inference": "hf-inference",
    "router": "the router (chat only)",
    "toolkit": "an inference-toolkit endpoint",
    "tgi": "a TGI server",
    "tei": "a TEI server",
    "openai": "an OpenAI-shaped server",
}


def _nothing() -> dict[str, Any]:
    return {}


@plain(frozen=True, slots=True)
class Route:
    """Where a request goes and what is spoken there; `options` go into a JSON body as they are."""

    server: Server
    url: str
    model: str | None = None
    provider: str | None = None
    stream: bool = False
    options: Mapping[str, Any] = field(default_factory=_nothing)
    dialect: Any = None
    """The provider's own form of the task, where it is asked in that (`hf_tools.providers.dialects`)."""
    target: Any = None
    """The model as that provider has it."""
    scheme: str = "Bearer"
    """The word before the key."""
    schemas: Literal["openai", "object", "flat"] = "openai"
    """How a chat's answer is tied to a JSON schema: OpenAI's `json_schema`, or the schema beside the type
    `json_object` or `json_schema`."""
    headers: Mapping[str, str] = field(default_factory=_nothing)
    """What the provider wants to be sent with each request."""


@plain(frozen=True, slots=True)
class Body:
    """What `encode` writes: bytes and their type, and the path below the route's URL."""

    content: bytes
    content_type: str | None = "application/json"
    path: str = ""
    accept: str = "*/*"


@plain(frozen=True, slots=True)
class Reply:
    """What came back, whole, without the HTTP library; header names are lower-case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=_nothing)
    content: bytes = b""

    @property
    def content_type(self) -> str:
        """The media type of the body without its parameters, lower-case, or an empty string."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


@dataclass_transform(frozen_default=True)
class Declared:
    """Subclassing declares a frozen pydantic dataclass whose attribute docstrings are its docs.

    The pydantic class is made on first use: making all of them on import would double the import time.
    """

    def __new__(cls, *args: object, **kwargs: object) -> Self:
        """Make the class on first use."""
        build(cls)
        return super().__new__(cls)


_building = threading.RLock()


def build(cls: type[Any]) -> None:
    """Make the pydantic dataclass of `cls` and of its bases, once."""
    if "_is_built" in cls.__dict__:
        return
    with _building:
        if "_is_built" in cls.__dict__:
            return
        for base in reversed(cls.__mro__[1:]):
            if issubclass(base, Declared) and base is not Declared:
                build(base)
        _make(cls)
        cls._is_built = True


def _make(cls: type[Any]) -> None:
    from pydantic import ConfigDict, Field
    from pydantic.dataclasses import dataclass

    written, docs = dict(cls.__annotations__), attribute_docstrings(cls)
    hints = get_type_hints(cls, include_extras=True)
    for name in written:
        if name in docs and get_origin(hints[name]) is not ClassVar:
            hints[name] = Annotated[hints[name], Field(description=docs[name])]
        cls.__annotations__[name] = hints[name]
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True, allow_inf_nan=False)
    dataclass(cls, config=config, frozen=True)
    cls.__init__ = _checked(cls, cls.__init__)
    # the types as they are written: what they stand for is unreadable in a signature
    cls._written = getattr(cls, "_written", {}) | written
    shape = inspect.signature(cls)
    parameters = [each.replace(annotation=cls._written[name]) for name, each in shape.parameters.items()]
    cls.__signature__ = shape.replace(parameters=parameters)


def _checked(cls: type[Any], made: Any) -> Any:
    @functools.wraps(made)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if "stream" in kwargs:
            raise InputError(_no_stream(cls))
        try:
            made(self, *args, **kwargs)
        except ValidationError as error:
            raise InputError(refusal(cls, error)) from None

    return init


def _no_stream(cls: type[Any]) -> str:
    name = str(cls.name).replace("-", "_")
    if issubclass(cls, Streamed):
        return f"{name}: `stream` is not a parameter: call {name}_stream(...) for a stream"
    return f"{name}: `stream` is not a parameter, and this task cannot stream"


class Decoder(Protocol[Out_co, Part_co]):
    """Reads a stream: bytes in, parts out, no I/O."""

    usage: Any
    """Tokens used, as far as the server told."""
    done: bool
    """The last event has come: what follows is of no interest."""
    finished: bool
    """The answer is whole, as far as the server told: an end without a last event is a good one."""

    @property
    def final(self) -> Out_co:
        """The answer as far as it came."""
        ...

    def feed(self, data: bytes) -> Iterable[Part_co]:
        """Take the next bytes; the parts that are complete with them."""
        ...

    def close(self) -> Iterator[Part_co]:
        """The bytes have ended; StreamInterrupted with the partial answer where no terminal mark has come."""
        ...


class Task(Declared, Generic[Out]):
    """One request to a model: the fields are its arguments, `Out` is its answer."""

    name: ClassVar[str] = ""
    """Hugging Face's name of the task, with hyphens."""
    servers: ClassVar[frozenset[Server]] = frozenset(["hf-inference", "toolkit"])
    """The wire forms that can carry the task."""
    remote: ClassVar[tuple[str, ...]] = ("hf-inference",)
    """Inference Providers that serve the task."""
    keeps_urls: ClassVar[frozenset[Server]] = frozenset()
    """The wire forms that take a URL as media: there it is not read but handed on."""
    deadline: ClassVar[float] = 120.0
    """Seconds that a call may take in all, unless the options say otherwise."""

    _: KW_ONLY
    model: str | None = None
    """Model ID on the Hub (`org/name`), or the URL of an endpoint. Default: the client's model."""

    @property
    def costly(self) -> bool:
        """Whether a second run after an unclear failure would be expensive; if so, it is not retried."""
        return False

    @property
    def slow(self) -> bool:
        """Whether a run that was too slow once would be again; if so, it is not repeated after a timeout."""
        return self.costly

    def given(self, *left_out: str, **renamed: str) -> dict[str, Any]:
        """The keyword parameters that were set, by wire name: `renamed` maps a field to its wire name."""
        kind: Any = type(self)
        return {
            renamed.get(name, name): value
            for name in _parameters(kind)
            if name not in left_out and (value := getattr(self, name)) is not None
        }

    def simpler(self, error: HfError) -> Self | None:
        """The task without what the server has refused, if that only asks for an extra; it is sent instead."""
        return None

    def single(self) -> Sequence[Task[Any]]:
        """The requests that this call is made of: mostly itself."""
        return (self,)

    def joined(self, answers: Sequence[Any]) -> Out:
        """The answer of a call from the answers to its requests."""
        answer: Out = answers[0]
        return answer

    def loaded(self, media: Mapping[str, Media]) -> Self:
        """The same task with the media of these fields read."""
        changes: Any = media
        return replace(self, **changes)

    def encode(self, route: Route) -> Body:
        """The request in the form that the route speaks; InputError for what it cannot carry."""
        raise NotImplementedError

    def decode(self, reply: Reply) -> Out:
        """The answer; a ResponseError if it is none that the task knows."""
        raise NotImplementedError


class Streamed(Task[Out], Generic[Out, Part]):
    """A task that can also stream."""

    def decoder(self, head: Reply) -> Decoder[Out, Part]:
        """A decoder for the stream whose head has come."""
        raise NotImplementedError


@functools.cache
def field_names(kind: Any) -> tuple[str, ...]:
    """The arguments of a kind of task, one of which was made before."""
    return tuple(each.name for each in fields(kind))


@functools.cache
def _parameters(kind: Any) -> tuple[str, ...]:
    """Those among them that go by their names to the server."""
    return tuple(each.name for each in fields(kind) if each.kw_only and each.name != "model")


def cannot(task: Task[Any], route: Route, what: str, instead: str | None = None) -> InputError:
    """The error for something that a route cannot carry, by name."""
    return InputError(
        f"{task.name.replace('-', '_')}: {SERVERS[route.server]} cannot carry {what}",
        hint=instead, task=task.name, model=route.model,
    )  # fmt: skip


def only(task: Task[Any], route: Route, parameters: Mapping[str, Any], allowed: frozenset[str]) -> dict[str, Any]:
    """The parameters, all of them allowed; InputError naming the first one that the route cannot carry."""
    for name in parameters:
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "no parameter"
            raise cannot(task, route, f"`{name}`", f"It carries {known}")
    return dict(parameters)
