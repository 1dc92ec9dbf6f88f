"""Tool calls from anything that a model may write: what LangChain adds up from a stream is what the server meant."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk

from hf_tools.errors import HfError, StreamInterrupted
from hf_tools.loose import table
from hf_tools.task import Reply
from hf_tools.tasks.chat import ChatCompletion, ChatCompletionOutput
from langchain_hf_tools._chat.answers import Pieces, partial_message, result

TASK = ChatCompletion([{"role": "user", "content": "Hi"}])
STREAM = {"content-type": "text/event-stream"}
REASONS = ["tool_calls", "stop", "length", "content_filter", "tired"]


class Told:
    """Who has answered: nobody says."""

    provider = request_id = None


def streamed(deltas: Sequence[Any], reason: str | None) -> tuple[AIMessageChunk | None, Any]:
    """The message that LangChain adds up from the stream, and the decoder; no message where it breaks off."""
    choices: list[dict[str, Any]] = [{"delta": {"tool_calls": delta}} for delta in deltas]
    if reason:
        choices.append({"delta": {}, "finish_reason": reason})
    decoder = TASK.decoder(Reply(200, STREAM))
    pieces, chunks = Pieces(None), list[Any]()
    try:
        for choice in choices:
            for part in decoder.feed(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"):
                chunks += [chunk.message for chunk in pieces.of(part)]
        list(decoder.close())
    except HfError:
        return None, decoder
    chunks += [chunk.message for chunk in pieces.end(decoder.final, decoder.usage, Told())]
    whole: AIMessageChunk = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole, decoder


def plain(value: Any) -> st.SearchStrategy[Any]:
    return st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.floats(allow_nan=False)


OBJECTS = st.dictionaries(
    st.text(max_size=4),
    st.recursive(plain(None), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner)),
    max_size=3,
).map(json.dumps)
TAILS = st.sampled_from(["", "}", " ", ",", "]", "\n```", " {}", '"', "null", "//", "\\", "\ud800"])


@st.composite
def arguments(draw: st.DrawFn) -> str:
    """Arguments that are whole, cut off, followed by something, or anything."""
    text = draw(OBJECTS | st.text(max_size=12))
    if draw(st.booleans()):
        text = text[: draw(st.integers(0, len(text)))]
    return draw(st.sampled_from(["", "", "```json\n", " "])) + text + draw(TAILS)


def strict(text: str) -> dict[str, Any] | None:
    """The object that Python's own parser reads, else None; no arguments are an empty one."""
    try:
        value: Any = json.loads(text.replace("\ud800", "\ufffd") or "{}", parse_constant=float.fromhex)
    except ValueError:
        return None
    return table(value) if isinstance(value, dict) else None


@settings(max_examples=500, deadline=None)
@given(arguments(), st.lists(st.integers(0, 60), max_size=4), st.sampled_from(REASONS))
@example('{"a": NaN}', [], "stop")
@example('{"a": "\ud800"}', [], "stop")
@example("{" * 100_000, [], "stop")
@example('{"a": ' + "9" * 5000 + "}", [], "stop")
@example("", [], "length")
def test_a_call_is_valid_only_with_a_whole_object(text: str, cuts: list[int], reason: str) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    deltas: list[Any] = [[{"index": 0, "id": "1", "function": {"name": "f", "arguments": ""}}]]
    deltas += [[{"index": 0, "function": {"arguments": text[start:end]}}] for start, end in pairwise(places)]
    message, decoder = streamed(deltas, reason)
    assert message is not None
    assert len(message.tool_calls) + len(message.invalid_tool_calls) == 1
    wanted = strict(text)
    if message.tool_calls:
        assert repr(message.tool_calls[0]["args"]) == repr(wanted)
        assert reason not in ("length", "content_filter") or text.strip() not in ("", "{}")
    whole: Any = result(decoder.final, Told(), None).generations[0].message
    assert repr([call["args"] for call in whole.tool_calls]) == repr([call["args"] for call in message.tool_calls])
    broken, _ = streamed(deltas, None)
    assert broken is None


def deltas() -> st.SearchStrategy[Any]:
    """Pieces of calls as odd as servers have sent them, and odder."""
    texts = st.sampled_from(["{", "}", "{}", '{"a": 1}', '"a"', ":", "1", "null", "[]", ""])
    odd = st.none() | st.integers(-1, 2) | st.booleans() | st.lists(st.integers(), max_size=1) | st.just({"a": 1})
    function = st.fixed_dictionaries(
        {}, optional={"name": st.sampled_from(["f", "g", "", None]) | odd, "arguments": texts | odd}
    )
    call = st.fixed_dictionaries(
        {}, optional={
            "index": st.integers(0, 2) | odd | st.text(max_size=2), "id": st.sampled_from(["1", "2", "", None]) | odd,
            "function": function | odd, "type": st.sampled_from(["function", None]),
        },
    )  # fmt: skip
    return st.lists(call | st.none(), max_size=3) | call | odd


@settings(max_examples=500, deadline=None)
@given(st.lists(deltas(), max_size=5), st.sampled_from([*REASONS, None]))
def test_any_pieces_add_up_to_calls_that_can_be_told_apart(sent: list[Any], reason: str | None) -> None:
    message, decoder = streamed(sent, reason)
    final = decoder.final
    assert isinstance(final, ChatCompletionOutput)
    assert partial_message(final, None).tool_calls == []
    if message is None:
        return
    everything: list[Any] = [*message.tool_calls, *message.invalid_tool_calls]
    numbers = [call["id"] for call in everything]
    assert all(numbers)
    assert len(set(numbers)) == len(numbers)
    assert len(everything) == len(final.message.tool_calls)
    assert "\ud800" not in final.model_dump_json()
    written = [call.function.arguments for call in final.message.tool_calls]
    assert all(call["name"] and call["args"] in [strict(text) for text in written] for call in message.tool_calls)


def test_an_interruption_keeps_the_calls_but_none_is_valid(serve: Any, events: Any) -> None:
    call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": '{"a": 1}'}}
    server = serve(events({"content": "Well"}, {"tool_calls": [call]}, done=False))
    from langchain_hf_tools import ChatHfInference

    stream = ChatHfInference(**server.models).stream("Hi")
    assert next(stream).text == "Well"
    try:
        list(stream)
    except StreamInterrupted as error:
        kept: Any = vars(error)["partial_message"]
        assert (kept.text, kept.tool_calls, [call["args"] for call in kept.invalid_tool_calls]) == (
            "Well", [], ['{"a": 1}'],
        )  # fmt: skip
    else:
        raise AssertionError("the stream was taken for a whole one")
