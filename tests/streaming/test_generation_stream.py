"""Streams of text generation: token events of TGI, and completion chunks of OpenAI-shaped servers."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_tools.errors import EmptyResponse, HfError, ReportedError, ShapeError, StreamInterrupted, StreamReportedError
from hf_tools.task import Reply
from hf_tools.tasks.generation import TextGeneration, TextGenerationOutput, TextGenerationPart

Play = Callable[..., Any]
Splits = Callable[[bytes], Iterator[list[bytes]]]

TASK = TextGeneration("Count:")
JSON = {"content-type": "application/json"}


def sse(*values: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n" for value in values)


OLD = (
    b'data:{"token":{"id":80,"text":"one","logprob":-0.75390625,"special":false},"generated_text":null,"details":null}'
    b"\n\n"
    b'data:{"token":{"id":192,"text":" two","logprob":-0.8,"special":false},"generated_text":null,"details":null}\n\n'
    b'data:{"token":{"id":1,"text":"</s>","logprob":-0.030883789,"special":true},'
    b'"generated_text":"one two three four","details":null}\n\n'
)
PROMPT = "Please answer the following question: complete one two and ____. 1. 2. 17"
NEW = (
    b'data: {"index":1,"token":{"id":220,"text":" ","logprob":-2.8144014,"special":false},"generated_text":null,'
    b'"details":null}\n\n'
    b'data: {"index":2,"token":{"id":1114,"text":"17","logprob":-0.0072028483,"special":false},'
    b'"generated_text":"Please answer the following question: complete one two and ____. 1. 2. 17","details":null}\n\n'
)
DETAILS = {"finish_reason": "length", "generated_tokens": 20, "input_length": 5, "seed": None}
WITH_DETAILS = sse(
    {"index": 1, "token": {"id": 1, "text": "a", "logprob": None, "special": False}, "generated_text": None,
     "details": None, "top_tokens": [{"id": 2, "text": "b", "logprob": -1.5, "special": False}]},
    {"index": 2, "token": {"id": 3, "text": "b", "logprob": -1, "special": False}, "generated_text": "ab",
     "details": DETAILS},
)  # fmt: skip
NO_SPECIAL_FIELD = sse({"token": {"text": "a"}}, {"token": {"text": "b"}, "generated_text": "ab"})
UNTERMINATED = NEW.removesuffix(b"\n\n")
WITH_DONE = sse({"token": {"text": "ab"}, "generated_text": None}) + b"data:[DONE]\n\n"
EMPTY_TEXT = sse({"token": {"text": "</s>", "special": True}, "generated_text": ""})
NO_TOKEN = sse({"generated_text": "all at once"})
UNKNOWN_EVENTS = sse({}, {"type": "ping"}, {"token": {"text": "a"}, "generated_text": "a"})
DETAIL_BESIDE_TOKEN = sse({"token": {"text": "a"}, "detail": "fine", "generated_text": "a"})


def completion(text: Any, finish_reason: Any = "", index: Any = 0, **more: Any) -> dict[str, Any]:
    choice = {"finish_reason": finish_reason, "index": index, "logprobs": None, "text": text}
    return {"object": "text_completion", "choices": [choice], **more}


USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
TGI_COMPLETIONS = sse(completion("a"), completion("b"), completion("", "length", usage=USAGE)) + b"data: [DONE]\n\n"
VLLM = (
    sse(completion("a", None), completion("b", "stop"), {"object": "text_completion", "choices": [], "usage": USAGE})
    + b"data: [DONE]\n\n"
)
NO_MARK = sse(completion("ab", None), completion("", "stop"))

STREAMS: list[tuple[str, bytes, list[str], str, str | None, Any]] = [
    ("old-tgi", OLD, ["one", " two", ""], "one two three four", None, None),
    ("new-tgi", NEW, [" ", "17"], PROMPT, None, None),
    ("details", WITH_DETAILS, ["a", "b"], "ab", "length", None),
    ("no-special-field", NO_SPECIAL_FIELD, ["a", "b"], "ab", None, None),
    ("unterminated", UNTERMINATED, [" ", "17"], PROMPT, None, None),
    ("done-without-text", WITH_DONE, ["ab"], "ab", None, None),
    ("empty-text", EMPTY_TEXT, [""], "", None, None),
    ("no-token", NO_TOKEN, [""], "all at once", None, None),
    ("unknown-events", UNKNOWN_EVENTS, ["a"], "a", None, None),
    ("detail-beside-token", DETAIL_BESIDE_TOKEN, ["a"], "a", None, None),
    ("tgi-completions", TGI_COMPLETIONS, ["a", "b", ""], "ab", "length", USAGE),
    ("vllm-completions", VLLM, ["a", "b"], "ab", "stop", USAGE),
    ("no-mark-completions", NO_MARK, ["ab", ""], "ab", "stop", None),
]


@pytest.mark.parametrize(
    ("case", "data", "texts", "text", "reason", "usage"), STREAMS, ids=[stream[0] for stream in STREAMS]
)
def test_streams(
    case: str, data: bytes, texts: list[str], text: str, reason: str | None, usage: Any, play: Play, splits: Splits
) -> None:
    played = play(TASK, data)
    assert played.error is None
    assert [part.text for part in played.parts] == texts
    assert {type(part) for part in played.parts} == {TextGenerationPart}
    assert played.decoder.usage == usage
    final: TextGenerationOutput = played.decoder.final
    assert (final.generated_text, final.finish_reason, final.usage, final.sequences) == (text, reason, usage, [])
    for form in (data, data.replace(b"\n", b"\r\n")):
        for at in range(len(form)):
            cut = play(TASK, [form[:at], form[at:]])
            assert (cut.parts, cut.error, cut.decoder.final) == (played.parts, None, final)
    for pieces in splits(data[:120]):
        assert play(TASK, pieces).parts == play(TASK, data[:120]).parts


def test_special_tokens_are_told_but_are_no_text(play: Play) -> None:
    last = play(TASK, OLD).parts[-1]
    assert (last.text, last.special, last.generated_text) == ("", True, "one two three four")
    assert last.token == {"id": 1, "text": "</s>", "logprob": -0.030883789, "special": True}
    assert last.raw["details"] is None
    assert [part.special for part in play(TASK, OLD).parts] == [False, False, True]


def test_the_text_that_begins_with_the_prompt_is_not_stripped(play: Play) -> None:
    parts = play(TASK, NEW).parts
    assert (parts[0].generated_text, parts[1].generated_text) == (None, PROMPT)
    assert [part.index for part in parts] == [0, 0]  # of the sequence; TGI's index counts tokens


def test_details(play: Play) -> None:
    played = play(TASK, WITH_DETAILS)
    assert [(part.details, part.finish_reason) for part in played.parts] == [(None, None), (DETAILS, "length")]
    assert played.parts[0].raw["top_tokens"] == [{"id": 2, "text": "b", "logprob": -1.5, "special": False}]
    details = played.decoder.final.details
    assert (details.finish_reason, details.generated_tokens, details.seed, details.input_length) == (
        "length",
        20,
        None,
        5,
    )
    assert (details.tokens, details.prefill) == ([], [])


def test_odd_details_do_not_matter(play: Play) -> None:
    odd = {"finish_reason": None, "tokens": "none"}
    played = play(TASK, sse({"token": {"text": "a"}, "generated_text": "a", "details": odd}))
    assert (played.error, played.parts[0].details, played.parts[0].finish_reason) == (None, odd, None)
    assert played.decoder.final == TextGenerationOutput(generated_text="a")


def test_prompts_that_interleave(play: Play) -> None:
    data = sse(
        completion("x", index=1), completion("a", index=0), completion("y", "stop", 1), completion("b", "length", 0)
    )
    played = play(TASK, data)
    assert [(part.index, part.text, part.finish_reason) for part in played.parts] == [
        (1, "x", None), (0, "a", None), (1, "y", "stop"), (0, "b", "length"),
    ]  # fmt: skip
    final = played.decoder.final
    assert (final.generated_text, final.finish_reason) == ("ab", "length")
    assert [(each.generated_text, each.finish_reason) for each in final.sequences] == [("ab", "length"), ("xy", "stop")]


def test_one_prompt_of_two_at_its_end_is_not_the_end(play: Play) -> None:
    played = play(TASK, sse(completion("x", index=1), completion("a", "stop", 0)))
    assert type(played.error) is StreamInterrupted
    assert [each.generated_text for each in played.error.partial.sequences] == ["a", "x"]


@pytest.mark.parametrize(
    "task",
    [TextGeneration("a", num_return_sequences=2), TextGeneration("a", extra_body={"n": 2}),
     TextGeneration("a", extra_body={"num_return_sequences": 2})],
)  # fmt: skip
def test_fewer_continuations_than_were_asked_for_are_not_the_end(task: TextGeneration, play: Play) -> None:
    first = sse(completion("a", "stop", 0))
    played = play(task, first)
    assert type(played.error) is StreamInterrupted
    assert played.error.partial.generated_text == "a"
    played = play(task, first + sse(completion("x", "stop", 1)))
    assert played.error is None
    assert [each.generated_text for each in played.decoder.final.sequences] == ["a", "x"]
    played = play(task, first + b"data: [DONE]\n\n")
    assert (played.error, played.decoder.final.generated_text) == (None, "a")
    # token events cannot carry more than one
    assert play(task, NEW).error is None


def test_nothing_but_a_mark_is_no_answer(play: Play) -> None:
    for before in (b"", sse({"choices": []}), sse({})):
        played = play(TASK, before + b"data: [DONE]\n\n")
        assert (played.parts, type(played.error)) == ([], EmptyResponse)
    assert play(TASK, sse(completion("", "stop")) + b"data: [DONE]\n\n").decoder.final.generated_text == ""


def test_several_choices_in_one_event(play: Play) -> None:
    event = {"choices": [{"text": "a", "index": 0}, {"text": "x", "index": 1}, None, {"text": None}]}
    played = play(TASK, sse(event, {"choices": None}) + b"data: [DONE]\n\n")
    assert [(part.index, part.text) for part in played.parts] == [(0, "a"), (1, "x"), (0, "")]
    assert [each.generated_text for each in played.decoder.final.sequences] == ["a", "x"]


TOO_LONG = (
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 17 `inputs` tokens and 10000 "
    "`max_new_tokens`"
)


@pytest.mark.parametrize(
    ("data", "message", "code"),
    [
        (
            b'data:{"error":"' + TOO_LONG.encode() + b'","error_type":"validation"}\n\n',
            TOO_LONG,
            "validation",
        ),
        (
            b'data: {"error":"Request failed during generation: Server error: ","error_type":"generation"}\n\n',
            "Request failed during generation: Server error: ",
            "generation",
        ),
    ],
)
def test_an_error_of_the_server(data: bytes, message: str, code: str, play: Play) -> None:
    first = OLD[: OLD.index(b"data:", 1)]
    for before, texts, partial in ((b"", [], ""), (first, ["one"], "one")):
        played = play(TASK, before + data)
        assert [part.text for part in played.parts] == texts
        assert type(played.error) is StreamReportedError
        assert played.error.message == f"the server reported an error in the stream: {message}"
        assert (played.error.code, played.error.partial.generated_text) == (code, partial)


def test_the_end_without_a_mark(play: Play) -> None:
    for data in (OLD[: OLD.rindex(b"data:")], sse(completion("one"), completion(" two"))):
        played = play(TASK, data)
        assert type(played.error) is StreamInterrupted
        assert [part.text for part in played.parts] == ["one", " two"]
        assert played.error.partial == TextGenerationOutput(generated_text="one two")


WHOLE: list[tuple[str, Any, list[tuple[str, int, str | None]]]] = [
    ("list", [{"generated_text": "a"}], [("a", 0, None)]),
    ("dict", {"generated_text": "a", "details": {"finish_reason": "length"}}, [("a", 0, None)]),
    ("several", [{"generated_text": "a"}, {"generated_text": "b"}], [("a", 0, None), ("b", 1, None)]),
    ("completion", {"choices": [{"text": "a", "finish_reason": "stop"}], "usage": USAGE}, [("a", 0, "stop")]),
]


@pytest.mark.parametrize(("case", "value", "parts"), WHOLE, ids=[row[0] for row in WHOLE])
def test_a_whole_answer(case: str, value: Any, parts: list[tuple[str, int, str | None]], play: Play) -> None:
    data = json.dumps(value).encode()
    played = play(TASK, data, JSON)
    assert played.error is None
    assert [(part.text, part.index, part.finish_reason) for part in played.parts] == parts
    assert [part.generated_text for part in played.parts] == [text for text, _, _ in parts]
    assert played.decoder.final == TASK.decode(Reply(200, JSON, data))
    assert played.decoder.usage == (USAGE if case == "completion" else None)


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"", EmptyResponse), (b'{"error": ["Error in `stream`: not supported"]}', ReportedError), (b"[1]", ShapeError)],
)
def test_no_stream(data: bytes, kind: type[HfError], play: Play) -> None:
    played = play(TASK, data, JSON)
    assert (played.parts, type(played.error)) == ([], kind)


def events() -> st.SearchStrategy[Any]:
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    names = st.sampled_from([
        "choices", "token", "text", "special", "details", "finish_reason", "generated_text", "index", "usage", "tokens",
        "prefill", "seed", "generated_tokens", "error",
    ])  # fmt: skip
    return st.recursive(
        plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5), max_leaves=15
    )


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["choices", "token", "details", "usage"]), events()) | events(), max_size=4
    )
)
def test_any_events_give_parts_or_an_error_of_ours(play: Play, sent: list[Any]) -> None:
    played = play(TASK, sse(*sent))
    assert {type(part) for part in played.parts} <= {TextGenerationPart}
    assert isinstance(played.decoder.final, TextGenerationOutput)
