"""The arguments of a call: what llama.cpp is asked for them, and the answer that is made of what it wrote."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hf_tools.local.answers import Refused
from hf_tools.local.copying import numbers
from hf_tools.local.references import references, without
from hf_tools.local.schemas import LISTS, NUMERIC, Schema, base, properties, runs_on, signature, tied
from hf_tools.local.tools import Function
from hf_tools.local.turns import asked, results
from hf_tools.local.weights import SMOLLM2
from hf_tools.loose import items, table

SYSTEM = "You fill the arguments of a function with values from a message. Reply with JSON."
# Four examples took the right calls from 47 of 55 to 50; they are the same for every tool, so the server keeps them.
EXAMPLES = (
    (
        "book_room: Books a meeting room.",
        "- room (string)\n- people (integer)\n- contact (string)",
        "Please reserve room B-12 for 6 people, and tell eve@site.net",
        '{"room": "B-12", "people": 6, "contact": "eve@site.net"}',
    ),
    (
        "note: Saves a note.",
        "- title (string)\n- text (string)",
        "Write down under Garden that the roses need water.",
        '{"title": "Garden", "text": "roses need water"}',
    ),
    (
        "subtract: Subtracts y from x.",
        "- x (number)\n- y (number)",
        "How much is 95 minus 3.5?",
        '{"x": 95, "y": 3.5}',
    ),
    (
        "search_train: Finds a train.",
        "- departure (string)\n- arrival (string)\n- direct (boolean)",
        "Is there a direct train from Oslo to Bergen?",
        '{"departure": "Oslo", "arrival": "Bergen", "direct": true}',
    ),
)
PROMPT = "Function {function}\n{arguments}\nMessage: {message}"
SAMPLING = ("seed", "temperature", "top_p", "top_k", "min_p", "max_tokens", "max_completion_tokens", "n_predict")
"""Fields of the caller's request that hold for its arguments too."""
ABOUT_FUNCTION = 400
"""Characters of a description that the model is shown."""
COMPLETION_FIELDS = ("id", "created", "model", "system_fingerprint", "usage")


@dataclass(frozen=True)
class Fill:
    """A call whose tool is chosen. `body` asks llama.cpp for its arguments; None where there is nothing to ask.

    `message` is what the arguments are taken from.
    """

    function: Function
    message: str = field(repr=False)
    stream: bool
    usage: bool
    body: dict[str, Any] | None = field(repr=False)


def fill(function: Function, body: Mapping[str, Any]) -> Fill:
    """What to do for a call of this tool, from the caller's request."""
    usage = bool(table(body.get("stream_options")).get("include_usage"))
    message = _message(function, body.get("messages"))
    schema = tied(function.parameters, message)
    sent = _request(function, schema, message, body) if _has_arguments(schema) else None
    return Fill(function, message, bool(body.get("stream")), usage, sent)


def _message(function: Function, messages: object) -> str:
    # Numbers that the last words do not have were mostly said before: "Refund it" after "My order is 48213".
    text = asked(messages)
    root = function.parameters
    needed = [name for name in items(root.get("required")) if isinstance(name, str)]
    kinds = [base(properties(root).get(name), root).get("type") for name in needed]
    if len(numbers(without(text, references(text)))) < sum(kind in NUMERIC for kind in kinds):
        text = asked(messages, last=3)
    return "\n".join([text, *results(messages)])


def _has_arguments(schema: Schema) -> bool:
    return any(schema.get(name) for name in ("properties", "$ref", "additionalProperties", "patternProperties", *LISTS))


def _request(function: Function, schema: Schema, message: str, body: Mapping[str, Any]) -> dict[str, Any]:
    about = f"{function.name}: {function.summary}"[:ABOUT_FUNCTION]
    messages = [{"role": "system", "content": SYSTEM}]
    for example, arguments, text, written in EXAMPLES:
        question = PROMPT.format(function=example, arguments=arguments, message=text)
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": written}]
    question = PROMPT.format(function=about, arguments=signature(schema, function.parameters), message=message)
    form = {"type": "json_schema", "json_schema": {"name": "arguments", "schema": schema, "strict": True}}
    kept = {name: body[name] for name in SAMPLING if body.get(name) is not None}
    messages += [{"role": "user", "content": question}]
    return {"temperature": 0} | kept | {"messages": messages, "response_format": form}


def empty() -> dict[str, Any]:
    """The completion for a call without arguments: no model was asked, no token was used."""
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    about = {"id": f"chatcmpl-{secrets.token_hex(16)}", "created": int(time.time()), "model": SMOLLM2.model}
    return about | {"usage": usage, "choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}]}


def refused(call: Fill, status: int, body: Any) -> Refused:
    """The error for what llama.cpp says to a schema or a message that it does not take."""
    told = table(body).get("error")
    told = table(told).get("message") or told
    reason = str(told or "no reason given").rpartition("generation failed: ")[2]
    return Refused(status, f"llama.cpp cannot fill the arguments of the tool {call.function.name!r}: {reason}")


def completion(call: Fill, written: Mapping[str, Any]) -> dict[str, Any]:
    """The chat completion with the call, from llama.cpp's completion of its arguments."""
    arguments, reason = _arguments(written["choices"][0], call.message)
    function = {"name": call.function.name, "arguments": arguments}
    made = {"id": f"call_{secrets.token_hex(12)}", "type": "function", "function": function}
    message = {"role": "assistant", "content": None, "tool_calls": [made]}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
    about = {name: written[name] for name in COMPLETION_FIELDS if name in written}
    return about | {"object": "chat.completion", "choices": [choice]}


def _arguments(choice: Mapping[str, Any], message: str) -> tuple[str, str]:
    """Arguments as JSON without the model's line breaks, and why they end; cut off, they are no whole object."""
    text: str = choice["message"].get("content") or ""
    try:
        value: Any = json.loads(text)
    except ValueError:
        return text, "length"
    if runs_on(value, message):
        return text.rstrip().removesuffix("}"), "length"
    plain = json.dumps(value, ensure_ascii=False)
    # Half of a surrogate pair cannot be sent but as an escape.
    return plain if plain.isprintable() else json.dumps(value), "tool_calls"


def events(call: Fill, whole: Mapping[str, Any]) -> Iterator[bytes]:
    """The completion as a stream of events: the call's name, its arguments, the end, the usage if asked for."""
    (choice,) = whole["choices"]
    (made,) = choice["message"]["tool_calls"]
    begun = {**made, "index": 0, "function": {**made["function"], "arguments": ""}}
    rest = {"index": 0, "function": {"arguments": made["function"]["arguments"]}}
    about = {name: value for name, value in whole.items() if name not in ("choices", "usage")}
    about["object"] = "chat.completion.chunk"
    deltas: list[tuple[dict[str, Any], str | None]] = [
        ({"role": "assistant", "content": None, "tool_calls": [begun]}, None),
        ({"tool_calls": [rest]}, None),
        ({}, choice["finish_reason"]),
    ]
    for delta, reason in deltas:
        yield _event(about | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
    if call.usage:
        yield _event(about | {"choices": [], "usage": whole.get("usage")})
    yield b"data: [DONE]\n\n"


def _event(chunk: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"
