"""What the tests of agents share: a chat model that is a script, a server for every task, real small media."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from hf_tools import AsyncHfInference, HfInference
from langchain_hf_tools import HfInferenceToolkit
from tests import hub

AGENTS: Any = importlib.import_module("langchain.agents")  # its types are not fully known
MIDDLEWARE: Any = importlib.import_module("langchain.agents.middleware")
CHECKPOINTS: Any = importlib.import_module("langgraph.checkpoint.memory")

BOTH = pytest.mark.parametrize("way", ["invoke", "ainvoke"])
"""Runs a test with the blocking and with the awaiting method."""
Turn = AIMessage | str | Callable[[list[BaseMessage]], AIMessage]
"""What a script says: a message, the last words, or what it makes of the messages."""


def png(width: int = 4, height: int = 3, colour: bytes = b"\xff\0\0") -> bytes:
    """A whole picture of one colour."""
    rows = (b"\0" + colour * width) * height
    return _png(width, height, zlib.compress(rows))


def bomb() -> bytes:
    """The beginning of a picture of 100,000 × 100,000 pixels, in less than 100 bytes."""
    return _png(100_000, 100_000, b"")


def _png(width: int, height: int, data: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", data), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(p)) + name + p + struct.pack(">I", zlib.crc32(name + p)) for name, p in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def wav(seconds: float = 2.0) -> bytes:
    """Silence: 8,000 samples of 8 bits in each second."""
    data = b"\x80" * round(8000 * seconds)
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)
    body = b"WAVE" + head + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


class Script(BaseChatModel):
    """A model that says what is written, turn by turn, and keeps what it was asked.

    Its calls of tools are numbered c1, c2 ... as they come.
    """

    turns: list[Any] = Field(default_factory=list[Any])
    asked: list[list[BaseMessage]] = Field(default_factory=list[list[BaseMessage]])
    bound: list[str] = Field(default_factory=list[str])
    numbers: Any = Field(default_factory=lambda: itertools.count(1))

    @property
    def _llm_type(self) -> str:
        return "script"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        self.bound[:] = [tool.name for tool in tools]
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        turn: Turn = self.turns[len(self.asked)]
        self.asked.append(messages)
        said = turn if isinstance(turn, AIMessage) else AIMessage(turn) if isinstance(turn, str) else turn(messages)
        numbered = [{**each, "id": f"c{next(self.numbers)}"} for each in said.tool_calls]
        return ChatResult(generations=[ChatGeneration(message=AIMessage(said.content, tool_calls=numbered))])

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        return self._generate(messages)


def script(*turns: Turn) -> Script:
    """A model that says this."""
    return Script(turns=list(turns))


def calls(*wanted: tuple[str, dict[str, Any]]) -> AIMessage:
    """A message that calls tools."""
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": None} for name, args in wanted])


def call(name: str, **args: Any) -> AIMessage:
    """A message that calls one tool."""
    return calls((name, args))


def handle(messages: Sequence[BaseMessage]) -> str:
    """The handle in the last message, as a model reads it."""
    found = re.search(r"hf-media://[0-9a-f]{16}\.[a-z0-9]+", messages[-1].text)
    assert found, messages[-1].text
    return found[0]


class Tasks:
    """A server for every task: a toolkit asks the model `org/<task>` for each, which has its own answers.

    JSON values, bytes of media, or responses; in order, the last one again and again. Requests are kept.
    """

    def __init__(self, **answers: Any) -> None:
        self.answers = {task: _in_order(given) for task, given in answers.items()}
        self.requests: list[httpx.Request] = []
        self.http = httpx.Client(transport=httpx.MockTransport(self._answer))
        self.async_http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def toolkit(self, **options: Any) -> HfInferenceToolkit:
        """A toolkit whose tools ask this server; a failure is not tried again."""
        models = {task: f"org/{task}" for task in self.answers}
        given: dict[str, Any] = {"client": self.client, "async_client": self.async_client, "models": models, **options}
        return HfInferenceToolkit(**given)

    @property
    def client(self) -> HfInference:
        return HfInference(token=False, http_client=self.http).with_options(max_retries=0)

    @property
    def async_client(self) -> AsyncHfInference:
        return AsyncHfInference(token=False, http_client=self.async_http).with_options(max_retries=0)

    @property
    def asked(self) -> list[str]:
        """The tasks that were asked for, in order."""
        return [_task(request) for request in self.requests]

    def body(self, place: int = -1) -> Any:
        """What a request asked for, where it was JSON."""
        return json.loads(self.requests[place].content)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if hub.asked(request):
            return hub.answer(request)
        self.requests.append(request)
        answers = self.answers[_task(request)]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(found, httpx.Response):
            return httpx.Response(found.status_code, headers=found.headers, content=found.content)
        if isinstance(found, bytes):
            return httpx.Response(200, headers={"content-type": "application/octet-stream"}, content=found)
        return httpx.Response(200, json=found)


def _in_order(answers: Any) -> list[Any]:
    if isinstance(answers, tuple):
        return [*answers]  # pyright: ignore[reportUnknownVariableType]
    return [answers]


def _task(request: httpx.Request) -> str:
    """The task whose model was asked."""
    found = re.search(r"/models/org/(\w+)", request.url.path)
    return found[1] if found else json.loads(request.content)["model"].removeprefix("org/")


def said(text: str) -> dict[str, Any]:
    """What a chat model of the server says."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": "org/m", "choices": [choice], "usage": usage}


async def run(way: str, agent: Any, given: Any, **config: Any) -> dict[str, Any]:
    """The state at the end; a text is a question."""
    state = {"messages": [HumanMessage(given)]} if isinstance(given, str) else given
    blocking = way == "invoke"
    work = asyncio.to_thread(agent.invoke, state, config) if blocking else agent.ainvoke(state, config)
    found: dict[str, Any] = await work
    return found


def results(state: dict[str, Any]) -> list[ToolMessage]:
    """What the tools have said."""
    return [message for message in state["messages"] if isinstance(message, ToolMessage)]


def last(state: dict[str, Any]) -> str:
    """The last words of the agent."""
    return str(state["messages"][-1].content)
