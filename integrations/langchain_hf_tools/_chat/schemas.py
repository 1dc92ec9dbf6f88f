"""The forms in which users give a schema, as one: a name, a description and a JSON schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_function
from langchain_core.utils.pydantic import is_basemodel_subclass

from hf_tools.errors import InputError, shown
from hf_tools.loose import items, table

NAMED = frozenset(["properties", "$defs", "definitions", "default", "enum", "const", "examples"])
"""Keywords whose values hold no schema, or were read before."""
UNNAMED = "answer"
"""Name of a schema without a title."""
KEYWORDS = frozenset(["type", "properties", "anyOf", "oneOf", "allOf", "$ref", "$defs", "enum", "const", "items"])
"""A mapping with one of these is a JSON schema, unless it is one of the forms that hold one."""


def described(schema: Any) -> dict[str, Any]:
    """`name`, `description` where there is one, `schema`, and `strict` where it was said; InputError for no schema."""
    given: Any = schema
    try:
        found = _of_mapping({**given}) if isinstance(given, Mapping) else _of_class(given)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(f"the schema {shown(repr(schema), 60)} cannot be used: {shown(error)}") from error
    return {**found, "name": re.sub(r"[^a-zA-Z0-9_-]+", "_", str(found["name"]))[:64]}


def _of_class(kind: Any) -> dict[str, Any]:
    """A pydantic class by its own schema, in which references stay; another class by LangChain's rules."""
    function = convert_to_openai_function(kind)
    found = {name: function[name] for name in ("name", "description") if function.get(name)}
    if isinstance(kind, type) and is_basemodel_subclass(kind):
        written: Any = kind
        whole = written.model_json_schema() if hasattr(kind, "model_json_schema") else written.schema()
    else:
        whole = convert_to_json_schema(kind)
    schema = {name: each for name, each in table(_untitled(whole)).items() if name != "description"}
    return {"name": function["name"], **found, "schema": schema}


def _untitled(schema: Any) -> Any:
    """The schema without the titles that pydantic gives each field: they say nothing that the name does not."""
    if isinstance(schema, list):
        return [_untitled(each) for each in items(schema)]
    if not isinstance(schema, dict):
        return schema
    kept = {name: each for name, each in table(schema).items() if name != "title" or not isinstance(each, str)}
    for name in ("properties", "$defs", "definitions"):  # whose keys are names
        if isinstance(kept.get(name), dict):
            kept[name] = {each: _untitled(inner) for each, inner in table(kept[name]).items()}
    return {name: each if name in NAMED else _untitled(each) for name, each in kept.items()}


def _of_mapping(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("json_schema"), dict):  # OpenAI's response_format
        return _of_mapping(table(schema["json_schema"]))
    if isinstance(schema.get("function"), dict):  # OpenAI's tool
        return _of_mapping(table(schema["function"]))
    for holder in ("schema", "parameters", "input_schema"):  # OpenAI's json_schema and function, Anthropic's tool
        if "name" in schema and isinstance(schema.get(holder), dict):
            kept = {name: schema[name] for name in ("name", "description", "strict") if schema.get(name) is not None}
            return {**kept, "schema": schema[holder]}
    if not schema.keys() & KEYWORDS:
        raise ValueError("a JSON schema has a `type`, `properties` or the like")
    about = {"description": schema["description"]} if schema.get("description") else {}
    return {"name": schema.get("title") or UNNAMED, **about, "schema": schema}


def closed(schema: Any) -> Any:
    """The schema with no room for fields that it does not name, as strict servers ask of every object in it."""
    if isinstance(schema, list):
        return [closed(each) for each in items(schema)]
    if not isinstance(schema, dict):
        return schema
    about = {name: closed(each) for name, each in table(schema).items()}
    if about.get("type") == "object" and "properties" in about:
        about.setdefault("additionalProperties", False)
    return about


def is_object(schema: Mapping[str, Any]) -> bool:
    """The schema describes an object by its fields, as the arguments of a tool must be."""
    named = str(schema.get("$ref", "")).rpartition("/")[2]
    inner = table(table(schema.get("$defs")).get(named)) or schema
    return "properties" in inner or inner.get("type") == "object"


def is_recursive(schema: Any) -> bool:
    """A definition in the schema refers to itself, which cannot be written out."""
    defined = {**table(table(schema).get("$defs")), **table(table(schema).get("definitions"))}

    def reaches(value: Any, seen: frozenset[str]) -> bool:
        if isinstance(value, list):
            return any(reaches(each, seen) for each in items(value))
        about = table(value)
        name = str(about.get("$ref", "")).rpartition("/")[2]
        if name in seen:
            return True
        inner = [reaches(defined[name], seen | {name})] if name in defined else []
        return any(inner) or any(reaches(each, seen) for key, each in about.items() if key not in ("$defs", "$ref"))

    return any(reaches(each, frozenset([name])) for name, each in defined.items())
