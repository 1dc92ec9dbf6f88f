"""What goes into a request: nothing that would smuggle in a header, and no upload that stalls for ever."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from hf_tools import HfInference, HfInferenceEndpoint, Options, Timeout, errors
from langchain_hf_tools import ChatHfInference
from tests.faults.lifecycle import KEY, MESSAGES, awaiting, blocking
from tests.faults.wire import FaultServer, Wire

SMUGGLED = ("a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rb", "a\0b", "a\u2028b", "é")
"""Values that would end a header's line, or that no header may have."""


@pytest.mark.parametrize("value", SMUGGLED)
def test_a_header_cannot_be_smuggled_in(value: str) -> None:
    """Each of these is refused as it is given: nothing is sent, and the value is not shown where it is a secret."""
    for given in (
        lambda: HfInference(f"hf_{value}"),
        lambda: HfInferenceEndpoint("http://127.0.0.1:1", f"key{value}"),
        lambda: HfInference(False, options=Options(bill_to=value)),
        lambda: HfInference(False, options=Options(extra_headers={"X-A": value})),
        lambda: HfInference(False, options=Options(extra_headers={f"X-{value}": "1"})),
        lambda: HfInference(False).with_options(extra_headers={"X-A": value}),
        lambda: ChatHfInference(model="m", api_key=f"hf_{value}").invoke("Hi"),
    ):
        with pytest.raises(errors.ConfigurationError) as caught:
            given()
        assert "Evil" not in str(caught.value) or "\\n" in str(caught.value) or "\\r" in str(caught.value)


@pytest.mark.parametrize(
    "value", ["a\r\nHost: evil", "a/b\n", "a b", "org/model\r\nX: 1", "org/../../x", "a?b=c", "a#b"]
)
def test_a_model_cannot_change_the_request(value: str) -> None:
    with (
        HfInference("hf_test", provider="hf-inference") as client,
        pytest.raises(errors.InputError, match="`model` = "),
    ):
        client.summarization("x", model=value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1\r\nX: 1/", "http://127.0.0.1:1/\nx", "http://a b/", "ftp://127.0.0.1/"]
)
def test_an_address_cannot_change_the_request(url: str) -> None:
    with pytest.raises(errors.InputError):
        HfInferenceEndpoint(url, KEY)


def deaf(wire: Wire) -> None:
    """Read nothing of what is sent."""
    time.sleep(6)


def _uploaded(kind: str, url: str) -> Any:
    """Send 30 MB."""
    sound = b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 30_000_000
    options: dict[str, Any] = {"timeout": Timeout(write=0.3, total=5), "max_retries": 1}
    if kind == "blocking":
        with blocking(url, **options) as client:
            return client.automatic_speech_recognition(sound, model="m")

    async def run() -> Any:
        async with awaiting(url, **options) as client:
            return await client.automatic_speech_recognition(sound, model="m")

    return asyncio.run(run())


@pytest.mark.parametrize("kind", ["blocking", "awaiting"])
def test_an_upload_that_stalls_ends(kind: str) -> None:
    """The server takes no bytes: each attempt ends by the time for writing, and another one is made."""
    with FaultServer(deaf) as server:
        begun = time.monotonic()
        with pytest.raises(errors.RequestTimeout, match="silent for too long"):
            _uploaded(kind, server.url)
        assert 0.6 < time.monotonic() - begun < 3.5


def test_what_is_sent_again_is_whole() -> None:
    """The second attempt carries the same body as the first, byte by byte."""

    def script(wire: Wire) -> None:
        wire.request()
        if wire.turn == 1:
            wire.reset()
        else:
            wire.good()

    with FaultServer(script) as server, blocking(server.url) as client:
        assert client.chat_completion(MESSAGES, model="m", max_tokens=20).text
        first, second = server.bodies
        assert first == second
