"""Tells a LangGraph run how a long job goes, where there is such a run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from hf_tools import AsyncHfInference, HfInference

Client = TypeVar("Client", HfInference, AsyncHfInference)


def writer() -> Callable[[Any], None] | None:
    """The stream writer of the run that this call is a part of; None outside of LangGraph."""
    langgraph = sys.modules.get("langgraph.config")  # a run has loaded it
    if langgraph is None:
        return None
    try:
        found: Callable[[Any], None] = langgraph.get_stream_writer()
    except (RuntimeError, LookupError, KeyError):
        return None
    return found


def told_progress(client: Client, tool: str) -> Client:
    """A client whose long jobs report to the run; the client itself where it reports already, or nobody listens."""
    write = None if client.options.on_progress else writer()
    if write is None:
        return client

    def report(job: Any) -> None:
        write({"tool": tool, "job": job.id, "state": job.state, "queue_position": job.queue_position})

    return client.with_options(on_progress=report)
