"""How many tokens a text or a conversation has: counted by a tokenizer, by the server, or estimated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

from langchain_core.messages import BaseMessage, convert_to_messages
from langchain_core.messages.utils import count_tokens_approximately

from hf_tools.errors import InputError, ShapeError
from hf_tools.loose import items, rows, table
from hf_tools.task import Body, Reply, Route, Server, Task
from hf_tools.wire import as_json, excerpt, read_json

CHARACTERS = 4
"""Characters of a token, on the average of English texts."""
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


def count(messages: Any, tools: Sequence[Any] | None, ids: Callable[[str], list[int]] | None) -> int:
    """Tokens of a conversation: by the ids of its texts, or estimated at 4 characters a token.

    Media count 85 tokens each, tools as their schemas; the marks of the template are estimated either way.
    """
    conversation = convert_to_messages(messages)
    estimated = count_tokens_approximately(conversation, extra_tokens_per_message=EXTRA_PER_MESSAGE, tools=tools)  # type: ignore[arg-type]
    if ids is None:
        return estimated
    texts = [message.text for message in conversation]
    stripped = count_tokens_approximately(
        [_without_text(message) for message in conversation],
        extra_tokens_per_message=EXTRA_PER_MESSAGE,
        tools=tools,  # type: ignore[arg-type]
    )
    return stripped + sum(len(ids(text)) for text in texts if text)


def _without_text(message: BaseMessage) -> BaseMessage:
    kept = [block for block in rows(message.content) if block.get("type") != "text"]
    return message.model_copy(update={"content": kept})
