"""What is done with each of LangChain's chat models, ours and the others."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.language_models import BaseChatModel

from benchmarks.subjects import common


def invoking(model: BaseChatModel) -> Callable[[], str]:
    """One call; the model's answer is an AIMessage."""
    return lambda: str(model.invoke(common.QUESTION).content)


def ainvoking(model: BaseChatModel) -> Callable[[], Awaitable[str]]:
    """The same, awaited."""

    async def work() -> str:
        return str((await model.ainvoke(common.QUESTION)).content)

    return work


def streaming(model: BaseChatModel) -> Callable[[], common.Seen]:
    """One stream, whose chunks are read and dropped."""
    return lambda: common.drained(str(chunk.content) for chunk in model.stream(common.QUESTION))


def astreaming(model: BaseChatModel) -> Callable[[], Awaitable[common.Seen]]:
    """The same, awaited."""

    async def work() -> common.Seen:
        return await common.adrained(str(chunk.content) async for chunk in model.astream(common.QUESTION))

    return work


def calling(model: BaseChatModel) -> Callable[[], int]:
    """A stream of a tool call; it counts the characters of its argument, which comes in pieces or at once."""

    def work() -> int:
        parts: list[str] = []
        for chunk in model.stream(common.QUESTION):
            pieces: list[Any] = getattr(chunk, "tool_call_chunks", [])
            parts += [piece["args"] or "" for piece in pieces]
        return len(json.loads("".join(parts))["city"])

    return work


def of(model: Callable[[str], Any]) -> tuple[Callable[[str], Any], ...]:
    """The cases of a chat model, from what makes one for a server: invoke, ainvoke, stream, astream, tool calls."""

    def case(act: Callable[[Any], Any]) -> Callable[[str], Any]:
        return lambda base: act(model(base))

    return tuple(map(case, (invoking, ainvoking, streaming, astreaming, calling)))
