"""What a model is told when a tool fails: never a developer's wording, always what it may do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, ToolException

from hf_tools import AsyncHfInference, HfInference, errors
from hf_tools.catalogue import catalogue
from hf_tools.errors import HfError
from hf_tools.providers import LOCAL_TASKS
from langchain_hf_tools import HfInferenceTool
from langchain_hf_tools._tools import render
from langchain_hf_tools._tools.told import told

CORRECT = "Correct the arguments and call again."
LATER = "Try again later"
STOP = "Do not call it again; go on without it."
PICTURES = {
    "image": "data:image/png;base64,iVBORw0KGgo=",
    "audio": "data:audio/wav;base64,UklGRiQAAABXQVZFZm10IA==",
    "video": "data:video/mp4;base64,AAAAGGZ0eXBtcDQy",
}
DEVELOPERS = re.compile(
    r"HfInference|`(token|provider|timeout|max_retries|bill_to|base_url|model)`|HF_TOKEN|pip|Options|https?:"
)


def message_of(tool: BaseTool, **arguments: Any) -> str:
    message = tool.invoke({"type": "tool_call", "id": "call-1", "name": tool.name, "args": arguments})
    assert isinstance(message, ToolMessage)
    assert message.status == "error"
    return str(message.content)


async def amessage_of(tool: BaseTool, **arguments: Any) -> str:
    message = await tool.ainvoke({"type": "tool_call", "id": "call-1", "name": tool.name, "args": arguments})
    assert isinstance(message, ToolMessage)
    assert message.status == "error"
    return str(message.content)


@pytest.mark.parametrize(
    ("status", "said", "advice"),
    [
        (400, "400 too long", CORRECT),
        (413, "413 too long", CORRECT),
        (401, "the server does not accept its credentials", STOP),
        (402, "its credits are used up", STOP),
        (403, "it has no access to the model", STOP),
        (404, "the server does not have its model", STOP),
        (307, "it failed", STOP),
        (424, "the model failed", LATER),
        (429, "there were too many requests. Try again later (in 7 seconds)", LATER),
        (500, "the server failed", LATER),
        (503, "the server has no room now", LATER),
    ],
)
async def test_errors_of_the_server(serve: Any, status: int, said: str, advice: str) -> None:
    headers = {"retry-after": "7"} if status == 429 else {}
    server = serve(httpx.Response(status, headers=headers, json={"error": "too long"}))
    clients: dict[str, Any] = {
        "client": server.client.with_options(max_retries=0),
        "async_client": server.async_client.with_options(max_retries=0),
    }
    tool = HfInferenceTool("fill_mask", **clients)
    text = message_of(tool, text="[MASK]")
    assert said in text
    assert advice in text
    assert not DEVELOPERS.search(text)
    assert await amessage_of(tool, text="[MASK]") == text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (errors.ConfigurationError("pass `token`"), f"The tool cannot be used: it is not set up correctly. {STOP}"),
        (errors.LocalBackendError("no x.", hint="h"), f"The tool cannot be used: no x. {STOP}"),
        (errors.MissingExtra("pip install"), f"The tool cannot be used: a part of it is not installed. {STOP}"),
        (errors.ClientClosed("closed"), f"The tool cannot be used: it was switched off. {STOP}"),
        (errors.ShapeError("odd"), f"The tool cannot be used: the server's answer is not readable. {STOP}"),
        (errors.MediaError("not a picture", hint="h"), f"not a picture. {CORRECT}"),
        (errors.InputError("`text` = 3: no"), f"`text` = 3: no. {CORRECT}"),
        (errors.InputError("`text.0`: no", hint="h"), f"`text.0`: no. {CORRECT}"),
        (errors.InputError("the arguments are no JSON"), f"the arguments are no JSON. {CORRECT}"),
        (errors.InputError("`model` is missing"), f"The tool cannot be used: it is not set up for this task. {STOP}"),
        (
            errors.RequestTimeout("late"),
            "The tool failed: the server took too long. Try again later, or go on without it.",
        ),
        (
            errors.ModelLoading("503", estimated_time=20.0),
            "The tool failed: the model is still being loaded. Try again later (in 20 seconds), or go on without it.",
        ),
        (
            errors.ConnectError("refused: http://x"),
            "The tool failed: the server cannot be reached. Try again later, or go on without it.",
        ),
        (KeyError("x"), f"The tool cannot be used: it failed. {STOP}"),
    ],
)  # fmt: skip
def test_texts(error: Exception, text: str) -> None:
    assert told(error, ["text"]) == text


def test_a_model_that_may_be_chosen_may_be_corrected() -> None:
    assert told(errors.NotFound("404"), ["text", "model"]).startswith("The server does not have this `model`")
    assert CORRECT in told(errors.NotFound("404"), ["model"])
    assert told(errors.InputError("`model` is missing"), ["model"]) == f"`model` is missing. {CORRECT}"


def test_a_text_is_short() -> None:
    assert len(told(errors.InvalidRequest("x " * 5000), [])) < 600


@pytest.mark.parametrize("name", [name for name, kind in catalogue() if kind.name not in LOCAL_TASKS])
def test_no_tool_uses_a_developers_wording(name: str) -> None:
    values: dict[str, Any] = {"string": "a", "array": ["a"], "object": {"a": ["1"]}}
    with HfInference(provider="local") as hf:
        tool = HfInferenceTool(name, hf)
        needed = {each: PICTURES.get(each) or values[tool.args[each]["type"]] for each in required(tool)}
        needed |= {"prompt": "a"} if "prompt" in tool.args else {}
        text = message_of(tool, **needed)
    assert "the embedded backend has no" in text
    assert STOP in text
    assert not DEVELOPERS.search(text)


def required(tool: BaseTool) -> list[str]:
    schema: Any = tool.tool_call_schema
    found: list[str] = schema.model_json_schema().get("required", [])
    return found


# the developer's side


async def test_the_full_error_is_the_cause(serve: Any) -> None:
    server = serve(httpx.Response(401, json={"error": "no"}))
    tool = HfInferenceTool("fill_mask", **server.both, handle_tool_error=False)
    for call in (tool.invoke, tool.ainvoke):
        with pytest.raises(ToolException, match="does not accept its credentials") as caught:
            await awaited(call({"text": "[MASK]"}))
        assert isinstance(caught.value.__cause__, HfError)
        assert "task fill-mask" in str(caught.value.__cause__)


async def awaited(value: Any) -> Any:
    return await value


def test_a_handler_of_your_own_gets_the_full_error(serve: Any) -> None:
    handler: Callable[[ToolException], str] = lambda error: type(error.__cause__).__name__  # noqa: E731
    server = serve(httpx.Response(401, json={"error": "no"}))
    assert message_of(HfInferenceTool("fill_mask", **server.both, handle_tool_error=handler), text="a") == (
        "AuthenticationError"
    )


async def test_a_bug_does_not_end_an_agent(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(answer: Any) -> str:
        raise KeyError("hf_secretsecret")

    monkeypatch.setattr(render, "text", fail)
    tool = HfInferenceTool("summarization", **serve([{"summary_text": "Short."}]).both)
    text = f"The tool cannot be used: it failed. {STOP}"
    assert message_of(tool, text="Long.") == await amessage_of(tool, text="Long.") == text


def test_a_client_that_is_closed() -> None:
    hf = HfInference(token=False)
    hf.close()
    assert STOP in message_of(HfInferenceTool("fill_mask", hf, async_client=AsyncHfInference(token=False)), text="a")
