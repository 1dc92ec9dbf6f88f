"""A task as a LangChain tool: how it is made, called, copied, and what a developer sees of it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tools import ToolException
from pydantic import ValidationError

from hf_tools import HfInference
from hf_tools.catalogue import catalogue
from hf_tools.errors import HfError, InputError
from langchain_hf_tools import HfInferenceTool, HfInferenceToolkit
from langchain_hf_tools._tools import content
from tests.langchain.tool_cases import aasked, asked

OFFLINE = HfInference(
    token=False, http_client=httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(500)))
)
SHORT = [{"summary_text": "Short."}]


# calls


def test_there_is_a_tool_for_each_task() -> None:
    names = {tool.name for tool in HfInferenceToolkit(OFFLINE, preset="all").get_tools()}
    assert names == {f"hf_{name}" for name, _ in catalogue()} | {"hf_media_info", "hf_view_media"}


def test_content_and_artifact(serve: Any) -> None:
    server = serve([{"label": "joy", "score": 0.987654321}, {"label": "fear", "score": 0.01}])
    message = asked(HfInferenceTool("text_classification", **server.both), text="Yes!", top_k=2)
    assert (message.status, message.content) == ("success", "joy 0.99; fear 0.01")
    assert message.artifact["data"][0] == {"label": "joy", "score": 0.987654321}
    assert server.bodies == [{"inputs": "Yes!", "parameters": {"top_k": 2}}]


def test_without_a_call_the_bare_content_comes(serve: Any) -> None:
    server = serve(SHORT)
    tool = HfInferenceTool("summarization", **server.both)
    assert tool.invoke("Long.") == "Short."
    assert tool.invoke({"text": "Long.", "max_length": None}) == "Short."
    assert server.bodies == [{"inputs": "Long."}] * 2


async def test_content_alone(serve: Any) -> None:
    tool = HfInferenceTool("summarization", **serve(SHORT).both, response_format="content")
    first, second = asked(tool, text="Long."), await aasked(tool, text="Long.")
    assert (first.content, first.artifact) == (second.content, second.artifact) == ("Short.", None)
    assert tool.invoke({"text": "Long."}) == "Short."


@pytest.mark.parametrize("name", ["self", "args", "kwargs", "config", "run_manager", "model_dump", "__class__", "a b"])
def test_any_name_of_an_argument_is_survived(serve: Any, name: str) -> None:
    tool = HfInferenceTool("summarization", **serve(SHORT).both)
    message = asked(tool, **{"text": "Long.", name: 1})
    assert message.status == "success"
    note = f"Note: `{name}` is not an argument of this tool and was ignored; it takes"
    assert str(message.content).startswith(f"Short. {note}") or message.content == "Short."


def test_notes_about_arguments(serve: Any) -> None:
    message = asked(HfInferenceTool("summarization", **serve(SHORT).both), text="Long.", max_length="99999")
    assert message.content == "Short. Note: `max_length` = 99999 was reduced to 4096."


def test_callbacks_and_tags(serve: Any) -> None:
    seen: list[tuple[Any, ...]] = []

    class Handler(BaseCallbackHandler):
        def on_tool_start(self, serialized: Any, input_str: str, **more: Any) -> None:
            seen.append((serialized["name"], more["inputs"], more["tags"], more["metadata"]["cost_class"]))

        def on_tool_end(self, output: Any, **more: Any) -> None:
            seen.append((output,))

    tool = HfInferenceTool("summarization", **serve(SHORT).both)
    tool.invoke({"text": "Long."}, {"callbacks": [Handler()], "tags": ["mine"]})
    assert seen == [("hf_summarization", {"text": "Long."}, ["mine", "hf", "text"], "cheap"), ("Short.",)]


def test_metadata() -> None:
    tools = {tool.name: tool for tool in HfInferenceToolkit(OFFLINE, preset="all").get_tools()}
    assert tools["hf_text_to_image"].tags == ["hf", "vision", "costly"]
    assert tools["hf_text_to_video"].metadata == {"cost_class": "expensive", "max_seconds": 600.0}
    assert tools["hf_media_info"].metadata == {"cost_class": "free", "max_seconds": 0.0}


# what is refused


@pytest.mark.parametrize(
    ("task", "options", "said"),
    [
        ("summarisation", {}, "`task` = 'summarisation': there is no such task"),
        (3, {}, "`task` = 3: there is no such task"),
        ("summarization", {"modle": "x"}, "`modle` is not a parameter (did you mean `model`?)"),
        ("summarization", {"model": 3}, "HfInferenceTool: `model` = 3: Input should be a valid string"),
        ("summarization", {"client": "x"}, "`client` must be an HfInference, got str"),
        ("summarization", {"async_client": OFFLINE}, "`async_client` must be an AsyncHfInference, got HfInference"),
        ("summarization", {"store": {}}, "`store` (dict): must be a MediaStore"),
        ("summarization", {"media": True}, "`media` (bool): must be a MediaPolicy"),
        ("summarization", {"budget": 3}, "`budget` (int): must be a Budget"),
        ("summarization", {"previews": 1}, "`previews` (int): must be True or False"),
        ("summarization", {"prefix": "a b"}, "`prefix` = 'a b': must be letters, digits, _ or -"),
        ("summarization", {"prefix": None}, "`prefix` = None: must be letters, digits, _ or -"),
        ("summarization", {"prefix": "x" * 60}, "a name has at most 64 of them"),
        ("summarization", {"parameters": ["x"]}, "`parameters`: summarization has no plain parameter 'x'"),
    ],
)
def test_a_constructor_refuses(task: Any, options: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {} if {"client", "async_client"} & options.keys() else {"client": OFFLINE}
    with pytest.raises(InputError) as caught:
        HfInferenceTool(task, **given, **options)
    assert said in caught.value.message


# models


def test_a_tool_may_have_a_model_of_its_own(serve: Any) -> None:
    server = serve(SHORT)
    tool = HfInferenceTool("summarization", **server.both, model="org/other")
    assert asked(tool, text="Long.").artifact["model"] == "org/other"
    assert asked(tool, text="Long.", model="org/third").artifact["model"] == "org/other"


def test_a_model_may_be_exposed(serve: Any) -> None:
    server = serve(SHORT)
    tool = HfInferenceTool("summarization", **server.both, model="org/other", expose_model=True)
    assert asked(tool, text="Long.", model="org/third").artifact["model"] == "org/third"
    assert asked(tool, text="Long.").artifact["model"] == "org/other"
    refused = asked(tool, text="Long.", model="http://127.0.0.1:1/x")
    assert refused.content == (
        "`model` = 'http://127.0.0.1:1/x': only the ID of a model is taken here, such as org/name. "
        "Correct the arguments and call again."
    )
    assert len(server.requests) == 2


# copies


async def test_copies(serve: Any) -> None:
    tool = HfInferenceTool("summarization", **serve(SHORT).both)
    named = tool.model_copy(update={"name": "shorten", "model": "org/other"})
    copies = [named, tool.model_copy(), tool.model_copy(deep=True), copy.deepcopy(tool), copy.copy(tool)]
    for each in copies:
        message = await aasked(each, text="Long.")
        assert (message.content, message.name) == ("Short.", each.name)
        assert "The arguments do not fit: `text`: field required. It takes" in str(asked(each).content)
        assert each.bench is tool.bench
    assert (await aasked(named, text="Long.")).artifact["model"] == "org/other"
    assert tool.name == "hf_summarization"


def test_a_copy_keeps_what_you_set(serve: Any) -> None:
    tool = HfInferenceTool("summarization", **serve(SHORT).both, handle_validation_error="no")
    assert asked(tool.model_copy(update={"name": "x"})).content == "no"


@pytest.mark.parametrize(
    ("update", "said"),
    [
        ({"task": "translation"}, "`task`: a tool keeps its task"),
        ({"model": 3}, "`model` = 3"),
        ({"prefix": "x"}, "`prefix` is not a parameter"),
    ],
)
def test_a_copy_refuses(update: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        HfInferenceTool("summarization", OFFLINE).model_copy(update=update)
    assert said in caught.value.message


# the developer's side


async def test_the_full_error_is_the_cause(serve: Any) -> None:
    server = serve(httpx.Response(401, json={"error": "no"}))
    tool = HfInferenceTool("fill_mask", **server.both, handle_tool_error=False)
    for call in (asyncio.to_thread(tool.invoke, {"text": "[MASK]"}), tool.ainvoke({"text": "[MASK]"})):
        with pytest.raises(ToolException, match="does not accept its credentials") as caught:
            await call
        assert isinstance(caught.value.__cause__, HfError)
        assert "task fill-mask" in str(caught.value.__cause__)


def test_handlers_of_your_own(serve: Any) -> None:
    handler: Callable[[ToolException], str] = lambda error: type(error.__cause__).__name__  # noqa: E731
    server = serve(httpx.Response(401, json={"error": "no"}))
    for given, said in [(handler, "AuthenticationError"), ("It failed.", "It failed.")]:
        message = asked(HfInferenceTool("fill_mask", **server.both, handle_tool_error=given), text="a")
        assert (message.status, message.content) == ("error", said)
    tool = HfInferenceTool("fill_mask", **server.both, handle_validation_error=False)
    with pytest.raises(ValidationError):
        tool.invoke({})


async def test_a_bug_does_not_end_an_agent(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> str:
        raise KeyError("hf_secretsecret")

    monkeypatch.setattr(content.Words, "write", fail)
    tool = HfInferenceTool("summarization", **serve(SHORT).both)
    text = "The tool cannot be used: it failed. Do not call it again; go on without it."
    assert asked(tool, text="Long.").content == (await aasked(tool, text="Long.")).content == text
