"""Standard content blocks of our messages: reasoning, text, refusal, tool calls.

In a stream each kind has an index of its own, a text that begins with `lc_`: LangChain's positional numbers would run
into those of tool calls, and merge a call with the text before it.
"""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, ToolCallChunk
from langchain_core.messages.block_translators import register_translator
from langchain_core.messages.content import KNOWN_BLOCK_TYPES

from hf_tools.loose import table
from langchain_hf_tools._chat import tool_calls
from langchain_hf_tools._chat.cloning import PROVIDER

Blocks = list[Any]


def _refusal(text: str) -> dict[str, Any]:
    """A refusal: a standard block since langchain-core 1.7.5."""
    if "refusal" in KNOWN_BLOCK_TYPES:
        return {"type": "refusal", "refusal": text}
    return {"type": "non_standard", "value": {"type": "refusal", "refusal": text}}


def translate_content(message: AIMessage) -> Blocks:
    """The blocks of a whole message."""
    return _said(message) + _called(message)


def translate_content_chunk(message: AIMessageChunk) -> Blocks:
    """The blocks of a piece of a message, or of all pieces added up."""
    said = _said(message)
    indexes = {"reasoning": "lc_rs_0", "text": "lc_txt_0", "refusal": "lc_rf_0", "non_standard": "lc_ns_0"}
    for block in said:
        if block["type"] in indexes:
            block.setdefault("index", indexes[block["type"]])
    if message.chunk_position == "last":
        return said + _called(message)
    return said + [_piece(chunk) for chunk in message.tool_call_chunks]


def _piece(chunk: ToolCallChunk) -> dict[str, Any]:
    """A call in a stream; ours come whole, and those that are marked are none."""
    about = {"id": chunk["id"], "name": chunk["name"], "index": f"lc_tc_{chunk['index'] or 0}"}
    arguments = chunk["args"] or ""
    if not arguments.endswith(tool_calls.MARK):
        return {"type": "tool_call_chunk", "args": chunk["args"], **about}
    return {"type": "invalid_tool_call", "args": tool_calls.unmarked(arguments), "error": tool_calls.BROKEN, **about}


def _said(message: AIMessage) -> Blocks:
    """Reasoning, then the content, then a refusal."""
    blocks: Blocks = []
    content: Any = message.content
    if thought := message.additional_kwargs.get("reasoning_content"):
        blocks.append({"type": "reasoning", "reasoning": thought})
    if isinstance(content, str):
        blocks += [{"type": "text", "text": content}] if content else []
    else:
        blocks += [_block(block) for block in content if not _is_call(block)]
    if refusal := message.additional_kwargs.get("refusal"):
        blocks.append(_refusal(refusal))
    return blocks


def _block(block: Any) -> Any:
    """A block of a content that is a list already: texts as blocks, unknown kinds as non-standard ones."""
    if isinstance(block, str):
        return {"type": "text", "text": block}
    return {**block} if block.get("type") in KNOWN_BLOCK_TYPES else {"type": "non_standard", "value": block}


def _is_call(block: Any) -> bool:
    """Calls are read from the message's own fields."""
    return table(block).get("type") in ("tool_call", "tool_call_chunk", "invalid_tool_call")


def _called(message: AIMessage) -> Blocks:
    called: Blocks = [
        {"type": "tool_call", "id": call["id"], "name": call["name"], "args": call["args"]}
        for call in message.tool_calls
    ]
    return called + [{**call, "type": "invalid_tool_call"} for call in message.invalid_tool_calls]


def register() -> None:
    """Tell LangChain how our messages are read; done when the chat model is imported."""
    register_translator(PROVIDER, translate_content, translate_content_chunk)
