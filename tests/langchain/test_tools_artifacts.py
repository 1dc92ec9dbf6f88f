"""Answers as JSON values for a program: whole, typed, and without the bytes of media."""

from __future__ import annotations

import json
import math
from typing import Any

import httpx
import pytest

from hf_tools.errors import MediaError
from hf_tools.media import Audio, Image
from hf_tools.media.store import MemoryStore
from hf_tools.tasks.features import Features
from hf_tools.tasks.image import DepthEstimationOutput
from hf_tools.tasks.text import MaskFills
from langchain_hf_tools._tools.artifacts import Stored
from tests.langchain.agents import png, said, wav
from tests.langchain.tool_cases import CASES, MASK, PNG, asked, coded, handle, kit, only

KEYS = ["task", "model", "provider", "data", "media", "usage", "timings", "request_id"]


@pytest.mark.parametrize("task", CASES)
def test_each_artifact_is_typed(task: str) -> None:
    case = CASES[task]
    artifact = asked(only(kit(task, case.answer)), **case.arguments).artifact
    assert list(artifact) == KEYS
    assert artifact["task"] == task
    assert artifact["timings"].keys() == {"compute_seconds", "seconds"}
    assert 0 <= artifact["timings"]["seconds"] < 60
    assert json.loads(json.dumps(artifact, allow_nan=False)) == artifact
    assert [each["handle"] for each in artifact["media"]] == sorted({
        one for one in case.content.split() if one.startswith("hf-media://")
    })  # fmt: skip


@pytest.mark.parametrize(("told", "seconds"), [("0.25", 0.25), ("nan", None), ("inf", None), ("-1e999", None)])
def test_times_that_are_no_numbers_are_no_json(told: str, seconds: float | None) -> None:
    answer = httpx.Response(200, json=[{"label": "joy", "score": 0.5}], headers={"x-compute-time": told})
    artifact = asked(only(kit("text_classification", answer)), text="Yes!").artifact
    assert artifact["timings"]["compute_seconds"] == seconds
    assert json.loads(json.dumps(artifact, allow_nan=False)) == artifact


def test_the_whole_of_one() -> None:
    answer = [{"label": "joy", "score": 0.987654321}, {"label": "fear", "score": 0.0123456}]
    artifact = asked(only(kit("text_classification", answer)), text="Yes!").artifact
    timings = artifact.pop("timings")
    assert timings["compute_seconds"] is None
    assert artifact == {
        "task": "text_classification", "model": "org/text_classification", "provider": "hf-inference",
        "data": answer, "media": [], "usage": None, "request_id": None,
    }  # fmt: skip


def test_media_are_told_by_handle() -> None:
    toolkit = kit("text_to_image", PNG)
    artifact = asked(only(toolkit), prompt="a cat").artifact
    (told,) = artifact["media"]
    assert told == artifact["data"]
    assert told.keys() == {"handle", "mime_type", "size", "sha256", "width", "height"}
    assert (told["handle"], told["width"], told["height"]) == (handle(PNG, "png"), 5, 6)
    assert toolkit.store.get(told["handle"]).data == PNG


def test_usage_of_tokens() -> None:
    artifact = asked(only(kit("chat_completion", said("Hi"))), message="Hi").artifact
    assert artifact["usage"] == {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ([math.nan, math.inf, -math.inf, 1.5], [None, None, None, 1.5]),
        ({1: ("a", None), "half \udc00": "\ud800 of one"}, {"1": ["a", None], "half \ufffd": "\ufffd of one"}),
        ([2**63, 2**64, -(2**63) - 1, True], [2**63, str(2**64), str(-(2**63) - 1), True]),
        (MaskFills([["a"], ["b"]]), [["a"], ["b"]]),
        (MaskFills([["a"]]), ["a"]),
        (Features([[1.0, math.nan]]), [[1.0, None]]),
    ],
)
def test_values(value: Any, data: Any) -> None:
    assert Stored(MemoryStore().put).data(value) == data


def test_media_in_fields_are_decoded() -> None:
    stored = Stored(MemoryStore().put)
    answer = DepthEstimationOutput.model_validate({"depth": coded(MASK), "predicted_depth": None})
    assert stored.data(answer)["depth"]["handle"] == handle(MASK, "png")
    assert [each.data for each in stored.media] == [MASK]
    none = Stored(MemoryStore().put)
    assert none.data(DepthEstimationOutput.model_validate({"predicted_depth": [[1.0]]}))["depth"] is None
    assert none.refs == []


def test_the_same_medium_is_told_once() -> None:
    stored = Stored(MemoryStore().put)
    data = stored.data([Image(png()), Image(png()), Audio(wav())])
    assert data[0] == data[1]
    assert [ref.mime_type for ref in stored.refs] == ["image/png", "audio/wav"]
    assert [each.mime_type for each in stored.media] == ["image/png", "audio/wav"]


def test_a_store_without_room() -> None:
    with pytest.raises(MediaError, match="the media has 16,044 bytes, and the store keeps 99"):
        Stored(MemoryStore(99).put).data(Audio(wav()))
