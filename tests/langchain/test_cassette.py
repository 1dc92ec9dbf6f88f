"""One recording of a llama.cpp server, replayed by the core and by LangChain, blocking and awaited.

A request must be the recorded one byte by byte, so all four surfaces send the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from hf_tools import AsyncHfInference, HfInference
from hf_tools.errors import HfError
from hf_tools.tasks.chat import ChatCompletionOutput
from langchain_hf_tools import ChatHfInference
from tests.live.record import ARGUMENTS, QUESTION, URL, cassette

MESSAGES = [{"role": "user", "content": QUESTION}]
NOT_RECORDED = "CannotOverwriteExistingCassetteException"
ANSWER = "The capital of France is Paris."


@pytest.fixture
def tape() -> Iterator[Any]:
    with cassette("llama_cpp_chat") as played:
        yield played


@pytest.fixture
def model() -> ChatHfInference:
    return ChatHfInference(base_url=URL, server="openai", max_retries=0, **ARGUMENTS)


def same(answer: ChatCompletionOutput) -> None:
    assert answer.text == ANSWER
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == ARGUMENTS["model"]


def same_message(message: AIMessage) -> None:
    assert message.content == ANSWER
    assert message.response_metadata["model_name"] == ARGUMENTS["model"]
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.response_metadata["model_provider"] == "huggingface"
    usage = message.usage_metadata
    assert usage is not None
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"] > 20


def test_blocking(tape: Any) -> None:
    with HfInference(token=False) as hf:
        endpoint = hf.endpoint(URL, server="openai")
        whole = endpoint.chat_completion(MESSAGES, **ARGUMENTS)
        with endpoint.chat_completion_stream(MESSAGES, **ARGUMENTS) as stream:
            parts = list(stream)
    same(whole)
    same(stream.final)
    assert "".join(part.text for part in parts) == ANSWER
    assert len(parts) > 5
    assert whole.usage is not None
    assert stream.usage["completion_tokens"] == whole.usage.completion_tokens
    assert tape.all_played


async def test_awaited(tape: Any) -> None:
    async with AsyncHfInference(token=False) as hf:
        endpoint = hf.endpoint(URL, server="openai")
        same(await endpoint.chat_completion(MESSAGES, **ARGUMENTS))
        async with endpoint.chat_completion_stream(MESSAGES, **ARGUMENTS) as stream:
            text = "".join([part.text async for part in stream])
    same(stream.final)
    assert text == ANSWER
    assert tape.all_played


def test_langchain_blocking(tape: Any, model: ChatHfInference) -> None:
    same_message(model.invoke(QUESTION))
    chunks = list(model.stream(QUESTION))
    whole = added_up(chunks)
    same_message(whole)
    assert len(chunks) > 5
    assert tape.all_played


async def test_langchain_awaited(tape: Any, model: ChatHfInference) -> None:
    same_message(await model.ainvoke(QUESTION))
    same_message(added_up([chunk async for chunk in model.astream(QUESTION)]))
    assert tape.all_played


def added_up(chunks: list[Any]) -> AIMessageChunk:
    whole: AIMessageChunk = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    return whole


@pytest.mark.parametrize("change", [{"temperature": 0.1}, {"max_tokens": 33}, {"stop": ["\n"]}])
def test_another_request_is_not_answered(tape: Any, change: dict[str, Any]) -> None:
    model = ChatHfInference(base_url=URL, server="openai", max_retries=0, **{**ARGUMENTS, **change})
    with pytest.raises(HfError, match=NOT_RECORDED):
        model.invoke(QUESTION)
    assert tape.play_count == 0


def test_a_question_in_other_words_is_not_answered(tape: Any, model: ChatHfInference) -> None:
    with pytest.raises(HfError, match=NOT_RECORDED):
        model.invoke(QUESTION + " ")
    assert tape.play_count == 0
