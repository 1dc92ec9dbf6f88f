"""The outcomes that many faults share."""

from __future__ import annotations

from tests.faults.table import Expect
from tests.faults.wire import TEXT, VECTOR

VECTORS = str([VECTOR, VECTOR])
RIGHT = {"call": Expect(TEXT), "stream": Expect(TEXT), "embed": Expect(VECTORS), "tool": Expect(TEXT)}
"""The right answers, after one request."""


def after(requests: int | None, *, within: float = 5.0, without: str = "") -> dict[str, Expect]:
    """The right answers, after so many requests; `without` names a kind of call that is not tried."""
    return {
        kind: Expect(one.answer, requests=requests, within=within) for kind, one in RIGHT.items() if kind != without
    }


TOLD = {
    "ConnectError": "The tool failed: the server cannot be reached. Try again later",
    "ConnectionLost": "The tool failed: the server cannot be reached. Try again later",
    "TransportError": "The tool failed: the server cannot be reached. Try again later",
    "DeadlineExceeded": "The tool failed: the server took too long. Try again later",
    "ServerError": "The tool failed: the server failed. Try again later",
    "Overloaded": "The tool failed: the server has no room now. Try again later",
    "RateLimited": "The tool failed: there were too many requests. Try again later",
    "ModelLoading": "The tool failed: the model is still being loaded. Try again later",
    "InvalidRequest": "Correct the arguments and call again",
    "AuthenticationError": "The tool cannot be used: the server does not accept its credentials",
    "PaymentRequired": "The tool cannot be used: its credits are used up",
    "PermissionDenied": "The tool cannot be used: it has no access to the model",
    "NotFound": "The tool cannot be used: the server does not have its model",
    "UnexpectedStatus": "The tool cannot be used: it failed",
}
"""What a tool tells the model."""
UNREADABLE = "The tool cannot be used: the server's answer is not readable"


def fails(error: str, requests: int | None = 1, says: str = "", *, within: float = 5.0) -> dict[str, Expect]:
    """An error after so many requests; a tool tells the model."""
    raised = Expect(error=error, requests=requests, says=says, within=within)
    return {"any": raised, "tool": Expect(says=TOLD.get(error, UNREADABLE), requests=requests, within=within)}


def no_stream(expect: dict[str, Expect]) -> dict[str, Expect]:
    """The same for calls that are no streams."""
    return {kind: expect.get(kind, expect["any"]) for kind in ("call", "embed", "tool")}
