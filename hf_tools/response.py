"""An answer together with what came with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic

from hf_tools.loose import amount
from hf_tools.task import Out, Route

KEPT = 64 * 2**10
"""Bytes of a body that an error keeps."""


def request_id(headers: Mapping[str, str]) -> str | None:
    """The id under which the server's support finds the request."""
    for name in ("x-request-id", "x-amzn-requestid", "x-inference-id", "cf-ray"):
        if headers.get(name):
            return headers[name]
    return None


@dataclass(frozen=True, slots=True)
class Response(Generic[Out]):
    """An answer and what came with it: status, headers (lower-case names), ids; `route` tells who was asked."""

    answer: Out
    status: int
    headers: dict[str, str] = field(repr=False)
    route: Route

    @property
    def provider(self) -> str | None:
        """Who answered, as far as the server told; else who was asked."""
        return self.headers.get("x-inference-provider") or self.route.provider

    @property
    def request_id(self) -> str | None:
        """The id under which the server's support finds the request."""
        return request_id(self.headers)

    @property
    def compute_time(self) -> float | None:
        """Seconds of computing as the server counts them; None where it does not tell a sensible number."""
        return amount(self.headers.get("x-compute-time"))
