"""What a client tells about itself: who is asked, for which model, where."""

from __future__ import annotations

from typing import Any

import pytest

from hf_tools import AsyncHfInference, HfInference

KINDS = pytest.mark.parametrize("kind", [HfInference, AsyncHfInference])


@KINDS
def test_without_settings(kind: Any) -> None:
    hf = kind(False)
    assert (hf.provider, hf.model, hf.url) == ("auto", None, None)


@KINDS
def test_provider_and_model(kind: Any) -> None:
    hf = kind("hf_test", provider="groq", model="org/model")
    assert (hf.provider, hf.model, hf.url) == ("groq", "org/model", None)
    assert (hf.with_options(timeout=3).provider, hf.with_options(timeout=3).model) == ("groq", "org/model")


@KINDS
def test_the_embedded_backend(kind: Any) -> None:
    hf = kind(provider="local")
    assert (hf.provider, hf.url) == ("local", None)


@KINDS
def test_an_endpoint_is_told_without_its_query(kind: Any) -> None:
    hf = kind(False).endpoint("https://server.test/path?key=hf_test")
    assert hf.url == "https://server.test/path"
