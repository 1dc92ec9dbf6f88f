"""Questions about a text or a table."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any, ClassVar, Literal

from hf_tools.answer import Answer
from hf_tools.inputs import NotNegative, Positive, Table, Text
from hf_tools.task import Body, Out, Reply, Route, Task
from hf_tools.wire import Label, Score, flat, inputs, one, parse, read_json


class QuestionAnsweringOutput(Answer):
    """An answer and where it stands: `context[start:end]`, in characters; empty where there is none."""

    answer: str
    """The answer, as it stands in the text."""
    score: Score
    """How sure the model is, 0 to 1; nan where the server sent null."""
    start: int
    """Where it begins."""
    end: int
    """Where it ends: the first character after it."""


class QuestionAnsweringParameters(Task[Out]):
    """A question about a text, and how to look for the answer."""

    name: ClassVar[str] = "question-answering"

    question: Text
    """The question."""
    context: Text
    """The text that holds the answer."""
    _: KW_ONLY
    align_to_words: bool | None = None
    """Begin and end the answer at words; may do harm in languages without spaces."""
    doc_stride: NotNegative | None = None
    """Tokens that chunks of a long text have in common."""
    handle_impossible_answer: bool | None = None
    """Let the answer be empty where the text holds none."""
    max_answer_len: Positive | None = None
    """Most tokens of the answer."""
    max_question_len: Positive | None = None
    """Most tokens of the question; what is longer is cut."""
    max_seq_len: Positive | None = None
    """Most tokens of question and chunk together."""

    def encode(self, route: Route) -> Body:
        return inputs(route, {"question": self.question, "context": self.context}, self.given())


class QuestionAnswering(QuestionAnsweringParameters[QuestionAnsweringOutput]):
    """Answer a question out of a text; with `top_k` a list of answers."""

    def decode(self, reply: Reply) -> QuestionAnsweringOutput:
        value: Any = flat(read_json(reply))
        # some servers give a list unasked, the best answer first
        return parse(QuestionAnsweringOutput, value[0] if isinstance(value, list) and value else value)


class QuestionAnsweringTop(QuestionAnsweringParameters[list[QuestionAnsweringOutput]]):
    """Give the best answers to a question out of a text, the best first."""

    _: KW_ONLY
    top_k: Positive
    """Give this many answers, or fewer where there are not as many."""

    def decode(self, reply: Reply) -> list[QuestionAnsweringOutput]:
        return parse(list[QuestionAnsweringOutput], flat(read_json(reply)))


class TableQuestionAnsweringOutput(Answer):
    """An answer; an aggregation is named in front of its cells, as in `AVERAGE > 36542`."""

    answer: Label
    """The answer as text."""
    coordinates: list[tuple[int, int]] | None = None
    """Row and column of each cell of the answer, both from 0; not all models give them."""
    cells: list[Label] | None = None
    """The cells of the answer; not all models give them."""
    aggregator: str | None = None
    """What to do with the cells, such as `SUM` or `NONE`, if the model can aggregate."""


class TableQuestionAnswering(Task[TableQuestionAnsweringOutput]):
    """Answer a question out of a table."""

    name: ClassVar[str] = "table-question-answering"

    table: Table
    """Columns by name, or rows; cells become text."""
    query: Text
    """The question."""
    _: KW_ONLY
    padding: Literal["do_not_pad", "longest", "max_length"] | None = None
    """How to fill short inputs; default `do_not_pad`."""
    sequential: bool | None = None
    """Answer one after the other, for models that need that; default false."""
    truncation: bool | None = None
    """Cut a table that is too long for the model; default false."""

    def encode(self, route: Route) -> Body:
        return inputs(route, {"query": self.query, "table": self.table}, self.given())

    def decode(self, reply: Reply) -> TableQuestionAnsweringOutput:
        return parse(TableQuestionAnsweringOutput, one(read_json(reply)))
