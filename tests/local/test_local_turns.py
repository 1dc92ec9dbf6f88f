"""Conversations and forms as the chat model is shown them. No engine runs."""

from __future__ import annotations

from typing import Any

import pytest

from hf_tools.local.answers import ANSWER_TOKENS, chat_body
from hf_tools.local.formats import limited, shown
from hf_tools.local.tools import Toolbox, planned
from hf_tools.local.turns import ASK, LONG, asked, nearest, readable, results

MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "Add 12 and 30."}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "add_up", "arguments": "{}"}}
ANSWERED: list[dict[str, Any]] = [
    *MESSAGES,
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "42"},
]
ADD: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "integer", "description": "the first"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
}


def chat_with(**change: Any) -> dict[str, Any]:
    found = planned({"messages": MESSAGES, **change})
    assert isinstance(found, dict)
    return found


def test_calls_and_results_are_told_in_words() -> None:
    assert readable(ANSWERED) == [
        *MESSAGES,
        {"role": "assistant", "content": "I will use add up."},
        {"role": "user", "content": f"The result is: 42\n{ASK}"},
    ]


def test_several_results_are_one_turn_with_the_names_of_their_tools() -> None:
    calls = [CALL, CALL | {"id": "call_2", "function": {"name": "divide"}}]
    parts = [{"type": "text", "text": "6"}]
    messages = [
        {"role": "assistant", "content": "Let me see.", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
        {"role": "tool", "tool_call_id": "call_2", "content": parts},
        {"role": "tool", "tool_call_id": "other", "content": "?"},
        {"role": "user", "content": "Thanks"},
    ]
    told = "The result of add up is: 42\nThe result of divide is: 6\nThe result of a tool is: ?"
    assert readable(messages) == [
        {"role": "assistant", "content": "Let me see."},
        {"role": "user", "content": f"{told}\nTell me the results in one sentence."},
        {"role": "user", "content": "Thanks"},
    ]


@pytest.mark.parametrize("messages", [None, "text", ["text"], [], MESSAGES])
def test_messages_without_tools_are_as_they_came(messages: Any) -> None:
    assert readable(messages) == messages


def test_what_the_user_asked_and_what_came_of_it() -> None:
    parts = {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}
    assert asked([parts, {"role": "assistant", "content": "x"}]) == "one\ntwo"
    assert asked([parts, *MESSAGES], last=2) == "one\ntwo\nAdd 12 and 30."
    assert asked([{"role": "system", "content": "x"}]) == ""
    assert results(ANSWERED) == ["42"]
    assert results([*ANSWERED, *MESSAGES]) == []


def test_of_a_long_result_the_lines_nearest_to_the_question_are_told() -> None:
    lines = [f"Line {place} of nothing at all, to fill the page" for place in range(8)]
    text = "\n".join([lines[0], "Total due: 781.50", *lines[1:], "Paid in total: 3. Thanks."])
    assert nearest("What is the total of total.txt?", text) == "Total due: 781.50\nPaid in total: 3."
    assert nearest("Where is it?", text) == text
    assert nearest("Which lines.txt?", text) == text
    assert nearest("What is the total?", text[:LONG]) == text[:LONG]
    told = [{"role": "user", "content": "What is due?"}, ANSWERED[1], {**ANSWERED[2], "content": text}]
    assert readable(told)[-1] == {"role": "user", "content": f"The result is: Total due: 781.50\n{ASK}"}  # type: ignore[index]


def test_a_result_is_told_at_temperature_0_unless_the_request_says_otherwise() -> None:
    assert chat_with(messages=ANSWERED)["temperature"] == 0
    assert chat_with(messages=ANSWERED, temperature=0.7)["temperature"] == 0.7
    assert "temperature" not in chat_with(messages=[*ANSWERED, *MESSAGES])


FORM: dict[str, Any] = {"type": "json_schema", "json_schema": {"name": "sum", "schema": ADD}}


def test_the_fields_of_a_form_are_shown_to_the_model() -> None:
    note = "Reply with JSON of these fields:\n- a (integer): the first\n- b (integer)"
    assert shown(MESSAGES, FORM) == [{"role": "system", "content": note}, *MESSAGES]
    system = {"role": "system", "content": "Be short."}
    assert shown([system, *MESSAGES], FORM) == [{"role": "system", "content": f"Be short.\n\n{note}"}, *MESSAGES]
    assert chat_with(response_format=FORM)["messages"][0] == {"role": "system", "content": note}
    tools = [{"type": "function", "function": {"name": "add_up"}}]
    found = planned({"messages": MESSAGES, "tools": tools, "response_format": FORM})
    assert isinstance(found, Toolbox)
    assert found.chat["messages"][0] == {"role": "system", "content": note}


@pytest.mark.parametrize("form", [None, {"type": "json_object"}, {"type": "json_schema"}, "json", 3])
def test_other_forms_change_nothing(form: Any) -> None:
    assert shown(MESSAGES, form) == MESSAGES
    assert limited(form) == form
    assert shown("no list", FORM) == "no list"


def test_a_form_is_bounded_where_the_request_has_no_limit() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "string"}}}
    body = {"messages": MESSAGES, "response_format": form}
    found = chat_body(body)
    assert found["max_tokens"] == ANSWER_TOKENS
    assert found["response_format"]["json_schema"] == {"name": "x", "schema": {"type": "string", "maxLength": 200}}
    assert chat_body({**body, "max_completion_tokens": 900})["response_format"] == form
