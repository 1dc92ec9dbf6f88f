"""Faults 89 to 100: the tokens used, and tool calls in pieces. Only whole calls run, and nothing is made up."""

from __future__ import annotations

import json
from typing import Any

from tests.faults.streaming_wire import BODIES, DONE, WHOLE, call, calling, declare
from tests.faults.table import Expect
from tests.faults.wire import Wire, chunk, event, opening

# the tokens used

ALL = opening(4)


def used(read: Any, written: Any, **more: Any) -> dict[str, Any]:
    """What a server tells of the tokens used."""
    return {"usage": {"prompt_tokens": read, "completion_tokens": written, **more}}


def ending(**more: Any) -> bytes:
    """The end of a stream, with more in its last event."""
    return event(chunk({}, "stop", **more)) + DONE


EACH = b"".join(event(chunk({"content": "x"}, **used(3, count))) for count in (1, 2, 3))
declare(89, "tokens used in each event, growing", EACH + ending(**used(3, 4)), end=Expect("stop, 3+4"))
declare(89, "tokens used in an event of their own", ALL + event(chunk({}, "stop"))
        + event({"choices": [], **used(3, 4, total_tokens=7)}) + DONE, "b", stream=WHOLE,
        end=Expect("stop, 3+4"))  # fmt: skip
UNTOLD: dict[str, Any] = {
    "": {}, "b": {"usage": None}, "c": used(None, None), "d": {"usage": "7"}, "e": used([], {}), "f": {"usage": [3, 4]},
}  # fmt: skip
for label, told in UNTOLD.items():
    name = f"tokens used told as {json.dumps(told.get('usage', 'nothing'))}"
    declare(90, name, ALL + ending(**told), label, stream=WHOLE, end=Expect("stop, None"))
declare(90, "tokens used in texts", ALL + ending(**used("3", "4")), "g", stream=WHOLE, end=Expect("stop, 3+4"))
declare(90, "tokens used with a point", ALL + ending(**used(3.0, 4.0)), "h", stream=WHOLE, end=Expect("stop, 3+4"))
declare(90, "tokens used below zero", ALL + ending(**used(-3, -4)), "i", stream=WHOLE, end=Expect("stop, None"))
declare(91, "a finish_reason that nobody knows", ALL + event(chunk({}, "tired")) + DONE, stream=WHOLE,
        end=Expect("tired, None"))  # fmt: skip

# tool calls


def tool_fault(number: int, name: str, data: bytes, label: str = "", *, valid: str = "", ran: str = "") -> None:
    """A stream with calls: which are valid, and with what an agent runs its tool."""

    def script(wire: Wire) -> None:
        wire.request()
        if wire.turn == 1:
            wire.begin()
            wire.send(data)
            wire.close()
        else:
            wire.good()

    BODIES[f"{number:03}{label} {name}"] = data
    agent = Expect(ran, partial=ran, requests=2 if ran else 1)
    declare(number, name, script, label, calls=Expect(valid), agent=agent)


def invalid(number: int, name: str, data: bytes, label: str = "", *, told: str = "1 INVALID delete") -> None:
    """A stream with a call that must not run."""
    tool_fault(number, name, data, label, valid=told)


def interrupted(number: int, name: str, data: bytes, label: str = "") -> None:
    """A stream that breaks off: an error, and nothing runs."""
    error = Expect(error="StreamInterrupted", partial="")
    declare(number, name, data, label, calls=error, agent=error)


HOME = '{"folder": "/home"}'
NAMED = call("", "delete", "1", index=0)
"""The first piece of a call."""
RIGHT = '1 delete{"folder": "/home"}'


def more(*pieces: str) -> list[dict[str, Any]]:
    """Further pieces of the arguments of that call."""
    return [{"index": 0, "function": {"arguments": piece}} for piece in pieces]


HALVES = {"b": '{"folder": "/ho', "c": '{"folder": ', "d": "{", "e": ""}
tool_fault(92, "a whole call, cut off after it", calling(NAMED, *more(HOME), reason="length"), valid=RIGHT, ran="/home")
for label, half in HALVES.items():
    invalid(92, f"cut off by the length after {half!r}", calling(NAMED, *more(half), reason="length"), label)
tool_fault(93, "no index", calling(call("", "delete", "1"), call('{"folder": '), call('"/home"}')),
           valid=RIGHT, ran="/home")  # fmt: skip
BOTH = '1 delete{"folder": "/a"}, 2 delete{"folder": "/b"}'
TWO = [call('{"folder": "/a"}', "delete", "1"), call('{"folder": ', "delete", "2"), call('"/b"}')]
tool_fault(93, "no index, two calls", calling(*TWO), "b", valid=BOTH, ran="/a/b")
tool_fault(93, "no index, the id in each piece", calling(call('{"folder": ', "delete", "1"),
           call('"/home"}', None, "1")), "c", valid=RIGHT, ran="/home")  # fmt: skip
tool_fault(93, "no index, no id", calling(call('{"folder": ', "delete"), call('"/home"}')), "d",
           valid='new delete{"folder": "/home"}', ran="/home")  # fmt: skip
tool_fault(94, "another id at the same index", calling(call('{"folder": "/a"}', "delete", "1", index=0),
           call('{"folder": "/b"}', "delete", "2", index=0)),
           valid=BOTH, ran="/a/b")  # fmt: skip
PAIR = [call('{"folder": ', "delete", "1", index=0), call('{"folder": ', "delete", "2", index=1)]
tool_fault(95, "calls that take turns", calling(PAIR, call('"/b"}', index=1), call('"/a"}', index=0)),
           valid=BOTH, ran="/a/b")  # fmt: skip
NUMBERS = {"": None, "b": ""}
for label, number in NUMBERS.items():
    tool_fault(96, f"the id {number!r}", calling(call(HOME, "delete", number, index=0)), label,
               valid='new delete{"folder": "/home"}', ran="/home")  # fmt: skip
tool_fault(96, "an id twice", calling([call('{"folder": "/a"}', "delete", "1", index=0),
           call('{"folder": "/b"}', "delete", "1", index=1)]), "c",
           valid='1 delete{"folder": "/a"}, new delete{"folder": "/b"}', ran="/a/b")  # fmt: skip
tool_fault(97, "function is null at first", calling({"index": 0, "id": "1", "function": None},
           call(HOME, "delete", index=0)), valid=RIGHT, ran="/home")  # fmt: skip
tool_fault(97, "the name in two pieces", calling(call("", "del", "1", index=0), call(HOME, "ete", index=0)), "b",
           valid=RIGHT, ran="/home")  # fmt: skip
tool_fault(97, "the name in each piece", calling(call('{"folder": ', "delete", "1", index=0),
           call('"/home"}', "delete", "1", index=0)), "c", valid=RIGHT, ran="/home")  # fmt: skip
invalid(97, "no name", calling(call(HOME, None, "1", index=0)), "d", told="1 INVALID ")
invalid(97, "function is null", calling({"index": 0, "id": "1", "function": None}), "e", told="1 INVALID ")
tool_fault(97, "the call is null", calling([None], NAMED, *more(HOME)), "f", valid=RIGHT, ran="/home")
NOTHING: dict[str, Any] = {"": None, "b": "", "c": {}, "d": "{}"}
for label, arguments in NOTHING.items():
    tool_fault(98, f"arguments are {arguments!r}", calling(call(arguments, "delete", "1", index=0)), label,
               valid="1 delete{}", ran="/")  # fmt: skip
tool_fault(
    98,
    "arguments are an object",
    calling(call({"folder": "/home"}, "delete", "1", index=0)),
    "e",
    valid=RIGHT,
    ran="/home",
)
NO_OBJECT = {"f": ["/home"], "g": 7, "h": True, "i": "null", "j": '"/home"'}
for label, arguments in NO_OBJECT.items():
    invalid(98, f"arguments are {arguments!r}", calling(call(arguments, "delete", "1", index=0)), label)

# arguments that are no whole JSON object: the stream ends as a good one does

BROKEN = {
    "": '{"folder": "/srv/a"', "b": '{"folder": "/srv', "c": '{"folder": ', "d": "{", "e": '{"folder": "/a",}',
    "f": "{'folder': '/a'}", "g": '{folder: "/a"}', "h": '{"folder": NaN}', "i": '{"a":' * 5000,
    "j": '{"folder": "\\ud800"}',
}  # fmt: skip
for label, arguments in BROKEN.items():
    invalid(99, f"arguments {arguments[:20]}", calling(NAMED, *more(arguments)), label)
for label, half in HALVES.items():
    interrupted(
        99, f"ends without a mark after {half!r}", calling(NAMED, *more(half), reason=None, mark=b""), f"{label}2"
    )
interrupted(99, "ends without a mark after a whole call", calling(NAMED, *more(HOME), reason=None, mark=b""), "k")
invalid(99, "[DONE] alone within the arguments", calling(NAMED, *more('{"folder": "/ho'), reason=None), "l")
tool_fault(
    99, "[DONE] alone after a whole call", calling(NAMED, *more(HOME), reason=None), "m", valid=RIGHT, ran="/home"
)
JUNK = {
    "": HOME + " and done", "b": f"```json\n{HOME}\n```", "c": HOME + HOME, "d": f"<tool_call>{HOME}</tool_call>",
    "e": HOME + "}", "f": f"[{HOME}]",
}  # fmt: skip
for label, arguments in JUNK.items():
    invalid(100, f"arguments {arguments[:30]!r}", calling(NAMED, *more(arguments)), label)
tool_fault(100, "spaces around the arguments", calling(NAMED, *more(f" \n{HOME}\n ")), "g", valid=RIGHT, ran="/home")
