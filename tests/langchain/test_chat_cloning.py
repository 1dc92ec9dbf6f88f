"""Chunks that are copied are those that their classes make; where they would not be, the classes make them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.load import dumps
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_hf_tools._chat import cloning
from langchain_hf_tools._chat.cloning import copied, maker, same, validated


@pytest.fixture(autouse=True)
def tried_anew() -> Iterator[None]:
    maker.cache_clear()
    yield
    maker.cache_clear()


@given(st.text(min_size=1))
def test_copies_are_what_classes_make(text: str) -> None:
    one, right = copied(text), validated(text)
    assert one == right
    assert (repr(one), dumps(one), one.model_dump()) == (repr(right), dumps(right), right.model_dump())
    assert one.message.content_blocks == right.message.content_blocks
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == right
    assert one + copied("!") == right + validated("!")


def test_nothing_is_shared() -> None:
    one, other = copied("a"), copied("b")
    assert isinstance(one.message, AIMessageChunk)
    one.message.additional_kwargs["x"] = 1
    one.message.response_metadata["y"] = 2
    one.message.tool_calls.append({"name": "f", "args": {}, "id": "1"})
    assert other == validated("b")
    assert copied("c") == validated("c")


def test_the_quick_way_is_taken_where_it_is_the_same() -> None:
    assert same(copied)
    assert maker() is copied


def longer(text: str) -> ChatGenerationChunk:
    return validated(f"{text}.")


def fails(text: str) -> ChatGenerationChunk:
    raise AttributeError("__pydantic_private__")


@pytest.mark.parametrize("way", [longer, fails])
def test_another_way_is_noticed(way: Any) -> None:
    assert not same(way)


def test_a_way_that_shares_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = validated("a b").message.additional_kwargs

    def sharing(text: str) -> ChatGenerationChunk:
        made = validated(text)
        vars(made.message)["additional_kwargs"] = kept
        return made

    assert not same(sharing)


def test_classes_make_them_where_copies_would_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloning, "copied", longer)
    assert maker() is validated
