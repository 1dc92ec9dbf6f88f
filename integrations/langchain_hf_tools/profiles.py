"""What chat models can do, as LangChain's `model.profile` has it.

The facts are those that langchain-huggingface ships, from models.dev (see NOTICE); `docs/make_profiles.py` writes
them. LangChain takes what a profile does not say for possible, so everything that is not known to work is False:
PDF files, audio and video for most models, system messages and tools in the middle of a conversation. The
exception are images in tool messages: the chat model moves them to where a model with eyes can see them.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any, cast, get_type_hints

from langchain_core.language_models import ModelProfile

from hf_tools.providers import is_url

EMBEDDED: Mapping[str, Any] = {
    "name": "SmolLM2 135M Instruct",
    "open_weights": True,
    "max_input_tokens": 4096,
    "text_inputs": True,
    "text_outputs": True,
    "tool_calling": True,
    "structured_output": True,
    "temperature": True,
}
"""The embedded backend's model as that backend runs it: 4,096 tokens for prompt and answer together."""


class Known(dict[str, Any]):
    """A profile that was looked up here, and not given by a caller."""


def profile_of(model: str | None, provider: str = "auto", base_url: str | None = None) -> ModelProfile | None:
    """The profile of a model, by its ID in any case, with or without `:provider`; None for one that is not listed.

    The ID may also stand in the URL that is asked, after `/models/`. `local` is the embedded model.
    """
    if provider == "local":
        return _whole(EMBEDDED)
    name = model or ""
    if not name or is_url(name):
        found = re.search(r"/models/([\w.-]+/[\w.-]+)", name or base_url or "")
        name = str(found[1]) if found else ""
    facts = _table().get(name.partition(":")[0].lower())
    return None if facts is None else _whole(facts)


@functools.cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    """The facts by model ID in lower case; read when the first model asks."""
    text = resources.files("langchain_hf_tools").joinpath("profiles.json").read_text("utf-8")
    return {model.lower(): facts for model, facts in json.loads(text).items()}


def _whole(facts: Mapping[str, Any]) -> ModelProfile:
    """The facts and what follows from them, with False for the rest; only keys that this langchain-core knows."""
    sees, calls = bool(facts.get("image_inputs")), bool(facts.get("tool_calling"))
    hints = get_type_hints(ModelProfile)
    known: dict[str, Any] = {name: False for name, hint in hints.items() if hint is bool}
    known |= {"image_url_inputs": sees, "tool_choice": calls, **facts}
    if sees:
        known.pop("image_tool_message", None)
    return cast("ModelProfile", Known({name: value for name, value in known.items() if name in hints}))
