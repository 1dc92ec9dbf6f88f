"""Cassettes: recorded exchanges, matched byte by byte when they are replayed.

A cassette holds what the tests need of an exchange and nothing else: method, URL and body of the request, status,
content type and body of the answer. What differs from run to run (ids, times) is replaced.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import vcr

from hf_tools.loose import items, table

CASSETTES: Final = Path(__file__).resolve().parent.parent.parent / "cassettes"
HEADERS: Final = frozenset({"accept", "content-type"})
"""The headers that a cassette may hold."""
LIMIT: Final = 50_000
"""Bytes of a cassette."""
EVENT: Final = "data: "
DONE: Final = "[DONE]"


def cassette(name: str, *, record: bool = False) -> Any:
    """A context manager that replays `cassettes/{name}.yaml`, bodies matched byte by byte, or records it."""
    mode: Any = "all" if record else "none"
    tape: Any = vcr.VCR(
        record_mode=mode,
        match_on=["method", "uri", "raw_body"],
        before_record_request=clean_request,
        before_record_response=clean_response,
        decode_compressed_response=True,
    )
    return tape.use_cassette(str(CASSETTES / f"{name}.yaml"))


def clean_request(request: Any) -> Any:
    """The request with the allowed headers only."""
    request.headers = {name: value for name, value in request.headers.items() if name.lower() in HEADERS}
    return request


def clean_response(response: dict[str, Any]) -> dict[str, Any]:
    """The response with the allowed headers only, and nothing in its body that differs from run to run."""
    kept = {name: value for name, value in response["headers"].items() if name.lower() in HEADERS}
    body: Any = response["body"]["string"]
    text = body.decode() if isinstance(body, bytes) else body
    return {**response, "headers": kept, "body": {"string": steady(text).encode()}}


def steady(text: str) -> str:
    """A body, JSON or events of JSON, with what differs from run to run replaced; other text as it is."""
    ids: dict[str, str] = {}
    try:
        return dumped(fixed(json.loads(text), ids))
    except ValueError:
        return "\n".join(event(line, ids) for line in text.split("\n"))


def event(line: str, ids: dict[str, str]) -> str:
    """A line of an event stream."""
    if not line.startswith(EVENT) or line.strip() == EVENT + DONE:
        return line
    return EVENT + dumped(fixed(json.loads(line.removeprefix(EVENT)), ids))


def dumped(value: Any) -> str:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def fixed(value: Any, ids: dict[str, str]) -> Any:
    """The value without timings; with ids numbered as they come, no time, and as if no prompt had been cached."""
    if isinstance(value, list):
        return [fixed(each, ids) for each in items(value)]
    if not isinstance(value, dict):
        return value
    found = {name: each for name, each in table(value).items() if name != "timings"}
    found |= dict.fromkeys(found.keys() & {"created", "cached_tokens"}, 0)
    if isinstance(found.get("id"), str) and found.keys() & {"choices", "function"}:
        found["id"] = ids.setdefault(found["id"], f"id-{len(ids) + 1}")
    return {name: fixed(each, ids) for name, each in found.items()}
