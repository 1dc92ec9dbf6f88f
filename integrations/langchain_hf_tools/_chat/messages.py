"""LangChain's messages as the wire has them, those of other providers' histories among them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage

from hf_tools.errors import InputError, MediaError, shown
from hf_tools.loose import items
from langchain_hf_tools._chat import tool_calls
from langchain_hf_tools._chat.cloning import PROVIDER
from langchain_hf_tools._chat.fields import Replay
from langchain_hf_tools._chat.media import Part, Parts
from langchain_hf_tools._chat.reasoning import reasoning_of, replayed

ROLES: Mapping[type[BaseMessage], str] = {
    SystemMessage: "system",
    HumanMessage: "user",
    AIMessage: "assistant",
    ToolMessage: "tool",
}


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
                written, media = self._written(message, thinks=place in thinking)
            except (InputError, MediaError) as error:
                about = f"messages[{place}] ({type(message).__name__}): {error.message}"
                raise InputError(about, hint=error.hint) from error.__cause__
            for one in written:
                lifted = _let_down(wire, one, lifted)
                wire.append(one)
            lifted += media
        _let_down(wire, None, lifted)
        return wire

    def _written(self, message: BaseMessage, *, thinks: bool) -> tuple[list[dict[str, Any]], list[Part]]:
        """The message, and the media that were taken out of it."""
        role = message.role if isinstance(message, ChatMessage) else ROLES.get(type(message))
        role = role or next((name for kind, name in ROLES.items() if isinstance(message, kind)), None)
        if role is None:
            raise InputError("a message of this kind cannot be sent")
        named = {"name": message.name} if message.name else {}
        if isinstance(message, AIMessage):
            return [{"role": role, **self._answer(message, thinks=thinks), **named}], []
        if isinstance(message, ToolMessage):
            written, media = self._result(message.tool_call_id, _blocks(message))
            return [{**written, **named}], media
        if isinstance(message.content, str):
            return [{"role": role, "content": message.content, **named}], []
        results, others = _apart(_blocks(message))
        found = [self._result(str(block.get("tool_use_id")), _contents(block.get("content"))) for block in results]
        wire = [one for one, _ in found]
        lifted = [part for _, parts in found for part in parts]
        if others or not results:
            said = {"role": role, "content": _joined([self.parts.part(block) for block in others]), **named}
            lifted = _let_down(wire, said, lifted)
            wire.append(said)
        return wire, lifted

    def _answer(self, message: AIMessage, *, thinks: bool) -> dict[str, Any]:
        # what else is in a model's own message travels in other fields, or means something to its provider alone
        blocks = [block for block in _blocks(message) if self.parts.knows(block)]
        wire: dict[str, Any] = {"content": _joined([self.parts.part(block) for block in blocks])}
        refusal = message.additional_kwargs.get("refusal")
        if isinstance(refusal, str) and not wire["content"]:
            wire["content"] = refusal
        if calls := tool_calls.to_wire(message):
            wire["tool_calls"] = calls
        if thinks and (thought := reasoning_of(message)):
            wire["reasoning_content"] = thought
        return wire

    def _result(self, number: str, blocks: list[dict[str, Any]]) -> tuple[dict[str, Any], list[Part]]:
        """A tool's result: texts and data as text; media in place, or apart with a word on where they come from."""
        wire: dict[str, Any] = {"role": "tool", "tool_call_id": number}
        parts = [self.parts.part(block) if self.parts.knows(block) else _as_json(block) for block in blocks]
        media = [part for part in parts if part["type"] != "text"]
        if not media or not self.hoist:
            return {**wire, "content": _joined(parts)}, []
        texts = _joined([part for part in parts if part["type"] == "text"])
        told = {"type": "text", "text": f"Attached: what the tool call {number} returned."}
        return {**wire, "content": texts or "The result is attached to the next user message."}, [told, *media]


def _let_down(wire: list[dict[str, Any]], following: dict[str, Any] | None, lifted: list[Part]) -> list[Part]:
    """Put media into the user message that follows the results, or into one of their own; what is still lifted."""
    if not lifted or (following is not None and following["role"] == "tool"):
        return lifted
    if following is not None and following["role"] == "user":  # two in a row are too many for some templates
        content = following["content"]
        own = [{"type": "text", "text": content}] if isinstance(content, str) else content
        following["content"] = [*lifted, *own]
    else:
        wire.append({"role": "user", "content": lifted})
    return []


def _apart(blocks: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Results of tools, which Anthropic's histories have in user messages, and the other blocks."""
    results = [block for block in blocks if block.get("type") == "tool_result"]
    marks = [block for block in blocks if "cachePoint" in block]  # Bedrock's, for its own cache
    return results, [block for block in blocks if block not in results and block not in marks]


def _blocks(message: BaseMessage) -> list[dict[str, Any]]:
    """The content as blocks; that of another provider's model as LangChain's standard ones."""
    content: Any = message.content
    about = message.response_metadata
    if isinstance(message, AIMessage) and isinstance(content, list) and about.get("model_provider") != PROVIDER:
        content = message.content_blocks
    return _contents(content)


def _contents(content: Any) -> list[dict[str, Any]]:
    blocks: list[Any] = items(content) if isinstance(content, list) else [content] if content else []
    return [block if isinstance(block, dict) else {"type": "text", "text": block} for block in blocks]


def _joined(parts: list[Part]) -> str | list[Part]:
    """Parts as one text where they hold nothing else: not every server takes a list."""
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _as_json(block: Mapping[str, Any]) -> Part:
    """What else a tool may return, such as search results: the model reads it as JSON."""
    value = block["json"] if block.get("type") == "json" and "json" in block else block
    try:
        return {"type": "text", "text": json.dumps(value, ensure_ascii=False, allow_nan=False)}
    except (TypeError, ValueError, RecursionError) as error:
        kind = shown(repr(block.get("type")), 60)
        raise InputError(f"content of the type {kind} is not JSON: {shown(error)}") from error
