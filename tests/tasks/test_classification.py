"""Text, token and zero-shot classification: what is written, what is read, what is refused."""

import contextlib
import functools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from hf_tools.errors import HfError, InputError, ResponseError, ShapeError
from hf_tools.task import Reply, Server, Task
from hf_tools.tasks.classification import (
    TextClassification,
    TextClassificationBatch,
    TextClassificationOutput,
    TokenClassification,
    TokenClassificationBatch,
    TokenClassificationOutput,
    ZeroShotClassification,
    ZeroShotClassificationBatch,
    ZeroShotClassificationOutput,
)

Written = Callable[[Task[Any], Server], tuple[str, Any]]
Made = Callable[[Any], Reply]

LABELS = ["refund", "faq"]
ENCODED: list[tuple[Task[Any], Server, str, Any]] = [
    (TextClassification("a"), "hf-inference", "", {"inputs": "a"}),
    (
        TextClassification("a", top_k=500, function_to_apply="sigmoid"),
        "toolkit",
        "",
        {"inputs": "a", "parameters": {"top_k": 500, "function_to_apply": "sigmoid"}},
    ),
    (
        TextClassification("a", raw_scores=True, truncate=False),
        "tei",
        "/predict",
        {"inputs": "a", "raw_scores": True, "truncate": False},
    ),
    (TextClassificationBatch(["a", "b"]), "hf-inference", "", {"inputs": ["a", "b"]}),
    (TextClassificationBatch(["a"], top_k=2), "toolkit", "", {"inputs": ["a"], "parameters": {"top_k": 2}}),
    (TextClassificationBatch(["a", "b"]), "tei", "/predict", {"inputs": [["a"], ["b"]]}),
    (TokenClassification("a"), "hf-inference", "", {"inputs": "a"}),
    (TokenClassification("a"), "toolkit", "", {"inputs": "a", "parameters": {"aggregation_strategy": "simple"}}),
    (
        TokenClassification("a", aggregation_strategy="max", ignore_labels=["O", "MISC"], stride=16),
        "hf-inference",
        "",
        {
            "inputs": "a",
            "parameters": {"aggregation_strategy": "max", "ignore_labels": ["O", "MISC"], "stride": 16},
        },
    ),
    (
        TokenClassificationBatch(["a", "b"], aggregation_strategy="none", ignore_labels=[]),
        "toolkit",
        "",
        {"inputs": ["a", "b"], "parameters": {"aggregation_strategy": "none", "ignore_labels": []}},
    ),
    (
        ZeroShotClassification("a", LABELS),
        "hf-inference",
        "",
        {"inputs": "a", "parameters": {"candidate_labels": ["refund", "faq"]}},
    ),
    (
        ZeroShotClassification("a", LABELS, multi_label=False, hypothesis_template="About {}."),
        "toolkit",
        "",
        {
            "inputs": "a",
            "parameters": {"candidate_labels": LABELS, "multi_label": False, "hypothesis_template": "About {}."},
        },
    ),
    (
        ZeroShotClassificationBatch(["a"], "refund , faq", multi_label=True),
        "toolkit",
        "",
        {"inputs": ["a"], "parameters": {"candidate_labels": ["refund", "faq"], "multi_label": True}},
    ),
]


@pytest.mark.parametrize(("task", "server", "path", "body"), ENCODED)
def test_encode(task: Task[Any], server: Server, path: str, body: Any, written: Written) -> None:
    assert written(task, server) == (path, body)


def test_case_11_labels(written: Written) -> None:
    def sent(labels: Any) -> Any:
        return written(ZeroShotClassification("a", labels), "hf-inference")[1]["parameters"]["candidate_labels"]

    many = [f"label {number}" for number in range(20)]
    assert sent(many) == many
    assert sent(["a, b", "c"]) == ["a, b", "c"]
    assert sent("a, b,c") == ["a", "b", "c"]
    assert sent("one") == ["one"]


CANNOT: list[tuple[Task[Any], Server, str]] = [
    (TextClassification("a", truncate=True), "hf-inference", "hf-inference cannot carry `truncate`"),
    (TextClassification("a", raw_scores=False), "toolkit", "an inference-toolkit endpoint cannot carry `raw_scores`"),
    (TextClassificationBatch(["a"], raw_scores=True), "toolkit", "cannot carry `raw_scores`"),
    (TextClassification("a", top_k=1), "tei", "a TEI server cannot carry `top_k`"),
    (TextClassificationBatch(["a"], function_to_apply="none"), "tei", "cannot carry `function_to_apply`"),
]


@pytest.mark.parametrize(("task", "server", "message"), CANNOT)
def test_what_a_server_cannot_carry(task: Task[Any], server: Server, message: str, written: Written) -> None:
    with pytest.raises(InputError, match=message):
        written(task, server)


def test_servers() -> None:
    assert TextClassification.servers == TextClassificationBatch.servers == {"hf-inference", "toolkit", "tei"}
    assert TokenClassification.servers == ZeroShotClassificationBatch.servers == {"hf-inference", "toolkit"}


def text(label: str, score: float) -> TextClassificationOutput:
    return TextClassificationOutput(label=label, score=score)


def zero(label: str, score: float) -> ZeroShotClassificationOutput:
    return ZeroShotClassificationOutput(label=label, score=score)


GOOD, BAD = {"label": "POSITIVE", "score": 0.75}, {"label": "NEGATIVE", "score": 0.25}
BOTH = [text("POSITIVE", 0.75), text("NEGATIVE", 0.25)]
ONE, TWO = TextClassificationBatch(["a"]), TextClassificationBatch(["a", "b"])

GROUP = {"entity_group": "PER", "score": 0.5, "word": "Jessica", "start": 52, "end": 59}
GROUPED = TokenClassificationOutput(entity_group="PER", score=0.5, word="Jessica", start=52, end=59)
TOKEN = {"entity": "I-PER", "score": 0.5, "index": 4, "word": "##ca", "start": None, "end": None}
SINGLE = TokenClassificationOutput(entity="I-PER", score=0.5, index=4, word="##ca")

COLUMNS = {"sequence": "a", "labels": ["refund", "faq"], "scores": [0.9, 0.1]}
PAIRS = [{"label": "refund", "score": 0.9}, {"label": "faq", "score": 0.1}]
ZERO = [zero("refund", 0.9), zero("faq", 0.1)]
ZERO_ONE, ZERO_TWO = ZeroShotClassificationBatch(["a"], LABELS), ZeroShotClassificationBatch(["a", "b"], LABELS)

DECODED: list[tuple[str, Task[Any], Any, Any]] = [
    ("12-flat", TextClassification("a"), [GOOD, BAD], BOTH),
    ("12-wrapped", TextClassification("a"), [[GOOD, BAD]], BOTH),
    ("12-top-1", TextClassification("a"), [GOOD], BOTH[:1]),
    ("12-bare", TextClassification("a"), GOOD, BOTH[:1]),
    ("13", TWO, [[GOOD, BAD], [BAD]], [BOTH, BOTH[1:]]),
    ("13-toolkit-top-1", TWO, [GOOD, BAD], [BOTH[:1], BOTH[1:]]),
    ("13-list-of-one", ONE, [[GOOD, BAD]], [BOTH]),
    ("13-list-of-one-top-1", ONE, [GOOD], [BOTH[:1]]),
    ("13-list-of-one-flat", ONE, [GOOD, BAD], [BOTH]),
    ("13-list-of-one-bare", ONE, GOOD, [BOTH[:1]]),
    ("89-90", TextClassification("a"), [{"label": 3, "score": 1}, {"label": "b", "score": "0.5"}],
     [text("3", 1.0), text("b", 0.5)]),
    ("14-grouped", TokenClassification("a"), [GROUP], [GROUPED]),
    ("14-none", TokenClassification("a", aggregation_strategy="none"), [TOKEN], [SINGLE]),
    ("14-nothing-found", TokenClassification("a"), [], []),
    ("14-wrapped", TokenClassification("a"), [[GROUP, GROUP]], [GROUPED, GROUPED]),
    ("14-batch", TokenClassificationBatch(["a", "b"]), [[GROUP, TOKEN], []], [[GROUPED, SINGLE], []]),
    ("14-list-of-one", TokenClassificationBatch(["a"]), [[GROUP]], [[GROUPED]]),
    ("14-list-of-one-flat", TokenClassificationBatch(["a"]), [GROUP, TOKEN], [[GROUPED, SINGLE]]),
    ("14-list-of-one-nothing", TokenClassificationBatch(["a"]), [], [[]]),
    ("10-columns", ZeroShotClassification("a", LABELS), COLUMNS, ZERO),
    ("10-list-of-columns", ZeroShotClassification("a", LABELS), [COLUMNS], ZERO),
    ("10-pairs", ZeroShotClassification("a", LABELS), PAIRS, ZERO),
    ("10-wrapped-pairs", ZeroShotClassification("a", LABELS), [PAIRS], ZERO),
    ("10-one-label", ZeroShotClassification("a", ["refund"]), PAIRS[:1], ZERO[:1]),
    ("10-batch-columns", ZERO_TWO, [COLUMNS, COLUMNS], [ZERO, ZERO]),
    ("10-batch-pairs", ZERO_TWO, [PAIRS, PAIRS], [ZERO, ZERO]),
    ("10-one-columns", ZERO_ONE, [COLUMNS], [ZERO]),
    ("10-one-bare-columns", ZERO_ONE, COLUMNS, [ZERO]),
    ("10-one-pairs", ZERO_ONE, [PAIRS], [ZERO]),
    ("10-one-flat-pairs", ZERO_ONE, PAIRS, [ZERO]),
]  # fmt: skip


@pytest.mark.parametrize(("case", "task", "value", "answer"), DECODED, ids=[f"case-{one[0]}" for one in DECODED])
def test_decode(case: str, task: Task[Any], value: Any, answer: Any, reply: Made) -> None:
    assert task.decode(reply(value)) == answer


def test_case_9_a_score_that_is_null_or_nan(reply: Made) -> None:
    [label] = TextClassification("a").decode(reply(b'[{"label": "x", "score": NaN}]'))
    [entity] = TokenClassification("a").decode(reply([GROUP | {"score": None}]))
    [zero] = ZeroShotClassification("a", "x").decode(reply({"labels": ["x"], "scores": [None]}))
    for score in (label.score, entity.score, zero.score):
        assert score != score  # nan


SOLAR = ["scientific discovery", "space & cosmos", "microbiology", "archeology", "robots"]
Case = tuple[str, Callable[[Any], Task[Any]], Any, Callable[[Any], Any]]


def unchanged(body: Any) -> Any:
    return body


def labels_as_list(body: Any) -> Any:
    """Recorded as one string; a list is sent today, for a label may contain a comma."""
    labels = body["parameters"]["candidate_labels"].split(",")
    return body | {"parameters": body["parameters"] | {"candidate_labels": labels}}


def solar(body: Any) -> Task[Any]:
    parameters = body["parameters"]
    return ZeroShotClassification(body["inputs"], parameters["candidate_labels"], multi_label=parameters["multi_label"])


RECORDED: list[Case] = [
    (
        "text_classification",
        lambda body: TextClassificationBatch(body["inputs"]),
        [[text("POSITIVE", 0.9998695850372314), text("NEGATIVE", 0.0001304351753788069)]],
        unchanged,
    ),
    (
        "token_classification",
        lambda body: TokenClassification(body["inputs"]),
        [
            TokenClassificationOutput(
                entity_group="PER", score=0.9991335868835449, word="Sarah Jessica Parker", start=11, end=31
            ),
            TokenClassificationOutput(entity_group="PER", score=0.9979913234710693, word="Jessica", start=52, end=59),
        ],
        unchanged,
    ),
    (
        "zero_shot_classification_multi_label",
        solar,
        [zero(*pair) for pair in zip(SOLAR, [
            0.9829297661781311, 0.755190908908844, 0.0005462635890580714, 0.00047131875180639327, 0.00030448526376858354
        ], strict=True)],
        labels_as_list,
    ),
    (
        "zero_shot_classification_single_label",
        solar,
        [zero(*pair) for pair in zip(SOLAR, [
            0.7961668968200684, 0.18570658564567566, 0.00730885099619627, 0.006258360575884581, 0.004559356719255447
        ], strict=True)],
        labels_as_list,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "task", "answer", "today"), RECORDED, ids=[one[0] for one in RECORDED])
def test_recordings(
    name: str,
    task: Callable[[Any], Task[Any]],
    answer: Any,
    today: Callable[[Any], Any],
    recording: Callable[[str], list[dict[str, Any]]],
    written: Written,
) -> None:
    for exchange in recording(name):
        body = exchange["request"]["body"]
        assert written(task(body), "hf-inference") == ("", today(body))
        assert task(body).decode(exchange["reply"]) == answer


def test_offsets_are_characters(recording: Callable[[str], list[dict[str, Any]]]) -> None:
    [exchange] = recording("token_classification")
    sentence = exchange["request"]["body"]["inputs"]
    for found in TokenClassification(sentence).decode(exchange["reply"]):
        assert sentence[found.start : found.end] == found.word


def test_specs(spec: Callable[[str, str], Any], reply: Made, written: Written) -> None:
    texts = TextClassification("a").decode(reply([GOOD, BAD]))
    spec("text-classification", "output").validate([each.model_dump() for each in texts])
    tokens = TokenClassification("a").decode(reply([GROUP]))
    spec("token-classification", "output").validate([each.model_dump(exclude_none=True) for each in tokens])
    zeros = ZeroShotClassification("a", LABELS).decode(reply(COLUMNS))
    spec("zero-shot-classification", "output").validate([each.model_dump() for each in zeros])
    required = {"score": 0.5, "word": "x", "start": 0, "end": 1}
    spec("token-classification", "output").validate([required])
    assert TokenClassification("a").decode(reply([required])) == [
        TokenClassificationOutput(score=0.5, word="x", start=0, end=1)
    ]
    for task in (
        TextClassification("a", top_k=2, function_to_apply="softmax"),
        TokenClassification("a", aggregation_strategy="first", ignore_labels=["O"], stride=2),
        ZeroShotClassification("a", LABELS, multi_label=True, hypothesis_template="{}"),
    ):
        schema = spec(task.name, "input")
        body = written(task, "hf-inference")[1]
        schema.validate(body)
        [definition] = schema.schema["$defs"].values()
        assert body["parameters"].keys() == definition["properties"].keys()


def test_enums_are_those_of_the_spec(spec: Callable[[str, str], Any]) -> None:
    parameters = spec("token-classification", "input").schema["$defs"]["TokenClassificationParameters"]["properties"]
    for each in parameters["aggregation_strategy"]["oneOf"]:
        assert TokenClassification("a", aggregation_strategy=each["const"]).aggregation_strategy == each["const"]
    for name in ("sigmoid", "softmax", "none"):
        task = functools.partial(TextClassification, "a", function_to_apply=name)
        assert json.loads(json.dumps(task().given())) == {"function_to_apply": name}


Refused = Callable[[], Task[Any]]


def bad(task: Any, *args: Any, **kwargs: Any) -> Refused:
    """A call that checkers must not see."""
    return functools.partial(task, *args, **kwargs)


BAD_INPUT: list[tuple[Refused, str]] = [
    (bad(TextClassification, ""), "text_classification: `text` = '': must not be empty"),
    (bad(TextClassification, ["a"]), "text_classification: `text` = ['a']: Input should be a valid string"),
    (bad(TextClassification, b"a"), "text_classification: `text` (bytes): Input should be a valid string"),
    (bad(TextClassification, "a", top_k=0), "text_classification: `top_k` = 0: Input should be greater than 0"),
    (
        bad(TextClassification, "a", function_to_apply="relu"),
        "text_classification: `function_to_apply` = 'relu': Input should be 'sigmoid', 'softmax' or 'none'",
    ),
    (bad(TextClassificationBatch, []), "text_classification: `text` = []: must not be empty"),
    (bad(TextClassificationBatch, ["a", 5]), "text_classification: `text.1` = 5: Input should be a valid string"),
    (bad(TokenClassification, "  "), "token_classification: `text` = '  ': must not be empty"),
    (bad(TokenClassification, "a", stride=-1), "token_classification: `stride` = -1: Input should be greater than or"),
    (
        bad(TokenClassification, "a", aggregation_strategy="mean"),
        "token_classification: `aggregation_strategy` = 'mean': Input should be 'none', 'simple', 'first', 'average'",
    ),
    (
        bad(TokenClassification, "a", aggregation_strategy="none", stride=3),
        'token_classification: `stride` = 3: needs another `aggregation_strategy` than "none"',
    ),
    (bad(ZeroShotClassification, "a"), "zero_shot_classification: `candidate_labels` is missing"),
    (bad(ZeroShotClassification, "a", []), "zero_shot_classification: `candidate_labels` = []: must not be empty"),
    (bad(ZeroShotClassification, "a", ""), "zero_shot_classification: `candidate_labels.0` = '': must not be empty"),
    (
        bad(ZeroShotClassification, "a", "x,,y"),
        "zero_shot_classification: `candidate_labels.1` = '': must not be",
    ),
    (bad(ZeroShotClassification, "a", 5), "zero_shot_classification: `candidate_labels` = 5: Input should be a valid"),
    (
        bad(ZeroShotClassification, "a", "x", hypothesis_template="This is a test."),
        "zero_shot_classification: `hypothesis_template` = 'This is a test.': must contain {} where the label goes",
    ),
    (bad(ZeroShotClassificationBatch, [], "x"), "zero_shot_classification: `text` = []: must not be empty"),
]


@pytest.mark.parametrize(("make", "message"), BAD_INPUT, ids=[message for _, message in BAD_INPUT])
def test_bad_input(make: Refused, message: str) -> None:
    with pytest.raises(InputError) as refused:
        make()
    assert str(refused.value).startswith(message)


TASKS: list[Task[Any]] = [
    TextClassification("a"), ONE, TWO, TokenClassification("a"), TokenClassificationBatch(["a"]),
    TokenClassificationBatch(["a", "b"]), ZeroShotClassification("a", LABELS), ZERO_ONE, ZERO_TWO,
]  # fmt: skip


@pytest.mark.parametrize("task", TASKS)
def test_bad_answers(task: Task[Any], reply: Made, broken: list[tuple[bytes, type[ResponseError]]]) -> None:
    for content, error in broken:
        with pytest.raises(ResponseError) as refused:
            task.decode(reply(content))
        assert type(refused.value) is error, content


WRONG: list[tuple[Task[Any], Any, str]] = [
    (TextClassification("a"), [[GOOD], [BAD]], "unexpected answer: 0: Input should be a valid dictionary"),
    (TextClassification("a"), [{"label": "a"}], "unexpected answer: 0.score: Field required"),
    (TextClassification("a"), [{"label": None, "score": 1}], "unexpected answer: 0.label: Input should be a valid str"),
    (TWO, [[GOOD, BAD]], "2 inputs were sent, 1 answers came"),
    (TWO, [GOOD, BAD, GOOD], "2 inputs were sent, 3 answers came"),
    (TokenClassification("a"), [{"entity": "a", "score": 1}], "unexpected answer: 0.word: Field required"),
    (TokenClassification("a"), [GROUP | {"start": "x"}], "unexpected answer: 0.start: Input should be a valid integer"),
    (TokenClassificationBatch(["a", "b"]), [GROUP, GROUP], "unexpected answer: 0: Input should be a valid list"),
    (ZeroShotClassification("a", "x"), {"labels": ["a", "b"], "scores": [1]}, "2 labels came with 1 scores"),
    (ZeroShotClassification("a", "x"), {"labels": ["a"]}, "unexpected answer: scores: Field required"),
    (ZERO_TWO, PAIRS, "unexpected answer: labels: Field required"),
    (ZERO_TWO, [COLUMNS], "2 inputs were sent, 1 answers came"),
]


@pytest.mark.parametrize(("task", "value", "message"), WRONG)
def test_wrong_shapes(task: Task[Any], value: Any, message: str, reply: Made) -> None:
    with pytest.raises(ShapeError) as refused:
        task.decode(reply(value))
    assert message in str(refused.value)


@pytest.mark.parametrize("task", TASKS)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_only_our_errors_escape(
    task: Task[Any], data: st.DataObject, anything: Callable[..., SearchStrategy[bytes]]
) -> None:
    keys = ("label", "score", "labels", "scores", "word", "entity", "entity_group", "start", "error")
    with contextlib.suppress(HfError):
        task.decode(Reply(200, {}, data.draw(anything(*keys))))
