"""The recorded exchanges of real servers through LangChain, blocking and awaited.

A request must be the recorded one byte by byte, so that LangChain sends what the core sends.
"""

from __future__ import annotations

from typing import Any

import pytest

from hf_tools.errors import HfError
from hf_tools.tasks.chat import ChatCompletion
from langchain_hf_tools import ChatHfInference
from tests.live.case import Case, check, check_awaited
from tests.live.cases import CALL, CASES, CHAT, QUESTION, WHICH, Capital
from tests.live.servers import CHAT_MODEL, SERVERS
from tests.live.tape import cassette
from tests.live.through_langchain import ask, ask_awaited, has

NOT_RECORDED = "CannotOverwriteExistingCassetteException"
URL = SERVERS[CHAT].url

every_case = pytest.mark.parametrize("case", [*filter(has, CASES)], ids=lambda case: case.id)


def model(**more: Any) -> ChatHfInference:
    fields: dict[str, Any] = {"temperature": 0, "max_tokens": 32, "max_retries": 0, **more}
    return ChatHfInference(model=CHAT_MODEL, base_url=URL, server="openai", **fields)


def get_weather(city: str) -> str:
    """Get the current weather in a city"""
    return f"sunny in {city}"


@every_case
def test_replayed(case: Case) -> None:
    with cassette(case.id) as tape:
        check(case, lambda: ask(case, SERVERS[case.server].url))
    assert tape.all_played


@every_case
async def test_replayed_awaited(case: Case) -> None:
    with cassette(case.id) as tape:
        await check_awaited(case, ask_awaited(case, SERVERS[case.server].url))
    assert tape.all_played


def test_an_object_of_a_class() -> None:
    with cassette(f"{CHAT}/schema") as tape, model() as chat:
        found = chat.with_structured_output(Capital, method="json_schema").invoke(WHICH)
    assert found == Capital(country="France", capital="Paris")
    assert tape.all_played


async def test_an_object_of_a_class_awaited() -> None:
    with cassette(f"{CHAT}/schema") as tape:
        async with model() as chat:
            found: Any = await chat.with_structured_output(Capital, method="json_schema", include_raw=True).ainvoke(
                WHICH
            )
    assert (found["parsed"], found["parsing_error"]) == (Capital(country="France", capital="Paris"), None)
    assert found["raw"].usage_metadata["output_tokens"] > 0
    assert tape.all_played


def test_a_function_as_a_tool() -> None:
    with cassette(f"{CHAT}/tool-call") as tape, model(max_tokens=96) as chat:
        message = chat.bind_tools([get_weather], tool_choice="any").invoke(CALL)
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("get_weather", {"city": "Paris"})] * 2
    assert len({call["id"] for call in message.tool_calls}) == 2
    assert message.invalid_tool_calls == []
    assert tape.all_played


def test_a_call_that_was_cut_off_is_not_valid() -> None:
    with cassette(f"{CHAT}/tool-call-cut-off") as tape, model(max_tokens=14) as chat:
        message = chat.bind_tools([get_weather], tool_choice="any").invoke(CALL)
    assert message.tool_calls == []
    assert [call["name"] for call in message.invalid_tool_calls] == ["get_weather"]
    assert tape.all_played


@pytest.mark.parametrize("change", [{"temperature": 0.1}, {"max_tokens": 33}, {"stop": ["\n"]}])
def test_another_request_is_not_answered(change: dict[str, Any]) -> None:
    refused = pytest.raises(HfError, match=NOT_RECORDED)
    with cassette(f"{CHAT}/whole") as tape, model(**{"stop": ["\n\n"], **change}) as chat, refused:
        chat.invoke(QUESTION)
    assert tape.play_count == 0


def test_a_question_in_other_words_is_not_answered() -> None:
    other = [{**QUESTION[0], "content": QUESTION[0]["content"] + " "}]
    refused = pytest.raises(HfError, match=NOT_RECORDED)
    with cassette(f"{CHAT}/whole") as tape, model(stop=["\n\n"]) as chat, refused:
        chat.invoke(other)
    assert tape.play_count == 0


def test_what_langchain_has_is_replayed() -> None:
    left = {type(case.task).__name__ for case in CASES if not has(case)}
    assert left == {"ZeroShotClassification"}
    assert any(isinstance(case.task, ChatCompletion) for case in filter(has, CASES))
