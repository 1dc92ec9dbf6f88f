"""Who is tried with streams beyond their text: the end of an answer, its tool calls, and an agent with a tool."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.tools import BaseTool, tool

from hf_tools import HfInferenceEndpoint, Options
from langchain_hf_tools import ChatHfInference
from tests.faults.outcomes import Partial
from tests.faults.subjects import CANARY, MESSAGES, Target, awaited, subject

AGENTS: Any = importlib.import_module("langchain.agents")  # its types are not fully known
QUESTION = {"messages": [("user", "Delete it.")]}
MODES = ["messages", "values"]
"""Makes the agent stream."""
MADE = re.compile(r"call_[0-9a-f]{24}")
"""An id that the server has not given."""


def _chat(target: Target) -> ChatHfInference:
    return ChatHfInference(base_url=target.url, server="openai", api_key=CANARY, timeout=target.timeout, model="m")


def _told(reason: Any, usage: dict[str, Any] | None, *names: str) -> str:
    used = "+".join(str(usage[name]) for name in names) if usage else None
    return f"{reason}, {used}"


@subject("HfInference stream's end", "end")
def _end(target: Target, partial: Partial) -> str:
    options = Options(timeout=target.timeout)
    with HfInferenceEndpoint(target.url, CANARY, server="openai", options=options) as client:
        final = client.chat_completion_stream(MESSAGES, model="m").read()
    usage = final.usage.model_dump() if final.usage else {}
    known = any(usage.get(name) is not None for name in ("prompt_tokens", "completion_tokens"))
    reason = final.choices[0].finish_reason
    return _told(reason, usage if known else None, "prompt_tokens", "completion_tokens")


def _last(chunks: list[AIMessageChunk]) -> str:
    whole = sum(chunks[1:], chunks[0])
    found: Any = whole.usage_metadata
    told = [chunk for chunk in chunks if chunk.usage_metadata]
    assert len(told) <= 1, "the tokens used come once"
    return _told(whole.response_metadata.get("finish_reason"), found, "input_tokens", "output_tokens")


@subject("ChatHfInference.stream's end", "end")
def _chat_end(target: Target, partial: Partial) -> str:
    with _chat(target) as chat:
        return _last(list(chat.stream("Hi")))


def _calls(chunks: list[AIMessageChunk]) -> str:
    """The calls of a message: valid ones with their arguments, the others as INVALID; each id is another."""
    whole = sum(chunks[1:], chunks[0])
    numbers = [call["id"] for call in [*whole.tool_calls, *whole.invalid_tool_calls]]
    assert all(numbers), numbers
    assert len(set(numbers)) == len(numbers), numbers
    valid = [(call["id"], call["name"], json.dumps(call["args"])) for call in whole.tool_calls]
    broken = [(call["id"], f"INVALID {call['name']}", "") for call in whole.invalid_tool_calls]
    return ", ".join(f"{MADE.sub('new', str(number))} {name}{args}" for number, name, args in valid + broken)


@subject("ChatHfInference.stream's calls", "calls")
def _chat_calls(target: Target, partial: Partial) -> str:
    with _chat(target) as chat:
        chunks: list[AIMessageChunk] = []
        for chunk in chat.stream("Hi"):
            assert isinstance(chunk, AIMessageChunk)
            partial.add(str(chunk.tool_calls or ""))
            chunks.append(chunk)
    return _calls(chunks)


@awaited("ChatHfInference.astream's calls", "calls")
async def _chat_acalls(target: Target, partial: Partial) -> str:
    async with _chat(target) as chat:
        chunks: list[AIMessageChunk] = []
        async for chunk in chat.astream("Hi"):
            assert isinstance(chunk, AIMessageChunk)
            partial.add(str(chunk.tool_calls or ""))
            chunks.append(chunk)
    return _calls(chunks)


def _tool(folders: list[str]) -> BaseTool:
    @tool
    def delete(folder: str = "/") -> str:
        """Delete a folder."""
        folders.append(folder)
        return "gone"

    return delete


@contextmanager
def _ran(partial: Partial) -> Generator[list[str]]:
    """With what the tool ran, in order of the alphabet, for tools of one message run at once."""
    folders: list[str] = []
    try:
        yield folders
    finally:
        partial.add("".join(sorted(folders)))


@subject("an agent that streams", "agent")
def _agent(target: Target, partial: Partial) -> str:
    with _chat(target) as chat, _ran(partial) as folders:
        for _ in AGENTS.create_agent(chat, [_tool(folders)]).stream(QUESTION, stream_mode=MODES):
            pass
    return partial.text


@awaited("an agent that streams, awaited", "agent")
async def _aagent(target: Target, partial: Partial) -> str:
    async with _chat(target) as chat:
        with _ran(partial) as folders:
            async for _ in AGENTS.create_agent(chat, [_tool(folders)]).astream(QUESTION, stream_mode=MODES):
                pass
    return partial.text
