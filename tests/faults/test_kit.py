"""The kit itself sees what is wrong: a wrong answer, a call that hangs, a connection left open, a key that is shown."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from tests.faults import trying
from tests.faults.kit import table
from tests.faults.outcomes import Partial
from tests.faults.table import Expect, Fault
from tests.faults.trying import CANARY, Run, Subject, Target, run
from tests.faults.wire import Wire

OPEN: list[socket.socket] = []


def holds(wire: Wire) -> None:
    wire.some()


def breaks(wire: Wire) -> None:
    wire.some()
    raise LookupError("no such answer")


def connected(target: Target) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", int(target.url.rpartition(":")[2])))
    made.sendall(b"x")
    return made


def tried(call: Any, script: Any = holds, **expect: Any) -> Run:
    fault = Fault(1, "x", script, {"call": replace(Expect(requests=0), **expect)}, timeout=0.1)
    return run((fault, Subject("client", "call", call)), grace=0.2, moment=0.3)


def answers(target: Target, partial: Partial) -> str:
    partial.add("right")
    return "right"


def keeps(target: Target, partial: Partial) -> str:
    OPEN.append(connected(target))
    time.sleep(0.1)  # the server takes it
    return "right"


def closes(target: Target, partial: Partial) -> str:
    made = connected(target)
    time.sleep(0.1)  # the server takes it
    made.close()
    return "right"


def hangs(target: Target, partial: Partial) -> str:
    threading.Event().wait(2)
    return "right"


def slow(target: Target, partial: Partial) -> str:
    time.sleep(0.15)
    return "right"


def shows(target: Target, partial: Partial) -> str:
    return f"right {CANARY}"


def fails(target: Target, partial: Partial) -> str:
    partial.add("some")
    try:
        raise KeyError(CANARY)
    except KeyError:
        raise ValueError("no luck") from None


def tells(target: Target, partial: Partial) -> str:
    raise ValueError("no luck") from KeyError(CANARY)


@pytest.mark.parametrize(
    ("call", "expect", "wrong"),
    [
        (answers, {"answer": "right"}, None),
        (answers, {"answer": "right", "partial": "right"}, None),
        (answers, {"answer": "other"}, "answer 'other' expected, got answer 'right': "),
        (answers, {"answer": "right", "partial": "r"}, "partial text 'r' expected, got 'right'"),
        (answers, {"answer": "right", "says": "left"}, "the message lacks 'left': right"),
        (answers, {"answer": "right", "requests": 1}, "1 requests expected, 0 came"),
        (answers, {"error": "ValueError"}, "ValueError expected, got answer 'right': "),
        (closes, {"answer": "right"}, None),
        (keeps, {"answer": "right"}, "1 connections are still open"),
        (hangs, {"answer": "right"}, "took 0.3 s, at most 5 are right"),
        (slow, {"answer": "right", "within": 0.03}, "took 0."),
        (shows, {"says": "right"}, f"the key is shown: right {CANARY}"[:30]),
        (fails, {"error": "ValueError", "partial": "some"}, None),
        (fails, {"error": "KeyError"}, "KeyError expected, got ValueError after 'some': no luck"),
        (tells, {"error": "ValueError"}, "the key is shown: no luck"),
    ],
)
def test_what_is_wrong(call: Any, expect: dict[str, Any], wrong: str | None) -> None:
    found = tried(call, **expect)
    assert found.wrong == wrong or (wrong and str(found.wrong).startswith(wrong))
    while OPEN:
        OPEN.pop().close()


def test_a_script_that_fails_is_told() -> None:
    assert tried(closes, breaks, answer="right").wrong == "the script fails: LookupError('no such answer')"


def test_the_table_marks_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = tried(answers, answer="right"), tried(answers, answer="other")
    assert trying.MOMENT > 1
    text = table([good, bad]).splitlines()
    assert text[0].startswith("WRONG 001 x")
    assert text[1] == "    client: answer 'other' expected, got answer 'right': "
    assert text[-1] == "1 of 2 as expected, 1 faults"
