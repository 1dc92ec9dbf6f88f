"""Standard content blocks: the same whether the answer came whole or as a stream, in each output version."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.content import KNOWN_BLOCK_TYPES

from langchain_hf_tools import ChatHfInference
from langchain_hf_tools._chat.translator import translate_content, translate_content_chunk
from tests.langchain.chatting import Completion, Events, added_up, call

VERSIONS: list[Any] = [{}, {"output_version": "v1"}]
CALLS = [call('{"a": 1, "b": 2}'), call('{"a": 3, "b": 4}', number="c2")]
DELTAS: list[dict[str, Any]] = [
    {"reasoning_content": "H"},
    {"reasoning_content": "m"},
    {"content": "I "},
    {"content": "add."},
    {"tool_calls": [{"index": 0, **CALLS[0]}]},
    {"tool_calls": [{"index": 1, **CALLS[1]}]},
]
BLOCKS: list[Any] = [
    {"type": "reasoning", "reasoning": "Hm"},
    {"type": "text", "text": "I add."},
    {"type": "tool_call", "name": "add", "args": {"a": 1, "b": 2}, "id": "c1"},
    {"type": "tool_call", "name": "add", "args": {"a": 3, "b": 4}, "id": "c2"},
]


def plain(blocks: Any) -> list[dict[str, Any]]:
    """Blocks without their places in the stream."""
    return [{name: value for name, value in dict(block).items() if name != "index"} for block in blocks]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_whole_answer(serve: Any, completion: Completion, version: dict[str, Any]) -> None:
    answer = completion("I add.", reasoning_content="Hm", tool_calls=CALLS)
    model = ChatHfInference(**serve(answer).models, **version)
    for message in (model.invoke("Hi"), await model.ainvoke("Hi")):
        assert plain(message.content_blocks) == BLOCKS
        assert [each["id"] for each in message.tool_calls] == ["c1", "c2"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_stream(serve: Any, events: Events, version: dict[str, Any]) -> None:
    model = ChatHfInference(**serve(events(*DELTAS)).models, **version)
    for whole in (added_up(model.stream("Hi")), added_up([chunk async for chunk in model.astream("Hi")])):
        assert plain(whole.content_blocks) == BLOCKS
        assert [each["args"] for each in whole.tool_calls] == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.filterwarnings("ignore:.*v3.*")
async def test_the_events_of_a_stream(serve: Any, events: Events, version: dict[str, Any]) -> None:
    model = ChatHfInference(**serve(events(*DELTAS)).models, **version)
    stream = model.stream_events("Hi", version="v3")
    assert plain(stream.output.content_blocks) == BLOCKS
    awaited = await model.astream_events("Hi", version="v3")
    assert plain((await awaited.output).content_blocks) == BLOCKS


@pytest.mark.parametrize("version", VERSIONS)
def test_an_invalid_call_among_valid_ones(serve: Any, completion: Completion, version: dict[str, Any]) -> None:
    calls = [call('{"a": 1'), CALLS[1]]
    message = ChatHfInference(**serve(completion(None, tool_calls=calls)).models, **version).invoke("Hi")
    kinds = [block["type"] for block in message.content_blocks]
    assert sorted(kinds) == ["invalid_tool_call", "tool_call"]
    assert [each["args"] for each in message.invalid_tool_calls] == ['{"a": 1']


@pytest.mark.parametrize("version", VERSIONS)
def test_an_invalid_call_of_a_stream_is_no_call(serve: Any, events: Events, version: dict[str, Any]) -> None:
    deltas = [{"tool_calls": [{"index": 0, **call('{"a": 1')}]}, {"tool_calls": [{"index": 1, **CALLS[1]}]}]
    whole = added_up(ChatHfInference(**serve(events(*deltas)).models, **version).stream("Hi"))
    assert [each["id"] for each in whole.tool_calls] == ["c2"]
    assert [each["id"] for each in whole.invalid_tool_calls] == ["c1"]
    kinds = {block["id"]: block["type"] for block in plain(whole.content_blocks)}
    assert kinds == {"c1": "invalid_tool_call", "c2": "tool_call"}
    if version:
        (broken,) = [block for block in plain(whole.content) if block["type"] == "invalid_tool_call"]
        assert (broken["args"], broken["error"]) == ('{"a": 1', "the arguments are not a complete JSON object")


@pytest.mark.filterwarnings("ignore:.*v3.*")
def test_the_events_of_an_invalid_call(serve: Any, events: Events) -> None:
    deltas = [{"tool_calls": [{"index": 0, **call('{"a": 1')}]}, {"tool_calls": [{"index": 1, **CALLS[1]}]}]
    output = ChatHfInference(**serve(events(*deltas)).models).stream_events("Hi", version="v3").output
    assert [each["id"] for each in output.tool_calls] == ["c2"]
    assert [each["id"] for each in output.invalid_tool_calls] == ["c1"]


def test_refusals() -> None:
    message = AIMessage("", additional_kwargs={"refusal": "No."})
    (block,) = translate_content(message)
    chunk = AIMessageChunk(content="", additional_kwargs={"refusal": "No."})
    if "refusal" in KNOWN_BLOCK_TYPES:
        assert block == {"type": "refusal", "refusal": "No."}
        assert translate_content_chunk(chunk) == [{**block, "index": "lc_rf_0"}]
    else:
        assert block == {"type": "non_standard", "value": {"type": "refusal", "refusal": "No."}}
        assert translate_content_chunk(chunk) == [{**block, "index": "lc_ns_0"}]


@pytest.mark.parametrize(("known", "kind"), [(True, "refusal"), (False, "non_standard")])
def test_refusals_in_both_generations_of_langchain(monkeypatch: Any, known: bool, kind: str) -> None:
    types = KNOWN_BLOCK_TYPES | {"refusal"} if known else KNOWN_BLOCK_TYPES - {"refusal"}
    monkeypatch.setattr("langchain_hf_tools._chat.translator.KNOWN_BLOCK_TYPES", types)
    assert [block["type"] for block in translate_content(AIMessage("", additional_kwargs={"refusal": "No."}))] == [kind]


def test_content_that_is_a_list_already() -> None:
    call_block: dict[str, Any] = {"type": "tool_call", "name": "add", "args": {}, "id": "c1"}
    content: list[Any] = ["Hi", {"type": "image", "url": "u"}, {"type": "smell", "of": "roses"}, call_block]
    message = AIMessage(content, tool_calls=[{"name": "add", "args": {}, "id": "c1"}])
    assert translate_content(message) == [
        {"type": "text", "text": "Hi"},
        {"type": "image", "url": "u"},
        {"type": "non_standard", "value": {"type": "smell", "of": "roses"}},
        call_block,
    ]
    (text, image) = translate_content_chunk(AIMessageChunk(content=["Hi", {"type": "image", "url": "u"}]))
    assert (text, image) == ({"type": "text", "text": "Hi", "index": "lc_txt_0"}, {"type": "image", "url": "u"})
