"""Answers as JSON and as text that a person, `cut` and `grep` can read."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from hf_tools.answer import Answer
from hf_tools.cli.lists import aligned
from hf_tools.cli.saving import PARTS, Saver
from hf_tools.errors import CONTROL
from hf_tools.loose import items, table
from hf_tools.media import Media

TEXTS = ("summary_text", "translation_text", "generated_text", "answer", "text")
"""Fields that are the text of an answer."""
COLUMNS = ("score", "label", "entity_group", "entity", "rank", "word", "token_str", *TEXTS, "sequence", "box", "span")
"""Fields of an answer in a list, in the order of a line; `rank`, `box` and `span` are put together."""


def say(text: str) -> None:
    """Write to stdout at once; what steers a terminal does not reach one."""
    sys.stdout.write(harmless(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def harmless(text: str) -> str:
    """The text without what steers a terminal; line ends and tabs stay."""
    return re.sub(CONTROL, lambda found: found[0] if found[0] in "\n\t" else "?", text)


def as_json(answer: Any, saver: Saver) -> str:
    """The whole answer as JSON; characters that steer a terminal are escaped, and so is what stdout cannot encode."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    ascii_only = encoding.lower().replace("-", "") != "utf8"
    text = json.dumps(plain(answer, saver.about), indent=2, ensure_ascii=ascii_only, allow_nan=False)
    return re.sub(CONTROL, lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text)


def plain(value: Any, about: Callable[[Media], Any]) -> Any:
    """A value as JSON has it: fields under the names of the wire, nan as null, media as `about` tells them."""
    if isinstance(value, Media):
        return about(value)
    if isinstance(value, Answer):
        return {name: plain(part, about) for name, part in _fields(value)}
    if isinstance(value, dict):
        return {key: plain(part, about) for key, part in table(value).items()}
    if isinstance(value, list | tuple):
        masks: Any = getattr(cast(object, value), "masks", ())
        return [plain(part, about) for part in (masks if len(masks) > 1 else cast("Sequence[Any]", value))]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _fields(answer: Answer) -> Iterator[tuple[str, Any]]:
    for field, known in type(answer).model_fields.items():
        name, value = known.alias or field, getattr(answer, field)
        yield name, getattr(answer, name) if name in PARTS and value is not None else value
    yield from (answer.model_extra or {}).items()


def readable(answer: Any, saver: Saver) -> str:
    """The answer as text: a text as it is, a list as one line for each item, lists of lists with a blank line between.

    Media are told by their files.
    """
    if isinstance(answer, list):
        return _listed(items(cast(object, answer)), saver)
    if (choices := getattr(answer, "choices", None)) is not None:
        return "\n\n".join(_message(choice.message) for choice in choices)
    if sequences := getattr(answer, "sequences", None):
        return "\n\n".join(each.generated_text for each in sequences)
    if chunks := getattr(answer, "chunks", None):
        return "\n".join(aligned([_timed(each) for each in chunks]))
    if (numbers := getattr(answer, "predicted_depth", None)) is not None:
        return _vectors(numbers)
    return next(str(text) for name in TEXTS if (text := getattr(answer, name, None)) is not None)


def _listed(answers: list[Any], saver: Saver) -> str:
    masks: Any = getattr(answers, "masks", ())
    if len(masks) > 1:
        return "\n\n".join(_listed(each, saver) for each in masks)
    if hasattr(answers, "vectors"):
        return _vectors(answers)
    if answers and isinstance(answers[0], list):
        return "\n\n".join(_listed(each, saver) for each in answers)
    if answers and isinstance(answers[0], Answer):
        return "\n".join(aligned(_rows(answers, saver)))
    return "\n".join(each if isinstance(each, str) else json.dumps(each) for each in answers)


def _vectors(numbers: list[Any]) -> str:
    """Each vector as a line of JSON."""
    rows = numbers if numbers and isinstance(numbers[0], list) else [numbers]
    return "\n".join(json.dumps(plain(row, str)) for row in rows)


def _rows(answers: list[Any], saver: Saver) -> list[tuple[str, ...]]:
    """A row for each answer, without the columns that none of them has."""
    rows = [[*(_cell(each, name) for name in COLUMNS), *_files(each, saver)] for each in answers]
    used = [place for place, column in enumerate(zip(*rows, strict=True)) if any(column)]
    return [tuple(row[place] for place in used) for row in rows]


def _cell(answer: Any, name: str) -> str:
    if name == "rank":
        # among words, `index` is the place of a token
        rank = getattr(answer, "index", None)
        return "" if rank is None or hasattr(answer, "word") else str(rank)
    if name == "box":
        box = getattr(answer, "box", None)
        return "" if box is None else ",".join(str(getattr(box, side)) for side in ("xmin", "ymin", "xmax", "ymax"))
    if name == "span":
        start, end = getattr(answer, "start", None), getattr(answer, "end", None)
        return "" if start is None or end is None else f"{start}-{end}"
    value = getattr(answer, name, None)
    if name == "score":
        return "" if value is None else f"{value:.4f}"
    return "" if value is None else " ".join(str(value).split())


def _files(answer: Any, saver: Saver) -> list[str]:
    """The files of an item's media; nothing is decoded where they go nowhere."""
    if saver.output is None:
        return []
    return [str(saver.save(getattr(answer, name))) for name in PARTS if hasattr(answer, name)]


def _timed(chunk: Any) -> tuple[str, ...]:
    return (*("-" if time is None else f"{time:.2f}" for time in chunk.timestamp), " ".join(chunk.text.split()))


def _message(message: Any) -> str:
    """The text of a message, else why there is none; then its tool calls, each as a line of JSON."""
    text = message.content or message.refusal
    return "\n".join([*([text] if text else []), *_called(message)])


def calls_of(answer: Any) -> list[str]:
    """The tool calls of an answer's first message, each as a line of JSON; none of an answer that has no message."""
    message = getattr(answer, "message", None)
    return _called(message) if message else []


def _called(message: Any) -> list[str]:
    calls = [(call.id, call.function) for call in message.tool_calls]
    about = [{"id": known, "name": made.name, "arguments": made.arguments} for known, made in calls]
    return [json.dumps(each, ensure_ascii=False) for each in about]
