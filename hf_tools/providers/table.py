"""The names of the providers, and what each is; `rows` has what they serve, loaded when one of them is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hf_tools.errors import ConfigurationError, shown

PROVIDERS: Mapping[str, str] = {
    "auto": "the first provider that serves the model for the task, in the order of your settings",
    "hf-inference": "Hugging Face's own servers, for every task that they have",
    "baseten": "chat",
    "cerebras": "chat",
    "cohere": "chat",
    "deepinfra": "chat, text generation, speech, embeddings",
    "fal-ai": "images, video, speech",
    "featherless-ai": "chat, text generation",
    "fireworks-ai": "chat",
    "groq": "chat",
    "novita": "chat, text generation, video",
    "nscale": "chat, images",
    "openai": "chat, with a key of its own only",
    "ovhcloud": "chat, text generation",
    "publicai": "chat",
    "replicate": "images, video, speech",
    "scaleway": "chat, text generation, embeddings",
    "together": "chat, text generation, images, video, speech, embeddings",
    "wavespeed": "images, video",
    "zai-org": "chat, images, text in images",
    "local": "the embedded backend: no token, no network; needs the extra `local`",
}
"""The providers that a client may be given, and what each is."""


def check_provider(name: Any) -> str:
    """The name of a known provider; ConfigurationError with the known ones otherwise."""
    if isinstance(name, str) and name in PROVIDERS:
        return name
    raise ConfigurationError(
        f"`provider` = {shown(repr(name), 60)}: known are {', '.join(PROVIDERS)}",
        hint='For chat, pick another provider with model="org/name:provider"',
    )
