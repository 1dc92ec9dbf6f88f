"""Labels for texts and for parts of texts: text, token and zero-shot classification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator

from hf_tools.answer import Answer
from hf_tools.errors import ShapeError
from hf_tools.inputs import Labels, NotNegative, OutputTransform, Positive, Text, Texts
from hf_tools.task import Body, Out, Reply, Route, Server, Task, only
from hf_tools.wire import Label, Score, depth, excerpt, flat, inputs, many, one, parse, read_json


def _lists(value: Any, count: int) -> list[Any]:
    """A list for each of `count` texts; one that came flat belongs to the only text."""
    return [flat(value)] if count == 1 and depth(value) < 2 else many(value, count)


class TextClassificationOutput(Answer):
    """A label and how well it fits."""

    label: Label
    """The label, as the model names it."""
    score: Score
    """How sure the model is, mostly 0 to 1; nan where the server sent null."""


class TextClassificationParameters(Task[Out]):
    """What a classification of texts may be told."""

    name: ClassVar[str] = "text-classification"
    servers: ClassVar[frozenset[Server]] = frozenset(["hf-inference", "toolkit", "tei"])

    _: KW_ONLY
    top_k: Positive | None = None
    """Give only the best labels, this many; not on TEI servers. Toolkit endpoints give 1 unless told."""
    function_to_apply: OutputTransform | None = None
    """How the model's outputs become scores; not on TEI servers."""
    raw_scores: bool | None = None
    """Give the model's outputs as they are; TEI servers only."""
    truncate: bool | None = None
    """Cut a text that is too long for the model; TEI servers only."""

    def body(self, route: Route, value: Any) -> Body:
        if route.server == "tei":
            root = only(self, route, self.given(), frozenset(["raw_scores", "truncate"]))
            return inputs(route, value, path="/predict", root=root)
        return inputs(route, value, only(self, route, self.given(), frozenset(["top_k", "function_to_apply"])))


class TextClassification(TextClassificationParameters[list[TextClassificationOutput]]):
    """Give a text labels with scores, the best first; a list of texts gives a list for each."""

    text: Text
    """The text to classify."""

    def encode(self, route: Route) -> Body:
        return self.body(route, self.text)

    def decode(self, reply: Reply) -> list[TextClassificationOutput]:
        return parse(list[TextClassificationOutput], flat(read_json(reply)))


class TextClassificationBatch(TextClassificationParameters[list[list[TextClassificationOutput]]]):
    """Give each of several texts labels with scores."""

    text: Texts
    """The texts to classify."""

    def encode(self, route: Route) -> Body:
        # a TEI server takes ["a", "b"] for one pair of texts
        return self.body(route, [[text] for text in self.text] if route.server == "tei" else self.text)

    def decode(self, reply: Reply) -> list[list[TextClassificationOutput]]:
        lists = _lists(read_json(reply), len(self.text))
        # toolkit endpoints give the best label of each text only, without a list around it
        lists = [[each] if isinstance(each, dict) else each for each in lists]
        return parse(list[list[TextClassificationOutput]], lists)


class TokenClassificationOutput(Answer):
    """A part of the text with its label: a group of tokens, or a single one where nothing aggregates them."""

    entity_group: Label | None = None
    """Label of a group of tokens."""
    entity: Label | None = None
    """Label of a single token."""
    score: Score
    """How sure the model is, mostly 0 to 1; nan where the server sent null."""
    word: str
    """The part; a piece of a word may begin with `##`."""
    start: int | None = None
    """Where the part begins, in characters of the text, if the model's tokenizer can tell."""
    end: int | None = None
    """Where the part ends: `text[start:end]`."""
    index: int | None = None
    """Number of a single token in the text."""


class TokenClassificationParameters(Task[Out]):
    """What a classification of tokens may be told."""

    name: ClassVar[str] = "token-classification"

    _: KW_ONLY
    aggregation_strategy: Literal["none", "simple", "first", "average", "max"] | None = None
    """How tokens become groups. Default "simple", which is asked for where a server's own default is "none"."""
    ignore_labels: list[str] | None = None
    """Leave these labels out; servers leave out "O" unless told."""
    stride: NotNegative | None = None
    """Tokens that chunks of a long text have in common; needs an aggregation."""

    def __post_init__(self) -> None:
        if self.stride is not None and self.aggregation_strategy == "none":
            raise ValueError(f'`stride` = {self.stride}: needs another `aggregation_strategy` than "none"')

    def body(self, route: Route, value: Any) -> Body:
        defaults = {"aggregation_strategy": "simple"} if route.server == "toolkit" else {}
        return inputs(route, value, defaults | self.given())


class TokenClassification(TokenClassificationParameters[list[TokenClassificationOutput]]):
    """Find names and other parts of a text; a list of texts gives a list for each."""

    text: Text
    """The text to look through."""

    def encode(self, route: Route) -> Body:
        return self.body(route, self.text)

    def decode(self, reply: Reply) -> list[TokenClassificationOutput]:
        return parse(list[TokenClassificationOutput], flat(read_json(reply)))


class TokenClassificationBatch(TokenClassificationParameters[list[list[TokenClassificationOutput]]]):
    """Find names and other parts of several texts."""

    text: Texts
    """The texts to look through."""

    def encode(self, route: Route) -> Body:
        return self.body(route, self.text)

    def decode(self, reply: Reply) -> list[list[TokenClassificationOutput]]:
        return parse(list[list[TokenClassificationOutput]], _lists(read_json(reply), len(self.text)))


class ZeroShotClassificationOutput(Answer):
    """A label and how well it fits; the text, which some servers repeat, is left out."""

    label: Label
    """One of the labels to choose from."""
    score: Score
    """How sure the model is, mostly 0 to 1; nan where the server sent null."""


class _Columns(Answer):
    """The older form of the answer: labels and their scores apart."""

    labels: list[Label]
    scores: list[Score]


def _pairs(value: Any) -> list[ZeroShotClassificationOutput]:
    """The answer for one text: newer servers send a list, older ones columns."""
    if isinstance(value, list):
        return parse(list[ZeroShotClassificationOutput], value)
    columns = parse(_Columns, value)
    if len(columns.labels) != len(columns.scores):
        raise ShapeError(f"{len(columns.labels)} labels came with {len(columns.scores)} scores: {excerpt(value)}")
    pairs = zip(columns.labels, columns.scores, strict=True)
    return [ZeroShotClassificationOutput(label=label, score=score) for label, score in pairs]


def _in_columns(value: Any) -> bool:
    return isinstance(value, dict) and "labels" in value


def _template(text: str) -> str:
    if "{}" not in text:
        raise ValueError("must contain {} where the label goes")
    return text


class ZeroShotClassificationParameters(Task[Out]):
    """What a zero-shot classification may be told."""

    name: ClassVar[str] = "zero-shot-classification"

    _: KW_ONLY
    multi_label: bool | None = None
    """Judge each label by itself, so that the scores need not add up to 1; default false."""
    hypothesis_template: Annotated[Text, AfterValidator(_template)] | None = None
    """The sentence that the model judges, with `{}` for the label, such as "This text is about {}."."""

    def body(self, route: Route, value: Any, labels: Sequence[str]) -> Body:
        return inputs(route, value, {"candidate_labels": labels} | self.given())


class ZeroShotClassification(ZeroShotClassificationParameters[list[ZeroShotClassificationOutput]]):
    """Tell which of your own labels fit a text, the best first; a list of texts gives a list for each."""

    text: Text
    """The text to classify."""
    candidate_labels: Labels
    """The labels to choose from; one string is split at its commas. The old API advised at most 10."""

    def encode(self, route: Route) -> Body:
        return self.body(route, self.text, self.candidate_labels)

    def decode(self, reply: Reply) -> list[ZeroShotClassificationOutput]:
        value = flat(read_json(reply))
        alone = one(value)
        return _pairs(alone if _in_columns(alone) else value)


class ZeroShotClassificationBatch(ZeroShotClassificationParameters[list[list[ZeroShotClassificationOutput]]]):
    """Tell which of your own labels fit each of several texts."""

    text: Texts
    """The texts to classify."""
    candidate_labels: Labels
    """The labels to choose from; one string is split at its commas. The old API advised at most 10."""

    def encode(self, route: Route) -> Body:
        return self.body(route, self.text, self.candidate_labels)

    def decode(self, reply: Reply) -> list[list[ZeroShotClassificationOutput]]:
        value = read_json(reply)
        if len(self.text) == 1 and depth(value) == 1 and not any(map(_in_columns, value)):
            value = [value]
        return [_pairs(each) for each in many(value, len(self.text))]
