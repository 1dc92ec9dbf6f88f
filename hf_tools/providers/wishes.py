"""What several providers make of a task's parameters: a size, one negative prompt, a refusal by name."""

from __future__ import annotations

from typing import Any

from hf_tools.errors import InputError
from hf_tools.loose import items
from hf_tools.providers.dialects import Target
from hf_tools.task import Task


def refusal(task: Task[Any], target: Target, what: str, instead: str) -> InputError:
    """The error for something that the provider cannot be told."""
    message = f"{task.name.replace('-', '_')}: {target.provider} cannot carry {what}"
    return InputError(message, hint=instead, task=task.name, model=target.hub_model)


def one_negative(task: Task[Any], target: Target, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters with `negative_prompt` as one text; InputError for several."""
    negative = given.get("negative_prompt")
    if not isinstance(negative, list):
        return given
    texts = items(given["negative_prompt"])
    if len(texts) > 1:
        raise refusal(task, target, "several texts in `negative_prompt`", "Put them into one text")
    return {**given, "negative_prompt": texts[0]}


def size_of(task: Task[Any], target: Target) -> dict[str, int]:
    """Width and height in pixels, or nothing; InputError for one of them alone."""
    given = task.given()
    size = given.get("target_size") or {side: given[side] for side in ("width", "height") if side in given}
    if len(size) == 1:
        raise refusal(task, target, f"`{next(iter(size))}` alone", "Give both `width` and `height`")
    return dict(size)
