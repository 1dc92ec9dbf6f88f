"""What a model reads about a task: the arguments of its tool, derived from the task's fields.

Left out is what only a developer can write sensibly (free mappings such as `extra_body`), and what tunes a model
instead of saying what is wanted: a tool with few arguments is called rightly more often.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from pydantic import TypeAdapter

from hf_tools.media import Audio, Image, Media, Text, Video
from hf_tools.task import build
from langchain_hf_tools._tools.arguments import Argument
from langchain_hf_tools._tools.tables import columns
from langchain_hf_tools._tools.wording import FIELDS, TASKS

MEDIA: Mapping[str, tuple[type[Media], str]] = {
    "image": (Image, "picture"), "audio": (Audio, "sound"), "video": (Video, "film"),
}  # fmt: skip
"""The arguments that are media."""
KEPT = ("type", "enum", "description")
"""The keywords that every provider knows, besides those of objects and lists."""
REQUIRED: Mapping[str, frozenset[str]] = {"sentence-similarity": frozenset(["other_sentences"])}
"""What the single form of a task cannot do without, though its class has a default."""
OFFERED = frozenset([
    "candidate_labels", "handle_impossible_answer", "height", "lang", "max_length", "max_new_tokens", "max_tokens",
    "min_length", "multi_label", "negative_prompt", "num_frames", "prompt", "return_timestamps", "seed", "src_lang",
    "subtask", "targets", "tgt_lang", "threshold", "top_k", "top_n", "voice", "width",
])  # fmt: skip
"""Optional parameters that say what is wanted; the others are for `parameters=`."""
NOT_OFFERED: Mapping[str, frozenset[str]] = {
    "chat-completion": frozenset(["seed", "top_k"]),
    "conversational": frozenset(["max_length", "min_length", "top_k"]),
    "image-to-text": frozenset(["max_new_tokens"]),
    "summarization": frozenset(["top_k"]),
    "text-generation": frozenset(["seed", "top_k"]),
    "text-to-audio": frozenset(["max_length", "min_length", "top_k"]),
    "text-to-speech": frozenset(["max_length", "max_new_tokens", "min_length", "top_k"]),
    "video-classification": frozenset(["num_frames"]),
}
"""Of those, what only tunes this task."""
MOST: Mapping[str, int] = {
    "height": 2048, "max_length": 4096, "max_new_tokens": 4096, "max_tokens": 8192, "num_frames": 240,
    "num_inference_steps": 100, "n": 8, "num_return_sequences": 8, "best_of": 8, "top_k": 50, "top_n": 50,
    "width": 2048,
}  # fmt: skip
"""The largest numbers that a model may ask for: larger ones cost more than they bring."""
SPLIT = frozenset(["candidate_labels", "ignore_labels", "targets"])
"""Lists of words: a text with commas stands for several."""


def _message(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


BY_HAND: Mapping[str, Argument] = {
    "messages": Argument(
        "message", {"type": "string", "description": "What to say to the model."}, field="messages", becomes=_message
    ),
    "table": Argument(
        "table",
        {"type": "string", "description": "Handle of the table (CSV), or the name of the user's file."},
        media=Text,
        becomes=columns,
    ),
}
"""Arguments whose types say too little to a model, or too much."""


@functools.cache
def arguments(kind: Any, *, parameters: frozenset[str] | None = None) -> tuple[Argument, ...]:
    """The arguments of a task's tool without `model`: the required ones first, at most six unless `parameters` says."""
    schema = properties(kind)
    hidden = NOT_OFFERED.get(kind.name, frozenset())
    wanted = OFFERED - hidden if parameters is None else parameters
    found = [_argument(name, each, name in schema["required"]) for name, each in schema["properties"].items()
             if name in schema["required"] or name in MEDIA or name in wanted]  # fmt: skip
    return tuple(sorted(found, key=lambda each: not each.required))


def _argument(name: str, flat: Mapping[str, Any], required: bool) -> Argument:
    if name in BY_HAND:
        return replace(BY_HAND[name], required=required)
    if name in MEDIA:
        media, what = MEDIA[name]
        about = f"Handle of the {what}, or the name of the user's file."
        return Argument(name, {"type": "string", "description": about}, required, media)
    most = MOST.get(name) if flat["type"] in ("integer", "number") else None
    return Argument(name, flat, required, most=most, split=name in SPLIT)


def _worded(kind: Any, name: str, flat: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with the words for a model; the task's own are for developers."""
    own = " ".join(flat.get("description", name).split())
    return {**flat, "description": FIELDS.get(f"{kind.name}.{name}") or FIELDS.get(name) or own}


def described(kind: Any) -> str:
    """What the task does, for a model; a task without such words has the first paragraph of its docstring."""
    return TASKS.get(kind.name) or inspect.cleandoc(kind.__doc__ or kind.name).partition("\n\n")[0].replace("\n", " ")


@functools.cache
def properties(kind: Any) -> dict[str, Any]:
    """The flat schemas of all fields that a model could write: `properties` by name, and the `required` ones."""
    build(kind)
    schema: Mapping[str, Any] = TypeAdapter(kind).json_schema()
    required = {*schema.get("required", ()), *REQUIRED.get(kind.name, ())}
    found: dict[str, dict[str, Any]] = {}
    for name, each in schema["properties"].items():
        flat = flattened(each, schema.get("$defs", {}))
        if name == "model" or (name not in required and name not in MEDIA and not is_plain(flat)):
            continue
        found[name] = _worded(kind, name, flat)
    return {"properties": found, "required": [name for name in found if name in required]}


def flattened(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without references and unions: of several types the most general list, else the first."""
    if "$ref" in schema:
        return flattened(defs[schema["$ref"].rpartition("/")[2]], defs)
    union = cast("list[Mapping[str, Any]]", schema.get("anyOf") or schema.get("oneOf") or [])
    if union:
        arms = [flattened(arm, defs) for arm in union if arm.get("type") != "null"]
        lists = [arm for arm in arms if arm.get("items", {}).get("type") == "string"]
        return {**(lists or arms)[0], **_kept(schema)}
    flat = _kept(schema)
    if "items" in schema:
        flat["items"] = {"type": flattened(schema["items"], defs).get("type")}
    return flat


def _kept(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: schema[name] for name in KEPT if name in schema}


PLAIN = frozenset(["string", "integer", "number", "boolean"])


def is_plain(flat: Mapping[str, Any]) -> bool:
    """Whether it is text, a number, a truth value, or a list of these."""
    return flat.get("type") in PLAIN or (flat.get("type") == "array" and flat["items"]["type"] in PLAIN)
