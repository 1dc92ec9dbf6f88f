from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hf_tools import local
from hf_tools.local.embed import Embedder
from hf_tools.local.weights import PULL_COMMAND, SMOLLM2, find

BASE = "https://router.huggingface.co"
EMBEDDING = "/models/sentence-transformers/all-MiniLM-L6-v2/pipeline"


@pytest.fixture(scope="session")
def weights_here() -> None:
    """The chat tests need the weights: without them they fail, they are not skipped."""
    if find(SMOLLM2) is None:
        pytest.fail(f"The weights of {SMOLLM2.model} are not here: run `{PULL_COMMAND}` once")


@pytest.fixture(scope="session")
def hub() -> Iterator[httpx.Client]:
    """One client of the embedded backend for all tests that do not stop it."""
    with httpx.Client(transport=local.transport(), base_url=BASE, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture(scope="session")
def task(hub: httpx.Client) -> Any:
    """Post a body to an embedding task: task(name, inputs=...) returns the response."""

    def post(name: str, /, **body: Any) -> httpx.Response:
        return hub.post(f"{EMBEDDING}/{name}", json=body)

    return post
