"""LangChain's messages as the wire has them, those of other providers' histories among them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage

from hf_tools.errors import InputError, MediaError, shown
from langchain_hf_tools._chat import tool_calls
from langchain_hf_tools._chat.fields import Replay
from langchain_hf_tools._chat.media import MEDIA, Part, Parts
from langchain_hf_tools._chat.reasoning import reasoning_of, replayed

ROLES: Mapping[type[BaseMessage], str] = {
    SystemMessage: "system",
    HumanMessage: "user",
    AIMessage: "assistant",
    ToolMessage: "tool",
}
NOT_SENT = frozenset(
    [
        "tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "server_tool_call", "server_tool_call_chunk",
        "server_tool_result", "reasoning", "thinking", "redacted_thinking", "non_standard",
    ]
)  # fmt: skip
"""Blocks of a model's own message that travel in other fields, or mean something to one provider alone."""


@dataclass(frozen=True, slots=True)
class Writer:
    """How messages are written; `hoist` puts media of a tool's result into a user message after the results."""

    parts: Parts
    replay: Replay = "never"
    hoist: bool = True

    def to_wire(self, messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
        """The messages as chat completion takes them; InputError for one that it cannot carry."""
        wire: list[dict[str, Any]] = []
        lifted: list[Part] = []
        thinking = replayed(messages, self.replay)
        for place, message in enumerate(messages):
            try:
                if lifted and not isinstance(message, ToolMessage):
                    wire.append({"role": "user", "content": lifted})
                    lifted = []
                written, media = self._written(message, thinks=place in thinking)
            except (InputError, MediaError) as error:
                about = f"messages[{place}] ({type(message).__name__}): {error.message}"
                raise InputError(about, hint=error.hint) from error.__cause__
            wire.append(written)
            lifted += media
        return [*wire, {"role": "user", "content": lifted}] if lifted else wire

    def _written(self, message: BaseMessage, *, thinks: bool) -> tuple[dict[str, Any], list[Part]]:
        """The message, and the media that were taken out of it."""
        role = message.role if isinstance(message, ChatMessage) else None
        role = role or next((name for kind, name in ROLES.items() if isinstance(message, kind)), None)
        if role is None:
            raise InputError("a message of this kind cannot be sent")
        wire: dict[str, Any] = {"role": role}
        media: list[Part] = []
        if isinstance(message, AIMessage):
            wire |= self._answer(message, thinks=thinks)
        elif isinstance(message, ToolMessage):
            wire["content"], media = self._result(message)
            wire["tool_call_id"] = message.tool_call_id
        else:
            wire["content"] = _joined([self.parts.part(block) for block in _blocks(message)])
        if message.name:
            wire["name"] = message.name
        return wire, media

    def _answer(self, message: AIMessage, *, thinks: bool) -> dict[str, Any]:
        blocks = [block for block in _blocks(message) if str(block.get("type")) not in NOT_SENT]
        wire: dict[str, Any] = {"content": _joined([self.parts.part(block) for block in blocks])}
        refusal = message.additional_kwargs.get("refusal")
        if isinstance(refusal, str) and not wire["content"]:
            wire["content"] = refusal
        if calls := tool_calls.to_wire(message):
            wire["tool_calls"] = calls
        if thinks and (thought := reasoning_of(message)):
            wire["reasoning_content"] = thought
        return wire

    def _result(self, message: ToolMessage) -> tuple[str | list[Part], list[Part]]:
        """A tool's result: texts and data as text; media in place, or apart with a word on where they come from."""
        blocks = _blocks(message)
        parts = [self.parts.part(block) if _is_known(block) else _as_json(block) for block in blocks]
        media = [part for part in parts if part["type"] != "text"]
        if not media or not self.hoist:
            return _joined(parts), []
        told = f"Attached: what the tool call {message.tool_call_id} returned."
        texts = _joined([part for part in parts if part["type"] == "text"])
        said = texts or "The result is attached to the next user message."
        return said, [{"type": "text", "text": told}, *media]


def _blocks(message: BaseMessage) -> list[dict[str, Any]]:
    content: Any = message.content
    blocks: list[Any] = [content] if isinstance(content, str) else content
    return [{"type": "text", "text": block} if isinstance(block, str) else block for block in blocks]


def _joined(parts: list[Part]) -> str | list[Part]:
    """Parts as one text where they hold nothing else: not every server takes a list."""
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _is_known(block: Mapping[str, Any]) -> bool:
    return block.get("type") in MEDIA or block.get("type") in ("text", "text-plain")


def _as_json(block: Mapping[str, Any]) -> Part:
    """What else a tool may return, such as search results: the model reads it as JSON."""
    value = block["json"] if block.get("type") == "json" and "json" in block else block
    try:
        return {"type": "text", "text": json.dumps(value, ensure_ascii=False, allow_nan=False)}
    except (TypeError, ValueError, RecursionError) as error:
        kind = shown(repr(block.get("type")), 60)
        raise InputError(f"content of the type {kind} is not JSON: {shown(error)}") from error
