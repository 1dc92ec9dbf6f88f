"""The embedded backend as a provider: which tasks it has, in which wire form, below which path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hf_tools.errors import LocalBackendError
from hf_tools.providers.names import LOCAL
from hf_tools.task import Route, Server, Task

LOCAL_TASKS: Mapping[str, tuple[Server, str]] = {
    "chat-completion": ("openai", ""),
    "conversational": ("openai", ""),
    "text-generation": ("openai", ""),
    "feature-extraction": ("hf-inference", "/models/{model}"),
    "sentence-similarity": ("hf-inference", "/models/{model}"),
    "zero-shot-classification": ("hf-inference", "/models/{model}/pipeline/zero-shot-classification"),
    "text-ranking": ("toolkit", "/models/{model}/pipeline/text-ranking"),
    "automatic-speech-recognition": ("hf-inference", "/models/{model}/pipeline/automatic-speech-recognition"),
    "image-to-text": ("hf-inference", "/models/{model}/pipeline/image-to-text"),
}
"""What the embedded backend does, in which wire form, and below which path."""

LOCAL_CHAT = "HuggingFaceTB/SmolLM2-135M-Instruct"
LOCAL_EMBEDDING = "sentence-transformers/all-MiniLM-L6-v2"
LOCAL_MEDIA: Mapping[str, str] = {
    "automatic-speech-recognition": "openai/whisper-tiny.en",
    "image-to-text": "PaddlePaddle/PP-OCRv6_small_rec",
}
"""The models of the tasks with a sound or a picture."""


def local_route(task: Task[Any], model: str | None, stream: bool) -> Route:
    """The route of a task in the embedded backend; LocalBackendError for a task that it does not have."""
    if task.name not in LOCAL_TASKS:
        names = ", ".join(name.replace("-", "_") for name in LOCAL_TASKS)
        others = " or ".join(task.remote) or "an endpoint of your own"
        raise LocalBackendError(
            f"the embedded backend has no {task.name}; it has {names}",
            hint=f"Served remotely by {others}: HfInference(provider=...) with a token",
        )
    server, path = LOCAL_TASKS[task.name]
    model = model or (LOCAL_CHAT if server == "openai" else LOCAL_MEDIA.get(task.name, LOCAL_EMBEDDING))
    return Route(server, LOCAL + path.format(model=quote(model, safe="/")), model, "local", stream)
