"""The JSON schema of a chat's answer, as each provider takes it: through the router in OpenAI's form."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.conftest import HF_KEY, OWN_KEY, World

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
OPENAI = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
HI = [{"role": "user", "content": "Hi"}]
ANSWER = {"choices": [{"message": {"content": "{}"}}]}


@pytest.mark.parametrize(
    ("provider", "own"),
    [
        ("cohere", {"type": "json_object", "schema": SCHEMA}),
        ("fireworks-ai", {"type": "json_object", "schema": SCHEMA}),
        ("together", {"type": "json_schema", "schema": SCHEMA}),
        ("groq", OPENAI),
    ],
)
def test_the_form_of_a_schema(provider: str, own: dict[str, Any]) -> None:
    for key, form in ((HF_KEY, OPENAI), (OWN_KEY, own)):
        there = World(provider, "conversational", "its-name", ANSWER)
        there.client(key).chat_completion(HI, response_format=OPENAI)
        assert there.body["response_format"] == form
    there = World(provider, "conversational", "its-name", ANSWER)
    there.client(OWN_KEY).chat_completion(HI, response_format={"type": "json_object"})
    assert there.body["response_format"] == {"type": "json_object"}
