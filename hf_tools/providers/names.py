"""Names and addresses: what a model, a provider's address and a URL may look like."""

from __future__ import annotations

import functools
import re
from typing import Any
from urllib.parse import urlsplit

from hf_tools.errors import ConfigurationError, InputError, shown

HUB = "https://huggingface.co"
ROUTER = "https://router.huggingface.co"
LOCAL = "http://hf-tools.local"
"""Base of the embedded backend; no socket is ever opened to it."""

MODEL_ID = r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?(:[\w.-]{1,60})?"


def is_url(model: str | None) -> bool:
    """The model is given as the URL of an endpoint."""
    return model is not None and model[:8].lower().startswith(("http://", "https://"))


def check_url(url: Any, what: str = "the endpoint URL") -> str:
    """An http(s) URL with a host that can exist and without credentials; ConfigurationError otherwise."""
    text = url.strip() if isinstance(url, str) else ""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        parts, host = urlsplit(""), ""
    labels = host.rstrip(".").split(".")
    wrong = any(label in ("", "xn--") for label in labels) and ":" not in host
    if parts.scheme.lower() not in ("http", "https") or wrong or not text.isprintable() or " " in text:
        raise ConfigurationError(f"{what} {shown(repr(url), 100)} is not an http(s) URL with a host")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"{what} must not hold credentials", hint="Pass the token as `token`")
    return text.partition("#")[0]


@functools.lru_cache(256)
def _is_model(name: str) -> bool:
    return bool(re.fullmatch(MODEL_ID, name)) and ".." not in name and not name.endswith((".git", "/"))


def check_model(model: Any, task: str) -> str:
    """A model ID as the Hub writes it; InputError for anything else."""
    if isinstance(model, str) and _is_model(model):
        return model
    forms = "`name`, `org/name`, `org/name:provider` or an http(s) URL"
    raise InputError(f"{task}: `model` = {shown(repr(model), 100)}: expected {forms}")
