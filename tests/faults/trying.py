"""How one fault is tried on one subject. Nothing here knows whose client it is."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TypeAlias
from unittest import mock

from tests.faults.names import hole
from tests.faults.outcomes import Outcome, Partial, observed, wrong
from tests.faults.secure import context
from tests.faults.table import Fault
from tests.faults.wire import FaultServer

CANARY = "canary-of-the-fault-kit"
"""The key of all subjects: no message may show it."""
GRACE = 4.0
"""Seconds beyond its own deadline after which a call is said to hang."""
MOMENT = 1.5
"""Seconds that a client has to close its connections after the call."""


@dataclass(frozen=True)
class Target:
    """Where to call, and how long the call may take in all."""

    url: str
    timeout: float


Call: TypeAlias = Callable[[Target, Partial], str]


@dataclass(frozen=True)
class Subject:
    """Somebody who makes a call of a kind."""

    name: str
    kind: str
    call: Call


@dataclass(frozen=True)
class Run:
    """A fault, a subject, and what came of it."""

    fault: Fault
    subject: Subject
    outcome: Outcome
    broken: str = ""
    """What went wrong in the script of the fault."""

    @property
    def wrong(self) -> str | None:
        """What is not as expected; None where all is."""
        if self.broken:
            return f"the script fails: {self.broken}"
        found = wrong(self.fault.expect[self.subject.kind], self.outcome)
        if found is None and self.outcome.left:
            return f"{self.outcome.left} connections are still open"
        said = f"{self.outcome.message}{self.outcome.told}{self.outcome.answer}{self.outcome.partial}"
        return f"the key is shown: {said[:300]}" if found is None and CANARY in said else found


def run(pair: tuple[Fault, Subject], *, grace: float = GRACE, moment: float = MOMENT) -> Run:
    """Try one; a call that does not come back is left behind in its thread."""
    fault, subject = pair
    secure = context(fault.secure) if fault.secure else None
    with FaultServer(fault.script, secure=secure) as server, ExitStack() as held:
        if fault.silent:
            held.enter_context(hole(server.port))
        url = f"{fault.scheme}://{fault.host}:{server.port}"
        if fault.proxied:
            url = f"{fault.scheme}://{fault.host}"
            proxy = f"http://user:{CANARY}@127.0.0.1:{server.port}"
            held.enter_context(mock.patch.dict(os.environ, {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy}))
        outcome = _tried(subject, Target(url, fault.timeout), server, grace)
        begun = time.monotonic()
        while server.open and time.monotonic() - begun < moment:
            time.sleep(0.005)
        return Run(fault, subject, replace(outcome, left=server.open), "; ".join(server.broken))


def _tried(subject: Subject, target: Target, server: FaultServer, grace: float) -> Outcome:
    found: list[Outcome] = []

    def attempt(partial: Partial) -> str:
        return subject.call(target, partial)

    thread = threading.Thread(target=lambda: found.append(observed(attempt, lambda: len(server.requests))), daemon=True)
    thread.start()
    thread.join(target.timeout + grace)
    hung = Outcome(target.timeout + grace, hung=True, requests=len(server.requests))
    return found[0] if found else hung
