"""Summarization, translation, fill-mask: what is written, what is read, what is refused."""

import contextlib
import copy
import functools
import pickle
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic_core import to_jsonable_python

from hf_tools.errors import HfError, InputError, ResponseError, ShapeError
from hf_tools.inputs import Truncation
from hf_tools.task import Reply, Route, Server, Task
from hf_tools.tasks.text import (
    FillMask,
    FillMaskOutput,
    MaskFills,
    Summarization,
    SummarizationOutput,
    Translation,
    TranslationBatch,
    TranslationOutput,
)

Written = Callable[[Task[Any], Server], tuple[str, Any]]
Made = Callable[[Any], Reply]

SUMMARIZATION = Summarization(
    "Long text", min_length=5, max_length=4096, top_k=50, top_p=0.9, temperature=1.5, repetition_penalty=2,
    max_time=300, clean_up_tokenization_spaces=False, truncation="longest_first", generate_parameters={"num_beams": 4},
)  # fmt: skip
FLAT = {
    "min_length": 5, "max_length": 4096, "top_k": 50, "top_p": 0.9, "temperature": 1.5, "repetition_penalty": 2.0,
    "max_time": 300.0, "clean_up_tokenization_spaces": False, "truncation": "longest_first",
}  # fmt: skip
TRANSLATION = Translation(
    "Hello", src_lang="en_XX", tgt_lang="fr_XX", clean_up_tokenization_spaces=True, truncation="only_first",
    generate_parameters={"num_beams": 4},
)  # fmt: skip
LANGUAGES = {
    "src_lang": "en_XX", "tgt_lang": "fr_XX", "clean_up_tokenization_spaces": True, "truncation": "only_first",
}  # fmt: skip

ENCODED: list[tuple[Task[Any], Server, Any]] = [
    (Summarization("Long text"), "hf-inference", {"inputs": "Long text"}),
    (
        SUMMARIZATION,
        "hf-inference",
        {"inputs": "Long text", "parameters": {**FLAT, "generate_parameters": {"num_beams": 4}}},
    ),
    (SUMMARIZATION, "toolkit", {"inputs": "Long text", "parameters": {**FLAT, "num_beams": 4}}),
    (Translation("Hello"), "toolkit", {"inputs": "Hello"}),
    (
        TRANSLATION,
        "hf-inference",
        {"inputs": "Hello", "parameters": {**LANGUAGES, "generate_parameters": {"num_beams": 4}}},
    ),
    (TRANSLATION, "toolkit", {"inputs": "Hello", "parameters": {**LANGUAGES, "num_beams": 4}}),
    (TranslationBatch(["Hello", "World"]), "hf-inference", {"inputs": ["Hello", "World"]}),
    (TranslationBatch(["Hello"]), "toolkit", {"inputs": ["Hello"]}),
    (FillMask("<mask>!"), "hf-inference", {"inputs": "<mask>!"}),
    (
        FillMask("<mask>!", targets=["Hello", "Bye"], top_k=2),
        "toolkit",
        {"inputs": "<mask>!", "parameters": {"targets": ["Hello", "Bye"], "top_k": 2}},
    ),
]


@pytest.mark.parametrize(("task", "server", "body"), ENCODED)
def test_encode(task: Task[Any], server: Server, body: Any, written: Written) -> None:
    assert written(task, server) == ("", body)


def test_options_go_into_the_body() -> None:
    route = Route("hf-inference", "https://server.test", options={"use_cache": False})
    assert FillMask("[MASK]").encode(route).content == b'{"inputs":"[MASK]","options":{"use_cache":false}}'


MASK = {"score": 0.25, "token": 1996, "token_str": "the", "sequence": "the world!"}
FILLED = FillMaskOutput(score=0.25, token=1996, token_str="the", sequence="the world!")

DECODED: list[tuple[str, Task[Any], Any, Any]] = [
    ("list", Summarization("a"), [{"summary_text": "b"}], SummarizationOutput(summary_text="b")),
    ("bare", Summarization("a"), {"summary_text": ""}, SummarizationOutput(summary_text="")),
    ("list", Translation("a"), [{"translation_text": "b"}], TranslationOutput(translation_text="b")),
    ("bare", Translation("a"), {"translation_text": "b"}, TranslationOutput(translation_text="b")),
    ("case-16", TranslationBatch(["a"]), [{"translation_text": "b"}], [TranslationOutput(translation_text="b")]),
    ("case-16-bare", TranslationBatch(["a"]), {"translation_text": "b"}, [TranslationOutput(translation_text="b")]),
    (
        "case-16-two",
        TranslationBatch(["Mein Name", "Ich"]),
        [{"translation_text": "My name"}, {"translation_text": "I"}],
        [TranslationOutput(translation_text="My name"), TranslationOutput(translation_text="I")],
    ),
    ("flat", FillMask("[MASK]"), [MASK], MaskFills([[FILLED]])),
    ("wrapped", FillMask("[MASK]"), [[MASK]], MaskFills([[FILLED]])),
    ("bare", FillMask("[MASK]"), MASK, MaskFills([[FILLED]])),
    ("none", FillMask("[MASK]"), [], MaskFills[FillMaskOutput]([[]])),
    ("case-15", FillMask("[MASK] [MASK]"), [[MASK, MASK], [MASK]], MaskFills([[FILLED, FILLED], [FILLED]])),
    (
        "case-89",
        FillMask("[MASK]"),
        [{"score": 1, "token": 7, "sequence": " x", "extra": [1]}],
        MaskFills([[FillMaskOutput.model_validate({"score": 1.0, "token": 7, "sequence": " x", "extra": [1]})]]),
    ),
]


@pytest.mark.parametrize(("case", "task", "value", "answer"), DECODED, ids=[f"{d[1].name}-{d[0]}" for d in DECODED])
def test_decode(case: str, task: Task[Any], value: Any, answer: Any, reply: Made) -> None:
    decoded = task.decode(reply(value))
    assert decoded == answer
    assert type(decoded) is type(answer)


def test_case_15_the_masks_of_a_text(reply: Made) -> None:
    other = FILLED.model_copy(update={"token": 7})
    for value, masks in (
        ([[MASK, MASK], [MASK | {"token": 7}]], [[FILLED, FILLED], [other]]),
        ([[MASK, MASK]], [[FILLED, FILLED]]),
        ([MASK, MASK], [[FILLED, FILLED]]),
    ):
        fills = FillMask("[MASK] [MASK]").decode(reply(value))
        assert (fills.masks, fills[0], [*fills], len(fills)) == (masks, FILLED, masks[0], 2)
        assert all(type(each) is list for each in fills.masks)
        for again in (pickle.loads(pickle.dumps(fills)), copy.copy(fills), copy.deepcopy(fills)):
            assert (again, again.masks) == (fills, masks)
        assert to_jsonable_python(fills) == to_jsonable_python(masks[0])


def test_case_9_a_score_that_is_null_or_nan(reply: Made) -> None:
    for content in (b'[{"score":null,"token":1,"sequence":"x"}]', b'[{"score":NaN,"token":1,"sequence":"x"}]'):
        [filled] = FillMask("[MASK]").decode(reply(content))
        assert filled.score != filled.score  # nan


TOWER = (
    "The tower is 324 metres (1,063 ft) tall, about the same height as an 81-storey building. Its base is square, "
    "measuring 125 metres (410 ft) on each side. During its construction, the Eiffel Tower surpassed the Washington "
    "Monument to become the tallest man-made structure in the world."
)
LIFE = "The goal of life is <mask>."
RECORDED: list[tuple[str, Callable[[Any], Task[Any]], Any]] = [
    ("summarization", lambda body: Summarization(body["inputs"]), SummarizationOutput(summary_text=TOWER)),
    ("translation", lambda body: Translation(body["inputs"]), TranslationOutput(translation_text="Hallo Welt")),
    (
        "translation_with_source_and_target_language",
        lambda body: Translation(body["inputs"], src_lang="en_XX", tgt_lang="fr_XX"),
        TranslationOutput(translation_text="Hello world"),
    ),
    (
        "fill_mask",
        lambda body: FillMask(body["inputs"]),
        [
            FillMaskOutput(score=score, token=token, token_str=f" {word}", sequence=f"The goal of life is {word}.")
            for score, token, word in [
                (0.06897063553333282, 11098, "happiness"),
                (0.06554922461509705, 45075, "immortality"),
                (0.0323575921356678, 14314, "yours"),
                (0.02431388944387436, 22211, "liberation"),
                (0.023767812177538872, 25342, "simplicity"),
            ]
        ],
    ),
]


@pytest.mark.parametrize(("name", "task", "answer"), RECORDED, ids=[one[0] for one in RECORDED])
def test_recordings(
    name: str,
    task: Callable[[Any], Task[Any]],
    answer: Any,
    recording: Callable[[str], list[dict[str, Any]]],
    written: Written,
) -> None:
    for exchange in recording(name):
        body = exchange["request"]["body"]
        assert written(task(body), "hf-inference") == ("", body)
        assert task(body).decode(exchange["reply"]) == answer


def test_specs(spec: Callable[[str, str], Any], reply: Made) -> None:
    summary = Summarization("a").decode(reply({"summary_text": "b"}))
    spec("summarization", "output").validate(summary.model_dump())
    translation = Translation("a").decode(reply({"translation_text": "b"}))
    spec("translation", "output").validate(translation.model_dump())
    # the spec requires `tokenStr`, which no server sends: they send `token_str`, which it describes
    filled = FillMask("[MASK]").decode(reply([MASK]))
    spec("fill-mask", "output").validate([one.model_dump() | {"tokenStr": one.token_str} for one in filled])
    given = {"sequence": "a", "score": 0.5, "token": 3, "tokenStr": "a"}
    spec("fill-mask", "output").validate([given])
    [answer] = FillMask("[MASK]").decode(reply([given]))
    assert (answer.sequence, answer.score, answer.token, answer.token_str) == ("a", 0.5, 3, None)


def test_spec_inputs(spec: Callable[[str, str], Any], written: Written) -> None:
    for task in (SUMMARIZATION, TRANSLATION, FillMask("[MASK]", targets=["a"], top_k=3)):
        schema = spec(task.name, "input")
        schema.validate(written(task, "hf-inference")[1])
        names = {name for each in schema.schema["$defs"].values() for name in each.get("properties", {})}
        assert names <= set(type(task).__dataclass_fields__)
    strategies = spec("translation", "input").schema["$defs"]["TranslationParameters"]["properties"]["truncation"]
    assert set(strategies["enum"]) == set(get_args(Truncation))


Refused = Callable[[], Task[Any]]


def bad(task: Any, *args: Any, **kwargs: Any) -> Refused:
    """A call that checkers must not see."""
    return functools.partial(task, *args, **kwargs)


BAD_INPUT: list[tuple[Refused, str]] = [
    (bad(Summarization, ""), "summarization: `text` = '': must not be empty"),
    (bad(Summarization, " \n"), r"summarization: `text` = ' \n': must not be empty"),
    (bad(Summarization), "summarization: `text` is missing"),
    (bad(Summarization, b"abc"), "summarization: `text` (bytes): Input should be a valid string"),
    (bad(Summarization, ["a"]), "summarization: `text` = ['a']: Input should be a valid string"),
    (bad(Summarization, "a", min_length=0), "summarization: `min_length` = 0: Input should be greater than 0"),
    (bad(Summarization, "a", min_length=9, max_length=5), "summarization: `min_length` = 9 is above `max_length` = 5"),
    (bad(Summarization, "a", top_p=1.5), "summarization: `top_p` = 1.5: Input should be less than or equal to 1"),
    (bad(Summarization, "a", temperature=float("nan")), "summarization: `temperature` = nan: Input should be a finite"),
    (
        bad(Summarization, "a", max_time=-1),
        "summarization: `max_time` = -1: Input should be greater than or equal",
    ),
    (
        bad(Summarization, "a", truncation="all"),
        "summarization: `truncation` = 'all': Input should be 'do_not_",
    ),
    (
        bad(Summarization, "a", max_length=9, generate_parameters={"max_length": 5}),
        "summarization: `max_length` is given twice: as a parameter and in `generate_parameters`",
    ),
    (bad(Summarization, "a", lenght=9), "summarization: `lenght` is not a parameter of this task; it takes text,"),
    (bad(Summarization, "a", stream=True), "summarization: `stream` is not a parameter, and this task cannot stream"),
    (bad(Translation, "a", src_lang="en"), "translation: `src_lang` and `tgt_lang` go together: give both or none"),
    (bad(TranslationBatch, []), "translation: `text` = []: must not be empty"),
    (bad(TranslationBatch, ["a", ""]), "translation: `text.1` = '': must not be empty"),
    (bad(TranslationBatch, "a"), "translation: `text` = 'a': Input should be a valid list"),
    (bad(FillMask, "a", targets=[]), "fill_mask: `targets` = []: must not be empty"),
    (bad(FillMask, "a", top_k=0), "fill_mask: `top_k` = 0: Input should be greater than 0"),
]


@pytest.mark.parametrize(("make", "message"), BAD_INPUT, ids=[message for _, message in BAD_INPUT])
def test_bad_input(make: Refused, message: str) -> None:
    with pytest.raises(InputError) as refused:
        make()
    assert str(refused.value).startswith(message)


def test_historical_limits_are_not_enforced() -> None:
    assert Summarization("a", max_length=10**6, max_time=10**4, temperature=1000).max_length == 10**6


TASKS: list[Task[Any]] = [Summarization("a"), Translation("a"), TranslationBatch(["a", "b"]), FillMask("[MASK]")]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_bad_answers(task: Task[Any], reply: Made, broken: list[tuple[bytes, type[ResponseError]]]) -> None:
    for content, error in broken:
        with pytest.raises(ResponseError) as refused:
            task.decode(reply(content))
        assert type(refused.value) is error, content


WRONG: list[tuple[Task[Any], Any, str]] = [
    (Summarization("a"), [{"summary_text": "a"}, {"summary_text": "b"}], '[{"summary_text": "a"}'),
    (Summarization("a"), {"summary_text": None}, "unexpected answer: summary_text: Input should be a valid string"),
    (TranslationBatch(["a", "b"]), [{"translation_text": "b"}], "2 inputs were sent, 1 answers came"),
    (Translation("a"), {"generated_text": "b"}, "unexpected answer: translation_text: Field required"),
    (FillMask("[MASK]"), [{"token": 1, "sequence": "a"}], "unexpected answer: 0.score: Field required"),
    (FillMask("[MASK]"), [[MASK], [{"score": 1}]], "unexpected answer: 1.0.token: Field required"),
]


@pytest.mark.parametrize(("task", "value", "message"), WRONG, ids=[message for *_, message in WRONG])
def test_wrong_shapes(task: Task[Any], value: Any, message: str, reply: Made) -> None:
    with pytest.raises(ShapeError) as refused:
        task.decode(reply(value))
    assert message in str(refused.value)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_only_our_errors_escape(
    task: Task[Any], data: st.DataObject, anything: Callable[..., SearchStrategy[bytes]]
) -> None:
    keys = ("summary_text", "translation_text", "score", "token", "token_str", "sequence", "error")
    with contextlib.suppress(HfError):
        task.decode(Reply(200, {}, data.draw(anything(*keys))))
