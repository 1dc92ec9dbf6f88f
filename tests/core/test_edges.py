"""What is refused at the edges, before anything is sent."""

from __future__ import annotations

import sys
import types
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference, Options, errors, tasks
from hf_tools.docstrings import attribute_docstrings
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
    with pytest.raises(errors.InputError, match=f"`{name}` = True: must be a number"):
        given: dict[str, Any] = {name: True}
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
