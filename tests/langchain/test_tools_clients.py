"""The clients behind tools, and small copies of pictures in what they say."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from langchain_core.tools import ToolException

from hf_tools import AsyncHfInference, HfInference
from hf_tools.errors import ConfigurationError
from hf_tools.media import MediaPolicy
from hf_tools.media.store import MemoryStore
from langchain_hf_tools import HfInferenceTool, HfInferenceToolkit
from langchain_hf_tools.budgets import Budget
from tests.langchain.agents import Tasks
from tests.langchain.tool_cases import CASES, PICTURE, aasked, asked, kit, only

SHORT = [{"summary_text": "Short."}]


# previews


def test_previews_where_they_are_wanted() -> None:
    case = CASES["text_to_image"]
    message = asked(only(kit("text_to_image", case.answer, previews=True)), **case.arguments)
    text, picture = message.content_blocks
    assert text == {"type": "text", "text": case.content}
    assert picture["type"] == "image"
    audio = CASES["text_to_speech"]
    assert asked(only(kit("text_to_speech", audio.answer, previews=True)), **audio.arguments).content == audio.content


def test_what_cannot_be_previewed_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    tool = next(each for each in kit("image_to_text", [], previews=True).get_tools() if each.name == "hf_view_media")
    message = asked(tool, media=PICTURE["image"])
    assert (message.status, message.content) == (
        "error",
        "The tool cannot be used: a part of it is not installed. Do not call it again; go on without it.",
    )


# clients


def test_the_toolkit_shares_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    benches = [tool.bench for tool in HfInferenceToolkit().get_tools() if isinstance(tool, HfInferenceTool)]
    assert len(benches) == 8
    assert all(each is benches[0] for each in benches)
    assert "HF_TOKEN" in repr(benches[0].clients.blocking)


def test_a_blocking_client_makes_its_awaiting_twin() -> None:
    with HfInference(provider="local") as hf:
        tool = HfInferenceTool("sentence_similarity", hf)
        ask = {"sentence": "a cat", "other_sentences": ["a stone", "a kitten"]}
        blocking = asked(tool, **ask)
        awaited = [asyncio.run(aasked(tool, **ask)) for _ in range(2)]
    assert blocking.artifact["provider"] == "local"
    assert str(blocking.content).startswith("2. (0.")
    assert [each.content for each in awaited] == [blocking.content] * 2


async def test_an_awaiting_client_makes_its_blocking_twin() -> None:
    async with AsyncHfInference(provider="local") as hf:
        tool = HfInferenceTool("feature_extraction", async_client=hf)
        assert asked(tool, text="a").content == (await aasked(tool, text="a")).content


def test_a_twin_has_the_same_settings() -> None:
    hf = HfInference("hf_test", model="org/model").with_options(max_retries=0, timeout=3)
    endpoint = hf.endpoint("http://127.0.0.1:1/", server="tei")
    twin = HfInferenceTool("fill_mask", endpoint).bench.clients.awaiting
    assert twin.options == endpoint.options
    assert twin.url == endpoint.url == "http://127.0.0.1:1/"
    assert "argument" in repr(twin)


async def test_connections_of_your_own_are_not_replaced(serve: Any) -> None:
    server = serve(SHORT)
    stop = "The tool cannot be used: it is not set up correctly. Do not call it again; go on without it."
    blocking = HfInferenceTool("summarization", server.client)
    awaiting = HfInferenceTool("summarization", async_client=server.async_client)
    assert (await aasked(blocking, text="Long.")).content == asked(awaiting, text="Long.").content == stop
    awaiting.handle_tool_error = False
    with pytest.raises(ToolException) as caught:
        awaiting.invoke({"text": "Long."})
    assert isinstance(caught.value.__cause__, ConfigurationError)
    assert "Pass `client`" in str(caught.value.__cause__)


def test_a_client_that_is_closed() -> None:
    hf = HfInference(token=False)
    hf.close()
    tool = HfInferenceTool("fill_mask", hf, async_client=AsyncHfInference(token=False), model="org/model")
    assert "it was switched off. Do not call it again" in str(asked(tool, text="a").content)


def test_media_that_only_a_missing_client_could_load() -> None:
    policy = MediaPolicy(hosts="public")
    server = Tasks(image_to_text=[{"generated_text": "a"}])
    tool = HfInferenceTool("image_to_text", async_client=server.async_client, media=policy, model="org/m")
    message = asked(tool, image="https://example.org/a.png")
    assert message.content == (
        "The tool cannot be used: it is not set up correctly. Do not call it again; go on without it."
    )


def test_no_token_is_shown() -> None:
    options: Any = {"store": MemoryStore(), "budget": Budget(3)}
    tool = HfInferenceTool("summarization", HfInference("hf_secretsecretsecret"), **options)
    shown = repr(tool) + str(tool) + repr(tool.bench) + os.linesep.join(map(str, tool.model_dump().values()))
    assert "secret" not in shown
    assert isinstance(asked(tool), ToolMessage)
