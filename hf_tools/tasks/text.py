"""Text in, text out: summarization, translation, fill-mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY
from typing import ClassVar, TypeVar

from hf_tools.answer import Answer
from hf_tools.inputs import Object, Positive, Text, Texts, Truncation
from hf_tools.task import Body, Out, Reply, Route, Task
from hf_tools.tasks.writing import WritesText
from hf_tools.wire import Score, depth, flat, inputs, many, one, parse, read_json


class SummarizationOutput(Answer):
    """A summary."""

    summary_text: str
    """The summary."""


class Summarization(WritesText[SummarizationOutput]):
    """Shorten a text to what matters."""

    name: ClassVar[str] = "summarization"

    text: Text
    """The text to summarize."""
    _: KW_ONLY
    clean_up_tokenization_spaces: bool | None = None
    """Remove the spaces that tokenization may leave in the text."""
    truncation: Truncation | None = None
    """How to shorten a text that is too long for the model."""
    generate_parameters: Object | None = None
    """More parameters of the text generation, as the server names them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        twice = sorted(self.given().keys() & (self.generate_parameters or {}).keys())
        if twice:
            raise ValueError(f"`{twice[0]}` is given twice: as a parameter and in `generate_parameters`")

    def encode(self, route: Route) -> Body:
        parameters = self.given()
        if route.server == "toolkit":
            parameters |= parameters.pop("generate_parameters", {})
        return inputs(route, self.text, parameters)

    def decode(self, reply: Reply) -> SummarizationOutput:
        return parse(SummarizationOutput, one(read_json(reply)))


class TranslationOutput(Answer):
    """A translation."""

    translation_text: str
    """The translation."""


class TranslationParameters(Task[Out]):
    """What a translation may be told."""

    name: ClassVar[str] = "translation"

    _: KW_ONLY
    src_lang: str | None = None
    """Language of the text, as the model names it (`en_XX`, `eng_Latn`, ...); needs `tgt_lang` as well."""
    tgt_lang: str | None = None
    """Language to translate into, as the model names it; needs `src_lang` as well."""
    clean_up_tokenization_spaces: bool | None = None
    """Remove the spaces that tokenization may leave in the text."""
    truncation: Truncation | None = None
    """How to shorten a text that is too long for the model."""
    generate_parameters: Object | None = None
    """More parameters of the text generation, as the server names them."""

    def __post_init__(self) -> None:
        if (self.src_lang is None) != (self.tgt_lang is None):
            raise ValueError("`src_lang` and `tgt_lang` go together: give both or none")

    def body(self, route: Route, text: str | list[str]) -> Body:
        parameters = self.given()
        if route.server == "toolkit":
            parameters |= parameters.pop("generate_parameters", {})
        return inputs(route, text, parameters)


class Translation(TranslationParameters[TranslationOutput]):
    """Translate a text; a list of texts gives a list of translations."""

    text: Text
    """The text to translate."""

    def encode(self, route: Route) -> Body:
        return self.body(route, self.text)

    def decode(self, reply: Reply) -> TranslationOutput:
        return parse(TranslationOutput, one(read_json(reply)))


class TranslationBatch(TranslationParameters[list[TranslationOutput]]):
    """Translate texts."""

    text: Texts
    """The texts to translate."""

    def encode(self, route: Route) -> Body:
        return self.body(route, self.text)

    def decode(self, reply: Reply) -> list[TranslationOutput]:
        return parse(list[TranslationOutput], many(read_json(reply), len(self.text)))


class FillMaskOutput(Answer):
    """A way to fill the mask, the likeliest first."""

    score: Score
    """Its probability; nan where the server sent null."""
    token: int
    """Number of the token in the model's vocabulary."""
    token_str: str | None = None
    """The token as text; it may begin with a space."""
    sequence: str
    """The whole text, filled; of several masks the others stay."""


Fill = TypeVar("Fill")


class MaskFills(list[Fill]):
    """The ways to fill the mask, the likeliest first; of several masks the first, and `masks` has all."""

    def __init__(self, masks: Sequence[Sequence[Fill]]) -> None:
        super().__init__(masks[0])
        self.masks = [list(fills) for fills in masks]
        """The ways to fill each mask, in the order of the text; one list where the text has one mask."""


class FillMask(Task[MaskFills[FillMaskOutput]]):
    """Fill the masked word of a text.

    Of a text with several masks the answer is the ways to fill the first; its `masks` has a list for each of them,
    as far as the model can do that.
    """

    name: ClassVar[str] = "fill-mask"

    text: Text
    """The text with the model's own mask, such as `[MASK]` or `<mask>`."""
    _: KW_ONLY
    targets: Texts | None = None
    """Choose among these words only; one that is no single token is cut to its first."""
    top_k: Positive | None = None
    """Give this many ways."""

    def encode(self, route: Route) -> Body:
        return inputs(route, self.text, self.given())

    def decode(self, reply: Reply) -> MaskFills[FillMaskOutput]:
        value = flat(read_json(reply))
        if depth(value) == 2:
            return MaskFills(parse(list[list[FillMaskOutput]], value))
        return MaskFills([parse(list[FillMaskOutput], value)])
