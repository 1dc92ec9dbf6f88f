"""Chat and completion through the transport, on the real model."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from hf_tools import local

pytestmark = pytest.mark.usefixtures("weights_here")
CHAT = "/v1/chat/completions"
PARIS = [{"role": "user", "content": "What is the capital of France?"}]
STORY: dict[str, Any] = {"messages": [{"role": "user", "content": "Write a very long story."}], "max_tokens": 3000}


def test_chat_answers(hub: httpx.Client) -> None:
    response = hub.post(CHAT, json={"messages": PARIS, "temperature": 0, "max_tokens": 30})
    answer = response.json()
    assert response.status_code == 200
    assert "Paris" in answer["choices"][0]["message"]["content"]
    assert answer["model"] == local.CHAT_MODEL
    assert answer["usage"]["total_tokens"] > 10


@pytest.mark.parametrize("model", ["", None, "smollm2-135m-instruct", "HUGGINGFACETB/SmolLM2-135M-instruct"])
def test_the_model_has_these_names(hub: httpx.Client, model: str | None) -> None:
    assert hub.post(CHAT, json={"messages": PARIS, "model": model, "max_tokens": 1}).status_code == 200


def test_another_model_is_refused_by_name(hub: httpx.Client) -> None:
    response = hub.post(CHAT, json={"messages": PARIS, "model": "gpt-4"})
    assert response.status_code == 404
    assert "'gpt-4'" in response.json()["error"]
    assert local.CHAT_MODEL in response.json()["error"]


def test_a_stream_comes_in_events_and_ends_with_done(hub: httpx.Client) -> None:
    body = {
        "messages": PARIS,
        "temperature": 0,
        "max_tokens": 30,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    with hub.stream("POST", CHAT, json=body) as response:
        assert response.headers["content-type"] == "text/event-stream"
        events = [line.removeprefix("data: ") for line in response.iter_lines() if line]
    assert events[-1] == "[DONE]"
    parts = [json.loads(event) for event in events[:-1]]
    assert len(parts) > 5
    assert "Paris" in "".join(part["choices"][0]["delta"].get("content") or "" for part in parts if part["choices"])
    assert parts[-1]["usage"]["completion_tokens"] > 3


def test_closing_early_stops_the_writing(hub: httpx.Client) -> None:
    # Both slots of the server are taken by long answers; were they written to their ends, the third would wait for
    # half a minute and more.
    for _ in range(2):
        with hub.stream("POST", CHAT, json=STORY | {"stream": True}) as response:
            next(response.iter_lines())
    start = time.monotonic()
    assert hub.post(CHAT, json={"messages": PARIS, "max_tokens": 2}).status_code == 200
    assert time.monotonic() - start < 5


def test_completion_continues_the_prompt(hub: httpx.Client) -> None:
    body = {"prompt": "The capital of France is", "temperature": 0, "max_tokens": 4}
    assert "Paris" in hub.post("/v1/completions", json=body).json()["choices"][0]["text"]


def test_a_schema_is_enforced(hub: httpx.Client) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}},
        "required": ["name", "age"],
    }
    body = {
        "messages": [{"role": "user", "content": "Bob is 42 years old. Extract name and age as JSON."}],
        "temperature": 0,
        "max_tokens": 60,
        "response_format": {"type": "json_schema", "json_schema": {"name": "person", "schema": schema}},
    }
    found = json.loads(hub.post(CHAT, json=body).json()["choices"][0]["message"]["content"])
    assert found == {"name": "Bob", "age": 42}


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"messages": "no list"}, 400, "messages"),
        ({"messages": [{"role": "user", "content": "word " * 5000}]}, 400, "context size"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]},
            422,
            "text",
        ),
        ({"n": 3}, 400, "n"),
    ],
)
def test_bad_requests_are_client_errors(hub: httpx.Client, change: Any, status: int, says: str) -> None:
    response = hub.post(CHAT, json={"messages": PARIS, "max_tokens": 1} | change)
    assert response.status_code == status
    assert says in str(response.json()["error"])


def test_text_parts_and_tool_turns_are_read(hub: httpx.Client) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "capital", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "What is the capital of France?"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "Paris"},
    ]
    response = hub.post(CHAT, json={"messages": messages, "temperature": 0, "max_tokens": 30})
    assert "Paris" in response.json()["choices"][0]["message"]["content"]


def test_the_server_is_closed_to_others(hub: httpx.Client) -> None:
    hub.post(CHAT, json={"messages": PARIS, "max_tokens": 1})
    from hf_tools.local import transports

    assert transports.CHAT.engine is not None
    response = httpx.post(transports.CHAT.engine.address + CHAT, json={"messages": PARIS})
    assert response.status_code == 401
    assert transports.CHAT.engine.key not in response.text


def test_a_timeout_of_the_caller_holds(hub: httpx.Client) -> None:
    with pytest.raises(httpx.ReadTimeout):
        hub.post(CHAT, json=STORY, timeout=0.3)
