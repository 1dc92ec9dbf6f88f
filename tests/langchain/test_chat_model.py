"""The chat model against a server that the test writes: what is sent, what comes back, what is refused."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any, get_type_hints

import httpx
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from pydantic import SecretStr

from hf_tools.errors import InputError, StreamError, StreamInterrupted
from hf_tools.tasks.chat import ChatCompletionOutput
from langchain_hf_tools import ChatHfInference
from langchain_hf_tools._chat.answers import Pieces
from tests.langchain.chatting import USAGE, Completion, Events, added_up, call

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


# what comes back


def test_an_answer(serve: Any, completion: Completion) -> None:
    message = ChatHfInference(**serve(completion("Hello", reasoning_content="Hm")).models).invoke("Hi")
    assert message.content == "Hello"
    assert message.usage_metadata == USAGE
    assert message.response_metadata == {
        "model_name": "org/model-1", "model_provider": "huggingface", "finish_reason": "stop", "id": "chatcmpl-1",
        "token_usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }  # fmt: skip
    assert message.additional_kwargs == {"reasoning_content": "Hm"}


def test_what_the_server_tells_of_itself(serve: Any, completion: Completion, events: Events) -> None:
    headers = {"x-inference-provider": "groq", "x-request-id": "r1"}
    known = {"inference_provider": "groq", "request_id": "r1", "system_fingerprint": "fp"}
    answer: Any = {**completion(), "system_fingerprint": "fp"}
    answer["choices"][0]["logprobs"] = {"content": [{"token": "Hi", "logprob": -0.1}]}
    message = ChatHfInference(**serve(httpx.Response(200, headers=headers, json=answer)).models).invoke("Hi")
    assert message.response_metadata.items() >= known.items()
    assert message.response_metadata["logprobs"] == {"content": [{"token": "Hi", "logprob": -0.1}]}
    stream = events({"content": "Hi"})
    stream.headers.update(headers)
    whole = added_up(ChatHfInference(**serve(stream).models).stream("Hi"))
    assert (whole.response_metadata["inference_provider"], whole.response_metadata["request_id"]) == ("groq", "r1")
    named = ChatHfInference(**serve({**completion(), "provider": "Together"}).models).invoke("Hi")
    assert named.response_metadata["inference_provider"] == "Together"


def test_log_probabilities_of_a_stream(serve: Any, events: Events) -> None:
    stream = events({"content": "a"}, {"content": "b"})
    told = stream.text.replace('"delta": {"content"', '"logprobs": {"content": [{"token": "t"}]}, "delta": {"content"')
    stream = httpx.Response(200, headers=stream.headers, text=told)
    whole = added_up(ChatHfInference(**serve(stream).models, logprobs=True).stream("Hi"))
    assert whole.response_metadata["logprobs"] == {"content": [{"token": "t"}, {"token": "t"}]}


def test_a_refusal(serve: Any, completion: Completion, events: Events) -> None:
    message = ChatHfInference(**serve(completion(None, refusal="No.")).models).invoke("Hi")
    assert (message.content, message.additional_kwargs) == ("", {"refusal": "No."})
    whole = added_up(ChatHfInference(**serve(events({"refusal": "N"}, {"refusal": "o."})).models).stream("Hi"))
    assert (whole.content, whole.additional_kwargs) == ("", {"refusal": "No."})


def test_usage_without_a_wish_for_it(serve: Any, completion: Completion, events: Events) -> None:
    server = serve(events({"content": "Hi"}))
    list(ChatHfInference(**server.models, stream_usage=False).stream("Hi"))
    list(ChatHfInference(**server.models).stream("Hi", stream_usage=False))
    list(ChatHfInference(**server.models, stream_usage=False).stream("Hi", stream_options={"include_usage": True}))
    assert [body.get("stream_options") for body in server.bodies] == [None, None, {"include_usage": True}]


def test_what_tracing_is_told(serve: Any, completion: Completion) -> None:
    class Redacted(ChatHfInference):
        def dict(self, **_: Any) -> dict[str, Any]:
            """As langchain-core had it before `asdict`."""
            return {"model": "***"}

    told: list[Any] = []

    class Note(BaseCallbackHandler):
        def on_chat_model_start(self, *_: Any, **about: Any) -> None:
            told.append(about["invocation_params"])

    models = serve(completion(), completion()).models
    for kind in (ChatHfInference, Redacted):
        kind(**models, temperature=0.5).invoke("Hi", config={"callbacks": [Note()]}, seed=7)
    assert told[0] == {**ChatHfInference(**models, temperature=0.5).asdict(), "stop": None, "seed": 7}
    assert told[0]["temperature"] == 0.5
    assert told[1] == {"model": "***", "stop": None, "seed": 7}


@pytest.mark.parametrize("method", ["bind_tools", "with_structured_output", "get_num_tokens_from_messages"])
def test_hints_and_signatures_can_be_read(method: str) -> None:
    assert get_type_hints(getattr(ChatHfInference, method))["return"]
    assert {"model", "temperature", "base_url"} <= inspect.signature(ChatHfInference).parameters.keys()


def test_combined_outputs(serve: Any, completion: Completion) -> None:
    result = ChatHfInference(**serve(completion()).models).generate([[HumanMessage("Hi")], [HumanMessage("Ho")]])
    assert result.llm_output == {
        "model_name": "org/model-1",
        "token_usage": {"prompt_tokens": 6, "completion_tokens": 4, "total_tokens": 10},
    }
    bare = {"choices": [{"message": {"content": "Hi"}}]}
    assert ChatHfInference(**serve(bare).models).generate([[HumanMessage("Hi")]]).llm_output == {}


def test_an_answer_that_says_little(serve: Any) -> None:
    bare = {"choices": [{"message": {"content": None}}]}
    message = ChatHfInference(**serve(bare).models).invoke("Hi")
    assert message.content == ""
    assert message.usage_metadata is None
    assert message.response_metadata == {"model_provider": "huggingface"}


def test_several_answers(serve: Any, completion: Completion) -> None:
    two = completion()
    two["choices"] = [two["choices"][0], {"index": 1, "message": {"content": "Ho"}, "finish_reason": "stop"}]
    result = ChatHfInference(**serve(two).models, n=2).generate([[HumanMessage("Hi")]])
    assert [each.text for each in result.generations[0]] == ["Hi", "Ho"]
    messages: list[Any] = [getattr(each, "message", None) for each in result.generations[0]]
    assert [each.usage_metadata for each in messages] == [USAGE, None]  # counted once
    assert result.llm_output is not None
    assert result.llm_output["token_usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


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
    assert whole.usage_metadata == USAGE
    assert whole.response_metadata == {
        "model_name": "org/model-1", "model_provider": "huggingface", "finish_reason": "stop", "id": "chatcmpl-1",
    }  # fmt: skip
    assert {chunk.response_metadata["model_provider"] for chunk in chunks} == {"huggingface"}
    assert server.bodies[0]["stream_options"] == {"include_usage": True}


async def test_an_awaited_stream(serve: Any, events: Events) -> None:
    model = ChatHfInference(**serve(events({"role": "assistant"}, {"content": "Hel"}, {"content": "lo"})).models)
    whole = added_up([chunk async for chunk in model.astream("Hi")])
    assert whole.content == "Hello"
    assert whole.usage_metadata == USAGE
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
        assert sent == ['{"a": 3, "b": 4}', json.dumps({"invalid_json": arguments})]
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
    message = vars(caught.value)["partial_message"]
    assert isinstance(message, AIMessage)
    assert (message.content, message.tool_calls) == ("Hel", [])
    (invalid,) = message.invalid_tool_calls
    assert (invalid["args"], invalid["error"]) == ('{"a": 1', "the stream ended early")
    assert all(not chunk.tool_call_chunks for chunk in got)


def test_an_error_of_a_stream_without_any_answer() -> None:
    with pytest.raises(StreamError) as caught, Pieces(None).told():
        raise StreamError("nothing came")
    assert not hasattr(caught.value, "partial_message")


async def test_an_awaited_stream_that_ends_early_raises(serve: Any, events: Events) -> None:
    model = ChatHfInference(**serve(events({"content": "Hel"}, done=False)).models)
    with pytest.raises(StreamInterrupted):
        _ = [chunk async for chunk in model.astream("Hi")]


def test_several_answers_cannot_be_streamed(serve: Any, completion: Completion) -> None:
    more: list[dict[str, Any]] = [{"n": 2}, {"extra_body": {"n": 2}}]
    for said in more:
        with pytest.raises(InputError, match="`n` = 2 cannot be streamed"):
            list(ChatHfInference(**serve({}).models).stream("Hi", **said))
    server = serve(completion())
    assert ChatHfInference(**server.models, n=2, streaming=True).invoke("Hi").content == "Hi"
    assert ChatHfInference(**server.models, streaming=True).invoke("Hi", n=2).content == "Hi"
    assert not any("stream" in body for body in server.bodies)


def test_several_answers_are_in_their_order(serve: Any, completion: Completion) -> None:
    two = completion()
    two["choices"] = [{"index": 1, "message": {"content": "b"}}, {"index": 0, "message": {"content": "a"}}]
    result = ChatHfInference(**serve(two).models, n=2).generate([[HumanMessage("Hi")]])
    assert [each.text for each in result.generations[0]] == ["a", "b"]


def test_what_else_a_message_holds(serve: Any, completion: Completion, events: Events) -> None:
    images = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]
    message = ChatHfInference(**serve(completion("Hi", images=images, annotations=[], audio=None)).models).invoke("Hi")
    assert message.additional_kwargs == {"images": images}
    whole = added_up(ChatHfInference(**serve(events({"content": "Hi"}, {"images": images})).models).stream("Hi"))
    assert (whole.content, whole.additional_kwargs) == ("Hi", {"images": images})


def test_calls_without_a_name_are_invalid(serve: Any, completion: Completion, events: Events) -> None:
    nameless = call("{}", name=None)  # type: ignore[arg-type]
    message = ChatHfInference(**serve(completion(None, tool_calls=[nameless])).models).invoke("Hi")
    assert [each["error"] for each in message.invalid_tool_calls] == ["the call names no tool"]
    stream = events({"tool_calls": [{"index": 0, **nameless}]})
    whole = added_up(ChatHfInference(**serve(stream).models).stream("Hi"))
    assert (whole.tool_calls, len(whole.invalid_tool_calls)) == ([], 1)


def test_what_traces_are_told() -> None:
    def told(**fields: Any) -> dict[str, Any]:
        return {**ChatHfInference(**fields)._get_ls_params()}  # pyright: ignore[reportPrivateUsage]

    found = told(model="org/m", stop="x", temperature=0.5, max_tokens=3)
    assert found == {
        "ls_provider": "huggingface", "ls_model_type": "chat", "ls_model_name": "org/m", "ls_stop": ["x"],
        "ls_temperature": 0.5, "ls_max_tokens": 3,
    }  # fmt: skip
    assert told(base_url="http://h:80/a?token=secret")["ls_model_name"] == "h:80"
    assert told(model="http://h/a?token=secret")["ls_model_name"] == "h"
    assert told(provider="local")["ls_model_name"] == "local"


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


def test_a_provider_that_is_named(serve: Any, completion: Completion, events: Events) -> None:
    server = serve(completion(), events({"content": "Hi"}))
    model = ChatHfInference(**server.models, provider="groq")
    message, whole = model.invoke("Hi"), added_up(model.stream("Hi"))
    assert [body["model"] for body in server.bodies] == ["org/model:groq"] * 2
    assert {str(request.url) for request in server.requests} == {"https://router.huggingface.co/v1/chat/completions"}
    for answer in (message, whole):
        assert answer.response_metadata["inference_provider"] == "groq"


def test_a_provider_with_a_key_of_its_own(completion: Completion) -> None:
    entry = {"provider": "groq", "providerId": "llama-own", "status": "live", "task": "conversational"}
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.host == "huggingface.co":
            return httpx.Response(200, json={"id": "org/model", "inferenceProviderMapping": [entry]})
        return httpx.Response(200, json=completion())

    http = httpx.Client(transport=httpx.MockTransport(answer))
    key = SecretStr("gsk-own")
    message = ChatHfInference(model="org/model", provider="groq", api_key=key, http_client=http).invoke("Hi")
    assert message.response_metadata["inference_provider"] == "groq"
    hub, groq = asked
    assert "authorization" not in hub.headers
    assert groq.headers["authorization"] == "Bearer gsk-own"
    assert str(groq.url) == "https://api.groq.com/openai/v1/chat/completions"
    assert json.loads(groq.content)["model"] == "llama-own"
