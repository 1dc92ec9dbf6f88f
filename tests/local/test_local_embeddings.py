"""The four embedding tasks through the transport, on the real model."""

from __future__ import annotations

import math
from typing import Any

import httpx
import pytest

from hf_tools.local.embed import BATCH, Embedder

# The first numbers of sentence-transformers' own vector for "hello world"; the 8-bit file moves single numbers by up
# to 0.007, and the direction of the vector by next to nothing.
HELLO = [-0.0345, 0.0310, 0.0067, 0.0261]


def dot(left: list[float], right: list[float]) -> float:
    return sum(one * other for one, other in zip(left, right, strict=True))


def test_a_text_gives_a_vector_and_a_list_gives_rows(task: Any) -> None:
    one = task("feature-extraction", inputs="hello world").json()
    rows = task("feature-extraction", inputs=["hello world", "goodbye"]).json()
    assert len(one) == 384
    assert one[:4] == pytest.approx(HELLO, abs=0.008)
    assert rows[0] == pytest.approx(one, abs=1e-6)
    assert [len(row) for row in rows] == [384, 384]
    assert dot(one, one) == pytest.approx(1, abs=1e-5)
    assert task("feature-extraction", inputs=[]).json() == []
    assert len(task("feature-extraction", inputs="").json()) == 384


def test_normalize_false_keeps_the_length(task: Any) -> None:
    unit = task("feature-extraction", inputs="hello world").json()
    raw = task("feature-extraction", inputs="hello world", normalize=False).json()
    length = math.sqrt(dot(raw, raw))
    assert length > 2
    assert [number / length for number in raw] == pytest.approx(unit, abs=1e-5)


def test_order_is_kept_over_batches_of_mixed_length(embedder: Embedder) -> None:
    texts = [f"text {index} " + "more words " * (index * 7 % 23) for index in range(BATCH * 2 + 5)]
    together = embedder.embed(texts)
    for index in (0, 1, BATCH, BATCH + 1, len(texts) - 1):
        assert float(together[index] @ embedder.embed([texts[index]])[0]) == pytest.approx(1, abs=1e-4)


def test_a_long_text_is_cut_at_the_named_end(task: Any) -> None:
    long = "cat " * 300 + "dog " * 300
    right = task("feature-extraction", inputs=long, truncate=True, truncation_direction="right").json()
    left = task("feature-extraction", inputs=long, truncation_direction="Left").json()
    cats, dogs = task("feature-extraction", inputs=["cat " * 254, "dog " * 254]).json()
    assert dot(right, cats) == pytest.approx(1, abs=1e-4)
    assert dot(left, dogs) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("anchor", "near", "far"),
    [
        ("A man is eating food.", "Someone has a meal.", "The car is red."),
        ("How do I reset my password?", "I forgot my login credentials.", "Where is the nearest station?"),
        ("The stock market fell today.", "Shares lost value.", "The cat slept on the sofa."),
        ("Berlin is the capital of Germany.", "Germany's seat of government is Berlin.", "I like strawberry jam."),
        ("Python is a programming language.", "Developers write code in Python.", "The river floods in spring."),
    ],
)
def test_similar_sentences_are_nearer(task: Any, anchor: str, near: str, far: str) -> None:
    scores = task("sentence-similarity", inputs={"source_sentence": anchor, "sentences": [far, near]}).json()
    assert scores[1] > scores[0] + 0.2


def test_ranking_is_sorted_and_carries_texts_on_demand(task: Any) -> None:
    texts = ["Paris is in France.", "Water boils at 100 degrees.", "The heart pumps blood."]
    inputs = {"query": "At what temperature does water boil?", "texts": texts}
    ranked = task("text-ranking", inputs=inputs).json()
    assert ranked[0]["index"] == 1
    assert set(ranked[0]) == {"index", "score"}
    assert [entry["score"] for entry in ranked] == sorted((entry["score"] for entry in ranked), reverse=True)
    for body in (
        {"inputs": inputs | {"return_documents": True}},
        {"inputs": inputs, "parameters": {"return_documents": True}},
    ):
        assert task("text-ranking", **body).json()[0]["text"] == texts[1]
    assert task("text-ranking", inputs={"query": "x", "texts": []}).json() == []


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("Parliament voted on the new budget.", ["sports", "politics", "technology", "food"], "politics"),
        ("The chip has ten billion transistors.", ["sports", "politics", "technology", "food"], "technology"),
        ("Simmer the onions in butter until golden.", ["sports", "politics", "technology", "food"], "food"),
        ("I love this film, it is wonderful!", "negative, positive", "positive"),
        ("A boring waste of time.", ["positive", "negative"], "negative"),
        ("I want my money back", ["refund", "shipping", "technical problem"], "refund"),
        ("Where is my parcel?", ["refund", "shipping", "technical problem"], "shipping"),
    ],
)
def test_zero_shot_picks_the_label(task: Any, text: str, labels: Any, expected: str) -> None:
    answer = task("zero-shot-classification", inputs=text, parameters={"candidate_labels": labels}).json()
    assert answer["sequence"] == text
    assert answer["labels"][0] == expected
    assert answer["scores"] == sorted(answer["scores"], reverse=True)
    assert sum(answer["scores"]) == pytest.approx(1)


def test_zero_shot_on_a_list_with_labels_apart(task: Any) -> None:
    parameters = {"candidate_labels": ["health", "medicine", "music"], "multi_label": True, "hypothesis_template": "{}"}
    answers = task(
        "zero-shot-classification", inputs=["The vaccine lowers the risk.", "A flute sonata"], parameters=parameters
    ).json()
    first, second = (dict(zip(answer["labels"], answer["scores"], strict=True)) for answer in answers)
    assert first["health"] > 0.5
    assert first["medicine"] > 0.5
    assert first["music"] < 0.3
    assert second["music"] > 0.8


@pytest.mark.parametrize(
    ("name", "body", "status", "says"),
    [
        ("feature-extraction", {}, 400, "inputs"),
        ("feature-extraction", {"inputs": ["a", 1]}, 400, "inputs"),
        ("feature-extraction", {"inputs": "a", "dimensions": 64}, 422, "dimensions"),
        ("feature-extraction", {"inputs": "a", "prompt_name": "query"}, 422, "prompt_name"),
        ("feature-extraction", {"inputs": "a", "encoding_format": "base64"}, 422, "encoding_format"),
        ("feature-extraction", {"inputs": "a", "normalize": "yes"}, 422, "normalize"),
        ("feature-extraction", {"inputs": "a", "truncation_direction": "up"}, 422, "truncation_direction"),
        ("feature-extraction", {"inputs": "a", "colour": 1}, 422, "'colour'"),
        ("sentence-similarity", {"inputs": "a"}, 400, "inputs"),
        ("sentence-similarity", {"inputs": {"source_sentence": "a"}}, 400, "sentences"),
        ("sentence-similarity", {"inputs": {"source_sentence": 1, "sentences": []}}, 400, "source_sentence"),
        ("text-ranking", {"inputs": {"query": "a", "texts": "b"}}, 400, "texts"),
        ("text-ranking", {"inputs": {"query": "a", "texts": ["b"]}, "parameters": {"top_k": 2}}, 422, "'top_k'"),
        ("zero-shot-classification", {"inputs": "a"}, 400, "candidate_labels"),
        ("zero-shot-classification", {"inputs": "a", "parameters": {"candidate_labels": " , "}}, 400, "label"),
        (
            "zero-shot-classification",
            {"inputs": "a", "parameters": {"candidate_labels": ["b"], "hypothesis_template": "no place"}},
            422,
            "hypothesis_template",
        ),
        ("summarization", {"inputs": "a"}, 404, "feature-extraction"),
    ],
)
def test_wrong_bodies_are_refused_by_name(task: Any, name: str, body: Any, status: int, says: str) -> None:
    response = task(name, **body)
    assert response.status_code == status
    assert says in response.json()["error"]


def test_nulls_and_options_change_nothing(task: Any) -> None:
    plain = task("feature-extraction", inputs="a").json()
    full = task(
        "feature-extraction",
        inputs="a",
        prompt_name=None,
        dimensions=None,
        encoding_format="float",
        parameters={"normalize": True},
        options={"use_cache": False},
    )
    assert full.json() == plain


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/models/bert-base-uncased/pipeline/feature-extraction", b'{"inputs":"a"}', 404),
        ("POST", "/models/a/b/c/pipeline/feature-extraction", b'{"inputs":"a"}', 404),
        ("POST", "/models/all-MiniLM-L6-v2/pipeline/feature-extraction", b'{"inputs":"a"}', 200),
        ("POST", "/models/all-MiniLM-L6-v2/pipeline/feature-extraction", b'{"inputs":', 400),
        ("POST", "/models/all-MiniLM-L6-v2/pipeline/feature-extraction", b'["a"]', 400),
        ("POST", "/models/all-MiniLM-L6-v2", b"{}", 404),
        ("GET", "/v1/chat/completions", b"", 404),
        ("POST", "/v1/embeddings", b"{}", 404),
        ("POST", "/v1/chat/completions", b"nonsense", 400),
        ("POST", "/v1/chat/completions", b"[]", 400),
        ("POST", "/v1/completions", b'{"model":"gpt2","prompt":"a"}', 404),
    ],
)
def test_paths_and_models(hub: httpx.Client, method: str, path: str, content: bytes, status: int) -> None:
    response = hub.request(method, path, content=content)
    assert response.status_code == status
    assert status == 200 or isinstance(response.json()["error"], str)
