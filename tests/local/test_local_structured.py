"""Structured output on the real chat model: llama.cpp keeps to the schema, and the model comes to an end."""

from __future__ import annotations

import json
from typing import Any, Literal

import httpx
import pytest
from pydantic import BaseModel, Field

pytestmark = pytest.mark.usefixtures("weights_here")
CHAT = "/v1/chat/completions"
BOB = "Bob Miller is 42 years old and lives in 5 Main Street, Paris. He likes chess and tea."


class Address(BaseModel):
    street: str
    city: str
    country: Literal["de", "fr", "us"]


class Person(BaseModel):
    """A person."""

    name: str = Field(description="full name")
    age: int
    tags: list[str]
    address: Address
    nick: str | None = None


def body(text: str, **change: Any) -> dict[str, Any]:
    form = {"name": "Person", "schema": Person.model_json_schema(), "strict": True}
    messages = [{"role": "user", "content": text}]
    return {
        "messages": messages,
        "temperature": 0,
        "response_format": {"type": "json_schema", "json_schema": form},
    } | change


def test_a_pydantic_class_is_filled_with_references_choices_and_lists(hub: httpx.Client) -> None:
    assert "$defs" in Person.model_json_schema()
    (choice,) = hub.post(CHAT, json=body(BOB)).json()["choices"]
    person = Person.model_validate_json(choice["message"]["content"])
    assert choice["finish_reason"] == "stop"
    assert (person.name, person.age, person.address.city, person.address.country) == ("Bob Miller", 42, "Paris", "fr")
    assert {"chess", "tea"} <= set(person.tags)


def test_the_stream_gives_the_same(hub: httpx.Client) -> None:
    with hub.stream("POST", CHAT, json=body(BOB, stream=True, stream_options={"include_usage": True})) as response:
        data = [line.removeprefix("data: ") for line in response.iter_lines() if line]
    assert data[-1] == "[DONE]"
    chunks = [json.loads(event) for event in data[:-1]]
    assert len(chunks) > 20
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])
    assert Person.model_validate_json(text).age == 42
    assert chunks[-1]["usage"]["completion_tokens"] > 20


@pytest.mark.parametrize("text", ["Hi", "Tell me everything about everybody."])
def test_without_a_limit_a_whole_object_still_comes(hub: httpx.Client, text: str) -> None:
    (choice,) = hub.post(CHAT, json=body(text)).json()["choices"]
    assert choice["finish_reason"] == "stop"
    person = Person.model_validate_json(choice["message"]["content"])
    assert len(person.name) <= 200
    assert len(person.tags) <= 16


def test_the_callers_limit_holds(hub: httpx.Client) -> None:
    (choice,) = hub.post(CHAT, json=body(BOB, max_tokens=5)).json()["choices"]
    assert choice["finish_reason"] == "length"


def test_json_object_gives_json(hub: httpx.Client) -> None:
    asked = body("Give me a user with a name and an age as JSON.", response_format={"type": "json_object"}, seed=1)
    assert isinstance(json.loads(hub.post(CHAT, json=asked).json()["choices"][0]["message"]["content"]), dict)


def test_tools_come_first_and_the_form_is_for_text(hub: httpx.Client) -> None:
    parameters = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    function = {"name": "square", "description": "Square of a number", "parameters": parameters}
    tools = [{"type": "function", "function": function}]
    (choice,) = hub.post(CHAT, json=body("What is the square of 12?", tools=tools)).json()["choices"]
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == '{"a": 12}'
    (choice,) = hub.post(CHAT, json=body(BOB, tools=tools)).json()["choices"]
    assert Person.model_validate_json(choice["message"]["content"]).age == 42


def test_a_schema_that_llama_cpp_does_not_take_is_refused(hub: httpx.Client) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "foo"}}}
    response = hub.post(CHAT, json=body(BOB, response_format=form))
    assert response.status_code == 400
    assert "unrecognized type foo" in str(response.json()["error"])
