"""Questions about a picture or a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY
from typing import Annotated, Any, ClassVar, TypeAlias, cast

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from hf_tools.answer import Answer
from hf_tools.inputs import Positive, Text
from hf_tools.media.sources import ImageInput, read
from hf_tools.task import Body, Reply, Route, Task
from hf_tools.wire import flat, inputs, parse, read_json


class VisualQuestionAnsweringOutput(Answer):
    """A possible answer; models that write it themselves give no score."""

    answer: str | None = None
    """The answer; None where the server sent a score only."""
    score: float | None = None
    """How sure the model is, 0 to 1."""

    @model_validator(mode="after")
    def _something(self) -> VisualQuestionAnsweringOutput:
        if self.answer is None and self.score is None:
            raise ValueError("neither `answer` nor `score`")
        return self


class VisualQuestionAnswering(Task[list[VisualQuestionAnsweringOutput]]):
    """Answer a question about a picture: possible answers, most likely first."""

    name: ClassVar[str] = "visual-question-answering"

    image: ImageInput
    """The picture: bytes, a path, a URL, a data: URI, a file object, a PIL image or a result."""
    question: Text
    """The question."""
    _: KW_ONLY
    top_k: Positive | None = None
    """Return at most this many answers."""

    def encode(self, route: Route) -> Body:
        return inputs(route, {"question": self.question, "image": read(self.image).base64}, self.given())

    def decode(self, reply: Reply) -> list[VisualQuestionAnsweringOutput]:
        return parse(list[VisualQuestionAnsweringOutput], flat(read_json(reply)))


def _no_text(value: Any) -> Any:
    return "" if value is None else value


class DocumentQuestionAnsweringOutput(Answer):
    """A possible answer, empty where the document has none; `start` and `end` count words, not characters.

    Models that write the answer themselves give neither a score nor a place.
    """

    answer: Annotated[str, BeforeValidator(_no_text)]
    """The answer, as it stands in the document."""
    score: float | None = None
    """How sure the model is, 0 to 1."""
    start: int | None = None
    """Number of its first word, from 0."""
    end: int | None = None
    """Number of its last word."""


def _word_boxes(value: Any) -> list[list[Any]]:
    """Pairs of a word and its box; InferenceClient's form, where the two take turns in one list, becomes that."""
    items = _items(value)
    if any(isinstance(item, str) for item in items):
        items = [[word, box] for word, box in zip(items[::2], [*items[1::2], None], strict=False)]
    if not items:
        raise ValueError("expected [[word, [x0, y0, x1, y1]], ...]")
    for number, pair in enumerate(items):
        if len(_items(pair)) != 2 or not isinstance(pair[0], str) or not _is_box(_items(pair[1])):
            raise ValueError(f"item {number} must be [word, [x0, y0, x1, y1]] with numbers from 0 to 1000")
    return [[word, _items(box)] for word, box in items]


def _items(value: Any) -> list[Any]:
    sequence = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    return list(cast("Sequence[Any]", value)) if sequence else []


def _is_box(numbers: list[Any]) -> bool:
    return len(numbers) == 4 and all(isinstance(one, int | float) and 0 <= one <= 1000 for one in numbers)


WordBoxes: TypeAlias = Annotated[
    Sequence[Sequence[Any] | str],
    BeforeValidator(_word_boxes),
    WithJsonSchema({"type": "array", "items": {"type": "array", "description": "[word, [x0, y0, x1, y1]]"}}),
]


class DocumentQuestionAnswering(Task[list[DocumentQuestionAnsweringOutput]]):
    """Answer a question about the picture of a document: possible answers, most likely first."""

    name: ClassVar[str] = "document-question-answering"

    image: ImageInput
    """The document: bytes, a path, a URL, a data: URI, a file object, a PIL image or a result."""
    question: Text
    """The question."""
    _: KW_ONLY
    doc_stride: Positive | None = None
    """Tokens by which the parts of a long document overlap."""
    handle_impossible_answer: bool | None = None
    """Accept that the document has no answer."""
    lang: Text | None = None
    """Language of the text recognition, as the server names it; default English."""
    max_answer_len: Positive | None = None
    """Most tokens of an answer."""
    max_question_len: Positive | None = None
    """Most tokens of the question; the rest is cut off."""
    max_seq_len: Positive | None = None
    """Most tokens of each part of the document, the question included."""
    top_k: Positive | None = None
    """Return at most this many answers."""
    word_boxes: WordBoxes | None = None
    """Words and their boxes, `[[word, [x0, y0, x1, y1]], ...]` with 0 to 1000 for the whole page, instead of OCR."""

    def encode(self, route: Route) -> Body:
        return inputs(route, {"question": self.question, "image": read(self.image).base64}, self.given())

    def decode(self, reply: Reply) -> list[DocumentQuestionAnsweringOutput]:
        return parse(list[DocumentQuestionAnsweringOutput], flat(read_json(reply)))
