"""What the tests of tasks share: the recordings, the specs, and short ways to write a route and a reply.

Test files do not import each other (import mode importlib), so everything is a fixture. All are session-scoped and hold
no state, so that hypothesis may use them too.
"""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from referencing.jsonschema import DRAFT7

from hf_tools.errors import DecodeError, EmptyResponse, ReportedError, ResponseError, ShapeError, UnexpectedContent
from hf_tools.task import Body, Reply, Route, Server, Task

FACTS = Path(__file__).parent.parent / "facts"
URL = "https://server.test"


@pytest.fixture(scope="session")
def recording() -> Callable[[str], list[dict[str, Any]]]:
    """The exchanges of a case: `request` as recorded (method, url, headers, body or body_bytes), `reply` as a Reply.

    The reply of an exchange whose body was not kept holds its first bytes only.
    """

    def read(name: str) -> list[dict[str, Any]]:
        exchanges = json.loads((FACTS / "recordings" / f"{name}.json").read_text(encoding="utf-8"))
        return [{"request": each["request"], "reply": _reply(each["response"])} for each in exchanges]

    return read


def _reply(response: dict[str, Any]) -> Reply:
    if "text" in response:
        content = response["text"].encode()
    elif "body" in response:
        content = json.dumps(response["body"], ensure_ascii=False).encode()
    else:
        content = base64.b64decode(response["body_head_base64"])
    return Reply(response["status"], response["headers"], content)


@pytest.fixture(scope="session")
def spec() -> Callable[[str, str], Any]:
    """A validator of a spec: `spec("fill-mask", "output").validate(instance)` raises where the instance is no such."""

    def load(path: Path) -> Any:
        return json.loads(path.read_text(encoding="utf-8"))

    common = referencing.Resource.from_contents(load(FACTS / "specs" / "common-definitions.json"), DRAFT7)
    known = referencing.Registry[Any]().with_resource("/inference/schemas/common-definitions.json", common)

    def validator(task: str, part: str) -> Any:
        schema = load(FACTS / "specs" / task / f"{part}.json")
        schema.pop("$id", None)
        return jsonschema.Draft7Validator(schema, registry=known)

    return validator


@pytest.fixture(scope="session")
def reply() -> Callable[[Any], Reply]:
    """A 200 answer: bytes as they are, text as UTF-8, anything else as JSON (NaN and Infinity are written bare)."""

    def make(value: Any) -> Reply:
        if isinstance(value, str):
            value = value.encode()
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        return Reply(200, {"content-type": "application/json"}, content)

    return make


@pytest.fixture(scope="session")
def encode() -> Callable[[Task[Any], Server], Body]:
    """The request that a task writes for a kind of server; its URL is https://server.test, its model `served`."""

    def make(task: Task[Any], server: Server) -> Body:
        return task.encode(Route(server, URL, "served"))

    return make


@pytest.fixture(scope="session")
def written(encode: Callable[[Task[Any], Server], Body]) -> Callable[[Task[Any], Server], tuple[str, Any]]:
    """Path and JSON value of the request that a task writes, after a look at content type and accept."""

    def make(task: Task[Any], server: Server) -> tuple[str, Any]:
        body = encode(task, server)
        assert (body.content_type, body.accept) == ("application/json", "*/*")
        return body.path, json.loads(body.content)

    return make


@pytest.fixture(scope="session")
def broken() -> list[tuple[bytes, type[ResponseError]]]:
    """Answers that no task can take, each with the exact class of the error."""
    return [
        (b"", EmptyResponse),
        (b" \n", EmptyResponse),
        (b"<!doctype html><title>502 Bad Gateway</title>", UnexpectedContent),
        (b'[{"label": "POSI', DecodeError),
        (b"\xff\xfe", DecodeError),
        (b'{"error": "Model is overloaded"}', ReportedError),
        (b'{"error": ["Error in `parameters.candidate_labels`"], "warnings": []}', ReportedError),
        (b'{"object": "error", "message": "no such route", "code": 404}', ReportedError),
        (b'{"unheard_of": 1}', ShapeError),
        (b'[{"unheard_of": 1}]', ShapeError),
        (b'[[[[[["a"]]]]]]', ShapeError),
        (b'"OK"', ShapeError),
        (b"null", ShapeError),
        (b"[null, {}]", ShapeError),
    ]


@pytest.fixture(scope="session")
def anything() -> Callable[..., SearchStrategy[bytes]]:
    """A strategy for bytes that may be JSON, whose objects often have the given keys."""

    def strategy(*keys: str) -> SearchStrategy[bytes]:
        plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
        names = st.sampled_from(keys) | st.text(max_size=4)
        values = st.recursive(
            plain,
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
            max_leaves=12,
        )
        return values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=32)

    return strategy
