"""LangChain's own standard tests of tools, all of them, for every tool of the presets "all" and "core"."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from langchain_core.tools import BaseTool
from langchain_tests.integration_tests import ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests

from hf_tools import AsyncHfInference, HfInference
from langchain_hf_tools import HfInferenceToolkit
from langchain_hf_tools._tools.choosing import PRESETS
from tests.langchain.conftest import Server
from tests.langchain.task_calls import CALLS, asking, bring

CORE: dict[str, tuple[dict[str, Any], str]] = {
    "describe_image": ({"image": "cat.png", "question": "What?"}, "chat_completion"),
    "detect_objects": ({"image": "cat.png", "labels": ["cat"]}, "zero_shot_object_detection"),
    "classify": ({"text": "Meow", "labels": ["cat", "dog"]}, "zero_shot_classification"),
    "transcribe_audio": ({"audio": "memo.wav", "timestamps": True}, "automatic_speech_recognition"),
    "generate_image": ({"prompt": "A cat"}, "text_to_image"),
    "speak": ({"text": "Hi"}, "text_to_speech"),
    "transform_text": ({"text": "Hi", "mode": "translate", "language": "French"}, "chat_completion"),
    "search_texts": ({"query": "A cat", "texts": ["cat", "dog"]}, "sentence_similarity"),
}
"""A call of each core tool, and the task that it asks."""
HELPERS: dict[str, dict[str, Any]] = {"media_info": {}, "view_media": {"media": "cat.png"}}
ARGUMENTS: dict[str, dict[str, Any]] = {
    **{name: case.arguments for name, case in CALLS.items()},
    **{name: arguments for name, (arguments, _) in CORE.items()},
    **HELPERS,
}
NAMES = (*PRESETS["all"], *PRESETS["core"])


def made(name: str, *, token: bool | None = False) -> BaseTool:
    """The tool of a toolkit whose server answers rightly; what goes wrong is raised."""
    task = CORE[name][1] if name in CORE else name

    server = Server(None if name in HELPERS else CALLS[task].answer)
    client = HfInference(**asking(task, server.http, token))
    twin = AsyncHfInference(**asking(task, server.async_http, token))
    toolkit = HfInferenceToolkit(client, async_client=twin, tasks=[name])
    bring(toolkit)
    (tool,) = toolkit.get_tools()
    return tool.model_copy(update={"handle_tool_error": False, "handle_validation_error": False})


class Example:
    """What the suites ask of a tool."""

    name: str

    @property
    def tool_constructor(self) -> Any:
        return partial(made, self.name)

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return ARGUMENTS[self.name]

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"HF_TOKEN": "hf_test"}, {"token": None}, {"task": self.name, "name": f"hf_{self.name}"}


def suites() -> Iterator[tuple[str, type]]:
    """Both suites for each tool."""
    for name in NAMES:
        for suite in (ToolsUnitTests, ToolsIntegrationTests):
            title = f"Test{name.title().replace('_', '')}{suite.__name__.removeprefix('Tools').removesuffix('Tests')}"
            yield title, type(title, (Example, suite), {"name": name, "__module__": __name__})


globals().update(suites())


def test_every_tool_of_both_presets_is_tested() -> None:
    assert sorted(ARGUMENTS) == sorted(NAMES)
    assert len(NAMES) == 47
    tests = [each for made in globals().values() if isinstance(made, type) and issubclass(made, Example)
             for each in dir(made) if each.startswith("test_")]  # fmt: skip
    assert len(tests) == 47 * 11
