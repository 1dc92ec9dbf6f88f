"""The fields of models and tools: wrong ones are refused by name, changed ones are followed, secrets are not shown."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.load import dumps
from langchain_core.runnables import ConfigurableField
from pydantic import SecretStr

from hf_tools import HfInference
from hf_tools.errors import ConfigurationError, InputError
from langchain_hf_tools import ChatHfInference, HfInferenceEmbeddings, HfInferenceTool, HfInferenceToolkit

Completion = Callable[..., dict[str, Any]]
OLD, NEW = "hf_oldoldoldold", "hf_newnewnewnew"
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"temprature": 0}, r"`temprature` is not a parameter \(did you mean `temperature`\?\); it takes .*provider"),
    ({"zzz": NEW}, "`zzz` is not a parameter; it takes "),
    ({"provider": "nobody"}, "`provider` = 'nobody': known are auto"),
    ({"provider": ["x"]}, r"`provider` \(list\): Input should be a valid string"),
    ({"base_url": "ftp://x"}, "`base_url` 'ftp://x' is not an http"),
    ({"base_url": 5}, "`base_url` = 5: Input should be"),
    ({"server": "openai"}, "`server` = 'openai' needs `base_url`"),
    ({"server": "ollama", "base_url": "http://127.0.0.1:1"}, "`server` = 'ollama': Input should be 'hf-inference', "),
    ({"timeout": -1}, "ChatHfInference: `timeout` = -1: must be a number of seconds above 0"),
    ({"timeout": "soon"}, r"Inference: `timeout` = 'soon': must be seconds, \(connect, read\), an hf_tools"),
    ({"max_retries": 11}, "`max_retries` = 11: must be a whole number from 0 to 10"),
    ({"token": "org/model"}, "`api_key` has a slash: is it a model ID"),
    ({"api_key": "org/model"}, "`api_key` has a slash: is it a model ID"),
    ({"api_key": "not a key"}, "`api_key` has spaces"),
    ({"api_key": 12345}, r"`api_key` \(int\): Input should be"),
    ({"http_client": "x"}, "`http_client` must be an httpx.Client, got str"),
    ({"http_async_client": "x"}, "`http_async_client` must be an httpx.AsyncClient, got str"),
]


@pytest.mark.parametrize(("fields", "said"), WRONG)
@pytest.mark.parametrize("change", [False, True])
def test_wrong_fields_are_refused(fields: dict[str, Any], said: str, change: bool) -> None:
    make: Callable[[], Any] = lambda: ChatHfInference(**fields)  # noqa: E731
    if change:
        make = lambda: ChatHfInference().model_copy(update=fields)  # noqa: E731
    with pytest.raises(InputError, match=said) as caught:
        make()
    for secret in ("org/model", "not a key", "12345", NEW):
        assert secret not in str(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: HfInferenceEmbeddings(batch_size=0), "HfInferenceEmbeddings: `batch_size` = 0: .* greater than 0"),
        (lambda: HfInferenceEmbeddings().model_copy(update={"batch_size": 0}), "`batch_size` = 0"),
        (lambda: HfInferenceTool("fill_mask", zzz=1), "HfInferenceTool: `zzz` is not a parameter; it takes .*model"),
        (lambda: HfInferenceTool("fill_mask", model=5), "`model` = 5: Input should be a valid string"),
        (lambda: HfInferenceTool("fill_mask", args_schema=5), "HfInferenceTool: args_schema must be a subclass"),
        (
            lambda: HfInferenceTool("fill_mask", expose_model=any_([])),
            r"`expose_model` \(list\): must be True or False",
        ),
        (lambda: HfInferenceTool("fill_mask", any_("x")), "`client` must be an HfInference, got str"),
        (lambda: HfInferenceTool("fill_mask", async_client=any_("x")), "`async_client` must be an AsyncHfInference"),
        (lambda: HfInferenceTool(any_(["x"])), r"`task` = \['x'\]: there is no such task"),
        (lambda: HfInferenceTool("fill_mask").model_copy(update={"task": "summarization"}), "a tool keeps its task"),
        (lambda: HfInferenceTool("fill_mask").model_copy(update={"client": HfInference()}), "`client` is not a param"),
        (lambda: HfInferenceToolkit(any_("x")), "`client` must be an HfInference, got str"),
        (lambda: HfInferenceToolkit(expose_model=any_("maybe")), r"`expose_model` \(str\): must be True or False"),
    ],
)
def test_wrong_fields_of_the_others_are_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        make()


def any_(value: Any) -> Any:
    return value


def test_a_refusal_without_a_field_is_told_as_it_is() -> None:
    from pydantic import model_validator

    class Picky(ChatHfInference):
        @model_validator(mode="after")
        def _refuse(self) -> Any:
            raise ValueError("never")

    with pytest.raises(InputError, match=r"^Picky: never$"):
        Picky()


# changes


def asked(server: Any) -> list[tuple[str, str | None]]:
    return [(request.url.host, request.headers.get("authorization")) for request in server.requests]


CHANGES: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"base_url": "http://127.0.0.2:9/v1"}, ("127.0.0.2", f"Bearer {OLD}")),
    ({"api_key": NEW}, ("127.0.0.1", f"Bearer {NEW}")),
    ({"token": SecretStr(NEW)}, ("127.0.0.1", f"Bearer {NEW}")),
    ({"base_url": None, "provider": "hf-inference"}, ("router.huggingface.co", f"Bearer {OLD}")),
    ({"temperature": 0.5}, ("127.0.0.1", f"Bearer {OLD}")),
]


@pytest.mark.parametrize(("change", "there"), CHANGES)
def test_a_copy_asks_where_its_fields_say(serve: Any, completion: Completion, change: Any, there: Any) -> None:
    server = serve(completion())
    model = ChatHfInference(**server.models, base_url="http://127.0.0.1:9/v1", api_key=SecretStr(OLD))
    model.invoke("Hi")
    copied = model.model_copy(update=change)
    copied.invoke("Hi")
    asyncio.run(copied.ainvoke("Hi"))
    model.invoke("Hi")
    old = ("127.0.0.1", f"Bearer {OLD}")
    assert asked(server) == [old, there, there, old]
    assert NEW not in repr(copied) + str(copied.model_dump()) + dumps(copied)


def test_changed_options_and_http_clients_are_followed(serve: Any, completion: Completion) -> None:
    busy, free = serve(httpx.Response(503)), serve(completion("Hello"))
    model = ChatHfInference(**busy.models)
    changes: dict[str, Any] = {"http_client": free.http, "http_async_client": free.async_http}
    assert model.model_copy(update=changes).invoke("Hi").content == "Hello"
    assert asyncio.run(model.model_copy(update=changes).ainvoke("Hi")).content == "Hello"
    copied = model.model_copy(update={"timeout": 3, "max_retries": 1})
    options = copied._clients.blocking.options  # pyright: ignore[reportPrivateUsage]
    assert (options.timeout, options.max_retries) == (3, 1)
    assert busy.requests == []


def test_an_assigned_field_is_followed(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    model = ChatHfInference(**server.models, api_key=SecretStr(OLD))
    model.api_key = any_(NEW)
    model.base_url = "http://127.0.0.2:9/v1"
    model.invoke("Hi")
    assert asked(server) == [("127.0.0.2", f"Bearer {NEW}")]
    assert NEW not in repr(model) + str(model.model_dump()) + dumps(model)
    model.timeout = -1
    with pytest.raises(ConfigurationError, match="`timeout` = -1"):
        model.invoke("Hi")


def test_a_copy_without_a_change_of_settings_shares_the_clients() -> None:
    model = ChatHfInference()
    for copied in (model.model_copy(), model.model_copy(update={"stop_sequences": ["x"]}), copy.deepcopy(model)):
        assert copied._clients is model._clients  # pyright: ignore[reportPrivateUsage]
    assert model.model_copy(update={"stop_sequences": ["x"]}).stop == ["x"]
    deep = model.model_copy(update={"base_url": "http://127.0.0.1:9"}, deep=True)
    assert "127.0.0.1:9" in repr(deep._clients.blocking)  # pyright: ignore[reportPrivateUsage]


def test_what_was_worked_out_from_the_old_fields_is_dropped(serve: Any, completion: Completion) -> None:
    model = ChatHfInference(**serve(completion()).models)
    model.invoke("Hi")
    assert "org/model" in str(model._serialized)  # pyright: ignore[reportPrivateUsage]
    copied = model.model_copy(update={"model": "org/other"})
    assert "org/other" in str(copied._serialized)  # pyright: ignore[reportPrivateUsage]


def test_a_model_can_be_pickled() -> None:
    for model in (ChatHfInference(model="org/model", api_key=SecretStr(OLD)), HfInferenceEmbeddings(model="org/model")):
        loaded = pickle.loads(pickle.dumps(model))
        assert loaded.model_dump() == model.model_dump()
        assert repr(loaded._clients.blocking) == repr(model._clients.blocking)  # pyright: ignore[reportPrivateUsage]


def test_models_can_be_configured(serve: Any, completion: Completion) -> None:
    server = serve(completion())
    model = ChatHfInference(**server.models, api_key=SecretStr(OLD))
    model.invoke("Hi")
    there = model.configurable_fields(base_url=ConfigurableField("where"), api_key=ConfigurableField("key"))
    there.invoke("Hi", {"configurable": {"where": "http://127.0.0.2:9/v1", "key": NEW}})
    assert asked(server)[-1] == ("127.0.0.2", f"Bearer {NEW}")
    with pytest.raises(InputError, match="`base_url`"):
        there.invoke("Hi", {"configurable": {"where": "nowhere"}})


def test_tools_can_be_copied_and_configured(serve: Any) -> None:
    server = serve([{"summary_text": "Short."}])
    tool = HfInferenceTool("summarization", **server.both)
    for each in (tool.model_copy(update={"model": "org/other"}), copy.deepcopy(tool), tool.model_copy(deep=True)):
        assert each.bench is tool.bench
        assert each.invoke({"text": "Long."}) == "Short."
    there = tool.configurable_fields(model=ConfigurableField("which"))
    assert there.invoke({"text": "Long."}, {"configurable": {"which": "org/third"}}) == "Short."
    paths = [request.url.path.rpartition("/")[2] for request in server.requests]
    assert paths == ["other", "model", "model", "third"]
    assert "bench" not in repr(tool) + str(tool.model_dump()) + dumps(tool)


def test_a_toolkit_can_be_copied() -> None:
    kit = HfInferenceToolkit()
    copied = kit.model_copy(update={"prefix": "my_"})
    assert copied.bench is kit.bench
    assert all(tool.name.startswith("my_") for tool in copied.get_tools())


def test_nothing_secret_is_dumped() -> None:
    model = ChatHfInference(api_key=SecretStr(OLD))
    assert OLD not in dumps(model) + os.linesep.join(map(str, model.model_dump().values()))
