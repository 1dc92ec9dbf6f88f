"""A chat model: Hugging Face's router, an endpoint or the embedded backend behind LangChain's interface."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import AliasChoices, Field

from hf_tools.errors import InputError, shown
from hf_tools.tasks.chat import ChatCompletion
from langchain_hf_tools import _messages
from langchain_hf_tools._connection import CONFIG, Connection

SENT = ("temperature", "max_tokens", "stop")
"""The fields that go into each request; the task has them under the same names."""


class ChatHfInference(Connection, BaseChatModel):
    """A chat model that Hugging Face's router, an endpoint or the embedded backend runs.

    ChatHfInference(model="openai/gpt-oss-120b")                     # token from HF_TOKEN or the login file
    ChatHfInference(base_url="http://127.0.0.1:8080", api_key="...") # vLLM, TGI, llama.cpp
    ChatHfInference(provider="local")                                # no token, no network

    Nothing is sent but what was set. Calls raise an HfError; a stream that ends early raises StreamInterrupted. A
    tool call whose arguments are not a complete JSON object is in `invalid_tool_calls`, so that no agent runs it.
    """

    model_config = CONFIG

    temperature: float | None = None
    """0 to 2: 0 always takes the likeliest token."""
    max_tokens: int | None = None
    """Most tokens that are written; without it the server decides."""
    stop: list[str] | str | None = Field(default=None, validation_alias=AliasChoices("stop", "stop_sequences"))
    """Texts that end the answer. Also called `stop_sequences`."""

    @property
    def _llm_type(self) -> str:
        return "hf-inference-chat"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        names = ("model", "provider", "base_url", *SENT)
        return {name: getattr(self, name) for name in names}

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        return _messages.result(self._clients.blocking.run(self._task(messages, stop, kwargs)))

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        return _messages.result(await self._clients.awaiting.run(self._task(messages, stop, kwargs)))

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:  # fmt: skip
        with self._clients.blocking.stream(_single(self._task(messages, stop, kwargs))) as stream:
            for piece in stream:
                if (chunk := _messages.part(piece)) is not None:
                    yield chunk
            yield from _messages.last(stream.final, stream.usage)

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:  # fmt: skip
        async with self._clients.awaiting.stream(_single(self._task(messages, stop, kwargs))) as stream:
            async for piece in stream:
                if (chunk := _messages.part(piece)) is not None:
                    yield chunk
            for end in _messages.last(stream.final, stream.usage):
                yield end

    def _task(self, messages: list[BaseMessage], stop: list[str] | None, more: Mapping[str, Any]) -> ChatCompletion:
        """The request: the fields, then what this call says; InputError for what the task does not know."""
        given: dict[str, Any] = {"model": self.model, **{name: getattr(self, name) for name in SENT}}
        given |= {} if stop is None else {"stop": stop}
        given |= {name: value for name, value in more.items() if name != "ls_structured_output_format"}
        return ChatCompletion(_messages.to_wire(messages), **given)

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | bool | dict[str, Any] | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """A model that may call these tools.

        `tool_choice`: "auto" or "none"; "required", "any" or True for at least one call; the name of a tool; or the
        mapping that the server takes. InputError for a name that no tool has.
        """
        if not tools:
            return self.bind(**kwargs)
        wire = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
        choice = _tool_choice(tool_choice, [str(tool["function"]["name"]) for tool in wire])
        return self.bind(tools=wire, **({} if choice is None else {"tool_choice": choice}), **kwargs)


def _single(task: ChatCompletion) -> ChatCompletion:
    """The task, refused where several answers would be mixed up in one stream."""
    if (task.n or 1) > 1:
        raise InputError(f"chat_completion: `n` = {task.n} cannot be streamed", hint="Use invoke or generate")
    return task


def _tool_choice(choice: Any, names: Sequence[str]) -> str | dict[str, Any] | None:
    """The choice as the wire has it."""
    if choice is None or choice is False:
        return None
    if isinstance(choice, dict):
        return choice  # pyright: ignore[reportUnknownVariableType]
    if choice in ("auto", "none"):
        return str(choice)
    if choice is True or choice in ("any", "required"):
        return "required"
    if choice not in names:
        known = ", ".join(["auto", "none", "required", *names])
        raise InputError(f"`tool_choice` = {shown(repr(choice), 60)}: known are {known}")
    return {"type": "function", "function": {"name": choice}}
