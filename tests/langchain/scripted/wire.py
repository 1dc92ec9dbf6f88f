"""What goes over the wire: whole answers, and streams of chunks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.langchain.scripted.refusals import is_list
from tests.langchain.scripted.request import text_of, tokens


@dataclass
class Said:
    """What the model says: text, what it thought before, and calls as `call` makes them."""

    content: str | None
    reasoning: str | None = None
    calls: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    finish_reason: str = "stop"
    refusal: str | None = None
    reasoning_field: str = "reasoning_content"


def call(name: str, arguments: Any, number: str = "") -> dict[str, Any]:
    """One call; arguments that are a text go as they are, broken or not."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {"id": number, "type": "function", "function": {"name": name, "arguments": text}}


def numbered(said: Said, count: int) -> list[dict[str, Any]]:
    """The calls, those without an id with one that no other answer of the server has."""
    return [{**each, "id": each["id"] or f"call_{count}_{place}"} for place, each in enumerate(said.calls)]


def head(body: dict[str, Any], count: int) -> dict[str, Any]:
    about = {"id": f"chatcmpl-{count}", "created": 1_800_000_000, "model": body["model"]}
    return {**about, "system_fingerprint": "scripted-1"}


def usage(body: dict[str, Any], said: Said) -> dict[str, Any]:
    """Tokens used: messages before the last count as cached, each audio part as ten tokens."""
    messages: list[dict[str, Any]] = body["messages"]
    parts = [part for each in messages if is_list(each.get("content")) for part in each["content"]]
    audio = 10 * sum(part["type"] in ("input_audio", "audio_url") for part in parts)
    counts = [tokens(text_of(each)) + 3 for each in messages]
    thought = tokens(said.reasoning or "")
    written = tokens(said.content or "") + thought + sum(tokens(each["function"]["arguments"]) for each in said.calls)
    return {
        "prompt_tokens": sum(counts) + audio,
        "completion_tokens": written,
        "total_tokens": sum(counts) + audio + written,
        "prompt_tokens_details": {"cached_tokens": sum(counts[:-1]), "audio_tokens": audio},
        "completion_tokens_details": {"reasoning_tokens": thought, "audio_tokens": 0},
    }


def logprobs(body: dict[str, Any], text: str) -> dict[str, Any] | None:
    """One entry for each piece of the text, where `logprobs` asked for them."""
    if not body.get("logprobs"):
        return None
    entries: list[dict[str, Any]] = [
        {"token": piece, "logprob": -0.25, "bytes": list(piece.encode())} for piece in pieces(text)
    ]
    best = body.get("top_logprobs") or 0
    return {"content": [{**entry, "top_logprobs": [entry] * best} for entry in entries], "refusal": None}


def completion(body: dict[str, Any], said: Said, count: int) -> dict[str, Any]:
    """The whole answer: `n` choices, all alike."""
    message: dict[str, Any] = {"role": "assistant", "content": said.content, "refusal": said.refusal}
    if said.reasoning is not None:
        message[said.reasoning_field] = said.reasoning
    if said.calls:
        message["tool_calls"] = numbered(said, count)
    choice = {
        "message": message,
        "finish_reason": said.finish_reason,
        "logprobs": logprobs(body, said.content or ""),
    }
    choices = [{"index": index, **choice} for index in range(body.get("n") or 1)]
    return {**head(body, count), "object": "chat.completion", "choices": choices, "usage": usage(body, said)}


def pieces(text: str) -> list[str]:
    """Words with the space before them, as most tokenizers cut."""
    return re.findall(r"\s*\S+|\s+$", text)


def deltas(said: Said, count: int) -> Iterator[dict[str, Any]]:
    """What a stream adds, piece by piece: thoughts, text, then each call in several pieces."""
    yield {"role": "assistant", "content": ""}
    for piece in pieces(said.reasoning or ""):
        yield {said.reasoning_field: piece}
    for piece in pieces(said.content or ""):
        yield {"content": piece}
    if said.refusal:
        yield {"refusal": said.refusal}
    for index, each in enumerate(numbered(said, count)):
        arguments: str = each["function"]["arguments"]
        yield {"tool_calls": [{**each, "index": index, "function": {**each["function"], "arguments": ""}}]}
        for start in range(0, len(arguments), 5):
            part = {"index": index, "function": {"arguments": arguments[start : start + 5]}}
            yield {"tool_calls": [part]}


def chunks(body: dict[str, Any], said: Said, count: int) -> Iterator[dict[str, Any]]:
    """The stream's chunks; the tokens used come last, in a chunk without choices, where they were asked for."""
    about = {**head(body, count), "object": "chat.completion.chunk"}
    for delta in deltas(said, count):
        for index in range(body.get("n") or 1):
            seen = logprobs(body, delta["content"]) if delta.get("content") else None
            choice = {"index": index, "delta": delta, "finish_reason": None, "logprobs": seen}
            yield {**about, "choices": [choice]}
    for index in range(body.get("n") or 1):
        end: dict[str, Any] = {"index": index, "delta": {}, "finish_reason": said.finish_reason, "logprobs": None}
        yield {**about, "choices": [end]}
    options: dict[str, Any] = body.get("stream_options") or {}
    if options.get("include_usage"):
        yield {**about, "choices": [], "usage": usage(body, said)}


def events(values: Iterator[dict[str, Any]], *, done: bool = True) -> Iterator[bytes]:
    """The chunks as server-sent events."""
    for value in values:
        yield f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()
    if done:
        yield b"data: [DONE]\n\n"
