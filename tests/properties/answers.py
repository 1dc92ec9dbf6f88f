"""Answers for the property tests: the recorded ones, broken in all manner of ways, and any JSON and bytes at all."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import Any, cast

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

RECORDINGS = Path(__file__).parent.parent / "facts" / "recordings"
WORDS = (
    "label",
    "score",
    "labels",
    "scores",
    "sequence",
    "token",
    "token_str",
    "answer",
    "start",
    "end",
    "box",
    "xmin",
    "mask",
    "text",
    "chunks",
    "timestamp",
    "generated_text",
    "details",
    "choices",
    "message",
    "delta",
    "content",
    "tool_calls",
    "function",
    "arguments",
    "usage",
    "error",
    "errors",
    "warnings",
    "embedding",
    "data",
    "index",
    "b64_json",
    "url",
    "blob",
    "image",
    "audio",
    "video",
    "depth",
    "predicted_depth",
    "output",
    "outputs",
    "answers",
    "cells",
    "coordinates",
)
"""Keys that answers have."""
TYPES = (
    "application/json",
    "application/json; charset=utf-8",
    "text/html",
    "text/plain",
    "text/event-stream",
    "image/png",
    "image/jpeg",
    "audio/flac",
    "audio/wav",
    "video/mp4",
    "application/octet-stream",
    "",
    "nonsense",
    "application/problem+json",
)
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1e308,
    2**63,
    10**30,
    float("nan"),
    float("inf"),
    "",
    "\x00",
    "\ud800",
    "﻿",
    [],
    {},
    [[]],
    [None],
    "data:image/png;base64,",
    "iVBORw0KGgo=",
    "!!!",
    "NaN",
    "1" * 5000,
)


def recorded() -> list[Any]:
    """The bodies of all recorded answers, as JSON values or bytes."""
    found: list[Any] = []
    for path in sorted(RECORDINGS.glob("*.json")):
        for each in json.loads(path.read_text(encoding="utf-8")):
            response = each["response"]
            if "body" in response:
                found.append(response["body"])
            elif "text" in response:
                found.append(response["text"].encode())
            else:
                found.append(base64.b64decode(response["body_head_base64"]))
    return found


RECORDED = recorded()
SCALARS = st.one_of(st.sampled_from(ODD), st.integers(), st.floats(), st.text(max_size=20))
VALUES: SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Any JSON, mostly with keys that answers have, and some that is none: NaN, half a character."""


def as_json(value: Any) -> bytes:
    """A value as a careless server writes it."""
    return json.dumps(value).encode()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A recorded answer with something of it replaced, left out, doubled, or cut off."""
    value = draw(st.sampled_from(RECORDED))
    if not isinstance(value, bytes):
        for _ in range(draw(st.integers(0, 3))):
            value = _changed(draw, value)
        value = as_json(value)
    if draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(0, len(value)))
        value = value[:place] + draw(st.binary(max_size=3)) + value[place + draw(st.integers(0, 3)) :]
    if draw(st.integers(0, 5)) == 0:
        value = value[: draw(st.integers(0, len(value)))]
    return bytes(value)


def _changed(draw: st.DrawFn, value: Any) -> Any:
    """The value with one change somewhere in it."""
    inside: list[Any] = list(cast("list[Any]", value)) if isinstance(value, dict | list) else []
    if not inside or draw(st.integers(0, 3)) == 0:
        return draw(VALUES)
    key = draw(st.sampled_from(inside)) if isinstance(value, dict) else draw(st.integers(0, len(inside) - 1))
    changed: Any = copy.copy(cast(Any, value))
    what = draw(st.integers(0, 3))
    if what == 0:
        del changed[key]
    elif what == 1 and not isinstance(value, dict):
        changed += [changed[key]]
    else:
        changed[key] = _changed(draw, changed[key])
    return changed


BODIES: SearchStrategy[bytes] = st.one_of(mutated(), VALUES.map(as_json), st.binary(max_size=200))
"""Any body of an answer."""
HEADERS: SearchStrategy[dict[str, str]] = st.dictionaries(
    st.sampled_from(["content-type", "x-compute-time", "x-compute-characters", "x-total-tokens"]),
    st.sampled_from(TYPES) | st.text(max_size=10),
    max_size=3,
)
