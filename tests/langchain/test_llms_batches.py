"""Several prompts: an error for each that fails, places among all of them, bounds; and tokens that are estimated."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelRateLimitError

from hf_tools.errors import InputError, RateLimited
from tests.langchain.test_llms import Completions, model

PROMPTS: list[Any] = ["a", "c", "d", "b", "e"]
CONFIGS: list[Any] = [None, {"max_concurrency": 2}, [{"max_concurrency": 2}] * 5]


class Told(BaseCallbackHandler):
    """Counts the runs."""

    def __init__(self) -> None:
        self.runs = self.errors = 0

    def on_llm_start(self, *args: Any, **kwargs: Any) -> None:
        self.runs += 1

    def on_llm_error(self, *args: Any, **kwargs: Any) -> None:
        self.errors += 1


@pytest.mark.parametrize("config", CONFIGS)
async def test_the_error_of_a_prompt_leaves_the_others_alone(config: Any) -> None:
    made = model(Completions(fails="b"))
    for found in (
        made.batch(PROMPTS, config, return_exceptions=True),
        await made.abatch(PROMPTS, config, return_exceptions=True),
    ):
        assert [*found[:3], found[4]] == ["a!", "c!", "d!", "e!"]
        failed: Any = found[3]
        assert isinstance(failed, RateLimited)
        assert isinstance(failed, ModelRateLimitError)
        assert str(failed).startswith("429 slow down (task text-generation")


@pytest.mark.parametrize("config", CONFIGS)
async def test_an_error_names_the_place_among_all_prompts(config: Any) -> None:
    made = model(Completions(fails="b"))
    with pytest.raises(RateLimited, match="429 slow down; this is prompt 3, counted from 0") as caught:
        made.batch(PROMPTS, config)
    assert caught.value.args == (caught.value.message,)
    with pytest.raises(RateLimited, match="429 slow down; this is prompt 3, counted from 0"):
        await made.abatch(PROMPTS, config)


async def test_the_place_counts_what_the_cache_has() -> None:
    server = Completions()
    made = model(server, cache=InMemoryCache())
    made.batch(["a", "d"])
    server.fails, prompts = "b", [*PROMPTS, "c"]
    with pytest.raises(RateLimited, match="this is prompt 3, counted from 0"):
        made.generate(prompts)
    with pytest.raises(RateLimited, match="this is prompt 3, counted from 0"):
        await made.agenerate(prompts)
    server.fails = ""
    assert [row[0].text for row in made.generate(prompts).generations] == ["a!", "c!", "d!", "b!", "e!", "c!"]


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(
    ("field", "config", "most"), [(8, {"max_concurrency": 2}, 2), (3, None, 3), (3, {"max_concurrency": 9}, 3)]
)
async def test_how_many_go_at_once(alone: bool, field: int, config: Any, most: int) -> None:
    server, prompts = Completions(delay=0.01), list[Any](map(str, range(12)))
    made, expected = model(server, max_concurrency=field), [f"{place}!" for place in range(12)]
    assert made.batch(prompts, config, return_exceptions=alone) == expected
    assert server.most_flying == most
    server.most_flying = 0
    assert await made.abatch(prompts, config, return_exceptions=alone) == expected
    assert server.most_flying == most


def test_callbacks_are_told_of_each_prompt() -> None:
    for alone in (False, True):
        told = Told()
        made = model(Completions(fails="b"))
        if alone:
            made.batch(PROMPTS, {"callbacks": [told]}, return_exceptions=True)
        else:
            with pytest.raises(RateLimited):
                made.batch(PROMPTS, {"callbacks": [told]})
        assert (told.runs, told.errors) == (5, 1 if alone else 5)


async def test_no_prompts() -> None:
    server = Completions()
    for alone in (False, True):
        assert model(server).batch([], return_exceptions=alone) == []
        assert await model(server).abatch([], return_exceptions=alone) == []
    assert server.bodies == []


async def test_half_a_character_is_named_before_anything_is_sent() -> None:
    server = Completions()
    for config in CONFIGS[:2]:
        with pytest.raises(InputError, match=r"`prompts\[1\]` has half a character, '.ud800', at place 2, counted"):
            model(server).batch(["a", "no\ud800"], config)
    with pytest.raises(InputError, match=r"`prompts\[0\]` has half a character"):
        await model(server).ainvoke("\ud800")
    assert server.bodies == []


def test_tokens_are_estimated() -> None:
    made = model()
    assert [made.get_num_tokens(text) for text in ("", "abc", "abcd", "abcde")] == [0, 1, 1, 2]
    with pytest.raises(InputError, match=r"token ids need a tokenizer. Pass `custom_get_token_ids`, a function"):
        made.get_token_ids("abc")

    def ids(text: str) -> list[int]:
        return [*range(len(text))]

    counting = model(custom_get_token_ids=ids)
    assert (counting.get_num_tokens("abc"), counting.get_token_ids("abc")) == (3, [0, 1, 2])
