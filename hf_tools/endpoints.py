"""Find the route of a task: a provider's, or an endpoint's, whose kind is asked for once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic_core import from_json

from hf_tools import providers
from hf_tools.auth import authorization
from hf_tools.errors import ConfigurationError, HfError, InputError, StatusError
from hf_tools.loose import items, rows, table
from hf_tools.replies import status_error
from hf_tools.retry import NOT_EXECUTED, Attempts
from hf_tools.steps import Endpoint, Send, Settings, Steps
from hf_tools.task import Reply, Route, Server, Task, cannot
from hf_tools.urls import openai_path

TGI_MODEL = "tgi"
"""A TGI server takes any other name for a LoRA adapter."""


def route(task: Task[Any], settings: Settings, *, stream: bool, deadline: float | None) -> Steps[Route]:
    """The route for this call; asks an endpoint of unknown kind, and the Hub for a model where none is given."""
    model = settings.model if task.model is None else task.model
    if model is not None and providers.is_url(model):
        if settings.provider == "local":
            raise InputError("the embedded backend takes no URL as `model`", hint="Use HfInference().endpoint(url)")
        if settings.provider not in ("auto", "hf-inference"):  # its key must not go to that address
            said = f"`model` is a URL, and the client's provider is {settings.provider!r}"
            raise ConfigurationError(said, hint="Use HfInferenceEndpoint(url, token) for that address")
        endpoint = Endpoint(providers.check_url(model, "`model`"))
        return (yield from _endpoint(task, settings, endpoint, None, stream, deadline))
    if model is not None:
        model = providers.check_model(model, task.name)
    if settings.endpoint is not None:
        return (yield from _endpoint(task, settings, settings.endpoint, model, stream, deadline))
    from hf_tools.choice import ELSEWHERE, routed  # all providers, which endpoints do without

    if model is None and settings.provider != "local" and task.name not in providers.CHAT:
        if settings.provider == "hf-inference" or task.name not in ELSEWHERE:
            providers.route(task, "hf-inference", None, stream=stream)  # says so where it does not serve the task
        hint = getattr(task, "task_hint", None) or task.name
        model = yield from _recommended(hint, settings, deadline)
    found = yield from routed(task, settings, model, stream, deadline)
    return _with_options(found, settings)


def _with_options(found: Route, settings: Settings) -> Route:
    if not settings.options.use_gpu or found.server not in ("hf-inference", "toolkit"):
        return found
    return replace(found, options={"use_gpu": True})


def _endpoint(
    task: Task[Any], settings: Settings, endpoint: Endpoint, model: str | None, stream: bool, deadline: float | None
) -> Steps[Route]:
    ask = _Ask(settings, deadline, getattr(task, "include_credentials", True))
    server = endpoint.server or providers.endpoint_server(endpoint.url) or settings.memory.servers.get(endpoint.url)
    if server is None:
        server = yield from ask.kind(endpoint.url)
    if model is not None and server in ("toolkit", "tei"):
        found = Route(server, endpoint.url, model, None, stream)
        raise cannot(task, found, f"`model` = {model!r}", "It serves one model: leave `model` out")
    if server == "tgi":
        model = model or TGI_MODEL
    if server == "openai" and model is None:
        model = yield from ask.served(endpoint.url)
    return _with_options(Route(server, endpoint.url, model, None, stream), settings)


class _Ask:
    """Questions to an endpoint; answers are remembered, failures are not."""

    def __init__(self, settings: Settings, deadline: float | None, with_token: bool) -> None:
        self.settings, self.deadline = settings, deadline
        self.token = settings.token if with_token else None

    def kind(self, url: str) -> Steps[Server]:
        """The wire form that the endpoint speaks: GET /info, then /v1/models, else the toolkit's."""
        info = _object((yield from self._get(_below(url, "/info"), definite=True)))
        server: Server | None = None
        if "model_type" in info:
            server = "tei"
        elif "max_total_tokens" in info or str(info.get("router", "")).startswith("text-generation"):
            server = "tgi"
        if server is None:
            served = _object((yield from self._get(_below(url, "/v1/models"), definite=True)))
            server = "openai" if isinstance(served.get("data"), list) else "toolkit"
            if server == "openai":
                self.settings.memory.served[url] = _first_id(served)
        self.settings.memory.servers[url] = server
        return server

    def served(self, url: str) -> Steps[str | None]:
        """The id of the model that an OpenAI-shaped server serves; None where it does not tell."""
        memory = self.settings.memory.served
        if url not in memory:
            memory[url] = _first_id(_object((yield from self._get(openai_path(url, "/v1/models")))))
        return memory[url]

    def _get(self, url: str, *, definite: bool = False) -> Steps[Reply]:
        """A reply of any status but those that say "not you" or, after some attempts, "not now".

        With `definite` a gateway's 502 is "not now" as well: it says nothing about the server behind it.
        """
        options, headers = self.settings.options, {"accept": "*/*", "user-agent": "hf-tools"}
        token = authorization(self.token, url)
        if token:
            headers["authorization"] = token
        headers |= {name.lower(): value for name, value in options.extra_headers.items()}
        send = Send("GET", url, tuple(headers.items()), deadline=self.deadline, waits=options.waits(), limit=4 * 2**20)
        attempts = Attempts(options.attempts, False, options.wait_for_model, budget=self.settings.memory.budget)
        try:
            return (yield from persistent(send, attempts, self.deadline, definite=definite))
        except StatusError as error:
            if error.status >= 500:
                error.hint = "Is it still starting? If this goes on, say what it is with server=..."
            raise


def persistent(send: Send, attempts: Attempts, deadline: float | None, *, definite: bool = False) -> Steps[Reply]:
    """Ask until there is an answer, or the attempts are used up; with `definite` a 5xx but 501 is none."""
    while True:
        try:
            reply = yield send
            unsure = definite and reply.status >= 500 and reply.status != 501
            if unsure or reply.status in NOT_EXECUTED or reply.status in (401, 403):
                raise status_error(reply, time.time())
            attempts.succeeded()
            return reply
        except HfError as error:
            left = None if deadline is None else deadline - time.monotonic()
            wait = attempts.again(error, left)
            if wait is None:
                raise error.at(url=send.url.partition("?")[0]) from error.__cause__
            send = replace(send, wait=wait)


def _below(url: str, path: str) -> str:
    base, mark, query = url.partition("?")
    return base.rstrip("/") + path + mark + query


def _object(reply: Reply) -> Mapping[str, Any]:
    if reply.status != 200:
        return {}
    try:
        value = from_json(reply.content)
    except ValueError:
        return {}
    return table(value)


def _first_id(served: Mapping[str, Any]) -> str | None:
    served_models = rows(served.get("data"))
    name = served_models[0].get("id") if served_models else None
    return name if isinstance(name, str) else None


def _recommended(task: str, settings: Settings, deadline: float | None) -> Steps[str]:
    """The model that the Hub recommends for a task; asked without a token, once."""
    memory = settings.memory.models
    if task not in memory:
        if task in ("", "request"):
            raise InputError("request: `model` is missing", hint="Pass `model`, or `task_hint`")
        url = f"{providers.HUB}/api/tasks"
        send = Send("GET", url, (("user-agent", "hf-tools"),), deadline=deadline, waits=settings.options.waits())
        attempts = Attempts(settings.options.attempts, False, budget=settings.memory.budget)
        reply = yield from persistent(send, attempts, deadline)
        memory |= _recommendations(_object(reply))
    if task not in memory:
        raise InputError(f"{task}: `model` is missing, and the Hub recommends none", hint="Pass `model`")
    return memory[task]


def _recommendations(tasks: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, about in tasks.items():
        widgets, models = items(table(about).get("widgetModels")), rows(table(about).get("models"))
        first = widgets[0] if widgets else models[0].get("id") if models else None
        if isinstance(first, str) and first:
            found[name] = first
    return found
