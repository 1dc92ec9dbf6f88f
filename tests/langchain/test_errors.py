"""The errors of models: ours and LangChain's at once, with everything that they had."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]
from langchain.agents.middleware import ModelRetryMiddleware
from langchain_core import exceptions as core
from langchain_core.callbacks import BaseCallbackHandler

from hf_tools import AsyncHfInference, HfInference, Options
from hf_tools import errors as hf
from langchain_hf_tools import ChatHfInference
from langchain_hf_tools import errors as ours
from langchain_hf_tools.errors import model_errors

KEY = "hf_secretsecretsecret"
GROUPS = {hf.JobError, hf.StatusError, hf.StreamError}
"""Classes that are never raised themselves."""
FAMILIES: list[tuple[type[hf.HfError], type[core.ModelError], bool]] = [
    (hf.AuthenticationError, core.ModelAuthenticationError, False),
    (hf.PaymentRequired, core.ModelPermissionDeniedError, False),
    (hf.PermissionDenied, core.ModelPermissionDeniedError, False),
    (hf.NotFound, core.ModelNotFoundError, False),
    (hf.InvalidRequest, core.ModelInvalidRequestError, False),
    (hf.TabularWarnings, core.ModelInvalidRequestError, False),
    (hf.InputError, core.ModelInvalidRequestError, False),
    (hf.ConfigurationError, core.ModelInvalidRequestError, False),
    (hf.MediaError, core.ModelInvalidRequestError, False),
    (hf.RateLimited, core.ModelRateLimitError, True),
    (hf.ModelLoading, core.ModelAPIError, True),
    (hf.Overloaded, core.ModelAPIError, True),
    (hf.ServerError, core.ModelAPIError, True),
    (hf.GenerationError, core.ModelAPIError, False),
    (hf.UnexpectedStatus, core.ModelAPIError, False),
    (hf.ResponseError, core.ModelAPIError, False),
    (hf.DecodeError, core.ModelAPIError, False),
    (hf.ShapeError, core.ModelAPIError, False),
    (hf.UnexpectedContent, core.ModelAPIError, False),
    (hf.EmptyResponse, core.ModelAPIError, False),
    (hf.ResponseTooLarge, core.ModelAPIError, False),
    (hf.ReportedError, core.ModelAPIError, False),
    (hf.StreamReportedError, core.ModelAPIError, False),
    (hf.StreamProtocolError, core.ModelAPIError, False),
    (hf.TransportError, core.ModelConnectionError, True),
    (hf.ConnectError, core.ModelConnectionError, True),
    (hf.ConnectionLost, core.ModelConnectionError, True),
    (hf.StreamInterrupted, core.ModelConnectionError, True),
    (hf.StreamTimeout, core.ModelTimeoutError, True),
    (hf.JobFailed, core.ModelAPIError, False),
    (hf.JobTimeout, core.ModelTimeoutError, True),
    (hf.RequestTimeout, core.ModelTimeoutError, True),
    (hf.DeadlineExceeded, core.ModelTimeoutError, True),
    (hf.MissingExtra, core.ModelError, False),
    (hf.LocalBackendError, core.ModelError, False),
    (hf.ClientClosed, core.ModelError, False),
    (hf.StreamConsumed, core.ModelError, False),
]


def tree(kind: type[hf.HfError] = hf.HfError) -> Iterator[type[hf.HfError]]:
    for child in kind.__subclasses__():
        if child.__module__ == "hf_tools.errors":
            yield child
            yield from tree(child)


def raised(error: Exception) -> Any:
    """The error as it leaves a model."""
    with pytest.raises(Exception) as caught, model_errors():
        raise error
    return caught.value


def test_every_class_of_the_client_has_its_family() -> None:
    assert set(tree()) - GROUPS == {kind for kind, _, _ in FAMILIES}


@pytest.mark.parametrize(("kind", "family", "retryable"), FAMILIES, ids=[kind.__name__ for kind, _, _ in FAMILIES])
def test_an_error_is_both(kind: Any, family: type[core.ModelError], retryable: bool) -> None:
    error: Any = raised(kind("what happened", hint="what to do"))
    assert type(error) is getattr(ours, kind.__name__)
    assert isinstance(error, kind)
    assert next(known for known in type(error).__mro__ if known.__module__ == core.__name__) is family
    assert error.is_retryable is retryable
    assert str(error) == "what happened. what to do"
    assert pickle.loads(pickle.dumps(error)).__dict__ == error.__dict__
    assert type(copy.copy(error)) is type(error)


@pytest.mark.parametrize("kind", sorted(set(tree()), key=str))
def test_the_classes_here_extend_each_other_as_the_clients_do(kind: type[hf.HfError]) -> None:
    if kind in GROUPS:
        return
    parents = [parent.__name__ for parent in kind.__mro__[1:] if parent in set(tree()) - GROUPS]
    concrete = [name for name in parents if name not in ("TransportError", "ResponseError")]
    assert all(issubclass(getattr(ours, kind.__name__), getattr(ours, name)) for name in concrete)


def test_nothing_is_lost() -> None:
    def fail() -> None:
        error = hf.RateLimited("slow down", hint="wait", status=429, headers={}, retry_after=3.0, attempts=2)
        error.at(task="chat-completion", model="a/b", provider="auto", url="https://x")
        error.add_note("a note")
        try:
            raise KeyError("before")
        except KeyError as cause:
            raise error from cause

    with pytest.raises(hf.RateLimited) as caught, model_errors():
        fail()
    error: Any = caught.value
    assert (error.message, error.hint, error.args) == ("slow down", "wait", ("slow down",))
    assert (error.status, error.retry_after, error.attempts, error.model) == (429, 3.0, 2, "a/b")
    assert isinstance(error.__cause__, KeyError)
    assert error.__notes__ == ["a note"]
    assert caught.traceback[-1].name == "fail"
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.args, again.__dict__) == (ours.RateLimited, error.args, error.__dict__)


def test_what_is_not_the_clients_passes_untouched() -> None:
    class Own(hf.RateLimited):
        pass

    for error in (ValueError("x"), Own("x"), asyncio.CancelledError()):
        kind = type(error)
        with pytest.raises(kind) as caught, model_errors():
            raise error
        assert type(caught.value) is kind
    with model_errors():
        pass
    inner = raised(raised(hf.NotFound("x")))  # around an agent that calls a model
    assert type(inner) is ours.NotFound


# what may pass


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (hf.InvalidRequest("x", status=408), True),
        (hf.InvalidRequest("x", status=409), True),
        (hf.InvalidRequest("x", status=425), True),
        (hf.InvalidRequest("x", status=422), False),
        (hf.ConnectError("no secure connection", retryable=False), False),
        (hf.TransportError("odd", retryable=False), False),
        (hf.RequestTimeout("no connection became free", retryable=False), True),
        (hf.StreamReportedError("x", code="overloaded"), True),  # TGI
        (hf.StreamReportedError("x", code="InternalServerError"), True),  # vLLM
        (hf.StreamReportedError("x", code="503"), True),
        (hf.StreamReportedError("x", code="rate_limit_exceeded"), True),
        (hf.StreamReportedError("x", code="validation"), False),
        (hf.StreamReportedError("x", code="400"), False),
        (hf.ReportedError("x", code="server_error"), True),
        (hf.ReportedError("x", code="invalid_request_error"), False),
    ],
)
def test_single_errors_may_pass(error: hf.HfError, retryable: bool) -> None:
    assert raised(error).is_retryable is retryable
    assert pickle.loads(pickle.dumps(error)).is_retryable is retryable


# through the client


def answered(status: int, body: Any, headers: dict[str, str] | None = None) -> Any:
    """The error that a model raises on this answer."""

    def answer(_: httpx.Request) -> httpx.Response:
        content = body if isinstance(body, str) else json.dumps(body)
        return httpx.Response(status, headers={"content-type": "application/json", **(headers or {})}, content=content)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    client = HfInference(KEY, model="a/b", http_client=http, options=Options(max_retries=0))
    with pytest.raises(hf.HfError) as caught, model_errors():
        client.chat_completion([{"role": "user", "content": "Hi"}])
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ours.AuthenticationError), (402, ours.PaymentRequired), (403, ours.PermissionDenied),
        (404, ours.NotFound), (400, ours.InvalidRequest), (422, ours.InvalidRequest), (424, ours.GenerationError),
        (429, ours.RateLimited), (500, ours.ServerError), (503, ours.Overloaded), (302, ours.UnexpectedStatus),
    ],
)  # fmt: skip
def test_a_status_has_its_class(status: int, kind: Any) -> None:
    error = answered(status, {"error": "no"}, {"x-request-id": "r-1"})
    assert type(error) is kind
    assert (error.status_code, error.request_id) == (status, "r-1")


def test_who_has_to_pay_is_told_what_to_do() -> None:
    error = answered(402, {"error": "You have exceeded your monthly included credits"})
    assert "https://huggingface.co/settings/billing, or set `bill_to`" in str(error)


def test_a_trace_gets_the_answer_without_secrets() -> None:
    headers = {
        "X-Request-Id": "r-1", "set-cookie": "session=1", "x-ratelimit-remaining": "0", "retry-after": "3",
        "x-api-key": "k", "location": "https://x/?t=1",
    }  # fmt: skip
    error = answered(429, {"error": f"the token {KEY} and hf_otherotherother are slow"}, headers)
    response = error.response
    assert response.json() == {"error": "the token *** and hf_*** are slow"}
    assert response.text == '{"error": "the token *** and hf_*** are slow"}'
    assert response.status_code == 429
    assert response.headers == {
        "content-type": "application/json", "x-request-id": "r-1", "x-ratelimit-remaining": "0", "retry-after": "3",
    }  # fmt: skip
    assert "secretsecret" not in repr(response) + repr(error)
    with pytest.raises(ValueError, match="Expecting value"):
        _ = answered(500, "<html>oh</html>").response.json()


def test_errors_without_an_answer_have_no_response() -> None:
    assert not hasattr(raised(hf.ConnectError("x")), "response")
    assert raised(hf.NotFound("made by hand", status=404)).response.headers == {}


class Recorder(BaseCallbackHandler):
    def __init__(self) -> None:
        self.failed: list[tuple[BaseException, Any]] = []

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.failed.append((error, kwargs["response"]))


def test_langchain_records_the_answer_on_the_run(serve: Any) -> None:
    body = {"error": {"message": "no such model", "code": "model_not_found"}}
    server = serve(httpx.Response(404, headers={"x-request-id": "r-1", "set-cookie": "s=1"}, json=body))
    recorder = Recorder()
    with pytest.raises(core.ModelNotFoundError):
        ChatHfInference(**server.models).invoke("Hi", {"callbacks": [recorder]})
    ((error, result),) = recorder.failed
    assert type(error) is ours.NotFound
    metadata = result.generations[0][0].message.response_metadata
    assert (metadata["body"], metadata["status_code"], metadata["request_id"]) == (body, 404, "r-1")
    assert metadata["headers"]["x-request-id"] == "r-1"
    assert "set-cookie" not in metadata["headers"]


def test_every_way_to_call_a_model_raises_the_same(serve: Any) -> None:
    model = ChatHfInference(**serve(httpx.Response(429, json={"error": "slow"})).models)

    async def streamed() -> None:
        async for _ in model.astream("Hi"):
            pass

    for call in (
        lambda: model.invoke("Hi"),
        lambda: list(model.stream("Hi")),
        lambda: asyncio.run(model.ainvoke("Hi")),
        lambda: asyncio.run(streamed()),
    ):
        with pytest.raises(core.ModelRateLimitError) as caught:
            call()
        assert type(caught.value) is ours.RateLimited


@pytest.mark.parametrize(("status", "asked"), [(401, 1), (400, 1), (429, 2), (503, 2)])
def test_an_agent_tries_again_only_what_may_pass(serve: Any, completion: Any, status: int, asked: int) -> None:
    server = serve(httpx.Response(status, json={"error": "no"}), completion("Hello"))
    retry = ModelRetryMiddleware(max_retries=3, initial_delay=0.0, jitter=False, on_failure="error")
    agent: Any = create_agent(ChatHfInference(**server.models), [], middleware=[retry])
    try:
        agent.invoke({"messages": [("user", "Hi")]})
    except core.ModelError as error:
        assert not error.is_retryable  # noqa: PT017 - what is retried does not come here
    assert len(server.requests) == asked


async def test_awaited_calls_are_the_same() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]")

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    client = AsyncHfInference(False, model="a/b", http_client=http)
    with pytest.raises(core.ModelConnectionError) as caught, model_errors():
        await client.chat_completion([{"role": "user", "content": "Hi"}])
    assert type(caught.value) is ours.ConnectError
    assert caught.value.is_retryable is False
    assert isinstance(caught.value.__cause__, httpx.ConnectError)
