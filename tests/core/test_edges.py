"""What is refused at the edges, before anything is sent."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from hf_tools import (
    AsyncHfInference,
    AsyncHfInferenceEndpoint,
    HfInference,
    HfInferenceEndpoint,
    Options,
    errors,
    tasks,
)
from hf_tools.docstrings import attribute_docstrings
from hf_tools.tasks.text import Summarization
from tests.core.conftest import Ask, Script


@pytest.mark.parametrize("kind", [HfInference, AsyncHfInference])
def test_the_embedded_backend_has_no_network(kind: Any) -> None:
    with pytest.raises(errors.ConfigurationError, match="`http_client` cannot be used with the embedded backend"):
        kind(provider="local", http_client=httpx.Client(transport=httpx.MockTransport(Script(httpx.Response(200)))))
    local = kind(provider="local")
    with pytest.raises(errors.InputError, match="the embedded backend has no endpoints"):
        local.endpoint("http://127.0.0.1:1")


def test_the_embedded_backend_takes_no_url_as_model() -> None:
    with HfInference(provider="local") as hf, pytest.raises(errors.InputError, match="takes no URL as `model`"):
        hf.feature_extraction("x", model="http://127.0.0.1:1")


def test_what_the_embedded_backend_lacks_names_who_has_it() -> None:
    with HfInference(provider="local") as hf:
        with pytest.raises(errors.LocalBackendError, match="has no summarization") as caught:
            hf.summarization("x")
        assert "Served remotely by hf-inference" in str(caught.value)
        with pytest.raises(errors.LocalBackendError, match="fal-ai or novita or replicate"):
            hf.text_to_video("x")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_json_has_no_number_for(ask: Ask, value: float) -> None:
    server = Script(httpx.Response(200, json=[{"summary_text": "s"}]))
    with pytest.raises(errors.InputError, match="cannot be written as JSON"):
        ask(server, lambda hf: hf.summarization("x", model="a/b", generate_parameters={"p": value}))
    with pytest.raises(errors.InputError, match="`temperature` = "):
        ask(server, lambda hf: hf.summarization("x", model="a/b", temperature=value))
    ask(server, lambda hf: hf.summarization("NaN and Infinity are words here", model="a/b"))
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", ["max_length", "temperature", "top_k", "top_p"])
def test_true_is_no_number(name: str) -> None:
    given: dict[str, Any] = {name: True}
    with pytest.raises(errors.InputError, match=f"`{name}` = True: must be a number"):
        HfInference(False).summarization("x", **given)


def test_bytes_of_an_unknown_type_are_sent_without_one(ask: Ask) -> None:
    server = Script(httpx.Response(200, json={"text": "hi"}))
    ask(server, lambda hf: hf.automatic_speech_recognition(b"\x01\x02\x03\x04", model="a/b"))
    assert "content-type" not in server.requests[0].headers


def test_no_time_at_all(ask: Ask) -> None:
    server = Script(httpx.Response(200, json=[{"summary_text": "s"}]))
    with pytest.raises(errors.DeadlineExceeded, match="the time for the call is used up"):
        ask(server, lambda hf: hf.summarization("x", model="a/b"), options=Options(timeout=1e-9))
    assert not server.requests


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"model": 5}, "`model` = 5: expected `name`"),
    ({"base_url": Path("x")}, "is not an http(s) URL"),
    ({"base_url": ""}, "is not an http(s) URL"),
    ({"http_client": 5}, "`http_client` must be an httpx."),
    ({"http_client": "other"}, "`http_client` must be an httpx."),
    ({"options": None}, "`options` must be an Options, got NoneType"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG)
async def test_wrong_arguments_of_a_client(wrong: dict[str, Any], message: str) -> None:
    async with httpx.AsyncClient() as awaiting:
        with httpx.Client() as blocking:
            kinds: list[tuple[Any, Any]] = [(HfInference, awaiting), (AsyncHfInference, blocking)]
            for kind, other in kinds:
                given = {name: other if value == "other" else value for name, value in wrong.items()}
                with pytest.raises(errors.InputError) as caught:
                    kind(**given)
                assert message in str(caught.value)


@pytest.mark.parametrize("url", [None, 5, b"http://h", "", "http://a..b", "http://xn--/", f"http://{'a' * 300}/"])
@pytest.mark.parametrize("kind", [HfInferenceEndpoint, AsyncHfInferenceEndpoint])
def test_an_endpoint_needs_an_address(kind: Any, url: Any) -> None:
    for make in (kind, HfInference(False).endpoint):
        with pytest.raises(errors.ConfigurationError, match=r"is not an http\(s\) URL"):
            make(url)


@pytest.mark.parametrize("server", [["openai"], 5, "gradio"])
def test_a_server_of_unknown_kind(server: Any) -> None:
    with pytest.raises(errors.ConfigurationError, match="known are hf-inference"):
        HfInferenceEndpoint("http://h", server=server)


@pytest.mark.parametrize("wrong", [None, "summarization", HfInference])
async def test_what_is_no_task(wrong: Any) -> None:
    hf, awaiting = HfInference(False), AsyncHfInference(False)
    for call in (hf.run, hf.respond, hf.stream, awaiting.stream):
        with pytest.raises(errors.InputError, match="expected a "):
            call(wrong)
    with pytest.raises(errors.InputError, match="expected a Task"):
        await awaiting.run(wrong)
    with pytest.raises(errors.InputError, match="expected a Streamed"):
        hf.stream(cast(Any, Summarization("x")))


def test_secrets_in_a_url_are_not_shown() -> None:
    with pytest.raises(errors.InputError) as caught:
        HfInference(False).image_classification("https://me:SECRET@h.example/a?token=SECRET", model="a/b")
    assert "SECRET" not in str(caught.value)
    assert "https://***@h.example/a" in str(caught.value)
    assert "SECRET" not in repr(HfInference(False, model="https://h/x?key=SECRET"))


def test_an_error_with_half_a_character_can_be_printed() -> None:
    assert str(errors.InputError("\ud800.png")) == "\\ud800.png"


class Unspeakable:
    """Its repr fails."""

    def __repr__(self) -> str:
        raise RuntimeError


def test_an_argument_that_cannot_be_shown() -> None:
    wrong: Any = Unspeakable()
    with pytest.raises(errors.InputError, match="`text` = <Unspeakable>: "):
        Summarization(wrong)


def test_docstrings_without_source(monkeypatch: pytest.MonkeyPatch) -> None:
    made = types.ModuleType("made_of_nothing")
    monkeypatch.setitem(sys.modules, "made_of_nothing", made)
    assert attribute_docstrings(type("Thing", (), {"__module__": "made_of_nothing"})) == {}


class Documented:
    """A class whose attributes are followed by several things."""

    plain: int = 1
    number: int = 2
    7  # noqa: B018  # pyright: ignore[reportUnusedExpression]
    text: str = ""
    """What it says."""


def test_only_strings_are_docstrings() -> None:
    assert attribute_docstrings(Documented) == {"text": "What it says."}


def test_a_family_of_tasks_that_lacks_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "hf_tools.tasks.tabular", raising=False)
    monkeypatch.delattr(tasks, "tabular", raising=False)
    monkeypatch.setitem(sys.modules, "hf_tools.tasks.tabular", None)
    with pytest.raises(AttributeError, match="there is no family of tasks named 'tabular'"):
        _ = tasks.tabular

    def lacking(_: str) -> None:
        raise ModuleNotFoundError("No module named 'numpy'", name="numpy")

    monkeypatch.setattr("hf_tools.tasks.importlib.import_module", lacking)
    with pytest.raises(ModuleNotFoundError, match="numpy"):
        _ = tasks.tabular
