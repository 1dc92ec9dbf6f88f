"""Questions beside the tasks: who serves a model, and which models there are for a task."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from time import time
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference, Options, errors
from hf_tools.mapping import Served
from hf_tools.steps import Settings
from tests.providers.conftest import HF_KEY, HUB, MODEL, OWN_KEY

SERVED: Any = {
    "id": MODEL,
    "inferenceProviderMapping": [
        {"provider": "fal-ai", "providerId": "fal-ai/flux", "status": "live", "task": "text-to-image"},
        {"provider": "unheard-of", "providerId": "x", "status": "error", "task": "text-to-image"},
    ],
}
FOUND: Any = [{"_id": "1", "id": "org/a", "likes": 3}, {"_id": "2", "id": "org/b"}]
MODELS = "https://huggingface.co/api/models"


class Hub:
    """Answers in order, the last one again and again; calls by the blocking or by the awaiting client."""

    def __init__(self, kind: str) -> None:
        self.kind, self.provider = kind, "auto"
        self.answers: list[Any] = []
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return httpx.Response(200, json=answer)

    def ask(self, name: str, *args: Any, key: str | bool = HF_KEY, retries: int = 0, **given: Any) -> Any:
        settings: Any = {"provider": self.provider, "options": Options(max_retries=retries, bill_to="acme")}
        transport = httpx.MockTransport(self)
        if self.kind == "sync":
            return getattr(HfInference(key, http_client=httpx.Client(transport=transport), **settings), name)(
                *args, **given
            )

        async def call() -> Any:
            hf = AsyncHfInference(key, http_client=httpx.AsyncClient(transport=transport), **settings)
            return await getattr(hf, name)(*args, **given)

        return asyncio.run(call())

    @property
    def urls(self) -> list[str]:
        return [str(request.url) for request in self.requests]


@pytest.fixture(params=["sync", "async"])
def hub(request: pytest.FixtureRequest) -> Hub:
    return Hub(request.param)


@pytest.mark.parametrize("model", [MODEL, f"{MODEL}:fal-ai"])
def test_who_serves_a_model(hub: Hub, model: str) -> None:
    hub.answers = [SERVED]
    assert hub.ask("who_serves", model) == [
        Served("fal-ai", "fal-ai/flux", "text-to-image", "live"), Served("unheard-of", "x", "text-to-image", "error"),
    ]  # fmt: skip
    assert hub.urls == [HUB]


def test_an_endpoint_can_ask_too(hub: Hub) -> None:
    hub.answers = [SERVED]
    hf = HfInference(HF_KEY, http_client=httpx.Client(transport=httpx.MockTransport(hub)))
    assert hf.endpoint("https://mine.example").who_serves(MODEL)[0].provider == "fal-ai"
    assert hub.urls == [HUB]


@pytest.mark.parametrize("model", ["../evil", "https://evil.example/x", "", None, 7])
def test_who_serves_takes_a_model_id(hub: Hub, model: Any) -> None:
    with pytest.raises(errors.InputError, match=r"^who_serves: `model` = .*: expected `name`, `org/name`"):
        hub.ask("who_serves", model)
    assert hub.urls == []


SORTED = "sort=trendingScore&limit"
LISTS: list[tuple[str, dict[str, Any], str]] = [
    ("text-to-image", {"limit": 1000}, f"pipeline_tag=text-to-image&inference_provider=all&{SORTED}=1000"),
    ("text_to_image", {"provider": "fal-ai"}, f"pipeline_tag=text-to-image&inference_provider=fal-ai&{SORTED}=30"),
    (
        "translation", {"provider": "hf-inference", "limit": 1},
        f"pipeline_tag=translation&inference_provider=hf-inference&{SORTED}=1",
    ),
    *(
        (chat, {"limit": 9}, f"pipeline_tag=text-generation&inference_provider=all&other=conversational&{SORTED}=9")
        for chat in ("chat_completion", "chat-completion", "conversational")
    ),
    ("a&b=c", {}, "pipeline_tag=a%26b%3Dc&inference_provider=all&sort=trendingScore&limit=30"),
]  # fmt: skip


@pytest.mark.parametrize(("task", "given", "query"), LISTS)
def test_lists_models(hub: Hub, task: str, given: dict[str, Any], query: str) -> None:
    hub.answers = [FOUND]
    assert hub.ask("list_models", task, **given) == ["org/a", "org/b"]
    assert hub.urls == [f"{MODELS}?{query}"]
    assert hub.requests[0].headers["authorization"] == f"Bearer {HF_KEY}"
    assert "x-hf-bill-to" not in hub.requests[0].headers


def test_no_model_at_all(hub: Hub) -> None:
    hub.answers = [[]]
    assert hub.ask("list_models", "translation", "groq") == []


@pytest.mark.parametrize("key", [OWN_KEY, False])
def test_no_other_key_goes_to_the_hub(hub: Hub, key: str | bool) -> None:
    hub.answers, hub.provider = [FOUND], "groq"
    hub.ask("list_models", "translation", key=key)
    assert "authorization" not in hub.requests[0].headers


@pytest.mark.parametrize("provider", ["evil", "auto", "local", "x" * 100, 7])
def test_lists_models_of_a_known_provider(hub: Hub, provider: Any) -> None:
    with pytest.raises(errors.InputError, match=r"^list_models: `provider` = .*: known are hf-inference, baseten, "):
        hub.ask("list_models", "translation", provider)
    assert hub.urls == []


@pytest.mark.parametrize("limit", [0, -1, 1001, True, 2.0, "7", None])
def test_lists_a_number_of_models(hub: Hub, limit: Any) -> None:
    with pytest.raises(errors.InputError) as caught:
        hub.ask("list_models", "translation", limit=limit)
    assert caught.value.message == f"list_models: `limit` = {limit!r}: must be a whole number from 1 to 1000"
    assert hub.urls == []


@pytest.mark.parametrize("task", ["", None, 7])
def test_lists_models_for_a_task(hub: Hub, task: Any) -> None:
    with pytest.raises(errors.InputError) as caught:
        hub.ask("list_models", task)
    assert caught.value.message == f"list_models: `task` = {task!r}: expected the name of a task, as 'text-to-image'"
    assert hub.urls == []


BAD: list[tuple[Any, type[errors.HfError], str]] = [
    (httpx.Response(400, json={"error": "Invalid pipeline_tag"}), errors.InvalidRequest, "400 Invalid pipeline_tag"),
    (httpx.Response(401, json={"error": f"Bad {HF_KEY}"}), errors.AuthenticationError, "401 Bad ***"),
    (httpx.Response(500, json={"error": "Internal"}), errors.ServerError, "500 Internal"),
    (httpx.Response(302, headers={"location": "/login"}), errors.UnexpectedStatus, "302"),
    ({"id": "x"}, errors.ShapeError, 'a list of models was asked for, and {"id": "x"} came'),
    ([{"id": 7}], errors.ShapeError, 'a list of models was asked for, and [{"id": 7}] came'),
    ({"error": "no"}, errors.ReportedError, "the server answered 200 with an error: no"),
]


@pytest.mark.parametrize(("answer", "kind", "message"), BAD)
def test_a_list_that_does_not_come(hub: Hub, answer: Any, kind: type[errors.HfError], message: str) -> None:
    hub.answers = [answer]
    with pytest.raises(errors.HfError) as caught:
        hub.ask("list_models", "translation")
    assert (type(caught.value), caught.value.message) == (kind, message)
    assert HF_KEY not in repr(vars(caught.value))
    assert len(hub.urls) == 1


def test_a_busy_hub_is_asked_again(hub: Hub, no_waiting: list[float]) -> None:
    hub.answers = [httpx.Response(429, headers={"retry-after": "2"}), FOUND]
    assert hub.ask("list_models", "translation", retries=1) == ["org/a", "org/b"]
    assert no_waiting == [2.0]


def test_the_time_that_a_failing_hub_asks_for(hub: Hub) -> None:
    later = formatdate(time() + 30, usegmt=True)
    hub.answers = [httpx.Response(500, headers={"retry-after": later})]
    with pytest.raises(errors.ServerError) as caught:
        hub.ask("list_models", "translation")
    assert 0 < (caught.value.retry_after or 0) < 31


@pytest.mark.parametrize(("name", "about"), [("who_serves", MODEL), ("list_models", "translation")])
def test_the_embedded_backend_asks_nobody(name: str, about: str) -> None:
    for kind in (HfInference, AsyncHfInference):
        hf = kind.__new__(kind)  # without the extra that the backend needs
        hf._settings = Settings(provider="local")  # pyright: ignore[reportPrivateUsage]
        vars(hf)["_http"] = Driver()
        with pytest.raises(errors.InputError, match="the embedded backend does not ask the Hub"):
            getattr(hf, name)(about) if kind is HfInference else asyncio.run(getattr(hf, name)(about))


class Driver:
    """Runs the steps, of which there must be none."""

    def drive(self, steps: Any, held: Any) -> Any:
        next(steps)
