"""Raw requests: what is sent as it is, what comes back as it is. Its stream: tests/streaming."""

import contextlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hf_tools import HfInference
from hf_tools.errors import (
    DecodeError,
    EmptyResponse,
    HfError,
    InputError,
    MediaError,
    ReportedError,
    ResponseError,
    UnexpectedContent,
)
from hf_tools.media import Audio, Image, Video
from hf_tools.task import SERVERS, Body, Reply, Route, Server
from hf_tools.tasks.raw import Request

URL = "https://server.test"
PNG = b"\x89PNG\r\n\x1a\n0000"
EVERY = list(SERVERS)

ENCODED: list[tuple[str, Request, bytes]] = [
    ("text", Request(inputs="Hi"), b'{"inputs":"Hi"}'),
    ("parameters", Request(inputs="Hi", parameters={"a": None}), b'{"inputs":"Hi","parameters":{"a":null}}'),
    ("no-parameters", Request(inputs="Hi", parameters={}), b'{"inputs":"Hi","parameters":{}}'),
    ("object", Request(inputs={"a": [1, 2.5, None]}), b'{"inputs":{"a":[1,2.5,null]}}'),
    ("list", Request(inputs=[]), b'{"inputs":[]}'),
    ("false", Request(inputs=False), b'{"inputs":false}'),
    ("empty", Request(inputs=""), b'{"inputs":""}'),
]


@pytest.mark.parametrize("server", EVERY)
@pytest.mark.parametrize(("case", "task", "content"), ENCODED, ids=[row[0] for row in ENCODED])
def test_inputs(case: str, task: Request, content: bytes, server: Server) -> None:
    assert task.encode(Route(server, URL, "served")) == Body(content, "application/json", "", "*/*")
    streamed = task.encode(Route(server, URL, "served", stream=True)).content
    assert streamed == content[:-1] + b',"stream":true}'


@pytest.mark.parametrize("server", EVERY)
def test_data(server: Server) -> None:
    for data, kind in (
        (PNG, "image/png"),
        (b"\0\1\2", "application/octet-stream"),
        (b"{}", "application/octet-stream"),
    ):
        assert Request(data=data).encode(Route(server, URL)) == Body(data, kind, "", "*/*")
    with pytest.raises(InputError) as caught:
        Request(data=PNG).encode(Route(server, URL, stream=True))
    assert caught.value.message.endswith(" cannot carry a stream with raw `data`")
    assert caught.value.hint == "Pass `inputs`"


def test_data_that_nobody_has_read() -> None:
    with pytest.raises(MediaError, match="not read yet"):
        Request(data="a.png").encode(Route("toolkit", URL))


@pytest.mark.parametrize("server", EVERY)
def test_the_name_of_a_pipeline(server: Server) -> None:
    path = "/pipeline/sentence-similarity" if server == "hf-inference" else ""
    assert Request(inputs="Hi", task="sentence-similarity").encode(Route(server, URL)).path == path
    assert Request(data=PNG, task="sentence-similarity").encode(Route(server, URL)).path == path


def test_options_go_into_the_body() -> None:
    route = Route("hf-inference", URL, options={"use_gpu": True})
    assert Request(inputs="Hi").encode(route).content == b'{"inputs":"Hi","options":{"use_gpu":true}}'
    assert Request(data=PNG).encode(route).content == PNG


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "request: give `inputs` (JSON) or `data` (bytes)"),
    ({"parameters": {"a": 1}}, "request: give `inputs` (JSON) or `data` (bytes)"),
    (
        {"data": PNG, "inputs": "Hi"},
        "request: `data` is the whole body: `inputs` and `parameters` cannot go with it",
    ),
    (
        {"data": PNG, "parameters": {}},
        "request: `data` is the whole body: `inputs` and `parameters` cannot go with it",
    ),
    ({"data": b""}, "request: `data` (bytes): the data is empty"),
    (
        {"data": 5},
        "request: `data` = 5: expected bytes, a path, a URL, a data: URI, a file object or a result of another",
    ),
    ({"inputs": "Hi", "parameters": [1]}, "request: `parameters` = [1]: Input should be a valid dictionary"),
    *(
        ({"inputs": "Hi", name: task}, f"request: `{name}` = {task!r}: must be the name of a task, such as")
        for name in ("task", "task_hint")
        for task in ("../../../api?x=1#", "a/b", "", "Fill-Mask", "fill_mask", "-a", "a-", "a--b", "a b", "a%2f", "ä")
    ),
    ({"inputs": "Hi", "task": "a\n"}, r"request: `task` = 'a\n': must be the name of a task"),
    ({"inputs": "Hi", "other": 1}, "request: `other` is not a parameter of this task; it takes "),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[str(row[0]) for row in REFUSED])
def test_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Request(**arguments)
    assert caught.value.message.startswith(message)


def test_inputs_that_are_no_json() -> None:
    with pytest.raises(InputError, match="the arguments cannot be written as JSON"):
        Request(inputs=object()).encode(Route("toolkit", URL))


JSON = {"content-type": "application/json"}
DECODED: list[tuple[str, dict[str, str], bytes, Any]] = [
    ("json", JSON, b'[{"a": 1}]', [{"a": 1}]),
    ("json-scalar", {"content-type": "application/json; charset=utf-8"}, b"12", 12),
    ("json-null", JSON, b"null", None),
    ("json-text", JSON, b'"a"', "a"),
    ("json-bom", JSON, b"\xef\xbb\xbf{}", {}),
    (
        "json-by-content",
        {"content-type": "text/plain"},
        b' \n{"a": 1.4291124728060822e-08}',
        {"a": 1.4291124728060822e-08},
    ),
    ("json-by-content-bare", {}, b"[]", []),
    ("problem", {"content-type": "application/problem+json"}, b'{"detail": "x"}', {"detail": "x"}),
    ("error-null", JSON, b'{"error": null}', {"error": None}),
    ("not-utf-8", JSON, b'{"a": "\xff"}', {"a": "\ufffd"}),
    ("image", {"content-type": "image/jpeg"}, PNG, Image(PNG)),
    ("image-undeclared", {}, PNG, Image(PNG)),
    ("svg", {"content-type": "image/svg+xml"}, b"<svg/>", Image(b"<svg/>", "image/svg+xml")),
    ("audio", {"content-type": "application/octet-stream"}, b"fLaC0000", Audio(b"fLaC0000")),
    ("video", {"content-type": "video/mp4"}, b"0000ftypisom", Video(b"0000ftypisom")),
    ("text", {"content-type": "text/plain"}, b"Ok", b"Ok"),
    ("bytes", {"content-type": "application/octet-stream"}, b"\0\1", b"\0\1"),
    ("xml", {"content-type": "application/xml"}, b"<a/>", b"<a/>"),
]


@pytest.mark.parametrize(("case", "headers", "content", "answer"), DECODED, ids=[row[0] for row in DECODED])
def test_decode(case: str, headers: dict[str, str], content: bytes, answer: Any) -> None:
    decoded = Request(inputs="Hi").decode(Reply(200, headers, content))
    assert decoded == answer
    assert type(decoded) is type(answer)


def test_case_89_numbers() -> None:
    one, minus, nan = Request(inputs="Hi").decode(Reply(200, JSON, b"[1, -0.0, NaN]"))
    assert (type(one), math.copysign(1, minus), math.isnan(nan)) == (int, -1, True)


BROKEN: list[tuple[dict[str, str], bytes, type[ResponseError], str]] = [
    (JSON, b"", EmptyResponse, "the answer is empty"),
    ({}, b"", EmptyResponse, "the answer is empty"),
    ({"content-type": "text/plain"}, b" \n", EmptyResponse, "the answer is empty"),
    ({"content-type": "image/png"}, b"", EmptyResponse, "the answer is empty"),
    (
        JSON, b'{"a": ', DecodeError,
        'the answer is not valid JSON (EOF while parsing a value at line 1 column 6): {"a": ',
    ),
    (JSON, b"<html>", UnexpectedContent, "the answer is an HTML page that begins <html>"),
    (
        {"content-type": "text/html"}, b"<!doctype html><title>502 Bad Gateway</title>", UnexpectedContent,
        'the answer is an HTML page titled "502 Bad Gateway"',
    ),
    (JSON, b'{"error": "No"}', ReportedError, "the server answered 200 with an error: No"),
    ({}, b'{"error": ["a", "b"]}', ReportedError, "the server answered 200 with an error: a; b"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "content", "kind", "message"), BROKEN)
def test_broken_answers(headers: dict[str, str], content: bytes, kind: type[ResponseError], message: str) -> None:
    with pytest.raises(ResponseError) as caught:
        Request(inputs="Hi").decode(Reply(200, headers, content))
    assert (type(caught.value), caught.value.message) == (kind, message)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(["application/json", "text/plain", "image/png", "text/html", ""]))
def test_any_answer_is_read_or_an_error_of_ours(
    anything: Callable[..., SearchStrategy[bytes]], data: st.DataObject, content_type: str
) -> None:
    reply = Reply(200, {"content-type": content_type}, data.draw(anything("error", "a")))
    with contextlib.suppress(HfError):
        Request(inputs="Hi").decode(reply)


# through a client


def client(answers: dict[str, httpx.Response], seen: list[httpx.Request]) -> HfInference:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answers[str(request.url)]

    return HfInference("hf_" + "x" * 20, http_client=httpx.Client(transport=httpx.MockTransport(answer)))


ROUTER = "https://router.huggingface.co/hf-inference/models"


def test_a_file_is_the_whole_body(tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(PNG)
    seen: list[httpx.Request] = []
    hf = client({f"{ROUTER}/org/m/pipeline/image-classification": httpx.Response(200, json=[])}, seen)
    with path.open("rb") as file:
        for data in (path, str(path), file, PNG):
            assert hf.request(data=data, model="org/m", task="image-classification") == []
    assert {(request.content, request.headers["content-type"]) for request in seen} == {(PNG, "image/png")}


def test_the_model_that_is_recommended_for_a_task() -> None:
    seen: list[httpx.Request] = []
    tasks = {"fill-mask": {"widgetModels": ["org/recommended"], "models": [{"id": "org/other"}]}}
    hf = client(
        {
            "https://huggingface.co/api/tasks": httpx.Response(200, json=tasks),
            f"{ROUTER}/org/recommended": httpx.Response(200, json={"a": 1}),
        },
        seen,
    )
    assert hf.request(inputs="Hi", task_hint="fill-mask") == {"a": 1}
    assert ["authorization" in request.headers for request in seen] == [False, True]
    with pytest.raises(InputError) as caught:
        hf.request(inputs="Hi")
    assert (caught.value.message, caught.value.hint) == (
        "request: `model` is missing", "Pass `model`, or `task_hint`",
    )  # fmt: skip


def test_credentials_may_stay_at_home() -> None:
    seen: list[httpx.Request] = []
    hf = client({f"{ROUTER}/org/m": httpx.Response(200, json={})}, seen)
    for include, header in ((True, "Bearer hf_" + "x" * 20), (False, None)):
        assert hf.request(inputs="Hi", model="org/m", include_credentials=include) == {}
        assert seen[-1].headers.get("authorization") == header
