"""Whom models ask, with which key and options; what of it is shown, copied, pickled and written down."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.load import dumps
from langchain_core.runnables import ConfigurableField
from pydantic import SecretStr

from hf_tools import Timeout
from hf_tools.errors import ConfigurationError, InputError
from langchain_hf_tools import ChatHfInference, HfInferenceEmbeddings

FOUND, PASSED, HEADER = "hf_foundfoundfound", "hf_passedpassedpassed", "hf_headerheaderheader"
ELSEWHERE = "http://127.0.0.1:9/v1"
Model = ChatHfInference | HfInferenceEmbeddings


def secret(model: Any) -> str | None:
    return None if model.api_key is None else model.api_key.get_secret_value()


def sent(server: Any) -> list[tuple[str, str | None]]:
    """Host and key of each call; a server of unknown kind is asked for its model before."""
    calls = [request for request in server.requests if request.method == "POST"]
    return [(request.url.host, request.headers.get("authorization")) for request in calls]


@pytest.fixture
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login file, which comes last."""
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    (tmp_path / "token").write_text("hf_filefilefilefile")


# the key


@pytest.mark.parametrize("make", [ChatHfInference, HfInferenceEmbeddings])
@pytest.mark.parametrize(
    ("set_", "expected"),
    [
        ({"HF_TOKEN": FOUND, "HUGGINGFACEHUB_API_TOKEN": "hf_other"}, FOUND),
        ({"HUGGING_FACE_HUB_TOKEN": FOUND, "HUGGINGFACEHUB_API_TOKEN": "hf_other"}, FOUND),
        ({"HUGGINGFACEHUB_API_TOKEN": FOUND}, FOUND),
        ({}, "hf_filefilefilefile"),
    ],
)
@pytest.mark.usefixtures("logged_in")
def test_a_key_is_found(make: Any, set_: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in set_.items():
        monkeypatch.setenv(name, value)
    model = make(model="org/model")
    assert isinstance(model.api_key, SecretStr)
    assert secret(model) == expected
    assert "api_key" not in model.model_fields_set


def test_without_any_there_is_none(monkeypatch: pytest.MonkeyPatch, serve: Any, completion: Any) -> None:
    assert ChatHfInference().api_key is None
    monkeypatch.setenv("HUGGINGFACEHUB_API_TOKEN", FOUND)
    server = serve(completion())
    ChatHfInference(**server.models).invoke("Hi")
    assert ChatHfInference(provider="local").api_key is None
    none = ChatHfInference(**server.models, api_key=SecretStr(""))
    none.invoke("Hi")
    assert sent(server) == [("router.huggingface.co", f"Bearer {FOUND}"), ("router.huggingface.co", None)]


@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGINGFACEHUB_API_TOKEN"])
def test_a_wrong_key_in_the_environment_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "not a key")
    with pytest.raises(ConfigurationError, match=f"{name} has spaces") as caught:
        ChatHfInference()
    assert "not a key" not in str(caught.value)


COPIES: list[Callable[[Model], Any]] = [
    lambda model: model,
    copy.copy,
    copy.deepcopy,
    lambda model: pickle.loads(pickle.dumps(model)),
    lambda model: model.model_copy(),
    lambda model: model.model_copy(update={"max_retries": 0}, deep=True),
    lambda model: type(model)(**{name: getattr(model, name) for name in type(model).model_fields}),
]


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGINGFACEHUB_API_TOKEN"])
def test_a_key_that_was_found_goes_to_hugging_face_only(
    copied: Callable[[Any], Any], name: str, monkeypatch: pytest.MonkeyPatch, serve: Any, completion: Any
) -> None:
    monkeypatch.setenv(name, FOUND)
    server, there = serve(completion()), {"base_url": ELSEWHERE}
    http = {"http_client": server.http, "max_retries": 0}
    made = copied(ChatHfInference(model="org/model"))
    assert secret(made) == FOUND
    made.model_copy(update=http).invoke("Hi")
    made.model_copy(update={**http, **there}).invoke("Hi")
    made.model_copy(update={**http, "model": ELSEWHERE}).invoke("Hi")
    chosen = made.model_copy(update=http).configurable_fields(base_url=ConfigurableField("where"))
    chosen.invoke("Hi", {"configurable": {"where": ELSEWHERE}})
    made.model_copy(update={**http, **there, "api_key": FOUND}).invoke("Hi")  # the developer says so
    own, foreign = ("router.huggingface.co", f"Bearer {FOUND}"), ("127.0.0.1", None)
    assert sent(server) == [own, foreign, foreign, foreign, ("127.0.0.1", f"Bearer {FOUND}")]


def test_a_key_that_was_passed_is_not_taken_for_one_that_was_found(
    monkeypatch: pytest.MonkeyPatch, serve: Any, completion: Any
) -> None:
    monkeypatch.setenv("HF_TOKEN", FOUND)
    server = serve(completion())
    found = ChatHfInference(**server.models, base_url=ELSEWHERE)
    passed = found.model_copy(update={"api_key": FOUND})
    for model in (found, passed, passed.model_copy(update={"api_key": found.api_key})):
        model.invoke("Hi")
    assert sent(server) == [("127.0.0.1", None), ("127.0.0.1", f"Bearer {FOUND}"), ("127.0.0.1", None)]


def test_a_pickle_holds_a_passed_key_but_never_a_found_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", FOUND)
    found = pickle.dumps(ChatHfInference(model="org/model"))
    assert FOUND.encode() not in found
    passed = pickle.dumps(ChatHfInference(model="org/model", api_key=SecretStr(PASSED)))
    monkeypatch.setenv("HF_TOKEN", "hf_newernewernewer")
    assert secret(pickle.loads(found)) == "hf_newernewernewer"
    assert secret(pickle.loads(passed)) == PASSED
    monkeypatch.delenv("HF_TOKEN")
    assert pickle.loads(found).api_key is None


def test_a_found_key_is_itself_wherever_it_is_copied_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", FOUND)
    key = ChatHfInference().api_key
    monkeypatch.delenv("HF_TOKEN")
    assert copy.copy(key) is copy.deepcopy(key) is key is not None
    assert key not in (SecretStr(FOUND), FOUND)


@pytest.mark.parametrize("make", [ChatHfInference, HfInferenceEmbeddings])
@pytest.mark.parametrize("passed", [True, False])
def test_nothing_secret_is_shown(make: Any, passed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", FOUND)
    key = {"token": PASSED} if passed else {}
    model = make(model="org/model", default_headers={"X-Key": HEADER}, **key)
    names: list[str] = list(make.model_fields)
    fields = str([getattr(model, name) for name in names])
    shown = [repr(model), str(model), str(model.model_dump()), model.model_dump_json(), dumps(model), fields]
    try:
        model.model_copy(update={"temprature": 1})
    except InputError:
        shown.append(traceback.format_exc())
    assert len(shown) == 7
    for each in shown:
        assert not any(word in each for word in (FOUND, PASSED)), each
    for each in shown[:5] + shown[6:]:
        assert HEADER not in each


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"X-Key": 12345}, r"`extra_headers` \(int\): Input should be a valid string"),
        ([HEADER], r"`extra_headers` \(list\): Input should be a valid dict"),
        ({"X-Key": f"{HEADER}\n"}, "the header X-Key has characters that a header may not have"),
        ({"X Key": HEADER}, "the header X Key has characters"),
    ],
)
def test_wrong_headers_are_refused_without_being_shown(headers: Any, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        ChatHfInference(extra_headers=headers)
    assert HEADER not in str(caught.value)
    assert "12345" not in str(caught.value)


# the options


def test_options_reach_the_wire(serve: Any, completion: Any) -> None:
    server = serve(completion())
    model = ChatHfInference(
        **server.models,
        bill_to="my-org",
        extra_headers={"X-Tenant": "a"},
        wait_for_model=True,
        api_key=SecretStr("hf_test"),
    )
    model.invoke("Hi")
    asyncio.run(model.ainvoke("Hi"))
    model.model_copy(update={"base_url": ELSEWHERE, "wait_for_model": False, "default_headers": {}}).invoke("Hi")
    seen = [
        {name: request.headers.get(name) for name in ("x-hf-bill-to", "x-tenant", "x-wait-for-model")}
        for request in server.requests
    ]
    asked = {"x-hf-bill-to": "my-org", "x-tenant": "a", "x-wait-for-model": "true"}
    assert seen == [asked, asked, dict.fromkeys(asked)]


def test_changed_headers_are_followed(serve: Any, completion: Any) -> None:
    server = serve(completion())
    model = ChatHfInference(**server.models)
    model.invoke("Hi")
    model.extra_headers["X-Tenant"] = "b"
    model.invoke("Hi")
    assert [request.headers.get("x-tenant") for request in server.requests] == [None, "b"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        (3, 3.0),
        (0.5, 0.5),
        ((5, 60), Timeout(5, 60, total=None)),
        ([5, None], Timeout(5, None, total=None)),
        (Timeout(read=3), Timeout(read=3)),
        ({"connect": 1.0, "total": 9}, Timeout(connect=1.0, total=9)),
        (httpx.Timeout(7.0, connect=2.0), Timeout(2.0, 7.0, 7.0, 7.0, None)),
    ],
)
def test_a_timeout_has_many_forms(given: Any, kept: Any) -> None:
    model = ChatHfInference(timeout=given)
    assert model.timeout == kept
    assert type(model.timeout) is type(kept)
    for client in (model._clients.blocking, model._clients.awaiting):  # pyright: ignore[reportPrivateUsage]
        assert client.options.timeout == kept
    assert ChatHfInference(**json.loads(json.dumps(model.model_dump(include={"timeout"})))).timeout == kept
    model.timeout = given  # assigned as it is
    assert model._clients.blocking.options.timeout == kept  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (0, "`timeout` = 0: must be a number of seconds above 0"),
        (True, "`timeout` = True: must be seconds, "),
        ("3", "`timeout` = '3': must be seconds, "),
        ((1, 2, 3), r"`timeout` = \(1, 2, 3\): must be seconds, "),
        ((-1, 5), "`timeout.connect` = -1: must be a number of seconds above 0"),
        ({"reed": 5}, r"`timeout` must be seconds, \(connect, read\)"),
    ],
)
def test_a_wrong_timeout_is_refused(given: Any, said: str) -> None:
    with pytest.raises(InputError, match=f"^ChatHfInference: {said}"):
        ChatHfInference(timeout=given)


# whom they ask


@pytest.mark.parametrize(
    ("fields", "host"),
    [
        ({}, "router.huggingface.co"),
        ({"model": "org/name:groq"}, "router.huggingface.co"),
        ({"base_url": "http://127.0.0.1:8080/v1"}, "127.0.0.1:8080"),
        ({"base_url": "https://Own.Example"}, "own.example"),
        ({"model": "https://xyz.endpoints.huggingface.cloud/v1"}, "xyz.endpoints.huggingface.cloud"),
        ({"model": "http://127.0.0.1:1"}, "127.0.0.1:1"),
        ({"provider": "local"}, "local"),
    ],
)
def test_who_is_asked_is_known(fields: dict[str, Any], host: str) -> None:
    assert ChatHfInference(**fields)._host == host  # pyright: ignore[reportPrivateUsage]


def test_a_model_may_be_a_url(serve: Any, completion: Any) -> None:
    server = serve(completion("Hello"))
    fields: dict[str, Any] = {**server.models, "model": "http://127.0.0.1:9/v1/"}
    assert ChatHfInference(**fields).invoke("Hi").content == "Hello"
    assert server.requests[-1].url == "http://127.0.0.1:9/v1/chat/completions"
    own = "https://xyz.endpoints.huggingface.cloud/v1"
    there: dict[str, Any] = {**fields, "model": own, "api_key": PASSED}
    ChatHfInference(**there).invoke("Hi")
    assert server.requests[-1].headers["authorization"] == f"Bearer {PASSED}"
    with pytest.raises(ConfigurationError, match="goes to no foreign address that is given as `model`"):
        ChatHfInference(**fields, api_key=PASSED)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("two words", "ChatHfInference: `model` = 'two words': expected `name`, `org/name`, `org/name:provider`"),
        ("http://", "`model` 'http://' is not an http"),
        ("https://me:pass@host", "`model` must not hold credentials"),
    ],
)
def test_a_model_that_cannot_be_is_refused_at_once(model: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        ChatHfInference(model=model)
    assert "pass@" not in str(caught.value)
