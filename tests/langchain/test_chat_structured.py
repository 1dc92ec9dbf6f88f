"""Answers as objects: three ways to ask for them, and what happens to answers that are none."""

from __future__ import annotations

import json
from typing import Any, Literal, TypedDict

import pytest
from langchain_core import exceptions
from langchain_core.exceptions import OutputParserException
from pydantic import BaseModel, RootModel
from pydantic.v1 import BaseModel as OldModel

from hf_tools.errors import InputError
from langchain_hf_tools._chat import structured
from langchain_hf_tools._chat.fields import Method
from tests.langchain.chatting import Completion, Events, add, added_up, call, chat


class City(BaseModel):
    """A city."""

    name: str
    size: Literal["small", "large"] = "large"


class OldCity(OldModel):
    """A city."""

    name: str


class CityDict(TypedDict):
    """A city."""

    name: str


class Names(RootModel[list[str]]):
    """Names."""


class Node(BaseModel):
    """A node."""

    value: int
    children: list[Node] = []


CITY_SCHEMA: dict[str, Any] = {
    "title": "City",
    "description": "A city.",
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
}
METHODS: list[Method] = ["json_schema", "function_calling", "json_mode"]
SCHEMAS: list[Any] = [City, OldCity, CityDict, CITY_SCHEMA]


def answer(completion: Completion, method: str, arguments: str, name: str, reason: str = "stop") -> dict[str, Any]:
    if method == "function_calling":
        return completion(None, reason, tool_calls=[call(arguments, name=name)])
    return completion(arguments, reason)


def name_of(schema: Any) -> str:
    return "City" if isinstance(schema, dict) else schema.__name__


@pytest.mark.parametrize("schema", SCHEMAS, ids=name_of)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_and_kind_of_schema(serve: Any, completion: Completion, method: Method, schema: Any) -> None:
    server = serve(answer(completion, method, '{"name": "Paris"}', name_of(schema)))
    found = chat(**server.models).with_structured_output(schema, method=method).invoke("Which?")
    assert found == (schema(name="Paris") if schema in (City, OldCity) else {"name": "Paris"})
    body = server.bodies[0]
    if method == "json_schema":
        form = body["response_format"]
        assert (form["type"], form["json_schema"]["name"]) == ("json_schema", name_of(schema))
        assert form["json_schema"]["description"] == "A city."
        assert form["json_schema"]["schema"]["properties"]["name"]["type"] == "string"
        assert "strict" not in form["json_schema"]
    elif method == "function_calling":
        assert [tool["function"]["name"] for tool in body["tools"]] == [name_of(schema)]
        assert body["tool_choice"] == "required"
    else:
        assert body["response_format"] == {"type": "json_object"}
    assert "ls_structured_output_format" not in body


@pytest.mark.parametrize("method", METHODS)
async def test_streams(serve: Any, events: Events, method: Method) -> None:
    pieces = ['{"na', 'me": "Pa', 'ris", "size": "small"}']
    deltas: list[dict[str, Any]] = [{"content": piece} for piece in pieces]
    if method == "function_calling":
        deltas = [{"tool_calls": [{"index": 0, **call("", name="City")}]}]
        deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces]
    model = chat(**serve(events(*deltas)).models)
    whole = City(name="Paris", size="small")
    assert list(model.with_structured_output(City, method=method).stream("?"))[-1] == whole
    growing = model.with_structured_output(CITY_SCHEMA, method=method)
    found = [part async for part in growing.astream("?")]
    assert found[-1] == whole.model_dump()
    assert (len(found) > 1) == (method != "function_calling")


@pytest.mark.parametrize("method", METHODS)
async def test_a_stream_whose_whole_is_no_answer_raises_at_its_end(serve: Any, events: Events, method: Method) -> None:
    server = serve(events({"content": "Par"}, {"content": "is"}))
    for schema in (City, CITY_SCHEMA):
        model = chat(**server.models).with_structured_output(schema, method=method)
        with pytest.raises(OutputParserException, match="received Paris"):
            list(model.stream("?"))
        with pytest.raises(OutputParserException, match="received Paris"):
            _ = [part async for part in model.astream("?")]
    raw = chat(**server.models).with_structured_output(City, method=method, include_raw=True)
    assert added_up([part["raw"] for part in raw.stream("?") if "raw" in part]).content == "Paris"


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_strict(serve: Any, completion: Completion, method: Method) -> None:
    server = serve(answer(completion, method, '{"name": "Paris"}', "City"))
    chat(**server.models).with_structured_output(City, method=method, strict=True).invoke("?")
    body = server.bodies[0]
    told = body["response_format"]["json_schema"] if method == "json_schema" else body["tools"][0]["function"]
    assert told["strict"] is True
    assert told["schema" if method == "json_schema" else "parameters"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("fields", "method"),
    [
        ({}, "function_calling"),
        ({"profile": {"structured_output": True}}, "json_schema"),
        ({"profile": {"structured_output": False}, "base_url": "http://127.0.0.1:9"}, "function_calling"),
        ({"base_url": "http://127.0.0.1:9"}, "json_schema"),
        ({"model": "http://127.0.0.1:9"}, "json_schema"),
    ],
)
def test_the_method_that_the_model_has(serve: Any, completion: Completion, fields: dict[str, Any], method: str) -> None:
    server = serve(answer(completion, method, '{"name": "Paris"}', "City"))
    bound = str(chat(**{**server.models, **fields}).with_structured_output(City))
    assert ("response_format" in bound, "tool_choice" in bound) == (method == "json_schema", method != "json_schema")


def test_the_raw_message_too(serve: Any, completion: Completion) -> None:
    model = chat(**serve(completion('{"name": "Paris"}'), completion("Paris")).models)
    bound = model.with_structured_output(City, method="json_schema", include_raw=True)
    good, bad = bound.invoke("?"), bound.invoke("?")
    assert (good["parsed"], good["parsing_error"]) == (City(name="Paris"), None)
    assert (bad["parsed"], bad["raw"].content) == (None, "Paris")
    assert isinstance(bad["parsing_error"], OutputParserException)


BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("json_schema", {"content": '{"name": "Pa'}, r"the answer is not JSON \(.*\); received \{\"name\": \"Pa"),
    ("json_schema", {"content": '{"name": "Paris"}', "reason": "length"}, "the answer was cut off before it was whole"),
    ("json_schema", {"content": '{"name": NaN}'}, "the answer is not JSON"),
    ("json_schema", {"content": ""}, "received nothing"),
    ("json_mode", {"content": "Paris"}, "the answer is not JSON"),
    ("json_mode", {"content": '{"town": "Paris"}'}, "the answer is no City: 1 validation error"),
    ("function_calling", {"content": "Paris"}, "the model has not called `City` .*; received Paris"),
    (
        "function_calling",
        {"content": None, "tool_calls": [call('{"name": "Pa', name="City")]},
        r"has not called `City` with a complete JSON object; received City\(\{\"name\": \"Pa\)",
    ),
    ("function_calling", {"content": None, "tool_calls": [call("{}", name="add")]}, "has not called `City`"),
    ("function_calling", {"content": None, "tool_calls": [call("{}", name="City")]}, "the answer is no City"),
]


@pytest.mark.parametrize(("method", "message", "said"), BROKEN)
def test_answers_that_are_none(
    serve: Any, completion: Completion, method: Method, message: dict[str, Any], said: str
) -> None:
    model = chat(**serve(completion(**message)).models).with_structured_output(City, method=method)
    with pytest.raises(OutputParserException, match=said):
        model.invoke("?")


def test_what_is_no_old_model(serve: Any, completion: Completion) -> None:
    model = chat(**serve(completion("{}")).models).with_structured_output(OldCity, method="json_mode")
    with pytest.raises(OutputParserException, match="the answer is no OldCity: 1 validation error"):
        model.invoke("?")


def test_json_in_a_code_fence(serve: Any, completion: Completion) -> None:
    model = chat(**serve(completion('```json\n{"name": "Paris"}\n```')).models)
    assert model.with_structured_output(City, method="json_mode").invoke("?") == City(name="Paris")


def test_json_of_any_shape(serve: Any, completion: Completion) -> None:
    model = chat(**serve(completion("[1, null]")).models)
    assert model.with_structured_output(None, method="json_mode").invoke("?") == [1, None]


def test_tools_before_the_answer(serve: Any, completion: Completion) -> None:
    server = serve(completion(None, tool_calls=[call('{"a": 1, "b": 2}')]), completion('{"name": "Paris"}'))
    model = chat(**server.models)
    bound = model.with_structured_output(City, method="json_schema", tools=[add], include_raw=True)
    first, second = bound.invoke("?"), bound.invoke("?")
    assert (first["parsed"], first["parsing_error"], first["raw"].tool_calls[0]["name"]) == (None, None, "add")
    assert second["parsed"] == City(name="Paris")
    assert server.bodies[0].keys() == {"model", "messages", "tools", "response_format"}


@pytest.mark.parametrize("new", [True, False])
def test_a_refusal(serve: Any, completion: Completion, monkeypatch: Any, new: bool) -> None:
    class Refused(Exception):
        def __init__(self, text: str, *, raw_message: Any) -> None:
            super().__init__(text)
            self.raw_message = raw_message

    kind: Any = getattr(exceptions, "ModelRefusalError", Refused) if new else None
    monkeypatch.setattr(structured, "REFUSED", kind)
    model = chat(**serve(completion(None, refusal="I may not.")).models)
    with pytest.raises(kind or OutputParserException, match=r"the model refuses: I may not\."):
        model.with_structured_output(City, method="json_schema").invoke("?")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"schema": City, "method": "xml"}, "`method` = 'xml': known are json_schema, function_calling, json_mode"),
        ({"schema": None, "method": "json_schema"}, "`schema` is missing"),
        ({"schema": 5, "method": "json_schema"}, "the schema 5 cannot be used"),
        ({"schema": {"no": "title"}, "method": "function_calling"}, "cannot be used: a JSON schema has a `type`"),
        ({"schema": {"type": "array", "items": {}}, "method": "function_calling"}, "is none of an object"),
        ({"schema": Names, "method": "function_calling"}, "is none of an object"),
        ({"schema": City, "method": "json_mode", "strict": True}, "`strict` does not go with the method json_mode"),
        ({"schema": City, "method": "function_calling", "tools": [add]}, "`tools` go with the method json_schema only"),
    ],
)
def test_refused_before_anything_is_sent(serve: Any, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        chat(**serve({}).models).with_structured_output(**arguments)


def test_plain_text_and_prompts_are_parsed_too() -> None:
    parser = structured.StructuredParser(pydantic_object=City)
    assert parser.parse(json.dumps({"name": "Paris"})) == City(name="Paris")
    assert list(parser.transform(iter(['{"name": "Paris"}']))) == [City(name="Paris")]


INNER = {"type": "object", "properties": {"name": {"type": "string"}}}
FORMS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"name": "City", "strict": True, "schema": INNER}, "City", {**INNER, "additionalProperties": False}),
    ({"type": "json_schema", "json_schema": {"name": "City", "schema": INNER}}, "City", INNER),
    ({"type": "function", "function": {"name": "City", "parameters": INNER}}, "City", INNER),
    ({"name": "City", "description": "A city.", "parameters": INNER}, "City", INNER),
    ({"name": "City", "input_schema": INNER}, "City", INNER),
    (INNER, "answer", INNER),
    ({"title": "My city [1]", **INNER}, "My_city_1_", {"title": "My city [1]", **INNER}),
]


@pytest.mark.parametrize(("given", "name", "schema"), FORMS)
def test_every_form_of_a_schema(serve: Any, completion: Completion, given: Any, name: str, schema: Any) -> None:
    server = serve(completion('{"name": "Paris"}'))
    model = chat(**server.models)
    assert model.with_structured_output(given, method="json_schema").invoke("?") == {"name": "Paris"}
    model.invoke("?", response_format=given)
    for body in server.bodies:
        told = body["response_format"]["json_schema"]
        assert (told["name"], told["schema"]) == (name, schema)
    called = chat(**serve(completion(None, tool_calls=[call('{"name": "Paris"}', name=name)])).models)
    assert called.with_structured_output(given, method="function_calling").invoke("?") == {"name": "Paris"}


@pytest.mark.parametrize("given", [{"type": "array", "items": {"type": "integer"}}, {"anyOf": [{"type": "integer"}]}])
def test_a_schema_of_something_else_than_an_object(serve: Any, completion: Completion, given: Any) -> None:
    server = serve(completion("[1]"))
    assert chat(**server.models).with_structured_output(given, method="json_schema").invoke("?") == [1]
    assert server.bodies[0]["response_format"]["json_schema"]["schema"] == given


def test_classes_keep_their_own_schema(serve: Any, completion: Completion) -> None:
    server = serve(completion('{"value": 1, "children": [{"value": 2}]}'), completion('["a"]'))
    model = chat(**server.models)
    found = model.with_structured_output(Node, method="json_schema", strict=True).invoke("?")
    assert found.children == [Node(value=2)]
    inner = server.bodies[0]["response_format"]["json_schema"]["schema"]["$defs"]["Node"]
    assert inner["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}
    assert inner["additionalProperties"] is False
    assert model.with_structured_output(Names, method="json_schema").invoke("?") == Names(["a"])


def test_null_is_an_answer_only_where_there_is_no_class(serve: Any, completion: Completion) -> None:
    model = chat(**serve(completion("null")).models)
    assert model.with_structured_output(CITY_SCHEMA, method="json_schema").invoke("?") is None
    with pytest.raises(OutputParserException, match="the answer is no City"):
        model.with_structured_output(City, method="json_schema").invoke("?")


def test_a_text_beside_a_tool_call_is_no_answer_yet(serve: Any, completion: Completion) -> None:
    model = chat(**serve(completion("Let me see.", tool_calls=[call('{"a": 1, "b": 2}')])).models)
    bound = model.with_structured_output(City, method="json_schema", tools=[add])
    assert bound.invoke("?") is None


def test_json_mode_takes_any_schema(serve: Any, completion: Completion) -> None:
    model = chat(**serve(completion('{"a": 1}')).models)
    assert model.with_structured_output({"a": "a number"}, method="json_mode").invoke("?") == {"a": 1}


def test_a_form_of_the_servers_own(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    given = {"type": "json_schema", "json_schema": {"name": "of a future version"}}
    chat(**server.models).invoke("?", response_format=given)
    assert server.bodies[0]["response_format"] == given
