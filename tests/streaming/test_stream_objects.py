"""Stream and AsyncStream: how they are read, how they end, and that they let go of the connection."""

import asyncio
import gc
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, AsyncHfInferenceEndpoint, HfInference, HfInferenceEndpoint, Options, Timeout
from hf_tools.errors import (
    ClientClosed,
    ConnectionLost,
    DeadlineExceeded,
    DecodeError,
    EmptyResponse,
    HfError,
    InputError,
    InvalidRequest,
    Overloaded,
    ReportedError,
    RequestTimeout,
    ResponseError,
    StreamConsumed,
    StreamInterrupted,
    StreamProtocolError,
    StreamReportedError,
    StreamTimeout,
    UnexpectedContent,
)
from tests import hub

MESSAGES = [{"role": "user", "content": "Hi"}]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: r1\r\nconnection: close\r\n\r\n"
CHUNKED = HEAD.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n")
BUSY = b"HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def token(text: str, **more: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}], **more}).encode() + b"\n\n"


LAST = b"data: " + json.dumps({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": USAGE}).encode() + b"\n\n"
FULL = [HEAD, token("One "), token("two"), LAST, DONE]
CUT = [HEAD, token("One "), token("two")]


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer; an exception among its pieces is raised in their turn."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces, self.closed, self.given = pieces, 0, 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.given += 1
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


class Transport:
    """Answers each request with the next of the responses, and counts them."""

    def __init__(self, *responses: httpx.Response) -> None:
        self.left, self.requests = list(responses), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if hub.asked(request):
            return hub.answer(request)
        self.requests.append(request)
        return self.left.pop(0)

    def client(self, **options: Any) -> HfInference:
        http = httpx.Client(transport=httpx.MockTransport(self))
        return HfInference("hf_" + "x" * 20, model="org/m", http_client=http, options=Options(**options))

    def aclient(self, **options: Any) -> AsyncHfInference:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return AsyncHfInference("hf_" + "x" * 20, model="org/m", http_client=http, options=Options(**options))


def events(*pieces: bytes | Exception, **headers: str) -> tuple[httpx.Response, Body]:
    body = Body(*pieces)
    return httpx.Response(200, headers={"content-type": "text/event-stream", **headers}, stream=body), body


def client(server: Any, **options: Any) -> HfInferenceEndpoint:
    return HfInferenceEndpoint(server.url, False, server="tgi", options=Options(**options))


def aclient(server: Any, **options: Any) -> AsyncHfInferenceEndpoint:
    return AsyncHfInferenceEndpoint(server.url, False, server="tgi", options=Options(**options))


# reading


def test_who_answers() -> None:
    response, _ = events(LAST, DONE)
    stream = Transport(response).client().chat_completion_stream(MESSAGES)
    assert (stream.provider, stream.request_id) == (None, None)
    stream.read()
    assert (stream.provider, stream.request_id) == ("auto", None)
    told = {"X-Inference-Provider": "groq", "X-Request-Id": "r1"}
    response, _ = events(LAST, DONE, **told)
    stream = Transport(response).client().chat_completion_stream(MESSAGES)
    stream.read()
    assert (stream.provider, stream.request_id) == ("groq", "r1")


def test_parts_and_what_the_stream_tells() -> None:
    response, body = events(token("One "), token("two") + LAST, DONE, b"data: later\n\n", **{"X-Compute-Type": "gpu"})
    transport = Transport(response)
    stream = transport.client().chat_completion_stream(MESSAGES)
    assert (transport.requests, stream.headers, stream.usage, stream.interrupted) == ([], {}, None, False)
    parts = [next(stream)]
    assert (stream.headers["x-compute-type"], stream.usage, body.closed) == ("gpu", None, 0)
    parts += list(stream)
    assert [part.text for part in parts] == ["One ", "two", ""]
    assert stream.usage == USAGE
    assert (stream.final.text, stream.final.choices[0].finish_reason, stream.interrupted) == ("One two", "stop", False)
    assert (body.closed, body.given) == (1, 3)
    [request] = transport.requests
    assert str(request.url) == "https://router.huggingface.co/v1/chat/completions"
    assert request.headers["accept"] == "*/*"
    assert json.loads(request.content) == {
        "model": "org/m", "messages": MESSAGES, "stream": True, "stream_options": {"include_usage": True},
    }  # fmt: skip


async def test_parts_awaited() -> None:
    response, body = events(token("One "), token("two") + LAST, DONE, b"data: later\n\n", **{"X-Compute-Type": "gpu"})
    transport = Transport(response)
    stream = transport.aclient().chat_completion_stream(MESSAGES)
    assert (transport.requests, stream.headers, stream.usage, stream.interrupted) == ([], {}, None, False)
    parts = [await anext(stream)]
    assert (stream.headers["x-compute-type"], stream.usage, body.closed) == ("gpu", None, 0)
    parts += [part async for part in stream]
    assert [part.text for part in parts] == ["One ", "two", ""]
    assert stream.usage == USAGE
    assert (stream.final.text, stream.final.choices[0].finish_reason, stream.interrupted) == ("One two", "stop", False)
    assert (body.closed, body.given) == (1, 4)  # one more read: where the body ends, its connection is kept


@pytest.mark.parametrize("at", [1, 5, 17, 64])
def test_from_a_socket_in_small_pieces(server: Any, at: int) -> None:
    data = b"".join([*FULL[1:3], token("é😀"), LAST, DONE])
    pieces = [data[start : start + at] for start in range(0, len(data), at)]
    server.scripts = [
        [HEAD, *pieces],
        [CHUNKED, *(b"%x\r\n%b\r\n" % (len(each), each) for each in pieces), b"0\r\n\r\n"],
    ]
    with client(server) as hf:
        for _ in range(2):
            assert hf.chat_completion_stream(MESSAGES).read().text == "One twoé😀"
    assert server.requests[0].startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert server.requests[0].endswith(
        b'{"model":"tgi","messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":{"include_usage":true}}'
    )
    assert b"authorization" not in server.requests[0].lower()


async def test_from_a_socket_awaited(server: Any) -> None:
    server.scripts = [FULL]
    async with aclient(server) as hf, hf.chat_completion_stream(MESSAGES) as stream:
        assert [part.text async for part in stream] == ["One ", "two", ""]
        assert (stream.final.text, stream.usage) == ("One two", USAGE)


def test_read() -> None:
    transport = Transport(*(events(*FULL[1:])[0] for _ in range(2)))
    stream = transport.client().chat_completion_stream(MESSAGES)
    assert stream.read().text == "One two"
    assert stream.read() is not None
    assert stream.read() == stream.final
    begun = transport.client().chat_completion_stream(MESSAGES)
    assert next(begun).text == "One "
    assert begun.read().text == "One two"


async def test_read_awaited() -> None:
    transport = Transport(*(events(*FULL[1:])[0] for _ in range(2)))
    stream = transport.aclient().chat_completion_stream(MESSAGES)
    assert (await stream.read()).text == "One two"
    assert await stream.read() == stream.final
    begun = transport.aclient().chat_completion_stream(MESSAGES)
    assert (await anext(begun)).text == "One "
    assert (await begun.read()).text == "One two"


def test_final_before_the_end() -> None:
    response, _ = events(*FULL[1:])
    stream = Transport(response).client().chat_completion_stream(MESSAGES)
    with pytest.raises(StreamConsumed, match="the stream was not read to its end") as caught:
        _ = stream.final
    assert caught.value.partial is None
    assert next(stream).text == "One "
    with pytest.raises(StreamConsumed) as caught:
        _ = stream.final
    assert caught.value.partial.text == "One "
    assert caught.value.hint == "Iterate over it first, or call read()"
    stream.close()
    with pytest.raises(StreamConsumed):
        _ = stream.final


def test_a_stream_is_read_once() -> None:
    response, _ = events(*FULL[1:])
    transport = Transport(response)
    stream = transport.client().chat_completion_stream(MESSAGES)
    assert len(list(stream)) == 3
    with pytest.raises(StreamConsumed, match="the stream was read or closed before"):
        iter(stream)
    with pytest.raises(StopIteration):
        next(stream)
    assert len(transport.requests) == 1


async def test_a_stream_is_awaited_once() -> None:
    response, _ = events(*FULL[1:])
    stream = Transport(response).aclient().chat_completion_stream(MESSAGES)
    assert len([part async for part in stream]) == 3
    with pytest.raises(StreamConsumed, match="the stream was read or closed before"):
        aiter(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


def test_text_generation_and_raw_streams() -> None:
    generated = b'data:{"token":{"text":"a","special":false},"generated_text":"a"}\n\n'
    transport = Transport(*(events(generated)[0] for _ in range(2)))
    hf = transport.client()
    assert hf.text_generation_stream("Count:").read().generated_text == "a"
    assert hf.streaming_request(inputs="Count:").read() == [
        {"token": {"text": "a", "special": False}, "generated_text": "a"}
    ]
    assert [json.loads(request.content) for request in transport.requests] == [{"inputs": "Count:", "stream": True}] * 2
    assert {str(request.url) for request in transport.requests} == {
        "https://router.huggingface.co/hf-inference/models/org/m"
    }


# letting go


def test_leaving_the_block_closes_the_connection(server: Any) -> None:
    server.scripts = [[*CUT, None]]
    with client(server) as hf:
        with hf.chat_completion_stream(MESSAGES) as stream:
            for part in stream:
                assert part.text == "One "
                break
            assert not server.gone.is_set()
        assert server.gone.wait(5)
        assert stream.interrupted is False


async def test_leaving_the_block_closes_the_connection_awaited(server: Any) -> None:
    server.scripts = [[*CUT, None]]
    async with aclient(server) as hf:
        before = asyncio.all_tasks()
        async with hf.chat_completion_stream(MESSAGES) as stream:
            async for part in stream:
                assert part.text == "One "
                break
            assert not server.gone.is_set()
        assert await asyncio.to_thread(server.gone.wait, 5)
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == before


def test_an_error_in_the_block_closes_the_connection(server: Any) -> None:
    server.scripts = [[*CUT, None]]
    with client(server) as hf:
        with pytest.raises(KeyError), hf.chat_completion_stream(MESSAGES) as stream:
            raise KeyError(next(stream).text)
        assert server.gone.wait(5)


def test_a_stream_that_is_dropped_closes_the_connection(server: Any) -> None:
    server.scripts = [[*CUT, None]]
    with client(server) as hf:
        for part in hf.chat_completion_stream(MESSAGES):
            assert part.text == "One "
            break
        gc.collect()
        assert server.gone.wait(5)


def test_a_stream_that_is_dropped_is_closed_without_the_collector() -> None:
    response, body = events(*CUT[1:])
    gc.disable()
    try:
        for part in Transport(response).client().chat_completion_stream(MESSAGES):
            assert part.text == "One "
            break
        assert body.closed == 1
    finally:
        gc.enable()


async def test_a_stream_that_is_dropped_closes_the_connection_awaited(server: Any) -> None:
    server.scripts = [[*CUT, None]]
    async with aclient(server) as hf:
        async for part in hf.chat_completion_stream(MESSAGES):
            assert part.text == "One "
            break
        gc.collect()
        assert await asyncio.to_thread(server.gone.wait, 5)


def test_the_mark_closes_the_connection(server: Any) -> None:
    server.scripts = [[*FULL, None]]
    with client(server) as hf:
        assert hf.chat_completion_stream(MESSAGES).read().text == "One two"
        assert server.gone.wait(5)


def test_close_may_be_called_often() -> None:
    response, body = events(*FULL[1:])
    transport = Transport(response)
    unread = transport.client().chat_completion_stream(MESSAGES)
    for _ in range(3):
        unread.close()
    assert transport.requests == []
    with pytest.raises(StreamConsumed):
        unread.read()
    with transport.client().chat_completion_stream(MESSAGES) as stream:
        assert next(stream).text == "One "
        for _ in range(3):
            stream.close()
            assert body.closed == 1
    with pytest.raises(StreamConsumed):
        list(stream)
    with pytest.raises(StopIteration):
        next(stream)


async def test_aclose_may_be_called_often() -> None:
    response, body = events(*FULL[1:])
    transport = Transport(response)
    unread = transport.aclient().chat_completion_stream(MESSAGES)
    for _ in range(3):
        await unread.aclose()
    assert transport.requests == []
    with pytest.raises(StreamConsumed):
        await unread.read()
    async with transport.aclient().chat_completion_stream(MESSAGES) as stream:
        assert (await anext(stream)).text == "One "
        for _ in range(3):
            await stream.aclose()
            assert body.closed == 1
    with pytest.raises(StreamConsumed):
        aiter(stream)


def test_a_stream_outlives_the_variable_of_its_client(server: Any) -> None:
    server.scripts = [FULL]
    stream = HfInferenceEndpoint(server.url, False, server="tgi").chat_completion_stream(MESSAGES)
    gc.collect()
    texts: list[str] = []
    for part in stream:
        gc.collect()
        texts.append(part.text)
    assert texts == ["One ", "two", ""]


async def test_a_stream_outlives_the_variable_of_its_client_awaited(server: Any) -> None:
    server.scripts = [FULL]
    stream = AsyncHfInferenceEndpoint(server.url, False, server="tgi").chat_completion_stream(MESSAGES)
    gc.collect()
    assert (await stream.read()).text == "One two"


# going wrong


def place_of(error: HfError) -> tuple[str | None, ...]:
    return error.task, error.model, error.provider, error.url


PLACE = ("chat-completion", "org/m", "auto", "https://router.huggingface.co/v1/chat/completions")


def test_the_end_without_a_mark() -> None:
    response, body = events(*CUT[1:])
    stream = Transport(response).client().chat_completion_stream(MESSAGES)
    assert (next(stream).text, next(stream).text) == ("One ", "two")
    with pytest.raises(StreamInterrupted) as caught:
        next(stream)
    assert place_of(caught.value) == PLACE
    assert (caught.value.partial.text, caught.value.__cause__) == ("One two", None)
    assert (stream.interrupted, body.closed) == (True, 1)
    with pytest.raises(StreamConsumed):
        stream.read()
    with pytest.raises(StreamConsumed) as consumed:
        _ = stream.final
    assert consumed.value.partial.text == "One two"


def test_a_transport_that_fails() -> None:
    response, body = events(*CUT[1:], httpx.ReadError("reset by peer"))
    transport = Transport(response)
    stream = transport.client().chat_completion_stream(MESSAGES)
    texts: list[str] = []
    with pytest.raises(StreamInterrupted) as caught:
        texts.extend(part.text for part in stream)
    error = caught.value
    assert error.message == "the stream broke: the connection broke: reset by peer"
    assert type(error.__cause__) is ConnectionLost
    assert (error.partial.text, stream.interrupted, body.closed) == ("One two", True, 1)
    assert place_of(error) == PLACE
    assert len(transport.requests) == 1


async def test_a_transport_that_fails_awaited() -> None:
    response, body = events(*CUT[1:], httpx.ReadError("reset by peer"))
    transport = Transport(response)
    stream = transport.aclient().chat_completion_stream(MESSAGES)
    with pytest.raises(StreamInterrupted) as caught:
        await stream.read()
    assert type(caught.value.__cause__) is ConnectionLost
    assert (caught.value.partial.text, stream.interrupted, body.closed) == ("One two", True, 1)
    assert place_of(caught.value) == PLACE
    assert len(transport.requests) == 1


BROKEN = [
    [*CUT, "abort"],
    [CHUNKED, b"%x\r\n%b\r\n" % (len(CUT[1] + CUT[2]), CUT[1] + CUT[2]), b"ff\r\n{"],
    [CHUNKED, b"%x\r\n%b\r\n" % (len(CUT[1] + CUT[2]), CUT[1] + CUT[2]), b"not a size\r\n"],
    CUT,
]


@pytest.mark.parametrize("script", BROKEN, ids=["reset", "truncated", "garbled", "ended"])
def test_a_connection_that_breaks(server: Any, script: list[Any]) -> None:
    server.scripts = [[*script[:-1], 0.05, script[-1]]]
    with client(server) as hf:
        stream = hf.chat_completion_stream(MESSAGES)
        with pytest.raises(StreamInterrupted) as caught:
            stream.read()
    assert caught.value.partial.text in ("One two", "One ")
    assert (stream.interrupted, len(server.requests)) == (True, 1)


@pytest.mark.parametrize("script", BROKEN, ids=["reset", "truncated", "garbled", "ended"])
async def test_a_connection_that_breaks_awaited(server: Any, script: list[Any]) -> None:
    server.scripts = [[*script[:-1], 0.05, script[-1]]]
    async with aclient(server) as hf:
        stream = hf.chat_completion_stream(MESSAGES)
        with pytest.raises(StreamInterrupted) as caught:
            await stream.read()
    assert caught.value.partial.text in ("One two", "One ")
    assert (stream.interrupted, len(server.requests)) == (True, 1)


def test_a_reported_error_comes_after_the_tokens_before_it() -> None:
    response, body = events(token("One "), b'data: {"error": "It broke: hf_' + b"x" * 20 + b'", "error_type": "x"}\n\n')
    stream = Transport(response).client().chat_completion_stream(MESSAGES)
    assert next(stream).text == "One "
    with pytest.raises(StreamReportedError) as caught:
        next(stream)
    assert caught.value.message == "the server reported an error in the stream: It broke: hf_***"
    assert (caught.value.code, caught.value.partial.text) == ("x", "One ")
    assert place_of(caught.value) == PLACE
    assert (stream.interrupted, body.closed) == (True, 1)


def test_text_that_is_no_json() -> None:
    response, _ = events(token("One "), b"data: Internal Server Error\n\n")
    with pytest.raises(StreamProtocolError) as caught:
        Transport(response).client().chat_completion_stream(MESSAGES).read()
    assert (caught.value.partial.text, place_of(caught.value)) == ("One ", PLACE)


def test_broken_compression() -> None:
    response, _ = events(b"no gzip", **{"content-encoding": "gzip"})
    with pytest.raises(DecodeError, match="cannot be decompressed") as caught:
        Transport(response).client().chat_completion_stream(MESSAGES).read()
    assert (caught.value.status, place_of(caught.value)) == (200, PLACE)


NO_STREAM: list[tuple[int, str, bytes, type[ResponseError]]] = [
    (200, "application/json", b'{"error": "Busy"}', ReportedError),
    (200, "text/html", b"<html><title>Sign in</title>", UnexpectedContent),
    (200, "application/json", b'{"choices"', DecodeError),
    (200, "text/event-stream", b"", EmptyResponse),
    (204, "text/plain", b"", EmptyResponse),
]


@pytest.mark.parametrize(("status", "content_type", "content", "kind"), NO_STREAM)
def test_no_stream_where_one_was_asked_for(
    status: int, content_type: str, content: bytes, kind: type[ResponseError]
) -> None:
    headers = {"content-type": content_type, "x-request-id": "r1"}
    transport = Transport(httpx.Response(status, headers=headers, stream=Body(content)))
    stream = transport.client().chat_completion_stream(MESSAGES)
    with pytest.raises(ResponseError) as caught:
        list(stream)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.request_id, error.body) == (status, "r1", content)
    assert error.headers["content-type"] == content_type
    assert place_of(error) == PLACE
    assert stream.interrupted is True
    assert len(transport.requests) == 1


def test_a_whole_answer_where_a_stream_was_asked_for() -> None:
    whole = {"choices": [{"message": {"content": "One two"}, "finish_reason": "stop"}], "usage": USAGE}
    stream = Transport(httpx.Response(200, json=whole)).client().chat_completion_stream(MESSAGES)
    assert [part.text for part in stream] == ["One two"]
    assert (stream.final.text, stream.usage) == ("One two", USAGE)


async def test_what_comes_with_the_end_awaited() -> None:
    whole = {"choices": [{"message": {"content": "One two"}, "finish_reason": "stop"}], "usage": USAGE}
    unterminated, _ = events(token("One "), token("two"), LAST.rstrip())
    hf = Transport(httpx.Response(200, json=whole), unterminated).aclient()
    for texts in (["One two"], ["One ", "two", ""]):
        stream = hf.chat_completion_stream(MESSAGES)
        assert [part.text async for part in stream] == texts
        assert (stream.final.text, stream.usage) == ("One two", USAGE)


# retries


def test_only_what_comes_before_the_head_is_sent_again(server: Any) -> None:
    server.scripts = [[BUSY], ["abort"], FULL]
    with client(server) as hf:
        assert hf.chat_completion_stream(MESSAGES).read().text == "One two"
    assert len(server.requests) == 3
    assert len(set(server.requests)) == 1


async def test_only_what_comes_before_the_head_is_sent_again_awaited(server: Any) -> None:
    server.scripts = [[BUSY], FULL, [HEAD, "abort"]]
    async with aclient(server) as hf:
        assert (await hf.chat_completion_stream(MESSAGES).read()).text == "One two"
        with pytest.raises(StreamInterrupted):
            await hf.chat_completion_stream(MESSAGES).read()
    assert len(server.requests) == 3


def test_attempts_end(server: Any) -> None:
    server.scripts = [[BUSY]] * 3
    with client(server, max_retries=2) as hf:
        stream = hf.chat_completion_stream(MESSAGES)
        with pytest.raises(Overloaded) as caught:
            next(stream)
    assert (caught.value.attempts, len(server.requests)) == (3, 3)
    assert (stream.interrupted, stream.headers, stream.usage) == (True, {}, None)
    with pytest.raises(StreamConsumed) as consumed:
        _ = stream.final
    assert consumed.value.partial is None


def test_a_refusal_is_final() -> None:
    text = "Failed to deserialize the JSON body into the target type: missing field `messages` at line 1 column 144"
    transport = Transport(httpx.Response(422, text=text))
    with pytest.raises(InvalidRequest) as caught:
        transport.client().chat_completion_stream(MESSAGES).read()
    assert caught.value.message == f"422 {text}"
    assert len(transport.requests) == 1


def test_what_the_route_cannot_carry_is_an_input_error(server: Any) -> None:
    with HfInferenceEndpoint(server.url, False, server="toolkit") as hf, pytest.raises(InputError) as caught:
        next(hf.text_generation_stream("Count:"))
    assert caught.value.message == "text_generation: an inference-toolkit endpoint cannot carry a stream"
    assert server.requests == []


def test_a_closed_client() -> None:
    hf = HfInference(False, model="org/m")
    hf.close()
    with pytest.raises(ClientClosed):
        next(hf.chat_completion_stream(MESSAGES))


async def test_a_closed_client_awaited() -> None:
    hf = AsyncHfInference(False, model="org/m")
    await hf.close()
    with pytest.raises(ClientClosed):
        await anext(hf.chat_completion_stream(MESSAGES))


# time


def slow(seconds: float, count: int) -> list[Any]:
    return [HEAD, *(step for _ in range(count) for step in (token("a"), seconds))]


@pytest.mark.parametrize("script", [slow(0.02, 250), [HEAD, token("a"), None], [None]], ids=["slow", "stall", "silent"])
def test_the_total_time_ends_a_stream(server: Any, script: list[Any]) -> None:
    server.scripts = [script]
    with client(server, timeout=0.4, max_retries=0) as hf:
        stream = hf.chat_completion_stream(MESSAGES)
        began = time.monotonic()
        with pytest.raises((StreamInterrupted, RequestTimeout)) as caught:
            stream.read()
        assert 0.35 < time.monotonic() - began < 2
    if script[0] is not None:
        assert isinstance(caught.value, StreamInterrupted)
        assert isinstance(caught.value.__cause__, RequestTimeout)
        assert caught.value.partial.text.startswith("a")


@pytest.mark.parametrize("script", [slow(0.02, 250), [HEAD, token("a"), None]], ids=["slow", "stall"])
async def test_the_total_time_ends_a_stream_awaited(server: Any, script: list[Any]) -> None:
    server.scripts = [script]
    async with aclient(server, timeout=0.4) as hf:
        began = time.monotonic()
        with pytest.raises(StreamInterrupted) as caught:
            await hf.chat_completion_stream(MESSAGES).read()
        assert 0.35 < time.monotonic() - began < 1.5
    assert isinstance(caught.value.__cause__, DeadlineExceeded)
    assert caught.value.partial.text.startswith("a")


def test_the_read_time_is_for_each_silence_and_not_for_the_stream(server: Any) -> None:
    server.scripts = [[HEAD, token("a"), 0.4, token("b"), 0.4, token("c"), 0.4, LAST]]
    with client(server, timeout=Timeout(read=1)) as hf:
        assert hf.chat_completion_stream(MESSAGES).read().text == "abc"


def test_silence_ends_a_stream(server: Any) -> None:
    server.scripts = [[HEAD, token("a"), None]]
    with client(server, timeout=Timeout(read=0.2)) as hf, pytest.raises(StreamTimeout) as caught:
        hf.chat_completion_stream(MESSAGES).read()
    assert type(caught.value.__cause__) is RequestTimeout
    assert str(caught.value.hint).startswith("Raise `timeout`")
    assert caught.value.partial.text == "a"


# several readers


def test_two_threads_at_once(server: Any) -> None:
    more = threading.Event()
    server.scripts = [[HEAD, token("One "), more, token("two"), LAST, DONE]]
    with client(server) as hf:
        stream = hf.chat_completion_stream(MESSAGES)
        assert next(stream).text == "One "
        found: list[str] = []
        reader = threading.Thread(target=lambda: found.append(next(stream).text))
        reader.start()
        time.sleep(0.1)
        with pytest.raises(StreamConsumed, match="the stream is being read by another thread"):
            next(stream)
        with pytest.raises(StreamConsumed, match="the stream is being read by another thread"):
            stream.close()
        more.set()
        reader.join(5)
        assert found == ["two"]
        assert stream.read().text == "One two"


async def test_two_tasks_at_once(server: Any) -> None:
    more = threading.Event()
    server.scripts = [[HEAD, token("One "), more, token("two"), LAST, DONE]]
    async with aclient(server) as hf:
        stream = hf.chat_completion_stream(MESSAGES)
        assert (await anext(stream)).text == "One "
        reader = asyncio.create_task(stream.__anext__())
        await asyncio.sleep(0.05)
        with pytest.raises(StreamConsumed, match="the stream is being read by another task"):
            await anext(stream)
        with pytest.raises(StreamConsumed, match="the stream is being read by another task"):
            await stream.aclose()
        more.set()
        assert (await reader).text == "two"
        assert (await stream.read()).text == "One two"


@pytest.mark.parametrize("script", [[None], [HEAD, None], [*CUT, None]], ids=["head", "first", "next"])
async def test_a_reader_that_is_cancelled_closes_the_connection(server: Any, script: list[Any]) -> None:
    server.scripts = [script]
    async with aclient(server) as hf:
        before = asyncio.all_tasks()
        stream = hf.chat_completion_stream(MESSAGES)
        reader = asyncio.create_task(stream.read())
        await asyncio.sleep(0.1)
        assert not server.gone.is_set()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert await asyncio.to_thread(server.gone.wait, 5)
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == before
        with pytest.raises(StreamConsumed):
            aiter(stream)
        await stream.aclose()


def test_several_event_loops_in_a_row(server: Any) -> None:
    server.scripts = [FULL, [*CUT, None], FULL]
    hf = aclient(server)

    async def whole() -> str:
        return (await hf.chat_completion_stream(MESSAGES).read()).text

    async def first() -> str:
        async for part in hf.chat_completion_stream(MESSAGES):
            return part.text
        return ""

    assert asyncio.run(whole()) == "One two"
    assert asyncio.run(first()) == "One "
    assert server.gone.wait(5)
    assert asyncio.run(whole()) == "One two"
    asyncio.run(hf.close())


async def test_many_streams_at_once(server: Any) -> None:
    server.scripts = [FULL] * 20
    async with aclient(server) as hf:
        answers = await asyncio.gather(*(hf.chat_completion_stream(MESSAGES).read() for _ in range(20)))
    assert {answer.text for answer in answers} == {"One two"}


# what the server refuses


def refusal() -> httpx.Response:
    return httpx.Response(400, json={"error": "Extra inputs are not permitted: stream_options"})


@pytest.mark.parametrize("retries", [0, 2])
async def test_a_server_that_does_not_know_stream_options_is_asked_again_without(retries: int) -> None:
    transport = Transport(refusal(), events(token("two") + LAST, DONE)[0])
    assert transport.client(max_retries=retries).chat_completion_stream(MESSAGES).read().text == "two"
    awaited = Transport(refusal(), events(token("two") + LAST, DONE)[0])
    assert (await awaited.aclient(max_retries=retries).chat_completion_stream(MESSAGES).read()).text == "two"
    for server in (transport, awaited):
        bodies = [json.loads(request.content) for request in server.requests]
        assert [body.get("stream_options") for body in bodies] == [{"include_usage": True}, None]


@pytest.mark.parametrize("options", [{}, {"include_usage": True}])
def test_what_the_caller_said_of_stream_options_stays(options: dict[str, Any]) -> None:
    transport = Transport(refusal())
    with pytest.raises(InvalidRequest, match="stream_options"):
        transport.client().chat_completion_stream(MESSAGES, stream_options=options).read()
    assert len(transport.requests) == 1


def test_a_refusal_of_anything_else_is_final() -> None:
    transport = Transport(httpx.Response(400, json={"error": "no such parameter"}))
    with pytest.raises(InvalidRequest, match="no such parameter"):
        transport.client().text_generation_stream("Hi").read()
    assert len(transport.requests) == 1
