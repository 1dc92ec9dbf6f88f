"""The stream of a chat: chunks as they come, and the answer put together from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, cast

from pydantic import BaseModel

from hf_tools.loose import rows, table
from hf_tools.task import Out, Reply
from hf_tools.tasks.decoding import StreamDecoder


@dataclass(slots=True)
class ToolCallDelta:
    """A piece of a tool call: `index` tells which call of the message it belongs to; `arguments` are not whole."""

    index: int
    """Which call of the message it belongs to, from 0."""
    id: str | None = None
    """Id of the call, with its first piece."""
    name: str | None = None
    """Name of the function, or a piece of it, with the first piece."""
    arguments: str = ""
    """The next characters of the arguments, which are JSON when all have come."""


@dataclass(slots=True)
class ChatChunk:
    """A piece of one choice; `usage` comes once, mostly with the last chunk; `raw` is what the server sent."""

    text: str = ""
    """The next characters of the answer."""
    reasoning: str = ""
    """The next characters of what the model thinks."""
    tool_calls: list[ToolCallDelta] = field(default_factory=lambda: list[ToolCallDelta]())
    """Pieces of tool calls."""
    finish_reason: str | None = None
    """Why the choice ended, with its last piece: the server's own word."""
    index: int = 0
    """Which choice it belongs to, from 0."""
    usage: dict[str, Any] | None = None
    """Tokens used so far, where the server told."""
    raw: dict[str, Any] = field(default_factory=lambda: dict[str, Any](), repr=False)
    """The event as the server sent it."""
    refusal: str = ""
    """The next characters of why the model does not answer."""


KNOWN = frozenset(
    ["role", "content", "reasoning", "reasoning_content", "refusal", "tool_calls", "function_call", "name"]
)
"""Fields of a piece that have a place of their own."""


SPOKEN = frozenset(["role", "content"])
"""Fields of a piece that is text alone."""
ABOUT = ("id", "model", "created", "system_fingerprint", "provider")
"""What an event says of the whole answer."""


def text_of(value: Any) -> str:
    """Content as text: a string, a list of parts with text, or nothing."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return "".join(str(part.get("text") or "") for part in rows(value))


def _calls(delta: dict[str, Any]) -> list[dict[str, Any]]:
    """The pieces of tool calls in a piece of a message; `function_call` is from before there were several."""
    if found := rows(delta.get("tool_calls")):
        return found
    old = table(delta.get("function_call"))
    return [{"index": 0, "function": old}] if old else []


class Assembly:
    """One choice, growing."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.refusal: list[str] = []
        self.calls: list[dict[str, str]] = []
        self.places: dict[int, int] = {}
        self.finish_reason: str | None = None
        self.logprobs: list[Any] = []
        self.others: dict[str, Any] = {}

    def call(self, delta: dict[str, Any]) -> ToolCallDelta:
        """Add a piece of a tool call to the call that it belongs to."""
        function = table(delta.get("function"))
        name, given = str(function.get("name") or ""), delta.get("id")
        known = "" if given is None else str(given)
        arguments = function.get("arguments")
        if arguments is not None and not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        place = self._place(delta.get("index"), known, bool(name))
        call = self.calls[place]
        call["id"] = call["id"] or known
        if name != call["name"]:
            call["name"] += name
        call["arguments"] += arguments or ""
        return ToolCallDelta(place, known or None, name or None, arguments or "")

    def _place(self, index: Any, known: str, named: bool) -> int:
        """Which call: the server's index, but another id at the same index, or a name without one, is a new call."""
        if isinstance(index, int):
            place = self.places.get(index)
            fresh = place is None or bool(known and self.calls[place]["id"] and self.calls[place]["id"] != known)
        else:
            place = len(self.calls) - 1
            same = bool(known and self.calls and self.calls[-1]["id"] == known)
            fresh = not self.calls or ((named or bool(known)) and not same)
        if fresh or place is None:
            self.calls.append({"id": "", "name": "", "arguments": ""})
            place = len(self.calls) - 1
            if isinstance(index, int):
                self.places[index] = place
        return place

    def keep(self, delta: dict[str, Any]) -> None:
        """Add what a piece holds beyond the known fields: texts and lists grow, of anything else the last counts."""
        if delta.keys() <= KNOWN:  # nearly always, and cheaper than their difference
            return
        for name in delta.keys() - KNOWN:
            old: Any = self.others.get(name)
            new: Any = delta[name]
            grows = type(old) is type(new) and isinstance(new, str | list)
            self.others[name] = old + new if grows else old if new is None else new

    def message(self) -> dict[str, Any]:
        """The message as far as it came."""
        message: dict[str, Any] = {**self.others, "role": "assistant", "content": "".join(self.text)}
        if self.reasoning:
            message["reasoning_content"] = "".join(self.reasoning)
        if self.refusal:
            message["refusal"] = "".join(self.refusal)
        if self.calls:
            message["tool_calls"] = [
                {"id": call["id"], "type": "function", "function": {k: call[k] for k in ("name", "arguments")}}
                for call in self.calls
            ]
        return message


class ChatDecoder(StreamDecoder[Out, ChatChunk], Generic[Out]):
    """Reads chat completion chunks of every server; `make` checks the answer put together from them.

    `count` choices were asked for: without `[DONE]` the stream is complete when as many are finished.
    """

    def __init__(self, head: Reply, whole: Callable[[Reply], Out], make: Callable[[Any], Out], count: int = 1) -> None:
        super().__init__(head, whole)
        self._make, self._count = make, count
        self._choices: dict[int, Assembly] = {}
        self._about: dict[str, Any] = {}

    def part(self, value: dict[str, Any]) -> Sequence[ChatChunk]:
        for name in ABOUT:
            if (told := value.get(name)) is not None:
                self._about[name] = told
        return self._continued(value) or self._any(value)

    def _continued(self, value: dict[str, Any]) -> Sequence[ChatChunk]:
        """A piece that only adds text to a choice that has begun, as nearly all do; empty for any other."""
        choices: Any = value.get("choices")
        if type(choices) is not list or len(choices) != 1 or value.get("usage") is not None:  # pyright: ignore[reportUnknownArgumentType]
            return ()
        choice = table(cast(object, choices[0]))
        delta, index = table(choice.get("delta")), choice.get("index")
        text = delta.get("content")
        if type(index) is not int or type(text) is not str or not delta.keys() <= SPOKEN:
            return ()
        if index not in self._choices or choice.get("finish_reason") or choice.get("logprobs"):
            return ()
        if text:
            self._choices[index].text.append(text)
        return (ChatChunk(text, "", [], None, index, None, value),)

    def _any(self, value: dict[str, Any]) -> Sequence[ChatChunk]:
        usage = table(value.get("usage")) or None
        self.usage = usage or self.usage
        before = len(self._choices)
        chunks = [self._chunk(choice, value) for choice in rows(value.get("choices"))]
        if len(self._choices) != before or any(chunk.finish_reason for chunk in chunks):
            enough = len(self._choices) >= self._count
            self.finished = enough and all(whole.finish_reason for whole in self._choices.values())
        if usage is not None:
            if not chunks:
                chunks = [ChatChunk(raw=value)]
            chunks[-1].usage = usage
        return chunks

    def _chunk(self, choice: dict[str, Any], raw: dict[str, Any]) -> ChatChunk:
        index = choice.get("index")
        index = index if isinstance(index, int) else 0
        delta = table(choice.get("delta") or choice.get("message"))
        whole = self._choices.get(index) or self._choices.setdefault(index, Assembly())
        text = text_of(delta.get("content"))
        reasoning = text_of(delta.get("reasoning_content")) or text_of(delta.get("reasoning"))
        refusal = text_of(delta.get("refusal"))
        calls = [whole.call(call) for call in _calls(delta) if call]
        whole.keep(delta)
        if text:
            whole.text.append(text)
        if reasoning:
            whole.reasoning.append(reasoning)
        if refusal:
            whole.refusal.append(refusal)
        if told := choice.get("logprobs"):
            whole.logprobs += rows(table(told).get("content"))
        reason = choice.get("finish_reason") or None
        if reason:
            whole.finish_reason = str(reason)
        return ChatChunk(text, reasoning, calls, whole.finish_reason if reason else None, index, None, raw, refusal)

    def parts_of(self, answer: Out) -> Sequence[ChatChunk]:
        """A whole answer, sent though a stream was asked for, as one chunk a choice."""
        return self.part(cast(BaseModel, answer).model_dump(by_alias=True))

    def assembled(self) -> Out:
        choices = [
            {
                "index": index, "message": whole.message(), "finish_reason": whole.finish_reason,
                "logprobs": {"content": whole.logprobs} if whole.logprobs else None,
            }
            for index, whole in sorted(self._choices.items())
        ]  # fmt: skip
        empty = [{"index": 0, "message": Assembly().message()}]
        return self._make(self._about | {"choices": choices or empty, "usage": self.usage})
