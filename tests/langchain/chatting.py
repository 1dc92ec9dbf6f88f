"""What the tests of the chat model share: a tool, a tool call as the wire has it, chunks added up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import httpx
from langchain_core.messages import AIMessageChunk
from langchain_core.tools import tool

from langchain_hf_tools import ChatHfInference

Completion = Callable[..., dict[str, Any]]
Events = Callable[..., httpx.Response]


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


def chat(**fields: Any) -> ChatHfInference:
    """A model whose fields a test puts together."""
    return ChatHfInference(**fields)


def added_up(chunks: Iterable[Any]) -> AIMessageChunk:
    first, *others = chunks
    whole: AIMessageChunk = first
    for chunk in others:
        whole = whole + chunk
    return whole


def call(arguments: Any, name: str = "add", number: str | None = "c1") -> dict[str, Any]:
    return {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}


USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
"""What the answers of the fixtures say of tokens."""
