"""The body of a request, read as OpenAI reads it; fields of vLLM and TGI are known too."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.langchain.scripted.messages import FUNCTION, check_messages
from tests.langchain.scripted.refusals import (
    Refused,
    is_list,
    is_number,
    is_object,
    need,
    need_list,
    need_object,
    need_one_of,
    need_text,
)

Check = Callable[[Any, str], object]


def between(least: float, most: float, kind: type = float) -> Check:
    def check(value: Any, where: str) -> None:
        wrong = f"Invalid value for '{where}': expected a number from {least} to {most}, got {value!r}."
        need(is_number(value) and least <= value <= most and (kind is float or isinstance(value, int)), wrong)

    return check


def flag(value: Any, where: str) -> None:
    need(isinstance(value, bool), f"Invalid type for '{where}': expected a boolean, got {value!r}.")


def check_stop(value: Any, where: str) -> None:
    """One text or up to four."""
    texts: list[Any] = need_list(value, where) if is_list(value) else [value]
    need(len(texts) <= 4, f"Invalid '{where}': array too long. Expected at most 4.")
    for text in texts:
        need(need_text(text, where) != "", f"Invalid '{where}': empty string.")


def check_logit_bias(value: Any, where: str) -> None:
    for token, bias in need_object(value, where).items():
        need(token.isdigit(), f"Invalid key in '{where}': {token}")
        between(-100, 100)(bias, where)


FIELDS: dict[str, Check] = {
    "model": need_text,
    "messages": need_list,
    "stream": flag,
    "stream_options": need_object,
    "temperature": between(0, 2),
    "top_p": between(0, 1),
    "max_tokens": between(1, 1_000_000, int),
    "max_completion_tokens": between(1, 1_000_000, int),
    "n": between(1, 16, int),
    "seed": between(-(2**63), 2**63, int),
    "stop": check_stop,
    "presence_penalty": between(-2, 2),
    "frequency_penalty": between(-2, 2),
    "logprobs": flag,
    "top_logprobs": between(0, 20, int),
    "logit_bias": check_logit_bias,
    "response_format": need_object,
    "tools": need_list,
    "tool_choice": lambda value, where: None,
    "parallel_tool_calls": flag,
    "reasoning_effort": need_text,
    "user": need_text,
    "metadata": need_object,
    # of vLLM and TGI
    "top_k": between(-1, 1_000_000, int),
    "min_p": between(0, 1),
    "repetition_penalty": between(0, 10),
    "chat_template_kwargs": need_object,
    "tool_prompt": need_text,
}
NULLABLE = frozenset(FIELDS) - {"model", "messages", "tools"}


def check_request(body: dict[str, Any], *, tool_media: bool) -> None:
    """Refused for a body that OpenAI, vLLM or TGI would refuse."""
    for name, value in body.items():
        if name not in FIELDS:
            raise Refused(f"Unrecognized request argument supplied: {name}")
        if value is not None or name not in NULLABLE:
            FIELDS[name](value, name)
    for name in ("model", "messages"):
        need(name in body, f"Missing required parameter: '{name}'.")
    if body.get("stream_options") is not None:
        need(body.get("stream") is True, "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
        need(set(body["stream_options"]) <= {"include_usage"}, "Unknown parameter in 'stream_options'.")
    need(not body.get("top_logprobs") or body.get("logprobs") is True, "'top_logprobs' needs 'logprobs' to be true.")
    check_tools(body)
    check_format(body.get("response_format"))
    check_messages(body["messages"], tool_media=tool_media)


def check_tools(body: dict[str, Any]) -> None:
    names: list[str] = []
    for place, value in enumerate(body.get("tools", [])):
        where = f"tools[{place}]"
        tool = need_object(value, where)
        need_one_of(tool.get("type"), f"{where}.type", ("function",))
        need(set(tool) == {"type", "function"}, f"Unknown parameter in '{where}'.")
        function = need_object(tool.get("function"), f"{where}.function")
        known = {"name", "description", "parameters", "strict"}
        need(set(function) <= known, f"Unknown parameter in '{where}.function': {sorted(set(function) - known)}.")
        names.append(need_text(function.get("name"), f"{where}.function.name"))
        need(FUNCTION.fullmatch(names[-1]) is not None, f"Invalid '{where}.function.name': does not match pattern.")
        check_schema(function.get("parameters", {"type": "object"}), bool(function.get("strict")), names[-1])
    for name in ("tool_choice", "parallel_tool_calls"):
        need(bool(names) or body.get(name) is None, f"'{name}' is only allowed when 'tools' are specified.")
    check_choice(body.get("tool_choice"), names)


def check_choice(choice: Any, names: list[str]) -> None:
    if choice is None:
        return
    if not is_object(choice):
        need_one_of(choice, "tool_choice", ("none", "auto", "required"))
        return
    need_one_of(choice.get("type"), "tool_choice.type", ("function",))
    function = need_object(choice.get("function"), "tool_choice.function")
    need(set(function) == {"name"}, "Unknown parameter in 'tool_choice.function'.")
    need(function["name"] in names, f"Tool choice '{function['name']}' not found in 'tools' parameter.")


def check_format(value: dict[str, Any] | None) -> None:
    if value is None:
        return
    need_one_of(value.get("type"), "response_format.type", ("text", "json_object", "json_schema"))
    if value["type"] != "json_schema":
        return
    told = need_object(value.get("json_schema"), "response_format.json_schema")
    known = {"name", "schema", "strict", "description"}
    need(set(told) <= known, f"Unknown parameter in 'response_format.json_schema': {sorted(set(told) - known)}.")
    name = need_text(told.get("name"), "response_format.json_schema.name")
    need(FUNCTION.fullmatch(name) is not None, "Invalid 'response_format.json_schema.name': does not match pattern.")
    check_schema(told.get("schema"), bool(told.get("strict")), name)


def check_schema(schema: Any, strict: bool, name: str) -> None:
    """An object's schema; with `strict` as OpenAI asks: closed, and every property required."""
    root = need_object(schema, f"schema of {name}")
    need(root.get("type") == "object", f"Invalid schema for '{name}': schema must be of type 'object'.")
    if strict:
        check_strict(root, name)


def check_strict(schema: Any, name: str) -> None:
    if is_list(schema):
        for each in schema:
            check_strict(each, name)
    if not is_object(schema):
        return
    if is_object(properties := schema.get("properties")):
        closed = schema.get("additionalProperties") is False
        need(closed, f"Invalid schema for '{name}': 'additionalProperties' is required to be supplied and to be false.")
        missing = sorted(set(properties) - set(schema.get("required", [])))
        need(not missing, f"Invalid schema for '{name}': 'required' must include every key. Missing {missing}.")
    for value in schema.values():
        check_strict(value, name)


def text_of(message: dict[str, Any]) -> str:
    """The text of a message, its parts put together."""
    content = message.get("content")
    if is_list(content):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def tokens(text: str) -> int:
    """About as many as a tokenizer makes: words and signs."""
    return len(re.findall(r"\w+|[^\w\s]", text))
