"""Requests with tools: what is checked, what is picked, what llama.cpp is asked and what is made of its answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hf_tools.local.answers import Refused
from hf_tools.local.calls import Fill, completion, empty, events, fill, refused
from hf_tools.local.embed import Embedder
from hf_tools.local.schemas import LONGEST_TEXT
from hf_tools.local.tools import Function, Toolbox, planned

ADD: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "integer", "description": "the first"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
}
MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "Add 12 and 30."}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "add_up", "arguments": "{}"}}
ANSWERED: list[dict[str, Any]] = [
    *MESSAGES,
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "42"},
]


def tool(name: str = "add_up", **about: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": ADD, **about}}


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def box(**change: Any) -> Toolbox:
    found = planned({"messages": MESSAGES, "tools": [tool(), tool("divide")], **change})
    assert isinstance(found, Toolbox)
    return found


def plain(**change: Any) -> dict[str, Any]:
    found = planned({"messages": MESSAGES, "tools": [tool()], **change})
    assert isinstance(found, dict)
    return found


def a_fill(parameters: dict[str, Any] | None = None, /, **body: Any) -> Fill:
    return fill(Function("add_up", "Adds.\n\nArgs: a, b", parameters or ADD), {"messages": MESSAGES, **body})


def written(content: str | None, reason: str = "stop") -> dict[str, Any]:
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": content}}
    return {"id": "chatcmpl-1", "created": 5, "model": "m", "usage": usage, "timings": {}, "choices": [choice]}


@pytest.mark.parametrize(
    ("change", "names", "forced"),
    [
        ({}, ["add_up", "divide"], False),
        ({"tool_choice": "auto", "parallel_tool_calls": True}, ["add_up", "divide"], False),
        ({"tool_choice": "required", "n": 1}, ["add_up", "divide"], True),
        ({"tool_choice": named("divide")}, ["divide"], True),
        ({"tool_choice": "required", "messages": ANSWERED}, ["divide"], True),
        ({"tool_choice": "required", "messages": ANSWERED, "tools": [tool()]}, ["add_up"], True),
        ({"tool_choice": "required", "messages": [*ANSWERED, *MESSAGES]}, ["add_up", "divide"], True),
    ],
)
def test_who_may_be_called(change: dict[str, Any], names: list[str], forced: bool) -> None:
    found = box(**change)
    assert ([one.name for one in found.functions], found.forced) == (names, forced)
    assert found.chat.keys() & {"tools", "tool_choice", "parallel_tool_calls"} == set()


@pytest.mark.parametrize(
    "change",
    [{"tool_choice": "none", "n": 2}, {"tools": []}, {"tools": None}, {"messages": ANSWERED}, {"tools": None, "n": 2}],
)
def test_when_nobody_may_be_called_it_is_a_plain_chat(change: dict[str, Any]) -> None:
    assert "tools" not in plain(temperature=1, **change)


def test_only_one_forced_tool_needs_no_choosing() -> None:
    assert box(tool_choice=named("divide")).sole == Function("divide", "", ADD)
    assert box(tool_choice="required", tools=[tool()]).sole is not None
    assert box(tool_choice="required").sole is None
    assert box(tools=[tool()]).sole is None


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"tools": {}}, 400, "tools: must be a list"),
        ({"tools": ["add"]}, 400, 'tools[0]: must be {"type": "function", "function": {"name": ...}}'),
        ({"tools": [{"type": "function"}]}, 400, 'tools[0]: must be {"type": "function", "function": {"name": ...}}'),
        (
            {"tools": [{"type": "web_search"}]},
            422,
            "tools[0]: the embedded backend calls functions only, not 'web_search'",
        ),
        ({"tools": [tool(), tool("")]}, 400, "tools[1]: the function needs a name"),
        ({"tools": [tool(description=1)]}, 400, "The tool 'add_up': its description must be a text"),
        ({"tools": [tool(parameters=[])]}, 400, "The tool 'add_up': its parameters must be a JSON schema"),
        (
            {"tools": [tool(parameters={"type": "array"})]},
            422,
            "The tool 'add_up': its parameters must be the schema of an object",
        ),
        ({"tools": [tool(), tool()]}, 400, "tools: there are two of the name 'add_up'"),
        ({"tools": None, "tool_choice": "required"}, 400, "tool_choice: required, and there are no tools"),
        ({"tool_choice": named("no")}, 400, "tool_choice: there is no tool 'no'; there are ['add_up', 'divide']"),
        ({"n": 2}, 422, "n: the embedded backend writes one answer where it may call tools"),
        ({"n": 2, "messages": ANSWERED}, 422, "n: the embedded backend writes one answer where it may call tools"),
    ],
)
def test_what_is_refused(change: dict[str, Any], status: int, says: str) -> None:
    with pytest.raises(Refused) as caught:
        box(**change)
    assert (caught.value.status, caught.value.message) == (status, says)


@pytest.mark.parametrize("choice", ["any", {"type": "function"}, {"type": "tool", "function": {"name": "add_up"}}, 3])
def test_other_forms_of_choice_are_refused(choice: Any) -> None:
    with pytest.raises(Refused, match=r"^tool_choice: must be none, auto, required or \{"):
        box(tool_choice=choice)


def test_the_nearest_tool_is_picked_and_none_where_all_are_far(embedder: Embedder) -> None:
    tools = [tool(description="Adds two numbers."), tool("send_email", description="Sends an e-mail.")]
    assert box(tools=tools).pick(embedder) == Function("add_up", "Adds two numbers.", ADD)
    joke = [{"role": "user", "content": "Who was Napoleon?"}]
    assert box(tools=tools, messages=joke).pick(embedder) is None
    assert box(tools=tools, messages=joke, tool_choice="required").pick(embedder) is not None


def test_a_label_is_the_name_in_words_and_the_first_paragraph() -> None:
    assert Function("get_weather", "  The\n weather.\n\n    Args:\n  city", {}).label == "get weather: The weather."
    assert Function("get_weather", "", {}).label == "get weather"


def test_a_name_that_is_spoken_counts_by_its_share() -> None:
    assert Function("send_email", "", {}).spoken("Email Bob") == 0.5
    assert Function("sendEmail", "", {}).spoken("Please send an email") == 1
    assert Function("send_email", "", {}).spoken("emails") == 0
    assert Function("f", "", {}).spoken("f") == 0


def test_a_request_for_arguments_has_the_schema_and_the_callers_sampling() -> None:
    call = a_fill(seed=3, temperature=0.5, max_tokens=7, stop=["x"], logprobs=True, tools=[1], top_p=None)
    assert call.body is not None
    schema = call.body["response_format"]["json_schema"]["schema"]
    assert schema["properties"] == {"a": {"enum": [12, 30]}, "b": {"enum": [12, 30]}}
    assert {**call.body, "messages": 0, "response_format": 0} == {
        "seed": 3, "temperature": 0.5, "max_tokens": 7, "messages": 0, "response_format": 0,
    }  # fmt: skip
    last = "Function add_up: Adds.\n- a (integer): the first\n- b (integer)\nMessage: Add 12 and 30."
    assert call.body["messages"][-1] == {"role": "user", "content": last}
    assert a_fill().body is not None
    assert (a_fill().body or {})["temperature"] == 0


@pytest.mark.parametrize("parameters", [{"type": "object"}, {"type": "object", "properties": {}}, {"title": "None"}])
def test_a_tool_without_parameters_asks_nothing(parameters: dict[str, Any]) -> None:
    assert a_fill(parameters).body is None


def test_a_tool_whose_optional_parameters_are_not_spoken_of_asks_nothing() -> None:
    assert a_fill({"type": "object", "properties": {"flag": {"type": "boolean"}}}).body is None


def test_numbers_that_the_last_words_lack_are_looked_for_before() -> None:
    before = [{"role": "user", "content": "My orders are 7 and 8."}, {"role": "assistant", "content": "Which?"}]
    assert a_fill(messages=[*before, *MESSAGES]).message == "Add 12 and 30."
    last = {"role": "user", "content": "Add them"}
    assert a_fill(messages=[*before, last]).message == "My orders are 7 and 8.\nAdd them"


def test_results_since_the_user_spoke_belong_to_what_is_copied() -> None:
    assert a_fill(messages=ANSWERED).message == "Add 12 and 30.\n42"


def test_a_completion_has_one_call_with_compact_arguments() -> None:
    whole = completion(a_fill(), written('{\n  "a": 12,\n  "b": "é"\n}'))
    (choice,) = whole["choices"]
    (call,) = choice["message"].pop("tool_calls")
    assert call.pop("id").startswith("call_")
    assert call == {"type": "function", "function": {"name": "add_up", "arguments": '{"a": 12, "b": "é"}'}}
    assert choice == {
        "index": 0, "message": {"role": "assistant", "content": None}, "logprobs": None, "finish_reason": "tool_calls",
    }  # fmt: skip
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    about = {"id": "chatcmpl-1", "created": 5, "model": "m", "usage": usage, "object": "chat.completion"}
    assert {**whole, "choices": 0} == {**about, "choices": 0}


def test_ids_of_calls_differ() -> None:
    one, other = (completion(a_fill(), written("{}"))["choices"][0]["message"]["tool_calls"][0]["id"] for _ in "ab")
    assert one != other


@pytest.mark.parametrize(
    ("content", "arguments"),
    [
        ('{"a": 12, "b', '{"a": 12, "b'),
        (None, ""),
        (f'{{"a": "{"x" * (LONGEST_TEXT + 1)}"}}\n', f'{{"a": "{"x" * (LONGEST_TEXT + 1)}"'),
    ],
)
def test_arguments_that_were_cut_off_stay_as_they_are(content: str | None, arguments: str) -> None:
    (choice,) = completion(a_fill(), written(content, "length"))["choices"]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == arguments


def test_half_of_a_surrogate_pair_stays_an_escape() -> None:
    (choice,) = completion(a_fill(), written('{"a": "\\ud800 é"}'))["choices"]
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == '{"a": "\\ud800 \\u00e9"}'


def test_no_arguments_cost_no_tokens() -> None:
    whole = completion(a_fill(), empty())
    assert whole["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == "{}"
    assert whole["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert whole["created"] > 1_700_000_000


@pytest.mark.parametrize("usage", [True, False])
def test_a_stream_has_the_name_the_arguments_the_end_and_the_usage_if_asked_for(usage: bool) -> None:
    call = a_fill(stream=True, stream_options={"include_usage": usage})
    told = b"".join(events(call, completion(call, written('{"a": 12}')))).decode().split("\n\n")
    assert told[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in told[:-2]]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk["id"] for chunk in chunks} == {"chatcmpl-1"}
    first, second, third = (chunk["choices"][0] for chunk in chunks[:3])
    (begun,) = first["delta"].pop("tool_calls")
    assert first == {"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}
    assert begun.pop("id").startswith("call_")
    assert begun == {"index": 0, "type": "function", "function": {"name": "add_up", "arguments": ""}}
    assert second["delta"] == {"tool_calls": [{"index": 0, "function": {"arguments": '{"a": 12}'}}]}
    assert (third["delta"], third["finish_reason"]) == ({}, "tool_calls")
    rest = [{"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}] if usage else []
    assert [chunk["usage"] for chunk in chunks[3:] if chunk["choices"] == []] == rest
    assert len(chunks) == 3 + len(rest)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            {"error": {"message": "No. Automatic parser generation failed: unrecognized type foo"}},
            "unrecognized type foo",
        ),
        ({"error": {"message": "request (9 tokens) exceeds the context"}}, "request (9 tokens) exceeds the context"),
        ({"error": "Unauthorized"}, "Unauthorized"),
        (None, "no reason given"),
    ],
)
def test_what_llama_cpp_refuses_names_the_tool(body: Any, reason: str) -> None:
    error = refused(a_fill(), 400, body)
    assert error.status == 400
    assert error.message == f"llama.cpp cannot fill the arguments of the tool 'add_up': {reason}"
