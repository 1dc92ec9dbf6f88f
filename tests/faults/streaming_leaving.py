"""What the tests of streams that are left early share: a server whose first answers have no end."""

from __future__ import annotations

import time
from collections.abc import Callable

from hf_tools import AsyncHfInferenceEndpoint, HfInferenceEndpoint, Options
from langchain_hf_tools import ChatHfInference
from tests.faults.streaming_wire import FIRST
from tests.faults.subjects import CANARY
from tests.faults.wire import FaultServer, Script, Wire

OPTIONS = Options(timeout=20)
"""Seconds; a call that hangs fails."""


def endless(streams: int) -> Script:
    """So many streams send two events, and then nothing; all other requests get their answer."""

    def script(wire: Wire) -> None:
        while True:
            wire.request()
            if wire.streams and wire.turn <= streams:
                wire.begin()
                wire.send(FIRST)
                wire.hold()
                return
            wire.good()

    return script


def soon(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether it comes true in this time."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def client(server: FaultServer) -> HfInferenceEndpoint:
    """A client of this server."""
    return HfInferenceEndpoint(server.url, CANARY, server="openai", options=OPTIONS)


def aclient(server: FaultServer) -> AsyncHfInferenceEndpoint:
    """The same, awaited."""
    return AsyncHfInferenceEndpoint(server.url, CANARY, server="openai", options=OPTIONS)


def chat(server: FaultServer) -> ChatHfInference:
    """A chat model of this server."""
    return ChatHfInference(base_url=server.url, server="openai", api_key=CANARY, timeout=20, model="m")
