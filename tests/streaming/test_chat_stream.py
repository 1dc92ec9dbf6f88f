"""Streams of chat completion, as each kind of server sends them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_tools.errors import (
    DecodeError,
    EmptyResponse,
    HfError,
    ReportedError,
    ShapeError,
    StreamInterrupted,
    StreamProtocolError,
    StreamReportedError,
    UnexpectedContent,
)
from hf_tools.task import Reply
from hf_tools.tasks.chat import ChatCompletion, ChatCompletionOutput
from hf_tools.tasks.chat_stream import ChatChunk, ToolCallDelta

Play = Callable[..., Any]
Splits = Callable[[bytes], Iterator[list[bytes]]]

HI = [{"role": "user", "content": "Hi"}]
CHAT = ChatCompletion(HI)
DONE = b"data: [DONE]\n\n"


def sse(*values: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n" for value in values)


def chunk(delta: Any, finish_reason: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish_reason}], **more}


def text(content: str, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    return chunk({"role": "assistant", "content": content}, finish_reason, **more)


def test_pieces_of_text_alone_take_the_short_way_and_give_the_same(play: Play) -> None:
    """One event after the other, each as bytes of its own, as against all at once and as against more in each event."""
    spoken = [text("One"), text(" two"), chunk({"content": ""}), chunk({"content": " three"}, index=1)]
    spoken.append(text("!", "stop"))
    pieces = [sse(each) for each in spoken]
    more = [sse(each | {"choices": [each["choices"][0] | {"logprobs": {"content": []}}]}) for each in spoken]
    quick, slow, marked = (play(CHAT, [*each, DONE]) for each in (pieces, [b"".join(pieces)], more))
    assert quick.error is slow.error is marked.error is None
    told = [[(part.text, part.index, part.finish_reason) for part in each.parts] for each in (quick, slow, marked)]
    assert told[0] == told[1] == told[2]
    assert told[0] == [("One", 0, None), (" two", 0, None), ("", 0, None), (" three", 1, None), ("!", 0, "stop")]
    assert quick.decoder.final == slow.decoder.final
    assert [choice.message.content for choice in quick.decoder.final.choices] == ["One two!", " three"]


TGI_2_0_1 = (
    b'data:{"id":"","object":"text_completion","created":1714681500,"model":"mistralai/Mistral-7B-Instruct-v0.2",'
    b'"system_fingerprint":"2.0.1-sha-2d0a717","choices":[{"index":0,"delta":{"role":"assistant","content":" Two"},'
    b'"logprobs":null,"finish_reason":null}]}\n\n'
    b'data:{"id":"","object":"text_completion","created":1714681500,"model":"mistralai/Mistral-7B-Instruct-v0.2",'
    b'"system_fingerprint":"2.0.1-sha-2d0a717","choices":[{"index":0,"delta":{"role":"assistant","content":"</s>"},'
    b'"logprobs":null,"finish_reason":"eos_token"}]}\n\n'
)
TGI_3_0_1 = (
    b'data: {"object":"chat.completion.chunk","id":"","created":1736953800,"model":"m","system_fingerprint":"3.0.1",'
    b'"choices":[{"index":0,"delta":{"role":"assistant","content":"Two"},"logprobs":null,"finish_reason":null}],'
    b'"usage":null}\n\n'
    b'data: {"object":"chat.completion.chunk","id":"","created":1736953800,"model":"m","system_fingerprint":"3.0.1",'
    b'"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":"stop"}],'
    b'"usage":null}\n\ndata: [DONE]\n\n'
)
USAGE = {"prompt_tokens": 13, "completion_tokens": 2, "total_tokens": 15}
OPENAI = (
    sse(
        chunk({"role": "assistant", "content": "", "refusal": None}, id="c", created=1736953800, model="gpt-4o"),
        chunk({"content": "Two"}, id="c", created=1736953800, model="gpt-4o"),
        chunk({}, "stop", id="c", created=1736953800, model="gpt-4o"),
        {"id": "c", "created": 1736953800, "model": "gpt-4o", "choices": [], "usage": USAGE},
    )
    + DONE
)  # fmt: skip
MISTRAL = sse(text(""), chunk({"content": "Two"}), chunk({"content": ""}, "stop", usage=USAGE)) + DONE
SAMBANOVA = sse(text("Two"), text("", "stop")) + DONE
TOGETHER = (
    b'data: {"id":"9","object":"chat.completion.chunk","created":1736953800,"choices":[{"index":0,"text":"2",'
    b'"logprobs":null,"finish_reason":null,"seed":null,"delta":{"token_id":17,"role":"assistant","content":"2",'
    b'"tool_calls":null}}],"model":"m","usage":null}\n\n'
    b'data: {"id":"9","object":"chat.completion.chunk","created":1736953800,"choices":[{"index":0,"text":"",'
    b'"logprobs":null,"finish_reason":"eos","seed":9313781139405380000,"delta":{"token_id":128009,"role":"assistant",'
    b'"content":"","tool_calls":null}}],"model":"m",'
    b'"usage":{"prompt_tokens":13,"completion_tokens":2,"total_tokens":15}}\n\ndata: [DONE]\n\n'
)
FIREWORKS = sse(
    chunk({"role": "assistant"}), chunk({"content": "<think>\n"}), chunk({"content": "</think>Two"}),
    chunk({}, "stop", usage=USAGE),
) + DONE  # fmt: skip
FILTER = {"hate": {"filtered": False}}
NOVITA = sse(
    chunk({"role": "assistant"}), chunk({}), chunk({"content": "T"}, content_filter_results=FILTER),
    chunk({"content": "wo"}, "stop", content_filter_results=FILTER),
) + DONE  # fmt: skip
HYPERBOLIC = sse(
    text("", usage={"prompt_tokens": 13, "completion_tokens": 0, "total_tokens": 13}),
    text("Two", usage={"prompt_tokens": 13, "completion_tokens": 1, "total_tokens": 14}),
    text("", "stop", usage=USAGE),
) + DONE  # fmt: skip
COHERE = sse(text(""), chunk({"content": "Two"}), chunk({}, "COMPLETE", usage=USAGE)) + DONE
CEREBRAS = sse(
    {"id": "c", "choices": [{"delta": {"role": "assistant"}, "index": 0}]},
    {"id": "c", "choices": [{"delta": {"content": "Two"}, "index": 0}]},
    {"id": "c", "choices": [{"delta": {}, "finish_reason": "stop", "index": 0}], "usage": USAGE, "time_info": {"t": 1}},
).removesuffix(b"\n\n")  # fmt: skip
NEBIUS = sse(text(""), {"choices": [{"index": 0, "delta": {"content": "Two"}, "stop_reason": None}]}, chunk({}, "stop"))
AZURE = sse({"choices": [], "prompt_filter_results": [FILTER]}, text("Two"), chunk({}, "stop")) + DONE
ERROR_NULL = sse({"error": None, **text("Two", "stop")}) + DONE
NO_SPACE_DONE = b'data:{"choices":[{"delta":{"content":"Two"}}]}\n\ndata:[DONE]\n\n'
CONTENT_LIST = sse(chunk({"content": [{"type": "text", "text": "T"}, {"type": "text", "text": "wo"}, None]}, "stop"))
NULLS = sse({"choices": None}, {"choices": [None, {"delta": None}]}, {"choices": [{"index": None, "delta": {}}]}, {},
            chunk({"content": None}), {"choices": {"delta": {"content": "Two"}, "finish_reason": "stop"}})  # fmt: skip
WITH_DETAIL = sse({"detail": None, **text("Two", "stop")})
KEPT_ALIVE = (
    b": PROCESSING\n\nevent: ping\ndata: {}\n\nevent: ping\ndata: still here\n\ndata:\n\ndata: null\n\nretry: 1\n\n"
    + sse(text("Two", "stop"))
)

STREAMS: list[tuple[str, bytes, list[str], str | None, Any]] = [
    ("tgi-2.0.1", TGI_2_0_1, [" Two", "</s>"], "eos_token", None),
    ("tgi-3.0.1", TGI_3_0_1, ["Two", ""], "stop", None),
    ("openai", OPENAI, ["", "Two", "", ""], "stop", USAGE),
    ("mistral", MISTRAL, ["", "Two", ""], "stop", USAGE),
    ("sambanova", SAMBANOVA, ["Two", ""], "stop", None),
    ("together", TOGETHER, ["2", ""], "eos", USAGE),
    ("fireworks", FIREWORKS, ["", "<think>\n", "</think>Two", ""], "stop", USAGE),
    ("novita", NOVITA, ["", "", "T", "wo"], "stop", None),
    ("hyperbolic", HYPERBOLIC, ["", "Two", ""], "stop", USAGE),
    ("cohere", COHERE, ["", "Two", ""], "COMPLETE", USAGE),
    ("cerebras", CEREBRAS, ["", "Two", ""], "stop", USAGE),
    ("nebius", NEBIUS, ["", "Two", ""], "stop", None),
    ("azure", AZURE, ["Two", ""], "stop", None),
    ("error-null", ERROR_NULL, ["Two"], "stop", None),
    ("no-space", NO_SPACE_DONE, ["Two"], None, None),
    ("content-list", CONTENT_LIST, ["Two"], "stop", None),
    ("nulls", NULLS, ["", "", "", "Two"], "stop", None),
    ("detail-null", WITH_DETAIL, ["Two"], "stop", None),
    ("kept-alive", KEPT_ALIVE, ["Two"], "stop", None),
]
IDS = [stream[0] for stream in STREAMS]


@pytest.mark.parametrize(("case", "data", "texts", "reason", "usage"), STREAMS, ids=IDS)
def test_streams(case: str, data: bytes, texts: list[str], reason: str | None, usage: Any, play: Play) -> None:
    played = play(CHAT, data)
    assert played.error is None
    assert [part.text for part in played.parts] == texts
    assert {type(part) for part in played.parts} <= {ChatChunk}
    assert [part.finish_reason for part in played.parts if part.finish_reason] == ([reason] if reason else [])
    assert played.decoder.usage == usage
    final: ChatCompletionOutput = played.decoder.final
    assert final.text == "".join(texts)
    assert final.choices[0].finish_reason == reason
    assert (None if final.usage is None else final.usage.model_dump()) == usage


@pytest.mark.parametrize(("case", "data", "texts", "reason", "usage"), STREAMS, ids=IDS)
def test_streams_cut_anywhere(
    case: str, data: bytes, texts: list[str], reason: str | None, usage: Any, play: Play
) -> None:
    whole = play(CHAT, data)
    for form in (data, data.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + data):
        cuts = [[form[:at], form[at:]] for at in range(0, len(form), 7)]
        for pieces in [*cuts, [form[at : at + 1] for at in range(len(form))]]:
            played = play(CHAT, pieces)
            assert (played.parts, played.error) == (whole.parts, None)
            assert played.decoder.final == whole.decoder.final


def test_what_a_stream_tells_about_itself(play: Play) -> None:
    final = play(CHAT, TGI_2_0_1).decoder.final
    assert (final.id, final.created, final.model) == ("", 1714681500.0, "mistralai/Mistral-7B-Instruct-v0.2")
    assert final.system_fingerprint == "2.0.1-sha-2d0a717"
    assert final.message.role == "assistant"
    played = play(CHAT, TOGETHER)
    assert played.parts[1].raw["choices"][0]["seed"] == 9313781139405380000
    assert (played.parts[0].usage, played.parts[1].usage) == (None, USAGE)
    assert play(CHAT, OPENAI).parts[-1] == ChatChunk(
        usage=USAGE, raw={"id": "c", "created": 1736953800, "model": "gpt-4o", "choices": [], "usage": USAGE}
    )
    assert [part.usage["completion_tokens"] for part in play(CHAT, HYPERBOLIC).parts] == [0, 1, 2]


ODD: dict[str, Any] = {
    "id": 7, "created": "yesterday", "model": ["m"], "system_fingerprint": None,
    "usage": {"prompt_tokens": "x", "completion_tokens": "2", "total_tokens": -1, "prompt_time": 0.5},
}  # fmt: skip


def test_odd_values_beside_the_answer_do_not_matter(play: Play) -> None:
    final = play(CHAT, sse(text("Two", "stop", **ODD))).decoder.final
    assert (final.id, final.created, final.model, final.system_fingerprint) == ("7", None, None, None)
    assert final.usage.model_dump() == {
        "prompt_tokens": None, "completion_tokens": 2, "total_tokens": None, "prompt_time": 0.5,
    }  # fmt: skip
    odd: list[Any] = [[], "12", 3, {}]
    for usage in odd:
        played = play(CHAT, sse(text("Two", "stop", usage=usage)))
        assert (played.error, played.decoder.usage, played.decoder.final.usage) == (None, None, None)


def test_the_recording(recorded: bytes, play: Play, splits: Splits) -> None:
    played = play(CHAT, recorded)
    words = [
        "Deep", " learning", " is", " a", " sub", "field", " of", " machine", " learning", " that", " is", " based",
        " on", " artificial", " neural", " networks", " with", " multiple", " layers", " to", "",
    ]  # fmt: skip
    assert [part.text for part in played.parts] == words
    assert [part.finish_reason for part in played.parts] == [None] * 20 + ["length"]
    final = played.decoder.final
    assert final.text == (
        "Deep learning is a subfield of machine learning that is based on artificial neural networks with multiple "
        "layers to"
    )
    assert (final.id, final.created, final.model) == ("", 1710439511.0, "HuggingFaceH4/zephyr-7b-beta")
    assert (final.system_fingerprint, final.usage) == ("1.4.3-sha-e6bb3ff", None)
    for at in range(0, len(recorded), 3):
        assert play(CHAT, [recorded[:at], recorded[at:]]).parts == played.parts
    end = recorded[recorded.rindex(b'"content":" layers"') - 200 :]
    end = end[end.index(b"data:") :]
    for pieces in splits(end):
        assert [part.text for part in play(CHAT, pieces).parts] == [" layers", " to", ""]


# several choices, log probabilities, reasoning


def test_several_choices(play: Play) -> None:
    data = sse(
        chunk({"content": "a"}, index=1), chunk({"content": "x"}, index=0), chunk({"content": "b"}, "stop", index=1),
        chunk({"content": "y"}, "length", index=0),
    )  # fmt: skip
    played = play(CHAT, data)
    assert [(part.index, part.text) for part in played.parts] == [(1, "a"), (0, "x"), (1, "b"), (0, "y")]
    choices = played.decoder.final.choices
    assert [(each.index, each.message.content, each.finish_reason) for each in choices] == [
        (0, "xy", "length"), (1, "ab", "stop"),
    ]  # fmt: skip


def test_one_choice_of_two_at_its_end_is_not_the_end(play: Play) -> None:
    played = play(CHAT, sse(chunk({"content": "a"}, index=1), chunk({"content": "b"}, "stop", index=0)))
    assert type(played.error) is StreamInterrupted
    assert [each.finish_reason for each in played.error.partial.choices] == ["stop", None]


@pytest.mark.parametrize(
    "task",
    [ChatCompletion(HI, n=2), ChatCompletion(HI, extra_body={"n": 2}),
     ChatCompletion(HI, n=1, extra_body={"n": 2})],
)  # fmt: skip
def test_fewer_choices_than_were_asked_for_are_not_the_end(task: ChatCompletion, play: Play) -> None:
    first = sse(chunk({"content": "a"}, index=0), chunk({}, "stop", index=0))
    played = play(task, first)
    assert type(played.error) is StreamInterrupted
    assert [each.message.content for each in played.error.partial.choices] == ["a"]
    played = play(task, first + sse(chunk({"content": "b"}, "stop", index=1)))
    assert (played.error, len(played.decoder.final.choices)) == (None, 2)
    # what the server says when it says that this is all
    played = play(task, first + DONE)
    assert (played.error, len(played.decoder.final.choices)) == (None, 1)


@pytest.mark.parametrize("extra", [{"n": None}, {"n": "2"}, {"n": 0}, {"n": -1}, {"n": 1}])
def test_an_odd_number_of_choices_is_one(extra: dict[str, Any], play: Play) -> None:
    task = ChatCompletion(HI, extra_body=extra)
    assert play(task, sse(text("a", "stop"))).error is None
    assert type(play(task, sse(text("a"))).error) is StreamInterrupted


def test_log_probabilities_are_joined(play: Play) -> None:
    token: dict[str, Any] = {"token": "T", "logprob": -0.5, "top_logprobs": []}
    first: Any = {"choices": [{"index": 0, "delta": {"content": "T"}, "logprobs": {"content": [token]}}]}
    last: Any = {"choices": [{"delta": {"content": "T"}, "logprobs": {"content": [token]}, "finish_reason": "stop"}]}
    assert play(CHAT, sse(first, last)).decoder.final.choices[0].logprobs == {"content": [token, token]}
    assert play(CHAT, sse(text("a", "stop"))).decoder.final.choices[0].logprobs is None


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_under_both_names(name: str, play: Play) -> None:
    data = sse(chunk({"role": "assistant", name: "Let "}), chunk({name: "me see", "content": ""}), text("Two", "stop"))
    played = play(CHAT, data)
    assert [(part.reasoning, part.text) for part in played.parts] == [("Let ", ""), ("me see", ""), ("", "Two")]
    assert (played.decoder.final.message.reasoning, played.decoder.final.text) == ("Let me see", "Two")


def test_the_old_form_of_a_call(play: Play) -> None:
    pieces = [{"name": "f", "arguments": '{"a":'}, {"arguments": " 1}"}]
    deltas = [chunk({"function_call": piece}) for piece in pieces]
    (call,) = play(CHAT, sse(*deltas, text("", "stop"))).decoder.final.message.tool_calls
    assert (call.function.name, call.function.arguments) == ("f", '{"a": 1}')


def test_fields_beyond_the_known_ones_are_kept(play: Play) -> None:
    pieces = [
        {"images": [{"n": 1}], "note": "a", "count": 1, "gone": "x"},
        {"images": [{"n": 2}], "note": "b", "count": 2, "gone": None},
        {"count": "three"},
    ]
    final = play(CHAT, sse(*map(chunk, pieces), text("", "stop"))).decoder.final
    assert final.message.model_extra == {"images": [{"n": 1}, {"n": 2}], "note": "ab", "count": "three", "gone": "x"}


def test_a_refusal_is_kept(play: Play) -> None:
    played = play(CHAT, sse(chunk({"refusal": "I may "}), chunk({"refusal": "not."}), text("", "stop")))
    assert "".join(part.refusal for part in played.parts) == "I may not."
    assert (played.decoder.final.message.refusal, played.decoder.final.text) == ("I may not.", "")


def test_reasoning_under_both_names_at_once_is_taken_once(play: Play) -> None:
    final = play(CHAT, sse(chunk({"reasoning": "R", "reasoning_content": "R"}), text("a", "stop"))).decoder.final
    assert final.message.reasoning == "R"


# tool calls


def call(arguments: Any, name: Any = None, id: Any = None, **more: Any) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def calls(*deltas: Any) -> bytes:
    sent = [chunk({"role": "assistant", "content": None, "tool_calls": delta}) for delta in deltas]
    return sse(*sent, chunk({}, "tool_calls")) + DONE


WEATHER = ("0", "get_current_weather", '{ "location": "Paris"}')
TGI_TOOL = (
    b'data: {"choices":[{"index":0,"delta":{"content":null,"role":"assistant","tool_calls":[{"function":{"arguments":'
    b'"{","name":"get_current_weather"},"id":"0","index":0,"type":"function"}]},"finish_reason":null}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{"content":null,"role":"assistant","tool_calls":[{"function":{"arguments":'
    b'" \\"","name":null},"id":"0","index":0,"type":"function"}]},"finish_reason":null}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{"content":null,"role":"assistant","tool_calls":[{"function":{"arguments":'
    b'"location\\": \\"Paris\\"}","name":null},"id":"0","index":0,"type":"function"}]},"finish_reason":null}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
TOOLS: list[tuple[str, bytes, list[tuple[str, str, str]]]] = [
    ("tgi-3.1", TGI_TOOL, [WEATHER]),
    (
        "openai",
        calls([call("", "f", "call_1", index=0)], [{"index": 0, "function": {"arguments": '{"a"'}}],
              [{"index": 0, "function": {"arguments": ": 1}"}}]),
        [("call_1", "f", '{"a": 1}')],
    ),
    (
        "dict-instead-of-list",
        calls(call("{", "f", "", index=0), call('"a": 1}', "f", "", index=0)),
        [("", "f", '{"a": 1}')],
    ),
    ("arguments-dict", calls([call({"a": 1, "b": "é"}, "f", 0)]), [("0", "f", '{"a": 1, "b": "é"}')]),
    ("arguments-list", calls([call([1], "f", 0)]), [("0", "f", "[1]")]),
    ("arguments-number", calls([call(5, "f", 0)]), [("0", "f", "5")]),
    ("arguments-null", calls([call(None, "f", "1")]), [("1", "f", "{}")]),
    ("arguments-empty", calls([call("", "f", "1")]), [("1", "f", "{}")]),
    (
        "no-index-new-name",
        calls([call("{}", "f")], [call("{", "g")], [call("}")]),
        [("", "f", "{}"), ("", "g", "{}")],
    ),
    (
        "no-index-new-id",
        calls([call('{"a":', "f", "1")], [call("1}", None, "1")], [call("{}", "f", "2")]),
        [("1", "f", '{"a":1}'), ("2", "f", "{}")],
    ),
    ("no-index-no-name-first", calls([call("{")], [call("}")]), [("", "", "{}")]),
    ("no-index-id-only", calls([call("{}", "f", "1")], [call("{}", None, "2")]), [("1", "f", "{}"), ("2", "", "{}")]),
    (
        "same-index-new-id",
        calls([call("{}", "f", "1", index=0)], [call("{", "g", "2", index=0)], [call("}", None, "2", index=0)]),
        [("1", "f", "{}"), ("2", "g", "{}")],
    ),
    (
        "same-index-id-later",
        calls([call("{", "f", None, index=0)], [call("}", None, "1", index=0)]),
        [("1", "f", "{}")],
    ),
    (
        "interleaved",
        calls([call("{", "f", "1", index=0), call("{", "g", "2", index=1)], [call("1", index=1)], [call("0", index=0)],
              [call("}", index=1), call("}", index=0)]),
        [("1", "f", "{0}"), ("2", "g", "{1}")],
    ),
    (
        "indices-from-one-and-out-of-order",
        calls([call("{}", "g", "2", index=2)], [call("{}", "f", "1", index=1)]),
        [("2", "g", "{}"), ("1", "f", "{}")],
    ),
    (
        "function-null",
        calls([{"index": 0, "id": "1", "function": None}], [call("{}", "f", index=0)]),
        [("1", "f", "{}")],
    ),
    (
        "name-in-two-pieces",
        calls([call("", "get_", "1", index=0)], [call("{}", "weather", index=0)]),
        [("1", "get_weather", "{}")],
    ),
    ("name-repeated", calls([call("{", "f", "1", index=0)], [call("}", "f", "1", index=0)]), [("1", "f", "{}")]),
    ("name-number", calls([call("{", 7, "1", index=0)], [call("}", 7, "1", index=0)]), [("1", "7", "{}")]),
    ("index-text", calls([call("{}", "f", "1", index="0")]), [("1", "f", "{}")]),
    ("empty", calls([], None, {}, [None]), []),
]  # fmt: skip


@pytest.mark.parametrize(("case", "data", "expected"), TOOLS, ids=[tool[0] for tool in TOOLS])
def test_tool_calls(case: str, data: bytes, expected: list[tuple[str, str, str]], play: Play) -> None:
    played = play(CHAT, data)
    assert played.error is None
    found = played.decoder.final.message.tool_calls
    assert [(each.id, each.function.name, each.function.arguments) for each in found] == expected
    assert {each.type for each in found} <= {"function"}
    deltas = [delta for part in played.parts for delta in part.tool_calls]
    for place, (_, _, arguments) in enumerate(expected):
        assert "".join(delta.arguments for delta in deltas if delta.index == place) in (arguments, "")


def test_the_pieces_of_tool_calls(play: Play) -> None:
    data = calls([call("", "f", "1", index=5)], [call('{"a"', index=5)], [call(": 1}", None, "1", index=5)])
    assert [part.tool_calls for part in play(CHAT, data).parts] == [
        [ToolCallDelta(0, "1", "f", "")],
        [ToolCallDelta(0, None, None, '{"a"')],
        [ToolCallDelta(0, "1", None, ": 1}")],
        [],
    ]


# the end, and what goes wrong


def test_the_end_without_a_mark(recorded: bytes, play: Play) -> None:
    cut = recorded[: recorded.index(b" machine")]
    played = play(CHAT, cut[: cut.rindex(b"data:")])
    assert [part.text for part in played.parts] == ["Deep", " learning", " is", " a", " sub", "field", " of"]
    assert type(played.error) is StreamInterrupted
    assert played.error.message == "the stream ended early, without a terminal mark"
    assert played.error.partial.text == "Deep learning is a subfield of"
    assert played.error.partial == played.decoder.final


def test_the_end_within_an_event(recorded: bytes, play: Play) -> None:
    played = play(CHAT, recorded[: recorded.index(b" machine")])
    assert type(played.error) is StreamInterrupted
    assert played.error.message.startswith(
        'the stream ended early, within an event: an event of the stream is not JSON: {"id":"","object":"text_comp'
    )
    assert played.error.partial.text == "Deep learning is a subfield of"


def test_done_without_finish_reason_is_complete(play: Play) -> None:
    played = play(CHAT, sse(text("Two")) + DONE)
    assert played.error is None
    assert (played.decoder.final.text, played.decoder.final.choices[0].finish_reason) == ("Two", None)


@pytest.mark.parametrize("mark", [b"data: [DONE]", b"data:[DONE]", b"data:  [DONE] ", b"event: end\ndata: [DONE]"])
@pytest.mark.parametrize("later", [sse(text(" more")), DONE, b"data: junk\n\n", sse({"error": "late"})])
def test_what_follows_the_mark_is_ignored(mark: bytes, later: bytes, play: Play) -> None:
    data = sse(text("Two")) + mark + b"\n\n"
    for pieces in ([data + later], [data, later]):
        played = play(CHAT, pieces)
        assert (played.error, played.decoder.done, played.decoder.final.text) == (None, True, "Two")
    assert list(played.decoder.feed(later)) == []


TOO_LONG = (
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 17 `inputs` tokens and 10000 "
    "`max_new_tokens`"
)
REPORTED: list[tuple[str, bytes, str, str | None]] = [
    (
        "tgi-no-space",
        b'data:{"error":"' + TOO_LONG.encode() + b'","error_type":"validation"}\n\n',
        TOO_LONG,
        "validation",
    ),
    (
        "tgi-openai",
        b'data: {"error":{"message":"Input validation error: `a`","http_status_code":422}}\n\ndata: [DONE]\n\n',
        "Input validation error: `a`",
        None,
    ),
    ("openai", sse({"error": {"message": "No", "type": "server_error", "code": 500}}), "No", "server_error"),
    ("code", sse({"error": {"message": "No", "code": 1210}}), "No", "1210"),
    ("list", sse({"error": ["Error in `a`", "Error in `b`"]}), "Error in `a`; Error in `b`", None),
    (
        "vllm",
        sse({"object": "error", "message": "No", "type": "BadRequestError", "code": 400}),
        "No",
        "BadRequestError",
    ),
    ("event", b'event: error\ndata: {"message": "No"}\n\n', "No", None),
    ("event-with-error", b'event: error\ndata: {"error": {"message": "No", "type": "x"}}\n\n', "No", "x"),
    ("event-detail", b'event: error\ndata: {"detail": "No"}\n\n', "No", None),
    ("event-other", b'event: error\ndata: {"a": 1}\n\n', '{"a": 1}', None),
    ("event-choices", b'event: error\ndata: {"choices": []}\n\n', '{"choices": []}', None),
    ("event-text", b"event: error\ndata: Internal Server Error\n\n", "Internal Server Error", None),
    ("event-string", b'event: error\ndata: "No"\n\n', "No", None),
    ("event-null", b"event: error\ndata: null\n\n", "null", None),
    ("event-empty", b"event: error\ndata: {}\n\n", "{}", None),
    ("detail", sse({"detail": "No"}), "No", None),
]


@pytest.mark.parametrize(("case", "data", "message", "code"), REPORTED, ids=[row[0] for row in REPORTED])
def test_an_error_that_the_server_reports(case: str, data: bytes, message: str, code: str | None, play: Play) -> None:
    for before, texts in ((b"", []), (sse(text("Two "), text("three")), ["Two ", "three"])):
        played = play(CHAT, before + data)
        assert [part.text for part in played.parts] == texts
        assert type(played.error) is StreamReportedError
        assert played.error.message == f"the server reported an error in the stream: {message}"
        assert played.error.code == code
        assert played.error.partial.text == "".join(texts)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"data: Internal Server Error\n\n", "an event of the stream is not JSON: Internal Server Error"),
        (b'data: {"choices": [\n\n', 'an event of the stream is not JSON: {"choices": ['),
        (b"data: NOT\x1b[31m\n\n", "an event of the stream is not JSON: NOT\\x1b[31m"),
        (b'data: "x"\n\n', 'an event of the stream is not an object: "x"'),
        (b"data: []\n\n", "an event of the stream is not an object: []"),
        (b"data: 12\n\n", "an event of the stream is not an object: 12"),
        (b"data: true\n\n", "an event of the stream is not an object: true"),
    ],
)
def test_an_event_that_cannot_be_read(data: bytes, message: str, play: Play) -> None:
    played = play(CHAT, sse(text("Two")) + data)
    assert [part.text for part in played.parts] == ["Two"]
    assert type(played.error) is StreamProtocolError
    assert (played.error.message, played.error.partial.text) == (message, "Two")


ANSWER = {
    "id": "1", "created": 1736953800, "model": "m", "usage": USAGE,
    "choices": [{
        "index": 0, "finish_reason": "tool_calls",
        "message": {
            "role": "assistant", "content": "Two", "reasoning": "Hm",
            "tool_calls": [{"id": 0, "function": {"name": "f", "arguments": {"a": 1}}}],
        },
    }],
}  # fmt: skip
JSON = {"content-type": "application/json"}
PLAIN = {"content-type": "text/plain"}
EVENTS = {"content-type": "text/event-stream; charset=utf-8"}


@pytest.mark.parametrize("headers", [JSON, {"content-type": "application/json; charset=utf-8"}, PLAIN, EVENTS, {}])
@pytest.mark.parametrize("before", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
def test_a_whole_answer_where_a_stream_was_asked_for(headers: dict[str, str], before: bytes, play: Play) -> None:
    data = before + json.dumps(ANSWER).encode()
    for pieces in ([data], [data[:at] for at in (1,)] + [data[1:]], [data[at : at + 1] for at in range(len(data))]):
        played = play(CHAT, pieces, headers)
        assert played.error is None
        [part] = played.parts
        assert (part.text, part.reasoning, part.finish_reason, part.usage) == ("Two", "Hm", "tool_calls", USAGE)
        assert part.tool_calls == [ToolCallDelta(0, "0", "f", '{"a": 1}')]
        assert played.decoder.usage == USAGE
        assert played.decoder.final == CHAT.decode(Reply(200, JSON, json.dumps(ANSWER).encode()))


@pytest.mark.parametrize("headers", [JSON, PLAIN, EVENTS, {"content-type": "application/octet-stream"}, {}])
def test_a_stream_whatever_it_is_declared_as(headers: dict[str, str], play: Play) -> None:
    for before in (b"", b": hello\n\n", b"event: x\n", b"id: 1\n", b"retry: 1\n", b"\n\n"):
        assert "".join(part.text for part in play(CHAT, before + TGI_3_0_1, headers).parts) == "Two"


EMPTY = (
    'unexpected answer: choices: List should have at least 1 item after validation, not 0; it begins {"choices": []}'
)
NULL = (
    "unexpected answer: the answer: Input should be a valid dictionary or instance of ChatCompletionOutput; "
    "it begins null"
)
NOT_A_STREAM: list[tuple[str, dict[str, str], bytes, type[HfError], str]] = [
    ("empty", EVENTS, b"", EmptyResponse, "the stream has no event"),
    ("empty-json", JSON, b"", EmptyResponse, "the stream has no event"),
    ("line-ends", EVENTS, b"\r\n\r\n", EmptyResponse, "the stream has no event"),
    ("comments", EVENTS, b": a\n\n: b\n\n", EmptyResponse, r"the stream has no event; it begins : a\n\n: b"),
    (
        "pings", EVENTS, b"event: ping\ndata: {}\n\n", EmptyResponse,
        r"the stream has no event; it begins event: ping\ndata: {}",
    ),
    (
        "declared-text", EVENTS, b"\xef\xbb\xbfInternal Server Error", EmptyResponse,
        "the stream has no event; it begins Internal Server Error",
    ),
    (
        "declared-long-text", EVENTS, b"Error " * 2000, EmptyResponse,
        f"the stream has no event; it begins {('Error ' * 40)[:200]}…",
    ),
    *(
        (
            f"text-{word}", headers, word.encode(), DecodeError,
            f"the answer is not valid JSON (expected value at line 1 column 1): {word}",
        )
        for word in ("database is down", "eventually", "denied", "id", "identity expired", "retrying", "data")
        for headers in (JSON, PLAIN, {})
    ),
    *(
        (f"declared-{word}", EVENTS, word.encode(), EmptyResponse, f"the stream has no event; it begins {word}")
        for word in ("database is down", "error", "id", "data", "retry")
    ),
    ("done-alone", EVENTS, DONE, EmptyResponse, "the stream has no content; it begins data: [DONE]"),
    (
        "null-done", EVENTS, b"data: null\n\n" + DONE, EmptyResponse,
        r"the stream has no content; it begins data: null\n\ndata: [DONE]",
    ),
    (
        "no-choice-done", EVENTS, sse({"choices": []}) + DONE, EmptyResponse,
        r'the stream has no content; it begins data: {"choices": []}\n\ndata: [DONE]',
    ),
    (
        "text", PLAIN, b"Internal Server Error", DecodeError,
        "the answer is not valid JSON (expected ident at line 1 column 3): Internal Server Error",
    ),
    (
        "truncated", JSON, b'{"choices": [', DecodeError,
        'the answer is not valid JSON (EOF while parsing a list at line 1 column 13): {"choices": [',
    ),
    (
        "html", {"content-type": "text/html"}, b"<!doctype html><title>502 Bad Gateway</title>", UnexpectedContent,
        'the answer is an HTML page titled "502 Bad Gateway"',
    ),
    (
        "html-declared-stream", EVENTS, b"<html><head><title>Sign in</title>", UnexpectedContent,
        'the answer is an HTML page titled "Sign in"',
    ),
    ("error", JSON, b'{"error": "Busy"}', ReportedError, "the server answered 200 with an error: Busy"),
    (
        "error-declared-stream", EVENTS, b'{"error": "Busy"}', ReportedError,
        "the server answered 200 with an error: Busy",
    ),
    (
        "shape", JSON, b'{"choices": []}', ShapeError,
        EMPTY,
    ),
    (
        "null", JSON, b"null", ShapeError,
        NULL,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "headers", "data", "kind", "message"), NOT_A_STREAM, ids=[row[0] for row in NOT_A_STREAM]
)
def test_no_stream_where_one_was_asked_for(
    case: str, headers: dict[str, str], data: bytes, kind: type[HfError], message: str, play: Play
) -> None:
    for pieces in ([data], [data[at : at + 1] for at in range(len(data))]):
        played = play(CHAT, pieces, headers)
        assert played.parts == []
        assert type(played.error) is kind
        assert played.error.message == message


def test_a_whole_answer_may_not_be_endless(play: Play) -> None:
    played = play(CHAT, [b"["] + [b"1," * 2**19] * 9, JSON)
    assert type(played.error) is StreamProtocolError
    assert played.error.message == f"the answer is no stream, and too large; it begins [{'1,' * 99}1…"


def test_an_endless_line_is_shown(play: Play) -> None:
    for before, hint in ((b"", "The answer begins Error Error "), (sse(text("Two")), None)):
        played = play(CHAT, [before + b"Error "] + [b"Error " * 2**17] * 11, EVENTS)
        assert type(played.error) is StreamProtocolError
        assert str(played.error.hint or "").startswith(hint or "")
        assert (played.error.hint is None) is (hint is None)
        assert played.error.message == "an event of the stream is larger than 8 MiB"


@pytest.mark.parametrize("headers", [JSON, PLAIN, EVENTS, {}])
def test_a_field_without_a_value_begins_a_stream(headers: dict[str, str], play: Play) -> None:
    for before in (b"id\n", b"data\n\n", b"event\r\n", b"retry\r", b":\n"):
        for data in (before + TGI_3_0_1, before + b"\n" + TGI_3_0_1):
            for pieces in ([data], [data[at : at + 1] for at in range(len(data))]):
                assert "".join(part.text for part in play(CHAT, pieces, headers).parts) == "Two"


# anything


def values() -> st.SearchStrategy[Any]:
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    names = st.sampled_from([
        "choices", "delta", "message", "content", "tool_calls", "function", "name", "arguments", "id", "index", "text",
        "finish_reason", "usage", "reasoning", "created", "model", "logprobs", "error", "detail", "prompt_tokens",
    ])  # fmt: skip
    return st.recursive(
        plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5), max_leaves=15
    )


def choices() -> st.SearchStrategy[Any]:
    """Events that are near to real ones."""
    function = st.fixed_dictionaries({}, optional={"name": values(), "arguments": values()})
    tool = st.fixed_dictionaries({}, optional={"id": values(), "index": values(), "function": function | values()})
    delta = st.fixed_dictionaries(
        {}, optional={"content": values(), "tool_calls": st.lists(tool, max_size=3) | tool, "reasoning": values()}
    )
    choice = st.fixed_dictionaries({}, optional={"delta": delta, "index": values(), "finish_reason": values()})
    return st.fixed_dictionaries(
        {"choices": st.lists(choice, max_size=3)}, optional={"usage": values(), "id": values(), "created": values()}
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(choices() | values(), max_size=4), st.booleans())
def test_any_events_give_parts_or_an_error_of_ours(play: Play, sent: list[Any], done: bool) -> None:
    played = play(CHAT, sse(*sent) + (DONE if done else b""))
    assert isinstance(played.decoder.final, ChatCompletionOutput)
    assert {type(part) for part in played.parts} <= {ChatChunk}
    assert getattr(played.error, "partial", played.decoder.final).text == played.decoder.final.text


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([JSON, EVENTS, {}]))
def test_any_bytes_give_parts_or_an_error_of_ours(play: Play, data: bytes, headers: dict[str, str]) -> None:
    assert isinstance(play(CHAT, data, headers).error, HfError)
