"""The providers' routes in OpenAI's form: each task at each of them, by the router and with a key of the provider."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from hf_tools import HfInference
from hf_tools.errors import ConfigurationError, InputError
from hf_tools.providers.rows import ROWS
from tests.providers.conftest import HF_KEY, HUB, MODEL, OWN_KEY, Make

ROUTER = "https://router.huggingface.co"
CHAT = "/v1/chat/completions"
WRITE, LISTEN, SPEAK, EMBED, DRAW = (
    "text-generation", "automatic-speech-recognition", "text-to-speech", "feature-extraction", "text-to-image",
)  # fmt: skip

ADDRESSES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "baseten": ("https://inference.baseten.co", {"chat-completion": CHAT}),
    "cerebras": ("https://api.cerebras.ai", {"chat-completion": CHAT}),
    "cohere": ("https://api.cohere.com", {"chat-completion": "/compatibility/v1/chat/completions"}),
    "deepinfra": ("https://api.deepinfra.com", {
        "chat-completion": "/v1/openai/chat/completions", WRITE: "/v1/openai/completions",
        LISTEN: "/v1/openai/audio/transcriptions", SPEAK: "/v1/openai/audio/speech", EMBED: "/v1/openai/embeddings",
    }),
    "featherless-ai": ("https://api.featherless.ai", {"chat-completion": CHAT, WRITE: "/v1/completions"}),
    "fireworks-ai": ("https://api.fireworks.ai", {"chat-completion": "/inference/v1/chat/completions"}),
    "groq": ("https://api.groq.com", {"chat-completion": "/openai/v1/chat/completions"}),
    "novita": ("https://api.novita.ai", {
        "chat-completion": "/v3/openai/chat/completions", WRITE: "/v3/openai/completions",
    }),
    "nscale": ("https://inference.api.nscale.com", {"chat-completion": CHAT, DRAW: "/v1/images/generations"}),
    "openai": ("https://api.openai.com", {"chat-completion": CHAT}),
    "ovhcloud": ("https://oai.endpoints.kepler.ai.cloud.ovh.net", {"chat-completion": CHAT, WRITE: "/v1/completions"}),
    "publicai": ("https://api.publicai.co", {"chat-completion": CHAT}),
    "scaleway": ("https://api.scaleway.ai", {
        "chat-completion": CHAT, WRITE: "/v1/completions", EMBED: "/v1/embeddings",
    }),
    "together": ("https://api.together.xyz", {
        "chat-completion": CHAT, WRITE: "/v1/completions", EMBED: "/v1/embeddings", SPEAK: "/v1/audio/speech",
        LISTEN: "/v1/audio/transcriptions",
    }),
    "zai-org": ("https://api.z.ai", {"chat-completion": "/api/paas/v4/chat/completions"}),
}  # fmt: skip
PAIRS = [(provider, task) for provider, (_, routes) in ADDRESSES.items() for task in routes]
CHATS = [provider for provider, task in PAIRS if task == "chat-completion" and provider != "openai"]
OTHERS = [pair for pair in PAIRS if pair[1] != "chat-completion"]
MARKS = {"zai-org": {"x-source-channel": "hugging_face", "accept-language": "en-US,en"}}
"""What a provider wants to be sent besides the key."""

PNG, WAV = b"\x89PNG\r\n\x1a\n\x00\x00", b"RIFF\x24\x00\x00\x00WAVEfmt "
MESSAGES = [{"role": "user", "content": "What does a fox eat?"}]
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
]
CHAT_GIVEN: dict[str, Any] = {
    "frequency_penalty": 0.1, "logit_bias": {"5": -100}, "logprobs": True, "max_tokens": 9, "n": 1,
    "parallel_tool_calls": False, "presence_penalty": 0.2, "reasoning_effort": "low", "seed": 7, "stop": ["."],
    "response_format": {"type": "text"}, "temperature": 0.5, "tool_choice": "auto", "tools": TOOLS,
    "top_logprobs": 2, "top_p": 0.9,
}  # fmt: skip
CHAT_ANSWER = {
    "id": "c1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Mice."}}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
}  # fmt: skip
WRITTEN: dict[str, Any] = {
    "frequency_penalty": 0.1, "repetition_penalty": 1.1, "seed": 7, "temperature": 0.5, "top_k": 5, "top_p": 0.9,
    "typical_p": 0.8, "best_of": 2,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A task with all that an OpenAI-shaped server can be told: the call, its body, an answer, what comes of it."""

    call: Callable[[HfInference], Any]
    body: Mapping[str, Any]
    answer: Any
    read: Callable[[Any], Any]
    read_as: Any


CASES: Mapping[str, Case] = {
    "chat-completion": Case(
        lambda client: client.chat_completion(MESSAGES, **CHAT_GIVEN, extra_body={"x": 1}),
        {"messages": MESSAGES, **CHAT_GIVEN, "x": 1}, CHAT_ANSWER,
        lambda answer: (answer.choices[0].message.content, answer.usage.total_tokens), ("Mice.", 7),
    ),
    WRITE: Case(
        lambda client: client.text_generation(
            "A fox", **WRITTEN, max_new_tokens=9, num_return_sequences=1, return_full_text=True, stop_sequences=["."],
            extra_body={"x": 1},
        ),
        {"prompt": "A fox", **WRITTEN, "max_tokens": 9, "n": 1, "echo": True, "stop": ["."], "x": 1},
        {"choices": [{"index": 0, "text": " runs", "finish_reason": "eos", "seed": 9313781139405380000}]},
        lambda answer: (answer.generated_text, answer.finish_reason), (" runs", "eos"),
    ),
    EMBED: Case(
        lambda client: client.feature_extraction(["a", "b"], dimensions=2, encoding_format="float"),
        {"input": ["a", "b"], "dimensions": 2, "encoding_format": "float"},
        {"data": [{"index": 1, "embedding": [3.0, 4.0]}, {"index": 0, "embedding": [1.0, 2.0]}]},
        lambda answer: answer.vectors(), [[1.0, 2.0], [3.0, 4.0]],
    ),
    SPEAK: Case(
        lambda client: client.text_to_speech(
            "Hello", voice="af_alloy", response_format="wav", speed=1.5, extra_body={"x": 1}
        ),
        {"input": "Hello", "voice": "af_alloy", "response_format": "wav", "speed": 1.5, "x": 1},
        httpx.Response(200, content=WAV, headers={"content-type": "application/octet-stream"}),
        lambda answer: (answer.data, answer.mime_type), (WAV, "audio/wav"),
    ),
    DRAW: Case(
        lambda client: client.text_to_image("a fox", width=512, height=768, extra_body={"x": 1}),
        {"prompt": "a fox", "response_format": "b64_json", "size": "512x768", "x": 1},
        {"data": [{"b64_json": base64.b64encode(PNG).decode()}]},
        lambda answer: (answer.data, answer.mime_type), (PNG, "image/png"),
    ),
    LISTEN: Case(
        lambda client: client.automatic_speech_recognition(
            WAV, return_timestamps="word", extra_body={"language": "en", "prompt_ids": [1]}
        ),
        {
            "response_format": "verbose_json", "timestamp_granularities[]": "word", "language": "en",
            "prompt_ids": "[1]", "file": WAV,
        },
        {"text": "A man.", "segments": [{"id": 0, "start": 0.0, "end": 1.5, "text": "A man."}]},
        lambda answer: (answer.text, [(chunk.text, chunk.timestamp) for chunk in answer.chunks]),
        ("A man.", [("A man.", (0.0, 1.5))]),
    ),
}  # fmt: skip


def fields(request: httpx.Request) -> dict[str, Any]:
    """What a request says: its JSON, or the parts of a form by name (the file as bytes)."""
    kind = request.headers["content-type"]
    if kind == "application/json":
        found: dict[str, Any] = json.loads(request.content)
        return found
    assert kind.startswith("multipart/form-data; boundary=")
    parts: dict[str, Any] = {}
    for part in request.content.split(b"--" + kind.partition("boundary=")[2].encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        content = content.removesuffix(b"\r\n")
        parts[name] = content if name == "file" else content.decode()
    return parts


def hub_task(task: str) -> str:
    """How the Hub's mapping calls a task."""
    return "conversational" if task == "chat-completion" else task


def asked_hub(requests: list[httpx.Request]) -> list[tuple[str, str | None]]:
    """The questions to the Hub, with the key that each carried."""
    return [(str(request.url), request.headers.get("authorization")) for request in requests]


def test_the_table_has_exactly_these_routes() -> None:
    assert {name: (row.base, dict(row.openai)) for name, row in ROWS.items() if row.openai} == {
        name: (base, dict(routes)) for name, (base, routes) in ADDRESSES.items()
    }
    assert {name: row.scheme for name, row in ROWS.items() if row.openai} == dict.fromkeys(ADDRESSES, "Bearer")


@pytest.mark.parametrize("provider", CHATS)
def test_chat_goes_through_the_router_without_a_mapping(world: Make, provider: str) -> None:
    case = CASES["chat-completion"]
    there = world(provider, "conversational", "its/own", case.answer)
    assert case.read(case.call(there.client(HF_KEY, bill_to="acme"))) == case.read_as
    assert there.sent == [("POST", f"{ROUTER}/v1/chat/completions")]
    assert there.body == {"model": f"{MODEL}:{provider}", **case.body}
    assert next(iter(there.body)) == "model"
    assert there.requests[0].headers["authorization"] == f"Bearer {HF_KEY}"
    assert there.requests[0].headers["x-hf-bill-to"] == "acme"
    assert there.asked == []


@pytest.mark.parametrize(("provider", "task"), OTHERS)
def test_other_tasks_go_through_the_router(world: Make, provider: str, task: str) -> None:
    case, (_, routes) = CASES[task], ADDRESSES[provider]
    there = world(provider, task, "its/own", case.answer)
    assert case.read(case.call(there.client(HF_KEY, bill_to="acme"))) == case.read_as
    assert there.sent == [("POST", f"{ROUTER}/{provider}{routes[task]}")]
    assert fields(there.requests[0]) == {"model": "its/own", **case.body}
    assert there.requests[0].headers["authorization"] == f"Bearer {HF_KEY}"
    assert there.requests[0].headers["x-hf-bill-to"] == "acme"
    assert asked_hub(there.asked) == [(HUB, f"Bearer {HF_KEY}")]


@pytest.mark.parametrize(("provider", "task"), PAIRS)
def test_a_key_of_its_own_goes_to_the_provider_alone(world: Make, provider: str, task: str) -> None:
    case, (base, routes) = CASES[task], ADDRESSES[provider]
    there = world(provider, hub_task(task), "its/own", case.answer)
    assert case.read(case.call(there.client(OWN_KEY, bill_to="acme"))) == case.read_as
    assert there.sent == [("POST", base + routes[task])]
    assert fields(there.requests[0]) == {"model": MODEL if provider == "openai" else "its/own", **case.body}
    headers = there.requests[0].headers
    assert headers["authorization"] == f"Bearer {OWN_KEY}"
    assert "x-hf-bill-to" not in headers
    assert {name: headers.get(name) for name in MARKS["zai-org"]} == MARKS.get(
        provider, dict.fromkeys(MARKS["zai-org"])
    )
    assert asked_hub(there.asked) == ([] if provider == "openai" else [(HUB, None)])


@pytest.mark.parametrize("key", [HF_KEY, OWN_KEY])
@pytest.mark.parametrize("provider", CHATS)
def test_chat_streams(world: Make, provider: str, key: str) -> None:
    chunks: list[Any] = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in ("Mi", "ce.")]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    stream = httpx.Response(200, content=events.encode(), headers={"content-type": "text/event-stream"})
    there = world(provider, "conversational", "its/own", stream)
    parts = [*there.client(key).chat_completion_stream(MESSAGES)]
    assert ([part.text for part in parts], parts[-1].finish_reason) == (["Mi", "ce.", ""], "stop")
    base, routes = ADDRESSES[provider]
    direct, model = base + routes["chat-completion"], f"{MODEL}:{provider}"
    assert there.sent == [("POST", f"{ROUTER}/v1/chat/completions" if key == HF_KEY else direct)]
    assert there.body == {
        "model": model if key == HF_KEY else "its/own", "messages": MESSAGES, "stream": True,
        "stream_options": {"include_usage": True},
    }  # fmt: skip


@pytest.mark.parametrize(("model", "sent"), [("openai/gpt-oss-120b", "gpt-oss-120b"), ("gpt-4o", "gpt-4o")])
def test_openai_takes_the_name_of_the_model_as_it_is(world: Make, model: str, sent: str) -> None:
    there = world("openai", "conversational", "unused", CHAT_ANSWER)
    answer = there.client(OWN_KEY).chat_completion(MESSAGES, model=model)
    assert answer.choices[0].message.content == "Mice."
    assert there.body == {"model": sent, "messages": MESSAGES}
    assert there.asked == []


@pytest.mark.parametrize("key", [HF_KEY, False], ids=["hf", "none"])
def test_openai_needs_a_key_of_its_own(world: Make, key: str | bool) -> None:
    there = world("openai", "conversational", "unused", CHAT_ANSWER)
    with pytest.raises(ConfigurationError, match="provider 'openai' needs a key of its own") as caught:
        there.client(key).chat_completion(MESSAGES)
    assert caught.value.hint == "Pass the provider's key as `token`"
    assert (there.requests, there.asked) == ([], [])


@pytest.mark.parametrize("key", [HF_KEY, OWN_KEY])
@pytest.mark.parametrize("provider", CHATS)
def test_a_model_that_is_there_for_another_task_is_refused(world: Make, provider: str, key: str) -> None:
    there = world(provider, "conversational", "its/own", CHAT_ANSWER)
    with pytest.raises(InputError) as caught:
        there.client(key).text_to_image("a fox")
    assert caught.value.message == f"text_to_image: {provider} does not serve {MODEL} for this task"
    assert caught.value.hint == f"It is served by {provider} (conversational, live)"
    assert there.requests == []


def test_openai_has_chat_only(world: Make) -> None:
    there = world("openai", DRAW, "unused", CHAT_ANSWER)
    with pytest.raises(InputError) as caught:
        there.client(OWN_KEY).text_to_image("a fox")
    assert caught.value.hint == "openai has chat-completion"
    assert (there.requests, there.asked) == ([], [])
