"""Fields of a model that are parameters of a task."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pydantic import BaseModel

from hf_tools.task import Task, build


def task_fields(model: BaseModel, task: type[Task[Any]]) -> dict[str, Any]:
    """The parameters of the task that the model has as fields of the same name, with their values."""
    build(task)
    known = type(model).model_fields
    return {each.name: getattr(model, each.name) for each in fields(task) if each.kw_only and each.name in known}
