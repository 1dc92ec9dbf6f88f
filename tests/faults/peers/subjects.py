"""The other clients, each called as its documentation says, with the timeout that it takes."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

from tests.faults.outcomes import Partial
from tests.faults.trying import CANARY, Call, Subject, Target

MESSAGES = [{"role": "user", "content": "Hi"}]
TEXTS = ["one", "two"]
LIBRARIES = {
    "InferenceClient": "huggingface_hub",
    "ChatHuggingFace": "langchain-huggingface",
    "HuggingFaceEndpointEmbeddings": "langchain-huggingface",
    "ChatOpenAI": "langchain-openai",
    "OpenAIEmbeddings": "langchain-openai",
}
"""Whose each class is."""
SUBJECTS: list[Subject] = []


def _peer(name: str, kind: str) -> Callable[[Call], Call]:
    def register(call: Call) -> Call:
        SUBJECTS.append(Subject(name, kind, call))
        return call

    return register


def _client(target: Target) -> Any:
    return importlib.import_module("huggingface_hub").InferenceClient(
        base_url=target.url, api_key=CANARY, timeout=target.timeout
    )


def _huggingface(target: Target) -> Any:
    made: Any = importlib.import_module("langchain_huggingface")
    endpoint = made.HuggingFaceEndpoint(
        endpoint_url=target.url, huggingfacehub_api_token=CANARY, max_new_tokens=20,
        timeout=math.ceil(target.timeout),  # whole seconds only
    )  # fmt: skip
    return made.ChatHuggingFace(llm=endpoint, model_id="m", max_tokens=20)


def _openai(target: Target) -> Any:
    return importlib.import_module("langchain_openai").ChatOpenAI(
        base_url=f"{target.url}/v1", api_key=CANARY, model="m", timeout=target.timeout, max_tokens=20
    )


@_peer("InferenceClient.chat_completion", "call")
def _call(target: Target, partial: Partial) -> str:
    answer = _client(target).chat_completion(MESSAGES, max_tokens=20, model="m")
    return str(answer.choices[0].message.content)


@_peer("InferenceClient.chat_completion(stream=True)", "stream")
def _stream(target: Target, partial: Partial) -> str:
    client = _client(target)  # a temporary one would close the stream
    for part in client.chat_completion(MESSAGES, max_tokens=20, model="m", stream=True):
        for choice in part.choices[:1]:
            partial.add(choice.delta.content or "")
    return partial.text


def _streamed(chat: Any, partial: Partial) -> str:
    for part in chat.stream("Hi"):
        partial.add(str(part.text))
    return partial.text


@_peer("ChatHuggingFace.invoke", "call")
def _invoke(target: Target, partial: Partial) -> str:
    return str(_huggingface(target).invoke("Hi").text)


@_peer("ChatHuggingFace.stream", "stream")
def _chat_stream(target: Target, partial: Partial) -> str:
    return _streamed(_huggingface(target), partial)


@_peer("HuggingFaceEndpointEmbeddings", "embed")
def _embed(target: Target, partial: Partial) -> str:
    made: Any = importlib.import_module("langchain_huggingface")
    embeddings = made.HuggingFaceEndpointEmbeddings(model="org/model", huggingfacehub_api_token=CANARY)
    # the class takes no URL and no timeout, its public field takes a client that has both
    hub: Any = importlib.import_module("huggingface_hub")
    embeddings.client = hub.InferenceClient(model=target.url, token=CANARY, timeout=target.timeout)
    return str(embeddings.embed_documents(TEXTS))


@_peer("ChatOpenAI.invoke", "call")
def _openai_invoke(target: Target, partial: Partial) -> str:
    return str(_openai(target).invoke("Hi").text)


@_peer("ChatOpenAI.stream", "stream")
def _openai_stream(target: Target, partial: Partial) -> str:
    return _streamed(_openai(target), partial)


@_peer("OpenAIEmbeddings", "embed")
def _openai_embed(target: Target, partial: Partial) -> str:
    embeddings = importlib.import_module("langchain_openai").OpenAIEmbeddings(
        base_url=f"{target.url}/v1", api_key=CANARY, model="m", timeout=target.timeout, check_embedding_ctx_length=False
    )
    return str(embeddings.embed_documents(TEXTS))
