"""Hugging Face's inference tasks for LangChain: tools for agents, a chat model, an LLM, embeddings, a reranker.

from langchain_hf_tools import HfInferenceToolkit

tools = HfInferenceToolkit().get_tools()
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_hf_tools.budgets import Budget
    from langchain_hf_tools.chat_models import ChatHfInference
    from langchain_hf_tools.embeddings import HfInferenceEmbeddings
    from langchain_hf_tools.llms import HfInferenceLLM
    from langchain_hf_tools.middleware import HfMediaMiddleware
    from langchain_hf_tools.registration import register
    from langchain_hf_tools.rerankers import HfInferenceReranker
    from langchain_hf_tools.toolkit import PRESETS, HfInferenceToolkit
    from langchain_hf_tools.tools import HfInferenceTool

__all__ = [
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

_MODULES = {
    "Budget": "budgets",
    "PRESETS": "toolkit",
    "HfMediaMiddleware": "middleware",
    "ChatHfInference": "chat_models",
    "HfInferenceEmbeddings": "embeddings",
    "HfInferenceLLM": "llms",
    "HfInferenceReranker": "rerankers",
    "HfInferenceTool": "tools",
    "HfInferenceToolkit": "toolkit",
    "register": "registration",
}
_BEFORE = {"ChatHfInference": "langchain_core.language_models.chat_models"}
"""What is loaded before the module itself. Its own imports go deep, and where they begin deep in the stack as well,
CPython 3.11 allocates a piece of its stack again and again: 5,000 page faults, 5 % of the time of the import."""


def __getattr__(name: str) -> Any:
    """A public name, loaded when it is first used; MissingExtra without langchain-core."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        if name in _BEFORE:
            importlib.import_module(_BEFORE[name])
        module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "langchain_core":
            raise
        from hf_tools.errors import MissingExtra

        raise MissingExtra(f"{name} needs langchain-core: pip install 'hf-tools[langchain]'") from error
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
