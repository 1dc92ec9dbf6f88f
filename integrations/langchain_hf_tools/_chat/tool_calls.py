"""Tool calls both ways: released only as complete, strict JSON objects; anything else must not run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, InvalidToolCall, ToolCall, ToolCallChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from pydantic_core import from_json

from hf_tools.errors import InputError, shown
from hf_tools.loose import rows
from hf_tools.tasks import chat

CUT = frozenset(["length", "model_length", "content_filter"])
"""Reasons for an end that came before the model was done."""

CALLS = frozenset(["tool_use", "tool_call"])
"""Blocks that are calls: Anthropic's, and LangChain's own."""

MARK = " (not a complete JSON object)"
"""Follows the arguments of an invalid call in a stream."""

BROKEN = "the arguments are not a complete JSON object"
"""Why a call is invalid."""
INVALID = "invalid_json"
"""Under this name the model gets arguments back that are no JSON object."""

Calls = tuple[list[ToolCall], list[InvalidToolCall]]


def calls_of(choice: chat.Choice) -> Calls:
    """The calls whose arguments are a whole JSON object, and the others, which must not run."""
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    given = choice.message.tool_calls
    if not given:
        return calls, invalid
    numbers = _numbers(given)
    for call, number in zip(given, numbers, strict=True):
        name, text = call.function.name, call.function.arguments
        # no arguments at all are an empty object, but not where the answer was cut off before they were written
        is_cut = call is given[-1] and choice.finish_reason in CUT and text.strip() in ("", "{}")
        arguments = None if is_cut else _object(text)
        if arguments is None or not name:
            reason = "the answer was cut off" if is_cut else BROKEN
            reason = reason if name else "the call names no tool"
            invalid.append(invalid_tool_call(name=name, args=text, id=number, error=reason))
        else:
            calls.append(tool_call(name=name, args=arguments, id=number))
    return calls, invalid


def none_of(choice: chat.Choice, reason: str) -> list[InvalidToolCall]:
    """All calls of an answer that ended early, none of which must run."""
    calls = zip(choice.message.tool_calls, _numbers(choice.message.tool_calls), strict=True)
    return [
        invalid_tool_call(name=call.function.name, args=call.function.arguments, id=number, error=reason)
        for call, number in calls
    ]


def _numbers(calls: Sequence[chat.ToolCall]) -> list[str]:
    """An id for each call: results are told apart by it, and some servers give none, or one twice."""
    found: list[str] = []
    for call in calls:
        found.append(call.id if call.id and call.id not in found else f"call_{uuid4().hex[:24]}")
    return found


def _object(text: str) -> dict[str, Any] | None:
    try:
        value: Any = from_json(text, allow_inf_nan=False)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType]


def chunks_of(choice: chat.Choice) -> list[ToolCallChunk]:
    """The calls, each in one piece.

    When LangChain adds chunks up it repairs broken arguments, so that a call that was cut off would run. An invalid
    call therefore carries its arguments as a JSON string, of which no repair makes an object, and a mark, because
    LangChain's events take any JSON value for arguments.
    """
    calls, invalid = calls_of(choice)
    written = [(call["name"], json.dumps(call["args"], ensure_ascii=False), call["id"]) for call in calls]
    written += [(call["name"] or "", json.dumps(call["args"]) + MARK, call["id"]) for call in invalid]
    return [
        tool_call_chunk(name=name, args=arguments, id=number, index=place)
        for place, (name, arguments, number) in enumerate(written)
    ]


def to_wire(message: AIMessage) -> list[dict[str, Any]]:
    """The calls of a message of the history; those of other providers' content blocks where it has no others."""
    calls = [(call["id"], call["name"], _arguments(call["name"], call["args"])) for call in message.tool_calls]
    calls += [(call["id"], call["name"] or "", _object_of(call["args"] or "")) for call in message.invalid_tool_calls]
    if not calls and isinstance(message.content, list):
        blocks = rows(message.content)
        calls = [_from_block(block) for block in blocks if block.get("type") in CALLS and block.get("name")]
    return [
        {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, name, arguments in calls
    ]


def _from_block(block: dict[str, Any]) -> tuple[str | None, str, str]:
    name = str(block.get("name") or "")
    return block.get("id"), name, _arguments(name, block.get("input", block.get("args")) or {})


def unmarked(arguments: str) -> str:
    """Arguments that are none as the model wrote them: `chunks_of` has marked those of a stream."""
    return str(json.loads(arguments.removesuffix(MARK))) if arguments.endswith(MARK) else arguments


def _object_of(arguments: str) -> str:
    """Arguments that are no object within one: servers that read the calls of the history fail on broken JSON."""
    written = unmarked(arguments) or "{}"
    return written if _object(written) is not None else json.dumps({INVALID: written}, ensure_ascii=False)


def _arguments(name: str, arguments: Any) -> str:
    """The arguments as JSON; InputError for values that JSON has no form for."""
    try:
        return json.dumps(arguments, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"the arguments of the tool call `{shown(name, 60)}` are not JSON: {shown(error)}") from error
