"""The providers as data: a row for each, with the routes that it has in OpenAI's form, and the tasks in its own.

A provider that only needs an address and OpenAI-shaped routes is a row here; one with forms of its own has a file.
"""

from __future__ import annotations

from collections.abc import Mapping

from hf_tools.providers import fal_ai, novita, replicate, together, wavespeed, zai_org
from hf_tools.providers.dialects import Provider

CHAT_ROUTE = "/v1/chat/completions"

SHAPED: tuple[Provider, ...] = (
    Provider("baseten", "https://inference.baseten.co", {"chat-completion": CHAT_ROUTE}),
    Provider("cerebras", "https://api.cerebras.ai", {"chat-completion": CHAT_ROUTE}),
    Provider("cohere", "https://api.cohere.com", {
        "chat-completion": "/compatibility/v1/chat/completions",
    }, schemas="object"),
    Provider("deepinfra", "https://api.deepinfra.com", {
        "chat-completion": "/v1/openai/chat/completions", "text-generation": "/v1/openai/completions",
        "automatic-speech-recognition": "/v1/openai/audio/transcriptions", "text-to-speech": "/v1/openai/audio/speech",
        "feature-extraction": "/v1/openai/embeddings",
    }),
    Provider("featherless-ai", "https://api.featherless.ai", {
        "chat-completion": CHAT_ROUTE, "text-generation": "/v1/completions",
    }),
    Provider("fireworks-ai", "https://api.fireworks.ai", {
        "chat-completion": "/inference/v1/chat/completions",
    }, schemas="object"),
    Provider("groq", "https://api.groq.com", {"chat-completion": "/openai/v1/chat/completions"}),
    Provider("nscale", "https://inference.api.nscale.com", {
        "chat-completion": CHAT_ROUTE, "text-to-image": "/v1/images/generations",
    }),
    Provider("openai", "https://api.openai.com", {"chat-completion": CHAT_ROUTE}),
    Provider("ovhcloud", "https://oai.endpoints.kepler.ai.cloud.ovh.net", {
        "chat-completion": CHAT_ROUTE, "text-generation": "/v1/completions",
    }),
    Provider("publicai", "https://api.publicai.co", {"chat-completion": CHAT_ROUTE}),
    Provider("scaleway", "https://api.scaleway.ai", {
        "chat-completion": CHAT_ROUTE, "text-generation": "/v1/completions", "feature-extraction": "/v1/embeddings",
    }),
)  # fmt: skip

OWN_FORMS = tuple(each.PROVIDER for each in (fal_ai, novita, replicate, together, wavespeed, zai_org))

ROWS: Mapping[str, Provider] = {row.name: row for row in (*SHAPED, *OWN_FORMS)}
