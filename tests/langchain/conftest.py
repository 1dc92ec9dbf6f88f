"""What the tests of the LangChain layer share: clients whose server is a function, and the chat server's answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference
from tests import hub

Answer = Callable[[httpx.Request], httpx.Response]


class Server:
    """A server that a test writes: it keeps the requests and answers from a list, the last answer again and again."""

    def __init__(self, *answers: httpx.Response | Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.http = httpx.Client(transport=httpx.MockTransport(self.answer))
        self.async_http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        if hub.asked(request):
            return hub.answer(request)
        self.requests.append(request)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, httpx.Response):
            return httpx.Response(found.status_code, headers=found.headers, content=found.content)
        return httpx.Response(200, json=found)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]

    @property
    def client(self) -> HfInference:
        return HfInference(token=False, model="org/model", http_client=self.http)

    @property
    def async_client(self) -> AsyncHfInference:
        return AsyncHfInference(token=False, model="org/model", http_client=self.async_http)

    @property
    def both(self) -> dict[str, Any]:
        """Arguments of a tool or toolkit."""
        return {"client": self.client, "async_client": self.async_client}

    @property
    def models(self) -> dict[str, Any]:
        """Arguments of a chat model or embeddings."""
        return {"model": "org/model", "http_client": self.http, "http_async_client": self.async_http, "max_retries": 0}


@pytest.fixture(scope="session")
def serve() -> type[Server]:
    """Makes a server out of its answers: JSON values or responses."""
    return Server


@pytest.fixture(scope="session")
def completion() -> Callable[..., dict[str, Any]]:
    """A chat completion with this message."""

    def make(content: str | None = "Hi", reason: str = "stop", **message: Any) -> dict[str, Any]:
        told = {"role": "assistant", "content": content, **message}
        return {
            "id": "chatcmpl-1", "model": "org/model-1", "object": "chat.completion",
            "choices": [{"index": 0, "message": told, "finish_reason": reason}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        }  # fmt: skip

    return make


@pytest.fixture(scope="session")
def events() -> Callable[..., httpx.Response]:
    """A stream of chat completion chunks with these deltas; `done` ends it as it should."""

    def make(
        *deltas: dict[str, Any], reason: str = "stop", done: bool = True, each_usage: bool = False
    ) -> httpx.Response:
        about = {"id": "chatcmpl-1", "model": "org/model-1"}
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        told = {"usage": usage} if each_usage else {}
        chunks: list[Any] = [{**about, **told, "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
        if done:
            chunks.append({**about, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
            chunks.append({**about, "choices": [], "usage": usage})
        lines = [json.dumps(chunk) for chunk in chunks] + (["[DONE]"] if done else [])
        content = "".join(f"data: {line}\n\n" for line in lines).encode()
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=content)

    return make
