"""Every error body that servers are known to send: message, class, code, and what is kept."""

# ruff: noqa: E501 - a row of a table is one line

from __future__ import annotations

import json
from typing import Any

import pytest

from hf_tools import errors
from hf_tools.replies import message_of, retry_after, status_error
from hf_tools.response import KEPT
from hf_tools.task import Reply

E = errors
NESTED = json.dumps(
    {"error": "There were warnings while running the model.", "output": [5, 5, 7], "warnings": ["old sklearn"]}
)

BODIES: list[tuple[int, str, Any, type[errors.StatusError], str, str | None]] = [
    (404, "json", {"error": "Model this-model-does-not-exist-123 does not exist"}, E.NotFound, "Model this-model-does-not-exist-123 does not exist", None),
    (404, "json", {"error": "Not Found: Model not found"}, E.NotFound, "Not Found: Model not found", None),
    (401, "json", {"error": "Invalid username or password."}, E.AuthenticationError, "Invalid username or password.", None),
    (402, "json", {"error": "You have exceeded your monthly included credits"}, E.PaymentRequired, "You have exceeded your monthly included credits", None),
    (400, "json", {"error": {"message": "The requested model 'x' is not supported", "type": "invalid_request_error", "param": "model", "code": "model_not_supported"}}, E.InvalidRequest, "The requested model 'x' is not supported", "invalid_request_error"),
    (415, "json", {"error": "Content-Type must be multipart/form-data"}, E.InvalidRequest, "Content-Type must be multipart/form-data", None),
    (400, "json", {"error": ["Error in `stream`: `stream` is not supported for this model"]}, E.InvalidRequest, "Error in `stream`: `stream` is not supported for this model", None),
    (400, "json", {"error": "bad", "warnings": ["a", "b"]}, E.InvalidRequest, "bad", None),
    (400, "json", {"error": NESTED}, E.TabularWarnings, "There were warnings while running the model.", None),
    (400, "json", {"error": "The following `model_kwargs` are not used by the model: ['stop']"}, E.InvalidRequest, "The following `model_kwargs` are not used by the model: ['stop']", None),
    (422, "json", {"error": "Template error: template not found", "error_type": "template_error"}, E.InvalidRequest, "Template error: template not found", "template_error"),
    (422, "text/plain; charset=utf-8", b"Failed to deserialize the JSON body into the target type: missing field `messages`", E.InvalidRequest, "Failed to deserialize the JSON body into the target type: missing field `messages`", None),
    (424, "json", {"error": "Request failed during generation", "error_type": "generation"}, E.GenerationError, "Request failed during generation", "generation"),
    (429, "json", {"error": "Model is overloaded", "error_type": "overloaded"}, E.RateLimited, "Model is overloaded", "overloaded"),
    (503, "json", {"error": "Model X is currently loading", "estimated_time": 20.0}, E.ModelLoading, "Model X is currently loading", None),
    (503, "json", {"error": "Model too busy, unable to get response in less than 60 second(s)"}, E.Overloaded, "Model too busy, unable to get response in less than 60 second(s)", None),
    (503, "json", {"error": "unhealthy", "error_type": "healthcheck"}, E.Overloaded, "unhealthy", "healthcheck"),
    (500, "json", {"error": "unknown error", "warnings": ["w"]}, E.ServerError, "unknown error", None),
    (400, "json", {"error": "Body needs to provide a inputs key, received: b'{}'"}, E.InvalidRequest, "Body needs to provide a inputs key, received: b'{}'", None),
    (405, "text/plain", b"Method Not Allowed", E.InvalidRequest, "Method Not Allowed", None),
    (422, "json", {"message": "inputs must not be empty", "code": 422, "type": "Validation"}, E.InvalidRequest, "inputs must not be empty", "Validation"),
    (413, "text/plain", b"length limit exceeded", E.InvalidRequest, "length limit exceeded", None),
    (401, "", b"", E.AuthenticationError, "", None),
    (400, "json", {"detail": "Unsupported data URL"}, E.InvalidRequest, "Unsupported data URL", None),
    (422, "json", {"detail": [{"loc": ["body", "loras", 0, "path"], "msg": "str type expected", "type": "type_error.str"}]}, E.InvalidRequest, "body.loras.0.path: str type expected", None),
    (422, "json", {"detail": [{"msg": "Field required"}, "and more"]}, E.InvalidRequest, "Field required; and more", None),
    (422, "application/problem+json", {"detail": "- input: text is required\n", "status": 422, "title": "Input validation failed"}, E.InvalidRequest, "- input: text is required\\n", None),
    (400, "json", {"id": "9026c5", "error": {"message": "Invalid request", "type": "invalid_request_error", "param": "model", "code": None}}, E.InvalidRequest, "Invalid request", "invalid_request_error"),
    (421, "json", {"message": "Welcome to the OpenAI API!"}, E.InvalidRequest, "Welcome to the OpenAI API!", None),
    (401, "json", {"message": "No API key found in request", "request_id": "r"}, E.AuthenticationError, "No API key found in request", None),
    (400, "json", {"object": "error", "message": "Only 4 allowed", "type": "", "param": None, "code": 40301}, E.InvalidRequest, "Only 4 allowed", "40301"),
    (502, "text/html", b"<html><head><title>502 Bad Gateway</title></head><body>x</body></html>", E.ServerError, 'HTML page titled "502 Bad Gateway"', None),
    (504, "text/html", b"<html><body>x</body></html>", E.ServerError, "HTML page", None),
    (403, "json", {"error": "Access to model is restricted"}, E.PermissionDenied, "Access to model is restricted", None),
    (400, "json", {"code": "wrong_api_format"}, E.InvalidRequest, '{"code":"wrong_api_format"}', "wrong_api_format"),
    (500, "json", None, E.ServerError, "null", None),
    (500, "json", "overheated", E.ServerError, "overheated", None),
    (500, "json", ["a", {"message": "b"}], E.ServerError, "a; b", None),
    (500, "json", {"errors": [None]}, E.ServerError, '{"errors":[null]}', None),
    (400, "json", {"errors": [{"message": "no"}]}, E.InvalidRequest, "no", None),
    (400, "json", {"error_description": "expired"}, E.InvalidRequest, "expired", None),
    (400, "json", {"error": {"unknown": 1}}, E.InvalidRequest, "{'unknown': 1}", None),
    (400, "json", {"error": {}}, E.InvalidRequest, '{"error":{}}', None),
    (400, "json", {"error": "{not json"}, E.InvalidRequest, "{not json", None),
    (400, "json", b'{"broken', E.InvalidRequest, '{"broken', None),
    (410, "json", {"error": "gone"}, E.NotFound, "gone", None),
    (308, "text/plain", b"Redirecting", E.UnexpectedStatus, "Redirecting", None),
    (199, "text/plain", b"odd", E.UnexpectedStatus, "odd", None),
]  # fmt: skip


@pytest.mark.parametrize(("status", "kind", "body", "error", "message", "code"), BODIES)
def test_known_bodies(
    status: int, kind: str, body: Any, error: type[errors.StatusError], message: str, code: str | None
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    content_type = "application/json" if kind == "json" else kind
    found = status_error(Reply(status, {"content-type": content_type, "x-request-id": "r1"}, content), 0.0)
    assert type(found) is error
    assert found.message == f"{status} {message}".rstrip()
    assert (found.status, found.code, found.body, found.request_id) == (status, code, content, "r1")


def test_what_is_kept() -> None:
    body = {"error": "Model X is currently loading", "estimated_time": 20, "warnings": ["w\x1b[1m"]}
    found = status_error(Reply(503, {"retry-after": "7"}, json.dumps(body).encode()), 0.0)
    assert (found.estimated_time, found.retry_after, found.warnings) == (20.0, 7.0, ("w\\x1b[1m",))
    assert "wait_for_model" in str(found)


def test_a_tabular_model_that_warns_keeps_its_output() -> None:
    found = status_error(Reply(400, {}, json.dumps({"error": NESTED}).encode()), 0.0)
    assert isinstance(found, errors.TabularWarnings)
    assert (found.output, found.warnings, found.status) == ([5, 5, 7], ("old sklearn",), 400)
    assert "error.output" in str(found)


def test_a_large_body_is_cut() -> None:
    found = status_error(Reply(500, {}, b"x" * 10 * KEPT), 0.0)
    assert len(found.body) == KEPT
    assert len(str(found)) <= 700


def test_a_header_may_hold_the_message() -> None:
    assert status_error(Reply(403, {"x-error-message": "gated repo"}, b""), 0.0).message == "403 gated repo"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 70.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:01 GMT"}, 0.0),
        ({"retry-after": "Thu, 99 Jan 1970"}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"ratelimit": '"api";r=0;t=55'}, 55.0),
        ({"ratelimit": '"api";r=0'}, None),
    ],
)
def test_retry_after(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after(headers, 30.0) == expected


@pytest.mark.parametrize("name", ["x-request-id", "x-amzn-requestid", "x-inference-id", "cf-ray"])
def test_request_ids(name: str) -> None:
    assert status_error(Reply(500, {name: "id"}, b""), 0.0).request_id == "id"


def test_no_message_in_no_object() -> None:
    assert message_of(3) == ""
