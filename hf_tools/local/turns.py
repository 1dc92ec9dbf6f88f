"""A conversation as SmolLM2 reads it: its template knows system, user and assistant, and nothing of tools."""

from __future__ import annotations

import re
from typing import Any

from hf_tools.local.copying import ASKING, BEFORE, words_of
from hf_tools.local.references import references, without
from hf_tools.loose import items, table

Message = dict[str, Any]
CALLED = "I will use {names}."
RESULT = "The result is: {content}"
RESULTS = "The result of {name} is: {content}"
ASK = "Tell me the result in one sentence."
"""Tried with ten other wordings on 18 results, sums and weather to orders: at temperature 0 the answer held the result
17 times with this one, with or without a system message; with "Answer the question with it" 16 and 14 times."""

LONG = 160
"""Characters of a result from which only what is nearest to the question is told: of 41 questions about a transcript,
an invoice, a table and a document the answer held the fact 18 times without, 27 times with it. The same 41 were looked
at while it was chosen."""
NEAREST = 2
"""Lines or sentences of a long result that are told."""
PIECES = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n")


def entries(value: object) -> list[Message]:
    """The objects of a list; none of anything else."""
    return [table(entry) for entry in items(value) if isinstance(entry, dict)]


def text_of(message: Message) -> str:
    """The text of a message: its content, or the texts of its parts."""
    content: object = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text") or "") for part in entries(content))


def asked(messages: object, last: int = 1) -> str:
    """The last texts of the user, one a line, the newest at the end; "" where there is none."""
    texts = [text_of(message) for message in entries(messages) if message.get("role") == "user"]
    return "\n".join(texts[-last:])


def results(messages: object) -> list[str]:
    """The results of tools since the user spoke last."""
    found: list[str] = []
    for message in entries(messages):
        if message.get("role") == "user":
            found = []
        elif message.get("role") == "tool":
            found.append(text_of(message))
    return found


def called(messages: object) -> frozenset[str]:
    """The names of the tools that were called since the user spoke last."""
    found: set[str] = set()
    for message in entries(messages):
        if message.get("role") == "user":
            found = set()
        found |= {str(table(call.get("function")).get("name")) for call in entries(message.get("tool_calls"))}
    return frozenset(found)


def readable(messages: object) -> object:
    """The conversation with calls and results told in words; anything that is no list of messages as it came."""
    given = items(messages)
    if not given or len(entries(given)) != len(given):
        return messages
    found: list[Message] = []
    names: dict[str, str] = {}
    run: list[Message] = []
    for message in [*entries(given), {}]:
        if message.get("role") == "tool":
            run.append(message)
            continue
        if run:
            found.append({"role": "user", "content": _told(run, names, asked(found))})
            run = []
        called = _called(message)
        names |= called
        if called:
            said = CALLED.format(names=" and ".join(called.values()))
            message = {"role": "assistant", "content": text_of(message) or said}
        found.append(message)
    return found[:-1]


def _called(message: Message) -> dict[str, str]:
    """The id of each call in the message and the name of its tool, in words."""
    calls = entries(message.get("tool_calls"))
    return {str(call.get("id")): _spoken(table(call.get("function")).get("name")) for call in calls}


def _told(run: list[Message], names: dict[str, str], question: str) -> str:
    texts = [nearest(question, text_of(one)) for one in run]
    if len(run) == 1:
        return f"{RESULT.format(content=texts[0])}\n{ASK}"
    lines = [
        RESULTS.format(name=names.get(str(one.get("tool_call_id"))) or _spoken(one.get("name")), content=text)
        for one, text in zip(run, texts, strict=True)
    ]
    return "\n".join([*lines, ASK.replace("result", "results")])


def nearest(question: str, text: str) -> str:
    """Of a long text the lines or sentences that share most words with the question; all of it where none does."""
    # without the names of files: "stock" of stock.csv tells nothing
    wanted = words_of(without(question, references(question))) - BEFORE - ASKING
    pieces = [piece.strip() for piece in PIECES.split(text) if piece.strip()]
    shared = [len(words_of(piece) & wanted) for piece in pieces]
    if len(text) <= LONG or not any(shared):
        return text
    best = [piece for piece, count in zip(pieces, shared, strict=True) if count == max(shared)]
    return "\n".join(best[:NEAREST])


def _spoken(name: object) -> str:
    return str(name or "a tool").replace("_", " ")
