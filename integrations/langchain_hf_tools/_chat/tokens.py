"""How many tokens a text or a conversation has: counted by a tokenizer, by the server, or estimated."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

from langchain_core.messages import AIMessage, BaseMessage, convert_to_messages
from langchain_core.messages.utils import count_tokens_approximately

from hf_tools.errors import InputError, ShapeError
from hf_tools.loose import items, rows, table
from hf_tools.task import Body, Reply, Route, Server, Task
from hf_tools.wire import as_json, excerpt, read_json

CHARACTERS = 4
"""Characters of a token, on the average of English texts."""
MEDIA = frozenset(
    ["image", "image_url", "audio", "audio_url", "input_audio", "video", "video_url", "file", "document", "media"]
)
"""Blocks that hold no text."""
EXTRA_PER_MESSAGE = 4
"""Tokens of a message besides its text: role and marks in ChatML-like templates."""


class Tokenize(Task[list[int]]):
    """Turn a text into the ids of its tokens, without the special ones: `/tokenize` of TGI, vLLM and llama.cpp."""

    name: ClassVar[str] = "tokenize"
    servers: ClassVar[frozenset[Server]] = frozenset(["tgi", "openai", "tei"])

    text: str
    """The text."""

    def encode(self, route: Route) -> Body:
        # the root of the server: an OpenAI-shaped URL may end with /v1, and /tokenize is beside that
        if route.server == "openai":
            head = {"model": route.model} if route.model else {}
            # llama.cpp reads `content`, vLLM `prompt`; both ignore what they do not know
            body = head | {"content": self.text, "prompt": self.text, "add_special_tokens": False}
            return as_json(body, path="/tokenize")
        return as_json({"inputs": self.text, "add_special_tokens": False}, path="/tokenize")

    def decode(self, reply: Reply) -> list[int]:
        value: Any = read_json(reply)
        found = table(value).get("tokens", value)
        if items(found) and isinstance(found[0], list):  # TEI: a list for each text
            found = found[0]
        ids = [table(each).get("id", each) for each in items(found)]
        if not isinstance(found, list) or not all(isinstance(each, int) for each in ids):
            raise ShapeError(f"tokens were asked for, and {excerpt(value)} came")
        return ids


def ids_of(text: str, tokenizer: Any, ask: Callable[[str], list[int]]) -> list[int]:
    """The ids of a text's tokens; `ask` asks the server for them. InputError where there is no tokenizer."""
    if tokenizer == "server":
        return ask(text)
    encode = getattr(tokenizer, "encode", tokenizer)
    if not callable(encode):
        raise InputError(
            "token ids need a tokenizer", hint='Pass `tokenizer`: "server", a function, or an object with encode'
        )
    found: Any = encode(text)
    return list(cast(Sequence[int], getattr(found, "ids", found)))


def estimated(text: str) -> int:
    """Tokens of a text at 4 characters a token."""
    return -(-len(text) // CHARACTERS)


def count(messages: Any, tools: Sequence[Any] | None, size: Callable[[str], int]) -> int:
    """Tokens of a conversation; `size` counts those of its texts and tool calls.

    Media count 85 tokens each, tools as their schemas; the marks of the template are estimated.
    """
    conversation = convert_to_messages(messages)
    texts = [text for message in conversation for text in (message.text, _calls(message)) if text]
    bare: list[Any] = [_bare(message) for message in conversation]
    own: Any = tools
    rest = count_tokens_approximately(bare, extra_tokens_per_message=EXTRA_PER_MESSAGE, tools=own)
    return rest + sum(size(text) for text in texts)


def _calls(message: BaseMessage) -> str:
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    return json.dumps(calls, ensure_ascii=False, default=str) if calls else ""


def _bare(message: BaseMessage) -> BaseMessage:
    """The message without its texts and calls; whatever medium it holds counts as a picture."""
    held = [block for block in rows(message.content) if block.get("type") in MEDIA]
    content: list[Any] = [{"type": "image_url", "image_url": {"url": ""}} for _ in held]
    kept: dict[str, Any] = {"content": content}
    return message.model_copy(update=kept | ({"tool_calls": []} if isinstance(message, AIMessage) else {}))
