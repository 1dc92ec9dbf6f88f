"""The schemas of all tools: what every provider of models takes, what a small model can fill in.

A file for each preset holds its tools as they are sent: tests/langchain/__snapshots__/test_tools_schema. After a
change on purpose `pytest tests/langchain/test_tools_schema.py -n 0 --snapshot-update` writes them anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast
from urllib.request import Request, urlopen

import pytest
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from hf_tools import HfInference
from langchain_hf_tools import HfInferenceTool, HfInferenceToolkit
from langchain_hf_tools._tools.catalogued import tasks
from langchain_hf_tools._tools.choosing import PRESETS
from langchain_hf_tools._tools.mediahelp import SAVE
from langchain_hf_tools._tools.schema import described, flattened, is_plain
from langchain_hf_tools._tools.wording import FIELDS, TASKS
from tests.live.servers import running

PLAIN = {"string", "integer", "number", "boolean"}
KNOWN = {"type", "description", "enum", "items"}
"""The keywords of an argument; no other is used."""
MODELS = {"summarization": ["org/small", "org/large"], "text_ranking": "org/ranker"}


def client(provider: str = "auto") -> HfInference:
    return HfInference(token=False, provider=provider)


def every_tool() -> Iterator[tuple[str, BaseTool, int]]:
    """The tools of all presets in all ways to make them, and how many arguments they may have at most."""
    for provider in ("auto", "local", "groq"):
        for exposed in (False, True):
            options: dict[str, Any] = {"models": MODELS if exposed else None, "expose_model": exposed}
            for preset in PRESETS:
                for tool in HfInferenceToolkit(client(provider), preset=preset, **options).get_tools():
                    yield f"{provider}-{exposed}-{tool.name}", tool, 6 + exposed
    for name in (*tasks(), SAVE.name, *PRESETS["core"]):
        yield f"model-{name}", HfInferenceTool(name, HfInference(token=False, model="org/model")), 6
    for name in tasks():
        yield f"whole-{name}", HfInferenceTool(name, client(), parameters="all"), 30


def unlike() -> Iterator[Any]:
    """The tools, those with the same schema once."""
    seen: set[str] = set()
    for name, tool, most in every_tool():
        sent = json.dumps(convert_to_openai_tool(tool))
        if sent not in seen:
            seen.add(sent)
            yield pytest.param(tool, most, id=name)


TOOLS = list(unlike())


def walked(value: Any) -> Iterator[Any]:
    """All schemas within a schema."""
    yield value
    for each in [*value.get("properties", {}).values(), *([value["items"]] if "items" in value else [])]:
        yield from walked(each)


def check_openai(function: Mapping[str, Any], *, strict: bool) -> None:
    """What OpenAI takes: a flat object; strict with all arguments required and no others."""
    parameters = function["parameters"]
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", function["name"])
    assert parameters["type"] == "object"
    if strict:
        assert parameters["required"] == list(parameters["properties"])
        assert parameters["additionalProperties"] is False


def check_anthropic(schema: Mapping[str, Any]) -> None:
    """What Anthropic's strict mode takes: objects without others than the arguments, no bounds, patterns, formats."""
    wrong = {"minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "pattern", "format"}
    for each in walked(schema):
        assert not each.keys() & wrong
        assert each["type"] != "object" or each["additionalProperties"] is False


def check_gemini(function: Mapping[str, Any]) -> None:
    """What Gemini takes: the keywords that its Schema has and this project uses, items for lists, enums of texts."""
    assert re.fullmatch(r"[a-zA-Z_][\w.-]{0,62}", function["name"])
    for each in walked(function["parameters"]):
        assert each.keys() <= {"type", "description", "enum", "items", "properties", "required"}
        assert ("items" in each) == (each["type"] == "array")
        assert "enum" not in each or each["type"] == "string"
        assert set(each.get("required", [])) <= set(each.get("properties", []))


def check_flat(schema: Mapping[str, Any]) -> None:
    """What this project writes: flat types, a short description of each argument, short enums."""
    for name, each in schema["properties"].items():
        assert re.fullmatch(r"[a-z0-9_]{1,40}", name)
        assert each.keys() <= KNOWN
        assert each["type"] in PLAIN | {"array"}
        assert each["type"] != "array" or each["items"] == {"type": each["items"]["type"]}
        assert each["type"] != "array" or each["items"]["type"] in PLAIN
        assert 5 <= len(each["description"]) <= 200
        assert each["description"].endswith(".")
        assert each["description"] == " ".join(each["description"].split())
        assert "enum" not in each or 2 <= len(each["enum"]) <= 12


@pytest.mark.parametrize(("tool", "most"), TOOLS)
def test_every_schema_is_taken_everywhere(tool: BaseTool, most: int) -> None:
    for strict in (None, False, True):
        function = convert_to_openai_tool(tool, strict=strict)["function"]
        check_openai(function, strict=strict is True)
        check_flat(function["parameters"])
        if strict:
            check_anthropic(function["parameters"])
        else:
            check_gemini(function)
            parameters = function["parameters"]
            assert len(parameters["properties"]) <= most
            assert len(parameters.get("required", [])) <= 2
            required = parameters.get("required", [])
            assert list(parameters["properties"])[: len(required)] == required


@pytest.mark.parametrize(("tool", "most"), TOOLS)
def test_names_and_descriptions(tool: BaseTool, most: int) -> None:
    assert re.fullmatch(r"hf_[a-z0-9_]{1,37}", tool.name)
    assert 20 <= len(tool.description) <= 1000
    assert tool.description == " ".join(tool.description.split())
    for word in ("developer", "old API", "TEI", "None", "null", "docstring"):
        assert not re.search(rf"\b{word}\b", tool.description)


@pytest.mark.parametrize(("tool", "most"), TOOLS)
def test_the_pydantic_schema_says_the_same(tool: BaseTool, most: int) -> None:
    sent = convert_to_openai_tool(tool)["function"]["parameters"]
    for model in (tool.args_schema, tool.tool_call_schema, tool.get_input_schema()):
        schema: dict[str, Any] = cast(Any, model).model_json_schema()
        assert not schema.keys() & {"$defs", "anyOf", "allOf", "oneOf"}
        for each in schema["properties"].values():
            assert each.pop("title")
        assert schema["properties"] == sent["properties"]
        assert schema.get("required", []) == sent.get("required", [])


def test_core_is_small() -> None:
    for provider, names in (("auto", PRESETS["core"]), ("local", LOCAL)):
        tools = HfInferenceToolkit(client(provider)).get_tools()
        assert [tool.name for tool in tools] == [f"hf_{name}" for name in names]
        assert len(tools) <= 8
        sent = json.dumps([convert_to_openai_tool(tool) for tool in tools])
        assert len(sent) / 4 < 1500


LOCAL = ("describe_image", "classify", "transcribe_audio", "search_texts")


@pytest.mark.live
def test_core_is_below_2500_tokens() -> None:
    sent = json.dumps([convert_to_openai_tool(tool) for tool in HfInferenceToolkit(client()).get_tools()])
    with running("llama-cpp-chat") as url:
        body = json.dumps({"content": sent}).encode()
        with urlopen(Request(f"{url}/tokenize", body, {"content-type": "application/json"})) as response:
            tokens = json.load(response)["tokens"]
    assert 500 < len(tokens) < 2500


def test_tools_outside_of_core_may_be_deferred() -> None:
    assert all(tool.extras is None for tool in HfInferenceToolkit(client()).get_tools())
    for tool in HfInferenceToolkit(client(), preset="all").get_tools():
        assert tool.extras == {"defer_loading": True}


class ToolsFile(SingleFileSnapshotExtension):
    """A file in JSON beside the other snapshots; the order of arguments counts."""

    _write_mode = WriteMode.TEXT
    file_extension = "json"

    def serialize(self, data: Any, **options: Any) -> str:
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("preset", [*PRESETS, "local"])
def test_tools(preset: str, snapshot: SnapshotAssertion) -> None:
    local = preset == "local"
    tools = HfInferenceToolkit(client("local" if local else "auto"), preset="core" if local else preset).get_tools()
    sent = [convert_to_openai_tool(tool)["function"] for tool in tools]
    assert sent == snapshot(extension_class=ToolsFile)


def test_every_word_is_about_a_task() -> None:
    kinds = {kind.name: kind for kind in tasks().values()}
    assert list(TASKS) == list(kinds)
    fields = {(name, field) for name, kind in kinds.items() for field in kind.__dataclass_fields__}
    for key in FIELDS:
        name, _, field = key.rpartition(".")
        assert any(field == known and name in ("", task) for task, known in fields), key


def test_a_task_without_words_has_those_of_its_docstring() -> None:
    def kind() -> None:
        """Do it
        well.

        More for developers.
        """

    assert described(SimpleNamespace(name="new-task", __doc__=kind.__doc__)) == "Do it well."
    assert described(SimpleNamespace(name="new-task", __doc__=None)) == "new-task"


def test_unions_become_their_most_general_list_or_the_first() -> None:
    text, words = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    assert flattened({"anyOf": [text, words, {"type": "null"}], "description": "It."}, {}) == {
        **words,
        "description": "It.",
    }
    assert flattened({"oneOf": [{"type": "boolean"}, text]}, {}) == {"type": "boolean"}
    assert flattened({"$ref": "#/$defs/It"}, {"It": {**text, "title": "It", "minLength": 1}}) == text
    assert not is_plain({"type": "array", "items": {"type": "object"}})
    assert not is_plain({"type": "object"})
    assert is_plain(words)
