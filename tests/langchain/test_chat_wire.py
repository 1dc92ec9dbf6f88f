"""Every field reaches the request, under the task's own name, type and default."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, get_type_hints

import pytest
from pydantic import TypeAdapter, ValidationError

from hf_tools.errors import InputError
from hf_tools.task import build
from hf_tools.tasks.chat import ChatCompletion
from langchain_hf_tools._chat.fields import SENT, Sampling
from tests.langchain.chatting import Completion, add, chat

ELSEWHERE = {"messages", "model", "tools", "tool_choice", "response_format", "stream_options"}
"""Parameters of the task that come with a call, or by another field."""
EVERYTHING: dict[str, Any] = {
    "frequency_penalty": -0.5, "logit_bias": {"50256": -100.0}, "logprobs": True, "max_tokens": 7, "min_p": 0.1, "n": 1,
    "parallel_tool_calls": False, "presence_penalty": 0.5, "reasoning_effort": "low", "repetition_penalty": 1.1,
    "seed": 0, "stop": ["\n"], "temperature": 0.0, "tool_prompt": "Tools:", "top_k": 5, "top_logprobs": 2, "top_p": 0.0,
    "extra_body": {"guided_regex": "[0-9]"},
}  # fmt: skip


def test_the_fields_are_those_of_the_task() -> None:
    build(ChatCompletion)
    parameters = inspect.signature(ChatCompletion).parameters
    assert set(SENT) == parameters.keys() - ELSEWHERE
    assert {name: field.default for name, field in Sampling.model_fields.items()} == {
        name: parameters[name].default for name in SENT
    }


PROBES: list[Any] = [None, True, 0, -1, 1, 0.5, -0.5, 1.5, "text", [], ["a"], [0.5], {"a": 1.0}, {"a": "b"}]


@pytest.mark.parametrize("name", SENT)
def test_the_types_are_those_of_the_task(name: str) -> None:
    build(ChatCompletion)
    task: TypeAdapter[Any] = TypeAdapter(get_type_hints(ChatCompletion, include_extras=True)[name])
    field: TypeAdapter[Any] = TypeAdapter(get_type_hints(Sampling, include_extras=True)[name])

    def reads(adapter: TypeAdapter[Any], value: Any) -> Any:
        try:
            return adapter.validate_python(value)
        except ValidationError:
            return "refused"

    assert [reads(field, probe) for probe in PROBES] == [reads(task, probe) for probe in PROBES]


def wire(fields: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in fields.items() if name != "extra_body"}
    return {**plain, **fields["extra_body"]}


def test_every_field_reaches_the_request(serve: Any, completion: Completion) -> None:
    assert EVERYTHING.keys() == set(SENT)
    server = serve(completion())
    chat(**server.models, **EVERYTHING).bind_tools([add]).invoke("Hi")
    chat(**server.models).bind_tools([add]).invoke("Hi", **EVERYTHING)
    for body in server.bodies:
        assert {name: body[name] for name in body if name not in ("messages", "model", "tools")} == wire(EVERYTHING)


def test_what_a_call_says_comes_first(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    model = chat(**server.models, temperature=1.0, extra_body={"a": 1, "b": 1})
    model.invoke("Hi", temperature=0, extra_body={"b": 2})
    body = server.bodies[0]
    assert (body["temperature"], body["a"], body["b"]) == (0, 1, 2)


@pytest.mark.parametrize("name", ["max_tokens", "max_new_tokens", "max_completion_tokens"])
def test_other_names_of_the_longest_answer(serve: Any, completion: Completion, name: str) -> None:
    server = serve(completion())
    chat(**server.models, **{name: 9}).invoke("Hi")
    assert server.bodies[0]["max_tokens"] == 9


def test_unknown_arguments_are_refused(serve: Any) -> None:
    with pytest.raises(InputError, match=r"`temprature` is not a parameter \(did you mean `temperature`\?\)"):
        chat(model="org/model", temprature=0)
    with pytest.raises(InputError, match="`temprature` is not a parameter of this task"):
        chat(**serve({}).models).invoke("Hi", temprature=0)
    with pytest.raises(InputError, match="`top_p` = 2"):
        chat(model="org/model", top_p=2)
