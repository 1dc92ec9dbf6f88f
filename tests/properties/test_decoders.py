"""Every task's decoder on whatever a server may send: an answer or an error of ours, in bounded time and memory."""

from __future__ import annotations

import json
import re
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hf_tools.errors import CONTROL, EXCERPT, HfError
from hf_tools.replies import status_error
from hf_tools.response import KEPT
from hf_tools.task import Reply
from hf_tools.wire import loads
from tests.core.test_task import CLASSES, example
from tests.properties.answers import BODIES, HEADERS

BOUNDED = settings(deadline=2000, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
"""Milliseconds for one example: none takes a tenth of that, but the machine may be busy."""
TASKS = [pytest.param(example(name, task).single()[0], id=task.__name__) for name, task in CLASSES]
LARGE = [
    one for one in TASKS if one.id in ("ChatCompletion", "FeatureExtraction", "ImageSegmentation", "Raw", "FillMask")
]
"""Tasks of different kinds: with the same parser below."""


def told(error: HfError) -> None:
    """What holds for each error: it can be shown, on one line, and is short."""
    text = str(error)
    assert len(text) <= 700
    assert re.search(CONTROL, text) is None
    text.encode()
    assert repr(error)


@pytest.mark.parametrize("task", TASKS)
@BOUNDED
@given(body=BODIES, headers=HEADERS)
def test_any_answer_is_read_or_is_an_error_of_ours(task: Any, body: bytes, headers: dict[str, str]) -> None:
    try:
        repr(task.decode(Reply(200, headers, body)))
    except HfError as error:
        told(error)


@BOUNDED
@given(body=BODIES, headers=HEADERS, status=st.integers(300, 999))
def test_any_refusal_is_an_error_of_its_status(body: bytes, headers: dict[str, str], status: int) -> None:
    error = status_error(Reply(status, headers, body), time.time())
    told(error)
    assert error.status == status
    assert error.body == body[:KEPT]


@BOUNDED
@given(body=BODIES)
def test_json_is_read_or_refused(body: bytes) -> None:
    try:
        json.dumps(loads(body))
    except HfError as error:
        told(error)


DEEP = 100_000
BOMBS = {
    "lists in lists": b"[" * DEEP + b"]" * DEEP,
    "lists without an end": b"[" * DEEP,
    "objects in objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "a known key in itself": b'{"message":' * DEEP,
    "a number of many digits": b"[" + b"9" * DEEP + b"]",
    "a float of many digits": b"[0." + b"9" * DEEP + b"]",
    "an exponent of many digits": b"[1e" + b"9" * DEEP + b"]",
    "many empty lists": b"[" + b"[]," * DEEP + b"[]]",
    "many keys": json.dumps(dict.fromkeys(map(str, range(DEEP // 4)), 0)).encode(),
    "a long text": b'"' + b"x" * DEEP * 3 + b'"',
    "escapes": b'"' + b"\\ud83d" * DEEP + b'"',
    "broken UTF-8": b'"' + b"\xc3\x28" * DEEP + b'"',
    "spaces": b" " * DEEP * 3,
    "base64 that is none": b'[{"blob": "' + b"=" * DEEP + b'"}]',
}
"""Bodies of some 300 kB that have ended other parsers."""


@pytest.mark.parametrize("task", LARGE)
@pytest.mark.parametrize("name", BOMBS)
def test_large_answers_take_bounded_time_and_memory(task: Any, name: str) -> None:
    body = BOMBS[name]
    begun = time.process_time()
    tracemalloc.start()
    try:
        repr(task.decode(Reply(200, {"content-type": "application/json"}, body)))[:EXCERPT]
    except HfError as error:
        told(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 60 * 2**20
    assert time.process_time() - begun < 10  # of this process alone, with tracemalloc, which makes it slow
