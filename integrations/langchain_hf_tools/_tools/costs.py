"""What a call of a tool costs, roughly, and which tags it has. Prices are never told: providers change them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from langchain_hf_tools._tools.arguments import Argument

CostClass: TypeAlias = Literal["free", "cheap", "moderate", "expensive"]

CLASSES: tuple[CostClass, ...] = ("free", "cheap", "moderate", "expensive")
MODERATE = frozenset([
    "audio_to_audio", "image_text_to_image", "image_to_image", "text_to_audio", "text_to_image", "text_to_speech",
])  # fmt: skip
"""Tasks that make pictures and sounds: providers charge by the piece or by the second."""
EXPENSIVE = frozenset(["image_text_to_video", "image_to_video", "text_to_video"])
"""Tasks that make films: they take minutes and cost many times a picture."""
ABOUT: dict[CostClass, str] = {
    "moderate": "Costs credits.",
    "expensive": "Takes minutes and costs many credits: call it only when asked to.",
}
"""What a model is told."""


def cost_class(tasks: Iterable[str], *, local: bool) -> CostClass:
    """The class of the most expensive of these tasks; what asks no model is free."""
    found = frozenset(tasks)
    if local or not found:
        return "free"
    return "expensive" if found & EXPENSIVE else "moderate" if found & MODERATE else "cheap"


def tags(arguments: Iterable[Argument], tasks: Iterable[str], cost: CostClass) -> list[str]:
    """Tags for filters and traces: `hf`, the kinds of media that go in or come out, `costly`."""
    kinds = {each.media.kind for each in arguments if each.media}
    made = {word for name in tasks for word in name.rpartition("_to_")[2].split("_")}
    found = [tag for tag, marks in MARKS.items() if kinds & marks or made & marks]
    return ["hf", *(found or ["text"]), *(["costly"] if cost in ("moderate", "expensive") else [])]


MARKS: Mapping[str, frozenset[str]] = {
    "vision": frozenset(["image"]), "audio": frozenset(["audio", "speech"]), "video": frozenset(["video"]),
}  # fmt: skip
"""Kinds of media, and words at the end of the names of tasks that make such."""


def about(tasks: Iterable[str], *, local: bool) -> str:
    """What a model is told of the cost, where whatever the tool does has one."""
    classes: set[CostClass] = {cost_class([name], local=local) for name in tasks}
    return ABOUT[max(classes, key=CLASSES.index)] if classes and all(one in ABOUT for one in classes) else ""
