"""The part of the script for production that asks each provider, without production."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from hf_tools import HfInference
from hf_tools.providers import PROVIDERS
from tests.live import production

Capture = pytest.CaptureFixture[str]
CHAT = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Bonjour"}, "finish_reason": "stop"}]}


class Production:
    """The Hub lists `org/model` for each provider; the router chats, and wavespeed refuses to draw."""

    def __init__(self, *listed: str) -> None:
        self.listed = listed or ("org/model",)
        self.posts: list[tuple[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer hf_test"
        if request.url.path == "/api/models":
            assert request.url.params["limit"] == "1"
            return httpx.Response(200, json=[{"id": name} for name in self.listed])
        if request.method == "GET":
            served = {"wavespeed": {"providerId": "ws/model", "status": "live", "task": "text-to-image"}}
            return httpx.Response(200, json={"id": "org/model", "inferenceProviderMapping": served})
        self.posts.append((request.url.path, json.loads(request.content)))
        if request.url.path == "/v1/chat/completions":
            return httpx.Response(200, json=CHAT)
        return httpx.Response(402, json={"error": "You have exceeded your monthly included credits"})

    def client(self, provider: str) -> HfInference:
        """A client of one provider, in this world."""
        http = httpx.Client(transport=httpx.MockTransport(self))
        return HfInference("hf_test", provider=provider, http_client=http)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_test")


def cells(out: str) -> list[list[str]]:
    """The rows of the table, each in its cells."""
    return [re.split(r" {2,}", row) for row in out.splitlines()[2:-1]]


def test_each_provider_that_takes_our_token_is_asked_for_something_that_it_has() -> None:
    assert set(production.PROVIDED) == set(PROVIDERS) - {"auto", "hf-inference", "local", "openai"}
    drawn = {name for name, (task, _) in production.PROVIDED.items() if task == "text_to_image"}
    assert drawn == {"fal-ai", "nscale", "replicate", "together", "wavespeed", "zai-org"}
    assert {task for task, _ in production.PROVIDED.values()} == {"text_to_image", "chat_completion"}


@pytest.mark.usefixtures("token")
def test_one_call_for_each(capsys: Capture) -> None:
    world = Production()
    assert production.providers(["groq", "wavespeed"], world.client) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[0].startswith("hf-tools ")
    groq, wavespeed = cells(out)
    assert groq[:4] == ["chat_completion", "org/model", "groq", "ok"]
    assert groq[5] == "Bonjour"
    assert wavespeed[:4] == ["text_to_image", "org/model", "wavespeed", "402"]
    assert "exceeded your monthly included credits" in wavespeed[5]
    assert out.splitlines()[-1] == "1 of 2 answered"
    (path, chat), (drawing, _) = world.posts
    assert (path, chat["model"], chat["max_tokens"]) == ("/v1/chat/completions", "org/model:groq", 200)
    assert drawing.startswith("/wavespeed/")


@pytest.mark.usefixtures("token")
def test_a_provider_without_models_or_with_a_broken_list_is_a_row_too(capsys: Capture) -> None:
    def empty(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[])

    def broken(_: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"error": "Invalid credentials"})

    answers: dict[str, Callable[[httpx.Request], httpx.Response]] = {"groq": empty, "cohere": broken}

    def client(provider: str) -> HfInference:
        http = httpx.Client(transport=httpx.MockTransport(answers[provider]))
        return HfInference("hf_test", provider=provider, http_client=http)

    assert production.providers(["groq", "cohere"], client) == 1
    groq, cohere, *_ = capsys.readouterr().out.splitlines()[2:]
    assert re.fullmatch(r"chat_completion +groq +no model +0\.00 +the Hub lists none of this provider's", groq)
    assert re.fullmatch(r"chat_completion +cohere +401 +0\.00 +401 Invalid credentials", cohere)


NAMED: list[tuple[list[str], list[tuple[str, list[str]]]]] = [
    ([], [("tasks", []), ("providers", [*production.PROVIDED])]),
    (["groq"], [("providers", ["groq"])]),
    (["translation"], [("tasks", ["translation"])]),
    (["translation", "groq"], [("tasks", ["translation"]), ("providers", ["groq"])]),
]


@pytest.mark.parametrize(("arguments", "expected"), NAMED)
@pytest.mark.usefixtures("token")
def test_what_is_named_is_asked(
    arguments: list[str], expected: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, list[str]]] = []

    def standing(kind: str, code: int) -> Callable[[Sequence[str]], int]:
        def note(names: Sequence[str]) -> int:
            asked.append((kind, [*names]))
            return code

        return note

    monkeypatch.setattr(production, "main", standing("tasks", 0))
    monkeypatch.setattr(production, "providers", standing("providers", 1))
    assert production.everything(arguments) == int(expected[-1][0] == "providers")
    assert asked == expected


@pytest.mark.parametrize("arguments", [[], ["groq"], ["translation"]])
def test_without_a_token_it_is_skipped(arguments: list[str], capsys: Capture) -> None:
    assert production.everything(arguments) == 0
    assert capsys.readouterr().out == "skipped: HF_TOKEN is not set\n"


def test_a_client_of_its_own_is_pinned() -> None:
    with production.pinned("groq") as hf:
        assert (hf.options.timeout, hf.options.max_retries) == (120, 1)
