"""The text generation model: what LangChain expects of one, in the style of its standard suites."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import pickle
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.exceptions import ModelInvalidRequestError, ModelRateLimitError
from langchain_core.load import dumpd, load
from langchain_core.runnables import ConfigurableField
from pydantic import SecretStr

from hf_tools.errors import InputError, RateLimited
from hf_tools.task import build
from hf_tools.tasks.generation import TextGeneration
from langchain_hf_tools.llms import HfInferenceLLM

URL = "http://127.0.0.1:9"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
FIELDS: dict[str, Any] = {
    "adapter_id": "lora", "best_of": 2, "decoder_input_details": True, "details": True, "do_sample": True,
    "frequency_penalty": 0.5, "grammar": {"type": "regex", "value": "a"}, "max_new_tokens": 7, "max_time": 1.0,
    "num_return_sequences": 2, "repetition_penalty": 1.1, "return_full_text": False, "seed": 0, "stop": ["X"],
    "temperature": 0.0, "top_k": 4, "top_n_tokens": 2, "top_p": 0.5, "truncate": 9, "typical_p": 0.5, "watermark": True,
}  # fmt: skip


class Completions:
    """A server of /v1/completions that echoes the prompt, with a count of what it saw."""

    def __init__(self, delay: float = 0.0, fails: str = "") -> None:
        self.delay, self.fails = delay, fails
        self.bodies: list[Any] = []
        self.flying = self.most_flying = 0
        self.lock = threading.Lock()

    @property
    def fields(self) -> dict[str, Any]:
        return {
            "base_url": "http://127.0.0.1:9", "server": "openai", "model": "org/model", "max_retries": 0,
            "http_client": httpx.Client(transport=httpx.MockTransport(self.handle)),
            "http_async_client": httpx.AsyncClient(transport=httpx.MockTransport(self.ahandle)),
        }  # fmt: skip

    def handle(self, request: httpx.Request) -> httpx.Response:
        self._enter(request)
        time.sleep(self.delay)
        return self._answer(request)

    async def ahandle(self, request: httpx.Request) -> httpx.Response:
        self._enter(request)
        await asyncio.sleep(self.delay)
        return self._answer(request)

    def _enter(self, request: httpx.Request) -> None:
        with self.lock:
            self.bodies.append(json.loads(request.content))
            self.flying += 1
            self.most_flying = max(self.flying, self.most_flying)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        with self.lock:
            self.flying -= 1
        if self.fails and self.fails in body["prompt"]:
            return httpx.Response(429, json={"error": "slow down"})
        text = f"{body['prompt']}!{body.get('temperature', '')}{body['model'].removeprefix('org/model')}"
        choices = [{"index": at, "text": text, "finish_reason": "stop"} for at in range(body.get("n", 1))]
        return httpx.Response(200, json={"choices": choices, "usage": USAGE})


def any_(value: Any) -> Any:
    return value


def model(server: Completions | None = None, **fields: Any) -> HfInferenceLLM:
    return HfInferenceLLM(**{**(server or Completions()).fields, **fields})


async def test_invoke_and_batch() -> None:
    assert (model().invoke("a"), await model().ainvoke("a")) == ("a!", "a!")
    assert (model().batch(["a", "b"]), await model().abatch(["a", "b"])) == (["a!", "b!"], ["a!", "b!"])
    assert model().batch(["a", "b"], {"max_concurrency": 1}) == ["a!", "b!"]
    assert model().invoke([("human", "Hi")]) == "Human: Hi!"


async def test_generate_tells_tokens_reasons_and_the_model() -> None:
    for found in (model().generate(["a", "b"]), await model().agenerate(["a", "b"])):
        assert [[each.text for each in row] for row in found.generations] == [["a!"], ["b!"]]
        assert found.generations[0][0].generation_info == {"finish_reason": "stop", "token_usage": USAGE}
        total = {"prompt_tokens": 6, "completion_tokens": 4, "total_tokens": 10}
        assert found.llm_output == {"token_usage": total, "model_name": "org/model"}
    assert model().generate([]).generations == []


def test_the_fields_are_those_of_the_task() -> None:
    build(TextGeneration)
    task, fields = inspect.signature(TextGeneration).parameters, HfInferenceLLM.model_fields
    left = {"prompt", "model", "stop_sequences"}
    assert task.keys() - fields.keys() == left - {"model"}
    assert task.keys() - left == {*FIELDS, "extra_body"}
    for name in task.keys() - left:
        also = " | str | None" if name == "stop" else ""  # a single text may be given as it is
        expected = task[name].annotation.removesuffix(" | None") + also if also else task[name].annotation
        assert (HfInferenceLLM.__annotations__[name], fields[name].default) == (expected, None)


@pytest.mark.parametrize("in_call", [False, True])
async def test_every_field_goes_to_the_server(in_call: bool) -> None:
    bodies: list[Any] = []

    def handle(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(200, json=[{"generated_text": "b"}])

    http: dict[str, Any] = {
        "http_client": httpx.Client(transport=httpx.MockTransport(handle)),
        "http_async_client": httpx.AsyncClient(transport=httpx.MockTransport(handle)),
    }
    given: dict[str, Any] = {**FIELDS, "extra_body": {"zzz": 1}}
    fields, call = ({}, given) if in_call else (given, {})
    made = HfInferenceLLM(model="org/model", provider="hf-inference", **http, **fields)
    assert (made.invoke("a", **call), await made.ainvoke("a", **call)) == ("b", "b")
    assert bodies == [{"inputs": "a", "parameters": {**FIELDS, "zzz": 1}}] * 2


def test_nothing_is_sent_but_what_was_set() -> None:
    server = Completions()
    model(server).invoke("a")
    model(server, temperature=0).invoke("a")
    assert server.bodies == [
        {"model": "org/model", "prompt": "a"},
        {"model": "org/model", "prompt": "a", "temperature": 0},
    ]


def test_stop_in_the_constructor_and_in_a_call() -> None:
    server = Completions()
    model(server, stop=["X"]).invoke("a")
    model(server, stop_sequences=["X"]).invoke("a")
    model(server, stop=["X"]).invoke("a", stop=["Y"])
    model(server, stop=["X"]).invoke("a", stop_sequences=["Z"])
    model(server, stop="X").invoke("a")
    model(server, stop=["X"]).invoke("a", stop=any_("Y"))
    model(server, stop="X").invoke("a", stop_sequences="Z")
    assert [body["stop"] for body in server.bodies] == [[each] for each in "XXYZXYZ"]
    assert model(stop="!").invoke("a") == "a"
    assert model(stop=["!"]).generate(["a", "b"]).generations[1][0].text == "b"  # a server that includes it


async def test_several_generations() -> None:
    found = model().generate(["a", "b"], num_return_sequences=2)
    assert [len(row) for row in found.generations] == [2, 2]
    assert [each.generation_info for each in found.generations[0]] == [
        {"finish_reason": "stop", "token_usage": USAGE}, {"finish_reason": "stop"},
    ]  # fmt: skip


async def test_prompts_go_out_together() -> None:
    server, prompts = Completions(delay=0.005), list[Any](map(str, range(40)))
    texts = [f"{place}!" for place in range(40)]
    assert model(server).batch(prompts) == texts
    assert 1 < server.most_flying <= 8
    server.most_flying = 0
    assert await model(server, max_concurrency=3).abatch(prompts) == texts
    assert server.most_flying == 3


async def test_an_error_names_its_prompt() -> None:
    made = model(Completions(fails="b"))
    for error in (RateLimited, ModelRateLimitError):
        with pytest.raises(error, match="429 slow down; this is prompt 1, counted from 0"):
            made.generate(["a", "b"])
        with pytest.raises(error, match="429 slow down; this is prompt 1, counted from 0"):
            await made.agenerate(["a", "b"])
    with pytest.raises(RateLimited, match=r"429 slow down [^;]*$"):
        made.invoke("b")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"zzz": 1}, "`zzz` is not a parameter of this task; it takes prompt, "),
        ({"temperature": -1}, "`temperature` = -1: Input should be greater"),
        ({"stop": ["X"], "stop_sequences": ["Y"]}, "two names of one parameter"),
        (
            {"model": "https://example.com/x?key=k"},
            "`model` = 'https://example.com/x': a call may name a model, but",
        ),
        ({"grammar": {}}, "an OpenAI-shaped server cannot carry `grammar`"),
    ],
)
async def test_wrong_parameters_are_refused(call: dict[str, Any], said: str) -> None:
    server = Completions()
    for error in (InputError, ModelInvalidRequestError):
        with pytest.raises(error, match=said):
            model(server).invoke("a", **call)
        with pytest.raises(error, match=said):
            await model(server).ainvoke("a", **call)
    with pytest.raises(InputError, match="HfInferenceLLM: `zzz` is not a parameter"):
        model(server, zzz=1)
    assert server.bodies == []


CALLS: list[dict[str, Any]] = [
    {}, {"model": "org/model2"}, {"temperature": 0.5}, {"temperature": 0.0}, {"stop": ["X"]}, {"seed": 1},
    {"max_new_tokens": 3},
]  # fmt: skip


@pytest.mark.parametrize("in_call", [False, True])
async def test_a_cache_tells_models_and_parameters_apart(in_call: bool) -> None:
    cache, server = InMemoryCache(), Completions()
    for _ in range(2):
        for call in CALLS:
            made = model(server, cache=cache, **({} if in_call else call))
            expected = f"a!{call.get('temperature', '')}{call.get('model', '').removeprefix('org/model')}"
            assert made.invoke("a", **(call if in_call else {})) == expected
            assert await made.ainvoke("a", **(call if in_call else {})) == expected
    assert len(server.bodies) == len(CALLS)
    for place, address in enumerate(("http://127.0.0.1:8", "http://127.0.0.1:8?a=1", "http://127.0.0.1:8?a=2"), 1):
        model(server, cache=cache, base_url=address).invoke("a")
        assert len(server.bodies) == len(CALLS) + place


def test_what_identifies_it_has_no_secrets() -> None:
    made: Any = HfInferenceLLM(
        base_url="https://example.com/v1?key=topsecret", api_key=SecretStr("hf_test"), temperature=0
    )
    params = made._identifying_params
    where = {"model": None, "base_url": "https://example.com/v1", "query": "4125d57e4ad76df6"}
    one, same = (any_(HfInferenceLLM(stop=stop)) for stop in ("X", ["X"]))
    assert one._identifying_params == same._identifying_params
    assert params == {**where, "provider": "auto", "temperature": 0}
    assert all(secret not in f"{made}{made.asdict()}" for secret in ("topsecret", "hf_test"))
    assert (made._llm_type, "hf_test" in repr(made)) == ("hf-inference-llm", False)


def test_what_tracing_is_told() -> None:
    made: Any = model(temperature=0.5, max_new_tokens=7, stop=["X"])
    assert made._get_ls_params() == {
        "ls_provider": "huggingface", "ls_model_type": "llm", "ls_model_name": "org/model", "ls_temperature": 0.5,
        "ls_max_tokens": 7, "ls_stop": ["X"],
    }  # fmt: skip
    assert any_(model(stop="X"))._get_ls_params()["ls_stop"] == ["X"]
    told = made._get_ls_params(stop=["Y"], model="org/other", temperature=0.1, max_new_tokens=3)
    assert [told["ls_model_name"], told["ls_stop"]] == ["org/other", ["Y"]]
    assert [told["ls_temperature"], told["ls_max_tokens"]] == [0.1, 3]
    local: Any = HfInferenceLLM(provider="local")
    assert local._get_ls_params()["ls_model_name"] == "local"
    for name in ("model", "base_url"):
        there = any_(HfInferenceLLM)(**{name: f"{URL}?key=topsecret"})
        assert there._get_ls_params()["ls_model_name"] == URL


def test_copies_serialization_and_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = HfInferenceLLM(model="org/model", api_key=SecretStr("hf_test"), temperature=0.0, stop=["X"])
    for twin in (pickle.loads(pickle.dumps(plain)), copy.deepcopy(plain), plain.model_copy()):
        assert (twin.model, twin.temperature, twin.stop) == ("org/model", 0.0, ["X"])
    written = dumpd(plain)
    assert "hf_test" not in json.dumps(written)
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `load` is marked as beta
        names = ["langchain_hf_tools"]
        loaded = load(written, allowed_objects=[HfInferenceLLM], valid_namespaces=names, secrets_from_env=True)
    assert (loaded.temperature, loaded.api_key) == (0.0, SecretStr("hf_test"))
    server = Completions()
    configurable = model(server).configurable_fields(temperature=ConfigurableField(id="heat"))
    assert configurable.invoke("a", {"configurable": {"heat": 0.0}}) == "a!0.0"


def test_several_event_loops() -> None:
    made = model()
    for _ in range(3):
        assert asyncio.run(made.ainvoke("a")) == "a!"


def test_the_embedded_backend() -> None:
    made: Callable[..., Any] = HfInferenceLLM(provider="local", temperature=0, max_new_tokens=4).invoke
    assert " Paris" in made("The capital of France is")
