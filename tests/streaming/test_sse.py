"""Server-sent events: every form of line, cut anywhere."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_tools.errors import StreamProtocolError
from hf_tools.sse import MAX_EVENT, Event, Events

Splits = Callable[[bytes], Iterator[list[bytes]]]
BOM = b"\xef\xbb\xbf"


def read(pieces: Iterable[bytes]) -> list[Event]:
    events = Events()
    found = [event for piece in pieces for event in events.feed(piece)]
    return [*found, *events.close()]


STREAMS: list[tuple[str, bytes, list[Event]]] = [
    ("nothing", b"", []),
    ("lf", b"data: a\n\ndata: b\n\n", [Event("a"), Event("b")]),
    ("cr", b"data: a\r\rdata: b\r\r", [Event("a"), Event("b")]),
    ("crlf", b"data: a\r\n\r\ndata: b\r\n\r\n", [Event("a"), Event("b")]),
    ("mixed", b"data: a\r\ndata: b\n\r\ndata: c\r\n\rdata: d\r\n\n", [Event("a\nb"), Event("c"), Event("d")]),
    ("lf-then-cr", b"data: a\n\rdata: b\n\r", [Event("a"), Event("b")]),
    ("no-final-blank-line", b"data: a\n\ndata: b\n", [Event("a"), Event("b")]),
    ("no-final-line-end", b"data: a\n\ndata: b", [Event("a"), Event("b")]),
    ("final-cr", b"data: a\r", [Event("a")]),
    ("only-line-ends", b"\n\r\n\r\r\n\n", []),
    ("bom", BOM + b"data: a\n\n", [Event("a")]),
    ("bom-twice", BOM + BOM + b"data: a\n\ndata: b\n\n", [Event("b")]),
    ("bom-later", b"data: a\n\n" + BOM + b"data: b\n\n", [Event("a")]),
    ("bom-alone", BOM, []),
    ("half-a-bom", b"\xef\xbb", []),
    ("comments", b": OPENROUTER PROCESSING\n\n:\n\ndata: a\n:b\ndata: c\n\n:\n", [Event("a\nc")]),
    ("id-and-retry", b"id: 7\nretry: 1000\ndata: a\nid\n\nid: 8\n\n", [Event("a")]),
    ("kind", b"event: error\ndata: a\n\ndata: b\n\n", [Event("a", "error"), Event("b", "message")]),
    ("kind-last-one-counts", b"event: a\nevent:b\ndata: x\n\n", [Event("x", "b")]),
    ("kind-without-value", b"event\ndata: x\n\n", [Event("x")]),
    ("kind-without-data", b"event: ping\n\ndata: x\n\n", [Event("x")]),
    ("unknown-fields", b"dat: x\ndata2: x\n data: x\nDATA: x\ndata: y\n\n", [Event("y")]),
    ("no-data", b"data\n\ndata:\n\ndata: \n\ndata:\ndata:\n\ndata:  \n\n", []),
    ("empty-lines-of-data", b"data\ndata: a\ndata:\n\n", [Event("\na\n")]),
    ("lines", b'data: {\ndata: "a":\ndata:  1}\n\n', [Event('{\n"a":\n 1}')]),
    ("no-space", b"data:a\n\ndata:[DONE]\n\n", [Event("a"), Event("[DONE]")]),
    ("one-space-goes", b"data:  a \n\ndata:\ta\n\n", [Event(" a "), Event("\ta")]),
    ("colons", b"data: a: b:c\n\ndata::\n\n", [Event("a: b:c"), Event(":")]),
    (
        "not-line-ends",
        'data: {"t":"a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1dh\x1ei"}\n\n'.encode(),
        [Event('{"t":"a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1dh\x1ei"}')],
    ),
    ("many-bytes-a-character", "data: é😀中\u200d\n\ndata: ñ".encode(), [Event("é😀中\u200d"), Event("ñ")]),
    ("not-utf-8", b"data: a\xffb\xe2\x82\n\ndata: c\n\n", [Event("a\ufffdb\ufffd"), Event("c")]),
    ("nul", b"data: a\0b\n\n", [Event("a\0b")]),
]  # fmt: skip
IDS = [case for case, _, _ in STREAMS]


@pytest.mark.parametrize(("case", "data", "events"), STREAMS, ids=IDS)
def test_events_wherever_the_bytes_are_cut(case: str, data: bytes, events: list[Event], splits: Splits) -> None:
    for pieces in splits(data):
        assert read(pieces) == events, pieces


def test_a_recording_wherever_it_is_cut(recorded: bytes, splits: Splits) -> None:
    whole = read([recorded])
    assert len(whole) == 21
    assert {event.kind for event in whole} == {"message"}
    ends = (recorded.replace(b"\n", b"\r\n"), recorded.replace(b"\n", b"\r"))
    for form in (recorded, *ends):
        short = form[:1200]
        for pieces in splits(short):
            assert read(pieces) == read([short])
        for at in range(len(form)):
            assert read([form[:at], form[at:]]) == whole


LINES = st.sampled_from([
    b"data: a", b"data:", b"data: {\"x\": \"\xe2\x80\xa8\"}", "data: 😀".encode(), b"event: error", b"id: 1",
    b": c", b"", b"data:[DONE]", b"x", BOM, b"\xff",
])  # fmt: skip
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])


@given(st.lists(st.tuples(LINES, ENDS), max_size=12), st.lists(st.integers(0, 400), max_size=30))
def test_events_do_not_depend_on_the_cuts(lines: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    data = b"".join(line + end for line, end in lines)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert read(pieces) == read([data])
    assert read([b"", *(part for piece in pieces for part in (piece, b""))]) == read([data])


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_any_bytes_are_read(pieces: list[bytes]) -> None:
    assert read(pieces) == read([b"".join(pieces)])


def test_close_gives_the_last_event_once() -> None:
    events = Events()
    assert list(events.feed(b"data: a")) == []
    assert list(events.close()) == [Event("a")]
    assert list(events.close()) == []


def line_of(size: int) -> bytes:
    return b"data: " + b"x" * (size - 6)


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1 << 26, 1 << 20, 65536, 1000])
def test_an_event_may_be_as_large_as_8_mebibytes(size: int) -> None:
    assert MAX_EVENT == 8 * 2**20
    data = line_of(MAX_EVENT) + b"\n\n"
    assert [len(event.data) for event in read(in_pieces(data * 2, size))] == [MAX_EVENT - 6] * 2


TOO_LARGE = [
    line_of(MAX_EVENT + 1) + b"\n\n",
    line_of(MAX_EVENT + 1),
    (line_of(2**20) + b"\n") * 9,
    b"data\n" * (MAX_EVENT // 4 + 1),
    b": " + b"x" * MAX_EVENT,
]


@pytest.mark.parametrize("size", [1 << 26, 65536])
@pytest.mark.parametrize("data", TOO_LARGE, ids=["line", "no-line-end", "lines", "empty-lines", "comment"])
def test_too_large_an_event_is_refused(data: bytes, size: int) -> None:
    events = Events()
    assert list(events.feed(b"data: before\n\n")) == [Event("before")]
    with pytest.raises(StreamProtocolError) as caught:
        assert [event for piece in in_pieces(data, size) for event in events.feed(piece)] == []
    assert caught.value.message == "an event of the stream is larger than 8 MiB"


def test_comments_without_end_are_no_event() -> None:
    data = (b": " + b"x" * 1000 + b"\n") * 10_000
    assert read([*in_pieces(data, 65537), b"data: a\n\n"]) == [Event("a")]
