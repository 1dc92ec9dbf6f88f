"""Who is asked: the providers as data, and the route of a task at each of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from hf_tools.errors import ConfigurationError, InputError, LocalBackendError, shown
from hf_tools.task import Route, Server, Task, cannot

HUB = "https://huggingface.co"
ROUTER = "https://router.huggingface.co"
LOCAL = "http://hf-tools.local"
"""Base of the embedded backend; no socket is ever opened to it."""

CHAT = frozenset(["chat-completion", "conversational"])
MODEL_ID = r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?(:[\w.-]{1,60})?"

LOCAL_TASKS: Mapping[str, tuple[Server, str]] = {
    "chat-completion": ("openai", ""),
    "conversational": ("openai", ""),
    "text-generation": ("openai", ""),
    "feature-extraction": ("hf-inference", "/models/{model}"),
    "sentence-similarity": ("hf-inference", "/models/{model}"),
    "zero-shot-classification": ("hf-inference", "/models/{model}/pipeline/zero-shot-classification"),
    "text-ranking": ("toolkit", "/models/{model}/pipeline/text-ranking"),
}
"""What the embedded backend does, in which wire form, and below which path."""

LOCAL_CHAT = "HuggingFaceTB/SmolLM2-135M-Instruct"
LOCAL_EMBEDDING = "sentence-transformers/all-MiniLM-L6-v2"


PROVIDERS: Mapping[str, str] = {
    "auto": "chat through the router, which picks among Inference Providers; the rest by hf-inference",
    "hf-inference": "Hugging Face's own servers, for every task that they have",
    "local": "the embedded backend: no token, no network; needs the extra `local`",
}
"""The providers that a client may be given, and what each is."""


def check_provider(name: Any) -> str:
    """The name of a known provider; ConfigurationError with the known ones otherwise."""
    if isinstance(name, str) and name in PROVIDERS:
        return name
    raise ConfigurationError(
        f"`provider` = {shown(repr(name), 60)}: known are {', '.join(PROVIDERS)}",
        hint='For chat, pick another provider with model="org/name:provider"',
    )


def is_url(model: str | None) -> bool:
    """The model is given as the URL of an endpoint."""
    return model is not None and model[:8].lower().startswith(("http://", "https://"))


def check_url(url: Any, what: str = "the endpoint URL") -> str:
    """An http(s) URL with a host that can exist and without credentials; ConfigurationError otherwise."""
    text = url.strip() if isinstance(url, str) else ""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        parts, host = urlsplit(""), ""
    labels = host.rstrip(".").split(".")
    wrong = any(label in ("", "xn--") for label in labels) and ":" not in host
    if parts.scheme.lower() not in ("http", "https") or wrong or not text.isprintable() or " " in text:
        raise ConfigurationError(f"{what} {shown(repr(url), 100)} is not an http(s) URL with a host")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"{what} must not hold credentials", hint="Pass the token as `token`")
    return text.partition("#")[0]


def check_model(model: Any, task: str) -> str:
    """A model ID as the Hub writes it; InputError for anything else."""
    if (
        isinstance(model, str)
        and re.fullmatch(MODEL_ID, model)
        and ".." not in model
        and not model.endswith((".git", "/"))
    ):
        return model
    forms = "`name`, `org/name`, `org/name:provider` or an http(s) URL"
    raise InputError(f"{task}: `model` = {shown(repr(model), 100)}: expected {forms}")


def route(task: Task[Any], provider: str, model: str | None, *, stream: bool) -> Route:
    """The route of a task at a provider; `model` is a checked ID, or None where the provider picks one."""
    if provider == "local":
        return _local(task, model, stream)
    if provider == "auto" and task.name in CHAT:
        if model is None:
            raise InputError(f"{task.name.replace('-', '_')}: `model` is missing", hint=_WHICH)
        return Route("router", ROUTER, model, "auto", stream)
    found = Route("hf-inference", ROUTER + "/hf-inference", model, "hf-inference", stream)
    if "hf-inference" not in task.servers:
        others = ", ".join(task.remote) or "none"
        raise cannot(task, found, "this task", f"Providers that serve it: {others}; an endpoint of your own can, too")
    if model is None:
        return found
    if ":" in model:
        raise InputError(
            f"{task.name.replace('-', '_')}: `model` = {model!r}: a provider after the colon is for chat only"
        )
    return Route("hf-inference", f"{found.url}/models/{quote(model, safe='/')}", model, "hf-inference", stream)


_WHICH = 'For instance model="openai/gpt-oss-120b"; https://huggingface.co/models?inference_provider=all lists more'


def _local(task: Task[Any], model: str | None, stream: bool) -> Route:
    if task.name not in LOCAL_TASKS:
        names = ", ".join(name.replace("-", "_") for name in LOCAL_TASKS)
        others = " or ".join(task.remote) or "an endpoint of your own"
        raise LocalBackendError(
            f"the embedded backend has no {task.name}; it has {names}",
            hint=f"Served remotely by {others}: HfInference(provider=...) with a token",
        )
    server, path = LOCAL_TASKS[task.name]
    model = model or (LOCAL_CHAT if server == "openai" else LOCAL_EMBEDDING)
    return Route(server, LOCAL + path.format(model=quote(model, safe="/")), model, "local", stream)


def endpoint_server(url: str) -> Server | None:
    """The wire form that the URL itself tells, or None where the endpoint must be asked."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if parts.hostname in ("router.huggingface.co", "api-inference.huggingface.co") and "/models/" in path:
        return "openai" if path.endswith("/v1") else "hf-inference"
    if re.search(r"/v1(/(chat/completions|completions|embeddings|models))?$|/chat/completions$", path):
        return "openai"
    return None
