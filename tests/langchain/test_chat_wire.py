"""Every field reaches the request, under the task's own name, type and default."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, get_type_hints

import pytest
from langchain_core.runnables import ConfigurableField
from pydantic import TypeAdapter, ValidationError

from hf_tools.errors import InputError
from hf_tools.task import build
from hf_tools.tasks.chat import ChatCompletion
from langchain_hf_tools import ChatHfInference
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
    said = r"`temprature` is not a parameter of a call \(did you mean `temperature`\?\)\. .* into `extra_body`"
    model = chat(**serve({}).models)
    with pytest.raises(InputError, match=said):
        model.invoke("Hi", temprature=0)
    with pytest.raises(InputError, match=said):
        model.bind_tools([add], temprature=0)
    with pytest.raises(InputError, match=said):
        model.with_structured_output({"title": "A", "type": "object"}, temprature=0)
    with pytest.raises(InputError, match=r"`chat_template_kwargs` is not a parameter of a call\. What only"):
        model.invoke("Hi", chat_template_kwargs={})
    with pytest.raises(InputError, match="`max_tokens` is given twice, by two of its names"):
        model.invoke("Hi", max_tokens=1, max_new_tokens=2)
    with pytest.raises(InputError, match="`top_p` = 2"):
        chat(model="org/model", top_p=2)


def test_other_names_of_a_calls_arguments(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    chat(**server.models).bind(stop_sequences=["x"]).invoke("Hi", max_new_tokens=3)
    chat(**server.models, stop=[]).invoke("Hi")
    chat(**server.models, stop="a").invoke("Hi", stop=[])
    first, *others = server.bodies
    assert (first["stop"], first["max_tokens"]) == (["x"], 3)
    assert not any("stop" in body for body in others)


def test_options_of_a_single_call(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    model = chat(**server.models, extra_headers={"x-a": "1", "x-b": "1"})
    model.invoke("Hi", extra_headers={"x-b": "2"}, timeout=(1, 2), max_retries=0)
    model.invoke("Hi", stream=False)
    first, second = server.requests
    assert (first.headers["x-a"], first.headers["x-b"], second.headers["x-b"]) == ("1", "2", "1")
    assert first.extensions["timeout"]["connect"] == 1
    assert server.bodies[0].keys() == server.bodies[1].keys() == {"model", "messages"}
    with pytest.raises(InputError, match="`timeout`"):
        model.invoke("Hi", timeout=-1)


def test_the_model_of_a_call_is_no_address(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    with pytest.raises(InputError, match="a call may name a model, but no address"):
        chat(**server.models, api_key="hf_test").invoke("Hi", model="https://elsewhere.example/v1")
    assert server.requests == []


def test_a_profile_is_that_of_the_model() -> None:
    model = chat(model="openai/gpt-oss-120b")
    assert model.profile is not None
    other = model.model_copy(update={"model": "Qwen/Qwen3-32B"})
    assert (model.profile.get("name"), (other.profile or {}).get("name")) == ("GPT OSS 120B", "Qwen3 32B")
    assert model.model_copy(update={"model": "org/unknown"}).profile is None
    given = chat(model="openai/gpt-oss-120b", profile={"name": "mine"})
    assert given.model_copy(update={"model": "org/unknown"}).profile == {"name": "mine"}
    field = ConfigurableField(id="model")
    fields: Any = model.configurable_fields(model=field)
    made, _ = fields.prepare({"configurable": {"model": "org/unknown"}})
    assert isinstance(made, ChatHfInference)
    assert (made.model, made.profile) == ("org/unknown", None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"api_key": "hf_test", "token": "hf_test"}, "`token` is another name of `api_key`: give one of them"),
        ({"max_tokens": 1, "max_new_tokens": 2}, "`max_new_tokens` is another name of `max_tokens`"),
        ({"stop": ["a"], "stop_sequences": ["b"]}, "`stop_sequences` is another name of `stop`"),
    ],
)
def test_two_names_of_one_field(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        chat(model="org/model", **fields)
