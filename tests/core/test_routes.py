"""Which URL a task goes to, in which wire form: providers, endpoints, and the one probe."""

# ruff: noqa: E501 - a row of a table is one line

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, AsyncHfInferenceEndpoint, HfInference, HfInferenceEndpoint, Options, errors
from hf_tools.task import Route
from hf_tools.urls import openai_path, url_of
from tests.core.conftest import Ask, Script

Call = Callable[[Any], Any]
MESSAGES = [{"role": "user", "content": "x"}]
CHAT = httpx.Response(200, json={"choices": [{"message": {"content": "hi"}}]})
SUMMARY = httpx.Response(200, json=[{"summary_text": "s"}])
VECTOR = httpx.Response(200, json=[0.5, 0.25])
NOT_FOUND = httpx.Response(404, text="Not Found")
TGI_INFO = {"model_id": "org/llm", "max_total_tokens": 4096, "version": "3.3.6", "router": "text-generation-router"}
TEI_INFO = {"model_id": "org/embed", "model_type": {"embedding": {"pooling": "mean"}}, "version": "1.9.3"}
MODELS = {"object": "list", "data": [{"id": "served/model", "object": "model"}]}


def paths(server: Script) -> list[str]:
    return [f"{request.method} {request.url.raw_path.decode()}" for request in server.requests]


# providers


ROUTES: list[tuple[str, Call, httpx.Response, str]] = [
    ("auto", lambda hf: hf.chat_completion(MESSAGES, model="a/b"), CHAT, "https://router.huggingface.co/v1/chat/completions"),
    ("auto", lambda hf: hf.chat_completion(MESSAGES, model="a/b:groq"), CHAT, "https://router.huggingface.co/v1/chat/completions"),
    ("auto", lambda hf: hf.conversational("x", model="a/b"), CHAT, "https://router.huggingface.co/v1/chat/completions"),
    ("hf-inference", lambda hf: hf.chat_completion(MESSAGES, model="a/b"), CHAT, "https://router.huggingface.co/hf-inference/models/a/b/v1/chat/completions"),
    ("auto", lambda hf: hf.summarization("x", model="gpt2"), SUMMARY, "https://router.huggingface.co/hf-inference/models/gpt2"),
    ("auto", lambda hf: hf.feature_extraction("x", model="a/b"), VECTOR, "https://router.huggingface.co/hf-inference/models/a/b/pipeline/feature-extraction"),
    ("hf-inference", lambda hf: hf.sentence_similarity("x", ["y", "z"], model="a/b"), VECTOR, "https://router.huggingface.co/hf-inference/models/a/b/pipeline/sentence-similarity"),
    ("auto", lambda hf: hf.request(inputs="x", model="a/b", task="fill-mask"), VECTOR, "https://router.huggingface.co/hf-inference/models/a/b/pipeline/fill-mask"),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "call", "answer", "url"), ROUTES)
def test_routes_of_the_providers(ask: Ask, provider: str, call: Any, answer: httpx.Response, url: str) -> None:
    server = Script(answer)
    ask(server, call, provider=provider)
    assert [str(request.url) for request in server.requests] == [url]


def test_the_router_finds_the_model_first(ask: Ask) -> None:
    server = Script(CHAT)
    ask(server, lambda hf: hf.chat_completion(MESSAGES, model="a/b:groq"))
    assert server.requests[0].content.startswith(b'{"model":"a/b:groq","messages":')


def test_the_model_of_the_client_is_the_default(ask: Ask) -> None:
    server = Script(SUMMARY)
    ask(server, lambda hf: hf.summarization("x"), model="org/mine")
    ask(server, lambda hf: hf.summarization("x", model="org/other"), model="org/mine")
    assert paths(server) == ["POST /hf-inference/models/org/mine", "POST /hf-inference/models/org/other"]


TASKS: dict[str, Any] = {
    "summarization": {"widgetModels": ["facebook/bart-large-cnn"], "models": [{"id": "other"}]},
    "translation": {"widgetModels": [], "models": [{"id": "google-t5/t5-base"}]},
    "fill-mask": {"models": []},
    "odd": None,
}


def test_the_hub_recommends_a_model_once(ask: Ask) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.path == "/api/tasks":
            return httpx.Response(200, json=TASKS)
        return httpx.Response(200, json=[{"summary_text": "s", "translation_text": "t"}])

    async def async_calls(hf: AsyncHfInference) -> None:
        await hf.summarization("x")
        await hf.translation("x")

    def calls(hf: Any) -> Any:
        if isinstance(hf, AsyncHfInference):
            return async_calls(hf)
        return hf.summarization("x"), hf.translation("x")

    asked: list[httpx.Request] = []
    ask(server, calls)
    assert [request.url.path for request in asked] == [
        "/api/tasks", "/hf-inference/models/facebook/bart-large-cnn", "/hf-inference/models/google-t5/t5-base",
    ]  # fmt: skip
    assert "authorization" not in asked[0].headers


def test_a_task_hint_names_the_model_of_a_request(ask: Ask) -> None:
    server = Script(httpx.Response(200, json=TASKS), SUMMARY)
    ask(server, lambda hf: hf.request(inputs="x", task_hint="summarization"))
    assert paths(server)[1] == "POST /hf-inference/models/facebook/bart-large-cnn"


NO_ROUTES: list[tuple[Call, list[httpx.Response], str]] = [
    (lambda hf: hf.fill_mask("[MASK]"), [httpx.Response(200, json=TASKS)], "fill-mask: `model` is missing"),
    (lambda hf: hf.fill_mask("[MASK]"), [httpx.Response(200, text="<html>")], "fill-mask: `model` is missing"),
    (lambda hf: hf.fill_mask("[MASK]"), [NOT_FOUND], "fill-mask: `model` is missing"),
    (lambda hf: hf.request(inputs="x"), [], "request: `model` is missing"),
    (lambda hf: hf.chat_completion(MESSAGES), [], "chat_completion: `model` is missing"),
    (lambda hf: hf.text_to_video("x", model="a/b"), [], "text_to_video: no provider serves a/b for this task"),
    (lambda hf: hf.text_ranking("q", ["a"], model="a/b"), [], "an endpoint of your own"),
    (lambda hf: hf.summarization("x", model="a/b:groq"), [], "a provider after the colon is for chat only"),
]


@pytest.mark.parametrize(("call", "answers", "message"), NO_ROUTES)
def test_no_route(ask: Ask, call: Any, answers: list[httpx.Response], message: str) -> None:
    server = Script(*answers)
    with pytest.raises(errors.InputError) as caught:
        ask(server, call)
    assert message in str(caught.value)
    assert len(server.requests) == len(answers)


@pytest.mark.parametrize(
    "model",
    ["../evil", "a/../b", "a/b/c", "a//b", "/a", "a/", "ftp://x/y", "file:///etc/passwd", "a b", "a/b?c", "a/b#c", "", "-a", "a.git", "a\nb"],
)  # fmt: skip
def test_model_ids_that_are_refused(ask: Ask, model: str) -> None:
    server = Script(SUMMARY)
    with pytest.raises(errors.InputError) as caught:
        ask(server, lambda hf: hf.summarization("x", model=model))
    assert "`model` = " in str(caught.value)
    assert not server.requests
    if model:
        with pytest.raises(errors.InputError):
            HfInference(model=model)


@pytest.mark.parametrize("provider", ["sambanova", "", "Auto", 3, None])
def test_unknown_providers_name_the_known_ones(provider: Any) -> None:
    with pytest.raises(errors.ConfigurationError, match=r"known are auto, hf-inference, .*, local"):
        HfInference(provider=provider)


# endpoints


PROBES: list[tuple[list[httpx.Response], Call, list[str]]] = [
    ([httpx.Response(200, json=TGI_INFO), CHAT], lambda hf: hf.chat_completion(MESSAGES), ["GET /info", "POST /v1/chat/completions"]),
    ([httpx.Response(200, json={"router": "text-generation-router"}), CHAT], lambda hf: hf.chat_completion(MESSAGES), ["GET /info", "POST /v1/chat/completions"]),
    ([httpx.Response(200, json=TEI_INFO), httpx.Response(200, json=[[0.5]])], lambda hf: hf.feature_extraction("x"), ["GET /info", "POST /embed"]),
    ([NOT_FOUND, httpx.Response(200, json=MODELS), CHAT], lambda hf: hf.chat_completion(MESSAGES), ["GET /info", "GET /v1/models", "POST /v1/chat/completions"]),
    ([NOT_FOUND, NOT_FOUND, SUMMARY], lambda hf: hf.summarization("x"), ["GET /info", "GET /v1/models", "POST /"]),
    ([httpx.Response(200, text="Ok"), httpx.Response(200, text="<html>"), SUMMARY], lambda hf: hf.summarization("x"), ["GET /info", "GET /v1/models", "POST /"]),
    ([httpx.Response(200, json=[1]), httpx.Response(501), SUMMARY], lambda hf: hf.summarization("x"), ["GET /info", "GET /v1/models", "POST /"]),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "call", "expected"), PROBES)
def test_an_endpoint_is_asked_what_it_is(
    ask: Ask, answers: list[httpx.Response], call: Any, expected: list[str]
) -> None:
    server = Script(*answers)
    ask(server, call, base_url="https://x.endpoints.huggingface.cloud/")
    assert paths(server) == expected


def test_an_endpoint_is_asked_once(ask: Ask) -> None:
    server = Script(NOT_FOUND, httpx.Response(200, json=MODELS), CHAT)

    async def twice(hf: AsyncHfInference) -> None:
        await hf.chat_completion(MESSAGES)
        await hf.with_options(max_retries=0).chat_completion(MESSAGES)

    def calls(hf: Any) -> Any:
        if isinstance(hf, AsyncHfInference):
            return twice(hf)
        return hf.chat_completion(MESSAGES), hf.with_options(max_retries=0).chat_completion(MESSAGES)

    ask(server, calls, base_url="http://127.0.0.1:1")
    assert paths(server) == ["GET /info", "GET /v1/models", "POST /v1/chat/completions", "POST /v1/chat/completions"]
    assert json.loads(server.requests[-1].content)["model"] == "served/model"


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([httpx.Response(401, json={"error": "no"})], errors.AuthenticationError),
        ([NOT_FOUND, httpx.Response(403)], errors.PermissionDenied),
        ([httpx.ConnectError("refused")], errors.ConnectError),
        ([httpx.Response(503, text="<html>scaling</html>")], errors.Overloaded),
    ],
)
def test_an_endpoint_that_cannot_be_asked(ask: Ask, answers: list[Any], error: type[errors.HfError]) -> None:
    server = Script(*answers)
    with pytest.raises(error):
        ask(server, lambda hf: hf.summarization("x"), base_url="http://127.0.0.1:1")


def test_a_gateways_error_tells_nothing_about_the_server(ask: Ask) -> None:
    down = httpx.Response(502, text="<html>bad gateway</html>")
    server = Script(down, down, down, httpx.Response(200, json=TGI_INFO), CHAT)

    async def twice(hf: AsyncHfInference) -> Any:
        with pytest.raises(errors.ServerError, match=r"say what it is with server="):
            await hf.chat_completion(MESSAGES)
        return await hf.chat_completion(MESSAGES)

    def calls(hf: Any) -> Any:
        if isinstance(hf, AsyncHfInference):
            return twice(hf)
        with pytest.raises(errors.ServerError, match=r"say what it is with server="):
            hf.chat_completion(MESSAGES)
        return hf.chat_completion(MESSAGES)

    assert ask(server, calls, base_url="http://127.0.0.1:1").text == "hi"


def test_an_endpoint_that_wakes_up(ask: Ask) -> None:
    server = Script(httpx.Response(503, text="<html>scaling</html>"), NOT_FOUND, NOT_FOUND, SUMMARY)
    assert ask(server, lambda hf: hf.summarization("x"), base_url="http://127.0.0.1:1").summary_text == "s"
    assert len(ask.waits) == 1


@pytest.mark.parametrize(
    ("url", "server_kind", "expected"),
    [
        ("https://h/v1", None, ["GET /v1/models", "POST /v1/chat/completions"]),
        ("https://h/v1/", None, ["GET /v1/models", "POST /v1/chat/completions"]),
        ("https://h/openai/v1", None, ["GET /openai/v1/models", "POST /openai/v1/chat/completions"]),
        ("https://h/v1/chat/completions", None, ["GET /v1/models", "POST /v1/chat/completions"]),
        ("https://h/api/chat/completions", None, ["GET /api/models", "POST /api/chat/completions"]),
        ("https://h/?x=1", "openai", ["GET /v1/models?x=1", "POST /v1/chat/completions?x=1"]),
        ("https://h", "tgi", ["POST /v1/chat/completions"]),
        ("https://router.huggingface.co/hf-inference/models/a/b", None, ["POST /hf-inference/models/a/b/v1/chat/completions"]),
        ("https://router.huggingface.co/hf-inference/models/a/b/v1", None, ["GET /hf-inference/models/a/b/v1/models", "POST /hf-inference/models/a/b/v1/chat/completions"]),
    ],
)  # fmt: skip
def test_endpoint_urls_in_every_form(ask: Ask, url: str, server_kind: Any, expected: list[str]) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.raw_path.decode()}")
        return httpx.Response(200, content=json.dumps(MODELS).encode() if request.method == "GET" else CHAT.content)

    asked: list[str] = []
    if "hf-inference/models/a/b" in url and not url.endswith("v1"):
        with pytest.raises(errors.InputError, match="a chat without a model"):
            ask(server, lambda hf: hf.endpoint(url, server=server_kind).chat_completion(MESSAGES))
        ask(server, lambda hf: hf.endpoint(url).chat_completion(MESSAGES, model="a/b"))
    else:
        ask(server, lambda hf: hf.endpoint(url, server=server_kind).chat_completion(MESSAGES))
    assert asked == expected


def test_the_model_of_an_endpoint(ask: Ask) -> None:
    def body(model: str | None, kind: str) -> Any:
        server = Script(CHAT)
        ask(server, lambda hf: hf.endpoint("https://h", server=kind).chat_completion(MESSAGES, model=model))
        return json.loads(server.requests[-1].content).get("model")

    assert body(None, "tgi") == "tgi"
    assert body("my-adapter", "tgi") == "my-adapter"
    assert body("my-model", "openai") == "my-model"
    assert body(None, "openai") is None  # this server's list of models cannot be read


@pytest.mark.parametrize("kind", ["toolkit", "tei"])
def test_a_toolkit_or_tei_endpoint_serves_one_model(ask: Ask, kind: str) -> None:
    server = Script(VECTOR)
    with pytest.raises(errors.InputError, match="`model` = 'a/b'"):
        ask(server, lambda hf: hf.endpoint("https://h", server=kind).feature_extraction("x", model="a/b"))
    assert not server.requests


def test_what_a_server_cannot_do_is_named(ask: Ask) -> None:
    with pytest.raises(errors.InputError) as caught:
        ask(Script(SUMMARY), lambda hf: hf.endpoint("https://h", server="openai").summarization("x", model="m"))
    assert "summarization: an OpenAI-shaped server cannot carry this task" in str(caught.value)
    assert "It needs hf-inference or an inference-toolkit endpoint" in str(caught.value)


def test_a_url_as_model_is_an_endpoint(ask: Ask) -> None:
    server = Script(NOT_FOUND, NOT_FOUND, SUMMARY)
    ask(server, lambda hf: hf.summarization("x", model="http://127.0.0.1:9/path?key=1"))
    assert [str(request.url) for request in server.requests] == [
        "http://127.0.0.1:9/path/info?key=1", "http://127.0.0.1:9/path/v1/models?key=1", "http://127.0.0.1:9/path?key=1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "url",
    ["", "ftp://h", "h", "http://", "http://u:p@h/", "https://u@h", "http://h:99999", "http://h\nX", "http://[::1"],
)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(errors.ConfigurationError) as caught:
        HfInferenceEndpoint(url)
    assert "u:p" not in str(caught.value) or "credentials" in str(caught.value)
    with pytest.raises(errors.ConfigurationError):
        AsyncHfInferenceEndpoint(url)


def test_contradictions_of_a_client() -> None:
    with pytest.raises(errors.ConfigurationError, match="`base_url` and `provider` = 'local' contradict"):
        HfInference(provider="local", base_url="http://h")
    wrong: Any = "gradio"
    with pytest.raises(errors.ConfigurationError, match="`server` = 'gradio': known are hf-inference, router"):
        HfInferenceEndpoint("http://h", server=wrong)


def test_endpoint_shares_connections_options_and_an_explicit_token() -> None:
    hf = HfInference("hf_explicit", model="a/b").with_options(timeout=3)
    endpoint = hf.endpoint("http://127.0.0.1:1?secret=1")
    assert isinstance(endpoint, HfInferenceEndpoint)
    assert endpoint._http is hf._http  # pyright: ignore[reportPrivateUsage]
    assert endpoint.options.timeout == 3
    assert repr(endpoint) == "HfInferenceEndpoint(url='http://127.0.0.1:1', token=from argument)"
    assert isinstance(AsyncHfInference(False).endpoint("http://127.0.0.1:1"), AsyncHfInferenceEndpoint)


# URLs


@pytest.mark.parametrize(
    ("url", "path", "expected"),
    [
        ("https://h", "/v1/embeddings", "https://h/v1/embeddings"),
        ("https://h/", "/v1/embeddings", "https://h/v1/embeddings"),
        ("https://h/v1", "/v1/embeddings", "https://h/v1/embeddings"),
        ("https://h/v1/embeddings", "/v1/embeddings", "https://h/v1/embeddings"),
        ("https://h/v1/chat/completions?a=1", "/v1/embeddings", "https://h/v1/embeddings?a=1"),
        ("https://h/api/chat/completions", "/v1/completions", "https://h/api/completions"),
        ("https://h/v1/models", "/v1/completions", "https://h/v1/completions"),
        ("https://h/p?a=/v1", "/v1/completions", "https://h/p/v1/completions?a=/v1"),
    ],
)
def test_openai_paths(url: str, path: str, expected: str) -> None:
    assert openai_path(url, path) == expected


@pytest.mark.parametrize(
    ("url", "path", "expected"),
    [
        ("https://h/p/", "", "https://h/p/"),
        ("https://h/p?x=1", "", "https://h/p?x=1"),
        ("https://h/p/?x=1", "/embed", "https://h/p/embed?x=1"),
        ("https://h/v1", "/v1/completions", "https://h/v1/completions"),
    ],
)
def test_urls_of_routes(url: str, path: str, expected: str) -> None:
    assert url_of(Route("toolkit", url), path) == expected


@pytest.mark.parametrize("server", ["openai", "tgi", "tei"])
def test_what_is_no_openai_route_stands_beside_v1(server: Any) -> None:
    for base in ("http://h/a", "http://h/a/", "http://h/a/v1", "http://h/a/v1/"):
        assert url_of(Route(server, f"{base}?x=1"), "/tokenize") == "http://h/a/tokenize?x=1"
    assert url_of(Route("toolkit", "http://h/v1"), "/tokenize") == "http://h/v1/tokenize"


# what a probe carries


GATEWAY = {"X-Gateway": "g", "Authorization": "Basic abc"}


@pytest.mark.parametrize(
    "answers", [[httpx.Response(200, json=TEI_INFO), VECTOR], [NOT_FOUND, httpx.Response(200, json=MODELS), CHAT]]
)
def test_extra_headers_go_with_the_probes_as_well(ask: Ask, answers: list[httpx.Response]) -> None:
    server = Script(*answers)
    call: Call = (
        (lambda hf: hf.feature_extraction("x")) if len(answers) == 2 else (lambda hf: hf.chat_completion(MESSAGES))
    )
    ask(
        server,
        call,
        token="key",
        base_url="http://127.0.0.1:9",
        options=Options(extra_headers=GATEWAY, use_cache=False),
    )
    assert [request.headers["x-gateway"] for request in server.requests] == ["g"] * len(answers)
    assert [request.headers.get_list("authorization") for request in server.requests] == [["Basic abc"]] * len(answers)
