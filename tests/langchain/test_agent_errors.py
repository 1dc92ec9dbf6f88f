"""Whatever goes wrong in a tool, the agent goes on, and its model is told what it may do about it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import ToolException

from hf_tools import errors
from hf_tools.media import Media
from hf_tools.media.store import MemoryStore
from langchain_hf_tools import HfInferenceTool
from tests.langchain.agents import AGENTS, BOTH, MIDDLEWARE, Tasks, call, last, png, results, run, said, script

TEXT = {"text": "I want my money back", "labels": ["refund", "praise"]}
STOP = "Do not call it again; go on without it."
LATER = "Try again later, or go on without it."
CREDITS = (
    "The tool cannot be used: its credits are used up. Do not call it again; "
    "tell the user that credits can be bought at https://huggingface.co/settings/billing."
)
SECRET = "/srv/app/secret.py"
OF_SERVERS: dict[str, tuple[httpx.Response, str]] = {
    "loading": (
        httpx.Response(503, json={"error": "Model org/m is currently loading", "estimated_time": 20.0}),
        "The tool failed: the model is still being loaded. Try again later (in 20 seconds), or go on without it.",
    ),
    "credits": (httpx.Response(402, json={"error": "You have exceeded your monthly included credits"}), CREDITS),
    "rate": (
        httpx.Response(429, headers={"retry-after": "7"}, json={"error": "slow down"}),
        "The tool failed: there were too many requests. Try again later (in 7 seconds), or go on without it.",
    ),
    "token": (
        httpx.Response(401, json={"error": "Invalid token"}),
        f"The tool cannot be used: the server does not accept its credentials. {STOP}",
    ),
    "gated": (
        httpx.Response(403, json={"error": "gated"}),
        f"The tool cannot be used: it has no access to the model. {STOP}",
    ),
    "crash": (
        httpx.Response(500, text=f"Traceback (most recent call last): File {SECRET}"),
        f"The tool failed: the server failed. {LATER}",
    ),
    "page": (
        httpx.Response(200, text="<html>Log in</html>", headers={"content-type": "text/html"}),
        f"The tool cannot be used: the server's answer is not readable. {STOP}",
    ),
    "shape": (
        httpx.Response(200, json={"surprise": SECRET}),
        f"The tool cannot be used: the server's answer is not readable. {STOP}",
    ),
}
"""What a server answers, and what the model is told of it."""

pytestmark = BOTH


@pytest.mark.parametrize("case", OF_SERVERS)
async def test_a_failing_server_is_told_and_the_agent_goes_on(way: str, case: str) -> None:
    answer, told = OF_SERVERS[case]
    scores = [{"label": "refund", "score": 0.9}]
    server = Tasks(zero_shot_classification=(answer, scores))
    toolkit = server.toolkit()
    model = script(call("hf_classify", **TEXT), call("hf_classify", **TEXT), lambda read: AIMessage(read[-1].text))
    state = await run(way, AGENTS.create_agent(model, toolkit.get_tools()), "What does it want?")
    failed, worked = results(state)
    assert (failed.status, failed.content, failed.artifact) == ("error", told, None)
    assert (worked.status, worked.content) == ("success", "refund 0.90")
    assert last(state) == "refund 0.90"
    assert len(server.requests) == 2
    assert (toolkit.usage.calls["hf_classify"], toolkit.usage.failures["hf_classify"]) == (2, 1)


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ReadTimeout])
async def test_a_network_that_fails_is_told(way: str, kind: type[Exception]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise kind(f"{SECRET} for {request.url}")

    server = Tasks(zero_shot_classification={})
    server.http = httpx.Client(transport=httpx.MockTransport(answer))
    server.async_http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    model = script(call("hf_classify", **TEXT), "No luck.")
    state = await run(way, AGENTS.create_agent(model, server.toolkit().get_tools()), "What does it want?")
    reason = "the server cannot be reached" if kind is httpx.ConnectError else "the server took too long"
    assert [each.content for each in results(state)] == [f"The tool failed: {reason}. {LATER}"]
    assert last(state) == "No luck."


class Broken(MemoryStore):
    """A store of a developer's own that does not work."""

    def put(self, media: Media, *, name: str | None = None) -> Any:
        raise RuntimeError(f"disk {SECRET} is full of {media}, {name}")


async def test_an_error_that_nobody_thought_of_is_told(way: str) -> None:
    server = Tasks(text_to_image=png())
    model = script(call("hf_generate_image", prompt="a fox"), "No picture.")
    state = await run(way, AGENTS.create_agent(model, server.toolkit(store=Broken()).get_tools()), "Draw!")
    (result,) = results(state)
    assert (result.status, result.content) == ("error", f"The tool cannot be used: it failed. {STOP}")
    assert last(state) == "No picture."


WRITTEN: dict[str, tuple[Any, str]] = {
    "nothing": ({}, "The arguments do not fit: `image`: field required. It takes `image`, `question`. Call again."),
    "null": (
        {"image": None, "question": None},
        "The arguments do not fit: `image`: field required. It takes `image`, `question`. Call again.",
    ),
    "other": (
        {"img": "square.png"},
        "The arguments do not fit: `image`: field required (you gave `img`). It takes `image`, `question`. Call again.",
    ),
    "empty": ({"image": " "}, "`image` must be given."),
    "list": ({"image": ["square.png", "b"]}, "`image` = ['square.png', 'b']: must be one text."),
    "object": ({"image": {"url": "x"}}, "`image` = {'url': 'x'}: must be one text."),
    "near": (
        {"image": "sqare.png"},
        "`image`: there is no media 'sqare.png'. Did you mean square.png? Allowed: a handle",
    ),
}
"""What a model writes, and how the answer begins."""


@pytest.mark.parametrize("case", WRITTEN)
async def test_arguments_that_mean_nothing_are_told(way: str, case: str) -> None:
    written, told = WRITTEN[case]
    server = Tasks(image_chat=said("A square."))
    toolkit = server.toolkit()
    toolkit.add_media(png(), name="square.png")
    model = script(call("hf_describe_image", **written), call("hf_describe_image", image="square.png"), "A square.")
    state = await run(way, AGENTS.create_agent(model, toolkit.get_tools()), "What is it?")
    wrong, right = results(state)
    assert (wrong.status, right.status) == ("error", "success")
    assert wrong.text.startswith(told)
    assert wrong.text.endswith(("Call again.", "call again."))
    assert server.asked == ["image_chat"]


async def test_slips_are_put_right_and_noted(way: str) -> None:
    server = Tasks(zero_shot_classification=[{"label": "refund", "score": 0.9}])
    slips = {
        "text": "Give it back",
        "labels": '["refund", "praise"]',
        "several": "TRUE",
        "image": "null",
        "mood": "sad",
    }
    model = script(call("hf_classify", **slips), "A refund.")
    state = await run(way, AGENTS.create_agent(model, server.toolkit(tasks=["classify"]).get_tools()), "?")
    (result,) = results(state)
    assert result.status == "success"
    assert result.text.startswith("refund 0.90 Note: `mood` is not an argument of this tool and was ignored; it takes ")
    assert server.body()["parameters"] == {"candidate_labels": ["refund", "praise"], "multi_label": True}


async def test_no_paid_request_is_repeated_by_the_retries_of_langchain(way: str) -> None:
    server = Tasks(text_to_image=httpx.Response(500, json={"error": "no"}))
    retries = MIDDLEWARE.ToolRetryMiddleware(max_retries=3, initial_delay=0)
    agent = AGENTS.create_agent(
        script(call("hf_generate_image", prompt="a fox"), "No."), server.toolkit().get_tools(), middleware=[retries]
    )
    state = await run(way, agent, "Draw!")
    assert [each.status for each in results(state)] == ["error"]
    assert server.asked == ["text_to_image"]


async def test_a_developer_may_have_the_error_instead(way: str) -> None:
    server = Tasks(image_to_text=httpx.Response(402, json={"error": "no credits"}))
    tool = HfInferenceTool("image_to_text", server.client, async_client=server.async_client, model="org/image_to_text")
    tool.bench.store.put(Media(png()), name="a.png")
    given = {"type": "tool_call", "id": "c1", "name": tool.name, "args": {"image": "a.png"}}
    told = tool.invoke(given) if way == "invoke" else await tool.ainvoke(given)
    assert isinstance(told, ToolMessage)
    assert (told.status, told.content) == ("error", CREDITS)
    tool.handle_tool_error = False
    with pytest.raises(ToolException, match=r"^The tool cannot be used: its credits are used up") as caught:
        tool.invoke(given) if way == "invoke" else await tool.ainvoke(given)
    assert type(caught.value.__cause__) is errors.PaymentRequired
    assert "402" in caught.value.__cause__.message
