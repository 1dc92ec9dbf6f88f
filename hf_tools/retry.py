"""When a request is sent again, and how long to wait before."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field

from hf_tools.errors import (
    DeadlineExceeded,
    DecodeError,
    EmptyResponse,
    HfError,
    ModelLoading,
    RequestTimeout,
    StatusError,
    TransportError,
)

LONGEST = 60.0
"""Seconds that a server may make us wait between two attempts: one that asks for more has its error raised at once.

A model that is waited for with `wait_for_model` is asked again after that time.
"""
LOADING = 1.0
"""Seconds: a loading model is never asked again sooner; clients that did were rate limited."""
BACKOFF, BACKOFF_TOP = 0.5, 8.0
"""Seconds: full jitter over 0.5, 1, 2, 4, 8, the values of openai-python and AWS's SDKs."""

NOT_EXECUTED = frozenset([408, 409, 425, 429, 503, 529])
"""The server says that it did not do the work: always safe to send again."""
MAYBE_EXECUTED = frozenset([500, 502, 504, 520, 521, 522, 523, 524])
"""The work may have been done and paid for: sent again only where that is cheap."""


TOKENS, RETRY, TIMEOUT = 500, 5, 10
"""What a client has for further attempts, and what one costs, the values of AWS's SDKs: an outage costs 100 of them."""
SPENT = "Not tried again, for too many of this client's calls have failed lately"


class Budget:
    """What all calls of a client may spend together on further attempts: they must not add to an overload.

    A call that succeeds brings back what its last attempt has cost, or 1.
    """

    def __init__(self) -> None:
        self.left = TOKENS
        self._lock = threading.Lock()

    def take(self, cost: int) -> bool:
        """Pay for an attempt; False where there is not enough."""
        with self._lock:
            if cost > self.left:
                return False
            self.left -= cost
            return True

    def give(self, back: int) -> None:
        """A call has succeeded."""
        with self._lock:
            self.left = min(TOKENS, self.left + back)


@dataclass
class Attempts:
    """The attempts of one request."""

    allowed: int
    costly: bool
    wait_for_model: bool = False
    slow: bool = False
    made: int = 0
    backoffs: int = 0
    unreadable: int = 0
    budget: Budget = field(default_factory=Budget)
    paid: int = 1

    def again(self, error: HfError, left: float | None) -> float | None:
        """Seconds to wait before the next attempt, or None where the error is final.

        `left` is what remains of the total time; a wait that would not fit is final, too.
        """
        self.made += 1
        if not self._may_repeat(error):
            return None
        endless = self.wait_for_model and isinstance(error, ModelLoading) and left is not None
        if self.made >= self.allowed and not endless:
            return None
        wait = self._wait(error)
        hasty = (getattr(error, "retry_after", None) or 0) > LONGEST and not endless
        if hasty or (left is not None and wait >= left):
            return None
        return wait if endless or self._affords(error) else None

    def succeeded(self) -> None:
        """The last attempt has an answer."""
        self.budget.give(self.paid)

    def _affords(self, error: HfError) -> bool:
        cost = TIMEOUT if isinstance(error, RequestTimeout) else RETRY
        if not self.budget.take(cost):
            error.hint = f"{error.hint}. {SPENT}" if error.hint else SPENT
            return False
        self.paid = cost
        return True

    def _may_repeat(self, error: HfError) -> bool:
        if isinstance(error, DeadlineExceeded):
            return False
        if isinstance(error, TransportError):
            unclear = self.costly or (self.slow and isinstance(error, RequestTimeout))
            return error.retryable and (not error.sent or not unclear)
        if isinstance(error, StatusError):
            return error.status in NOT_EXECUTED or (error.status in MAYBE_EXECUTED and not self.costly)
        if isinstance(error, EmptyResponse | DecodeError) and not self.costly:
            self.unreadable += 1
            return self.unreadable == 1
        return False

    def _wait(self, error: HfError) -> float:
        asked = float(getattr(error, "retry_after", None) or 0)
        if asked:
            return min(max(asked, LOADING if isinstance(error, ModelLoading) else 0), LONGEST)
        if isinstance(error, ModelLoading) and error.estimated_time is not None:
            return min(LONGEST, max(LOADING, error.estimated_time)) * random.uniform(1.0, 1.1)
        self.backoffs += 1
        top: float = min(BACKOFF_TOP, BACKOFF * 2 ** (self.backoffs - 1))
        return top * random.uniform(0.5, 1.0)
