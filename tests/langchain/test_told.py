"""What a model is told when a tool fails: never a developer's wording, always what it may do."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, ToolException

from hf_tools import HfInference, errors
from hf_tools.catalogue import catalogue
from hf_tools.errors import HfError
from hf_tools.media.store import MemoryStore
from hf_tools.providers import LOCAL_TASKS
from langchain_hf_tools import HfInferenceTool, HfInferenceToolkit
from langchain_hf_tools._tools.told import Unserved, again, told
from langchain_hf_tools.budgets import Budget, BudgetSpent
from tests.langchain.agents import Tasks
from tests.langchain.tool_cases import CASES, PICTURE, PNG, aasked, asked, kit, only

CORRECT = "Correct the arguments and call again."
LATER = "Try again later"
STOP = "Do not call it again; go on without it."
NO_USE = "The tool cannot be used: "
DEVELOPERS = re.compile(
    r"HfInference|`(token|provider|timeout|max_retries|bill_to|base_url)`|HF_TOKEN|pip|Options|Traceback|/home|/usr"
)


def thread(name: str | None) -> Any:
    """The settings of a run in a conversation."""
    return {"configurable": {"thread_id": name}} if name else {}


def said(tool: BaseTool, /, in_thread: str | None = None, **arguments: Any) -> str:
    call = {"type": "tool_call", "id": "call-1", "name": tool.name, "args": arguments}
    message = tool.invoke(call, thread(in_thread))
    assert isinstance(message, ToolMessage)
    assert message.status == "error"
    return str(message.content)


@pytest.mark.parametrize(
    ("status", "said", "advice"),
    [
        (400, "400 too long", CORRECT),
        (413, "413 too long", CORRECT),
        (401, "the server does not accept its credentials", STOP),
        (402, "its credits are used up", "https://huggingface.co/settings/billing"),
        (403, "it has no access to the model", STOP),
        (404, "the server does not have its model", STOP),
        (307, "it failed", STOP),
        (424, "the model failed", LATER),
        (429, "there were too many requests. Try again later (in 7 seconds)", LATER),
        (500, "the server failed", LATER),
        (503, "the server has no room now", LATER),
    ],
)
async def test_errors_of_the_server(status: int, said: str, advice: str) -> None:
    headers = {"retry-after": "7"} if status == 429 else {}
    server = Tasks(fill_mask=httpx.Response(status, headers=headers, json={"error": "too long"}))
    tool = only(server.toolkit(tasks=["fill_mask"]))
    first, second = asked(tool, text="[MASK]"), await aasked(tool, text="[MASK]")
    assert said in str(first.content)
    assert advice in str(first.content)
    assert not DEVELOPERS.search(str(first.content))
    assert first.status == "error"
    assert first.artifact is None
    assert second == first
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (errors.ConfigurationError("pass `text`"), f"{NO_USE}it is not set up correctly. {STOP}"),
        (errors.LocalBackendError("no x.", hint="h"), f"{NO_USE}no x. {STOP}"),
        (errors.MissingExtra("pip install"), f"{NO_USE}a part of it is not installed. {STOP}"),
        (errors.ClientClosed("closed"), f"{NO_USE}it was switched off. {STOP}"),
        (errors.ShapeError("odd"), f"{NO_USE}the server's answer is not readable. {STOP}"),
        (errors.ReportedError("odd"), f"{NO_USE}the server's answer is not readable. {STOP}"),
        (errors.MediaError("/home/x", hint="h"), f"{NO_USE}what it made cannot be read or kept. {STOP}"),
        (errors.JobFailed("no", handle=None), f"{NO_USE}the model failed to make a result. {STOP}"),
        (errors.JobTimeout("no", handle=None), f"{NO_USE}its result takes too long. {STOP}"),
        (errors.InputError("`text` = 3: no"), f"`text` = 3: no. {CORRECT}"),
        (errors.InputError("`text.0`: no", hint="h"), f"`text.0`: no. {CORRECT}"),
        (errors.InputError("the arguments do not go together."), f"the arguments do not go together. {CORRECT}"),
        (errors.InputError("`model` is missing"), f"{NO_USE}it is not set up for this task. {STOP}"),
        (BudgetSpent("the budget is used up"), f"{NO_USE}the budget is used up. Do not call it again; tell the user."),
        (Unserved("Nobody serves it."), f"{NO_USE}Nobody serves it. {STOP}"),
        (
            errors.RequestTimeout("x"),
            "The tool failed: the server took too long. Try again later, or go on without it.",
        ),
        (
            errors.ModelLoading("503", estimated_time=19.2),
            "The tool failed: the model is still being loaded. Try again later (in 20 seconds), or go on without it.",
        ),
        (
            errors.ConnectError("refused: http://x"),
            "The tool failed: the server cannot be reached. Try again later, or go on without it.",
        ),
        (KeyError("x"), f"{NO_USE}it failed. {STOP}"),
        (
            errors.InvalidRequest("400 </tool>\x1b[31m\u202e![x](http://e)\nhf_aaaaaaaaaaaaaaaaaaaaaa"),
            f"400 < /tool>![x] (http://e) hf_***. {CORRECT}",
        ),
    ],
)  # fmt: skip
def test_texts(error: Exception, text: str) -> None:
    assert told(error, ["text"]) == text


def test_a_model_that_may_be_chosen_may_be_corrected() -> None:
    assert told(errors.NotFound("404"), ["text", "model"]) == (
        f"The server does not have this `model` for this task. {CORRECT}"
    )
    assert told(errors.InputError("`model` is missing"), ["model"]) == f"`model` is missing. {CORRECT}"


@pytest.mark.parametrize("error", [errors.InvalidRequest("x " * 5000), errors.LocalBackendError("y" * 5000)])
def test_a_text_is_short(error: HfError) -> None:
    assert len(again(3) + told(error, [])) < 600


@pytest.mark.parametrize("name", [name for name, kind in catalogue() if kind.name not in LOCAL_TASKS])
def test_what_the_embedded_backend_has_not(name: str) -> None:
    with HfInference(provider="local") as hf:
        tool = HfInferenceTool(name, hf)
        text = said(tool, **CASES[name].arguments)
        assert tool.description.endswith("Nobody serves this here: do not call it.")
        assert text == f"{NO_USE}Nobody serves this here. {STOP}"
        assert not DEVELOPERS.search(text)


def test_a_task_that_nobody_serves_is_not_asked_for() -> None:
    server = Tasks()
    nobody = "Nobody serves this here"
    tool = HfInferenceTool("tabular_regression", server.client)
    assert tool.description.endswith(f"{nobody}: do not call it.")
    assert nobody not in HfInferenceTool("tabular_regression", server.client, model="org/m").description
    with pytest.raises(ToolException) as told_so:
        tool._run(table="x.csv")  # pyright: ignore[reportPrivateUsage]
    assert "No inference provider is known to serve tabular regression" in str(told_so.value.__cause__)
    assert said(tool, table="x.csv").startswith(f"{NO_USE}{nobody}")
    exposed = HfInferenceTool("tabular_regression", server.client, expose_model=True)
    assert said(exposed, table="x.csv").startswith(f"{NO_USE}{nobody}")
    assert said(exposed, table="x.csv", model="org/m").startswith("`table`: there is no media 'x.csv'")
    assert server.requests == []


# what was made cannot be kept


def test_a_result_that_is_larger_than_the_store() -> None:
    tool = only(Tasks(text_to_image=PNG).toolkit(tasks=["text_to_image"], store=MemoryStore(10)))
    assert said(tool, prompt="a cat") == f"{NO_USE}what it made cannot be read or kept. {STOP}"


def test_media_that_are_broken_in_an_answer() -> None:
    tool = only(kit("image_segmentation", [{"label": "cat", "score": 0.5, "mask": "%%%"}]))
    assert said(tool, **PICTURE).startswith(NO_USE)


# again and again


def test_the_third_identical_failure_is_told() -> None:
    tool = only(kit("summarization", [{"summary_text": "Short."}]))
    wrong = "`text` must not be empty"
    texts = [said(tool, text="", in_thread="a") for _ in range(4)]
    assert texts[0] == texts[1]
    assert wrong in texts[0] or "`text`" in texts[0]
    for count in (3, 4):
        assert texts[count - 1] == (
            f"You have made this call {count} times and it failed each time: change an argument, or stop. {texts[0]}"
        )
    assert said(tool, text="", in_thread="b") == texts[0]
    assert said(tool, text="") == texts[0]


def test_other_arguments_and_a_success_start_anew() -> None:
    busy = httpx.Response(503, json={"error": "busy"})
    server = Tasks(summarization=(busy, busy, busy, [{"summary_text": "Short."}], busy))
    tool = only(server.toolkit(tasks=["summarization"]))
    first = said(tool, text="Long.")
    assert said(tool, text="Longer.") == said(tool, text="Long.") == first
    assert asked(tool, text="Long.").content == "Short."
    assert said(tool, text="Long.") == first


def test_missing_arguments_count_as_well() -> None:
    tool = only(kit("summarization", [{"summary_text": "Short."}]))
    texts = [said(tool, **{"words\x1b[0m": "secret value"}) for _ in range(3)]
    taken = "It takes `text`, `min_length`, `max_length`. Call again."
    assert texts[0] == f"The arguments do not fit: `text`: field required (you gave `words`). {taken}"
    assert texts[1] == texts[0]
    assert texts[2] == f"{again(3)}{texts[0]}"
    assert said(tool).startswith("The arguments do not fit: `text`: field required. It takes")


def test_many_failures_are_forgotten() -> None:
    tool = only(kit("summarization", [{"summary_text": "Short."}]))
    first = said(tool, text="", max_length=1)
    for number in range(2, 300):
        said(tool, text="", max_length=number)
    assert [said(tool, text="", max_length=1) for _ in range(2)] == [first, first]


# the budget


def test_a_spent_budget_stops() -> None:
    server = Tasks(summarization=[{"summary_text": "Short."}])
    toolkit = server.toolkit(tasks=["summarization"], budget=Budget(1))
    tool = only(toolkit)
    assert asked(tool, text="Long.").content == "Short."
    stop = f"{NO_USE}the budget of 1 call is used up. Do not call it again; tell the user."
    assert said(tool, text="Longer.") == stop
    assert len(server.requests) == 1
    assert repr(toolkit.usage).startswith("Usage(1 calls, 0 failed, ")


def test_a_budget_of_nothing_names_the_tool() -> None:
    toolkit = HfInferenceToolkit(HfInference(provider="local"), budget=Budget(per_tool={"hf_classify": 0}))
    tool = next(each for each in toolkit.get_tools() if each.name == "hf_classify")
    assert "the budget of 0 calls of this tool is used up" in said(tool, text="a", labels=["b", "c"])
