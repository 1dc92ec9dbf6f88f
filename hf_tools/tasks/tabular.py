"""Predictions for the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from hf_tools.inputs import Table
from hf_tools.task import Body, Out, Reply, Route, Task
from hf_tools.wire import Score, inputs, many, parse, read_json


class TabularTask(Task[Out]):
    """A table, to be judged row by row."""

    table: Table
    """Columns by name, or rows; cells become text."""

    def encode(self, route: Route) -> Body:
        return inputs(route, {"data": self.table})

    def predictions(self, reply: Reply) -> list[Any]:
        columns = cast(Mapping[str, Sequence[str]], self.table)
        return many(read_json(reply), len(next(iter(columns.values()))))


class TabularClassification(TabularTask[list[int | float | str]]):
    """Give each row of a table its class: a number or a name, as the model has it."""

    name: ClassVar[str] = "tabular-classification"

    def decode(self, reply: Reply) -> list[int | float | str]:
        return parse(list[bool | int | Score | str], self.predictions(reply))


class TabularRegression(TabularTask[list[float]]):
    """Give each row of a table its number."""

    name: ClassVar[str] = "tabular-regression"

    def decode(self, reply: Reply) -> list[float]:
        return parse(list[Score], self.predictions(reply))
