"""What the exchange asks of its driver: read something, or send a request. Data, no I/O."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from hf_tools.auth import Token
from hf_tools.media.source import Source
from hf_tools.options import Options, Timeout
from hf_tools.retry import Budget
from hf_tools.task import Reply, Server

if TYPE_CHECKING:
    from hf_tools.media.policy import MediaPolicy

T = TypeVar("T")

MAX_ANSWER = 256 * 2**20
"""Bytes of an answer that is read; a batch of embeddings or a film stays below it."""


@dataclass(frozen=True, slots=True)
class Load:
    """Read a file or file object; the driver replies with its bytes."""

    source: Source


@dataclass(frozen=True, slots=True)
class Send:
    """Wait, then send. With `stream` a 2xx answer is handed over at its head, any other one whole.

    `deadline` is a monotonic time in seconds; `limit` the bytes of an answer that are read. With a `guard` a model has
    named the URL: it goes through a connection of its own that reaches only what the guard admits.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes | None = None
    wait: float = 0.0
    stream: bool = False
    deadline: float | None = None
    waits: Timeout = field(default_factory=Timeout)
    limit: int = MAX_ANSWER
    guard: MediaPolicy | None = None


class Flight:
    """A question that one call asks and others wait for, in whatever thread or event loop they are."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._wakers: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self.pid = os.getpid()

    def land(self) -> None:
        """The call has its answer, or has failed: wake the others."""
        with self._lock:
            self._ended.set()
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()

    def wait(self, seconds: float | None) -> None:
        """Block until it has landed, or the time is over."""
        self._ended.wait(seconds)

    def call(self, wake: Callable[[], object]) -> None:
        """Call this when it has landed, at once if it has."""
        with self._lock:
            if not self._ended.is_set():
                self._wakers.append(wake)
                return
        wake()


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for another call's answer until the deadline; the driver replies with nothing."""

    done: Flight
    deadline: float | None = None


Step: TypeAlias = Load | Send | Wait
Steps: TypeAlias = Generator[Step, Reply, T]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint, and the wire form it speaks, where that is known."""

    url: str
    server: Server | None = None


@dataclass
class Memory:
    """What a client has learned; shared by the clients made from it. Entries are only added."""

    servers: dict[str, Server] = field(default_factory=lambda: dict[str, Server]())
    served: dict[str, str | None] = field(default_factory=lambda: dict[str, str | None]())
    models: dict[str, str] = field(default_factory=lambda: dict[str, str]())
    mappings: dict[tuple[str, str], Any] = field(default_factory=lambda: dict[tuple[str, str], Any]())
    """What the Hub says of a model, by its ID and the token's digest, with the time until which it holds."""
    flights: dict[tuple[str, str], Flight] = field(default_factory=lambda: dict[tuple[str, str], Flight]())
    """Questions that are under way."""
    budget: Budget = field(default_factory=Budget)
    """What is left for further attempts."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a call needs to know of its client."""

    token: Token | None = None
    provider: str = "auto"
    model: str | None = None
    endpoint: Endpoint | None = None
    options: Options = field(default_factory=Options)
    memory: Memory = field(default_factory=Memory, compare=False)
