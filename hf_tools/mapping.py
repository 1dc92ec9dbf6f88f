"""Which providers serve a model: what the Hub says, asked once for a while, whoever asks at the same time."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic_core import from_json

from hf_tools.auth import authorization, is_hugging_face_token
from hf_tools.errors import (
    AuthenticationError,
    DeadlineExceeded,
    DecodeError,
    HfError,
    NotFound,
    PermissionDenied,
    UnexpectedStatus,
    shown,
)
from hf_tools.loose import rows, table
from hf_tools.providers.names import HUB
from hf_tools.replies import status_error
from hf_tools.retry import Attempts
from hf_tools.steps import Flight, Send, Settings, Steps, Wait
from hf_tools.task import Reply
from hf_tools.urls import redirected

FRESH = 600.0
"""Seconds for which an answer holds, as in huggingface.js."""
REDIRECTS = 3
SERVED = r"[\w.:@+-]+(/[\w.:@+-]+)*"
"""A provider's name of a model, which becomes a part of a URL; others are left out."""


@dataclass(frozen=True, slots=True)
class Served:
    """A provider that serves a model: for which task, under which name of its own, and whether it works."""

    provider: str
    model: str
    """The provider's own name of the model."""
    task: str
    """Hugging Face's name of the task; chat is `conversational`."""
    status: str
    """`live`, `staging` (may fail) or `error`."""
    weights: str | None = None
    """Path of LoRA weights in the model's repository."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """The providers of a model, in the order of the user's settings; `id` is its name now, should it be renamed."""

    id: str
    served: tuple[Served, ...]


def mapping(model: str, settings: Settings, deadline: float | None) -> Steps[Mapped]:
    """The providers of a model; asked of the Hub, where they are not known or no longer fresh."""
    memory, key = settings.memory, (model, _digest(settings))
    if (known := _known(settings, key)) is not None:
        return known
    mine = Flight()
    while (flight := memory.flights.setdefault(key, mine)) is not mine:
        if flight.pid != os.getpid():  # asked by the process that this one was forked from: it lands there only
            memory.flights[key] = mine
            break
        yield Wait(flight, deadline)
        if deadline is not None and time.monotonic() >= deadline:
            raise DeadlineExceeded("the time for the call is used up", hint="Raise `timeout`")
    try:
        found = _known(settings, key)  # again: the call that was waited for may have found it
        if found is None:
            found = yield from _asked(model, settings, deadline)
            memory.mappings[key] = (found, time.monotonic() + FRESH)
        return found
    finally:
        memory.flights.pop(key, None)
        mine.land()


def _known(settings: Settings, key: tuple[str, str]) -> Mapped | None:
    """What has been asked before, as long as it is fresh."""
    known: tuple[Mapped, float] | None = settings.memory.mappings.get(key)
    return known[0] if known is not None and time.monotonic() < known[1] else None


def _digest(settings: Settings) -> str:
    """The token's digest: what the Hub says may depend on it."""
    token = settings.token
    return "" if token is None else hashlib.sha256(token.secret.get_secret_value().encode()).hexdigest()[:16]


def _asked(model: str, settings: Settings, deadline: float | None) -> Steps[Mapped]:
    from hf_tools.endpoints import persistent

    url = f"{HUB}/api/models/{quote(model, safe='/')}?expand[]=inferenceProviderMapping"
    for _ in range(REDIRECTS + 1):
        headers = hub_headers(settings, url)
        send = Send("GET", url, headers, deadline=deadline, waits=settings.options.waits(), limit=4 * 2**20)
        try:
            reply = yield from persistent(
                send, Attempts(settings.options.attempts, False, budget=settings.memory.budget), deadline, definite=True
            )
        except (AuthenticationError, PermissionDenied) as error:
            if any(name == "authorization" for name, _ in headers):
                raise
            raise _unseen(model, error.status) from error  # the Hub says so of models that it does not have
        if 300 <= reply.status < 400 and "location" in reply.headers:
            url = _renamed(url, reply.headers["location"])
            continue
        try:
            return _read(model, reply)
        except HfError as error:
            raise error.at(url=url.partition("?")[0]) from error.__cause__
    raise UnexpectedStatus(f"the Hub redirects more than {REDIRECTS} times for {model}")


def _unseen(model: str, status: int) -> NotFound:
    hint = "Check the model ID; a private or gated model needs an hf_ token that may see it"
    return NotFound(f"{status} the Hub has no model {model}, or does not show it", status=status, headers={}, hint=hint)


def hub_headers(settings: Settings, url: str) -> tuple[tuple[str, str], ...]:
    """The headers of a question to the Hub: with the token, if it is one of Hugging Face's."""
    headers = [("accept", "application/json"), ("user-agent", "hf-tools")]
    secret = authorization(settings.token, url) if is_hugging_face_token(settings.token) else None
    return (*headers, ("authorization", secret)) if secret else tuple(headers)


def _renamed(url: str, location: str) -> str:
    """Where a renamed model is asked after, on the Hub as before."""
    found = redirected(url, location)
    if urlsplit(found).netloc != urlsplit(HUB).netloc or urlsplit(found).scheme != "https":
        where = shown((found or location).partition("?")[0], 100)
        raise UnexpectedStatus(f"the Hub redirects to {where}, which is not followed")
    return found if "?" in found else f"{found}?expand[]=inferenceProviderMapping"


def _read(model: str, reply: Reply) -> Mapped:
    if reply.status == 404:
        raise _unseen(model, 404)
    if reply.status != 200:
        raise status_error(reply, time.time())
    try:
        about = table(from_json(reply.content))
    except ValueError as error:
        raise DecodeError(f"the Hub's answer about {model} is not JSON: {shown(reply.content, 100)}") from error
    found = about.get("inferenceProviderMapping")
    named = [{"provider": name, **table(each)} for name, each in table(found).items()]
    return Mapped(str(about.get("id") or model), tuple(_entries(named or rows(found))))


def _entries(found: Iterable[Mapping[str, Any]]) -> Iterable[Served]:
    for each in found:
        provider, model = each.get("provider"), each.get("providerId")
        if isinstance(provider, str) and isinstance(model, str) and re.fullmatch(SERVED, model) and ".." not in model:
            weights = each.get("adapterWeightsPath")
            status, task = str(each.get("status") or "live"), str(each.get("task") or "")
            yield Served(provider, model, task, status, weights if isinstance(weights, str) else None)
