"""Messages both ways: LangChain's as the wire has them, and the model's answers as LangChain's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    InvalidToolCall,
    SystemMessage,
    ToolCall,
    ToolCallChunk,
    ToolMessage,
    convert_to_openai_data_block,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic_core import from_json

from hf_tools.errors import InputError, shown
from hf_tools.tasks import chat
from hf_tools.tasks.chat_stream import ChatChunk

PROVIDER = "huggingface"
"""Value of `model_provider` in the metadata of each answer."""
ROLES: Mapping[type[BaseMessage], str] = {
    SystemMessage: "system",
    HumanMessage: "user",
    AIMessage: "assistant",
    ToolMessage: "tool",
}
NOT_SENT = frozenset(["tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "reasoning", "thinking"])
"""Blocks of a model's own message that travel in other fields, or not at all."""

CUT = frozenset(["length", "model_length", "content_filter"])
"""Reasons for an end that came before the model was done."""

MARK = " (not a complete JSON object)"
"""Follows the arguments of an invalid call in a stream."""


def to_wire(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """The messages as chat completion takes them; InputError for one that it cannot carry."""
    wire: list[dict[str, Any]] = []
    for place, message in enumerate(messages):
        try:
            wire.append(_to_wire(message))
        except InputError as error:
            about = f"messages[{place}] ({type(message).__name__}): {error.message}"
            raise InputError(about, hint=error.hint) from error.__cause__
    return wire


def _to_wire(message: BaseMessage) -> dict[str, Any]:
    role = message.role if isinstance(message, ChatMessage) else None
    role = role or next((name for kind, name in ROLES.items() if isinstance(message, kind)), None)
    if role is None:
        raise InputError("a message of this kind cannot be sent")
    wire: dict[str, Any] = {"role": role, "content": _content(message)}
    if message.name:
        wire["name"] = message.name
    if isinstance(message, ToolMessage):
        wire["tool_call_id"] = message.tool_call_id
    if isinstance(message, AIMessage) and (calls := _calls_to_wire(message)):
        wire["tool_calls"] = calls
    return wire


def _content(message: BaseMessage) -> str | list[dict[str, Any]]:
    """Text as it is or put together from its parts; parts of other kinds in OpenAI's form."""
    content: Any = message.content
    if isinstance(content, str):
        return content
    own = isinstance(message, AIMessage)
    blocks = [{"type": "text", "text": block} if isinstance(block, str) else block for block in content]
    parts = [_part(block) for block in blocks if not (own and str(block.get("type")) in NOT_SENT)]
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _part(block: dict[str, Any]) -> dict[str, Any]:
    kind = block.get("type")
    if kind == "text":
        text: Any = block.get("text", "")
        if not isinstance(text, str):
            raise InputError(f"a block of text holds {type(text).__name__}, not text")
        return {"type": "text", "text": text}
    if kind == "image_url":
        return block
    if kind == "image":
        try:
            return convert_to_openai_data_block(block)
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(f"an image cannot be sent: {error}") from error
    raise InputError(f"content of the type {shown(repr(kind), 60)} cannot be sent", hint="Send text and images")


def _calls_to_wire(message: AIMessage) -> list[dict[str, Any]]:
    calls = [(call["id"], call["name"], _arguments(call)) for call in message.tool_calls]
    calls += [(call["id"], call["name"] or "", _unmarked(call["args"] or "")) for call in message.invalid_tool_calls]
    return [
        {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, name, arguments in calls
    ]


def _unmarked(arguments: str) -> str:
    """Arguments that are none as the model wrote them: `last` has marked those of a stream."""
    return str(json.loads(arguments.removesuffix(MARK))) if arguments.endswith(MARK) else arguments


def _arguments(call: ToolCall) -> str:
    """The arguments as JSON; InputError for values that JSON has no form for."""
    try:
        return json.dumps(call["args"], ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        name = shown(call["name"], 60)
        raise InputError(f"the arguments of the tool call `{name}` are not JSON: {shown(error)}") from error


def result(answer: chat.ChatCompletionOutput) -> ChatResult:
    """The answer as a ChatResult: one generation for each choice."""
    about, usage = metadata(answer), usage_of(answer.usage)
    generations = [_generation(choice, about, usage) for choice in answer.choices]
    return ChatResult(generations=generations, llm_output={"model_name": answer.model} if answer.model else {})


def _generation(choice: chat.Choice, about: dict[str, Any], usage: UsageMetadata | None) -> ChatGeneration:
    calls, invalid = tool_calls(choice)
    message = AIMessage(
        content=choice.message.content or "", tool_calls=calls, invalid_tool_calls=invalid, usage_metadata=usage,
        additional_kwargs=thoughts(choice.message.reasoning), response_metadata=_ended(about, choice.finish_reason),
    )  # fmt: skip
    return ChatGeneration(message=message, generation_info=_ended({}, choice.finish_reason))


def _ended(about: dict[str, Any], reason: str | None) -> dict[str, Any]:
    return {**about, "finish_reason": reason} if reason else dict(about)


def metadata(answer: chat.ChatCompletionOutput) -> dict[str, Any]:
    """What is known of an answer besides its message."""
    known = {"model_name": answer.model, "id": answer.id, "system_fingerprint": answer.system_fingerprint}
    return {"model_provider": PROVIDER, **{name: value for name, value in known.items() if value}}


def thoughts(reasoning: str | None) -> dict[str, Any]:
    """Reasoning where LangChain looks for it."""
    return {"reasoning_content": reasoning} if reasoning else {}


def usage_of(usage: chat.Usage | Mapping[str, Any] | None) -> UsageMetadata | None:
    """Tokens used; None where the server did not say."""
    told: Mapping[str, Any] = usage.model_dump() if isinstance(usage, chat.Usage) else usage or {}
    read, written = told.get("prompt_tokens") or 0, told.get("completion_tokens") or 0
    total = told.get("total_tokens") or read + written
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=total) if total else None


def tool_calls(choice: chat.Choice) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """The calls whose arguments are a whole JSON object, and the others, which must not run."""
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    given = choice.message.tool_calls
    for call in given:
        # some servers give no id, and the answer to a call is found by it
        name, text, number = call.function.name, call.function.arguments, call.id or f"call_{uuid4().hex}"
        # no arguments at all are an empty object, but not where the answer was cut off before they were written
        is_cut = call is given[-1] and choice.finish_reason in CUT and text.strip() in ("", "{}")
        arguments = None if is_cut else _object(text)
        if arguments is None:
            reason = "the answer was cut off" if is_cut else "the arguments are not a complete JSON object"
            invalid.append(invalid_tool_call(name=name, args=text, id=number, error=reason))
        else:
            calls.append(tool_call(name=name, args=arguments, id=number))
    return calls, invalid


def _object(text: str) -> dict[str, Any] | None:
    try:
        value: Any = from_json(text, allow_inf_nan=False)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType]


def part(chunk: ChatChunk) -> ChatGenerationChunk | None:
    """Text and reasoning of a piece of the stream; None where it has neither."""
    if not chunk.text and not chunk.reasoning:
        return None
    message = AIMessageChunk(
        content=chunk.text, additional_kwargs=thoughts(chunk.reasoning), response_metadata={"model_provider": PROVIDER}
    )
    return ChatGenerationChunk(message=message)


def last(answer: chat.ChatCompletionOutput, usage: Mapping[str, Any] | None) -> Iterator[ChatGenerationChunk]:
    """The end of a stream: tool calls, which are released only now that they are whole, then usage and metadata.

    The calls have a chunk of their own: LangChain's third version of events loses invalid ones in the last chunk.
    """
    choice = answer.choices[0]
    if choice.message.tool_calls:
        message = AIMessageChunk(
            content="", tool_call_chunks=_call_chunks(choice), response_metadata={"model_provider": PROVIDER}
        )
        yield ChatGenerationChunk(message=message)
    message = AIMessageChunk(
        content="",
        usage_metadata=usage_of(usage),
        response_metadata=_ended(metadata(answer), choice.finish_reason),
        chunk_position="last",
    )
    yield ChatGenerationChunk(message=message, generation_info=_ended({}, choice.finish_reason))


def _call_chunks(choice: chat.Choice) -> list[ToolCallChunk]:
    """The calls, each in one piece.

    When LangChain adds chunks up it repairs broken arguments, so that a call that was cut off would run. An invalid
    call therefore carries its arguments as a JSON string, of which no repair makes an object, and a mark, because
    LangChain's events take any JSON value for arguments.
    """
    calls, invalid = tool_calls(choice)
    written = [(call["name"], json.dumps(call["args"], ensure_ascii=False), call["id"]) for call in calls]
    written += [(call["name"] or "", json.dumps(call["args"]) + MARK, call["id"]) for call in invalid]
    return [
        tool_call_chunk(name=name, args=arguments, id=number, index=place)
        for place, (name, arguments, number) in enumerate(written)
    ]
