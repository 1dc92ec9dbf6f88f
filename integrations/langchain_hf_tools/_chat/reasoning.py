"""What the model thinks: taken out of the text where the server left it there, and given back where models need it."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from hf_tools.loose import rows
from langchain_hf_tools._chat.fields import Replay

NEEDS_REASONING = r"gpt-oss|kimi-k2(.*thinking|\.)|deepseek-v3\.[2-9]|minimax-m2|glm-4\.[5-9]|glm-5|qwen3.*thinking"
"""Families whose makers ask for the reasoning between tool calls to come back; others refuse or forget it."""


@functools.lru_cache(256)
def replay_for(model: str | None, chosen: Replay | None) -> Replay:
    """The policy that was chosen, else that of the model's family."""
    if chosen is not None:
        return chosen
    return "tools" if model and re.search(NEEDS_REASONING, model, re.I) else "never"


def replayed(messages: Sequence[BaseMessage], policy: Replay) -> frozenset[int]:
    """The places of the messages whose reasoning goes back."""
    if policy == "never":
        return frozenset()
    last = max((place for place, one in enumerate(messages) if isinstance(one, HumanMessage)), default=-1)
    first = 0 if policy == "always" else last + 1
    return frozenset(range(first, len(messages)))


def reasoning_of(message: AIMessage) -> str:
    """The reasoning of a message: as ours have it, as standard blocks, or as Anthropic's."""
    kept = message.additional_kwargs.get("reasoning_content")
    if isinstance(kept, str) and kept:
        return kept
    blocks = rows(message.content) if isinstance(message.content, list) else []
    found = [block.get("reasoning") or block.get("thinking") for block in blocks]
    return "".join(text for text in found if isinstance(text, str))


class Splitter:
    """Parts the text of an answer that begins with a mark into reasoning and text, piece by piece.

    An answer that begins otherwise is text, whatever comes later: a model may write about the marks.
    """

    def __init__(self, tags: tuple[str, str] | None) -> None:
        self._open, self._close = tags or ("", "")
        self._held = ""
        self._state = "start" if tags else "text"

    def feed(self, text: str) -> tuple[str, str]:
        """The reasoning and the text that are certain with the next piece."""
        if self._state == "text":
            return "", text
        self._held += text
        if self._state == "start":
            start = self._held.lstrip()
            if self._open.startswith(start) and start != self._open:
                return "", ""
            if not start.startswith(self._open):
                return "", self._rest("text")
            self._held, self._state = start[len(self._open) :], "reasoning"
        return self._thought()

    def close(self) -> tuple[str, str]:
        """What was held back, now that no more comes."""
        if self._state == "reasoning":
            return self._rest("text"), ""
        return "", self._rest("text")

    def _thought(self) -> tuple[str, str]:
        if self._state == "after":
            return "", self._after()
        thought, mark, rest = self._held.partition(self._close)
        if mark:
            self._held, self._state = rest, "after"
            return thought, self._after()
        kept = next((size for size in range(len(self._close) - 1, 0, -1) if self._held.endswith(self._close[:size])), 0)
        thought, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        return thought, ""

    def _after(self) -> str:
        """The text after the closing mark, without the empty lines before it."""
        self._held = self._held.lstrip()
        return self._rest("text") if self._held else ""

    def _rest(self, state: str) -> str:
        rest, self._held, self._state = self._held, "", state
        return rest


def split(text: str, tags: tuple[str, str] | None) -> tuple[str, str]:
    """The reasoning and the text of a whole answer."""
    splitter = Splitter(tags)
    first, last = splitter.feed(text), splitter.close()
    return first[0] + last[0], first[1] + last[1]
