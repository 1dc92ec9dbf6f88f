"""How a provider's own API is spoken: a request written from a task, an answer read into one that the task knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from hf_tools.errors import JobFailed, ResponseError, ShapeError, shown
from hf_tools.loose import items, table
from hf_tools.media import Media
from hf_tools.providers.names import ROUTER
from hf_tools.task import Body, Reply, Task
from hf_tools.wire import as_json, excerpt, read_json


@dataclass(frozen=True, slots=True)
class Target:
    """A model as a provider has it. `base` is the address below which the provider's routes are, without a slash."""

    provider: str
    model: str
    """The provider's own name of the model."""
    hub_model: str
    """The model's ID on the Hub."""
    base: str
    routed: bool = True
    """Through Hugging Face's router, with its token; else at the provider's own address, with a key of its own."""
    weights: str | None = None
    """Path of LoRA weights in the model's repository, which the provider's model is to use."""


@dataclass(frozen=True, slots=True)
class Done:
    """The answer: a JSON value in one of the forms that the task reads."""

    value: Any


@dataclass(frozen=True, slots=True)
class Link:
    """The answer is behind a URL, or in a data: URI; `form` puts what is found there into the task's own form."""

    url: str
    form: Callable[[Media], Any] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Work that goes on at the provider: `url` is asked every `interval` seconds, `read` reads what it says."""

    id: str
    url: str
    read: Callable[[Any], Outcome]
    state: str = ""
    interval: float = 0.5
    cancel: tuple[str, str] | None = None
    """Method and URL of the request that ends it."""
    queue_position: int | None = None


Outcome: TypeAlias = Done | Link | Job


@dataclass(frozen=True, slots=True)
class Dialect:
    """One task in a provider's own form: `body` writes the JSON of a request, `read` reads that of the answer."""

    path: str | Callable[[Target], str]
    """Below the base; `{model}` stands for the provider's name of the model."""
    body: Callable[[Any, Target], Mapping[str, Any]]
    read: Callable[[Any, Target], Outcome]
    base: str | None = None
    """The provider's own address for this task, where it has a special one."""
    query: str = ""
    """What the router needs to find that address."""
    headers: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    confirmed: bool = False
    """A recording of the real server or its documentation shows this form."""

    def url(self, target: Target) -> str:
        """Where the request goes."""
        base = target.base if target.routed or self.base is None else self.base
        path = self.path if isinstance(self.path, str) else self.path(target)
        return base + path.replace("{model}", target.model) + (self.query if target.routed else "")

    def write(self, task: Task[Any], target: Target) -> Body:
        """The request."""
        return as_json(dict(self.body(task, target)))

    def outcome(self, reply: Reply, target: Target) -> Outcome:
        """What the answer says: done, behind a link, or not yet; a ResponseError or JobFailed for anything else."""
        return self.read(read_json(reply), target)


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: its own address, its routes in OpenAI's form by task, and its own forms by task."""

    name: str
    base: str
    openai: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    own: Mapping[str, Dialect] = field(default_factory=lambda: dict[str, Dialect]())
    scheme: str = "Bearer"
    """The word before a key of its own."""
    schemas: Literal["openai", "object", "flat"] = "openai"
    """How it takes the JSON schema of a chat's answer, asked with a key of its own: see `Route`."""
    headers: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())


def below(target: Target, url: Any, hosts: frozenset[str], base: str | None = None) -> str:
    """A URL that the provider gave for polling, behind the base that took the job.

    ShapeError for one on another host than the provider's own `hosts`: the key would go there.
    """
    parts = _parts(url)
    known = hosts | {urlsplit(ROUTER).hostname or ""}
    if parts.scheme != "https" or parts.hostname not in known or parts.username or ".." in unquote(parts.path):
        where = shown(str(url).partition("?")[0], 100)
        raise ShapeError(f"the provider's URL for asking after the job is not used: {where} is none of its own")
    own = target.base if target.routed else base or target.base
    path, prefix = parts.path, f"/{target.provider}/"
    if parts.hostname == urlsplit(ROUTER).hostname and path.startswith(prefix):
        path = path[len(prefix) - 1 :]
    return own + path + (f"?{parts.query}" if parts.query else "")


def _parts(url: Any) -> SplitResult:
    """The parts of a URL; empty ones for what is none."""
    try:
        return urlsplit(url if isinstance(url, str) else "")
    except ValueError:
        return urlsplit("")


def state_of(value: Any, running: frozenset[str], done: frozenset[str], reason: Any = None) -> str:
    """The state of a job, in lower case: one of `running` or `done`; JobFailed for any other."""
    state = str(value or "").lower()
    if state in running or state in done:
        return state
    said = f": {shown(reason if isinstance(reason, str) else excerpt(reason))}" if reason else ""
    raise JobFailed(f"the provider's job ended in the state {shown(repr(value), 60)}{said}", state=state)


def first_link(value: Any, *names: str, form: Callable[[Media], Any] | None = None) -> Link:
    """The URL of the first result, found by following `names` through objects and lists; ShapeError without one."""
    found = next(iter(items(value)), value)
    for name in names:
        found = table(found).get(name)
        found = next(iter(items(found)), found)
    if not isinstance(found, str) or not found:
        raise ShapeError(f"unexpected answer: no URL at `{'.'.join(names)}`; it begins {excerpt(value)}")
    return Link(found, form)


def lora(target: Target) -> str:
    """Where LoRA weights of the Hub are downloaded from; ResponseError where the mapping names none."""
    if target.weights is None:
        raise ResponseError(f"{target.hub_model}: the Hub does not tell which file holds the weights")
    return f"https://huggingface.co/{target.hub_model}/resolve/main/{target.weights}"
