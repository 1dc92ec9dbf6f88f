"""Streams of raw requests: the JSON value of each event, whatever it is."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_tools.errors import (
    EmptyResponse,
    HfError,
    ReportedError,
    StreamInterrupted,
    StreamProtocolError,
    StreamReportedError,
    UnexpectedContent,
)
from hf_tools.media import Image
from hf_tools.tasks.raw import Request

Play = Callable[..., Any]

RAW = Request(inputs="Hi")
JSON = {"content-type": "application/json"}
PNG = b"\x89PNG\r\n\x1a\n0000"


def sse(*values: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n" for value in values)


TOKEN: dict[str, Any] = {
    "token": {"id": 80, "text": "one", "logprob": -0.75390625, "special": False},
    "generated_text": None,
}
LAST: dict[str, Any] = {"token": {"id": 1, "text": "</s>", "special": True}, "generated_text": "one"}
CHUNK: dict[str, Any] = {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}]}
FINISHED: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
USAGE: dict[str, Any] = {"choices": [], "usage": {"total_tokens": 3}}

STREAMS: list[tuple[str, bytes, list[Any]]] = [
    ("tokens", sse(TOKEN, LAST), [TOKEN, LAST]),
    ("chunks", sse(CHUNK, FINISHED, USAGE), [CHUNK, FINISHED, USAGE]),
    ("chunks-done", sse(CHUNK) + b"data: [DONE]\n\n", [CHUNK]),
    ("unknown", sse({"a": 1}, {"b": [None, 9313781139405380000]}), [{"a": 1}, {"b": [None, 9313781139405380000]}]),
    ("unterminated", sse({"a": "é"}).rstrip(), [{"a": "é"}]),
    ("error-null", sse({"error": None, "a": 1}), [{"error": None, "a": 1}]),
]


@pytest.mark.parametrize(("case", "data", "values"), STREAMS, ids=[stream[0] for stream in STREAMS])
def test_streams(case: str, data: bytes, values: list[Any], play: Play) -> None:
    for at in range(len(data)):
        played = play(RAW, [data[:at], data[at:]])
        assert (played.error, played.parts, played.decoder.final) == (None, values, values)
        assert played.decoder.usage is None


@pytest.mark.parametrize("values", [[TOKEN], [CHUNK], [CHUNK, USAGE]])
def test_the_end_of_a_known_stream_without_a_mark(values: list[Any], play: Play) -> None:
    played = play(RAW, sse(*values))
    assert (played.parts, type(played.error)) == (values, StreamInterrupted)
    assert played.error.partial == values


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (sse({"error": "No", "error_type": "generation"}), StreamReportedError,
         "the server reported an error in the stream: No"),
        (sse({"detail": "No"}), StreamReportedError, "the server reported an error in the stream: No"),
        (b"event: error\ndata: No\n\n", StreamReportedError, "the server reported an error in the stream: No"),
        (b"data: text\n\n", StreamProtocolError, "an event of the stream is not JSON: text"),
        (sse([1]), StreamProtocolError, "an event of the stream is not an object: [1]"),
    ],
)  # fmt: skip
def test_an_event_that_is_no_part(data: bytes, kind: type[HfError], message: str, play: Play) -> None:
    played = play(RAW, sse(TOKEN) + data)
    assert (played.parts, type(played.error), played.error.message) == ([TOKEN], kind, message)
    assert played.error.partial == [TOKEN]


@pytest.mark.parametrize(
    ("headers", "data", "answer"),
    [
        (JSON, b'[{"a": 1}]', [{"a": 1}]),
        ({}, b'{"a": 1}', {"a": 1}),
        (JSON, b"12", 12),
        (JSON, b'"text"', "text"),
        (JSON, b"true", True),
        ({"content-type": "image/png"}, PNG, Image(PNG)),
        ({"content-type": "text/plain"}, b"some text", b"some text"),
        ({"content-type": "text/plain"}, b"data without a colon", b"data without a colon"),
        ({"content-type": "text/plain"}, b"id", b"id"),
        ({}, b"d", b"d"),
    ],
)
def test_a_whole_answer(headers: dict[str, str], data: bytes, answer: Any, play: Play) -> None:
    played = play(RAW, data, headers)
    assert (played.error, played.parts, played.decoder.final) == (None, [answer], answer)


@pytest.mark.parametrize(
    ("headers", "data", "kind"),
    [
        ({}, b"", EmptyResponse),
        ({"content-type": "text/event-stream"}, b"data: [DONE]\n\n", EmptyResponse),
        ({"content-type": "text/html"}, b"<html>", UnexpectedContent),
        (JSON, b'{"error": "No"}', ReportedError),
    ],
)
def test_no_stream(headers: dict[str, str], data: bytes, kind: type[HfError], play: Play) -> None:
    played = play(RAW, data, headers)
    assert (played.parts, type(played.error)) == ([], kind)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["choices", "token", "generated_text", "a"]),
            st.none() | st.text(max_size=3) | st.lists(st.dictionaries(st.just("finish_reason"), st.booleans())),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_objects_come_through(play: Play, values: list[Any]) -> None:
    played = play(RAW, sse(*values))
    assert played.parts == values
    assert played.error is None or type(played.error) is StreamInterrupted
