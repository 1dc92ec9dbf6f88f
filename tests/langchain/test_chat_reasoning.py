"""What models think: kept, taken out of the text, streamed, and given back where they need it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_hf_tools._chat.reasoning import Splitter, split
from tests.langchain.chatting import Completion, Events, added_up, chat

TAGS = ("<think>", "</think>")
SPLIT: list[tuple[str, tuple[str, str]]] = [
    ("<think>Hm</think>\n\nHello", ("Hm", "Hello")),
    ("\n <think>Hm</think>Hello", ("Hm", "Hello")),
    ("<think></think>Hello", ("", "Hello")),
    ("<think>Hm", ("Hm", "")),
    ("<think>Hm</thi", ("Hm</thi", "")),
    ("<think>Hm</think>  \n", ("Hm", "")),
    ("<think>a</think>b<think>c</think>", ("a", "b<think>c</think>")),
    ("Hello <think>Hm</think>", ("", "Hello <think>Hm</think>")),
    ("<thi", ("", "<thi")),
    ("<thing>", ("", "<thing>")),
    ("  ", ("", "  ")),
    ("", ("", "")),
    ("<think>a < b </t> c</think>d", ("a < b </t> c", "d")),
]


@pytest.mark.parametrize(("text", "parts"), SPLIT)
def test_reasoning_in_the_text(text: str, parts: tuple[str, str]) -> None:
    assert split(text, TAGS) == parts
    assert split(text, None) == ("", text)


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "th", "/", ">", " ", "\n", "a"]), max_size=12), st.data())
def test_pieces_give_what_the_whole_gives(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    splitter = Splitter(TAGS)
    found = [splitter.feed(text[a:b]) for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    found.append(splitter.close())
    assert ("".join(each[0] for each in found), "".join(each[1] for each in found)) == split(text, TAGS)


def test_a_template_that_has_opened_the_reasoning() -> None:
    assert split("Hm</think>Hello", ("", "</think>")) == ("Hm", "Hello")
    assert split("Hm", ("", "</think>")) == ("Hm", "")


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_that_the_server_keeps_apart(serve: Any, completion: Completion, events: Events, name: str) -> None:
    told = {name: "Hm"}
    message = chat(**serve(completion("<think>is a tag", **told)).models).invoke("Hi")
    assert (message.content, message.additional_kwargs) == ("<think>is a tag", {"reasoning_content": "Hm"})
    stream = events({name: "H"}, {name: "m"}, {"content": "<thi"}, {"content": "nk>is a tag"})
    whole = added_up(chat(**serve(stream).models).stream("Hi"))
    assert (whole.content, whole.additional_kwargs) == ("<think>is a tag", {"reasoning_content": "Hm"})


async def test_reasoning_in_the_text_of_answers(serve: Any, completion: Completion, events: Events) -> None:
    server = serve(completion("<think>Hm</think>\n\nHello"))
    message = chat(**server.models).invoke("Hi")
    assert (message.content, message.additional_kwargs) == ("Hello", {"reasoning_content": "Hm"})
    left = chat(**server.models, reasoning_tags=None).invoke("Hi")
    assert (left.content, left.additional_kwargs) == ("<think>Hm</think>\n\nHello", {})
    pieces = ["<th", "ink>H", "m</", "think>", "\n\n", "Hel", "lo"]
    model = chat(**serve(events(*({"content": piece} for piece in pieces))).models)
    for whole in (added_up(model.stream("Hi")), added_up([chunk async for chunk in model.astream("Hi")])):
        assert (whole.content, whole.additional_kwargs) == ("Hello", {"reasoning_content": "Hm"})
    cut = chat(**serve(events({"content": "<thi"})).models)
    assert added_up(cut.stream("Hi")).content == "<thi"


def thought(text: str, **more: Any) -> AIMessage:
    return AIMessage("", additional_kwargs={"reasoning_content": text}, **more)


CALL: Any = [{"name": "add", "args": {}, "id": "c1"}]
HISTORY: list[Any] = [
    HumanMessage("One?"),
    thought("first"),
    HumanMessage("Two?"),
    AIMessage([{"type": "reasoning", "reasoning": "second"}, {"type": "text", "text": "So"}], tool_calls=CALL),
    ToolMessage("3", tool_call_id="c1"),
    AIMessage([{"type": "thinking", "thinking": "third"}]),
    AIMessage("none"),
]


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, []),
        ({"reasoning_replay": "never", "model": "openai/gpt-oss-120b"}, []),
        ({"reasoning_replay": "always"}, ["first", "second", "third"]),
        ({"reasoning_replay": "tools"}, ["second", "third"]),
        ({"model": "openai/gpt-oss-120b"}, ["second", "third"]),
        ({"model": "moonshotai/Kimi-K2-Thinking"}, ["second", "third"]),
        ({"model": "deepseek-ai/DeepSeek-R1"}, []),
    ],
)
def test_reasoning_goes_back_where_models_need_it(
    serve: Any, completion: Completion, fields: dict[str, Any], sent: list[str]
) -> None:
    server = serve(completion())
    chat(**{**server.models, **fields}).invoke(HISTORY)
    messages = server.bodies[0]["messages"]
    assert [each["reasoning_content"] for each in messages if "reasoning_content" in each] == sent
    assert messages[3]["content"] == "So"


def test_all_reasoning_goes_back_where_no_question_was_asked(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    chat(**server.models, reasoning_replay="tools").invoke([thought("first")])
    assert server.bodies[0]["messages"][0]["reasoning_content"] == "first"
