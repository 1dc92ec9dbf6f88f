"""What is bound to a model: tools, the choice among them, the form of the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass

from hf_tools.errors import InputError, shown
from hf_tools.loose import table
from langchain_hf_tools._chat.schemas import closed, described, is_recursive

Tools = Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool]


def bound(tools: Tools, choice: Any, strict: bool | None) -> dict[str, Any]:
    """The parameters of a request with these tools; InputError for a choice that none of them is."""
    wire = [_tool(tool, strict) for tool in tools]
    names = [str(table(tool.get("function")).get("name")) for tool in wire]
    chosen = tool_choice(choice, names)
    if not wire:
        if chosen not in (None, "auto", "none"):
            raise InputError(f"`tool_choice` = {shown(repr(choice), 60)}: there are no tools")
        return {}
    return {"tools": wire} | ({} if chosen is None else {"tool_choice": chosen})


def _tool(tool: Any, strict: bool | None) -> dict[str, Any]:
    """A tool as the wire has it; one that already is so only learns that it is strict."""
    try:
        wire: dict[str, Any] = convert_to_openai_tool(tool, strict=strict)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(f"the tool {shown(repr(tool), 60)} cannot be used: {shown(error)}") from error
    function = table(wire.get("function"))
    if isinstance(tool, type) and is_basemodel_subclass(tool):
        whole = described(tool)["schema"]
        if is_recursive(whole):  # LangChain writes references out, as far as it goes
            function = {**function, "parameters": closed(whole) if strict else whole}
    if strict is not None and function:
        function = {**function, "strict": strict}
    return {**wire, "function": function} if function else wire


def tool_choice(choice: Any, names: Sequence[str]) -> str | dict[str, Any] | None:
    """The choice as the wire has it; True and "any" are "required", a name is that of a tool."""
    if choice is None or choice is False:
        return None
    if isinstance(choice, dict):
        return _named(table(choice), names)
    if choice in ("auto", "none"):
        return str(choice)
    if choice is True or choice in ("any", "required"):
        return "required"
    return _function(choice, names)


def _named(choice: dict[str, Any], names: Sequence[str]) -> str | dict[str, Any]:
    """OpenAI's own form as it is; Anthropic's, which other models' users write, by its meaning."""
    kind, name = choice.get("type"), table(choice.get("function")).get("name", choice.get("name"))
    if kind in ("auto", "any", "none") and name is None:
        return "required" if kind == "any" else str(kind)
    if name is not None and kind in (None, "tool", "function"):
        return _function(name, names)
    return choice


def _function(name: Any, names: Sequence[str]) -> dict[str, Any]:
    if name not in names:
        known = ", ".join(["auto", "none", "required", *names])
        raise InputError(f"`tool_choice` = {shown(repr(name), 60)}: known are {known}")
    return {"type": "function", "function": {"name": name}}


FORMS = frozenset(["text", "json_object", "json", "regex", "grammar", "structural_tag"])
"""What `response_format` may say that it is, besides `json_schema`."""


def response_format(value: Any, strict: bool | None = None) -> Any:
    """The form of the answer: a class or a schema as OpenAI's `json_schema`, another form as it is."""
    given: Any = value
    about: dict[str, Any] = {**given} if isinstance(value, Mapping) else {}
    is_own = about.get("type") == "json_schema" and "schema" not in table(about.get("json_schema"))
    return given if given is None or about.get("type") in FORMS or is_own else json_schema(given, strict)


def json_schema(schema: Any, strict: bool | None = None) -> dict[str, Any]:
    """A class or a JSON schema in any of its forms as `response_format`; InputError for what is neither."""
    found = described(schema)
    if strict is not None:
        found["strict"] = strict
    if found.get("strict"):
        found["schema"] = closed(found["schema"])
    return {"type": "json_schema", "json_schema": found}
