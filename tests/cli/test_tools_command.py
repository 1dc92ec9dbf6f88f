"""The command `tools`: what an agent gets, and what it costs of its context."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from langchain_core.utils.function_calling import convert_to_openai_tool

from hf_tools import HfInference
from hf_tools.cli import main
from hf_tools.cli.lists import sentence
from langchain_hf_tools import PRESETS, HfInferenceToolkit

Capture = pytest.CaptureFixture[str]


def tools(preset: str, provider: str = "auto") -> list[Any]:
    with HfInference(provider=provider) as hf:
        made: list[Any] = [*HfInferenceToolkit(hf, preset=preset).get_tools()]
    return made


def schemas(preset: str) -> list[dict[str, Any]]:
    return [convert_to_openai_tool(tool) for tool in tools(preset)]


def size(schema: dict[str, Any]) -> int:
    return len(json.dumps(schema, separators=(",", ":"), ensure_ascii=False))


@pytest.mark.parametrize(("words", "preset"), [([], "core"), (["--preset", "dynamic"], "dynamic")])
def test_names_and_what_each_is_for(words: list[str], preset: str, capsys: Capture) -> None:
    assert main(["tools", *words]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    made = tools(preset)
    assert err == ""
    assert [line for line in lines if not line.startswith(" ")] == [tool.name for tool in made]
    told = " ".join(line.strip() for line in lines if line.startswith(" "))
    assert told == " ".join(sentence(tool.description) for tool in made)


def test_the_schemas(capsys: Capture) -> None:
    assert main(["tools", "--json", "--preset", "all"]) == 0
    assert json.loads(capsys.readouterr().out) == schemas("all")


def test_the_counts_of_every_preset(capsys: Capture) -> None:
    assert main(["tools", "--stats", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == list(PRESETS)
    for preset, counts in found.items():
        sizes = [(schema["function"]["name"], size(schema)) for schema in schemas(preset)]
        assert [(each["name"], each["characters"]) for each in counts["tools"]] == sizes
        total = sum(number for _, number in sizes)
        assert (counts["count"], counts["characters"], counts["tokens"]) == (len(sizes), total, -(-total // 4))


def test_the_counts_as_a_table(capsys: Capture) -> None:
    assert main(["tools", "--stats", "--preset", "dynamic"]) == 0
    head, whole, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    sizes = {schema["function"]["name"]: size(schema) for schema in schemas("dynamic")}
    assert head == ["tools", "characters", "tokens", "(about)"]
    assert whole == ["dynamic", str(len(sizes)), f"{sum(sizes.values()):,}", f"{-(-sum(sizes.values()) // 4):,}"]
    assert rows == [[name, f"{number:,}", f"{-(-number // 4):,}"] for name, number in sizes.items()]


def test_the_tables_of_all_presets(capsys: Capture) -> None:
    assert main(["tools", "--stats"]) == 0
    tables = capsys.readouterr().out.split("\n\n")
    assert [table.splitlines()[1].split()[0] for table in tables] == list(PRESETS)


def test_whom_the_tools_ask(capsys: Capture) -> None:
    assert main(["tools", "--provider", "local"]) == 0
    names = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert names == [tool.name for tool in tools("core", "local")]
    assert main(["tools", "--provider", "nobody"]) == 2
    assert capsys.readouterr().err.startswith("error: `provider` = 'nobody'")


def test_an_unknown_preset_names_the_known_ones(capsys: Capture) -> None:
    assert main(["tools", "--preset", "most"]) == 2
    assert capsys.readouterr() == ("", f"error: tools: no preset 'most'. Known are {', '.join(PRESETS)}\n")


def test_without_langchain_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setitem(sys.modules, "langchain_core.utils.function_calling", None)
    assert main(["tools"]) == 1
    said = "error: `hf-tools tools` needs langchain-core: pip install 'hf-tools[langchain]'\n"
    assert capsys.readouterr() == ("", said)
