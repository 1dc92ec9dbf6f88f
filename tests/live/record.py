"""Record cassettes/ anew from real servers that are started here: `make cassettes`.

A cassette holds what the tests need of an exchange and nothing else: method, URL and body of the request, status,
content type and body of the answer. What differs from run to run (ids, times) is replaced.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import vcr

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT)]

from hf_tools import HfInference, HfInferenceEndpoint  # noqa: E402
from tests.live.servers import CHAT_MODEL, llama_cpp_chat  # noqa: E402

CASSETTES: Final = ROOT / "cassettes"
HEADERS: Final = frozenset({"accept", "content-type"})
"""The headers that a cassette may hold."""
LIMIT: Final = 50_000
"""Bytes of a cassette."""
PORT: Final = 18080
URL: Final = f"http://127.0.0.1:{PORT}"

QUESTION: Final = "Which city is the capital of France? Answer in one sentence – no more."
ARGUMENTS: Final[Mapping[str, Any]] = {"model": CHAT_MODEL, "temperature": 0, "max_tokens": 32, "stop": ["\n\n"]}
"""What is asked of the chat server, once whole and once as a stream."""


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
    clean = re.sub(r"\{.*\}", lambda found: steady(found[0]), text)
    return {**response, "headers": kept, "body": {"string": clean.encode()}}


def steady(text: str) -> str:
    """A JSON object of a chat server without its timings, with a fixed id and time."""
    value: dict[str, Any] = json.loads(text)
    value.pop("timings", None)
    fixed = {"id": "chatcmpl-recorded", "created": 0}
    value |= {name: each for name, each in fixed.items() if name in value}
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def chat(endpoint: HfInferenceEndpoint) -> None:
    """The exchanges of llama_cpp_chat."""
    messages = [{"role": "user", "content": QUESTION}]
    print(endpoint.chat_completion(messages, **ARGUMENTS).text)
    print(endpoint.chat_completion_stream(messages, **ARGUMENTS).read().text)


def main() -> None:
    """Start the servers, one after the other, and record."""
    path = CASSETTES / "llama_cpp_chat.yaml"
    path.unlink(missing_ok=True)
    with llama_cpp_chat(PORT) as url, cassette(path.stem, record=True), HfInference(token=False) as hf:
        assert url == URL, url
        chat(hf.endpoint(url, server="openai"))
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
