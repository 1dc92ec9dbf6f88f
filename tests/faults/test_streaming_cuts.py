"""The streams of the faults, cut anywhere and broken at random: the same outcome, and no error but ours."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hf_tools.errors import HfError
from hf_tools.task import Reply
from hf_tools.tasks.chat import ChatCompletion, ChatCompletionOutput
from hf_tools.tasks.generation import TextGeneration, TextGenerationOutput
from hf_tools.tasks.raw import Request
from tests.faults import streaming, streaming_calls
from tests.faults.streaming_wire import BODIES

CHAT = ChatCompletion([{"role": "user", "content": "Hi"}])
TASKS = [CHAT, TextGeneration("Hi"), Request(inputs="Hi")]
HEADS = [{"content-type": "text/event-stream"}, {"content-type": "application/json"}, {}]
SHORT = sorted(key for key, body in BODIES.items() if len(body) < 10_000)
assert len(SHORT) > 80
assert streaming.ALL == streaming_calls.ALL


def played(task: Any, pieces: list[bytes], head: dict[str, str]) -> tuple[Any, Any, list[Any]]:
    """The answer, the error and the parts of a stream."""
    decoder, parts = task.decoder(Reply(200, head)), list[Any]()
    try:
        for piece in pieces:
            parts += decoder.feed(piece)
            if decoder.done:
                break
        parts += decoder.close()
    except HfError as error:
        return decoder.final, (type(error), error.message), parts
    return decoder.final, None, parts


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SHORT), st.lists(st.integers(0, 10_000), max_size=12), st.sampled_from(HEADS))
def test_a_stream_is_the_same_wherever_it_is_cut(key: str, cuts: list[int], head: dict[str, str]) -> None:
    body = BODIES[key]
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    whole, error, _ = played(CHAT, [body], head)
    cut, other, _ = played(CHAT, [body[start:end] for start, end in pairwise(places)], head)
    assert (cut, other) == (whole, error)


def test_a_stream_is_the_same_byte_by_byte() -> None:
    for key in SHORT:
        body = BODIES[key]
        whole = played(CHAT, [body], HEADS[0])
        assert played(CHAT, [body[place : place + 1] for place in range(len(body))], HEADS[0]) == whole, key


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """The stream of a fault with some bytes taken away, doubled, or written over."""
    body = bytearray(BODIES[draw(st.sampled_from(SHORT))])
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = start + draw(st.integers(0, 40))
        kind = draw(st.sampled_from(["take", "double", "write"]))
        new = {"take": b"", "double": bytes(body[start:end]) * 2, "write": draw(st.binary(max_size=8))}[kind]
        body[start:end] = new
    return bytes(body)


@settings(max_examples=500, deadline=None)
@given(mutated(), st.sampled_from(TASKS), st.sampled_from(HEADS))
def test_a_broken_stream_raises_no_error_but_ours(body: bytes, task: Any, head: dict[str, str]) -> None:
    final, _, _ = played(task, [body], head)
    if not isinstance(task, Request):
        assert isinstance(final, ChatCompletionOutput | TextGenerationOutput)
        json.dumps(final.model_dump(mode="json"))
