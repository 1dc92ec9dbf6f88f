"""Requests straight to httpcore's pool: httpx's transport between takes a tenth of a small call.

Tools for tests and for tracing replace a method of that transport; where one has, requests go through it.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from types import FunctionType
from typing import Any

import httpcore
import httpx

from hf_tools._http.shared import parsed, waits, written
from hf_tools.steps import Send

HTTPX = str(Path(httpx.__file__).parent) + os.sep


class Incoming:
    """An answer as the pool gives it, with what the drivers read of an `httpx.Response`."""

    def __init__(self, answer: httpcore.Response) -> None:
        self.status_code, self.headers = answer.status, answer.headers
        self.stream: Any = answer.stream

    def close(self) -> None:
        """Give the connection back, or end it where something is left to read."""
        if hasattr(self.stream, "close"):
            self.stream.close()

    async def aclose(self) -> None:
        """The same, awaited."""
        await ended(self.stream)


async def ended(stream: Any) -> None:
    """Close a body; one that a tool has put there may have nothing to close."""
    if hasattr(stream, "aclose"):
        await stream.aclose()


@functools.lru_cache(256)
def _target(url: str) -> httpcore.URL:
    read = parsed(url)
    return httpcore.URL(scheme=read.raw_scheme, host=read.raw_host, port=read.port, target=read.raw_path)


def asked(step: Send) -> httpcore.Request:
    """The request as the pool takes it, with the headers that `bare_request` gives it."""
    told = {"timeout": waits(step)}
    return httpcore.Request(
        step.method, _target(step.url), headers=written(step), content=step.content or b"", extensions=told
    )


def untouched(kind: type, name: str) -> bool:
    """The method of a class of httpx is httpx's own."""
    method = vars(kind).get(name)
    if type(method) is not FunctionType:
        return False
    code = method.__code__
    return code.co_filename.startswith(HTTPX) and code.co_qualname == f"{kind.__name__}.{name}"
