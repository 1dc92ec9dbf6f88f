"""Tokens used, as LangChain counts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from pydantic import BaseModel

from hf_tools.loose import table

INPUT = {"cached_tokens": "cache_read", "cache_creation_tokens": "cache_creation", "audio_tokens": "audio"}
OUTPUT = {"reasoning_tokens": "reasoning", "audio_tokens": "audio"}
"""How servers name the parts of a count, and how LangChain does."""

DIGITS = 16
"""More are no number of tokens."""


def counts_of(usage: BaseModel) -> dict[str, Any]:
    """What the server said of the tokens, as it named it."""
    return {
        name: value for name, value in (*vars(usage).items(), *(usage.model_extra or {}).items()) if value is not None
    }


def usage_of(usage: BaseModel | Mapping[str, Any] | None) -> UsageMetadata | None:
    """Tokens used, with what is known of their parts; None where the server did not say."""
    told: Mapping[str, Any] = counts_of(usage) if isinstance(usage, BaseModel) else usage or {}
    read, written, both = (_count(told.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    if read is None and written is None and both is None:
        return None
    read = read if read is not None else max((both or 0) - (written or 0), 0)
    written = written if written is not None else max((both or 0) - read, 0)
    found = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=both or read + written)
    if inputs := _details(told.get("prompt_tokens_details"), INPUT):
        found["input_token_details"] = InputTokenDetails(**inputs)  # type: ignore[typeddict-item]
    if outputs := _details(told.get("completion_tokens_details"), OUTPUT):
        found["output_token_details"] = OutputTokenDetails(**outputs)  # type: ignore[typeddict-item]
    return found


def _details(value: Any, names: Mapping[str, str]) -> dict[str, int]:
    counts = {names[told]: _count(part) for told, part in table(value).items() if told in names}
    return {name: count for name, count in counts.items() if count is not None}


def _count(value: Any) -> int | None:
    """A number of tokens, which some servers write as a text; None for what is none."""
    if value is None:
        return None
    if isinstance(value, str) and len(value) < DIGITS and value.isdecimal():
        return int(value)
    whole = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 and value % 1 == 0
    return int(value) if whole else None
