"""Which abilities a tool or toolkit has: by name, by preset, as far as somebody serves them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast

from hf_tools.errors import InputError, shown
from hf_tools.media.policy import MediaPolicy
from hf_tools.media.store import MediaStore, MemoryStore
from langchain_hf_tools._connecting.clients import Clients
from langchain_hf_tools._tools.abilities import Ability, Single
from langchain_hf_tools._tools.arguments import Argument
from langchain_hf_tools._tools.artifacts import is_list
from langchain_hf_tools._tools.bench import Bench, Models
from langchain_hf_tools._tools.catalogued import IMAGE_CHAT, task, tasks
from langchain_hf_tools._tools.core import CORE
from langchain_hf_tools._tools.dynamic import DYNAMIC, single
from langchain_hf_tools._tools.mediahelp import INFO, SAVE, VIEW
from langchain_hf_tools._tools.schema import properties
from langchain_hf_tools.budgets import Budget

MODEL_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?(:[\w-]{1,40})?")
"""What a model may write as the ID of a model: never a URL, never a path."""


def made_bench(
    clients: Clients, store: MediaStore | None, media: MediaPolicy | None, budget: Budget | None,
    models: Models, expose_model: bool, previews: bool,
) -> Bench:  # fmt: skip
    """The common ground of tools; InputError for what is none."""
    parts: list[tuple[str, Any, type]] = [
        ("store", store, MediaStore), ("media", media, MediaPolicy), ("budget", budget, Budget),
    ]  # fmt: skip
    for name, value, kind in parts:
        # a class has the methods as well
        if value is not None and (isinstance(value, type) or not isinstance(value, kind)):
            raise InputError(f"`{name}` ({type(value).__name__}): must be a {kind.__name__}")
    flags: dict[str, Any] = {"expose_model": expose_model, "previews": previews}
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise InputError(f"`{name}` ({type(value).__name__}): must be True or False")
    models = _checked(models)
    store, media = MemoryStore() if store is None else store, MediaPolicy() if media is None else media
    return Bench(clients, store, media, models, Budget() if budget is None else budget, previews, expose_model)


def _checked(models: Models) -> dict[str, tuple[str, ...]]:
    """The models by the names of methods; InputError for what is none."""
    found: dict[str, tuple[str, ...]] = {}
    for name, choice in models.items():
        kind = task(name)
        ids: list[Any] = [choice] if isinstance(choice, str) else list(choice) if is_list(choice) else []
        if not ids or not all(isinstance(one, str) and one.strip() for one in ids):
            raise InputError(f"`models`: {name} must be the ID of a model, or several")
        method = IMAGE_CHAT if name == IMAGE_CHAT else str(kind.name).replace("-", "_")
        found[method] = tuple(ids)
    return found


OTHERS: Mapping[str, Ability] = {each.name: each for each in (*DYNAMIC, INFO, VIEW, SAVE)}


def ability_of(name: str, bench: Bench, parameters: Iterable[str] | Literal["all"] | None = None) -> Ability:
    """The ability of this name: a core one as far as it is served, one of the helpers, else a task."""
    name = bare(name)
    if (core := next((each for each in CORE if each.name == name), None)) is not None:
        found: Ability | None = core.on(bench)
        if found is None:
            raise InputError(
                f"`task` = {name!r}: nobody serves what it needs here", hint="Give `models` or an endpoint"
            )
    else:
        found = OTHERS.get(name)
    if found is not None:
        if parameters is not None:
            raise InputError(f"`parameters`: {name} takes the arguments that it has")
        return found
    return _task_ability(name, parameters)


def check_budget(budget: Budget, prefix: str) -> None:
    """InputError for a limit of a tool whose name is written wrongly: it would limit nothing.

    Other names are let through, for a budget may be shared with other tools.
    """
    names = [f"{prefix}{name}" for name in known()]
    for name in budget.per_tool.keys() - {*names}:
        near = [f"{prefix}{name}"] if f"{prefix}{name}" in names else difflib.get_close_matches(name, names, 1, 0.85)
        if near:
            raise InputError(f"`budget`: per_tool has {shown(name, 60)!r}, the tool is called {near[0]!r}")


def bare(name: Any) -> str:
    """The name of a tool as it stands here, whether it came with hyphens or the usual prefix; InputError for none."""
    plain = name.replace("-", "_").removeprefix("hf_") if isinstance(name, str) else ""
    there = known()
    if plain in there:
        return plain
    near = difflib.get_close_matches(plain, there) or there
    said = shown(repr(plain or name), 60)
    raise InputError(f"`task` = {said}: there is no such task or tool", hint=f"Try {', '.join(near)}")


def known() -> list[str]:
    """The names of all that a tool can be."""
    return [*(each.name for each in CORE), *OTHERS, *tasks()]


def _task_ability(name: str, parameters: Iterable[str] | Literal["all"] | None) -> Single:
    kind = task(name)
    known = frozenset(properties(kind)["properties"])
    named = str(kind.name).replace("-", "_")
    if parameters is None:
        return single(named)
    wanted = known if parameters == "all" else _names(parameters)
    if unknown := wanted - known:
        wrong, there = shown(min(unknown), 60), ", ".join(sorted(known))
        raise InputError(f"`parameters`: {named} has no plain parameter {wrong!r}; there are {there}")
    return single(named, wanted)


def _names(parameters: Any) -> frozenset[str]:
    given: Any = [parameters] if isinstance(parameters, str) else parameters
    if not isinstance(given, Iterable) or isinstance(given, Mapping):
        raise InputError(f'`parameters` ({type(parameters).__name__}): must be names of parameters, or "all"')
    names: list[Any] = [*cast(Any, given)]
    if wrong := [one for one in names if not isinstance(one, str)]:
        raise InputError(f"`parameters`: {shown(repr(wrong[0]), 60)} is no name of a parameter")
    return frozenset(names)


def offered(ability: Ability, bench: Bench) -> tuple[Argument, ...]:
    """The arguments of an ability, with `model` where the developer exposes it."""
    if not bench.expose_model or not ability.tasks:
        return ability.arguments
    return (*ability.arguments, _model(bench.choices(ability.tasks[0]) if len(ability.tasks) == 1 else ()))


def _model(choices: Sequence[str]) -> Argument:
    """The argument that chooses a model: one of those that the developer named, where there are several."""
    more = {"enum": list(choices)} if len(choices) > 1 else {}
    return Argument("model", {"type": "string", "description": "ID of a model on the Hub.", **more}, becomes=_model_id)


def _model_id(text: str) -> str:
    bare = text.strip().strip("`'\"")
    if not MODEL_ID.fullmatch(bare) or ".." in bare:
        raise InputError(f"`model` = {shown(repr(bare), 60)}: only the ID of a model is taken here, such as org/name")
    return bare


PRESETS: Mapping[str, tuple[str, ...]] = {
    "core": tuple(each.name for each in CORE),
    "all": (*tasks(), INFO.name, VIEW.name),
    "dynamic": tuple(each.name for each in DYNAMIC),
    "vision": (
        "image_classification", "zero_shot_image_classification", "object_detection", "zero_shot_object_detection",
        "image_segmentation", "image_to_text", "visual_question_answering", "document_question_answering",
        "depth_estimation", "text_to_image", "image_to_image",
    ),
    "audio": (
        "automatic_speech_recognition", "audio_classification", "audio_to_audio", "text_to_speech", "text_to_audio",
    ),
    "text": (
        "text_classification", "zero_shot_classification", "token_classification", "summarization", "translation",
        "question_answering", "table_question_answering", "sentence_similarity", "text_ranking", "fill_mask",
    ),
    "video": ("text_to_video", "image_to_video", "image_text_to_video", "video_classification"),
}  # fmt: skip
"""The tools of each preset, by their names without the prefix."""
