"""The table of faults: what a server does wrong, and the one right outcome for each kind of call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.faults.wire import Script, Wire

KINDS = ("call", "stream", "embed", "tool")
"""A whole answer, a stream, embeddings, and a tool, which answers the model instead of raising."""


@dataclass(frozen=True)
class Expect:
    """The right outcome: an answer with this text, or an error of this class.

    `partial` is the text that came before the error; `requests` how many arrive at the server; `says` stands in the
    message; `within` is the most seconds that it may take.
    """

    answer: str | None = None
    error: str | None = None
    partial: str | None = None
    requests: int | None = 1
    says: str = ""
    within: float = 5.0


@dataclass(frozen=True)
class Fault:
    """One fault. `expect` by kind of call; kinds that are missing are not tried."""

    number: int
    name: str
    script: Script
    expect: Mapping[str, Expect]
    label: str = ""
    """Tells apart several faults of one number."""
    timeout: float = 8.0
    """Seconds that the call has in all."""
    host: str = "127.0.0.1"
    """The name or address that is called."""
    secure: str = ""
    """The server's certificate, for TLS."""
    scheme: str = "http"
    silent: bool = False
    """At 127.0.0.2 nobody takes connections."""
    proxied: bool = False
    """The server is a proxy that the environment names."""

    @property
    def key(self) -> str:
        """Its name in tests and tables."""
        return f"{self.number:03}{self.label} {self.name}"


Register: TypeAlias = Callable[[Callable[[Wire], None]], Callable[[Wire], None]]


@dataclass
class Table:
    """Faults as they are declared, each on the function that is its script."""

    faults: list[Fault] = field(default_factory=lambda: list[Fault]())

    def fault(
        self, number: int, name: str, expect: Mapping[str, Expect], *, label: str = "", timeout: float = 8.0, **how: Any
    ) -> Callable[[Script], Script]:
        """Declare a fault; the keys of `expect` are kinds of call, `any` stands for all of those that are not named.

        `how` are the last fields of a Fault.
        """
        outcomes = {kind: expect.get(kind, expect.get("any")) for kind in KINDS}
        wanted = {kind: one for kind, one in outcomes.items() if one is not None}

        def declare(script: Script) -> Script:
            self.faults.append(Fault(number, name, script, wanted, label, timeout, **how))
            return script

        return declare


def each_request(script: Script) -> Script:
    """The script for each request of a connection, one after the other."""

    def repeated(wire: Wire) -> None:
        while True:
            wire.request()
            script(wire)

    return repeated


TABLE = Table()
fault = TABLE.fault
