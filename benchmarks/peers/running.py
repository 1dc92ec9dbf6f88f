"""Checks of how a model behaves as an object: failures, caches, loops, secrets."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
from typing import Any
from unittest import mock

from langchain_core import exceptions
from langchain_core.caches import InMemoryCache
from langchain_core.exceptions import ContextOverflowError

from benchmarks.peers.registry import KEY, feature
from benchmarks.peers.subjects import Subject
from tests.langchain.scripted import Said, ScriptedServer

VLLM = (
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4900 in the messages, "
    "100 in the completion). Please reduce the length of the messages or completion."
)
TGI = (
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and "
    "100 `max_new_tokens`"
)
LLAMA = "the request exceeds the available context size, try increasing it"
OVERFLOWS: dict[str, tuple[int, Any]] = {
    "vLLM": (400, {"object": "error", "message": VLLM, "type": "BadRequestError", "param": None, "code": 400}),
    "TGI": (422, {"error": TGI, "error_type": "validation"}),
    "llama.cpp": (400, {"error": {"code": 400, "message": LLAMA, "type": "exceed_context_size_error"}}),
}
STATUSES = {
    400: "ModelInvalidRequestError",
    401: "ModelAuthenticationError",
    403: "ModelPermissionDeniedError",
    404: "ModelNotFoundError",
    429: "ModelRateLimitError",
    500: "ModelAPIError",
    503: "ModelAPIError",
}


def failure(subject: Subject, server: ScriptedServer, status: int, body: Any) -> Exception:
    server.fail(status, body)
    try:
        subject.make(server.url, max_retries=0, **KEY).invoke("Hello")
    except Exception as error:  # noqa: BLE001 - each package has errors of its own
        return error
    raise AssertionError("no error")


@feature("Too long conversations are a ContextOverflowError (vLLM, TGI, llama.cpp)")
def context_overflow(subject: Subject, server: ScriptedServer) -> None:
    for status, body in OVERFLOWS.values():
        assert isinstance(failure(subject, server, status, body), ContextOverflowError)


@feature("HTTP errors are langchain-core's ModelErrors, retryable or not")
def model_errors(subject: Subject, server: ScriptedServer) -> None:
    for status, name in STATUSES.items():
        error: Any = failure(subject, server, status, {"error": {"message": "No.", "type": "some_error"}})
        assert isinstance(error, getattr(exceptions, name))
        assert error.is_retryable is (status in (429, 500, 503))


@feature("So is 422, with which TGI and TEI answer wrong requests")
def model_error_422(subject: Subject, server: ScriptedServer) -> None:
    error = failure(subject, server, 422, {"error": "Input validation error: no", "error_type": "validation"})
    assert isinstance(error, exceptions.ModelInvalidRequestError)


@feature("A failure that passes (503) is tried again")
def retries(subject: Subject, server: ScriptedServer) -> None:
    server.fail(503, {"error": "Model org/model is currently loading"}, retry_after="0")
    server.fail(503, {"error": "Service Unavailable"}, retry_after="0")
    assert subject.make(server.url, **KEY).invoke("Hello").text
    assert len(server.requests) == 3


@feature("Closing a stream ends the request")
def early_close(subject: Subject, server: ScriptedServer) -> None:
    server.trickle(Said("word " * 500), 0.01)
    stream: Any = subject.make(server.url, **KEY).stream("Hello")
    next(stream)
    stream.close()
    assert server.dropped.wait(5)


@feature("A cache keeps models and parameters apart")
def cache_keys(subject: Subject, server: ScriptedServer) -> None:
    cache = InMemoryCache()
    fields: list[dict[str, Any]] = [{}, {"model": "org/other"}, {"temperature": 0.25}, {"seed": 1}]
    for each in fields:
        subject.make(server.url, cache=cache, **KEY, **each).invoke("Hello")
    assert len(server.requests) == len(fields)
    subject.make(server.url, cache=cache, **KEY).invoke("Hello")
    assert len(server.requests) == len(fields)


@feature("One object works in a second `asyncio.run`")
def second_event_loop(subject: Subject, server: ScriptedServer) -> None:
    model = subject.make(server.url, **KEY)

    async def ask() -> str:
        return (await model.ainvoke("Hello")).text

    assert all(asyncio.run(ask()) for _ in range(3))


@feature("A model can be pickled and copied after use")
def pickling(subject: Subject, server: ScriptedServer) -> None:
    model = subject.make(server.url, **KEY)
    model.invoke("Hello")
    for made in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert made.invoke("Hello").text


@feature("The key is not in `repr` nor in `model_dump`")
def hidden_key(subject: Subject, server: ScriptedServer) -> None:
    model: Any = subject.make(server.url, **KEY)
    assert KEY["api_key"] not in f"{model!r} {model} {model.model_dump()}"


@feature("A key of the environment is not sent to other hosts")
def ambient_key(subject: Subject, server: ScriptedServer) -> None:
    with mock.patch.dict(os.environ, {subject.ambient: KEY["api_key"]}):
        subject.make(server.url).invoke("Hello")
    assert KEY["api_key"] not in server.requests[-1].headers.get("authorization", "")


@feature("The profile of `org/name:provider` is known")
def profile_with_provider(subject: Subject, server: ScriptedServer) -> None:
    assert server.requests == []
    profile = subject.make(None, model="openai/gpt-oss-120b:groq", **KEY).profile
    assert profile is not None
    assert profile.get("tool_calling") is True
    assert (profile.get("max_input_tokens") or 0) > 100_000
