"""Against Hugging Face's own api-inference-community routes around real MiniLM pipelines (community_server.py)."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

from hf_tools import AsyncHfInference, HfInference, HfInferenceEndpoint
from hf_tools.errors import InvalidRequest, NotFound, ServerError
from hf_tools.tasks.embedding import SentenceSimilarity
from tests.live.servers import running

pytestmark = pytest.mark.live

SENTENCE = "That is a happy person"
OTHERS = ["That is a happy dog", "That is a very happy person", "Today is a sunny day"]
REFUND = "I want my money back for the broken kettle."
LABELS = ["refund", "praise", "opening hours"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if importlib.util.find_spec("api_inference_community") is None:
        pytest.fail("pip install --no-deps api-inference-community==0.0.37: its dependencies are large and not needed")
    with running("api-inference-community") as url:
        yield url


@pytest.fixture
def hf() -> Iterator[HfInference]:
    with HfInference(token=False) as client:
        yield client


@pytest.fixture
def similarity(hf: HfInference, server: str) -> HfInferenceEndpoint:
    return hf.endpoint(f"{server}/models/sentence-similarity")


@pytest.fixture
def zero_shot(hf: HfInference, server: str) -> HfInferenceEndpoint:
    return hf.endpoint(f"{server}/models/zero-shot-classification")


def test_sentence_similarity(similarity: HfInferenceEndpoint) -> None:
    found = similarity.sentence_similarity(SENTENCE, OTHERS)
    # What the model's page on the Hub shows for its own example: 0.695, 0.943, 0.257.
    assert found == pytest.approx([0.695, 0.943, 0.257], abs=0.02)


def test_the_older_forms_of_the_arguments(similarity: HfInferenceEndpoint) -> None:
    mapping = {"source_sentence": SENTENCE, "sentences": OTHERS}
    plain = similarity.sentence_similarity(SENTENCE, OTHERS)
    assert similarity.sentence_similarity(mapping) == plain
    assert similarity.sentence_similarity([mapping, mapping]) == [plain, plain]


def test_its_headers_reach_the_caller(similarity: HfInferenceEndpoint) -> None:
    response = similarity.respond(SentenceSimilarity("ab", ["cde"]))
    assert response.headers["x-compute-characters"] == "5"
    assert float(response.headers["x-compute-time"]) >= 0


def test_feature_extraction(hf: HfInference, server: str) -> None:
    endpoint = hf.endpoint(f"{server}/models/feature-extraction")
    one = endpoint.feature_extraction(SENTENCE)
    assert one.shape == (384,)
    several = endpoint.feature_extraction([SENTENCE, *OTHERS])
    assert several.shape == (4, 384)
    source, *others = several.vectors()
    assert source == pytest.approx(one.vectors()[0], abs=1e-2)
    nearness = [sum(a * b for a, b in zip(source, other, strict=True)) for other in others]
    assert nearness == pytest.approx([0.695, 0.943, 0.257], abs=0.02)


def test_zero_shot_classification(zero_shot: HfInferenceEndpoint) -> None:
    found = zero_shot.zero_shot_classification(REFUND, LABELS)
    assert {each.label for each in found} == set(LABELS)
    assert found[0].label == "refund"
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert sum(each.score for each in found) == pytest.approx(1, abs=1e-6)


def test_parameters_reach_the_pipeline(zero_shot: HfInferenceEndpoint) -> None:
    alone = zero_shot.zero_shot_classification(REFUND, LABELS, multi_label=True, hypothesis_template="About {}.")
    assert sum(each.score for each in alone) != pytest.approx(1, abs=1e-3)


def test_a_list_of_messages_becomes_one_sentence(similarity: HfInferenceEndpoint) -> None:
    body: Any = {"source_sentence": 3}
    with pytest.raises(InvalidRequest) as refused:
        similarity.request(inputs=body)
    assert refused.value.status == 400
    assert refused.value.message == (
        "400 Input should be a valid string: received `source_sentence` in `parameters`; "
        "Field required: received `sentences` in `parameters`"
    )
    assert refused.value.attempts == 1


def test_what_these_routes_do_not_take_is_theirs_to_say(zero_shot: HfInferenceEndpoint) -> None:
    with pytest.raises(InvalidRequest, match=r"^400 Input should be a valid string: received `"):
        zero_shot.zero_shot_classification([REFUND, SENTENCE], LABELS)


def test_a_pipelines_refusal_is_a_sentence(zero_shot: HfInferenceEndpoint) -> None:
    with pytest.raises(InvalidRequest, match=r"^400 hypothesis_template: must be a text with {}"):
        zero_shot.request(inputs=REFUND, parameters={"candidate_labels": LABELS, "hypothesis_template": "none"})


def test_an_unknown_task(hf: HfInference, server: str) -> None:
    with pytest.raises(
        InvalidRequest, match=r"^400 The task `mind-reading` is not recognized by api-inference-community"
    ):
        hf.endpoint(f"{server}/models/mind-reading").request(inputs="what?")


def test_a_pipeline_that_cannot_be_loaded(hf: HfInference, server: str) -> None:
    endpoint = hf.endpoint(f"{server}/models/fill-mask").with_options(max_retries=0)
    with pytest.raises(ServerError, match=r"^500 'fill-mask'") as failed:
        endpoint.fill_mask("The capital of France is [MASK].")
    assert failed.value.task == "fill-mask"


def test_a_wrong_path(hf: HfInference, server: str) -> None:
    with pytest.raises(NotFound, match=r"^404 Not Found"):
        hf.endpoint(f"{server}/model").summarization("text")


async def test_all_of_it_awaited(server: str) -> None:
    async with AsyncHfInference(token=False) as hf:
        similarity, features, zero_shot = (
            hf.endpoint(f"{server}/models/{task}")
            for task in ("sentence-similarity", "feature-extraction", "zero-shot-classification")
        )
        near, vectors, labels = await asyncio.gather(
            similarity.sentence_similarity(SENTENCE, OTHERS),
            features.feature_extraction(OTHERS),
            zero_shot.zero_shot_classification(REFUND, LABELS),
        )
        assert near == pytest.approx([0.695, 0.943, 0.257], abs=0.02)
        assert vectors.shape == (3, 384)
        assert labels[0].label == "refund"
        with pytest.raises(InvalidRequest, match=r"^400 Field required: received `source_sentence` in `parameters`; "):
            await similarity.request(inputs={})
