"""Who is tried: the client, blocking and awaited, the chat model, the embeddings and a tool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from hf_tools import AsyncHfInferenceEndpoint, HfInferenceEndpoint, Options
from langchain_hf_tools import ChatHfInference, HfInferenceEmbeddings, HfInferenceTool
from tests.faults.outcomes import Partial
from tests.faults.trying import CANARY, Call, Subject, Target

MESSAGES = [{"role": "user", "content": "Hi"}]
TEXTS = ["one", "two"]
SUBJECTS: list[Subject] = []


def subject(name: str, kind: str) -> Callable[[Call], Call]:
    """Register a subject."""

    def register(call: Call) -> Call:
        SUBJECTS.append(Subject(name, kind, call))
        return call

    return register


def awaited(name: str, kind: str) -> Callable[[Callable[[Target, Partial], Coroutine[Any, Any, str]]], Any]:
    """Register a subject that is awaited, in an event loop of its own."""

    def register(call: Callable[[Target, Partial], Coroutine[Any, Any, str]]) -> Any:
        SUBJECTS.append(Subject(name, kind, lambda target, partial: asyncio.run(call(target, partial))))
        return call

    return register


def _endpoint(target: Target) -> HfInferenceEndpoint:
    return HfInferenceEndpoint(target.url, CANARY, server="openai", options=Options(timeout=target.timeout))


def _chat(target: Target, **fields: Any) -> ChatHfInference:
    return ChatHfInference(base_url=target.url, server="openai", api_key=CANARY, timeout=target.timeout, **fields)


@subject("HfInference", "call")
def _sync(target: Target, partial: Partial) -> str:
    with _endpoint(target) as client:
        return str(client.chat_completion(MESSAGES, max_tokens=20, model="m").text)


@awaited("AsyncHfInference", "call")
async def _async(target: Target, partial: Partial) -> str:
    options = Options(timeout=target.timeout)
    async with AsyncHfInferenceEndpoint(target.url, CANARY, server="openai", options=options) as client:
        return str((await client.chat_completion(MESSAGES, max_tokens=20, model="m")).text)


@subject("HfInference stream", "stream")
def _stream(target: Target, partial: Partial) -> str:
    with _endpoint(target) as client, client.chat_completion_stream(MESSAGES, max_tokens=20, model="m") as stream:
        for part in stream:
            partial.add(part.text)
        return str(stream.final.text)


@awaited("AsyncHfInference stream", "stream")
async def _astream(target: Target, partial: Partial) -> str:
    options = Options(timeout=target.timeout)
    async with (
        AsyncHfInferenceEndpoint(target.url, CANARY, server="openai", options=options) as client,
        client.chat_completion_stream(MESSAGES, max_tokens=20, model="m") as stream,
    ):
        async for part in stream:
            partial.add(part.text)
        return str(stream.final.text)


@subject("ChatHfInference.invoke", "call")
def _invoke(target: Target, partial: Partial) -> str:
    with _chat(target, max_tokens=20, model="m") as chat:
        return str(chat.invoke("Hi").text)


@awaited("ChatHfInference.ainvoke", "call")
async def _ainvoke(target: Target, partial: Partial) -> str:
    async with _chat(target, max_tokens=20, model="m") as chat:
        return str((await chat.ainvoke("Hi")).text)


@subject("ChatHfInference.stream", "stream")
def _chat_stream(target: Target, partial: Partial) -> str:
    with _chat(target, max_tokens=20, model="m") as chat:
        for part in chat.stream("Hi"):
            partial.add(str(part.text))
    return partial.text


@awaited("ChatHfInference.astream", "stream")
async def _chat_astream(target: Target, partial: Partial) -> str:
    async with _chat(target, max_tokens=20, model="m") as chat:
        async for part in chat.astream("Hi"):
            partial.add(str(part.text))
    return partial.text


@subject("HfInferenceEmbeddings", "embed")
def _embed(target: Target, partial: Partial) -> str:
    given: dict[str, Any] = {
        "base_url": target.url,
        "server": "openai",
        "api_key": CANARY,
        "timeout": target.timeout,
        "model": "m",
    }
    with HfInferenceEmbeddings(**given) as embeddings:
        return str(embeddings.embed_documents(TEXTS))


@subject("HfInferenceTool", "tool")
def _tool(target: Target, partial: Partial) -> str:
    with _endpoint(target) as client:
        tool = HfInferenceTool("chat_completion", client, model="m")
        call = {"type": "tool_call", "id": "1", "name": tool.name, "args": {"message": "Hi", "max_tokens": 20}}
        return str(tool.invoke(call).content)


__all__ = ["CANARY", "SUBJECTS", "Subject", "Target"]
