"""Chat completion: what is written for each server, what is read, what is refused. Its stream: tests/streaming."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hf_tools.errors import HfError, InputError, ResponseError, ShapeError
from hf_tools.task import Body, Reply, Route, Server, Task
from hf_tools.tasks.chat import ChatCompletion, ChatCompletionOutput, ChatMessage

Encode = Callable[[Task[Any], Server], Body]
Written = Callable[[Task[Any], Server], tuple[str, Any]]
Made = Callable[[Any], Reply]

PATH = "/v1/chat/completions"
HI = [{"role": "user", "content": "Hi"}]
SERVERS: list[Server] = ["router", "hf-inference", "tgi", "openai"]
URL = "https://server.test"


@pytest.mark.parametrize("server", SERVERS)
def test_the_bytes_of_a_plain_chat(server: Server, encode: Encode) -> None:
    body = encode(ChatCompletion(HI), server)
    assert body == Body(
        b'{"model":"served","messages":[{"role":"user","content":"Hi"}]}', "application/json", PATH, "*/*"
    )
    streamed = ChatCompletion(HI, max_tokens=5).encode(Route(server, URL, "served", stream=True))
    assert streamed.content == (
        b'{"model":"served","messages":[{"role":"user","content":"Hi"}],'
        b'"stream":true,"stream_options":{"include_usage":true},"max_tokens":5}'
    )


def test_without_a_model() -> None:
    others: list[Server] = ["router", "tgi", "openai"]
    for server in others:
        content = ChatCompletion(HI).encode(Route(server, URL)).content
        assert content == b'{"messages":[{"role":"user","content":"Hi"}]}'
    with pytest.raises(InputError) as caught:
        ChatCompletion(HI).encode(Route("hf-inference", URL))
    assert str(caught.value) == (
        "chat_completion: hf-inference cannot carry a chat without a model (task chat-completion). Pass model=..."
    )


TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
}
EVERYTHING: dict[str, Any] = {
    "frequency_penalty": -0.5, "logit_bias": {"50256": -100.0}, "logprobs": True, "max_tokens": 4096, "n": 2,
    "presence_penalty": 0.5, "reasoning_effort": "low", "response_format": {"type": "text"},
    "seed": 9313781139405380000,
    "stop": ["\n", "END"], "stream_options": {"include_usage": False}, "temperature": 0.0, "tool_choice": "auto",
    "tool_prompt": "Tools:", "tools": [TOOL], "top_logprobs": 5, "top_p": 1.0,
}  # fmt: skip
BEYOND: dict[str, Any] = {"min_p": 0.0, "parallel_tool_calls": False, "repetition_penalty": 1.1, "top_k": -1}
"""What servers take beyond Hugging Face's specification."""


@pytest.mark.parametrize("server", SERVERS)
def test_every_parameter(server: Server, written: Written) -> None:
    path, body = written(ChatCompletion(HI, **EVERYTHING, **BEYOND), server)
    assert path == PATH
    assert body == {"model": "served", "messages": HI, **EVERYTHING, **BEYOND}
    assert list(body)[:2] == ["model", "messages"]


def test_the_input_spec_knows_what_is_written(written: Written, spec: Callable[[str, str], Any]) -> None:
    _, body = written(ChatCompletion(HI, **EVERYTHING), "router")
    known = spec("chat-completion", "input").schema["properties"]
    assert body.keys() <= known.keys()
    assert known.keys() - body.keys() == {"stream"}


SCHEMA = {"type": "object", "properties": {"a": {"type": ["string", "null"], "default": None, "enum": ["x", None]}}}
OPENAI_FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
TGI_FORM = {"type": "json_object", "value": SCHEMA}
SAME: list[dict[str, Any]] = [
    {"type": "text"},
    {"type": "json_object"},
    {"type": "json_object", "value": SCHEMA},
    {"type": "json", "value": SCHEMA},
    {"type": "regex", "value": "[0-9]+"},
    {"type": "json_schema", "json_schema": {"name": "no schema"}},
    {"type": "json_schema", "json_schema": "text"},
    {"type": "json_schema", "schema": SCHEMA},
]


@pytest.mark.parametrize(("server", "form"), [
    ("router", OPENAI_FORM), ("openai", OPENAI_FORM), ("hf-inference", TGI_FORM), ("tgi", TGI_FORM),
])  # fmt: skip
def test_the_response_format(server: Server, form: Any, written: Written) -> None:
    assert written(ChatCompletion(HI, response_format=OPENAI_FORM), server)[1]["response_format"] == form
    for same in SAME:
        assert written(ChatCompletion(HI, response_format=same), server)[1]["response_format"] == same


def test_stop_may_be_one_text(written: Written) -> None:
    assert written(ChatCompletion(HI, stop="END"), "tgi")[1]["stop"] == ["END"]
    assert written(ChatCompletion(HI, stop=["END"]), "tgi")[1]["stop"] == ["END"]


def test_more_fields_of_the_request(written: Written) -> None:
    extra = {"top_q": 5, "chat_template_kwargs": {"thinking": None}}
    assert written(ChatCompletion(HI, extra_body=extra), "openai")[1] == {"model": "served", "messages": HI, **extra}
    options = {"stream_options": None}
    for task in (ChatCompletion(HI, extra_body=options), ChatCompletion(HI, stream_options={}, extra_body=options)):
        content = task.encode(Route("openai", URL, stream=True)).content
        assert json.loads(content) == {"messages": HI, "stream": True, "stream_options": None}
    own = ChatCompletion(HI, stream_options={"include_usage": False}).encode(Route("tgi", URL, stream=True))
    assert json.loads(own.content)["stream_options"] == {"include_usage": False}


def test_a_large_output_is_not_sent_twice() -> None:
    assert [ChatCompletion(HI, max_tokens=count).costly for count in (None, 0, 4096, 4097)] == [
        False,
        False,
        False,
        True,
    ]


CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": null}'}}
CONVERSATION: list[dict[str, Any]] = [
    {"role": "system", "content": ""},
    {"role": "user", "name": "Ann", "content": [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}},
    ]},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "[]"},
    {"role": "assistant", "tool_calls": [CALL]},
    {"role": "user", "content": None},
]  # fmt: skip


@pytest.mark.parametrize("server", SERVERS)
def test_cases_54_and_55_nulls_are_kept(server: Server, written: Written) -> None:
    tools = [{"type": "function", "function": {"name": "f", "strict": None, "parameters": SCHEMA}}]
    _, body = written(ChatCompletion(CONVERSATION, tools=tools), server)
    assert body == {"model": "served", "messages": CONVERSATION, "tools": tools}
    assert body["messages"][2]["content"] is None
    assert "content" not in body["messages"][4]


def test_an_answer_goes_back_as_a_message(reply: Made, written: Written) -> None:
    message = {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning": "Hm", "refusal": None}
    answer = ChatCompletion(HI).decode(reply({"choices": [{"message": message}]}))
    plain = ChatMessage(content="Two")
    bare = ChatMessage.model_validate({"tool_calls": None, "content": ""})
    _, body = written(ChatCompletion([*HI, answer.message, plain, bare]), "router")
    assert body["messages"] == [
        *HI, message, {"role": "assistant", "content": "Two"}, {"role": "assistant", "content": ""},
    ]  # fmt: skip


def test_text_that_is_no_unicode_is_an_input_error(encode: Encode) -> None:
    with pytest.raises(InputError, match="the arguments cannot be written as JSON"):
        encode(ChatCompletion([{"role": "user", "content": "\ud800"}]), "router")


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    ([], {}, "chat_completion: `messages` = []: must not be empty"),
    ("Hi", {}, "chat_completion: `messages` = 'Hi': 'str' instances are not allowed as a Sequence value"),
    ([{"content": "Hi"}], {}, "message 0 needs a role: system, user, assistant or tool"),
    ([*HI, {"role": "", "content": "Hi"}], {}, "message 1 needs a role: system, user, assistant or tool"),
    ([*HI, {"role": 5, "content": "Hi"}], {}, "message 1 needs a role: system, user, assistant or tool"),
    ([*HI, {"role": "assistant"}], {}, "message 1 needs content or tool_calls"),
    ([*HI, {"role": "assistant", "tool_calls": []}], {}, "message 1 needs content or tool_calls"),
    (HI, {"max_tokens": -1}, "chat_completion: `max_tokens` = -1: Input should be greater than or equal to 0"),
    (HI, {"temperature": float("nan")}, "chat_completion: `temperature` = nan: Input should be a finite number"),
    (HI, {"top_p": 1.5}, "chat_completion: `top_p` = 1.5: Input should be less than or equal to 1"),
    (HI, {"n": 0}, "chat_completion: `n` = 0: Input should be greater than 0"),
    (HI, {"top_logprobs": 2, "logprobs": False}, "`top_logprobs` needs `logprobs=True`"),
    (HI, {"tool_choice": "auto"}, "`tool_choice` needs `tools`"),
    (HI, {"tool_choice": "auto", "tools": []}, "`tool_choice` needs `tools`"),
    (
        HI,
        {"stream": True},
        "chat_completion: `stream` is not a parameter: call chat_completion_stream(...) for a stream",
    ),
    (HI, {"parallel_tool_calls": True}, "`parallel_tool_calls` needs `tools`"),
    (HI, {"top_q": 5}, "`top_q` is not a parameter of this task; it takes messages, model, frequency_penalty,"),
]


@pytest.mark.parametrize(("messages", "parameters", "message"), REFUSED, ids=[str(row[1] or row[0]) for row in REFUSED])
def test_refused(messages: Any, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        ChatCompletion(messages, **parameters)
    assert message in caught.value.message


def test_large_but_allowed() -> None:
    assert ChatCompletion(HI, max_tokens=100_000, temperature=5, n=20, seed=2**70, top_logprobs=20).seed == 2**70


# answers


def message(**values: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": values, "finish_reason": "stop"}]}


def test_the_recordings(recording: Callable[[str], list[dict[str, Any]]], spec: Callable[[str, str], Any]) -> None:
    found: dict[str, list[ChatCompletionOutput]] = {}
    for case in ("no_stream", "with_non_tgi", "with_response_format", "with_tool"):
        for exchange in recording(f"chat_completion_{case}"):
            task = ChatCompletion(exchange["request"]["body"]["messages"])
            found.setdefault(case, []).append(task.decode(exchange["reply"]))
    [plain], [other], [form] = found["no_stream"], found["with_non_tgi"], found["with_response_format"]
    assert plain.text == (
        "Deep learning is a subfield of machine learning that focuses on training artificial neural networks with "
        "multiple layers of"
    )
    assert (plain.id, plain.created, plain.model) == ("", 1710439510.0, "HuggingFaceH4/zephyr-7b-beta")
    assert plain.system_fingerprint == "1.4.3-sha-e6bb3ff"
    assert (plain.choices[0].finish_reason, plain.choices[0].index, plain.choices[0].logprobs) == ("length", 0, None)
    assert plain.usage is not None
    assert plain.usage.model_dump() == {"prompt_tokens": 47, "completion_tokens": 20, "total_tokens": 67}
    assert (other.text, other.choices[0].finish_reason) == (
        "What does deep learning have to do with anything?", "eos_token",
    )  # fmt: skip
    assert json.loads(form.text) == {
        "activity": "bike ride", "animals": ["puppy", "cat", "raccoon"], "animals_seen": 3, "location": "park",
    }  # fmt: skip
    calls = [answer.message.tool_calls for answer in found["with_tool"]]
    assert [[(call.id, call.type, call.function.name, call.function.arguments) for call in each] for each in calls] == [
        [("0", "function", "get_n_day_weather_forecast",
          '{"format": "fahrenheit", "location": "San Francisco, CA", "num_days": 3}')],
        [("0", "function", "get_current_weather", '{"format": "fahrenheit", "location": "San Francisco, CA"}')],
    ]  # fmt: skip
    assert [answer.message.content for answer in found["with_tool"]] == [None, None]
    assert [answer.text for answer in found["with_tool"]] == ["", ""]


def test_the_output_spec_is_understood(spec: Callable[[str, str], Any], reply: Made) -> None:
    value = {
        "choices": [{
            "finish_reason": "stop", "index": 0,
            "message": {"role": "assistant", "content": "a", "reasoning": "b"},
        }],
        "created": 1706270835, "id": "", "model": "m", "system_fingerprint": "f",
        "usage": {"completion_tokens": 1, "prompt_tokens": 2, "total_tokens": 3},
    }  # fmt: skip
    spec("chat-completion", "output").validate(value)
    answer = ChatCompletion(HI).decode(reply(value))
    assert (answer.text, answer.message.reasoning) == ("a", "b")


VARIATIONS: list[tuple[str, Any, Callable[[ChatCompletionOutput], Any], Any]] = [
    ("id-empty", {"id": "", **message(content="a")}, lambda a: a.id, ""),
    ("id-missing", message(content="a"), lambda a: a.id, None),
    ("id-number", {"id": 7, **message(content="a")}, lambda a: a.id, "7"),
    ("object", {"object": "text", **message(content="a")}, lambda a: getattr(a, "object", None), "text"),
    ("fingerprint-null", {"system_fingerprint": None, **message(content="a")}, lambda a: a.system_fingerprint, None),
    ("created-float", {"created": 1736953800.5, **message(content="a")}, lambda a: a.created, 1736953800.5),
    ("created-text", {"created": "1736953800", **message(content="a")}, lambda a: a.created, 1736953800.0),
    ("created-date", {"created": "2025-01-15T15:10:00Z", **message(content="a")}, lambda a: a.created, None),
    ("usage-missing", message(content="a"), lambda a: a.usage, None),
    ("usage-null", {"usage": None, **message(content="a")}, lambda a: a.usage, None),
    ("usage-odd", {"usage": [1], **message(content="a")}, lambda a: a.usage, None),
    (
        "usage-more",
        {"usage": {"prompt_tokens": 1, "completion_tokens": None, "prompt_time": 0.1, "prompt_tokens_details": {}},
         **message(content="a")},
        lambda a: a.usage and a.usage.model_dump(),
        {"prompt_tokens": 1, "completion_tokens": None, "total_tokens": None, "prompt_time": 0.1,
         "prompt_tokens_details": {}},
    ),
    *(
        (
            f"finish-{reason}",
            {"choices": [{"message": {"content": "a"}, "finish_reason": reason}]},
            lambda a: a.choices[0].finish_reason,
            reason,
        )
        for reason in (
            "stop", "eos_token", "eos", "length", "stop_sequence", "tool_calls", "content_filter", "new", None
        )
    ),
    ("finish-missing", {"choices": [{"message": {"content": "a"}}]}, lambda a: a.choices[0].finish_reason, None),
    ("content", message(content="a"), lambda a: (a.text, a.message.content), ("a", "a")),
    ("content-empty", message(content=""), lambda a: (a.text, a.message.content), ("", "")),
    ("content-null", message(content=None, tool_calls=[CALL]), lambda a: (a.text, a.message.content), ("", None)),
    ("content-absent", message(tool_calls=[CALL]), lambda a: (a.text, a.message.content), ("", None)),
    (
        "content-parts",
        message(content=[{"type": "text", "text": "a"}, {"type": "thinking"}, {"type": "text", "text": "b"}]),
        lambda a: a.text,
        "ab",
    ),
    ("role-null", message(role=None, content="a"), lambda a: a.message.role, None),
    ("index-missing", {"choices": [{"message": {}}, {"index": None, "message": {}}]}, lambda a: a.choices[1].index, 0),
    ("calls-null", message(content="a", tool_calls=None), lambda a: a.message.tool_calls, []),
    ("calls-empty", message(content="a", tool_calls=[]), lambda a: a.message.tool_calls, []),
    (
        "calls-tgi-1.4",
        message(tool_calls=[{"id": 0, "type": "function", "function": {
            "description": None, "name": "f",
            "arguments": {"format": "fahrenheit", "location": "San Francisco, CA"}}}]),
        lambda a: (a.message.tool_calls[0].id, a.message.tool_calls[0].function.arguments),
        ("0", '{"format": "fahrenheit", "location": "San Francisco, CA"}'),
    ),
    (
        "calls-tgi-3.1",
        message(tool_calls=[{"id": "0", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]),
        lambda a: (a.message.tool_calls[0].id, a.message.tool_calls[0].function.arguments),
        ("0", '{"a": 1}'),
    ),
    (
        "calls-dict",
        message(tool_calls={"function": {"name": "f"}}),
        lambda a: [(call.id, call.type, call.function.name, call.function.arguments) for call in a.message.tool_calls],
        [("", "function", "f", "{}")],
    ),
    *(
        (
            f"arguments-{value!r}",
            message(tool_calls=[{"id": None, "type": None, "function": {"name": "f", "arguments": value}}]),
            lambda a: a.message.tool_calls[0].function.arguments,
            text,
        )
        for value, text in [(None, "{}"), ("", "{}"), ("{", "{"), ([1], "[1]"), (5, "5"), ({"é": None}, '{"é": null}')]
    ),
    ("reasoning", message(content="a", reasoning="b"), lambda a: (a.text, a.message.reasoning), ("a", "b")),
    ("reasoning-content", message(content="a", reasoning_content="b"), lambda a: a.message.reasoning, "b"),
    ("reasoning-both", message(content="a", reasoning_content="b", reasoning="b"), lambda a: a.message.reasoning, "b"),
    ("reasoning-empty", message(content="a", reasoning_content="", reasoning="b"), lambda a: a.message.reasoning, "b"),
    ("reasoning-parts", message(content="a", reasoning=[{"text": "b"}]), lambda a: a.message.reasoning, "b"),
    ("reasoning-none", message(content="a"), lambda a: a.message.reasoning, None),
    ("thinking-stays", message(content="<think>\nb</think>a"), lambda a: a.text, "<think>\nb</think>a"),
    (
        "seed",
        {"choices": [{"message": {"content": "a"}, "seed": 9313781139405380000, "text": "a"}]},
        lambda a: getattr(a.choices[0], "seed", None),
        9313781139405380000,
    ),
    (
        "several",
        {"choices": [{"index": 0, "message": {"content": "a"}}, {"index": 1, "message": {"content": "b"}}]},
        lambda a: [choice.message.content for choice in a.choices],
        ["a", "b"],
    ),
    ("error-null", {"error": None, **message(content="a")}, lambda a: a.text, "a"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "value", "look", "expected"), VARIATIONS, ids=[row[0] for row in VARIATIONS])
def test_variations(
    case: str, value: Any, look: Callable[[ChatCompletionOutput], Any], expected: Any, reply: Made
) -> None:
    answer = ChatCompletion(HI).decode(reply(value))
    assert look(answer) == expected
    assert ChatCompletionOutput.model_validate(answer.model_dump()) == answer


SHAPES: list[Any] = [
    {"choices": []}, {"choices": None}, {"choices": [{}]}, {"choices": [{"message": None}]},
    {"choices": [{"message": {"tool_calls": [{"id": "1"}]}}]}, {"choices": [{"message": {"tool_calls": ["x"]}}]},
    {"choices": [{"message": {"tool_calls": "x"}}]}, [message(content="a")],
]  # fmt: skip


@pytest.mark.parametrize("value", SHAPES)
def test_another_shape(value: Any, reply: Made) -> None:
    with pytest.raises(ShapeError, match="unexpected answer: "):
        ChatCompletion(HI).decode(reply(value))


def test_broken_answers(broken: list[tuple[bytes, type[ResponseError]]], reply: Made) -> None:
    for content, kind in broken:
        with pytest.raises(kind) as caught:
            ChatCompletion(HI).decode(reply(content))
        assert type(caught.value) is kind


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_answer_is_read_or_an_error_of_ours(
    anything: Callable[..., SearchStrategy[bytes]], reply: Made, data: st.DataObject
) -> None:
    content = data.draw(anything("choices", "message", "content", "tool_calls", "function", "usage", "id", "reasoning"))
    with contextlib.suppress(HfError):
        assert isinstance(ChatCompletion(HI).decode(reply(content)), ChatCompletionOutput)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_message_is_read_or_an_error_of_ours(
    anything: Callable[..., SearchStrategy[bytes]], reply: Made, data: st.DataObject
) -> None:
    inner = data.draw(anything("content", "tool_calls", "function", "name", "arguments", "id", "reasoning", "text"))
    with contextlib.suppress(HfError):
        answer = ChatCompletion(HI).decode(reply(b'{"choices":[{"message":' + inner + b"}]}"))
        assert isinstance(answer.text, str)
        assert isinstance(ChatCompletion([answer.message]), ChatCompletion)


def test_calls_of_other_kinds_are_kept(reply: Made) -> None:
    custom = {"id": "c1", "type": "custom", "custom": {"name": "run", "input": "ls"}}
    old = {"name": "f", "arguments": "{}"}
    for message, name, arguments in (
        ({"tool_calls": [custom]}, "run", '{"name": "run", "input": "ls"}'),
        ({"function_call": old}, "f", "{}"),
        ({"function_call": old, "tool_calls": [custom]}, "run", '{"name": "run", "input": "ls"}'),
        ({"tool_calls": [{"function": {"name": None, "arguments": "{}"}}]}, "", "{}"),
    ):
        (call,) = ChatCompletion(HI).decode(reply({"choices": [{"message": message}]})).message.tool_calls
        assert (call.function.name, call.function.arguments) == (name, arguments)


def test_a_stream_without_usage(written: Written) -> None:
    task = ChatCompletion(HI, stream_options={})
    assert "stream_options" not in json.loads(task.encode(Route("openai", URL, stream=True)).content)
    assert "stream_options" not in written(task, "openai")[1]
