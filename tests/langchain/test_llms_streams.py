"""Streams of the text generation model, and servers of TGI's form: chunks, their end, tokens, callbacks, errors."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.exceptions import ModelConnectionError, ModelInvalidRequestError
from langchain_core.outputs import GenerationChunk, LLMResult

from hf_tools import Response
from hf_tools.errors import InputError, StreamInterrupted
from hf_tools.task import Route
from hf_tools.tasks.generation import TextGenerationOutput
from langchain_hf_tools._calls.generations import Ending, last, result, usage
from langchain_hf_tools.llms import HfInferenceLLM

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
SSE = {"content-type": "text/event-stream"}


def completion(*texts: str, done: bool = True) -> httpx.Response:
    """A stream of /v1/completions."""
    chunks: list[Any] = [{"choices": [{"index": 0, "text": text}]} for text in texts]
    if done:
        chunks.append({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]})
        chunks.append({"choices": [], "usage": USAGE})
    lines = [json.dumps(chunk) for chunk in chunks] + (["[DONE]"] if done else [])
    return httpx.Response(200, headers=SSE, content="".join(f"data: {line}\n\n" for line in lines).encode())


def tokens(*texts: str) -> httpx.Response:
    """A stream of TGI."""
    events: list[Any] = [{"token": {"id": 1, "text": text, "special": text == "</s>"}} for text in texts]
    events[-1] |= {
        "generated_text": "".join(texts[:-1]),
        "details": {"finish_reason": "eos_token", "generated_tokens": len(texts)},
    }
    content = "".join(f"data:{json.dumps(event)}\n\n" for event in events)
    return httpx.Response(200, headers=SSE, content=content.encode())


def model(answer: httpx.Response, server: str = "openai", **fields: Any) -> tuple[Any, list[Any]]:
    """A model whose server always gives this answer, and the bodies that it was sent."""
    bodies: list[Any] = []

    def handle(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    given: dict[str, Any] = {
        "base_url": "http://127.0.0.1:9", "server": server, "model": "org/model", "max_retries": 0,
        "http_client": httpx.Client(transport=httpx.MockTransport(handle)),
        "http_async_client": httpx.AsyncClient(transport=httpx.MockTransport(handle)), **fields,
    }  # fmt: skip
    return HfInferenceLLM(**given), bodies


class Told(BaseCallbackHandler):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.chunks: list[Any] = []
        self.results: list[LLMResult] = []
        self.partial: list[str] = []

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **kwargs: Any) -> None:
        self.tokens.append(token)
        self.chunks.append(chunk)

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        self.results.append(response)

    def on_llm_error(self, error: BaseException, *, response: Any = None, **kwargs: Any) -> None:
        self.partial += [each.text for row in response.generations for each in row]


class AsyncTold(AsyncCallbackHandler):
    """Keeps the tokens."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    async def on_llm_new_token(self, token: Any, *, chunk: Any = None, **kwargs: Any) -> None:
        self.tokens.append(token)


async def test_stream_and_astream() -> None:
    made, bodies = model(completion("a", "b", "c"), temperature=0)
    assert [*made.stream("x")] == ["a", "b", "c", ""]
    assert [each async for each in made.astream("x")] == ["a", "b", "c", ""]
    options = {"stream": True, "stream_options": {"include_usage": True}}
    assert bodies == [{"model": "org/model", "prompt": "x", "temperature": 0, **options}] * 2


async def test_the_end_tells_the_reason_and_the_tokens_once() -> None:
    made, _ = model(completion("a", "b"))
    info = {"finish_reason": "stop", "token_usage": USAGE, "model_name": "org/other"}
    chunks = [*made._stream("x", model="org/other")]
    assert chunks == [each async for each in made._astream("x", model="org/other")]
    assert [each.generation_info for each in chunks] == [None, None, info]
    whole = chunks[0] + chunks[1] + chunks[2]
    assert (whole.text, whole.generation_info) == ("ab", info)


async def test_callbacks_are_told_of_each_chunk_once() -> None:
    made, _ = model(completion("a", "b"))
    told, awaited = Told(), AsyncTold()
    assert "".join(made.stream("x", {"callbacks": [told]})) == "ab"
    assert (told.tokens, [type(chunk) for chunk in told.chunks]) == (["a", "b", ""], [GenerationChunk] * 3)
    [[generation]] = told.results[0].generations
    assert (generation.text, generation.generation_info["finish_reason"]) == ("ab", "stop")  # type: ignore[index]
    assert "".join([each async for each in made.astream("x", {"callbacks": [awaited]})]) == "ab"
    assert awaited.tokens == ["a", "b", ""]


async def test_tgi() -> None:
    made, bodies = model(tokens("a", "b", "</s>"), "tgi", model=None, max_new_tokens=9)
    *chunks, end = made._stream("x")
    assert [each.text for each in chunks] == ["a", "b"]
    details: dict[str, Any] = {"finish_reason": "eos_token", "generated_tokens": 3, "prefill": [], "tokens": []}
    used = {"completion_tokens": 3}
    assert end.generation_info == {"finish_reason": "eos_token", "details": details, "token_usage": used}
    assert [each async for each in made.astream("x")] == ["a", "b", ""]
    assert bodies[0] == {"inputs": "x", "stream": True, "parameters": {"max_new_tokens": 9}}


def test_tgi_tells_tokens_in_headers() -> None:
    headers = {"x-prompt-tokens": "3", "x-generated-tokens": "2"}
    made, bodies = model(httpx.Response(200, headers=headers, json=[{"generated_text": "b"}]), "tgi", model=None)
    found = made.generate(["a"])
    assert found.llm_output == {"token_usage": USAGE, "model_name": "tgi"}
    assert found.generations[0][0].generation_info == {"token_usage": USAGE}
    assert bodies == [{"inputs": "a"}]


def test_an_early_end_is_an_error_with_the_text_so_far() -> None:
    made, _ = model(completion("a", "b", done=False))
    told = Told()
    for error in (StreamInterrupted, ModelConnectionError):
        with pytest.raises(error, match="the stream ended early, without a terminal mark") as caught:
            list(made.stream("x", {"callbacks": [told]}))
        assert vars(caught.value)["partial"].generated_text == "ab"
    assert told.partial == ["ab", "ab"]


async def test_an_early_end_awaited() -> None:
    made, _ = model(completion("a", "b", done=False))
    with pytest.raises(StreamInterrupted, match="the stream ended early, without a terminal mark") as caught:
        async for _ in made.astream("x"):
            pass
    assert caught.value.partial.generated_text == "ab"


@pytest.mark.parametrize(("name", "value"), [("n", 2), ("num_return_sequences", 3), ("best_of", 2)])
@pytest.mark.parametrize("in_call", [False, True])
async def test_several_generations_in_the_servers_own_words_are_refused(name: str, value: int, in_call: bool) -> None:
    call: dict[str, Any] = {"extra_body": {name: value}}
    made, bodies = model(completion("a"), **({} if in_call else call))
    with pytest.raises(InputError, match=f"`{name}` above 1 cannot be streamed. Use invoke"):
        next(made.stream("x", **(call if in_call else {})))
    with pytest.raises(InputError, match=f"`{name}` above 1 cannot be streamed. Use invoke"):
        await anext(made.astream("x", **(call if in_call else {})))
    assert bodies == []
    assert "".join(made.stream("x", extra_body={name: 1})) == "a"


def test_a_model_that_is_an_address_is_named_without_its_query() -> None:
    made, _ = model(completion("a"))
    with pytest.raises(InputError, match="a call may name a model, but no address"):
        next(made.stream("x", model="http://127.0.0.1:8"))
    assert last(TextGenerationOutput(generated_text=""), {}, "", "http://127.0.0.1:9?key=k").generation_info == {
        "model_name": "http://127.0.0.1:9"
    }
    assert result([], [], "http://127.0.0.1:9?key=k").llm_output["model_name"] == "http://127.0.0.1:9"  # type: ignore[index]


@pytest.mark.parametrize("name", ["num_return_sequences", "best_of"])
@pytest.mark.parametrize("in_call", [False, True])
async def test_several_generations_are_refused(name: str, in_call: bool) -> None:
    call: dict[str, Any] = {name: 2}
    made, bodies = model(completion("a"), **({} if in_call else call))
    for error in (InputError, ModelInvalidRequestError):
        with pytest.raises(error, match=f"`{name}` above 1 cannot be streamed. Use invoke"):
            next(made.stream("x", **(call if in_call else {})))
        with pytest.raises(error, match=f"`{name}` above 1 cannot be streamed. Use invoke"):
            await anext(made.astream("x", **(call if in_call else {})))
    assert bodies == []


@pytest.mark.parametrize(
    ("pieces", "stops", "expected", "end"),
    [
        (["a", "b"], [], ["a", "b"], ""),
        (["a", "\n", "b"], ["\n\n"], ["a", "", "\nb"], ""),
        (["a\n", "\n"], ["\n\n"], ["a", ""], ""),
        (["a\n"], ["\n\n"], ["a"], "\n"),
        (["a END", " b EN", "D"], ["END"], ["a ", "END b ", ""], ""),
        (["a STOP"], ["OP", "STOP"], ["a "], ""),
        (["aX"], ["", "X"], ["a"], ""),
    ],
)
def test_a_stop_at_the_end_is_left_out(pieces: list[str], stops: list[str], expected: list[str], end: str) -> None:
    ending = Ending(stops)
    assert ([ending.feed(piece) for piece in pieces], ending.last()) == (expected, end)
    assert Ending(stops).whole("".join(pieces)) == "".join(expected) + end


async def test_a_stop_is_left_out_of_a_stream() -> None:
    made, _ = model(tokens("a", " E", "ND", "</s>"), "tgi", model=None, stop=["END"])
    assert "".join(made.stream("x")) == "a "
    assert [each async for each in made.astream("x", stop=["D"])] == ["a", " E", "N", ""]


def test_what_a_server_does_not_tell_is_left_out() -> None:
    answer, route = TextGenerationOutput(generated_text="a"), Route("toolkit", "http://127.0.0.1:9")
    silent, told = (
        Response(answer, 200, {}, route),
        Response(answer.model_copy(update={"usage": USAGE}), 200, {}, route),
    )
    assert result([silent], [], None).generations[0][0].generation_info is None
    assert result([told, silent], [], "org/model").llm_output == {"token_usage": {}, "model_name": "org/model"}
    assert usage(answer, {"x-prompt-tokens": "many"}) == {}
    assert last(answer, {}, "", None).generation_info is None


def test_a_whole_answer_in_the_place_of_a_stream() -> None:
    whole = {"choices": [{"index": 0, "text": "ab", "finish_reason": "length"}], "usage": USAGE}
    made, _ = model(httpx.Response(200, json=whole))
    chunks = [*made._stream("x")]
    assert [each.text for each in chunks] == ["ab", ""]
    told = {"finish_reason": "length", "token_usage": USAGE, "model_name": "org/model"}
    assert chunks[-1].generation_info == told


def test_streams_in_several_event_loops() -> None:
    made, _ = model(completion("a", "b"))

    async def read() -> str:
        return "".join([each async for each in made.astream("x")])

    assert [asyncio.run(read()) for _ in range(3)] == ["ab"] * 3


async def test_a_stream_may_be_left_early() -> None:
    made, bodies = model(completion("a", "b"))
    for piece in made.stream("x"):
        assert piece == "a"
        break
    async for piece in made.astream("x"):
        assert piece == "a"
        break
    assert len(bodies) == 2
