"""The chat models that are compared, each made in the way that serves it best."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True)
class Subject:
    """A chat model class: `make(url, **fields)` makes one for a server, or for its own provider where url is None."""

    name: str
    title: str
    distribution: str
    ambient: str
    """Variable of the environment that holds its provider's key."""
    make: Callable[..., BaseChatModel]


def _ours(url: str | None, **fields: Any) -> BaseChatModel:
    made: Any = importlib.import_module("langchain_hf_tools")
    model: BaseChatModel = made.ChatHfInference(**{"model": "org/model", "base_url": url, **fields})
    return model


def _openai(url: str | None, **fields: Any) -> BaseChatModel:
    made: Any = importlib.import_module("langchain_openai")
    model: BaseChatModel = made.ChatOpenAI(**{"model": "org/model", "base_url": url, **fields})
    return model


TWICE = {
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "max_tokens": "max_new_tokens",
    "stop": "stop_sequences",
}
"""Fields that both of its objects have, and the name in the second."""
ENDPOINT = {"api_key": "huggingfacehub_api_token", "timeout": "timeout"}
"""Fields that only the second one has."""


def _huggingface(url: str | None, **fields: Any) -> BaseChatModel:
    """Two objects: what both know is set on both, for either alone loses some of it."""
    made: Any = importlib.import_module("langchain_huggingface")
    name, _, provider = str(fields.pop("model", "org/model")).partition(":")
    about = {"repo_id": name, "provider": provider or None} if url is None else {"endpoint_url": url}
    second = {TWICE[key]: value for key, value in fields.items() if key in TWICE}
    second |= {ENDPOINT[key]: fields.pop(key) for key in ENDPOINT if key in fields}
    model: BaseChatModel = made.ChatHuggingFace(
        llm=made.HuggingFaceEndpoint(**about, **second), model_id=name, **fields
    )
    return model


OURS = Subject("ours", "ChatHfInference", "hf-tools", "HF_TOKEN", _ours)
HUGGINGFACE = Subject("huggingface", "ChatHuggingFace", "langchain-huggingface", "HF_TOKEN", _huggingface)
OPENAI = Subject("openai", "ChatOpenAI", "langchain-openai", "OPENAI_API_KEY", _openai)
SUBJECTS = {subject.name: subject for subject in (OURS, HUGGINGFACE, OPENAI)}
