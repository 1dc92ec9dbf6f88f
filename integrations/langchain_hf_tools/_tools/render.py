"""An answer for a model to read, and the same answer as JSON for a program.

The text is short and holds no bytes, no base64 and no vector; the artifact is whole.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from pydantic import BaseModel

from hf_tools.media import Media
from hf_tools.tasks.chat import ChatCompletionOutput
from hf_tools.tasks.features import Features
from hf_tools.tasks.text import MaskFills

LIMIT = 4000
"""Characters of a text."""
CODED = re.compile(r"[A-Za-z0-9+/_=-]{200,}")
"""Base64 and its like: no text has words of this length."""
ELSEWHERE = "in the artifact"


def _is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list | tuple)


def _every_mask(value: Any) -> Any:
    """The fills of all masks of a text, where it has several."""
    if type(value) is not MaskFills:
        return value
    masks: list[Any] = value.masks  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return masks if len(masks) > 1 else list(masks[0])


def plain(value: Any) -> Any:
    """The answer as JSON values: media as a mapping with their base64, what is no number as None."""
    value = _every_mask(value)
    if isinstance(value, Media):
        return {"type": value.kind, "mime_type": value.mime_type, "bytes": len(value), "base64": value.base64}
    if isinstance(value, BaseModel):
        return {name: plain(each) for name, each in value}
    if _is_mapping(value):
        return {str(name): plain(each) for name, each in value.items()}
    if _is_list(value):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def text(answer: Any) -> str:
    """The answer as a text of at most 4,000 characters."""
    if isinstance(answer, ChatCompletionOutput):
        answer = answer.text or [call.function for call in answer.message.tool_calls]
    short = _short(answer)
    if _is_mapping(short) and len(short) == 1:
        only = next(iter(short.values()))
        short = only if isinstance(only, str) else short
    if isinstance(short, str):
        return _cut(short)
    written = _json(short)
    return _cut(_first(short) if len(written) > LIMIT and _is_list(short) else written)


def _short(value: Any) -> Any:
    """The answer as JSON values, with a word in the place of what a model cannot use."""
    value = _every_mask(value)
    if isinstance(value, Media):
        return f"{value.mime_type}, {len(value):,} bytes ({ELSEWHERE})"
    if isinstance(value, Features):
        return f"vectors of the shape {list(value.shape)} ({ELSEWHERE})"
    if isinstance(value, BaseModel):
        hidden = {name for name, field in type(value).model_fields.items() if not field.repr}
        given = [(name, each) for name, each in value if each is not None and each != []]
        return {name: f"({ELSEWHERE})" if name in hidden else _short(each) for name, each in given}
    if _is_mapping(value):
        return {str(name): _short(each) for name, each in value.items()}
    if _is_list(value):
        return [_short(each) for each in value]
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return CODED.sub(_left_out, value) if isinstance(value, str) else value


def _left_out(found: re.Match[str]) -> str:
    return f"({len(found[0]):,} characters of data, {ELSEWHERE})"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _first(items: list[Any]) -> str:
    """As many items as there is room for, and how many more there are."""
    lengths = itertools.accumulate(len(_json(item)) + 2 for item in items)
    room = sum(length <= LIMIT - 60 for length in lengths)
    return f"{_json(items[:room])} ({len(items) - room} more of {len(items)}, {ELSEWHERE})"


def _cut(written: str) -> str:
    if len(written) <= LIMIT:
        return written
    note = f"… ({len(written):,} characters in all, {ELSEWHERE})"
    return written[: LIMIT - len(note)] + note
