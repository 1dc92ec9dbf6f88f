"""What is bound to a model: tools, the choice among them, the form of the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from hf_tools.errors import InputError, shown
from hf_tools.loose import table

Tools = Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool]


def bound(tools: Tools, choice: Any, strict: bool | None) -> dict[str, Any]:
    """The parameters of a request with these tools; InputError for a choice that none of them is."""
    wire = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
    names = [str(table(tool.get("function")).get("name")) for tool in wire]
    chosen = tool_choice(choice, names)
    if not wire:
        if chosen not in (None, "auto", "none"):
            raise InputError(f"`tool_choice` = {shown(repr(choice), 60)}: there are no tools")
        return {}
    return {"tools": wire} | ({} if chosen is None else {"tool_choice": chosen})


def tool_choice(choice: Any, names: Sequence[str]) -> str | dict[str, Any] | None:
    """The choice as the wire has it; True and "any" are "required", a name is that of a tool."""
    if choice is None or choice is False:
        return None
    if isinstance(choice, dict):
        return _named(choice, names)  # pyright: ignore[reportUnknownArgumentType]
    if choice in ("auto", "none"):
        return str(choice)
    if choice is True or choice in ("any", "required"):
        return "required"
    return _function(choice, names)


def _named(choice: dict[str, Any], names: Sequence[str]) -> str | dict[str, Any]:
    """OpenAI's own form as it is; Anthropic's, which other models' users write, by its meaning."""
    kind = choice.get("type")
    if kind in ("auto", "any", "none") and "function" not in choice:
        return "required" if kind == "any" else str(kind)
    if kind == "tool":
        return _function(choice.get("name"), names)
    if kind == "function" and "function" in choice:
        return _function(table(choice["function"]).get("name"), names)
    return choice


def _function(name: Any, names: Sequence[str]) -> dict[str, Any]:
    if name not in names:
        known = ", ".join(["auto", "none", "required", *names])
        raise InputError(f"`tool_choice` = {shown(repr(name), 60)}: known are {known}")
    return {"type": "function", "function": {"name": name}}


def response_format(value: Any, strict: bool | None = None) -> Any:
    """The form of the answer: a class or a schema as OpenAI's `json_schema`, a form as it is."""
    if value is None or (isinstance(value, Mapping) and value.get("type") in FORMS):  # pyright: ignore[reportUnknownMemberType]
        return value  # pyright: ignore[reportUnknownVariableType]
    return json_schema(value, strict)


FORMS = frozenset(["text", "json_object", "json_schema", "json", "regex", "grammar", "structural_tag"])
"""What `response_format` may say that it is."""


def json_schema(schema: Any, strict: bool | None = None) -> dict[str, Any]:
    """A class or JSON schema as `response_format`; InputError for what is neither."""
    try:
        function: dict[str, Any] = dict(convert_to_openai_tool(schema, strict=strict)["function"])
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(f"the schema {shown(repr(schema), 60)} cannot be used: {shown(error)}") from error
    written = {"schema": function.pop("parameters", {"type": "object", "properties": {}})}
    return {"type": "json_schema", "json_schema": function | written}
