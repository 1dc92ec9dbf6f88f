"""The classes of tasks by the names of their methods."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from typing import Any

from hf_tools.catalogue import catalogue
from hf_tools.errors import InputError, shown

IMAGE_CHAT = "image_chat"
"""Chat with a model that sees pictures; it has models of its own."""


@functools.cache
def tasks() -> Mapping[str, Any]:
    """All tasks by the name of their method."""
    return dict(catalogue())


def task(name: object) -> Any:
    """The class of a task; InputError with the nearest names for one that there is not."""
    if name == IMAGE_CHAT:
        name = "chat_completion"
    kind = tasks().get(name.replace("-", "_")) if isinstance(name, str) else None
    if kind is None:
        near = difflib.get_close_matches(str(name), tasks()) or list(tasks())
        raise InputError(f"`task` = {shown(repr(name), 60)}: there is no such task", hint=f"Try {', '.join(near)}")
    return kind
