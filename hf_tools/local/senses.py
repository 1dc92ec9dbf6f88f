"""The body of a request with a sound or a picture: the bytes themselves, or base64 in JSON with parameters."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from hf_tools.local.answers import Refused, fields_of, known


@dataclass(frozen=True)
class Received:
    """The media of a request, never empty, and its parameters without those that are null."""

    data: bytes
    parameters: dict[str, Any]


def received(content: bytes, content_type: str, kind: str) -> Received:
    """Read a body as hf-inference does; `kind` names the media in an error. Raises Refused."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return Received(_some(content, kind), {})
    try:
        body = fields_of(from_json(content), "The body")
    except ValueError as error:
        raise Refused(400, f"The body is not JSON: {error}") from error
    body.pop("options", None)  # use_cache and wait_for_model mean nothing here
    known(body, "inputs", "parameters")
    return Received(
        _some(_decoded(body.get("inputs"), kind), kind), fields_of(body.get("parameters", {}), "parameters")
    )


def _decoded(value: object, kind: str) -> bytes:
    if not isinstance(value, str):
        raise Refused(400, f"inputs: must be the {kind} in base64")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(400, f"inputs: must be the {kind} in base64: {error}") from error


def _some(data: bytes, kind: str) -> bytes:
    if not data:
        raise Refused(400, f"The {kind} is empty: 0 bytes")
    return data
