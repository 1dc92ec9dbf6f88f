"""Which tools there are by name and preset, what their constructor refuses, and what a call of each costs."""

from __future__ import annotations

from typing import Any

import pytest

from hf_tools import HfInference
from hf_tools.errors import InputError
from langchain_hf_tools import HfInferenceTool, HfInferenceToolkit
from langchain_hf_tools._tools.catalogued import tasks
from langchain_hf_tools._tools.choosing import OTHERS, PRESETS, known
from langchain_hf_tools._tools.core import CORE
from langchain_hf_tools._tools.costs import about, cost_class, tags
from langchain_hf_tools._tools.dynamic import single
from tests.langchain.conftest import Server

AUTO = HfInference(token=False)


def test_every_preset_has_tools_that_there_are() -> None:
    known = {*tasks(), *OTHERS, *(each.name for each in CORE)}
    assert set(PRESETS) == {"core", "all", "dynamic", "vision", "audio", "text", "video"}
    for names in PRESETS.values():
        assert len(set(names)) == len(names)
        assert set(names) <= known
    covered = {name for preset in ("vision", "audio", "text", "video") for name in PRESETS[preset]}
    assert set(tasks()) - covered == {
        "chat_completion", "conversational", "feature_extraction", "image_text_to_image", "tabular_classification",
        "tabular_regression", "text_generation",
    }  # fmt: skip


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"store": {}}, "`store` (dict): must be a MediaStore"),
    ({"media": "none"}, "`media` (str): must be a MediaPolicy"),
    ({"budget": 3}, "`budget` (int): must be a Budget"),
    ({"expose_model": "yes"}, "`expose_model` (str): must be True or False"),
    ({"previews": 1}, "`previews` (int): must be True or False"),
    ({"models": ["a"]}, "`models` (list): must be a mapping of tasks to IDs of models"),
    ({"models": {"sumarization": "a"}}, "`task` = 'sumarization': there is no such task"),
    ({"models": {3: "a"}}, "`task` = 3: there is no such task"),
    *(({"models": {"summarization": wrong}}, "`models`: summarization must be the ID of a model, or several")
      for wrong in ("", " ", [], ["a", ""], [3], 3, None, {"a": "b"})),
]  # fmt: skip


@pytest.mark.parametrize(("options", "said"), REFUSED)
def test_what_a_toolkit_refuses(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        HfInferenceToolkit(AUTO, **options)
    assert caught.value.message == said


def test_a_misspelt_task_tells_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        HfInferenceTool("sumarization", AUTO)
    assert caught.value.hint == "Try summarization"
    with pytest.raises(InputError) as caught:
        HfInferenceTool("hf_describe_imge", AUTO)
    assert caught.value.message == "`task` = 'describe_imge': there is no such task or tool"
    assert str(caught.value.hint).startswith("Try describe_image")
    with pytest.raises(InputError) as caught:
        HfInferenceTool("xyz", AUTO)
    assert caught.value.hint == f"Try {', '.join(known())}"


PARAMETERS: list[tuple[str, Any, str]] = [
    ("describe_image", "all", "`parameters`: describe_image takes the arguments that it has"),
    ("media_info", [], "`parameters`: media_info takes the arguments that it has"),
    ("summarization", 5, '`parameters` (int): must be names of parameters, or "all"'),
    ("summarization", {"text": 1}, '`parameters` (dict): must be names of parameters, or "all"'),
    ("summarization", ["text", 5], "`parameters`: 5 is no name of a parameter"),
    ("image_to_text", "extra_body",
     "`parameters`: image_to_text has no plain parameter 'extra_body'; there are image, max_new_tokens"),
]  # fmt: skip


@pytest.mark.parametrize(("task", "parameters", "said"), PARAMETERS)
def test_parameters_that_a_tool_refuses(task: str, parameters: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        HfInferenceTool(task, AUTO, parameters=parameters)
    assert caught.value.message == said


def test_a_name_may_have_hyphens_and_the_prefix() -> None:
    assert HfInferenceTool("search-texts", AUTO).name == "hf_search_texts"
    assert HfInferenceTool("hf_text-to-image", AUTO, prefix="").name == "text_to_image"


def test_the_developer_chooses_parameters() -> None:
    assert list(HfInferenceTool("image_to_text", AUTO).args) == ["image"]
    assert list(HfInferenceTool("image-to-text", AUTO, parameters="all").args) == ["image", "max_new_tokens"]
    assert list(HfInferenceTool("summarization", AUTO, parameters="max_time").args) == ["text", "max_time"]
    assert list(HfInferenceTool("summarization", AUTO, parameters=iter(["max_time"])).args) == ["text", "max_time"]
    assert list(HfInferenceTool("summarization", AUTO, parameters=()).args) == ["text"]


def test_models_go_by_either_name_of_a_task(serve: type[Server]) -> None:
    server = serve([{"summary_text": "Short."}])
    client = HfInference(token=False, http_client=server.http)
    toolkit = HfInferenceToolkit(client, models={"text-classification": ["a/b", "c/d"], "image_chat": "e/f"})
    assert toolkit.bench.models == {"text_classification": ("a/b", "c/d"), "image_chat": ("e/f",)}
    assert toolkit.bench.choices("image_chat") == ("e/f",)


def test_a_model_is_chosen_among_those_of_the_developer() -> None:
    models = {"summarization": ["a/b", "c/d"], "translation": "e/f"}
    tools = HfInferenceToolkit(
        AUTO, models=models, tasks=["summarization", "translation", "media_info"], expose_model=True
    ).get_tools()
    assert tools[0].args["model"]["enum"] == ["a/b", "c/d"]
    assert tools[1].args["model"] == {"description": "ID of a model on the Hub.", "title": "Model", "type": "string"}
    assert list(tools[2].args) == ["media"]
    said = tools[0].invoke({"text": "Long.", "model": "e/f"})
    assert said == "`model` = 'e/f': must be one of a/b, c/d. Correct the arguments and call again."


@pytest.mark.parametrize("written", ["http://evil", "a/b/c", "../secret", "a/..", "a b", "/etc", "a/b?x=1", "a\n"])
def test_a_model_is_an_id_and_nothing_else(serve: type[Server], written: str) -> None:
    server = serve([{"summary_text": "Short."}])
    client = HfInference(token=False, http_client=server.http)
    tool = HfInferenceTool("summarization", client, expose_model=True)
    if written == "a\n":
        assert tool.invoke({"text": "Long.", "model": written}) == "Short."
        assert server.requests[0].url.path == "/hf-inference/models/a"
        return
    said = tool.invoke({"text": "Long.", "model": written})
    assert said == (
        f"`model` = {written!r}: only the ID of a model is taken here, such as org/name. "
        "Correct the arguments and call again."
    )
    assert server.requests == []


def test_what_calls_cost() -> None:
    classes = {name: cost_class([name], local=False) for name in tasks()}
    assert {name for name, each in classes.items() if each == "expensive"} == {
        "image_text_to_video", "image_to_video", "text_to_video",
    }  # fmt: skip
    assert {name for name, each in classes.items() if each == "moderate"} == {
        "audio_to_audio", "image_text_to_image", "image_to_image", "text_to_audio", "text_to_image", "text_to_speech",
    }  # fmt: skip
    assert cost_class(["summarization", "text_to_image"], local=False) == "moderate"
    assert cost_class(["text_to_video"], local=True) == "free"
    assert cost_class([], local=False) == "free"


def test_what_is_told_of_the_cost() -> None:
    assert about(["text_to_image", "image_to_image"], local=False) == "Costs credits."
    assert about(["text_to_video"], local=False) == (
        "Takes minutes and costs many credits: call it only when asked to."
    )
    assert about(["text_to_image", "text_to_video"], local=False).startswith("Takes minutes")
    assert about(["summarization", "text_to_image"], local=False) == ""
    assert about(["text_to_image"], local=True) == ""
    assert about([], local=False) == ""


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("summarization", ["hf", "text"]), ("text_to_image", ["hf", "vision", "costly"]),
        ("image_to_text", ["hf", "vision"]), ("text_to_speech", ["hf", "audio", "costly"]),
        ("automatic_speech_recognition", ["hf", "audio"]), ("audio_to_audio", ["hf", "audio", "costly"]),
        ("image_to_video", ["hf", "vision", "video", "costly"]), ("video_classification", ["hf", "video"]),
    ],
)  # fmt: skip
def test_tags(name: str, found: list[str]) -> None:
    assert tags(single(name).arguments, [name], cost_class([name], local=False)) == found
    assert HfInferenceTool(name, AUTO).tags == found


def test_what_asks_no_model_is_free() -> None:
    for name in ("media_info", "view_media", "save_media", "find_tasks", "task_help"):
        assert (HfInferenceTool(name, AUTO).metadata or {})["cost_class"] == "free"
    assert (HfInferenceTool("run_task", AUTO).metadata or {})["cost_class"] == "expensive"
