"""Chunks of text, one for each token: made by hand where that gives the same as LangChain's classes do.

Validating what is known to be right takes two thirds of the time of a chunk. The quick way writes the attributes that
pydantic keeps in every model; where a release of pydantic or of langchain-core keeps others, the check below tells, and
chunks are made by their classes again.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any, Final, TypeVar

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from pydantic import BaseModel

PROVIDER: Final = "huggingface"
"""Value of `model_provider` in the metadata of each answer; the translator of content blocks is found by it."""
Model = TypeVar("Model", bound=BaseModel)
KEPT: Final = ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
CONTAINERS: Final = ("additional_kwargs", "tool_calls", "invalid_tool_calls", "tool_call_chunks")


def validated(text: str) -> ChatGenerationChunk:
    """A chunk made by its classes."""
    return ChatGenerationChunk(message=AIMessageChunk(content=text, response_metadata={"model_provider": PROVIDER}))


_CHUNK: Final = validated("text")
_MESSAGE: Final = _CHUNK.message


def _copied(template: Model, changes: dict[str, Any], write: Any = object.__setattr__) -> Model:
    """The template with some attributes changed, without asking its class."""
    made = object.__new__(type(template))
    write(made, "__dict__", {**template.__dict__, **changes})
    write(made, "__pydantic_fields_set__", template.__pydantic_fields_set__.copy())
    extra = template.__pydantic_extra__
    write(made, "__pydantic_extra__", None if extra is None else extra.copy())
    write(made, "__pydantic_private__", None)
    return made


def copied(text: str) -> ChatGenerationChunk:
    """The same chunk, copied from one that was validated; nothing that may be changed is shared."""
    changes: dict[str, Any] = {
        "content": text, "additional_kwargs": {}, "tool_calls": [], "invalid_tool_calls": [], "tool_call_chunks": [],
        "response_metadata": {"model_provider": PROVIDER},
    }  # fmt: skip
    return _copied(_CHUNK, {"message": _copied(_MESSAGE, changes), "text": text})


def same(made: Callable[[str], ChatGenerationChunk]) -> bool:
    """Whether chunks made so are like those of their classes: in what they hold, share, say, add up to and dump as."""
    try:
        one, right = made("a b"), validated("a b")
        other = made("c")
        alike = all(left == others and _state(left) == _state(others) for left, others in _pairs(one, right))
        apart = all(getattr(one.message, name) is not getattr(other.message, name) for name in CONTAINERS)
        return alike and apart and one + other == right + validated("c")
    except (AttributeError, TypeError, ValueError):
        return False


def _pairs(one: ChatGenerationChunk, right: ChatGenerationChunk) -> list[tuple[Any, Any]]:
    each = (one, copy.copy(one), copy.deepcopy(one))
    return [(made, right) for made in each] + [(made.message, right.message) for made in each]


def _state(model: BaseModel) -> tuple[Any, ...]:
    names: list[str] = [*model.__dict__]
    return repr(model), model.model_dump(), names, *(getattr(model, name) for name in KEPT)


@functools.cache
def maker() -> Callable[[str], ChatGenerationChunk]:
    """The quickest way to chunks of text that gives what their classes give; tried with the first stream."""
    return copied if same(copied) else validated
