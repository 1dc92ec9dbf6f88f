"""The chat model against a server that the test writes: what is sent, what comes back, what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.tools import tool
from pydantic import BaseModel, SecretStr

from hf_tools.errors import InputError, StreamInterrupted
from hf_tools.tasks.chat import ChatCompletionOutput
from langchain_hf_tools import ChatHfInference

Completion = Callable[..., dict[str, Any]]
Events = Callable[..., httpx.Response]


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def added_up(chunks: list[Any]) -> AIMessageChunk:
    whole: AIMessageChunk = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    return whole


def call(arguments: Any, name: str = "add", number: str | None = "c1") -> dict[str, Any]:
    return {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(arguments: dict[str, Any]) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "add", "args": arguments, "id": "c1"}])


def nested() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


# what is sent


def test_nothing_is_sent_but_what_was_set(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).invoke("Hi")
    assert server.bodies == [{"model": "org/model", "messages": [{"role": "user", "content": "Hi"}]}]
    assert str(server.requests[0].url) == "https://router.huggingface.co/v1/chat/completions"


def test_every_field_is_sent(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    model = ChatHfInference(**server.models, api_key=SecretStr("hf_test"), temperature=0, max_tokens=5, stop=["\n"])
    model.invoke("Hi", seed=1, model="org/other")
    body = server.bodies[0]
    assert (body["temperature"], body["max_tokens"], body["stop"], body["seed"]) == (0, 5, ["\n"], 1)
    assert body["model"] == "org/other"
    assert server.requests[0].headers["authorization"] == "Bearer hf_test"
    model.invoke("Hi", stop=["."])
    assert server.bodies[1]["stop"] == ["."]


def test_other_names_of_fields(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    names: dict[str, Any] = {"token": "hf_test", "stop_sequences": ["x"]}
    ChatHfInference(**server.models, **names).invoke("Hi")
    assert server.bodies[0]["stop"] == ["x"]
    assert server.requests[0].headers["authorization"] == "Bearer hf_test"


def test_an_endpoint(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    model = ChatHfInference(**server.models, base_url="http://127.0.0.1:9/v1")
    model.invoke("Hi")
    assert str(server.requests[0].url) == "http://127.0.0.1:9/v1/chat/completions"


MESSAGES: list[tuple[BaseMessage, dict[str, Any]]] = [
    (SystemMessage("Be kind."), {"role": "system", "content": "Be kind."}),
    (HumanMessage("Hi", name="Ann"), {"role": "user", "content": "Hi", "name": "Ann"}),
    (ChatMessage(content="Hi", role="developer"), {"role": "developer", "content": "Hi"}),
    (AIMessage("Hello"), {"role": "assistant", "content": "Hello"}),
    (AIMessageChunk(content="Hello"), {"role": "assistant", "content": "Hello"}),
    (ToolMessage("4", tool_call_id="c1"), {"role": "tool", "content": "4", "tool_call_id": "c1"}),
    (
        AIMessage("", tool_calls=[{"name": "add", "args": {"a": "é"}, "id": "c1"}]),
        {"role": "assistant", "content": "", "tool_calls": [call('{"a": "é"}')]},
    ),
    (
        AIMessage("", invalid_tool_calls=[{"name": "add", "args": '{"a"', "id": "c1", "error": None}]),
        {"role": "assistant", "content": "", "tool_calls": [call('{"a"')]},
    ),
    (
        AIMessage("", invalid_tool_calls=[{"name": None, "args": None, "id": "c1", "error": None}]),
        {"role": "assistant", "content": "", "tool_calls": [call("", name="")]},
    ),
    (HumanMessage(["Hi ", {"type": "text", "text": "you"}]), {"role": "user", "content": "Hi you"}),
    (
        AIMessage([{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Hi"}, {"type": "tool_use"}]),
        {"role": "assistant", "content": "Hi"},
    ),
    (
        HumanMessage([{"type": "text", "text": "?"}, {"type": "image", "url": "https://example.org/a.png"}]),
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "?"},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
            ],
        },
    ),
    (
        HumanMessage([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]),
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]},
    ),
]


@pytest.mark.parametrize(("message", "wire"), MESSAGES)
def test_messages_are_written(serve: Any, completion: Completion, message: BaseMessage, wire: dict[str, Any]) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).invoke([message])
    assert server.bodies[0]["messages"] == [wire]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (FunctionMessage(content="4", name="add"), r"messages\[0\] \(FunctionMessage\): .* cannot be sent"),
        (HumanMessage([{"type": "text", "text": 5}]), "a block of text holds int, not text"),
        (
            calling({"a": {1}}),
            r"messages\[0\] \(AIMessage\): the arguments of the tool call `add` are not JSON: .* set ",
        ),
        (calling({"a": float("nan")}), "the arguments of the tool call `add` are not JSON: Out of range"),
        (calling({"a": nested()}), "the arguments of the tool call `add` are not JSON: maximum recursion"),
        (HumanMessage([{"type": "video", "url": "https://example.org/a.mp4"}]), "content of the type 'video'"),
        (HumanMessage([{"type": "thinking", "thinking": "Hm"}]), "content of the type 'thinking'"),
        (HumanMessage([{"type": "image", "file_id": "f1"}]), "an image cannot be sent"),
    ],
)
def test_messages_are_refused(serve: Any, message: BaseMessage, said: str) -> None:
    server = serve({})
    with pytest.raises(InputError, match=said):
        ChatHfInference(**server.models).invoke([message])
    assert server.requests == []


# what comes back


def test_an_answer(serve: Any, completion: Completion) -> None:
    message = ChatHfInference(**serve(completion("Hello", reasoning_content="Hm")).models).invoke("Hi")
    assert message.content == "Hello"
    assert message.usage_metadata == {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    assert message.response_metadata == {
        "model_name": "org/model-1", "model_provider": "huggingface", "finish_reason": "stop", "id": "chatcmpl-1",
    }  # fmt: skip
    assert message.additional_kwargs == {"reasoning_content": "Hm"}


def test_an_answer_that_says_little(serve: Any) -> None:
    bare = {"choices": [{"message": {"content": None}}]}
    message = ChatHfInference(**serve(bare).models).invoke("Hi")
    assert message.content == ""
    assert message.usage_metadata is None
    assert message.response_metadata == {"model_provider": "huggingface"}


def test_several_answers(serve: Any, completion: Completion) -> None:
    two = completion()
    two["choices"] = [two["choices"][0], {"index": 1, "message": {"content": "Ho"}, "finish_reason": "stop"}]
    generations = ChatHfInference(**serve(two).models).generate([[HumanMessage("Hi")]], n=2).generations[0]
    assert [each.text for each in generations] == ["Hi", "Ho"]


ARGUMENTS: list[tuple[Any, dict[str, Any] | None]] = [
    ('{"a": 1, "b": 2}', {"a": 1, "b": 2}),
    ("", {}),
    ({"a": 1}, {"a": 1}),
    ('{"a": 1', None),
    ('{"a": 1} {"a": 2}', None),
    ("[1]", None),
    ('{"a": NaN}', None),
    ("a = 1", None),
]


@pytest.mark.parametrize(("arguments", "parsed"), ARGUMENTS)
def test_tool_calls(serve: Any, completion: Completion, arguments: Any, parsed: Any) -> None:
    answer = completion(None, "tool_calls", tool_calls=[call(arguments)])
    message = ChatHfInference(**serve(answer).models).invoke("Hi")
    if parsed is not None:
        assert message.tool_calls == [{"type": "tool_call", "name": "add", "args": parsed, "id": "c1"}]
        assert message.invalid_tool_calls == []
    else:
        assert message.tool_calls == []
        error = "the arguments are not a complete JSON object"
        invalid = {"type": "invalid_tool_call", "name": "add", "args": arguments, "id": "c1", "error": error}
        assert message.invalid_tool_calls == [invalid]


@pytest.mark.parametrize("arguments", ["", "{}", None])
@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_call_that_was_cut_off_before_its_arguments_is_invalid(
    serve: Any, completion: Completion, reason: str, arguments: Any
) -> None:
    answer = completion(None, reason, tool_calls=[call(""), call(arguments, number="c2")])
    message = ChatHfInference(**serve(answer).models).invoke("Hi")
    assert [each["id"] for each in message.tool_calls] == ["c1"]
    assert [each["error"] for each in message.invalid_tool_calls] == ["the answer was cut off"]


def test_calls_without_an_id_get_one(serve: Any, completion: Completion) -> None:
    answer = completion(None, tool_calls=[call("{}", number=None), call("{}", number=None)])
    message = ChatHfInference(**serve(answer).models).invoke("Hi")
    assert len({each["id"] for each in message.tool_calls} - {"", None}) == 2


# streams


def test_a_stream(serve: Any, events: Events) -> None:
    deltas = [{"role": "assistant", "content": None}, {"reasoning": "Hm"}, {"content": "Hel"}, {"content": "lo"}]
    server = serve(events(*deltas, each_usage=True))
    chunks = list(ChatHfInference(**server.models, stop="x").stream("Hi"))
    assert [chunk.content for chunk in chunks] == ["", "Hel", "lo", ""]
    whole = added_up(chunks)
    assert whole.content == "Hello"
    assert whole.additional_kwargs == {"reasoning_content": "Hm"}
    assert whole.usage_metadata == {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    assert whole.response_metadata == {
        "model_name": "org/model-1", "model_provider": "huggingface", "finish_reason": "stop", "id": "chatcmpl-1",
    }  # fmt: skip
    assert {chunk.response_metadata["model_provider"] for chunk in chunks} == {"huggingface"}
    assert server.bodies[0]["stream_options"] == {"include_usage": True}


async def test_an_awaited_stream(serve: Any, events: Events) -> None:
    model = ChatHfInference(**serve(events({"role": "assistant"}, {"content": "Hel"}, {"content": "lo"})).models)
    whole = added_up([chunk async for chunk in model.astream("Hi")])
    assert whole.content == "Hello"
    assert whole.usage_metadata == {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    assert whole.chunk_position == "last"


@pytest.mark.parametrize(("arguments", "parsed"), ARGUMENTS)
def test_tool_calls_of_a_stream(
    serve: Any, events: Events, completion: Completion, arguments: Any, parsed: Any
) -> None:
    halves: list[Any] = [arguments] if isinstance(arguments, dict) else [arguments[:5], arguments[5:]]
    first: dict[str, Any] = {"index": 0, **call("")}
    pieces: list[dict[str, Any]] = [{"index": 0, "function": {"arguments": half}} for half in halves]
    other = {"index": 1, **call('{"a": 3, "b": 4}', number="c2")}
    deltas = [{"tool_calls": [piece]} for piece in (first, *pieces, other)]
    chunks = list(ChatHfInference(**serve(events(*deltas, reason="length")).models).stream("Hi"))
    assert [bool(chunk.tool_call_chunks) for chunk in chunks] == [True, False]
    message = added_up([AIMessageChunk(content=""), *chunks, AIMessageChunk(content="")])
    ids = ["c1", "c2"] if parsed is not None else ["c2"]
    assert [each["id"] for each in message.tool_calls] == ids
    if parsed is None:
        assert [each["id"] for each in message.invalid_tool_calls] == ["c1"]
        assert message.tool_calls[0]["args"] == {"a": 3, "b": 4}
        server = serve(completion())
        ChatHfInference(**server.models).invoke([message])
        sent = [each["function"]["arguments"] for each in server.bodies[0]["messages"][0]["tool_calls"]]
        assert sent == ['{"a": 3, "b": 4}', arguments]
    else:
        assert message.tool_calls[0]["args"] == parsed


def test_a_stream_that_ends_early_raises(serve: Any, events: Events) -> None:
    tools = {"tool_calls": [{"index": 0, **call('{"a": 1')}]}
    model = ChatHfInference(**serve(events({"content": "Hel"}, tools, done=False)).models)
    got: list[Any] = []
    with pytest.raises(StreamInterrupted) as caught:
        got.extend(chunk for chunk in model.stream("Hi"))
    partial = caught.value.partial
    assert isinstance(partial, ChatCompletionOutput)
    assert partial.text == "Hel"
    assert all(not chunk.tool_call_chunks for chunk in got)


async def test_an_awaited_stream_that_ends_early_raises(serve: Any, events: Events) -> None:
    model = ChatHfInference(**serve(events({"content": "Hel"}, done=False)).models)
    with pytest.raises(StreamInterrupted):
        _ = [chunk async for chunk in model.astream("Hi")]


def test_several_answers_cannot_be_streamed(serve: Any) -> None:
    with pytest.raises(InputError, match="cannot be streamed"):
        list(ChatHfInference(**serve({}).models).stream("Hi", n=2))


# tools


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("any", "required"),
        ("required", "required"),
        (True, "required"),
        ("add", {"type": "function", "function": {"name": "add"}}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "f"}}),
        (None, None),
        (False, None),
    ],
)
def test_bound_tools_are_sent(serve: Any, completion: Completion, choice: Any, wire: Any) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).bind_tools([add], tool_choice=choice, strict=True).invoke("Hi")
    body = server.bodies[0]
    assert body["tools"][0]["function"]["name"] == "add"
    assert body["tools"][0]["function"]["strict"] is True
    assert body.get("tool_choice") == wire


def test_an_unknown_tool_cannot_be_chosen(serve: Any) -> None:
    with pytest.raises(InputError, match="known are auto, none, required, add"):
        ChatHfInference(**serve({}).models).bind_tools([add], tool_choice="subtract")


def test_no_tools_are_not_sent(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).bind_tools([], tool_choice="any", seed=1).invoke("Hi")
    assert server.bodies[0].keys() == {"model", "messages", "seed"}


class City(BaseModel):
    """A city."""

    name: str


def test_structured_output(serve: Any, completion: Completion) -> None:
    server = serve(completion(None, tool_calls=[call('{"name": "Paris"}', name="City")]))
    model = ChatHfInference(**server.models).with_structured_output(City)
    assert model.invoke("Which city?") == City(name="Paris")
    assert server.bodies[0]["tool_choice"] == "required"


# the object


async def test_awaited(serve: Any, completion: Completion) -> None:
    assert (await ChatHfInference(**serve(completion("Hello")).models).ainvoke("Hi")).content == "Hello"


def test_works_in_one_event_loop_after_the_other() -> None:
    model = ChatHfInference(provider="local", temperature=0, max_tokens=4)
    answers = [asyncio.run(model.ainvoke("Say hello.")).content for _ in range(3)]
    assert answers == [model.invoke("Say hello.").content] * 3


def test_an_awaiting_http_client_alone(serve: Any, completion: Completion) -> None:
    server = serve(completion("Hello"))
    model = ChatHfInference(model="org/model", http_async_client=server.async_http)
    assert asyncio.run(model.ainvoke("Hi")).content == "Hello"
    with pytest.raises(InputError, match="`http_client`"):
        model.invoke("Hi")


def test_a_blocking_http_client_alone(serve: Any, completion: Completion) -> None:
    model = ChatHfInference(model="org/model", http_client=serve(completion("Hello")).http)
    assert model.invoke("Hi").content == "Hello"
    with pytest.raises(InputError, match="`http_async_client`"):
        asyncio.run(model.ainvoke("Hi"))


def test_models_do_not_share_cache_entries() -> None:
    keys = [
        ChatHfInference(model="org/a"),
        ChatHfInference(model="org/b"),
        ChatHfInference(model="org/a", temperature=0),
        ChatHfInference(model="org/a", base_url="http://127.0.0.1:1"),
    ]
    assert len({str(model.asdict()) for model in keys}) == 4
    assert keys[0]._llm_type == "hf-inference-chat"  # pyright: ignore[reportPrivateUsage]


def test_no_token_is_shown() -> None:
    model = ChatHfInference(api_key=SecretStr("hf_secretsecretsecret"))
    assert "secretsecret" not in repr(model) + str(model.model_dump()) + model.model_dump_json()
