"""Which addresses a model takes, when, and how much of them is shown; what of a model is written down."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.load import dumps

from hf_tools.errors import ConfigurationError, InputError
from langchain_hf_tools import ChatHfInference, HfInferenceEmbeddings, HfInferenceLLM, HfInferenceReranker
from langchain_hf_tools._connecting.connection import check_called, without_query

MODELS = [ChatHfInference, HfInferenceEmbeddings, HfInferenceLLM, HfInferenceReranker]
PASSED, HEADER = "hf_passedpassedpassed", "hf_headerheaderheader"


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize(("name", "value"), [("base_url", "http://127.0.0.1:1"), ("server", "tei")])
def test_two_addresses_are_refused(make: Any, name: str, value: str) -> None:
    said = f"`model` is a URL, and `{name}` is given as well. Pass the URL as `base_url` alone, and a model's ID"
    with pytest.raises(ConfigurationError, match=said):
        make(model="https://own.example/x", api_key=PASSED, **{name: value})
    with pytest.raises(ConfigurationError, match="`model` is a URL, and `base_url` is given as well"):
        make(base_url="http://127.0.0.1:1", server="tei").model_copy(update={"model": "https://own.example/x"})


@pytest.mark.parametrize("model", ["https://other.example/x?key=topsecret", " HTTPS://other.example/x "])
def test_a_call_may_not_name_an_address(model: str) -> None:
    with pytest.raises(InputError, match=r"`model` = '.*other.example/x': a call may name a model, but") as caught:
        check_called({"model": model})
    assert "topsecret" not in str(caught.value)
    calls: list[dict[str, Any]] = [{}, {"model": None}, {"model": "org/model"}, {"model": 5}]
    for call in calls:
        check_called(call)


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("name", ["base_url", "model"])
def test_the_query_of_an_address_is_not_shown(make: Any, name: str) -> None:
    made = make(**{name: "http://127.0.0.1:1/v1?key=topsecret"})
    assert "topsecret" not in repr(made) + str(made)
    assert "http://127.0.0.1:1/v1?***" in repr(made)


def test_an_address_without_its_query() -> None:
    assert without_query("http://127.0.0.1:1/v1?key=topsecret") == "http://127.0.0.1:1/v1"
    assert without_query("org/model") == "org/model"


@pytest.mark.parametrize("make", [HfInferenceEmbeddings, HfInferenceReranker])
def test_what_langchain_does_not_load_it_does_not_write(make: Any) -> None:
    made = make(model="org/model", api_key=PASSED, extra_headers={"X-Key": HEADER})
    written = dumps(made)
    assert json.loads(written)["type"] == "not_implemented"
    assert not any(secret in written for secret in (PASSED, HEADER))
    assert not any(hasattr(made, name) for name in ("to_json", "lc_secrets", "is_lc_serializable"))
