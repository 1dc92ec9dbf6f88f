"""Chat: messages in, a message out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, replace
from functools import partial
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from hf_tools.answer import Answer
from hf_tools.errors import HfError, InvalidRequest
from hf_tools.inputs import Fraction, NotNegative, NotNegativeFloat, Object, Positive, TopK
from hf_tools.loose import UNPROMISED, table
from hf_tools.task import Body, Reply, Route, Server, Streamed, cannot
from hf_tools.tasks.chat_stream import ChatChunk, ChatDecoder, text_of
from hf_tools.tasks.decoding import expected
from hf_tools.wire import Label, as_json, parse, read_json

PATH = "/v1/chat/completions"
LONG = 4096
"""Above this many tokens a second run after an unclear failure would be expensive."""


def _text(value: Any) -> str | None:
    """Content that came as a list of parts, as its text."""
    return None if value is None else text_of(value)


def _arguments(value: Any) -> str:
    """Arguments as a JSON text; old TGI servers send the object itself."""
    if value is None or value == "":
        return "{}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class FunctionCall(Answer):
    """The function that the model wants called; `arguments` is JSON as the model wrote it."""

    name: Annotated[str, BeforeValidator(lambda value: "" if value is None else value)] = ""
    """Name of the function; empty where the model gave none."""
    arguments: Annotated[str, BeforeValidator(_arguments)] = "{}"
    """Its arguments, as JSON text; models may write broken JSON."""


class ToolCall(Answer):
    """One tool call of a message."""

    id: Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))] = ""
    """What the message with the tool's result refers to; empty where the server gives none."""
    type: str | None = "function"
    """Kind of the tool."""
    function: FunctionCall
    """The function and its arguments; of another kind of tool its name, and what it was given as JSON."""

    @model_validator(mode="before")
    @classmethod
    def _other_kind(cls, value: Any) -> Any:
        about = table(value)
        other = table(about.get(str(about.get("type"))))
        if not other or about.get("function") is not None:
            return value
        return {**about, "function": {"name": other.get("name"), "arguments": other}}


class ChatMessage(Answer):
    """A message of the model."""

    role: str | None = "assistant"
    """Who speaks."""
    content: Annotated[str | None, BeforeValidator(_text)] = None
    """The text; None where there are tool calls only."""
    tool_calls: Annotated[
        list[ToolCall], BeforeValidator(lambda value: value or []), Field(json_schema_extra={"default": []})
    ] = Field(default_factory=list[ToolCall])  # pydantic copies a default list, which takes longer
    """The tools that the model wants called."""
    reasoning_content: Annotated[str | None, BeforeValidator(_text)] = None
    """What the model thought, as most servers name it; `reasoning` has either."""
    refusal: Annotated[str | None, UNPROMISED] = None
    """Why the model does not answer, where the server keeps that apart from the content."""
    reasoning_text: Annotated[str | None, BeforeValidator(_text), Field(alias="reasoning")] = None
    """What the model thought, where the server named it `reasoning`."""

    @model_validator(mode="before")
    @classmethod
    def _old_call(cls, value: Any) -> Any:
        """The one call that servers sent before there were several."""
        about = table(value)
        old = table(about.get("function_call"))
        return value if not old or about.get("tool_calls") else {**about, "tool_calls": [{"function": old}]}

    @field_validator("tool_calls", mode="before")
    @classmethod
    def _one_call(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict) else value

    @property
    def reasoning(self) -> str | None:
        """What the model thought, under whichever name the server sent it; None where it did not."""
        return self.reasoning_content or self.reasoning_text


class Choice(Answer):
    """One of the answers; `finish_reason` is the server's own word (`stop`, `eos_token`, `length`, ...)."""

    message: ChatMessage
    """What the model says."""
    index: Annotated[int, BeforeValidator(lambda value: value or 0)] = 0
    """Number of the choice, from 0."""
    finish_reason: Annotated[Label | None, UNPROMISED] = None
    """Why it ends there."""
    logprobs: Any = None
    """Log probabilities of the tokens as the server sent them, where `logprobs` asked for them."""


Count = Annotated[int, Field(ge=0)]


class Usage(Answer):
    """Tokens used; None where the server did not say."""

    prompt_tokens: Annotated[Count | None, UNPROMISED] = None
    """Tokens of the conversation that was sent."""
    completion_tokens: Annotated[Count | None, UNPROMISED] = None
    """Tokens that were written."""
    total_tokens: Annotated[Count | None, UNPROMISED] = None
    """Both together."""


class ChatCompletionOutput(Answer):
    """The answer to a chat: one choice unless `n` asked for more."""

    choices: Annotated[list[Choice], Field(min_length=1)]
    """The answers, at least one."""
    id: Annotated[Label | None, UNPROMISED] = None
    """The server's id of the answer; may be empty."""
    model: Annotated[Label | None, UNPROMISED] = None
    """The model that answered, as the server names it."""
    created: Annotated[float | None, UNPROMISED] = None
    """When the answer was made, in seconds since 1970."""
    system_fingerprint: Annotated[Label | None, UNPROMISED] = None
    """Version of the server."""
    usage: Annotated[Usage | None, UNPROMISED] = None
    """Tokens used."""

    @property
    def message(self) -> ChatMessage:
        """The message of the first choice."""
        return self.choices[0].message

    @property
    def text(self) -> str:
        """The text of the first choice, without its reasoning."""
        return self.message.content or ""


def _messages(value: Sequence[Any]) -> list[dict[str, Any]]:
    if not value:
        raise ValueError("must not be empty")
    return [_message(number, message) for number, message in enumerate(value)]


def _message(number: int, message: ChatMessage | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(message, ChatMessage):
        plain = message.model_dump(exclude_unset=True, by_alias=True)
        return {"role": message.role, "content": message.content} | {k: v for k, v in plain.items() if v != []}
    if not isinstance(message.get("role"), str) or not message["role"]:
        raise ValueError(f"message {number} needs a role: system, user, assistant or tool")
    if "content" not in message and not message.get("tool_calls"):
        raise ValueError(f"message {number} needs content or tool_calls")
    return dict(message)


def _form(form: Mapping[str, Any], route: Route) -> Mapping[str, Any]:
    """A JSON schema as the server takes it: every version of TGI knows `value`, only new ones OpenAI's form."""
    schema: Any = form.get("json_schema")
    if form.get("type") != "json_schema" or not isinstance(schema, Mapping) or "schema" not in schema:
        return form
    if route.server in ("hf-inference", "tgi"):
        return {"type": "json_object", "value": schema["schema"]}
    kinds = {"object": "json_object", "flat": "json_schema"}
    return {"type": kinds[route.schemas], "schema": schema["schema"]} if route.schemas in kinds else form


# from left to right: otherwise each mapping would be tried as an answer's message as well
Message = Annotated[Mapping[str, Any] | ChatMessage, Field(union_mode="left_to_right")]
Messages = Annotated[Sequence[Message], AfterValidator(_messages)]


class ChatCompletion(Streamed[ChatCompletionOutput, ChatChunk]):
    """Answer a conversation, with text, tool calls or both."""

    name: ClassVar[str] = "chat-completion"
    servers: ClassVar[frozenset[Server]] = frozenset(["router", "hf-inference", "tgi", "openai"])
    remote: ClassVar[tuple[str, ...]] = ("the router (provider auto)", "hf-inference")

    messages: Messages
    """The conversation so far: mappings with `role` and `content`, or messages of earlier answers."""
    _: KW_ONLY
    frequency_penalty: float | None = None
    """-2 to 2: above 0 makes a token less likely the more often it was used."""
    logit_bias: Mapping[str, float] | list[float] | None = None
    """Added to the logits of tokens, by token id: -100 bans, 100 forces. TGI ignores it."""
    logprobs: bool | None = None
    """Return the log probability of each token."""
    max_tokens: NotNegative | None = None
    """Most tokens that are written; some servers stop at 1024 without it, others at the end of the context."""
    min_p: Fraction | None = None
    """Sample among tokens at least this likely, relative to the likeliest; on vLLM, SGLang and llama.cpp servers."""
    n: Positive | None = None
    """How many answers to write. TGI ignores it."""
    parallel_tool_calls: bool | None = None
    """False asks for at most one tool call an answer; needs `tools`."""
    presence_penalty: float | None = None
    """-2 to 2: above 0 makes a token less likely once it was used."""
    reasoning_effort: str | None = None
    """How much a reasoning model thinks: none, minimal, low, medium, high or what the model knows."""
    repetition_penalty: NotNegativeFloat | None = None
    """1 is neutral, above it repeats become less likely; on vLLM, SGLang and some providers' servers."""
    response_format: Object | None = None
    """`{"type": "json_schema", "json_schema": {"name": ..., "schema": {...}}}`, `json_object` or `text`."""
    seed: NotNegative | None = None
    """Makes sampling repeatable where the server can."""
    stop: list[str] | str | None = None
    """Texts that end the answer; most servers take up to 4."""
    stream_options: Object | None = None
    """`{"include_usage": true}` adds the tokens used to the end of a stream; on by default in streams, `{}` for off."""
    temperature: NotNegativeFloat | None = None
    """0 to 2: 0 always takes the likeliest token."""
    tool_choice: str | Object | None = None
    """auto, none, required, or `{"type": "function", "function": {"name": ...}}`."""
    tool_prompt: str | None = None
    """Text that TGI puts before the tools."""
    tools: Sequence[Object] | None = None
    """Tools that the model may call: `{"type": "function", "function": {"name", "description", "parameters"}}`."""
    top_k: TopK | None = None
    """Sample among this many of the likeliest tokens only; on vLLM, SGLang, llama.cpp and some providers' servers."""
    top_logprobs: NotNegative | None = None
    """0 to 5 (20 on some servers): likeliest tokens to return at each place; needs `logprobs`."""
    top_p: Fraction | None = None
    """Sample among the likeliest tokens that together have this probability."""
    extra_body: Object | None = None
    """More fields of the request, such as `guided_regex`, as the server names them."""

    def __post_init__(self) -> None:
        if self.top_logprobs and self.logprobs is False:
            raise ValueError("`top_logprobs` needs `logprobs=True`")
        if self.tool_choice is not None and not self.tools:
            raise ValueError("`tool_choice` needs `tools`")
        if self.parallel_tool_calls is not None and not self.tools:
            raise ValueError("`parallel_tool_calls` needs `tools`")

    @property
    def costly(self) -> bool:
        return (self.max_tokens or 0) > LONG

    @property
    def slow(self) -> bool:
        return self.max_tokens is None or self.costly

    def encode(self, route: Route) -> Body:
        if route.server == "hf-inference" and route.model is None:
            raise cannot(self, route, "a chat without a model", "Pass model=...")
        sent = self.given("messages", "extra_body")
        if isinstance(self.stop, str):
            sent["stop"] = [self.stop]
        if self.response_format:
            sent["response_format"] = _form(self.response_format, route)
        if route.stream:
            sent = {"stream": True, "stream_options": {"include_usage": True}} | sent
        if self.stream_options == {}:
            del sent["stream_options"]
        # the model comes first: a router finds it in the first bytes, messages may be megabytes
        head = {"model": route.model} if route.model else {}
        body = head | {"messages": self.messages} | sent | dict(self.extra_body or {})
        return as_json(body, path=PATH)

    def simpler(self, error: HfError) -> Self | None:
        refused = isinstance(error, InvalidRequest) and "stream_options" in error.message
        return replace(self, stream_options={}) if refused and self.stream_options is None else None

    def decode(self, reply: Reply) -> ChatCompletionOutput:
        return parse(ChatCompletionOutput, read_json(reply))

    def decoder(self, head: Reply) -> ChatDecoder[ChatCompletionOutput]:
        count = expected((self.extra_body or {}).get("n", self.n))
        return ChatDecoder(head, self.decode, partial(parse, ChatCompletionOutput), count)
