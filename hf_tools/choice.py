"""Which provider is asked for a task, by which route: the one that was named, or the first that is live."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hf_tools import providers
from hf_tools.auth import is_own_key
from hf_tools.errors import ConfigurationError, InputError
from hf_tools.mapping import Mapped, Served, mapping
from hf_tools.providers.dialects import Provider, Target
from hf_tools.providers.rows import ROWS
from hf_tools.steps import Settings, Steps
from hf_tools.task import Route, Task, cannot

NAMES = {"chat-completion": "conversational"}
"""How the Hub calls a task here, where it has another name for it."""
ALIKE = frozenset(["feature-extraction", "sentence-similarity"])
"""One model does both, and hf-inference lists it for one of them."""
OWN_KEY_ONLY = "openai"
"""A provider that Hugging Face's router does not have: it is asked with a key of its own, and needs no mapping."""
ELSEWHERE = frozenset(task for row in ROWS.values() for task in (*row.openai, *row.own))
"""The tasks that some provider besides Hugging Face serves."""


def routed(
    task: Task[Any], settings: Settings, model: str | None, stream: bool, deadline: float | None
) -> Steps[Route]:
    """The route of a task for the client's provider; `model` is a checked ID, or None where the Hub recommends one."""
    provider = settings.provider
    own = is_own_key(settings.token)
    _check_key(provider, own)
    if provider in ("local", "hf-inference"):
        return providers.route(task, provider, model, stream=stream)
    if model is None:  # a chat, for which the Hub recommends none
        return providers.route(task, "auto", model, stream=stream)
    if provider == OWN_KEY_ONLY:
        served = Served(provider, model.removeprefix("openai/"), task.name, "live")
        return _route(task, served, model, False, stream)
    bare, _, wish = model.partition(":")
    if task.name in providers.CHAT and not own:
        return _chat(task, provider, model, bare, wish, stream)
    if provider == "auto" and task.name not in ELSEWHERE:
        return providers.route(task, provider, model, stream=stream)
    if wish == provider and task.name in providers.CHAT:  # said twice; the router, which reads it there, is not asked
        model, wish = bare, ""
    if wish:
        raise _wished(task, provider, model, wish)
    mapped = yield from mapping(model, settings, deadline)
    served = chosen(task, mapped, provider)
    if served.provider == "hf-inference":  # under the model's name of today, should it be renamed
        return providers.route(task, "hf-inference", mapped.id, stream=stream)
    return _route(task, served, model, not own, stream)


def _check_key(provider: str, own: bool) -> None:
    """Refuse a key of Hugging Face at a provider that it does not open, and the other way round."""
    if provider == OWN_KEY_ONLY and not own:
        raise ConfigurationError(
            f"provider {provider!r} needs a key of its own: Hugging Face's tokens do not open it",
            hint="Pass the provider's key as `token`",
        )
    if provider in ("auto", "hf-inference") and own:
        raise ConfigurationError(
            f"the token is none of Hugging Face's, which begin with hf_, and provider {provider!r} takes no other",
            hint="Name the provider whose key it is: provider=...",
        )


def _chat(task: Task[Any], provider: str, model: str, bare: str, wish: str, stream: bool) -> Route:
    """Chat goes through the router, which knows who has the model: no mapping is needed."""
    if provider == "auto":
        return providers.route(task, "auto", model, stream=stream)
    if wish and wish != provider:
        raise _contrary(task, provider, model)
    if "chat-completion" not in ROWS[provider].openai:
        raise cannot(task, Route("router", providers.ROUTER, model, provider), "this task", f"{provider} has no chat")
    return Route("router", providers.ROUTER, f"{bare}:{provider}", provider, stream)


def _wished(task: Task[Any], provider: str, model: str, wish: str) -> InputError:
    """The error for a provider after the colon, which only the router reads, and that for chat."""
    if provider not in ("auto", wish):
        return _contrary(task, provider, model)
    instead = f"provider={wish!r}" if wish in ROWS else "provider=..."
    return InputError(
        f"{task.name.replace('-', '_')}: `model` = {model!r}: a provider after the colon is for chat only",
        hint=f"Write {model.partition(':')[0]!r} and {instead}", task=task.name,
    )  # fmt: skip


def _contrary(task: Task[Any], provider: str, model: str) -> InputError:
    name = task.name.replace("-", "_")
    return InputError(f"{name}: `model` = {model!r} and provider {provider!r} contradict each other")


def _route(task: Task[Any], served: Served, model: str, through: bool, stream: bool) -> Route:
    """The route at a provider: in OpenAI's form, or in one of its own."""
    row = ROWS[served.provider]
    base = f"{providers.ROUTER}/{row.name}" if through else row.base
    target = Target(row.name, served.model, model, base, through, served.weights)
    scheme = "Bearer" if through else row.scheme
    if path := row.openai.get(shape(task)):
        found = Route("openai", base + path, served.model, row.name, stream)
        return replace(found, target=target, scheme=scheme, headers=row.headers, schemas=row.schemas)
    dialect = row.own.get(task.name)
    if dialect is None:
        raise cannot(task, Route("openai", base, model, row.name), "this task", f"{row.name} has {', '.join(has(row))}")
    if stream:
        raise cannot(task, Route("openai", base, model, row.name), "a stream", "Call it without _stream")
    headers = {**row.headers, **dialect.headers}
    found = Route("toolkit", dialect.url(target), served.model, row.name)
    return replace(found, target=target, scheme=scheme, headers=headers, dialect=dialect)


def shape(task: Task[Any]) -> str:
    """The task whose OpenAI-shaped route serves this one."""
    return "chat-completion" if task.name in providers.CHAT else task.name


def has(row: Provider) -> list[str]:
    """What a provider serves, by the names of the tasks."""
    return sorted({*row.openai, *row.own})


def speaks(provider: str, task: Task[Any]) -> bool:
    """We know how to ask this provider for this task."""
    if provider == "hf-inference":
        return "hf-inference" in task.servers
    row = ROWS.get(provider)
    return row is not None and (shape(task) in row.openai or task.name in row.own)


def fits(one: Served, task: Task[Any]) -> bool:
    """The provider serves the model for this task."""
    same = one.task == NAMES.get(shape(task), task.name)
    return same or (one.provider == "hf-inference" and {one.task, task.name} <= ALIKE)


def chosen(task: Task[Any], mapped: Mapped, provider: str) -> Served:
    """Who is asked: the provider that was named, or the first that is live. InputError that lists who serves it."""
    asked = [one for one in mapped.served if provider in ("auto", one.provider)]
    fitting = [one for one in asked if fits(one, task) and one.status != "error" and speaks(one.provider, task)]
    if fitting:
        return next((one for one in fitting if one.status == "live"), fitting[0])
    who = "no provider" if provider == "auto" else provider
    listed = ", ".join(f"{one.provider} ({one.task}, {one.status})" for one in mapped.served)
    others = "No provider serves it; https://huggingface.co/models lists models that are served"
    raise InputError(
        f"{task.name.replace('-', '_')}: {who} {'serves' if provider == 'auto' else 'does not serve'} {mapped.id} for "
        "this task", hint=f"It is served by {listed}" if listed else others, task=task.name, model=mapped.id,
    )  # fmt: skip
