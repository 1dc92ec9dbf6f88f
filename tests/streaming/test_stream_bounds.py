"""What a server may send without end: time is linear in the bytes, memory is bounded, the end is an error of ours."""

import json
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from hf_tools.errors import EmptyResponse, HfError, StreamInterrupted, StreamProtocolError
from hf_tools.sse import MAX_EVENT, Events
from hf_tools.task import Reply
from hf_tools.tasks.chat import ChatCompletion
from hf_tools.tasks.decoding import MAX_STREAM
from hf_tools.tasks.generation import TextGeneration
from hf_tools.tasks.raw import Request

MIB = 2**20
CHAT = ChatCompletion([{"role": "user", "content": "Hi"}])
TASKS = [CHAT, TextGeneration("Hi")]
STREAM = {"content-type": "text/event-stream"}


def token(text: str = "x", **more: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}], **more}).encode() + b"\n\n"


def decoder(headers: dict[str, str] = STREAM) -> Any:
    return CHAT.decoder(Reply(200, headers))


def fed(feed: Callable[[bytes], Iterable[Any]], piece: bytes, size: int) -> int:
    """Feed a piece again and again up to this size; how many parts came."""
    return sum(1 for _ in range(size // len(piece)) for _ in feed(piece))


def test_an_event_in_small_pieces_takes_linear_time() -> None:
    events = Events()
    assert list(events.feed(b"data: ")) == []
    began = time.monotonic()
    assert fed(events.feed, b"x" * 64, MAX_EVENT - 64) == 0
    [event] = events.feed(b"\n\n")
    assert time.monotonic() - began < 10  # where each piece is copied with all before it, minutes
    assert len(event.data) == MAX_EVENT - 64


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b" ", b"\t"])
def test_blank_bytes_before_the_first_event_take_linear_time(blank: bytes) -> None:
    decode, began = decoder(), time.monotonic()
    assert fed(decode.feed, blank * 32, 2 * MIB) == 0
    [part] = decode.feed(b"\n" + token())
    assert time.monotonic() - began < 10
    assert part.text == "x"


def test_blank_bytes_have_an_end() -> None:
    with pytest.raises(StreamProtocolError, match="the answer is no stream, and too large"):
        fed(decoder().feed, b"\n" * 65536, 2 * MAX_EVENT)


@pytest.fixture
def peak() -> Iterator[Callable[[], float]]:
    """Most MiB that were held since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1] / MIB
    tracemalloc.stop()


def test_a_line_without_an_end_is_held_up_to_the_limit(peak: Callable[[], float]) -> None:
    line = b"x" * 65536
    with pytest.raises(StreamProtocolError, match="larger than 8 MiB"):
        fed(Events().feed, line, 64 * MIB)
    assert peak() < 20


def test_lines_of_one_event_are_held_up_to_the_limit(peak: Callable[[], float]) -> None:
    lines = (b"data: " + b"x" * 1000 + b"\n") * 64
    with pytest.raises(StreamProtocolError, match="larger than 8 MiB"):
        fed(Events().feed, lines, 64 * MIB)
    assert peak() < 20


NOISE = [b": keep-alive\n" * 300, b"data: null\n\n" * 300, b"event: ping\ndata: {}\n\n" * 150, b"id: 1\n\n" * 500]


@pytest.mark.parametrize("noise", NOISE)
def test_what_is_ignored_is_not_held(noise: bytes, peak: Callable[[], float]) -> None:
    decode = decoder()
    assert len(list(decode.feed(token()))) == 1
    assert fed(decode.feed, noise, 2 * MIB) == 0
    assert peak() < 0.5


@pytest.mark.parametrize("task", TASKS)
def test_a_stream_has_a_limit(task: Any) -> None:
    assert MAX_STREAM == 64 * MIB
    decode = task.decoder(Reply(200, STREAM))
    padded = b"data: " + json.dumps({"choices": [{"text": "x", "delta": {"content": "x"}}], "pad": "x" * MIB}).encode()
    with pytest.raises(StreamProtocolError) as caught:
        fed(decode.feed, padded + b"\n\n", 2 * MAX_STREAM)
    assert caught.value.message == "the stream is larger than 64 MiB"
    final = caught.value.partial
    assert getattr(final, "text", None) or final.generated_text == "x" * 63


def test_a_raw_stream_has_the_same_limit() -> None:
    decode = Request(inputs="Hi").decoder(Reply(200, STREAM))
    with pytest.raises(StreamProtocolError, match="the stream is larger than 64 MiB"):
        fed(decode.feed, b'data: {"a": "' + b"x" * 4 * MIB + b'"}\n\n', 2 * MAX_STREAM)


CUTS = [
    (token("a") + b'data: {"choices": [{"del', "a", StreamInterrupted),
    (token("a") + b"data: {", "a", StreamInterrupted),
    (b'data: {"choices": [{"del', "", StreamInterrupted),
    (token("a") + b": comm", "a", StreamInterrupted),
    (b": comm", "", EmptyResponse),
]


@pytest.mark.parametrize(("data", "text", "kind"), CUTS)
def test_half_an_event_is_an_interruption(data: bytes, text: str, kind: type[HfError], play: Any) -> None:
    played = play(CHAT, data)
    assert type(played.error) is kind
    assert played.decoder.final.text == text
    assert getattr(played.error, "partial", played.decoder.final) == played.decoder.final


def test_half_an_event_after_the_end_is_of_no_interest(play: Any) -> None:
    whole = b'data: {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}\n\n'
    played = play(CHAT, whole + b'data: {"choices": [], "usa')
    assert (played.error, played.decoder.final.text, played.decoder.usage) == (None, "a", None)
