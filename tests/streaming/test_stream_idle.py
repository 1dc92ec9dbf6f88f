"""A stream that is only kept alive, and one whose connection goes wrong after the answer is whole."""

import json
import time
from typing import Any

import pytest

from hf_tools import AsyncHfInferenceEndpoint, HfInferenceEndpoint, Options, Timeout
from hf_tools.errors import ConfigurationError, RequestTimeout, StreamTimeout
from langchain_hf_tools import ChatHfInference

MESSAGES = [{"role": "user", "content": "Hi"}]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def event(delta: dict[str, str], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


FIRST, LAST = event({"content": "a"}), event({"content": "b"}, "stop")
ALIVE = [
    b": keep-alive\n\n",
    b"event: ping\ndata: {}\n\n",
    b'data: {"choices": []}\n\n',
    b"data: null\n\n",
    b"\n",
    b":",
]


def client(server: Any, timeout: Timeout) -> HfInferenceEndpoint:
    return HfInferenceEndpoint(server.url, "key", server="tgi", options=Options(timeout=timeout))


def kept_alive(data: bytes, seconds: float, gap: float = 0.05) -> list[Any]:
    return [step for _ in range(round(seconds / gap)) for step in (data, gap)]


@pytest.mark.parametrize("data", ALIVE)
def test_a_stream_that_is_only_kept_alive_ends(server: Any, data: bytes) -> None:
    server.scripts = [[HEAD, FIRST, *kept_alive(data, 10)]]
    with client(server, Timeout(idle=0.4)) as hf:
        stream = hf.chat_completion_stream(MESSAGES)
        began = time.monotonic()
        with pytest.raises(StreamTimeout) as caught:
            stream.read()
        assert 0.4 <= time.monotonic() - began < 2
    assert caught.value.message == "the stream broke: the server only kept the connection alive for 0.4 s"
    assert caught.value.hint == "Pass Timeout(idle=...) for a model that thinks longer"
    assert type(caught.value.__cause__) is RequestTimeout
    assert caught.value.partial.text == "a"
    assert stream.interrupted


@pytest.mark.parametrize("first", [FIRST, b""])
async def test_a_stream_that_is_only_kept_alive_ends_awaited(server: Any, first: bytes) -> None:
    server.scripts = [[HEAD, first, *kept_alive(ALIVE[0], 10)]]
    options = Options(timeout=Timeout(idle=0.4))
    async with AsyncHfInferenceEndpoint(server.url, "key", server="tgi", options=options) as hf:
        began = time.monotonic()
        with pytest.raises(StreamTimeout, match=r"only kept the connection alive for 0\.4 s") as caught:
            await hf.chat_completion_stream(MESSAGES).read()
        assert 0.4 <= time.monotonic() - began < 2
    assert caught.value.partial.text == ("a" if first else "")


@pytest.mark.parametrize("idle", [5.0, None])
def test_comments_keep_a_stream_alive_that_is_silent_for_longer(server: Any, idle: float | None) -> None:
    server.scripts = [[HEAD, *kept_alive(ALIVE[0], 0.6), FIRST, *kept_alive(ALIVE[0], 0.6), LAST, DONE]]
    with client(server, Timeout(read=0.4, idle=idle)) as hf:
        assert hf.chat_completion_stream(MESSAGES).read().text == "ab"


def test_any_part_of_the_answer_counts(server: Any) -> None:
    thought = [event({"reasoning": "hm"}), *kept_alive(ALIVE[0], 0.25)]
    server.scripts = [[HEAD, *thought * 4, LAST, DONE]]
    with client(server, Timeout(idle=0.6)) as hf:
        answer = hf.chat_completion_stream(MESSAGES).read()
    assert (answer.text, answer.message.reasoning) == ("b", "hm" * 4)


def test_the_time_of_a_slow_reader_does_not_count(server: Any) -> None:
    server.scripts = [[HEAD, FIRST, *kept_alive(ALIVE[0], 0.2), LAST, DONE]]
    with client(server, Timeout(idle=0.3)) as hf, hf.chat_completion_stream(MESSAGES) as stream:
        assert next(stream).text == "a"
        time.sleep(0.6)
        assert stream.read().text == "ab"


def test_the_chat_model_has_the_same_patience(server: Any) -> None:
    server.scripts = [[HEAD, FIRST, *kept_alive(ALIVE[0], 10)]]
    given: dict[str, Any] = {"base_url": server.url, "server": "tgi", "api_key": "key"}
    with ChatHfInference(timeout=Timeout(idle=0.3), **given) as chat:
        stream = chat.stream("Hi")
        assert next(stream).text == "a"
        with pytest.raises(StreamTimeout, match=r"only kept the connection alive for 0\.3 s"):
            list(stream)


def test_the_setting() -> None:
    assert Timeout().idle == 300
    assert Timeout(idle=None).idle is None
    with pytest.raises(ConfigurationError, match=r"`timeout\.idle` = -1: must be a number of seconds above 0"):
        Timeout(idle=-1)


ENDS = [["abort"], [0.05, "abort"], [None], [b'data: {"choices": [', 0.05, "abort"], [b": x\n\n", None]]


@pytest.mark.parametrize("end", ENDS)
def test_what_goes_wrong_after_the_answer_takes_nothing_from_it(server: Any, end: list[Any]) -> None:
    server.scripts = [[HEAD, FIRST, LAST, 0.2, *end]]
    with client(server, Timeout(read=0.6)) as hf, hf.chat_completion_stream(MESSAGES) as stream:
        assert [part.text for part in stream] == ["a", "b"]
        assert (stream.final.text, stream.interrupted) == ("ab", False)


@pytest.mark.parametrize("end", ENDS)
async def test_what_goes_wrong_after_the_answer_awaited(server: Any, end: list[Any]) -> None:
    server.scripts = [[HEAD, FIRST, LAST, 0.2, *end]]
    options = Options(timeout=Timeout(read=0.6))
    async with AsyncHfInferenceEndpoint(server.url, "key", server="tgi", options=options) as hf:
        stream = hf.chat_completion_stream(MESSAGES)
        assert [part.text async for part in stream] == ["a", "b"]
        assert (stream.final.text, stream.interrupted) == ("ab", False)
