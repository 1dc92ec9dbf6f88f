"""Answers as objects: three ways to ask for them, one parser that takes nothing but complete JSON."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from operator import itemgetter
from typing import Any

from langchain_core import exceptions
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema
from langchain_core.utils.json import parse_json_markdown
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import ValidationError
from pydantic_core import from_json

from hf_tools.errors import InputError, shown
from langchain_hf_tools._chat.binding import Tools, bound, json_schema
from langchain_hf_tools._chat.schemas import described, is_object
from langchain_hf_tools._chat.tool_calls import CUT

METHODS = ("json_schema", "function_calling", "json_mode")
REFUSED: Any = getattr(exceptions, "ModelRefusalError", None)
"""Since langchain-core 1.7.5."""
NOTHING: Any = object()
"""There is no answer yet; JSON's null would be one."""
FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", re.S)
"""A code fence around the whole answer, in which many models put JSON."""


def request(schema: Any, method: str, strict: bool | None, tools: Tools | None) -> dict[str, Any]:
    """The parameters of a request for such an answer; InputError for a schema or method that cannot be used."""
    if method not in METHODS:
        raise InputError(f"`method` = {shown(repr(method), 60)}: known are {', '.join(METHODS)}")
    if schema is None and method != "json_mode":
        raise InputError("`schema` is missing", hint="Pass a pydantic class, a TypedDict or a JSON schema")
    if tools and method != "json_schema":
        raise InputError("`tools` go with the method json_schema only", hint="Bind them with bind_tools")
    if method == "json_mode":
        if strict is not None:
            raise InputError("`strict` does not go with the method json_mode, which sends no schema")
        sent: dict[str, Any] = {"response_format": {"type": "json_object"}}
    elif method == "json_schema":
        sent = {"response_format": json_schema(schema, strict)} | bound(tools or [], None, strict)
    else:
        # one tool: "required" means it, and more servers keep to that than to a name
        sent = bound([as_tool(schema)], "required", strict)
    told = {"kwargs": {"method": method, "strict": strict}, "schema": _traced(schema)}
    return sent | {"ls_structured_output_format": told}


def as_tool(schema: Any) -> Any:
    """The schema as a tool whose arguments are the answer; InputError where it describes no object."""
    found = described(schema)
    if not is_object(found["schema"]):
        raise InputError(
            f"the schema {shown(repr(schema), 60)} is none of an object, as the arguments of a tool must be",
            hint='Use method="json_schema"',
        )
    if not isinstance(schema, Mapping):
        return schema
    parameters = found.pop("schema")
    return {"type": "function", "function": {**found, "parameters": parameters}}


def _traced(schema: Any) -> Any:
    """The schema for traces, as LangChain writes it where it can."""
    try:
        return None if schema is None else convert_to_json_schema(schema)
    except (TypeError, ValueError, KeyError):
        return schema


def parsed(model: Runnable[Any, Any], schema: Any, sent: Mapping[str, Any], *, include_raw: bool) -> Runnable[Any, Any]:
    """The model with the parser of what was `sent` for; `include_raw` gives `raw`, `parsed` and `parsing_error`."""
    # a tool that must be called is the answer itself; those that come before it may be
    name = sent["tools"][0]["function"]["name"] if "tool_choice" in sent else None
    shape = schema if isinstance(schema, type) and is_basemodel_subclass(schema) else None
    parser = StructuredParser(pydantic_object=shape, tool=name, checks_end=not include_raw)
    if not include_raw:
        return model | parser
    tried = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
    failed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=model) | tried.with_fallbacks([failed], exception_key="parsing_error")


class StructuredParser(JsonOutputParser):
    """The object in an answer: the arguments of the call of `tool`, or the text as JSON where there is no tool.

    Broken or cut off JSON is an OutputParserException with what was received, never repaired; the objects of a stream
    grow as far as they are readable.
    """

    tool: str | None = None
    checks_end: bool = True
    """Whether a stream whose whole is not readable raises at its end."""

    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[Any]:  # noqa: A002 - LangChain's name
        kept: list[Any] = []
        yield from super()._transform(_passed(input, kept))
        self._checked(kept)

    async def _atransform(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[Any]:  # noqa: A002
        kept: list[Any] = []

        async def passed() -> AsyncIterator[str | BaseMessage]:
            async for piece in input:
                kept.append(piece)
                yield piece

        async for value in super()._atransform(passed()):
            yield value
        self._checked(kept)

    def _checked(self, pieces: list[Any]) -> None:
        if self.checks_end and pieces and isinstance(pieces[0], AIMessageChunk):
            self.parse_result([ChatGeneration(message=add_ai_message_chunks(*pieces))])

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """The object; None for a stream that has none yet, and where other tools are called instead."""
        first = result[0]
        message = first.message if isinstance(first, ChatGeneration) else AIMessage(first.text)
        if not partial:
            _refused(message)
        try:
            value = self._growing(message, first.text) if partial else self._whole(message, first.text)
            return None if value is NOTHING else self._made(value)
        except OutputParserException:
            if partial:
                return None
            raise

    def _growing(self, message: BaseMessage, text: str) -> Any:
        if self.tool is not None:
            calls = message.tool_calls if isinstance(message, AIMessage) else []
            return next((call["args"] for call in calls if call["name"] == self.tool), NOTHING)
        try:
            return parse_json_markdown(text.strip()) if text.strip() else NOTHING
        except ValueError:
            return NOTHING

    def _whole(self, message: BaseMessage, text: str) -> Any:
        calls = message.tool_calls if isinstance(message, AIMessage) else []
        if self.tool is not None:
            for call in calls:
                if call["name"] == self.tool:
                    return call["args"]
            raise _unreadable(f"the model has not called `{self.tool}` with a complete JSON object", message, text)
        if calls:  # of tools that come before the answer; a text beside them is none yet
            return NOTHING
        if message.response_metadata.get("finish_reason") in CUT:
            raise _unreadable("the answer was cut off before it was whole: raise `max_tokens`", message, text)
        fenced = FENCE.fullmatch(text)
        try:
            return from_json(fenced[1] if fenced else text, allow_inf_nan=False)
        except ValueError as error:
            raise _unreadable(f"the answer is not JSON ({error})", message, text) from error

    def _made(self, value: Any) -> Any:
        """The value as an object of the class, where there is one."""
        shape: Any = self.pydantic_object
        if shape is None:
            return value
        try:
            make = shape.model_validate if hasattr(shape, "model_validate") else shape.parse_obj
            return make(value)
        except (ValidationError, ValueError) as error:  # those of pydantic's version 1 are ValueErrors
            reason = f"the answer is no {shape.__name__}: {error}"
            raise OutputParserException(reason, llm_output=str(value)) from error


def _passed(pieces: Iterator[Any], kept: list[Any]) -> Iterator[Any]:
    """The pieces, each of which is kept on its way."""
    for piece in pieces:
        kept.append(piece)
        yield piece


def _refused(message: BaseMessage) -> None:
    """Raise where the model has refused: LangChain's own error where it has one."""
    refusal = message.additional_kwargs.get("refusal")
    if isinstance(refusal, str) and refusal:
        text = f"the model refuses: {shown(refusal)}"
        raise REFUSED(text, raw_message=message) if REFUSED else OutputParserException(text, llm_output=refusal)


def _unreadable(problem: str, message: BaseMessage, text: str) -> OutputParserException:
    invalid = message.invalid_tool_calls if isinstance(message, AIMessage) else []
    received = text or "; ".join(f"{call['name']}({call['args']})" for call in invalid)
    return OutputParserException(f"{problem}; received {shown(received) or 'nothing'}", llm_output=received)
