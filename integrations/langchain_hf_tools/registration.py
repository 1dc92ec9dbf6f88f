"""`init_chat_model("hf:org/name")` and `init_embeddings("hf:org/name")`, once `register()` was called."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any, cast

from hf_tools.errors import ConfigurationError, InputError, MissingExtra, shown

CHAT, EMBEDDINGS = "langchain.chat_models.base", "langchain.embeddings.base"
"""The modules of langchain with a private dict of providers each."""
CLASSES = {CHAT: "ChatHfInference", EMBEDDINGS: "HfInferenceEmbeddings"}
INSTEAD = "Pass an instance: create_agent(ChatHfInference(model=...), tools) needs no registration"


def register(*, name: str = "hf") -> None:
    """Make langchain's functions that take a name know the models of this package.

    You rarely need it, for an instance goes wherever langchain takes a name:

        create_agent(ChatHfInference(model="openai/gpt-oss-120b"), tools)

    After `register()` names work as well, with a provider behind a second colon, and `local` for the embedded
    backend; what else is given goes to the class:

        init_chat_model("hf:openai/gpt-oss-120b:groq", temperature=0)
        init_chat_model("hf:local"); init_embeddings("hf:local")

    Limits: langchain offers no public way, so this writes into a private dict of langchain's. It holds for this
    process, must be called in each one, and is never done by an import. A model that is configured at run time is
    named in full, `{"configurable": {"model": "hf:org/name"}}`. `init_embeddings` keeps `provider` to itself.

    Calling it again changes nothing. InputError for a `name` that langchain could not read, ConfigurationError for
    one that is taken or where langchain has changed, MissingExtra without langchain.
    """
    if not isinstance(cast(object, name), str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise InputError(f"`name` = {shown(repr(name), 60)}: must be lower-case letters, digits and underscores")
    found = {module: _providers(module) for module in CLASSES}
    for module, providers in found.items():
        taken = providers.get(name)
        if taken is not None and taken[:2] != _entry(module)[:2]:
            raise ConfigurationError(f"`name` = {name!r} is taken by {shown(taken[0], 60)}", hint="Choose another name")
    for module, providers in found.items():
        providers[name] = _entry(module)


def _entry(module: str) -> tuple[str, str, Callable[..., Any]]:
    return "langchain_hf_tools", CLASSES[module], _made


def _made(cls: Callable[..., Any], model: str, **fields: Any) -> Any:
    """A model by its name; called by langchain."""
    if model != "local":
        return cls(model=model, **fields)
    provider = fields.pop("provider", "local")
    if provider != "local":
        said = f"`provider` = {shown(repr(provider), 60)}: the name `local` is for the embedded backend"
        raise InputError(said, hint="Name a model, or leave `provider` out")
    return cls(provider="local", **fields)


def _providers(module: str) -> dict[str, Any]:
    """The dict of providers, as far as it still is what is known of it."""
    try:
        found: object = getattr(importlib.import_module(module), "_BUILTIN_PROVIDERS", None)
    except ModuleNotFoundError as error:
        if error.name == "langchain":
            raise MissingExtra("register() needs langchain: pip install langchain", hint=INSTEAD) from error
        found = None
    entries = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    if not entries or not all(_known(entry) for entry in entries.values()):
        raise ConfigurationError(f"langchain has changed: {module} has no providers to add to", hint=INSTEAD)
    return entries


def _known(entry: Any) -> bool:
    """A module, a class in it, and what makes one."""
    match entry:
        case (str(), str(), maker):
            return callable(maker)
        case _:
            return False
