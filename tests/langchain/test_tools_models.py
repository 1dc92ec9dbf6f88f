"""The table of default models: every task is in it or said to be missing; each row is one that our client can ask."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from urllib.parse import urlsplit

import pytest

from hf_tools.catalogue import catalogue
from hf_tools.providers import PROVIDERS, check_model
from hf_tools.providers.routes import CHAT
from hf_tools.providers.rows import ROWS
from langchain_hf_tools._tools.models import DOCS, MODELS, UNSERVED, Served, served

TASKS = dict(catalogue())
CHATS = {"image_chat": "chat_completion"}
"""Which task asks a model, where the two names differ."""


def test_every_task_is_served_or_said_to_be_not() -> None:
    found = {CHATS.get(row.task, row.task) for row in MODELS}
    assert len(TASKS) == 37
    assert found & UNSERVED.keys() == set()
    assert found | UNSERVED.keys() == TASKS.keys()


@pytest.mark.parametrize("row", MODELS, ids=lambda row: f"{row.task}-{row.provider}")
def test_a_row_is_one_that_the_client_can_ask(row: Served) -> None:
    name = TASKS[CHATS.get(row.task, row.task)].name
    assert row.provider in PROVIDERS
    assert check_model(row.model, row.task) == row.model
    assert re.fullmatch(r"[\w-]+/[\w.-]+", row.model, re.ASCII)
    if row.provider == "auto":
        assert name in CHAT
    elif row.provider == "hf-inference":
        assert "hf-inference" in TASKS[row.task].remote
    else:
        known = ROWS[row.provider]
        assert ("chat-completion" if name in CHAT else name) in {*known.openai, *known.own}


@pytest.mark.parametrize("row", MODELS, ids=lambda row: f"{row.task}-{row.provider}")
def test_a_row_says_where_it_is_from_and_when(row: Served) -> None:
    source = urlsplit(row.source)
    assert (source.scheme, source.query, source.fragment) == ("https", "", "")
    assert source.hostname in {"huggingface.co", "github.com"}
    day = row.date if len(row.date) == 10 else f"{row.date}-01"
    assert dt.date(2025, 1, 1) <= dt.date.fromisoformat(day)


def test_pages_of_the_documentation_are_those_of_a_provider_or_of_a_task() -> None:
    pages = {row.source.removeprefix(f"{DOCS}/") for row in MODELS if row.source.startswith(DOCS)}
    names = {f"tasks/{task.name}" for task in TASKS.values()} | {"tasks/image-text-to-text"}
    assert pages - names <= {f"providers/{name}" for name in PROVIDERS}


def test_a_provider_has_one_model_for_a_task() -> None:
    assert [key for key, count in Counter((row.task, row.provider) for row in MODELS).items() if count > 1] == []


@pytest.mark.parametrize(
    ("task", "provider", "model", "whose"),
    [
        ("summarization", "auto", "facebook/bart-large-cnn", "hf-inference"),
        ("summarization", "hf-inference", "facebook/bart-large-cnn", "hf-inference"),
        ("text_to_image", "auto", "black-forest-labs/FLUX.1-schnell", "nscale"),
        ("text_to_image", "fal-ai", "black-forest-labs/FLUX.1-dev", "fal-ai"),
        ("text_to_speech", "auto", "hexgrad/Kokoro-82M", "replicate"),
        ("image_chat", "auto", "google/gemma-4-31B-it", "auto"),
        ("chat_completion", "together", "deepseek-ai/DeepSeek-V4-Flash-0731", "together"),
    ],
)
def test_the_model_for_a_client(task: str, provider: str, model: str, whose: str) -> None:
    row = served(task, provider)
    assert row is not None
    assert (row.task, row.model, row.provider) == (task, model, whose)


@pytest.mark.parametrize(
    ("task", "provider"),
    [("summarization", "groq"), ("chat_completion", "hf-inference"), ("image_chat", "groq"), ("text_ranking", "auto")],
)
def test_no_model_where_none_is_known(task: str, provider: str) -> None:
    assert served(task, provider) is None


def test_what_the_tool_of_a_task_without_a_model_says() -> None:
    assert UNSERVED["text_ranking"] == (
        "No inference provider is known to serve text ranking (https://huggingface.co/docs/inference-providers, "
        '2026-08): give a model or an endpoint of your own with models={"text_ranking": ...}'
    )
    assert all(f'models={{"{task}": ...}}' in text and len(text) < 250 for task, text in UNSERVED.items())
