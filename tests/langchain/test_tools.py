"""Every task as a tool: its schema, its answers, and what it says when something is wrong."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import httpx
import pytest
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from hf_tools import AsyncHfInference, HfInference
from hf_tools.catalogue import catalogue
from hf_tools.docstrings import attribute_docstrings
from hf_tools.errors import ConfigurationError, InputError
from hf_tools.media import Audio, Image, Video
from hf_tools.tasks.text import MaskFills
from langchain_hf_tools import HfInferenceTool, HfInferenceToolkit
from langchain_hf_tools._tools import render
from langchain_hf_tools._tools.schema import BY_HAND, MEDIA, properties

TASKS: dict[str, Any] = dict(catalogue())
NAMES = list(TASKS)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = Image(PNG).data_uri
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(28)
OFFLINE = HfInference(
    token=False, http_client=httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(500)))
)
KEYWORDS = {"type", "enum", "description", "properties", "required", "items"}
TYPES = {"string", "integer", "number", "boolean", "array", "object"}


@pytest.fixture(scope="session")
def tools() -> dict[str, BaseTool]:
    return {tool.name: tool for tool in HfInferenceToolkit(OFFLINE).get_tools()}


def called(tool: BaseTool, **arguments: Any) -> ToolMessage:
    """What an agent gets from this call."""
    message = tool.invoke({"type": "tool_call", "id": "call-1", "name": tool.name, "args": arguments})
    assert isinstance(message, ToolMessage)
    return message


async def acalled(tool: BaseTool, **arguments: Any) -> ToolMessage:
    message = await tool.ainvoke({"type": "tool_call", "id": "call-1", "name": tool.name, "args": arguments})
    assert isinstance(message, ToolMessage)
    return message


# schemas


def test_there_is_a_tool_for_each_task(tools: dict[str, BaseTool]) -> None:
    assert list(tools) == [f"hf_{name}" for name in NAMES]
    assert len(tools) == 37


def schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for each in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        yield from schemas(each)


@pytest.mark.parametrize("expose_model", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_schema_is_flat_and_described(name: str, expose_model: bool) -> None:
    function = convert_to_openai_tool(HfInferenceTool(name, OFFLINE, expose_model=expose_model))["function"]
    parameters = function["parameters"]
    assert function["name"] == f"hf_{name}"
    assert 20 < len(function["description"]) < 400
    assert "list of texts gives" not in function["description"]
    for schema in schemas(parameters):
        assert schema.keys() <= KEYWORDS, schema
        assert schema["type"] in TYPES
        assert set(schema.get("required", ())) <= schema.get("properties", {}).keys()
        assert (schema["type"] == "array") == ("items" in schema)
    for argument, schema in parameters["properties"].items():
        assert len(schema["description"]) > 5, argument
        # the table is the one free mapping that a task cannot do without
        assert schema["type"] != "object" or schema.get("properties") or argument == "table"
    assert ("model" in parameters["properties"]) is expose_model
    assert parameters.get("required", []) == properties(TASKS[name])["required"]


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_the_fields_of_the_task(name: str) -> None:
    kind = TASKS[name]
    found = properties(kind, expose_model=True)["properties"].keys()
    hidden = {field.name for field in fields(kind)} - found
    assert hidden <= {
        "extra_body", "generate_parameters", "generation_parameters", "word_boxes", "logit_bias", "response_format",
        "stream_options", "tools", "grammar",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_descriptions_are_those_of_the_fields(name: str) -> None:
    docs = attribute_docstrings(TASKS[name])
    for base in TASKS[name].__mro__[1:-1]:
        docs = {**attribute_docstrings(base), **docs}
    for argument, schema in properties(TASKS[name])["properties"].items():
        if argument not in MEDIA and argument not in BY_HAND:
            assert schema["description"] == " ".join(docs[argument].split())


@pytest.mark.parametrize("name", NAMES)
def test_each_argument_that_is_media_takes_data_only(name: str) -> None:
    kind = TASKS[name]
    for argument, schema in properties(kind)["properties"].items():
        is_media = "data: URI" in schema["description"]
        assert is_media == (argument in MEDIA)
        if is_media:
            said = called(HfInferenceTool(name, OFFLINE), **needed(kind), **{argument: "/etc/passwd"}).content
            assert "only a data: URI is taken here" in str(said)


def needed(kind: Any) -> dict[str, Any]:
    """Something for each argument that a tool needs, but for media."""
    values = {"array": ["a"], "string": "a", "object": {"a": ["1"]}}
    schema = properties(kind)
    return {
        argument: values[schema["properties"][argument]["type"]]
        for argument in schema["required"]
        if argument not in MEDIA
    }


def test_the_schema_says_what_it_should(tools: dict[str, BaseTool]) -> None:
    assert convert_to_openai_tool(tools["hf_sentence_similarity"])["function"] == {
        "name": "hf_sentence_similarity",
        "description": "Tell how near other sentences are to a sentence: a number for each, the nearer the higher. "
        "Needs `sentence`, `other_sentences`.",
        "parameters": {
            "type": "object",
            "properties": {
                "sentence": {
                    "type": "string",
                    "description": "The sentence that the others are compared with, "
                    "or a mapping that holds all of them.",
                },
                "other_sentences": {
                    "type": "array", "items": {"type": "string"}, "description": "The sentences to compare.",
                },
                "truncate": {
                    "type": "boolean",
                    "description": "Cut a sentence that is too long for the model; TEI servers only.",
                },
                "truncation_direction": {
                    "type": "string", "enum": ["left", "right"],
                    "description": "The end at which a sentence is cut; TEI servers only.",
                },
                "prompt_name": {
                    "type": "string",
                    "description": "Put this prompt of the model's configuration before each sentence; "
                    "TEI servers only.",
                },
            },
            "required": ["sentence", "other_sentences"],
        },
    }  # fmt: skip


# answers


def test_content_and_artifact(serve: Any) -> None:
    server = serve([{"label": "joy", "score": 0.987654321}, {"label": "fear", "score": 0.01}])
    message = called(HfInferenceTool("text_classification", **server.both), text="Yes!", top_k=2)
    assert message.content == '[{"label": "joy", "score": 0.9877}, {"label": "fear", "score": 0.01}]'
    assert message.status == "success"
    assert message.artifact == {
        "task": "text_classification",
        "model": "org/model",
        "provider": "hf-inference",
        "answer": [{"label": "joy", "score": 0.987654321}, {"label": "fear", "score": 0.01}],
    }
    assert server.bodies == [{"inputs": "Yes!", "parameters": {"top_k": 2}}]


async def test_awaited(serve: Any) -> None:
    server = serve([{"summary_text": "Short."}])
    message = await acalled(HfInferenceTool("summarization", **server.both), text="Long.", max_length=None)
    assert message.content == "Short."
    assert message.artifact["answer"] == {"summary_text": "Short."}
    assert server.bodies == [{"inputs": "Long."}]


def test_a_bare_text_is_the_first_argument(serve: Any) -> None:
    server = serve([{"summary_text": "Short."}])
    assert HfInferenceTool("summarization", **server.both).invoke("Long.") == "Short."
    assert server.bodies == [{"inputs": "Long."}]


def test_vectors_are_summed_up(serve: Any) -> None:
    server = serve([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    message = called(HfInferenceTool("feature_extraction", **server.both), text=["a", "b"])
    assert message.content == "vectors of the shape [2, 3] (in the artifact)"
    assert message.artifact["answer"] == [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]


def test_pictures_come_and_go_without_base64_in_the_text(serve: Any) -> None:
    server = serve(httpx.Response(200, headers={"content-type": "image/png"}, content=PNG))
    message = called(HfInferenceTool("image_to_image", **server.both), image=PICTURE, prompt="Bluer")
    assert message.content == f"image/png, {len(PNG)} bytes (in the artifact)"
    assert message.artifact["answer"] == {
        "type": "image", "mime_type": "image/png", "bytes": len(PNG), "base64": base64.b64encode(PNG).decode(),
    }  # fmt: skip


def test_masks_are_left_out(serve: Any) -> None:
    mask = base64.b64encode(PNG).decode()
    server = serve([{"label": "cat", "score": 0.9, "mask": mask}])
    message = called(HfInferenceTool("image_segmentation", **server.both), image=PICTURE)
    assert message.content == '[{"label": "cat", "score": 0.9, "encoded_mask": "(in the artifact)"}]'
    assert message.artifact["answer"][0]["encoded_mask"] == mask


def test_a_chat_is_its_text(serve: Any, completion: Callable[..., Any]) -> None:
    server = serve(completion("Hello."))
    ask = {"messages": [{"role": "user", "content": "Hi"}]}
    message = called(HfInferenceTool("chat_completion", **server.both), **ask)
    assert message.content == "Hello."
    assert message.artifact["answer"]["usage"]["total_tokens"] == 5
    assert message.artifact["provider"] == "auto"


def test_a_chat_of_calls_is_its_calls(serve: Any, completion: Callable[..., Any]) -> None:
    calls = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]
    message = called(
        HfInferenceTool("chat_completion", **serve(completion(None, tool_calls=calls)).both),
        messages=[{"role": "user", "content": "Hi"}],
    )
    assert json.loads(str(message.content)) == [{"name": "f", "arguments": '{"a": 1}'}]


CASES: list[tuple[Any, str]] = [
    (["a", {"b": (1, None)}], '["a", {"b": [1, null]}]'),
    ({"answer": "a"}, "a"),
    ({"answer": 1}, '{"answer": 1}'),
    ([0.123456, float("nan"), float("inf")], "[0.1235, null, null]"),
    ([], "[]"),
    (MaskFills([[1, 2]]), "[1, 2]"),
    (MaskFills([[1, 2], [3]]), "[[1, 2], [3]]"),
    ("x" * 300 + " word", "(300 characters of data, in the artifact) word"),
    (Audio(WAV), f"audio/wav, {len(WAV)} bytes (in the artifact)"),
]


@pytest.mark.parametrize(("answer", "text"), CASES)
def test_texts(answer: Any, text: str) -> None:
    assert render.text(answer) == text


@pytest.mark.parametrize(
    "answer",
    [
        "word " * 2000,
        [{"label": f"label {n}", "score": n / 1000} for n in range(1000)],
        {"a": "word " * 900, "b": "c"},
        ["word " * 3000],
        [["word"] * 5000],
        {f"key {n}": n for n in range(2000)},
    ],
)
def test_a_text_is_never_long(answer: Any) -> None:
    text = render.text(answer)
    assert 0 < len(text) <= render.LIMIT
    assert "in the artifact" in text


def test_a_cut_list_says_how_many_more() -> None:
    text = render.text([{"n": n} for n in range(1000)])
    assert text.startswith('[{"n": 0}, {"n": 1}')
    shown = len(json.loads(text[: text.rindex("]") + 1]))
    assert text.endswith(f" ({1000 - shown} more of 1000, in the artifact)")


@pytest.mark.parametrize(
    "answer", [Video(b"x" * 10), [float("nan")], {1: (Image(PNG), None)}, [float("-inf"), 1.5, "x", True]]
)
def test_an_artifact_is_json(answer: Any) -> None:
    plain = render.plain(answer)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


# what is wrong


def test_missing_and_unknown_arguments_are_answers(tools: dict[str, BaseTool]) -> None:
    message = called(tools["hf_zero_shot_classification"], text="a", labels=["b"])
    assert message.status == "error"
    assert "`candidate_labels`: Field required" in str(message.content)
    assert "`labels`: Extra inputs are not permitted" in str(message.content)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("summarization", {"text": ""}, "must not be empty"),
        ("summarization", {"text": 3}, "`text` = 3"),
        ("summarization", {"text": "a", "min_length": 9, "max_length": 3}, "is above"),
        ("text_classification", {"text": "a", "function_to_apply": "tanh"}, "'sigmoid', 'softmax' or 'none'"),
        ("sentence_similarity", {"sentence": "a", "other_sentences": []}, "must not be empty"),
        ("image_to_text", {"image": "https://example.org/a.png"}, "only a data: URI"),
        ("image_to_text", {"image": "file:///etc/passwd"}, "only a data: URI"),
        ("image_to_text", {"image": 7}, "only a data: URI"),
        ("image_to_text", {"image": "data:image/png;base64,%%%"}, "not valid base64"),
        ("image_to_text", {"image": "data:text/html;base64,PGh0bWw+"}, "HTML"),
        ("automatic_speech_recognition", {"audio": PICTURE}, "not audio"),
        ("text_ranking", {"query": "a", "texts": ["b"]}, "it is not set up for this task"),
    ],
)
def test_bad_input_is_an_answer(tools: dict[str, BaseTool], name: str, arguments: Any, said: str) -> None:
    message = called(tools[f"hf_{name}"], **arguments)
    assert message.status == "error"
    assert said in str(message.content)
    assert message.artifact is None


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(InputError, match="Try summarization"):
        HfInferenceTool("summarisation", OFFLINE)
    with pytest.raises(InputError, match="Try text_classification, token_classification"):
        HfInferenceTool("?", OFFLINE)


# models


def test_a_tool_may_have_a_model_of_its_own(serve: Any) -> None:
    server = serve([{"summary_text": "Short."}])
    message = called(HfInferenceTool("summarization", **server.both, model="org/other"), text="Long.")
    assert message.artifact["model"] == "org/other"


def test_a_model_may_be_exposed(serve: Any) -> None:
    server = serve([{"summary_text": "Short."}])
    tool = HfInferenceTool("summarization", **server.both, model="org/other", expose_model=True)
    assert called(tool, text="Long.", model="org/third").artifact["model"] == "org/third"
    assert called(tool, text="Long.").artifact["model"] == "org/other"
    assert "only a model ID" in str(called(tool, text="Long.", model="http://127.0.0.1:1/x").content)
    assert len(server.requests) == 2


def test_a_hidden_model_is_refused(serve: Any) -> None:
    server = serve([{"summary_text": "Short."}])
    message = called(HfInferenceTool("summarization", **server.both), text="Long.", model="org/third")
    assert "`model`: Extra inputs are not permitted" in str(message.content)
    assert server.requests == []


# clients


def test_the_toolkit_shares_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    tools = HfInferenceToolkit().get_tools()
    clients = {tool.clients for tool in tools if isinstance(tool, HfInferenceTool)}
    assert len(clients) == 1
    assert "HF_TOKEN" in repr(clients.pop().blocking)


def test_the_toolkit_may_expose_the_model() -> None:
    for tool in HfInferenceToolkit(OFFLINE, expose_model=True).get_tools():
        assert "model" in tool.args


def test_a_blocking_client_makes_its_awaiting_twin() -> None:
    with HfInference(provider="local") as hf:
        tool = HfInferenceTool("sentence_similarity", hf)
        ask = {"sentence": "a cat", "other_sentences": ["a kitten", "a stone"]}
        blocking = called(tool, **ask)
        awaited = [asyncio.run(acalled(tool, **ask)) for _ in range(2)]
    assert blocking.artifact["provider"] == "local"
    near, far = json.loads(str(blocking.content))
    assert near > far
    assert [each.content for each in awaited] == [blocking.content] * 2


async def test_an_awaiting_client_makes_its_blocking_twin() -> None:
    async with AsyncHfInference(provider="local") as hf:
        tool = HfInferenceTool("feature_extraction", async_client=hf)
        assert called(tool, text="a").content == (await acalled(tool, text="a")).content


def test_a_twin_has_the_same_settings() -> None:
    hf = HfInference("hf_test", model="org/model").with_options(max_retries=0, timeout=3)
    endpoint = hf.endpoint("http://127.0.0.1:1/", server="tei")
    twin = HfInferenceTool("fill_mask", endpoint).clients.awaiting
    assert twin.options == endpoint.options
    assert twin._settings == endpoint._settings  # pyright: ignore[reportPrivateUsage]
    assert "argument" in repr(twin)


async def test_connections_of_your_own_are_not_replaced(serve: Any) -> None:
    server = serve([{"summary_text": "Short."}])
    tool = HfInferenceTool("summarization", server.client)
    with pytest.raises(ConfigurationError, match="Pass `async_client`"):
        await acalled(tool, text="Long.")
    tool = HfInferenceTool("summarization", async_client=server.async_client)
    with pytest.raises(ConfigurationError, match="Pass `client`"):
        called(tool, text="Long.")


def test_no_token_is_shown() -> None:
    tool = HfInferenceTool("summarization", HfInference("hf_secretsecretsecret"))
    assert "secret" not in repr(tool) + str(tool) + os.linesep.join(map(str, tool.model_dump().values()))
