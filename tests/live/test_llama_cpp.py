"""Against two running llama.cpp servers, one for chat and one for embeddings, whose kind the endpoint finds by itself.

What is written down in cases.py is asked of them in test_cases.py; here is what takes a running server.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from urllib.request import urlopen

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference, HfInferenceEndpoint
from hf_tools.errors import InvalidRequest, ServerError
from tests.live.servers import CHAT_MODEL, running

pytestmark = pytest.mark.live

PARIS = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the capital of France?"}]
STORY = [{"role": "user", "content": "Write a very long story."}]
TOO_LONG = [{"role": "user", "content": "word " * 9000}]
DIMENSIONS = 384
HELLO = (-0.03447, 0.03102, 0.00673, 0.02610)
"""The first numbers of the vector of "hello world" by sentence-transformers with the original weights."""


@pytest.fixture(scope="module")
def chat_url() -> Iterator[str]:
    with running("llama-cpp-chat") as url:
        yield url


@pytest.fixture(scope="module")
def embedding_url() -> Iterator[str]:
    with running("llama-cpp-embeddings") as url:
        yield url


@pytest.fixture
def chat(chat_url: str) -> Iterator[HfInferenceEndpoint]:
    with HfInference() as hf:
        yield hf.endpoint(chat_url)


@pytest.fixture
def embedding(embedding_url: str) -> Iterator[HfInferenceEndpoint]:
    with HfInference() as hf:
        yield hf.endpoint(embedding_url)


def busy(url: str) -> int:
    """How many answers the server is writing."""
    with urlopen(f"{url}/slots") as response:
        return sum(bool(slot["is_processing"]) for slot in json.load(response))


def wait_until_idle(url: str) -> None:
    deadline = time.monotonic() + 10
    while busy(url):
        assert time.monotonic() < deadline, "the server is still writing"
        time.sleep(0.02)


def test_chats(chat: HfInferenceEndpoint) -> None:
    answer = chat.chat_completion(PARIS, max_tokens=20, temperature=0)
    assert "Paris" in answer.text
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == CHAT_MODEL
    assert answer.usage is not None
    assert answer.usage.total_tokens == (answer.usage.prompt_tokens or 0) + (answer.usage.completion_tokens or 0)


def test_the_server_is_asked_once_what_it_is(chat_url: str) -> None:
    sent: list[str] = []

    def note(request: httpx.Request) -> None:
        sent.append(f"{request.method} {request.url.path}")

    with httpx.Client(event_hooks={"request": [note]}) as own:
        endpoint = HfInference(http_client=own).endpoint(chat_url)
        for _ in range(2):
            endpoint.chat_completion(PARIS, max_tokens=1)
    assert sent == ["GET /info", "GET /v1/models", *["POST /v1/chat/completions"] * 2]


def test_streams_a_chat_with_usage(chat: HfInferenceEndpoint) -> None:
    with chat.chat_completion_stream(PARIS, max_tokens=20, temperature=0) as stream:
        parts = list(stream)
    texts = [part.text for part in parts if part.text]
    assert len(texts) > 3
    assert "".join(texts) == stream.final.text == chat.chat_completion(PARIS, max_tokens=20, temperature=0).text
    assert stream.usage["completion_tokens"] == pytest.approx(len(texts), abs=2)
    assert not stream.interrupted


def test_completes_text(chat: HfInferenceEndpoint) -> None:
    answer = chat.text_generation("The capital of France is", max_new_tokens=4, temperature=0)
    assert "Paris" in answer.generated_text
    assert answer.finish_reason == "length"


def test_streams_a_completion_with_usage(chat: HfInferenceEndpoint) -> None:
    with chat.text_generation_stream("The capital of France is", max_new_tokens=4, temperature=0) as stream:
        text = "".join(part.text for part in stream)
    assert text == stream.final.generated_text
    assert "Paris" in text
    assert stream.usage["completion_tokens"] == 4


def test_leaving_a_stream_frees_its_place(chat: HfInferenceEndpoint, chat_url: str) -> None:
    with chat.chat_completion_stream(STORY, max_tokens=3000) as stream:
        next(stream)
        assert busy(chat_url) == 1
    wait_until_idle(chat_url)
    with chat.text_generation_stream("Once upon a time", max_new_tokens=3000) as other:
        next(other)
        assert busy(chat_url) == 1
    wait_until_idle(chat_url)


def test_a_prompt_beyond_the_context_is_refused_with_the_servers_reason(chat: HfInferenceEndpoint) -> None:
    with pytest.raises(InvalidRequest, match=r"^400 .*exceeds the available context size") as refused:
        chat.chat_completion(TOO_LONG)
    assert refused.value.status == 400
    assert refused.value.code == "exceed_context_size_error"
    assert refused.value.attempts == 1
    with pytest.raises(InvalidRequest, match="exceeds the available context size"):
        next(chat.chat_completion_stream(TOO_LONG))


def test_a_chat_server_that_has_no_embeddings_says_so(chat: HfInferenceEndpoint) -> None:
    with pytest.raises(ServerError, match=r"^501 .*does not support embeddings") as refused:
        chat.feature_extraction("text")
    assert refused.value.status == 501
    assert refused.value.task == "feature-extraction"


def test_embeds(embedding: HfInferenceEndpoint) -> None:
    one = embedding.feature_extraction("A fox crossed the road.")
    assert one.shape == (1, DIMENSIONS)
    several = embedding.feature_extraction(["A fox crossed the road.", "Interest rates rose."])
    first, second = several.vectors()
    assert first == pytest.approx(one.vectors()[0], abs=1e-4)
    assert math.hypot(*first) == pytest.approx(1, abs=1e-3)
    assert sum(a * b for a, b in zip(first, second, strict=True)) < 0.5


def test_the_converted_model_is_the_original(embedding: HfInferenceEndpoint) -> None:
    (vector,) = embedding.feature_extraction("hello world").vectors()
    # stored in 16 bits
    assert vector[:4] == pytest.approx(HELLO, abs=5e-4)


def test_embeds_in_base64(embedding: HfInferenceEndpoint) -> None:
    texts = ["A fox.", "A road."]
    plain = embedding.feature_extraction(texts, encoding_format="float")
    coded = embedding.feature_extraction(texts, encoding_format="base64")
    for a, b in zip(plain.vectors(), coded.vectors(), strict=True):
        assert a == pytest.approx(b, abs=1e-6)


async def test_all_of_it_awaited(chat_url: str, embedding_url: str) -> None:
    async with AsyncHfInference() as hf:
        chat = hf.endpoint(chat_url)
        answer = await chat.chat_completion(PARIS, max_tokens=20, temperature=0)
        async with chat.chat_completion_stream(PARIS, max_tokens=20, temperature=0) as stream:
            texts = [part.text async for part in stream]
        assert "".join(texts) == answer.text
        assert stream.usage["completion_tokens"] > 3
        whole = await chat.text_generation("The capital of France is", max_new_tokens=4, temperature=0)
        parts = chat.text_generation_stream("The capital of France is", max_new_tokens=4, temperature=0)
        assert (await parts.read()).generated_text == whole.generated_text
        features = await hf.endpoint(embedding_url).feature_extraction(["A fox.", "A road."])
        assert features.shape == (2, DIMENSIONS)


async def test_errors_awaited(chat_url: str) -> None:
    async with AsyncHfInference() as hf:
        chat = hf.endpoint(chat_url)
        with pytest.raises(InvalidRequest, match="exceeds the available context size"):
            await chat.chat_completion(TOO_LONG)
        with pytest.raises(ServerError, match="501"):
            await chat.feature_extraction("text")


async def test_leaving_an_awaited_stream_frees_its_place(chat_url: str) -> None:
    async with AsyncHfInference() as hf:
        async with hf.endpoint(chat_url).chat_completion_stream(STORY, max_tokens=3000) as stream:
            await anext(stream)
            assert busy(chat_url) == 1
        wait_until_idle(chat_url)
