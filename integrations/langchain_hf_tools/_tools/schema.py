"""What a model reads about a task: a flat JSON schema of its arguments, derived from the task's fields.

No $ref, no unions, no null: an argument that may be left out is one that is not required. What only a developer can
write sensibly (free mappings such as `extra_body`) is left out.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, WithJsonSchema, create_model

from hf_tools.task import build

MEDIA: Mapping[str, str] = {"image": "picture", "audio": "sound", "video": "film"}
"""The arguments that are media, and what they are."""
KEPT = ("type", "enum", "description")
"""The keywords that every provider knows, besides those of objects and lists."""
REQUIRED: Mapping[str, frozenset[str]] = {"sentence-similarity": frozenset(["other_sentences"])}
"""What the single form of a task cannot do without, though its class has a default."""
BY_HAND: Mapping[str, dict[str, Any]] = {
    "messages": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "role": {"type": "string", "enum": ["system", "user", "assistant"], "description": "Who says it."},
                "content": {"type": "string", "description": "What is said."},
            },
            "required": ["role", "content"],
        },
        "description": "The conversation so far.",
    },
    "table": {
        "type": "object",
        "description": 'Columns by name, each a list of its cells as text: {"city": ["Paris"], "people": ["2.1"]}.',
    },
}
"""Arguments whose types say too little to a model."""


def described(kind: Any, *, expose_model: bool = False) -> str:
    """What the tool does and needs, from the first paragraph of the task's docstring."""
    about = inspect.cleandoc(kind.__doc__ or kind.name).partition("\n\n")[0].replace("\n", " ")
    about = re.sub(r"; (a list of|with `top_k`)[^.;]*", "", about)
    schema = properties(kind, expose_model=expose_model)
    needs = ", ".join(f"`{name}`" for name in schema["required"])
    choices = f" Needs {needs}." if needs else ""
    media = [name for name in schema["properties"] if name in MEDIA]
    only = f" `{media[0]}` is a data: URI; paths and URLs are refused." if media else ""
    return about + choices + only


@functools.cache
def arguments(kind: Any, *, expose_model: bool = False) -> type[BaseModel]:
    """The arguments of a tool as a pydantic model; their values are checked by the task itself."""
    schema = properties(kind, expose_model=expose_model)
    made: dict[str, Any] = {}
    for name, each in schema["properties"].items():
        # a factory, because a default would be written into the schema, as null
        field = Field() if name in schema["required"] else Field(default_factory=lambda: None)
        made[name] = (Annotated[Any, WithJsonSchema(each)], field)
    config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    return create_model(f"{kind.__name__}Arguments", __config__=config, __doc__=kind.__doc__, **made)


@functools.cache
def properties(kind: Any, *, expose_model: bool = False) -> dict[str, Any]:
    """The flat schema: `properties` by name, and which of them are `required`."""
    build(kind)
    schema: Mapping[str, Any] = TypeAdapter(kind).json_schema()
    required = {*schema.get("required", ()), *REQUIRED.get(kind.name, ())}
    found: dict[str, dict[str, Any]] = {}
    for name, each in schema["properties"].items():
        flat = BY_HAND.get(name) or flattened(each, schema.get("$defs", {}))
        if (name == "model" and not expose_model) or (name not in required and is_free(flat)):
            continue
        about = _media(name) if name in MEDIA else flat.get("description", name)
        found[name] = flat | {"description": " ".join(about.split())}
    return {"properties": found, "required": [name for name in found if name in required]}


def _media(name: str) -> str:
    return f"The {MEDIA[name]} as a data: URI, such as data:{name}/...;base64,... - no path and no URL."


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
        flat["items"] = flattened(schema["items"], defs)
    if "properties" in schema:
        flat["properties"] = {name: flattened(each, defs) for name, each in schema["properties"].items()}
        flat["required"] = list(schema.get("required", ()))
    return flat


def _kept(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: schema[name] for name in KEPT if name in schema}


def is_free(flat: Mapping[str, Any]) -> bool:
    """Whether any mapping, or anything at all, would do."""
    if flat.get("type") == "array":
        return is_free(flat.get("items", {}))
    return "type" not in flat or (flat["type"] == "object" and not flat.get("properties"))
