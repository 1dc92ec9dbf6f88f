"""The route of a task at Hugging Face's own servers, and what an endpoint's URL tells of itself."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

from hf_tools.errors import InputError
from hf_tools.providers.local import local_route
from hf_tools.providers.names import ROUTER
from hf_tools.task import Route, Server, Task, cannot

CHAT = frozenset(["chat-completion", "conversational"])


def route(task: Task[Any], provider: str, model: str | None, *, stream: bool) -> Route:
    """The route of a task at a provider; `model` is a checked ID, or None where the provider picks one."""
    if provider == "local":
        return local_route(task, model, stream)
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


def endpoint_server(url: str) -> Server | None:
    """The wire form that the URL itself tells, or None where the endpoint must be asked."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if parts.hostname in ("router.huggingface.co", "api-inference.huggingface.co") and "/models/" in path:
        return "openai" if path.endswith("/v1") else "hf-inference"
    if re.search(r"/v1(/(chat/completions|completions|embeddings|models))?$|/chat/completions$", path):
        return "openai"
    return None
