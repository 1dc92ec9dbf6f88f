"""Feature extraction, sentence similarity, text ranking: what is written, what is read, what is refused."""

import base64
import contextlib
import copy
import functools
import json
import math
import pickle
import struct
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hf_tools.errors import DecodeError, HfError, InputError, MissingExtra, ResponseError, ShapeError
from hf_tools.task import Reply, Route, Server, Task
from hf_tools.tasks.embedding import (
    FeatureExtraction,
    SentenceSimilarity,
    SentenceSimilarityBatch,
    TextRanking,
    TextRankingOutput,
)
from hf_tools.tasks.features import Features

Written = Callable[[Task[Any], Server], tuple[str, Any]]
Made = Callable[[Any], Reply]

EMBEDDED = FeatureExtraction(
    "a", normalize=False, prompt_name="query", truncate=True, truncation_direction="left", dimensions=100_000,
    encoding_format="float",
)  # fmt: skip
ROOT = {
    "normalize": False, "prompt_name": "query", "truncate": True, "truncation_direction": "left", "dimensions": 100_000,
}  # fmt: skip
NEAR = {"source_sentence": "a", "sentences": ["b", "c"]}
CUT: dict[str, Any] = {"truncate": True, "truncation_direction": "right"}
RANKED = {"query": "q", "texts": ["a", "b"]}

ENCODED: list[tuple[Task[Any], Server, str, Any]] = [
    (FeatureExtraction("a"), "hf-inference", "/pipeline/feature-extraction", {"inputs": "a"}),
    (FeatureExtraction(["a", "b"]), "hf-inference", "/pipeline/feature-extraction", {"inputs": ["a", "b"]}),
    (EMBEDDED, "hf-inference", "/pipeline/feature-extraction", {"inputs": "a", **ROOT, "encoding_format": "float"}),
    (FeatureExtraction(["a"]), "toolkit", "", {"inputs": ["a"]}),
    (FeatureExtraction("a", truncate=True), "toolkit", "", {"inputs": "a", "parameters": {"truncation": True}}),
    (FeatureExtraction("a"), "tei", "/embed", {"inputs": "a"}),
    (FeatureExtraction(["a"], **ROOT), "tei", "/embed", {"inputs": ["a"], **ROOT}),  # type: ignore[arg-type]
    (FeatureExtraction("a"), "openai", "/v1/embeddings", {"model": "served", "input": "a"}),
    (
        FeatureExtraction(["a", "b"], dimensions=64, encoding_format="base64"),
        "openai",
        "/v1/embeddings",
        {"model": "served", "input": ["a", "b"], "dimensions": 64, "encoding_format": "base64"},
    ),
    (SentenceSimilarity("a", ["b", "c"]), "hf-inference", "/pipeline/sentence-similarity", {"inputs": NEAR}),
    (SentenceSimilarity(NEAR), "toolkit", "", {"inputs": NEAR}),
    (SentenceSimilarity(sentence="a", other_sentences=["b", "c"]), "tei", "/similarity", {"inputs": NEAR}),
    (
        SentenceSimilarity(NEAR, prompt_name="query", **CUT),
        "tei",
        "/similarity",
        {"inputs": NEAR, "parameters": {**CUT, "prompt_name": "query"}},
    ),
    (TextRanking("q", ["a", "b"]), "toolkit", "", {"inputs": RANKED}),
    (
        TextRanking("q", ["a", "b"], top_n=1, return_documents=True),
        "toolkit",
        "",
        {"inputs": {**RANKED, "return_documents": True}},
    ),
    (TextRanking("q", ["a", "b"], top_n=1), "tei", "/rerank", RANKED),
    (
        TextRanking("q", ["a", "b"], return_documents=False, raw_scores=True, **CUT),
        "tei",
        "/rerank",
        {**RANKED, "raw_scores": True, **CUT, "return_text": False},
    ),
    (
        TextRanking("q", ["a", "b"], top_n=1, return_documents=True),
        "openai",
        "/v1/rerank",
        {"model": "served", "query": "q", "documents": ["a", "b"], "top_n": 1},
    ),
]


@pytest.mark.parametrize(("task", "server", "path", "body"), ENCODED)
def test_encode(task: Task[Any], server: Server, path: str, body: Any, written: Written) -> None:
    assert written(task, server) == (path, body)


@pytest.mark.parametrize("task", [FeatureExtraction("a"), TextRanking("q", ["a"])])
def test_the_model_is_first_or_left_out(task: Task[Any]) -> None:
    named = task.encode(Route("openai", "https://server.test", "served"))
    assert named.content.startswith(b'{"model":"served",')
    assert b"model" not in task.encode(Route("openai", "https://server.test")).content


CANNOT: list[tuple[Task[Any], Server, str]] = [
    (FeatureExtraction("a", normalize=True), "toolkit", "an inference-toolkit endpoint cannot carry `normalize`"),
    (FeatureExtraction("a", prompt_name="x"), "toolkit", "cannot carry `prompt_name`"),
    (FeatureExtraction("a", dimensions=3, truncate=True), "toolkit", "cannot carry `dimensions`"),
    (FeatureExtraction("a", encoding_format="base64"), "tei", "a TEI server cannot carry `encoding_format`"),
    (FeatureExtraction("a", normalize=True), "openai", "an OpenAI-shaped server cannot carry `normalize`"),
    (FeatureExtraction("a", truncate=True), "openai", "cannot carry `truncate`"),
    (FeatureExtraction("a", prompt_name="x"), "openai", "cannot carry `prompt_name`"),
    (SentenceSimilarity("a", ["b"], truncate=True), "hf-inference", "hf-inference cannot carry `truncate`"),
    (SentenceSimilarity("a", ["b"], prompt_name="x"), "toolkit", "cannot carry `prompt_name`"),
    (TextRanking("q", ["a"], raw_scores=True), "toolkit", "cannot carry `raw_scores`"),
    (TextRanking("q", ["a"], truncate=False), "openai", "cannot carry `truncate`"),
]


@pytest.mark.parametrize(("task", "server", "message"), CANNOT)
def test_what_a_server_cannot_carry(task: Task[Any], server: Server, message: str, written: Written) -> None:
    with pytest.raises(InputError, match=message):
        written(task, server)


def test_servers() -> None:
    assert FeatureExtraction.servers == {"hf-inference", "toolkit", "tei", "openai"}
    assert SentenceSimilarity.servers == SentenceSimilarityBatch.servers == {"hf-inference", "toolkit", "tei"}
    assert TextRanking.servers == {"toolkit", "tei", "openai"}
    assert TextRanking.remote == ()


def test_a_batch_of_similarities_is_several_requests() -> None:
    other = {"source_sentence": "d", "sentences": ("e",)}
    batch = SentenceSimilarityBatch([NEAR, other], model="org/name", truncate=True)
    assert batch.single() == [
        SentenceSimilarity(NEAR, model="org/name", truncate=True),
        SentenceSimilarity({"source_sentence": "d", "sentences": ["e"]}, model="org/name", truncate=True),
    ]
    assert batch.joined([[0.5, 0.25], [1.0]]) == [[0.5, 0.25], [1.0]]


# features


def coded(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


A, AB = FeatureExtraction("a"), FeatureExtraction(["a", "b"])
TOKENS = [[1.0, 2.0], [3.0, 6.0]]

# case, task, answer, nested lists, shape, vectors by pooling (None where it is refused)
FEATURES: list[tuple[str, FeatureExtraction, Any, Any, Any, dict[Any, Any]]] = [
    ("7-sentence", A, [1, 2.5], [1.0, 2.5], (2,), {None: [[1.0, 2.5]], "mean": [[1.0, 2.5]], "cls": [[1.0, 2.5]]}),
    ("7-sentences", AB, [[1, 2], [3, 4]], [[1.0, 2.0], [3.0, 4.0]], (2, 2), {None: [[1.0, 2.0], [3.0, 4.0]]}),
    ("7-tei-single", A, [[1, 2]], [[1.0, 2.0]], (1, 2), {None: [[1.0, 2.0]]}),
    ("7-list-of-one", FeatureExtraction(["a"]), [1, 2], [1.0, 2.0], (2,), {None: [[1.0, 2.0]]}),
    ("7-tokens", A, [TOKENS], [TOKENS], (1, 2, 2), {None: None, "mean": [[2.0, 4.0]], "cls": [[1.0, 2.0]]}),
    ("7-one-token", A, [[[1, 2]]], [[[1.0, 2.0]]], (1, 1, 2), {None: None, "mean": [[1.0, 2.0]]}),
    ("7-bare-tokens", A, TOKENS, TOKENS, (2, 2), {None: None, "mean": [[2.0, 4.0]], "cls": [[1.0, 2.0]]}),
    ("7-ragged", AB, [[TOKENS], [[[1, 0]]]], [[TOKENS], [[[1.0, 0.0]]]], (2, 1, None, 2),
     {None: None, "mean": [[2.0, 4.0], [1.0, 0.0]], "cls": [[1.0, 2.0], [1.0, 0.0]]}),
    ("7-embed-all", AB, [TOKENS, [[5, 6]]], [TOKENS, [[5.0, 6.0]]], (2, None, 2), {"mean": [[2.0, 4.0], [5.0, 6.0]]}),
    ("8-toolkit-single", A, {"embeddings": [1, 2]}, [1.0, 2.0], (2,), {None: [[1.0, 2.0]]}),
    ("8-toolkit-list", AB, {"embeddings": [[1, 2], [3, 4]]}, [[1.0, 2.0], [3.0, 4.0]], (2, 2),
     {None: [[1.0, 2.0], [3.0, 4.0]]}),
    ("8-openai-order", AB, {"object": "list", "data": [
        {"object": "embedding", "index": 1, "embedding": [3, 4]},
        {"object": "embedding", "index": 0, "embedding": [1, 2]},
     ], "model": "m", "usage": {"prompt_tokens": 2}}, [[1.0, 2.0], [3.0, 4.0]], (2, 2),
     {None: [[1.0, 2.0], [3.0, 4.0]]}),
    ("8-openai-single", A, {"data": [{"embedding": [1, 2], "index": 0}]}, [[1.0, 2.0]], (1, 2), {None: [[1.0, 2.0]]}),
    ("8-openai-no-index", AB, {"data": [{"embedding": [1]}, {"embedding": [2]}]}, [[1.0], [2.0]], (2, 1),
     {None: [[1.0], [2.0]]}),
    ("8-openai-tokens", A, {"data": [{"embedding": TOKENS}]}, [TOKENS], (1, 2, 2), {None: None, "cls": [[1.0, 2.0]]}),
    ("8-openai-base64", AB, {"data": [{"embedding": coded(3, -0.5), "index": 1},
                                     {"embedding": coded(1, 2), "index": 0}]},
     [[1.0, 2.0], [3.0, -0.5]], (2, 2), {None: [[1.0, 2.0], [3.0, -0.5]]}),
    ("8-base64", FeatureExtraction("a", encoding_format="base64"), coded(1, 2), [1.0, 2.0], (2,), {None: [[1.0, 2.0]]}),
    ("8-base64-list", FeatureExtraction(["a", "b"], encoding_format="base64"), [coded(1), coded(2)], [[1.0], [2.0]],
     (2, 1), {None: [[1.0], [2.0]]}),
    ("8-base64-as-floats", FeatureExtraction("a", encoding_format="base64"), [[1, 2]], [[1.0, 2.0]], (1, 2),
     {None: [[1.0, 2.0]]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "task", "value", "nested", "shape", "pooled"), FEATURES, ids=[f"case-{one[0]}" for one in FEATURES]
)
def test_features(
    case: str, task: FeatureExtraction, value: Any, nested: Any, shape: Any, pooled: dict[Any, Any], reply: Made
) -> None:
    features = task.decode(reply(json.dumps(value)))
    assert (type(features), features, features.shape) == (Features, nested, shape)
    assert features.ragged is (None in shape)
    for pooling, vectors in pooled.items():
        if vectors is None:
            with pytest.raises(InputError, match=r"features of tokens, and how to pool them is not given.*pooling="):
                features.vectors(pooling)
        else:
            assert features.vectors(pooling) == vectors


def test_the_bytes_of_base64_are_little_endian_float32(reply: Made) -> None:
    value = {"data": [{"embedding": "AACAPwAAAMA="}]}  # 00 00 80 3f, 00 00 00 c0
    assert A.decode(reply(value)) == [[1.0, -2.0]]


def test_case_9_null_and_nan(reply: Made) -> None:
    for content in (b"[1, null, 2]", b"[1, NaN, 2]"):
        features = A.decode(reply(content))
        assert (features[0], features[2]) == (1.0, 2.0)
        assert math.isnan(features[1])
        with pytest.raises(ShapeError, match="vector 0 holds nan or an infinite number"):
            features.vectors()


MISSING: list[tuple[FeatureExtraction, Any, list[int]]] = [
    (AB, [[1.0], None], [1]),
    (AB, [None, [1.0]], [0]),
    (AB, [None, None], [0, 1]),
    (A, [None], [0]),
    (AB, [[[1.0]], None], [1]),
    (AB, {"embeddings": [None, [1.0]]}, [0]),
    (AB, {"data": [{"embedding": [1.0], "index": 1}, {"embedding": None, "index": 0}]}, [0]),
    (AB, {"data": [{"embedding": "AACAPw=="}, {"embedding": None}]}, [1]),
    (A, {"data": [{"embedding": None, "index": 0}]}, [0]),
]


@pytest.mark.parametrize(("task", "value", "missing"), MISSING)
def test_null_in_the_place_of_a_vector_is_one_that_is_missing(
    task: FeatureExtraction, value: Any, missing: list[int], reply: Made
) -> None:
    with pytest.raises(ShapeError) as caught:
        task.decode(reply(value))
    assert caught.value.message == f"the answer has null instead of a vector at {missing}"
    assert vars(caught.value)["missing"] == missing


@pytest.mark.parametrize("row", [[1e308, 1e308], [10**308, 10**308], [-1e308, -1e308, 1e308, 1e308]])
def test_large_numbers_are_finite_though_their_sum_is_not(row: list[float]) -> None:
    assert Features([row, row], texts=2).vectors() == [row, row]
    with pytest.raises(ShapeError, match="vector 1 holds nan or an infinite number"):
        Features([row, [*row[1:], math.inf]], texts=2).vectors()


NOT_VECTORS: list[tuple[FeatureExtraction, Any, str]] = [
    (AB, [1.0, 2.0], r"2 texts were sent, and features of the shape \(2,\) came"),
    (AB, [[1.0], [2.0], [3.0]], r"2 texts were sent, and features of the shape \(3, 1\) came$"),
    (AB, [[1.0], [2.0, 3.0]], "vector 1 has 2 numbers, vector 0 has 1"),
    (AB, [[], []], "vector 0 has 0 numbers"),
    (AB, [[1.0], [float("inf")]], "vector 1 holds nan or an infinite number"),
    (AB, [[1.0, 2.0]], r"features of the shape \(1, 2\) came; the server did not tell which are missing$"),
    (AB, [1.0, 2.0, 3.0], r"features of the shape \(3,\) came$"),
    (A, [[1.0, 2.0], [3.0]], "these are no features of tokens"),
    (AB, [[[[1.0]], [[2.0]]], [[[1.0]], [[2.0]]]], "these are no features of tokens"),
    (A, [[1e308], [1e308]], "vector 0 holds nan or an infinite number"),
]


@pytest.mark.parametrize(("task", "value", "message"), NOT_VECTORS)
def test_what_is_no_vectors(task: FeatureExtraction, value: Any, message: str, reply: Made) -> None:
    features = task.decode(reply(value))
    assert features == value
    with pytest.raises(ShapeError, match=message):
        features.vectors("mean")


def test_vectors_are_numbered_from_the_first_one() -> None:
    with pytest.raises(ShapeError, match="vector 33 holds nan"):
        Features([[1.0], [math.nan]], texts=2).vectors(first=32)
    with pytest.raises(ShapeError, match="vector 33 has 2 numbers, vector 32 has 1"):
        Features([[1.0], [1.0, 2.0]], texts=2).vectors(first=32)


def test_the_missing_embeddings_are_told(reply: Made) -> None:
    with pytest.raises(ShapeError) as caught:
        FeatureExtraction(["a", "b", "c"]).decode(reply({"data": [{"embedding": [1.0], "index": 1}]}))
    assert vars(caught.value)["missing"] == [0, 2]


def test_unknown_pooling() -> None:
    pooling: Any = "max"
    with pytest.raises(InputError, match="`pooling` = 'max': expected 'mean' or 'cls'"):
        Features([TOKENS]).vectors(pooling)


def test_features_as_an_array() -> None:
    numpy = pytest.importorskip("numpy")
    array = Features([[1.0, 2.0]]).to_numpy()
    assert (array.dtype, array.tolist()) == (numpy.float32, [[1.0, 2.0]])
    with pytest.raises(InputError, match=r"features of the shape \(2, None\) are no array. Use vectors"):
        Features([[1.0], [1.0, 2.0]]).to_numpy()


def test_features_as_an_array_need_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(MissingExtra, match="to_numpy\\(\\) needs numpy: pip install numpy"):
        Features([1.0]).to_numpy()


def test_features_can_be_copied_and_stored() -> None:
    features = Features([[1.0], [2.0]], texts=2)
    for twin in (copy.deepcopy(features), pickle.loads(pickle.dumps(features))):
        assert (type(twin), twin, twin.texts) == (Features, [[1.0], [2.0]], 2)
    assert repr(features) == "Features(shape=(2, 1), texts=2)"


@pytest.mark.parametrize(
    ("name", "shape", "first"),
    [
        ("feature_extraction_with_sentence_transformers", (384,), -0.015488003380596638),
        ("feature_extraction_with_transformers", (1, 8, 768), 2.42480206489563),
    ],
)
def test_recordings_of_features(
    name: str, shape: Any, first: float, recording: Callable[[str], list[dict[str, Any]]], written: Written
) -> None:
    for exchange in recording(name):
        body = exchange["request"]["body"]
        task = FeatureExtraction(body["inputs"])
        # recorded with the task before the model in the URL; today it is behind it
        assert written(task, "hf-inference") == ("/pipeline/feature-extraction", body)
        features = task.decode(exchange["reply"])
        assert features.shape == shape
        [vector] = features.vectors("cls")
        assert (len(vector), vector[0]) == (shape[-1], first)
        assert features == json.loads(exchange["reply"].content)


# similarity


SIMILAR: list[tuple[str, Task[Any], Any, Any]] = [
    ("list", SentenceSimilarity("a", ["b", "c"]), [0.75, -1], [0.75, -1.0]),
    ("case-35-toolkit", SentenceSimilarity(NEAR), {"similarities": [0.5, 0.25]}, [0.5, 0.25]),
    ("one", SentenceSimilarity("a", ["b"]), [0.5], [0.5]),
    ("one-bare", SentenceSimilarity("a", ["b"]), {"similarities": 0.5}, [0.5]),
]


@pytest.mark.parametrize(("case", "task", "value", "answer"), SIMILAR, ids=[one[0] for one in SIMILAR])
def test_similarities(case: str, task: Task[Any], value: Any, answer: Any, reply: Made) -> None:
    assert task.decode(reply(value)) == answer


def test_case_9_a_similarity_that_is_null(reply: Made) -> None:
    null, known = SentenceSimilarity(NEAR).decode(reply([None, 1]))
    assert math.isnan(null)
    assert known == 1.0


def test_recording_of_similarities(recording: Callable[[str], list[dict[str, Any]]], written: Written) -> None:
    [exchange] = recording("sentence_similarity")
    body = exchange["request"]["body"]
    task = SentenceSimilarity(body["inputs"]["source_sentence"], body["inputs"]["sentences"])
    assert written(task, "hf-inference") == ("/pipeline/sentence-similarity", body)
    assert task.decode(exchange["reply"]) == [0.7785726189613342, 0.45876261591911316, 0.2906220555305481]


# ranking


def rank(index: int, score: float, text: str | None = None, **more: Any) -> TextRankingOutput:
    return TextRankingOutput.model_validate({"index": index, "score": score, "text": text, **more})


THREE = ["a", "b", "c"]
RANKINGS: list[tuple[str, TextRanking, Any, Any]] = [
    ("36-unsorted", TextRanking("q", THREE),
     [{"index": 2, "score": 0.25}, {"index": 0, "score": 1}, {"index": 1, "score": 0.5}],
     [rank(0, 1.0), rank(1, 0.5), rank(2, 0.25)]),
    ("36-text-filled", TextRanking("q", THREE, return_documents=True),
     [{"index": 2, "score": 0.5}, {"index": 0, "score": 0.25}, {"index": 1, "score": 0.125, "text": "cut"}],
     [rank(2, 0.5, "c"), rank(0, 0.25, "a"), rank(1, 0.125, "b")]),
    ("36-text-unasked", TextRanking("q", ["a"]), [{"index": 0, "score": 0.5, "text": "a"}], [rank(0, 0.5)]),
    ("36-scalar", TextRanking("q", ["a"]), {"scores": 0.25}, [rank(0, 0.25)]),
    ("36-scores", TextRanking("q", THREE, top_n=2), {"scores": [0.25, 2, -1]}, [rank(1, 2.0), rank(0, 0.25)]),
    ("36-toolkit", TextRanking("q", ["a", "b"]), {"scores": [{"score": 0.5, "index": 1}, {"score": 0.25, "index": 0}]},
     [rank(1, 0.5), rank(0, 0.25)]),
    ("36-list-of-scores", TextRanking("q", ["a", "b"]), [0.25, 0.5], [rank(1, 0.5), rank(0, 0.25)]),
    ("36-openai", TextRanking("q", THREE, top_n=2, return_documents=True),
     {"model": "m", "usage": {}, "results": [{"index": 1, "relevance_score": 0.5}, {"index": 0, "relevance_score": 2}]},
     [rank(0, 2.0, "a"), rank(1, 0.5, "b")]),
    ("36-openai-document", TextRanking("q", ["a"]),
     {"results": [{"index": 0, "relevance_score": 0.5, "document": {"text": "a"}}]},
     [rank(0, 0.5, document={"text": "a"})]),
    ("36-cut-here", TextRanking("q", THREE, top_n=1), [{"index": 0, "score": 0.5}, {"index": 1, "score": 0.75}],
     [rank(1, 0.75)]),
    ("36-ties-keep-their-order", TextRanking("q", THREE), {"scores": [1, 1, 2]},
     [rank(2, 2.0), rank(0, 1.0), rank(1, 1.0)]),
]  # fmt: skip


@pytest.mark.parametrize(("case", "task", "value", "answer"), RANKINGS, ids=[f"case-{one[0]}" for one in RANKINGS])
def test_rankings(case: str, task: TextRanking, value: Any, answer: Any, reply: Made) -> None:
    assert task.decode(reply(value)) == answer


def test_case_9_a_score_that_is_null_is_last(reply: Made) -> None:
    first, second, last = TextRanking("q", THREE).decode(reply({"scores": [None, 1, 2]}))
    assert (first.index, second.index, last.index) == (2, 1, 0)
    assert math.isnan(last.score)


def test_specs(spec: Callable[[str, str], Any], reply: Made, written: Written) -> None:
    spec("feature-extraction", "output").validate(AB.decode(reply([[1, 2], [3, 4]])))
    spec("sentence-similarity", "output").validate(SentenceSimilarity(NEAR).decode(reply([0.5, 0.25])))
    schema = spec("feature-extraction", "input")
    for text in ("a", ["a", "b"]):
        task = FeatureExtraction(text, normalize=True, prompt_name="x", truncate=True, truncation_direction="left")
        body = written(task, "hf-inference")[1]
        schema.validate(body)
        assert body.keys() == schema.schema["properties"].keys()
    directions = schema.schema["$defs"]["FeatureExtractionInputTruncationDirection"]["enum"]
    assert [FeatureExtraction("a", truncation_direction=each).truncation_direction for each in directions] == directions
    spec("sentence-similarity", "input").validate(written(SentenceSimilarity(NEAR), "hf-inference")[1])


# what is refused


Refused = Callable[[], Task[Any]]


def bad(task: Any, *args: Any, **kwargs: Any) -> Refused:
    """A call that checkers must not see."""
    return functools.partial(task, *args, **kwargs)


SENTENCE = "sentence_similarity: `sentence` = "
BAD_INPUT: list[tuple[Refused, str]] = [
    (bad(FeatureExtraction, ""), "feature_extraction: `text` = '': must not be empty"),
    (bad(FeatureExtraction, []), "feature_extraction: `text` = []: must not be empty"),
    (bad(FeatureExtraction, ["a", " "]), "feature_extraction: `text.1` = ' ': must not be empty"),
    (bad(FeatureExtraction, 5), "feature_extraction: `text` = 5: Input should be a valid string"),
    (bad(FeatureExtraction, [[1, 2]]), "feature_extraction: `text.0` = [1, 2]: Input should be a valid string"),
    (bad(FeatureExtraction, "a", dimensions=0), "feature_extraction: `dimensions` = 0: Input should be greater than 0"),
    (
        bad(FeatureExtraction, "a", truncation_direction="up"),
        "feature_extraction: `truncation_direction` = 'up': ",
    ),
    (
        bad(FeatureExtraction, "a", encoding_format="int8"),
        "feature_extraction: `encoding_format` = 'int8': Input",
    ),
    (bad(SentenceSimilarity, "a"), "sentence_similarity: `other_sentences` is missing"),
    (bad(SentenceSimilarity, "a", []), "sentence_similarity: `other_sentences` = []: must not be empty"),
    (bad(SentenceSimilarity, "a", "b"), "sentence_similarity: `other_sentences` = 'b': Input should be a valid list"),
    (bad(SentenceSimilarity, " ", ["b"]), SENTENCE + "' ': must not be empty"),
    (bad(SentenceSimilarity, 5, ["b"]), SENTENCE + "5: Input should be a valid string"),
    (bad(SentenceSimilarity, NEAR, ["b"]), "sentence_similarity: `other_sentences` = ...: not together with a mapping"),
    (
        bad(SentenceSimilarity, {"sentence": "a"}),
        SENTENCE + "{'sentence': 'a'}: expected the keys",
    ),
    (
        bad(SentenceSimilarity, NEAR | {"source_sentence": ""}),
        "sentence_similarity: `sentence` = {'source_sen",
    ),
    (bad(SentenceSimilarityBatch, []), SENTENCE + "[]: List should have at least 1 item"),
    (bad(SentenceSimilarityBatch, ["a"]), "sentence_similarity: `sentence.0` = 'a': Input should be a valid"),
    (bad(TextRanking, "q"), "text_ranking: `texts` is missing"),
    (bad(TextRanking, "", ["a"]), "text_ranking: `query` = '': must not be empty"),
    (bad(TextRanking, "q", []), "text_ranking: `texts` = []: must not be empty"),
    (bad(TextRanking, "q", ["a", ""]), "text_ranking: `texts.1` = '': must not be empty"),
    (bad(TextRanking, "q", ["a"], top_n=0), "text_ranking: `top_n` = 0: Input should be greater than 0"),
    (bad(TextRanking, "q", ["a"], return_text=True), "text_ranking: `return_text` is not a parameter of this task"),
]


@pytest.mark.parametrize(("make", "message"), BAD_INPUT, ids=[message for _, message in BAD_INPUT])
def test_bad_input(make: Refused, message: str) -> None:
    with pytest.raises(InputError) as refused:
        make()
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("sentences", [[], ["b", ""], ["b", 5], "text", None])
def test_bad_sentences_of_a_mapping(sentences: Any) -> None:
    with pytest.raises(InputError, match="`sentences` must be a list of texts, at least one and none of them empty"):
        SentenceSimilarity({"source_sentence": "a", "sentences": sentences})


@pytest.mark.parametrize("source", ["", " ", 5, None])
def test_bad_source_of_a_mapping(source: Any) -> None:
    with pytest.raises(InputError, match="`source_sentence` must be a text that is not empty"):
        SentenceSimilarityBatch([NEAR, {"source_sentence": source, "sentences": ["b"]}])


TASKS: list[Task[Any]] = [
    A, AB, FeatureExtraction("a", encoding_format="base64"), SentenceSimilarity("a", ["b"]), SentenceSimilarity(NEAR),
    TextRanking("q", ["a"]), TextRanking("q", THREE, return_documents=True),
]  # fmt: skip


@pytest.mark.parametrize("task", TASKS)
def test_bad_answers(task: Task[Any], reply: Made, broken: list[tuple[bytes, type[ResponseError]]]) -> None:
    for content, error in broken:
        with pytest.raises(ResponseError) as refused:
            task.decode(reply(content))
        strings = getattr(task, "encoding_format", None) == "base64" and b'"' in content and error is ShapeError
        assert type(refused.value) is error or (strings and type(refused.value) is DecodeError), content


WRONG: list[tuple[Task[Any], Any, str]] = [
    (A, [], "the answer holds no features"),
    (A, {"data": []}, "1 inputs were sent, 0 answers came"),
    (A, {"data": [{"embedding": [1]}] * 2}, "1 inputs were sent, 2 answers came"),
    (
        AB,
        {"data": [{"embedding": [1]}]},
        "2 inputs were sent, and 1 embeddings came; the server did not tell which are",
    ),
    (
        AB,
        {"data": [{"embedding": [1], "index": 0}]},
        "2 inputs were sent, and the answer has embeddings of those at [0]",
    ),
    (AB, {"data": [{"embedding": [1], "index": 0}] * 2}, "embeddings of those at [0, 0]"),
    (AB, {"data": [{"embedding": [1], "index": 1}, {"embedding": [2], "index": 2}]}, "embeddings of those at [1, 2]"),
    (AB, {"data": [{"embedding": [1], "index": -1}, {"embedding": [2], "index": 0}]}, "embeddings of those at [-1, 0]"),
    (AB, {"data": [{"embedding": [1], "index": 1}, {"embedding": [2]}]}, "embeddings of those at [1, null]"),
    (AB, {"data": [{"embedding": [1], "index": place} for place in (0, 1, 1)]}, "embeddings of those at [0, 1, 1]"),
    (
        AB,
        {"data": [{"embedding": [1], "index": "x"}]},
        "unexpected answer: data.0.index: Input should be a valid integer",
    ),
    (A, {"data": [{"index": 0}]}, "unexpected answer: data.0.embedding: Field required"),
    (A, {"data": 3}, "unexpected answer: data: Input should be a valid list"),
    (A, {"embeddings": None}, "unexpected answer: the answer: Input should be a valid list"),
    (A, [1.0, "2"], "unexpected answer: 1: Input should be a valid number"),
    (A, [1.0, True], "unexpected answer: 1: Input should be a valid number"),
    (A, [1.0, [2.0]], "unexpected answer: 1: Input should be a valid number"),
    (A, [[1.0], 2.0], "unexpected answer: the answer: Input should be a valid list"),
    (A, [[1.0], [[2.0]]], "unexpected answer: lists of unequal depth"),
    (A, ["AACAPw=="], "unexpected answer: the answer: Input should be a valid list"),
    (SentenceSimilarity(NEAR), [0.5], "2 inputs were sent, 1 answers came"),
    (SentenceSimilarity(NEAR), {"similarities": [0.5, "high"]}, "unexpected answer: 1: Input should be a valid number"),
    (SentenceSimilarity(NEAR), {"scores": [0.5, 1]}, "unexpected answer: similarities: Field required"),
    (TextRanking("q", ["a"]), [{"index": 1, "score": 0.5}], "1 texts were sent, and the answer is about those at [1]"),
    (TextRanking("q", ["a"]), [{"index": -1, "score": 0.5}], "the answer is about those at [-1]"),
    (TextRanking("q", ["a", "b"]), [{"index": 0, "score": 1}] * 2, "the answer is about those at [0, 0]"),
    (TextRanking("q", ["a", "b"]), {"scores": 0.5}, "2 inputs were sent, 1 answers came"),
    (TextRanking("q", ["a"]), {"results": [{"index": 0}]}, "unexpected answer: 0.score: Field required"),
    (TextRanking("q", ["a"]), {"results": None}, "unexpected answer: the answer: Input should be a valid list"),
]


@pytest.mark.parametrize(("task", "value", "message"), WRONG)
def test_wrong_shapes(task: Task[Any], value: Any, message: str, reply: Made) -> None:
    with pytest.raises(ShapeError) as refused:
        task.decode(reply(value))
    assert message in str(refused.value)


@pytest.mark.parametrize("vector", ["a", "AAAA", "no base64!", "é"])
def test_broken_base64(vector: str, reply: Made) -> None:
    with pytest.raises(DecodeError, match="a vector is no base64 of float32 numbers"):
        A.decode(reply({"data": [{"embedding": vector}]}))


@pytest.mark.parametrize("task", TASKS)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_only_our_errors_escape(
    task: Task[Any], data: st.DataObject, anything: Callable[..., SearchStrategy[bytes]]
) -> None:
    keys = ("data", "embedding", "index", "embeddings", "similarities", "results", "score", "scores", "error")
    with contextlib.suppress(HfError):
        answer = task.decode(Reply(200, {}, data.draw(anything(*keys))))
        if isinstance(answer, Features):
            answer.vectors(data.draw(st.sampled_from([None, "mean", "cls"])))
