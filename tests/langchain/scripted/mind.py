"""What the scripted model says: decided from the request alone, the same each time."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.langchain.scripted.refusals import is_list, is_object
from tests.langchain.scripted.request import text_of
from tests.langchain.scripted.schemas import Filler
from tests.langchain.scripted.wire import Said, call

THOUGHT = "The user says something, so an answer is due."


def think(body: dict[str, Any]) -> Said:
    """The answer to a request that was found right."""
    said = speak(body)
    said.reasoning = THOUGHT if "reason" in body["model"] else None
    return cut(said, body)


def speak(body: dict[str, Any]) -> Said:
    last: dict[str, Any] = body["messages"][-1]
    prompt = text_of(last)
    if (tools := chosen(body, last)) and (body.get("tools")):
        calls = [call(tool["name"], Filler(prompt).fill(tool.get("parameters", {}))) for tool in tools]
        return Said(None, calls=calls, finish_reason="tool_calls")
    form: dict[str, Any] = body.get("response_format") or {"type": "text"}
    if form["type"] == "json_schema":
        return Said(json.dumps(Filler(prompt).fill(form["json_schema"]["schema"]), ensure_ascii=False))
    if form["type"] == "json_object":
        return Said(json.dumps(free_json(body["messages"], prompt), ensure_ascii=False))
    if last["role"] == "tool":
        return Said(f"The tool says: {prompt}")
    seen = [part["type"] for part in last["content"] if part["type"] != "text"] if is_list(last["content"]) else []
    about = f" I looked at: {', '.join(seen)}." if seen else ""
    return Said(f"Hello there! I read your {len(prompt)} characters and am glad to help you.{about}")


def chosen(body: dict[str, Any], last: dict[str, Any]) -> list[dict[str, Any]]:
    """The functions to call: the one that is asked for, or those whose name the user speaks of."""
    tools: list[dict[str, Any]] = body.get("tools") or []
    functions: list[dict[str, Any]] = [tool["function"] for tool in tools]
    choice = body.get("tool_choice") or "auto"
    if is_object(choice):
        return [each for each in functions if each["name"] == choice["function"]["name"]]
    if choice == "none":
        return []
    meant = [each for each in functions if is_about(each["name"], text_of(last))] if last["role"] == "user" else []
    if body.get("parallel_tool_calls") is False or choice == "required":
        meant = meant[:1]
    return meant or (fresh(functions, body["messages"])[:1] if choice == "required" else [])


def fresh(functions: list[dict[str, Any]], messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The functions, those first that were not called yet."""
    called = {call["function"]["name"] for each in messages for call in each.get("tool_calls", [])}
    return sorted(functions, key=lambda function: function["name"] in called)


def is_about(name: str, text: str) -> bool:
    """Whether the text has a word of the function's name, of five letters or more."""
    words = [word for word in re.split(r"[_-]|(?<=[a-z])(?=[A-Z])", name) if len(word) >= 5]
    return any(word.lower() in text.lower() for word in words)


def free_json(messages: list[dict[str, Any]], prompt: str) -> dict[str, Any]:
    """JSON without a schema in the request: by a schema in the text, by keys that it quotes, or as jokes are told."""
    for message in reversed(messages):
        if schema := schema_in(text_of(message)):
            return Filler(prompt).fill(schema)  # type: ignore[no-any-return]
    keys = re.findall(r"'(\w+)'", prompt) if "key" in prompt else []
    if not keys and "joke" in prompt.lower():
        keys = ["setup", "punchline"]
    return {key: f"some {key}" for key in keys} or {"answer": "some answer"}


def schema_in(text: str) -> dict[str, Any] | None:
    """The first JSON schema of an object that is written in the text."""
    for found in re.finditer(r"\{", text):
        try:
            value, _ = json.JSONDecoder().raw_decode(text, found.start())
        except ValueError:
            continue
        if is_object(value) and "properties" in value:
            return value
    return None


def cut(said: Said, body: dict[str, Any]) -> Said:
    """The text up to the first stop text, then up to as many words as `max_tokens` allows."""
    stops: Any = body.get("stop") or []
    for stop in [stops] if isinstance(stops, str) else stops:
        said.content = said.content.partition(stop)[0] if said.content else said.content
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    words = re.findall(r"\S+\s*", said.content or "")
    if most and len(words) > most:
        said.content, said.finish_reason = "".join(words[:most]).rstrip(), "length"
    return said
