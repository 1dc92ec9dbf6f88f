"""Tools as they are sent, and the choice among them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from hf_tools.errors import InputError
from langchain_hf_tools import ChatHfInference
from tests.langchain.chatting import Completion, add, multiply


class City(BaseModel):
    """A city."""

    name: str


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("any", "required"),
        ("required", "required"),
        (True, "required"),
        ("add", {"type": "function", "function": {"name": "add"}}),
        ({"type": "function", "function": {"name": "add"}}, {"type": "function", "function": {"name": "add"}}),
        ({"type": "tool", "name": "multiply"}, {"type": "function", "function": {"name": "multiply"}}),
        ({"name": "add"}, {"type": "function", "function": {"name": "add"}}),
        ({"function": {"name": "add"}}, {"type": "function", "function": {"name": "add"}}),
        ({"type": "any"}, "required"),
        ({"type": "auto"}, "auto"),
        ({"type": "allowed_tools", "mode": "auto"}, {"type": "allowed_tools", "mode": "auto"}),
        (None, None),
        (False, None),
    ],
)
def test_bound_tools_are_sent(serve: Any, completion: Completion, choice: Any, wire: Any) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).bind_tools([add, multiply], tool_choice=choice, strict=True).invoke("Hi")
    body = server.bodies[0]
    assert body["tools"][0]["function"]["name"] == "add"
    assert body["tools"][0]["function"]["strict"] is True
    assert body.get("tool_choice") == wire


@pytest.mark.parametrize(
    "choice", ["subtract", {"type": "tool", "name": "subtract"}, {"type": "function", "function": {"name": "subtract"}}]
)
def test_an_unknown_tool_cannot_be_chosen(serve: Any, choice: Any) -> None:
    with pytest.raises(InputError, match="`tool_choice` = 'subtract': known are auto, none, required, add"):
        ChatHfInference(**serve({}).models).bind_tools([add], tool_choice=choice)


@pytest.mark.parametrize("choice", [None, "auto", "none", False])
def test_no_tools_are_not_sent(serve: Any, completion: Completion, choice: Any) -> None:
    server = serve(completion())
    model = ChatHfInference(**server.models, parallel_tool_calls=True)
    model.bind_tools([], tool_choice=choice, parallel_tool_calls=False, seed=1).invoke("Hi")
    assert server.bodies[0].keys() == {"model", "messages", "seed"}


def test_one_of_no_tools_cannot_be_required(serve: Any) -> None:
    with pytest.raises(InputError, match="`tool_choice` = 'any': there are no tools"):
        ChatHfInference(**serve({}).models).bind_tools([], tool_choice="any")


def test_parallel_calls(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    model = ChatHfInference(**server.models, parallel_tool_calls=True)
    model.bind_tools([add]).invoke("Hi")
    model.bind_tools([add], parallel_tool_calls=False).invoke("Hi")
    assert [body["parallel_tool_calls"] for body in server.bodies] == [True, False]
    with pytest.raises(InputError, match="`parallel_tool_calls` needs `tools`"):
        model.invoke("Hi", parallel_tool_calls=True)


def test_tools_of_the_server_are_sent_as_they_are(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).bind_tools([{"type": "web_search"}, add], tool_choice="any").invoke("Hi")
    assert server.bodies[0]["tools"][0] == {"type": "web_search"}
    assert server.bodies[0]["tool_choice"] == "required"


def test_tools_and_choice_of_a_single_call(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).invoke("Hi", tools=[add], tool_choice="any")
    assert server.bodies[0]["tools"][0]["function"]["name"] == "add"
    assert server.bodies[0]["tool_choice"] == "required"


def test_the_form_of_the_answer_goes_with_tools(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).bind_tools([add], response_format=City, strict=True).invoke("Hi")
    form = server.bodies[0]["response_format"]
    assert (form["type"], form["json_schema"]["name"], form["json_schema"]["strict"]) == ("json_schema", "City", True)
    assert form["json_schema"]["schema"]["required"] == ["name"]
    given = {"type": "json_object"}
    ChatHfInference(**server.models).bind_tools([], response_format=given).invoke("Hi")
    assert server.bodies[1]["response_format"] == given
    ChatHfInference(**server.models).invoke("Hi", response_format=City)
    assert server.bodies[2]["response_format"]["json_schema"]["name"] == "City"


class Node(BaseModel):
    """A node."""

    value: int
    children: list[Node] = []


class Pair(BaseModel):
    """Two nodes."""

    left: City
    right: City


def test_a_class_that_refers_to_itself_stays_whole(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).bind_tools([Node, Pair], strict=True).invoke("Hi")
    node, pair = (tool["function"] for tool in server.bodies[0]["tools"])
    inner = node["parameters"]["$defs"]["Node"]
    assert inner["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}
    assert (inner["additionalProperties"], node["strict"], node["name"]) == (False, True, "Node")
    assert "$defs" not in pair["parameters"]  # written out, as most servers like it
    ChatHfInference(**server.models).bind_tools([Node]).invoke("Hi")
    assert "additionalProperties" not in server.bodies[1]["tools"][0]["function"]["parameters"]["$defs"]["Node"]


def test_a_tool_in_its_own_form_may_be_strict(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    inner: dict[str, Any] = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    known: dict[str, Any] = {"type": "function", "function": inner}
    ChatHfInference(**server.models).bind_tools([known], strict=True).invoke("Hi", tool_choice="f")
    assert server.bodies[0]["tools"][0]["function"]["strict"] is True
    assert "strict" not in inner


def test_what_is_no_tool_is_refused(serve: Any) -> None:
    with pytest.raises(InputError, match="the tool 5 cannot be used"):
        ChatHfInference(**serve({}).models).bind_tools([5])  # type: ignore[list-item]


@pytest.mark.parametrize("choice", ["auto", "none", None])
def test_a_call_without_tools(serve: Any, completion: Completion, choice: Any) -> None:
    server = serve(completion())
    ChatHfInference(**server.models).invoke("Hi", tools=[], tool_choice=choice)
    assert server.bodies[0].keys() == {"model", "messages"}
