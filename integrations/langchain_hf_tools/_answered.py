"""What an error that came with an answer tells of it, for LangChain's tracing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hf_tools.errors import SECRET, HfError

HEADERS = frozenset(
    ["content-type", "date", "retry-after", "ratelimit", "ratelimit-policy", "x-request-id", "x-amzn-requestid",
     "x-inference-id", "cf-ray", "x-inference-provider", "x-error-code", "x-error-message"]
)  # fmt: skip
"""Headers of an answer that a trace may keep, with those that begin with `x-ratelimit-`."""


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """The server's answer as LangChain's tracing reads it: nothing of the request, harmless headers, tokens masked."""

    status_code: int
    headers: dict[str, str]
    text: str = field(repr=False)

    def json(self) -> Any:
        """The body as JSON; ValueError where it is none."""
        return json.loads(self.text)


class Answered(HfError):
    """An error that came with an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def status_code(self) -> int:
        """The answer's status, 200 to 599."""
        return self.status

    @property
    def response(self) -> ErrorResponse:
        """The answer, for LangChain's tracing."""
        headers = {name.lower(): value for name, value in getattr(self, "headers", {}).items()}
        kept = {name: headers[name] for name in headers if name in HEADERS or name.startswith("x-ratelimit-")}
        return ErrorResponse(self.status, kept, re.sub(SECRET, r"\1***", self.body.decode("utf-8", "replace")))
