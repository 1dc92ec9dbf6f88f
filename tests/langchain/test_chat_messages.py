"""Messages as they are sent: those of LangChain, of other providers' histories, and media."""

from __future__ import annotations

import base64
import json
from typing import Any

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

from hf_tools.errors import InputError
from hf_tools.media import Image
from langchain_hf_tools import ChatHfInference
from langchain_hf_tools._chat.media import Parts
from tests.langchain.chatting import Completion, call

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


def calling(arguments: dict[str, Any]) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "add", "args": arguments, "id": "c1"}])


def nested() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


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
        {"role": "assistant", "content": "", "tool_calls": [call(json.dumps({"invalid_json": '{"a"'}))]},
    ),
    (
        AIMessage("", invalid_tool_calls=[{"name": None, "args": None, "id": "c1", "error": None}]),
        {"role": "assistant", "content": "", "tool_calls": [call("{}", name="")]},
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
        (calling({"a": nested()}), "the tool call `add` are not JSON: (maximum recursion|Stack overflow)"),
        (HumanMessage([{"type": "smell"}]), "content of the type 'smell' cannot be sent. Known are audio, "),
        (HumanMessage([{"type": "image_url", "image_url": {}}]), "a block of the type image_url has no `url`"),
        (HumanMessage([{"type": "video"}]), "video: the block has neither `url` nor `base64`"),
        (HumanMessage([{"type": "text-plain", "base64": "?"}]), "not valid base64"),
        (ToolMessage([{"type": "json", "json": {1}}], tool_call_id="c"), "content of the type 'json' is not JSON"),
        (
            HumanMessage([{"type": "image", "url": "hf-media://a.png"}]),
            "hf-media://a.png is a handle, and this model has",
        ),
        (HumanMessage([{"type": "thinking", "thinking": "Hm"}]), "content of the type 'thinking'"),
        (HumanMessage([{"type": "image", "file_id": "f1"}]), "image: a `file_id` cannot be sent here"),
    ],
)
def test_messages_are_refused(serve: Any, message: BaseMessage, said: str) -> None:
    server = serve({})
    with pytest.raises(InputError, match=said):
        ChatHfInference(**server.models).invoke([message])
    assert server.requests == []


def block(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


def picture(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def sound(data: str, form: str) -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": data, "format": form}}


def pdf(name: str, data: str) -> dict[str, Any]:
    return {"type": "file", "file": {"filename": name, "file_data": data}}


URL = "https://example.org/a"
MEDIA: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (block("image", url=URL), picture(URL)),
    (block("image", base64=PNG, mime_type="image/webp"), picture(f"data:image/webp;base64,{PNG}")),
    (block("image", url=URL, detail="low"), picture(URL, detail="low")),
    (block("image_url", image_url=URL), picture(URL)),
    (block("image_url", image_url={"url": URL, "detail": "high"}), picture(URL, detail="high")),
    (
        block("image", source={"type": "base64", "media_type": "image/png", "data": PNG}),
        picture(f"data:image/png;base64,{PNG}"),
    ),
    (block("image", source={"type": "url", "url": URL}), picture(URL)),
    (block("image", source_type="base64", data=PNG, mime_type="image/png"), picture(f"data:image/png;base64,{PNG}")),
    (block("audio", base64="AA==", mime_type="audio/mpeg"), sound("AA==", "mp3")),
    (block("audio", base64="AA=="), sound("AA==", "wav")),
    (block("audio", url="data:audio/flac;base64,AA=="), sound("AA==", "flac")),
    (block("audio", url=URL), {"type": "audio_url", "audio_url": {"url": URL}}),
    (sound("AA==", "wav"), sound("AA==", "wav")),
    (block("audio_url", audio_url={"url": URL}), {"type": "audio_url", "audio_url": {"url": URL}}),
    (block("video", url=URL), {"type": "video_url", "video_url": {"url": URL}}),
    (block("video", base64="AA=="), {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AA=="}}),
    (block("file", base64="AA==", mime_type="application/pdf"), pdf("file", "data:application/pdf;base64,AA==")),
    (block("file", base64="AA==", extras={"filename": "a.pdf"}), pdf("a.pdf", "data:application/pdf;base64,AA==")),
    (block("file", base64="AA==", filename="b.pdf"), pdf("b.pdf", "data:application/pdf;base64,AA==")),
    (block("file", url=URL), pdf("file", URL)),
    (block("file", file_id="f1"), {"type": "file", "file": {"file_id": "f1"}}),
    (pdf("c.pdf", "data:application/pdf;base64,AA=="), pdf("c.pdf", "data:application/pdf;base64,AA==")),
    (block("file", file={"file_url": URL}), {"type": "file", "file": {"file_url": URL}}),
    (
        block("document", source={"type": "base64", "media_type": "application/pdf", "data": "AA=="}, title="d"),
        pdf("d", "data:application/pdf;base64,AA=="),
    ),
    (block("text-plain", url=URL), pdf("file", URL)),
    (block("media", mime_type="image/png", file_uri=URL), picture(URL)),
    (block("media", mime_type="audio/wav", data="AA=="), sound("AA==", "wav")),
    (block("media", mime_type="application/pdf", data="AA=="), pdf("file", "data:application/pdf;base64,AA==")),
]  # fmt: skip


@pytest.mark.parametrize(("given", "part"), MEDIA)
def test_each_block_has_its_part(given: dict[str, Any], part: dict[str, Any]) -> None:
    """Written by hand: LangChain turns some of these into its own blocks before the model sees them."""
    found = Parts().part(given)
    assert found == part
    assert found is not given


@pytest.mark.parametrize(("given", "part"), MEDIA)
def test_media_are_written(serve: Any, completion: Completion, given: dict[str, Any], part: dict[str, Any]) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).invoke([HumanMessage([block("text", text="?"), given])])
    assert server.bodies[0]["messages"][0]["content"] == [{"type": "text", "text": "?"}, part]


@pytest.mark.parametrize(
    "given",
    [
        block("text-plain", text="Hello"),
        block("text-plain", base64=base64.b64encode(b"Hello").decode()),
        block("document", source={"type": "text", "media_type": "text/plain", "data": "Hello"}),
        block("refusal", refusal="Hello"),
    ],
)
def test_documents_of_text_are_text(serve: Any, completion: Completion, given: dict[str, Any]) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).invoke([HumanMessage([given])])
    assert server.bodies[0]["messages"] == [{"role": "user", "content": "Hello"}]


class Strict:
    """A store that raises where it has nothing, as many do."""

    def get(self, handle: str) -> Image:
        raise KeyError(handle)


def test_handles_are_replaced_by_what_they_stand_for(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    model = ChatHfInference(**server.models, media_store={"hf-media://a.png": Image(b"\x89PNG\r\n\x1a\n")})
    handles: list[Any] = [
        block("image", url="hf-media://a.png"),
        block("image_url", image_url={"url": "hf-media://a.png"}),
    ]
    model.invoke([HumanMessage(handles)])
    assert server.bodies[0]["messages"][0]["content"] == [picture(f"data:image/png;base64,{PNG}")] * 2
    stores: list[Any] = [{}, Strict()]
    for store in stores:
        model = ChatHfInference(**server.models, media_store=store)
        with pytest.raises(InputError, match=r"`media_store` has nothing under hf-media://a\.png"):
            model.invoke([HumanMessage(handles)])


def asked(number: str) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "draw", "args": {}, "id": number}])


DRAWN: list[Any] = [
    HumanMessage("Draw."), AIMessage("", tool_calls=[*asked("c1").tool_calls, *asked("c2").tool_calls]),
    ToolMessage([block("text", text="A fox"), block("image", url=URL)], tool_call_id="c1"),
    ToolMessage([block("image", base64=PNG, mime_type="image/png")], tool_call_id="c2"),
]  # fmt: skip


def test_media_of_tools_follow_in_a_user_message(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    model = ChatHfInference(**server.models)
    model.invoke(DRAWN)
    model.invoke([*DRAWN, AIMessage("Done."), HumanMessage("More?")])
    later: list[Any] = []
    for body in server.bodies:
        _, _, first, second, lifted, *later = body["messages"]
        assert (first["role"], first["content"], first["tool_call_id"]) == ("tool", "A fox", "c1")
        assert second["content"] == "The result is attached to the next user message."
        assert lifted["role"] == "user"
        assert [part["type"] for part in lifted["content"]] == ["text", "image_url", "text", "image_url"]
        assert lifted["content"][0]["text"] == "Attached: what the tool call c1 returned."
        assert lifted["content"][3] == picture(f"data:image/png;base64,{PNG}")
    assert [message["role"] for message in later] == ["assistant", "user"]


def test_media_of_tools_stay_where_the_model_takes_them(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    ChatHfInference(**server.models, tool_media="inline").invoke(DRAWN)
    ChatHfInference(**server.models, profile={"image_tool_message": True}).invoke(DRAWN)
    ChatHfInference(**server.models, profile={"image_tool_message": True}, tool_media="hoist").invoke(DRAWN)
    inline, by_profile, hoisted = (body["messages"] for body in server.bodies)
    assert inline[2]["content"] == [{"type": "text", "text": "A fox"}, picture(URL)]
    assert (by_profile, len(hoisted)) == (inline, 5)


def test_other_results_of_tools_are_json(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    found: Any = [block("json", json={"a": "é"}), block("search_result", title="t")]
    ChatHfInference(**server.models).invoke([asked("c1"), ToolMessage(found, tool_call_id="c1")])
    assert server.bodies[0]["messages"][1]["content"] == '{"a": "é"}{"type": "search_result", "title": "t"}'


def test_histories_of_other_providers(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    blocks: list[Any] = [
        block("thinking", thinking="Hm"), block("text", text="I add. "), "Now.",
        block("tool_use", id="t1", name="add", input={"a": 1}), block("server_tool_call", name="search"),
        block("non_standard", value={}),
    ]  # fmt: skip
    ChatHfInference(**server.models).invoke([AIMessage(blocks), ToolMessage("1", tool_call_id="t1")])
    assert server.bodies[0]["messages"][0] == {
        "role": "assistant", "content": "I add. Now.", "tool_calls": [call('{"a": 1}', number="t1")],
    }  # fmt: skip
    v1: list[Any] = [block("reasoning", reasoning="Hm"), block("tool_call", id="t1", name="add", args={"a": 1})]
    known = AIMessage(v1, tool_calls=[{"name": "add", "args": {"a": 1}, "id": "t1"}])
    ChatHfInference(**server.models).invoke([known])
    assert server.bodies[1]["messages"][0]["tool_calls"] == [call('{"a": 1}', number="t1")]


def test_a_refusal_goes_back_as_text(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).invoke([AIMessage("", additional_kwargs={"refusal": "No."}), HumanMessage("Why?")])
    assert server.bodies[0]["messages"][0] == {"role": "assistant", "content": "No."}


FOREIGN: list[tuple[str | None, list[Any], str | list[Any], int]] = [
    ("openai", [
        block("reasoning", id="rs1", summary=[]), block("text", text="hi"), block("web_search_call", id="ws1"),
        block("function_call", name="add", arguments="{}", call_id="c1", id="fc1"),
    ], "hi", 1),
    ("anthropic", [
        block("thinking", thinking="Hm", signature="s"), block("server_tool_use", id="s1", name="web_search", input={}),
        block("web_search_tool_result", tool_use_id="s1", content=[]), block("text", text="hi"),
        block("tool_use", id="c1", name="add", input={}),
    ], "hi", 1),
    ("bedrock_converse", [
        {"type": "reasoning_content", "reasoning_content": {"text": "Hm"}}, block("text", text="hi"),
    ], "hi", 0),
    ("google_genai", [
        block("executable_code", executable_code="1"), block("code_execution_result", result="1"), "hi",
    ], "hi", 0),
    (None, [block("something_new", of="tomorrow"), block("text", text="hi")], "hi", 0),
    ("huggingface", [block("something_new", of="tomorrow"), block("text", text="hi")], "hi", 0),
    ("huggingface", [block("image", url=URL)], [picture(URL)], 0),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "content", "said", "calls"), FOREIGN)
def test_what_other_models_said(
    serve: Any, completion: Completion, provider: str | None, content: list[Any], said: Any, calls: int
) -> None:
    server = serve(completion())
    one: dict[str, Any] = {"name": "add", "args": {}, "id": "c1"}
    called: Any = [one] * calls
    about: dict[str, Any] = {"model_provider": provider} if provider else {}
    ChatHfInference(**server.models).invoke([AIMessage(content, tool_calls=called, response_metadata=about)])
    (message,) = server.bodies[0]["messages"]
    assert (message["content"], len(message.get("tool_calls", []))) == (said, calls)


def test_results_of_tools_in_user_messages(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    results: list[Any] = [
        block("tool_result", tool_use_id="c1", content="4"),
        block("tool_result", tool_use_id="c2", content=[block("text", text="A fox"), block("image", url=URL)]),
        block("tool_result", tool_use_id="c3"),
    ]
    ChatHfInference(**server.models).invoke([HumanMessage([*results, block("text", text="And?"), {"cachePoint": {}}])])
    ChatHfInference(**server.models).invoke([HumanMessage(results[:1])])
    *tools, user = server.bodies[0]["messages"]
    assert [(tool["role"], tool["tool_call_id"], tool["content"]) for tool in tools] == [
        ("tool", "c1", "4"), ("tool", "c2", "A fox"), ("tool", "c3", ""),
    ]  # fmt: skip
    assert [part["type"] for part in user["content"]] == ["text", "image_url", "text"]
    assert user["content"][2]["text"] == "And?"
    assert server.bodies[1]["messages"] == [{"role": "tool", "tool_call_id": "c1", "content": "4"}]


def test_media_of_tools_join_the_next_user_message(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).invoke([*DRAWN, HumanMessage("Nice?")])
    ChatHfInference(**server.models).invoke([*DRAWN, HumanMessage([block("image", url=URL)])])
    for body, last in zip(server.bodies, ({"type": "text", "text": "Nice?"}, picture(URL)), strict=True):
        assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool", "tool", "user"]
        content = body["messages"][-1]["content"]
        assert (len(content), content[-1]) == (5, last)
