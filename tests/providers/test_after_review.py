"""Keys, paid results and the Hub's refusals: what went wrong once."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from hf_tools import HfInference
from hf_tools.errors import (
    AuthenticationError,
    ConfigurationError,
    HfError,
    InputError,
    JobTimeout,
    MediaError,
    NotFound,
    PaymentRequired,
    PermissionDenied,
    ServerError,
)
from tests.providers.conftest import HF_KEY, OWN_KEY, World

HI = [{"role": "user", "content": "Hi"}]
CHAT = {"choices": [{"message": {"content": "Hi"}}]}
DONE = {"status": "COMPLETED"}
BEGUN = {"request_id": "r1", "response_url": "https://queue.fal.run/fal-ai/its/requests/r1"}
PICTURE = {"images": [{"url": "https://fal.media/fox.png"}]}


@pytest.mark.parametrize("key", [HF_KEY, OWN_KEY])
def test_the_key_of_a_provider_goes_to_no_other_address(key: str) -> None:
    there = World("groq", "conversational", "its", CHAT)
    with there.client(key) as hf:
        with pytest.raises(ConfigurationError, match="`model` is a URL, and the client's provider is 'groq'"):
            hf.chat_completion(HI, model="https://elsewhere.example/v1")
        with pytest.raises(ConfigurationError, match="a client of the provider 'groq' has no endpoints"):
            hf.endpoint("https://elsewhere.example/v1")
    assert there.requests == []


@pytest.mark.parametrize(("status", "kind"), [(402, PaymentRequired), (403, PermissionDenied)])
def test_the_account_of_an_own_key_is_the_providers(status: int, kind: type[HfError]) -> None:
    refusal = httpx.Response(status, json={"error": "no"})
    for key, hint in (
        (OWN_KEY, "account of your own key at groq"),
        (HF_KEY, "hf|Hugging|settings|Inference Providers"),
    ):
        with pytest.raises(kind) as caught:
            World("groq", "conversational", "its", refusal).client(key).chat_completion(HI)
        assert caught.value.hint is not None
        assert any(part in caught.value.hint for part in hint.split("|"))


def test_a_provider_that_is_named_twice_is_no_contradiction() -> None:
    there = World("groq", "conversational", "its", CHAT)
    assert there.client(OWN_KEY).chat_completion(HI, model="org/model:groq").text == "Hi"
    assert there.sent == [("POST", "https://api.groq.com/openai/v1/chat/completions")]
    assert there.body["model"] == "its"


def test_a_job_that_is_resumed_is_as_old_as_it_is() -> None:
    there = World("fal-ai", "text-to-image", "fal-ai/its", BEGUN, {"status": "IN_QUEUE"})
    with there.client(HF_KEY, timeout=0.3) as hf:
        with pytest.raises(JobTimeout) as first:
            hf.text_to_image("a fox")
        with pytest.raises(JobTimeout) as second:
            hf.resume(first.value.handle)
    assert second.value.handle.started == first.value.handle.started


def test_a_result_that_cannot_be_downloaded_may_be_asked_for_again() -> None:
    there = World("fal-ai", "text-to-image", "fal-ai/its", BEGUN, DONE, PICTURE, httpx.Response(403, text="no"))
    with there.client(HF_KEY) as hf:
        with pytest.raises(MediaError, match="the result cannot be downloaded: 403") as caught:
            hf.text_to_image("a fox")
        handle = vars(caught.value)["handle"]
        there.answers = [PICTURE, httpx.Response(200, content=b"\x89PNG\r\n\x1a\n0000")]
        assert hf.resume(handle).mime_type == "image/png"


@pytest.mark.parametrize("status", [401, 403])
def test_what_the_hub_does_not_show_without_a_token_is_not_there(status: int) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json={"error": "Repository not found"})

    def ask(key: str | bool) -> Any:
        with httpx.Client(transport=httpx.MockTransport(answer)) as http:
            return HfInference(key, provider="fal-ai", http_client=http).text_to_image("a fox", model="a/typo")

    for key in (OWN_KEY, False):
        with pytest.raises(NotFound, match=f"{status} the Hub has no model a/typo, or does not show it"):
            ask(key)
    with pytest.raises((AuthenticationError, PermissionDenied)):
        ask(HF_KEY)


def test_a_hub_that_stumbles_is_asked_again_and_named() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(502, text="gateway")

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        hf = HfInference(HF_KEY, http_client=http)
        with pytest.raises(ServerError) as caught:
            hf.who_serves("a/b")
        with pytest.raises(ServerError):
            hf.list_models("text-to-image")
    assert caught.value.url == "https://huggingface.co/api/models/a/b"
    assert len(asked) == 6


@pytest.mark.parametrize("name", ["../novita/x", "a{b}/c", "a?b", "a b", "a\x1b[31m", ""])
def test_names_that_would_change_the_address_are_left_out(name: str) -> None:
    there = World("fal-ai", "text-to-image", name, PICTURE)
    with pytest.raises(InputError, match="fal-ai does not serve org/model"):
        there.client(HF_KEY).text_to_image("a fox")
    assert there.requests == []


def test_a_renamed_model_is_asked_for_by_its_name_of_today() -> None:
    there = World("hf-inference", "text-to-image", "new/name", httpx.Response(200, content=b"\x89PNG\r\n\x1a\n0000"))
    there.mapping["id"], there.provider = "new/name", "auto"
    there.client(HF_KEY).text_to_image("a fox")
    assert there.sent == [("POST", "https://router.huggingface.co/hf-inference/models/new/name")]
