"""A chat model: Hugging Face's router, an endpoint or the embedded backend behind LangChain's interface."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Self, TypeVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput, ModelProfile
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import model_validator

from hf_tools.errors import InputError
from hf_tools.loose import table
from hf_tools.providers import is_url
from langchain_hf_tools._chat import answers, binding, requests, tokens, translator
from langchain_hf_tools._chat.cloning import PROVIDER
from langchain_hf_tools._chat.fields import SENT, Conversing, Method, Sampling, sent_of
from langchain_hf_tools._connecting.connection import CONFIG, Connection
from langchain_hf_tools.errors import model_errors
from langchain_hf_tools.profiles import Known, profile_of

translator.register()
Signed = TypeVar("Signed", bound=Callable[..., Any])


def _signed(method: Signed) -> Signed:
    """The method with its signature at hand: langchain-core asks for it in each call, and to make it takes 14 us."""
    vars(method)["__signature__"] = inspect.signature(method)
    return method


class ChatHfInference(Connection, Sampling, Conversing, BaseChatModel):
    """A chat model that Hugging Face's router, an endpoint or the embedded backend runs.

    ChatHfInference(model="openai/gpt-oss-120b")                     # token from HF_TOKEN or the login file
    ChatHfInference(model="openai/gpt-oss-120b:groq")                # one provider behind the router
    ChatHfInference(base_url="http://127.0.0.1:8080", api_key="...") # vLLM, SGLang, TGI, llama.cpp; with or without /v1
    ChatHfInference(provider="local")                                # no token, no network

    Nothing is sent but what was set. Calls raise an HfError that is also one of langchain-core's ModelErrors where that
    has one (`langchain_hf_tools.errors`). A stream that ends early raises StreamInterrupted with `partial_message`. A
    tool call whose arguments are not a complete JSON object is in `invalid_tool_calls`, so that no agent runs it.
    """

    model_config = CONFIG

    @property
    def _llm_type(self) -> str:
        return "hf-inference-chat"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        asked = {name: getattr(self, name) for name in ("model", "provider", "base_url", "server")}
        return {**asked, **dict(zip(SENT, sent_of(self), strict=True))}

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        """What tracing is told of the fields; langchain-core's own way alters the filters of warnings in each call."""
        if type(self).dict is not BaseChatModel.dict:  # a subclass of before langchain-core 1.4.2 that says it itself
            return super()._get_invocation_params(stop, **kwargs)
        return {**self.asdict(), "stop": stop, **kwargs}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        """What tracing is told about a call."""
        found = super()._get_ls_params(stop=stop, **kwargs)
        found["ls_provider"] = PROVIDER
        named = self.model if self.model and not is_url(self.model) else self._host
        found["ls_model_name"] = kwargs.get("model") or named
        ends = stop or ([self.stop] if isinstance(self.stop, str) else self.stop)
        return found | LangSmithParams(ls_stop=ends) if ends else found

    def _resolve_model_profile(self) -> ModelProfile | None:
        return profile_of(self.model, self.provider, self.base_url)

    def _streaming_disabled(self, **kwargs: Any) -> bool:
        """Several answers do not stream: where nobody but LangChain asks for a stream, they come whole."""
        several = (kwargs.get("n") or self.n or 1) > 1
        return super()._streaming_disabled(**kwargs) or (several and not kwargs.get("stream"))

    @_signed
    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        with model_errors():
            call = self._call(messages, stop, kwargs)
            response = call.by(self._clients.blocking).respond(call.task)
        return answers.result(response.answer, response, self.reasoning_tags)

    @_signed
    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> ChatResult:  # fmt: skip
        with model_errors():
            call = self._call(messages, stop, kwargs)
            response = await call.by(self._clients.awaiting).respond(call.task)
        return answers.result(response.answer, response, self.reasoning_tags)

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:  # fmt: skip
        pieces = answers.Pieces(self.reasoning_tags)
        with model_errors(), pieces.told(), ExitStack() as held:
            call = self._call(messages, stop, kwargs)
            stream = held.enter_context(call.by(self._clients.blocking).stream(call.streamed()))
            for piece in stream:
                yield from pieces.of(piece)
            yield from pieces.end(stream.final, stream.usage, stream)

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None, **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:  # fmt: skip
        pieces = answers.Pieces(self.reasoning_tags)
        with model_errors(), pieces.told():
            call = self._call(messages, stop, kwargs)
            async with call.by(self._clients.awaiting).stream(call.streamed()) as stream:
                async for piece in stream:
                    for chunk in pieces.of(piece):
                        yield chunk
                for chunk in pieces.end(stream.final, stream.usage, stream):
                    yield chunk

    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None]) -> dict[str, Any]:
        return answers.combined(llm_outputs)

    def _call(self, messages: list[BaseMessage], stop: list[str] | None, more: Mapping[str, Any]) -> requests.Call:
        """The request: the fields, then what this call says; InputError for what nobody knows."""
        own = {"model": self.model, **dict(zip(SENT, sent_of(self), strict=True))}
        given = requests.checked(more)
        model = given.get("model") or self.model
        # a profile that was not given is that of the model
        profile = self.profile if model == self.model else profile_of(model, self.provider, self.base_url)
        wire = requests.writer(self, model, profile).to_wire(messages)
        options = requests.options(given, self.extra_headers)
        return requests.Call(
            requests.task(wire, own, stop, given), options, given.get("stream_usage", self.stream_usage)
        )

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | bool | dict[str, Any] | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: Any = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """A model that may call these tools.

        `tool_choice`: "auto" or "none"; "required", "any" or True for at least one call; the name of a tool; or the
        mapping that the server takes. `strict` asks for arguments that keep to the schema, where the server can.
        `response_format`: a class, a JSON schema or the server's own form, for the answer that is no tool call.
        InputError for a name that no tool has.
        """
        sent = binding.bound(tools, tool_choice, strict) | requests.checked(kwargs)
        if parallel_tool_calls is not None and tools:
            sent["parallel_tool_calls"] = parallel_tool_calls
        if response_format is not None:
            sent["response_format"] = binding.response_format(response_format, strict)
        return self.bind(**sent)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        method: Method | None = None,
        include_raw: bool = False,
        strict: bool | None = None,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """A model whose answers are objects: of the class for a pydantic class, else dicts.

        `method`: "json_schema" (the server keeps to the schema), "function_calling" or "json_mode" (any JSON: say in
        the prompt what you want). Without it json_schema where the profile knows that the model has it, on endpoints
        and on the embedded backend; else function_calling. `strict` goes with the first two. `tools` may be called
        before the answer comes, with json_schema only. `include_raw` gives a dict of `raw`, `parsed` and
        `parsing_error`. Calls raise OutputParserException for an answer that is not complete JSON, or not of the class.
        """
        from langchain_hf_tools._chat import structured  # with LangChain's parsers

        method = method or self._method()
        sent = structured.request(schema, method, strict, tools)
        bound = self.bind(**sent, **requests.checked(kwargs))
        return structured.parsed(bound, schema, sent, include_raw=include_raw)

    def _method(self) -> Method:
        known = (self.profile or {}).get("structured_output")
        own = self.provider == "local" or self.base_url is not None or is_url(self.model)
        return "json_schema" if (own if known is None else known) else "function_calling"

    def get_token_ids(self, text: str) -> list[int]:
        """The ids of a text's tokens by `custom_get_token_ids` or `tokenizer`; InputError where there is neither."""
        if self.custom_get_token_ids is not None:
            return self.custom_get_token_ids(text)
        with model_errors():
            return tokens.ids_of(text, self.tokenizer, self._ask)

    def get_num_tokens(self, text: str) -> int:
        """How many tokens a text has; an estimate of 4 characters a token where there is no tokenizer."""
        counts = self.custom_get_token_ids is not None or self.tokenizer is not None
        return len(self.get_token_ids(text)) if counts else tokens.estimated(text)

    def get_num_tokens_from_messages(self, messages: Any, tools: Any = None) -> int:
        """How many tokens a conversation has, with its tools; marks of the template and media are estimated."""
        return tokens.count(messages, tools, self.get_num_tokens)

    def _ask(self, text: str) -> list[int]:
        if self.base_url is None and not is_url(self.model):
            raise InputError('`tokenizer` = "server" needs an endpoint', hint="Pass `base_url`, or another tokenizer")
        return self._clients.blocking.run(tokens.Tokenize(text, model=self.model))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields changed; a profile that was looked up is looked up anew."""
        copied = super().model_copy(update=update, deep=deep)
        if isinstance(self.profile, Known) and "profile" not in (update or {}):
            copied.profile = copied._resolve_model_profile()
        return copied

    @model_validator(mode="before")
    @classmethod
    def _own_profile(cls, values: Any) -> Any:
        """A profile that was looked up for another model is none that somebody gave."""
        given = table(values)
        if isinstance(given.get("profile"), Known):
            return {name: value for name, value in given.items() if name != "profile"}
        return values
