"""Counting tokens: by a tokenizer, by the server, or by estimate."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from hf_tools.errors import InputError, ShapeError
from langchain_hf_tools._chat.usage import usage_of
from tests.langchain.chatting import add, chat

HISTORY: list[Any] = [SystemMessage("Be kind."), HumanMessage("Hello there, how are you?"), AIMessage("Fine.")]


class Encoding:
    ids = (1, 2, 3)


class Tokenizer:
    def encode(self, text: str) -> Encoding:
        return Encoding()


def words(text: str) -> list[int]:
    return [len(word) for word in text.split()]


def test_an_estimate() -> None:
    model = chat(model="org/model")
    assert (model.get_num_tokens(""), model.get_num_tokens("abcd"), model.get_num_tokens("abcde")) == (0, 1, 2)
    plain = model.get_num_tokens_from_messages(HISTORY)
    assert 20 <= plain <= 40
    assert model.get_num_tokens_from_messages(HISTORY, tools=[add]) > plain + 20
    image = HumanMessage([{"type": "image", "base64": "A" * 100_000, "mime_type": "image/png"}])
    assert model.get_num_tokens_from_messages([image]) < 150


@pytest.mark.parametrize(("tokenizer", "ids"), [(words, [1, 4]), (Tokenizer(), [1, 2, 3])])
def test_a_tokenizer(tokenizer: Any, ids: list[int]) -> None:
    model = chat(model="org/model", tokenizer=tokenizer)
    assert model.get_token_ids("I walk") == ids
    assert model.get_num_tokens("I walk") == len(ids)


def test_langchains_own_field() -> None:
    model = chat(model="org/model", custom_get_token_ids=words)
    assert model.get_token_ids("I walk") == [1, 4]
    counted = model.get_num_tokens_from_messages(HISTORY)
    more = model.get_num_tokens_from_messages([*HISTORY[:2], AIMessage("Fine, thank you very much.")])
    assert more == counted + 4
    image = {"type": "image", "url": "https://example.org/a.png"}
    seen = model.get_num_tokens_from_messages([HumanMessage([{"type": "text", "text": "What is it?"}, image])])
    assert seen > 85


@pytest.mark.parametrize("fields", [{}, {"custom_get_token_ids": words}])
def test_calls_and_media_count(fields: dict[str, Any]) -> None:
    model = chat(model="org/model", **fields)
    long = " ".join("x" * 4000)
    called = AIMessage("ok", tool_calls=[{"name": "add", "args": {"a": long}, "id": "c"}])
    assert model.get_num_tokens_from_messages([called]) > 1000
    data = "A" * 100_000
    for block in (
        {"type": "audio", "base64": data, "mime_type": "audio/wav"}, {"type": "file", "base64": data},
        {"type": "document", "source": {"type": "base64", "data": data}}, {"type": "video", "url": "https://e.org/a"},
    ):  # fmt: skip
        assert 85 < model.get_num_tokens_from_messages([HumanMessage([block])]) < 150


OPENAI = {"model": "m", "content": "I walk", "prompt": "I walk", "add_special_tokens": False}
TGI = {"inputs": "I walk", "add_special_tokens": False}
SERVERS: list[tuple[Any, Any, dict[str, Any]]] = [
    ("openai", {"tokens": [5, 6]}, OPENAI),
    ("openai", {"count": 2, "max_model_len": 9, "tokens": [5, 6]}, OPENAI),
    ("tgi", [{"id": 5, "text": "I", "start": 0}, {"id": 6, "text": " walk"}], TGI),
    ("tei", [[{"id": 5, "text": "I"}, {"id": 6, "text": " walk"}]], TGI),
]


@pytest.mark.parametrize(("kind", "answer", "sent"), SERVERS)
def test_the_server_counts(serve: Any, kind: Any, answer: Any, sent: dict[str, Any]) -> None:
    server = serve(answer)
    model = "m" if kind == "openai" else None
    fields = {**server.models, "model": model, "server": kind, "tokenizer": "server"}
    for base in ("http://127.0.0.1:9", "http://127.0.0.1:9/v1"):
        assert chat(**fields, base_url=base).get_token_ids("I walk") == [5, 6]
    assert {str(request.url) for request in server.requests} == {"http://127.0.0.1:9/tokenize"}
    assert server.bodies[0] == sent


def test_a_served_model_is_named(serve: Any) -> None:
    server = serve({"tokens": []})
    model = chat(**server.models, server="openai", base_url="http://127.0.0.1:9", tokenizer="server")
    assert model.get_num_tokens("I walk") == 0
    assert server.bodies[0]["model"] == "org/model"


@pytest.mark.parametrize("answer", [{"tokens": "none"}, {"count": 3}, ["I", "walk"]])
def test_answers_that_are_no_tokens(serve: Any, answer: Any) -> None:
    fields = {**serve(answer).models, "model": None, "server": "tgi", "base_url": "http://127.0.0.1:9"}
    with pytest.raises(ShapeError, match="tokens were asked for"):
        chat(**fields, tokenizer="server").get_token_ids("I walk")


def test_ids_need_a_tokenizer(serve: Any) -> None:
    with pytest.raises(InputError, match="token ids need a tokenizer"):
        chat(model="org/model").get_token_ids("I walk")
    for model in (chat(**serve({}).models, tokenizer="server"), chat(provider="local", tokenizer="server")):
        with pytest.raises(InputError, match='`tokenizer` = "server" needs an endpoint'):
            model.get_token_ids("I walk")


USAGES: list[tuple[Any, Any]] = [
    (None, None),
    ({}, None),
    ({"prompt_tokens": None}, None),
    ({"prompt_tokens": "x", "completion_tokens": -1, "total_tokens": "9" * 5000}, None),
    ({"prompt_tokens": "3", "completion_tokens": "2"}, {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}),
    ({"prompt_tokens": True}, None),
    ({"prompt_tokens": 3.0, "completion_tokens": 0.5}, {"input_tokens": 3, "output_tokens": 0, "total_tokens": 3}),
    ({"prompt_tokens": 3}, {"input_tokens": 3, "output_tokens": 0, "total_tokens": 3}),
    ({"completion_tokens": 2, "total_tokens": 5}, {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}),
    ({"prompt_tokens": 3, "total_tokens": 5}, {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}),
    ({"total_tokens": 5}, {"input_tokens": 5, "output_tokens": 0, "total_tokens": 5}),
    (
        {
            "prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
            "completion_tokens": 7,
            "completion_tokens_details": {"reasoning_tokens": 5, "accepted_prediction_tokens": 1},
        },
        {
            "input_tokens": 9, "output_tokens": 7, "total_tokens": 16,
            "input_token_details": {"cache_read": 4, "audio": 0}, "output_token_details": {"reasoning": 5},
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("told", "counted"), USAGES)
def test_tokens_used(told: Any, counted: Any) -> None:
    assert usage_of(told) == counted
