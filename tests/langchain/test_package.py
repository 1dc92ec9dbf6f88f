"""The package itself: its names, and what it says without langchain-core."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import langchain_hf_tools
from hf_tools.errors import MissingExtra

PUBLIC = [
    "PRESETS",
    "Budget",
    "ChatHfInference",
    "HfInferenceEmbeddings",
    "HfInferenceLLM",
    "HfInferenceReranker",
    "HfInferenceTool",
    "HfInferenceToolkit",
    "HfMediaMiddleware",
    "register",
]


def test_public_names() -> None:
    assert langchain_hf_tools.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(langchain_hf_tools))
    for name in PUBLIC[1:]:
        assert getattr(langchain_hf_tools, name).__name__ == name


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'ChatHf'"):
        getattr(langchain_hf_tools, "ChatHf")  # noqa: B009


@pytest.mark.parametrize("missing", ["langchain_core", "langchain_core.tools"])
def test_without_langchain_core_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    def load(name: str) -> object:
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setattr(importlib, "import_module", load)
    with pytest.raises(MissingExtra, match=r"pip install 'hf-tools\[langchain\]'"):
        _ = langchain_hf_tools.HfInferenceTool


@pytest.mark.parametrize("missing", ["langchain_hf_tools.tools", None])
def test_another_missing_module_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch, missing: str | None) -> None:
    def load(name: str) -> object:
        raise ModuleNotFoundError("No module", name=missing)

    monkeypatch.setattr(importlib, "import_module", load)
    with pytest.raises(ModuleNotFoundError) as caught:
        _ = langchain_hf_tools.HfInferenceTool
    assert not isinstance(caught.value, MissingExtra)


def test_importing_the_tools_loads_nothing_heavy() -> None:
    light = [name for name in PUBLIC if name != "HfMediaMiddleware"]  # that is a part of langchain's
    code = f"from langchain_hf_tools import {', '.join(light)}\nimport sys\nprint(*sys.modules)"
    path = [entry for entry in sys.path if entry]
    run = [sys.executable, "-c", f"import sys; sys.path[:] = {path!r}\n{code}"]
    loaded = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    heavy = {"langgraph", "langchain", "numpy", "PIL", "onnxruntime", "xllamacpp", "huggingface_hub", "transformers"}
    assert heavy.isdisjoint(loaded)
