"""What the exchange asks of its driver: read something, or send a request. Data, no I/O."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from hf_tools.auth import Token
from hf_tools.media.source import Source
from hf_tools.options import Options, Timeout
from hf_tools.task import Reply, Server

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

    `deadline` is a monotonic time in seconds; `limit` the bytes of an answer that are read.
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


Step: TypeAlias = Load | Send
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


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a call needs to know of its client."""

    token: Token | None = None
    provider: str = "auto"
    model: str | None = None
    endpoint: Endpoint | None = None
    options: Options = field(default_factory=Options)
    memory: Memory = field(default_factory=Memory, compare=False)
