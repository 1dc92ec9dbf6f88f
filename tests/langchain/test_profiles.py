"""Model profiles: facts by name, in every spelling, with an explicit no where something is not known to work."""

from __future__ import annotations

import importlib.util
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import ModelProfile

from hf_tools.local.chat import SETTINGS
from langchain_hf_tools import ChatHfInference, profiles
from langchain_hf_tools.profiles import profile_of

ROOT = Path(__file__).parents[2]
FILE = ROOT / "integrations" / "langchain_hf_tools" / "profiles.json"
FACTS: dict[str, dict[str, Any]] = json.loads(FILE.read_text("utf-8"))
TEXT, EYES = "openai/gpt-oss-120b", "Qwen/Qwen3-VL-235B-A22B-Instruct"


def script() -> Any:
    spec = importlib.util.spec_from_file_location("make_profiles", ROOT / "docs" / "make_profiles.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def known(model: str | None, provider: str = "auto", base_url: str | None = None) -> dict[str, Any]:
    found = profile_of(model, provider, base_url)
    assert found is not None
    return dict(found)


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        (TEXT, None),
        (f"{TEXT}:groq", None),
        (TEXT.upper(), None),
        (TEXT, "http://127.0.0.1:8080/v1"),
        (f"https://router.huggingface.co/hf-inference/models/{TEXT}/v1", None),
        (None, f"https://router.huggingface.co/hf-inference/models/{TEXT}/v1"),
    ],
)
def test_a_listed_model_has_its_profile(model: str | None, base_url: str | None) -> None:
    found = known(model, "auto", base_url)
    assert (found["name"], found["max_input_tokens"], found["max_output_tokens"]) == ("GPT OSS 120B", 131072, 32768)
    assert found["reasoning_output"] is found["tool_calling"] is found["tool_choice"] is True
    assert found["structured_output"] is True
    no = ("image_inputs", "image_url_inputs", "pdf_inputs", "audio_inputs", "video_inputs", "image_tool_message")
    assert [found[name] for name in (*no, "pdf_tool_message", "mid_conversation_tools")] == [False] * 8


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        (None, None),
        ("org/nobody-knows-it", None),
        ("gpt-oss-120b", None),
        ("https://xyz.endpoints.huggingface.cloud", None),
        (None, "http://127.0.0.1:8080/v1"),
        ("https://h/models/org/other", f"https://h/models/{TEXT}"),
    ],
)
def test_what_is_not_listed_has_none(model: str | None, base_url: str | None) -> None:
    assert profile_of(model, "auto", base_url) is None


def test_a_model_with_eyes_sees_images_in_tool_messages_too() -> None:
    found = known(EYES)
    assert found["image_inputs"] is found["image_url_inputs"] is True
    assert "image_tool_message" not in found  # it sees them where the chat model puts them, after the tool's message


@pytest.mark.parametrize("model", FACTS)
def test_every_profile_answers_every_question(model: str) -> None:
    found = known(model)
    kinds = {name: kind for name, kind in ModelProfile.__annotations__.items() if "bool" in str(kind)}
    assert kinds.keys() - found.keys() <= {"image_tool_message"}
    assert all(isinstance(found[name], bool) for name in kinds.keys() & found.keys())
    assert {name: found[name] for name in FACTS[model]} == FACTS[model]
    assert found["max_input_tokens"] > 0
    assert found["max_output_tokens"] > 0


def test_there_are_the_models_that_people_use() -> None:
    assert len(FACTS) == 78
    assert {TEXT, EYES, "meta-llama/Llama-3.3-70B-Instruct", "deepseek-ai/DeepSeek-V3.2"} <= FACTS.keys()


def test_the_embedded_model_has_its_own() -> None:
    found = known(None, "local")
    assert found["max_input_tokens"] == SETTINGS["context"]
    assert found["tool_calling"] is found["structured_output"] is found["text_inputs"] is True
    assert found["image_inputs"] is found["audio_inputs"] is found["reasoning_output"] is False
    assert known("HuggingFaceTB/SmolLM2-135M-Instruct", "local") == found
    assert profile_of("HuggingFaceTB/SmolLM2-135M-Instruct") is None  # elsewhere it is another backend's


def test_keys_that_this_langchain_does_not_know_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {"org/new": {"name": "New", "tool_calling": True, "telepathy": True}}
    monkeypatch.setattr(profiles, "_table", lambda: facts)
    assert "telepathy" not in known("org/new")


def test_a_profile_can_be_changed_without_changing_the_next() -> None:
    known(TEXT)["name"] = "mine"
    mine = profile_of(TEXT)
    assert mine is not None
    mine["tool_calling"] = False
    assert known(TEXT)["tool_calling"] is True


def test_models_have_profiles() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ChatHfInference(model=f"{TEXT}:cerebras")
        assert model.profile == profile_of(TEXT)
        assert ChatHfInference(model="org/other").profile is None
        assert ChatHfInference(model=TEXT, profile={"max_input_tokens": 5}).profile == {"max_input_tokens": 5}


# the script


def wheel(folder: Path, source: str) -> Path:
    path = folder / "some.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(script().TABLE, source)
    return path


def test_the_script_reads_a_wheel_without_importing_it(tmp_path: Path) -> None:
    source = (
        'import nothing_that_exists\n_PROFILES: dict = {"b/x": {"name": "X", "max_input_tokens": 5, '
        '"tool_calling": True, "image_inputs": False}, "a/y": {"name": "Y"}}\n'
    )
    found = script().table(wheel(tmp_path, source))
    assert script().text(found) == (
        '{\n"a/y": {"name": "Y"},\n"b/x": {"name": "X", "max_input_tokens": 5, "tool_calling": true}\n}\n'
    )
    with pytest.raises(ValueError, match="has no _PROFILES"):
        script().table(wheel(tmp_path, "_OTHERS: dict = {}"))


def test_the_file_is_as_the_script_writes_it() -> None:
    assert script().text(FACTS) == FILE.read_text("utf-8")


def test_the_source_is_named() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    for line in ("langchain-huggingface", "https://github.com/sst/models.dev", "Copyright (c) 2023 LangChain, Inc."):
        assert line in notice
