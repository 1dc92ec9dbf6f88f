"""Schemas that a small model can fill: bounded where they are open, and tied to what a message says.

Each function gives a new schema; whatever the new one allows, the old one allowed too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hf_tools.local.copying import entries, numbers, phrases, said, words_of
from hf_tools.local.references import references, takes_names, without
from hf_tools.loose import items, table

Schema = dict[str, Any]
SHORT_TEXT, FEW_ITEMS = 200, 16
"""Characters and items in an answer of a form, where neither schema nor request sets a limit."""
LONGEST_TEXT, MOST_ITEMS = 400, 32
"""Characters and items in an argument whose schema sets no limit; one more may be written, and means that it ran on."""
PER_NAME = ("properties", "patternProperties", "$defs", "definitions")
LISTS = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
SINGLE = ("items", "additionalProperties")
ABOUT_PROPERTY = 200
"""Characters of a description that the model is shown."""
DEPTH = 2
"""Levels of a property's own properties that the model is shown."""
REFERENCES = 8
"""References that are followed one after the other; more are a circle."""
FIXED = ("enum", "const")
NUMERIC = ("integer", "number")
WRITTEN = frozenset(["date", "time", "date-time", "uuid"])
"""Formats that llama.cpp enforces by itself, character by character."""


def bounded(schema: Schema) -> Schema:
    """The schema with a limit for each text and list that has none: this model may repeat itself without end."""
    return _walked(schema, lambda part: _limited(part, SHORT_TEXT, FEW_ITEMS))


def tied(schema: Schema, text: str) -> Schema:
    """The schema with open texts, numbers and choices narrowed to what the message says, and bounded.

    What the message has nothing for stays open, or is left out where it is optional.
    """
    named = references(text)
    source = Source(text, phrases(text), entries(text), numbers(without(text, named)), named)

    def change(part: Schema) -> Schema:
        return _limited(_narrowed(_pruned(part, source, schema), source), LONGEST_TEXT + 1, MOST_ITEMS + 1)

    return _walked(schema, change)


def runs_on(value: Any, text: str) -> bool:
    """Whether a text or a list in these arguments was ended by the limit of `tied`, and is no copy from the message."""
    if isinstance(value, str):
        return len(value) == LONGEST_TEXT + 1 and value not in " ".join(text.split())
    if len(items(value)) == MOST_ITEMS + 1:
        return True
    return any(runs_on(entry, text) for entry in [*table(value).values(), *items(value)])


@dataclass(frozen=True)
class Source:
    """A message and what can be copied from it."""

    text: str
    phrases: list[str]
    entries: list[str]
    numbers: list[int | float]
    references: list[str]


def _walked(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    # By keyword: a property may be called "type" or "items" and is no schema's keyword then.
    if isinstance(schema.get("type"), list) and not any(name in schema for name in FIXED):
        others = {name: value for name, value in schema.items() if name != "type"}
        return {"anyOf": [_walked({**others, "type": kind}, change) for kind in items(schema["type"])]}
    found = dict(change(schema))
    for name in found.keys() & set(PER_NAME):
        found[name] = {key: _part(entry, change) for key, entry in table(found[name]).items()} or found[name]
    for name in found.keys() & set(LISTS):
        found[name] = [_part(entry, change) for entry in items(found[name])] or found[name]
    for name in found.keys() & set(SINGLE):
        found[name] = _part(found[name], change)
    return found


def _part(value: Any, change: Callable[[Schema], Schema]) -> Any:
    return _walked(table(value), change) if isinstance(value, dict) else value


def _limited(schema: Schema, text: int, most: int) -> Schema:
    if any(name in schema for name in FIXED):
        return schema
    kind = schema.get("type")
    if kind == "string" and not {"maxLength", "pattern"} & set(schema) and schema.get("format") not in WRITTEN:
        return schema | {"maxLength": max(text, _whole(schema.get("minLength")))}
    if kind == "array" and "maxItems" not in schema:
        return schema | {"maxItems": max(most, _whole(schema.get("minItems")))}
    return schema


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _narrowed(schema: Schema, source: Source) -> Schema:
    if "enum" in schema:
        spoken = [value for value in items(schema["enum"]) if said(value, source.text)]
        return schema | ({"enum": spoken} if spoken else {})
    found: list[Any] = []
    if "const" not in schema and schema.get("type") == "string" and schema.get("format") not in WRITTEN:
        found = [phrase for phrase in source.phrases if _fits(schema, phrase)]
    elif schema.get("type") == "array":
        return _list(schema, source)
    elif "const" not in schema:
        found = _numbers(schema, source)
    # The keywords that were checked go: llama.cpp takes a choice by itself only.
    return {"enum": found} if found else schema


def _list(schema: Schema, source: Source) -> Schema:
    """A list of open texts holds no pieces of a quotation: that is one value, of another argument mostly."""
    item = table(schema.get("items"))
    if item.get("type") != "string" or any(name in item for name in FIXED) or item.get("format") in WRITTEN:
        return schema
    found = [entry for entry in source.entries if _fits(item, entry)]
    return schema | ({"items": {"enum": found}} if found else {})


def _fits(schema: Schema, phrase: str) -> bool:
    most = _whole(schema["maxLength"]) if "maxLength" in schema else len(phrase)
    if not _whole(schema.get("minLength")) <= len(phrase) <= most:
        return False
    try:
        return "pattern" not in schema or re.search(str(schema["pattern"]), phrase) is not None
    except (re.error, OverflowError):
        return False  # another dialect of patterns: llama.cpp may know it


def _numbers(schema: Schema, source: Source) -> list[int | float]:
    if schema.get("type") not in NUMERIC:
        return []
    whole = schema["type"] == "integer"
    return [value for value in source.numbers if (isinstance(value, int) or not whole) and _within(schema, value)]


def _within(schema: Schema, value: float) -> bool:
    tests: tuple[tuple[str, Callable[[float], bool]], ...] = (
        ("minimum", lambda limit: value >= limit),
        ("maximum", lambda limit: value <= limit),
        ("exclusiveMinimum", lambda limit: value > limit),
        ("exclusiveMaximum", lambda limit: value < limit),
        ("multipleOf", lambda step: step > 0 and value % step == 0),
    )
    return all(test(schema[name]) for name, test in tests if type(schema.get(name)) in (int, float))


def _pruned(schema: Schema, source: Source, root: Schema) -> Schema:
    """Without the optional properties that the message says nothing about; a model this small fills in anything."""
    all_, required = properties(schema), items(schema.get("required"))
    plain = {name: base(entry, root) for name, entry in all_.items()}
    needed = [plain[name] for name in required if isinstance(name, str) and name in plain]
    asked = sum(one.get("type") in NUMERIC for one in needed)
    files = _files(all_, plain, required, source)
    kept: Schema = {}
    for name, entry in all_.items():
        alone = not required and plain[name].get("type") == "string"
        if name in files or name in required or alone or _mentioned(name, plain[name], source, asked):
            kept[name] = files.get(name, entry)
    sure = [name for name in files if name not in required] if len(files) <= len(source.references) else []
    return schema | {"properties": kept, **({"required": [*required, *sure]} if sure else {})} if all_ else schema


def _files(all_: Schema, plain: Schema, required: list[Any], source: Source) -> Schema:
    """The properties that take names of files and the like, with the names of the message that fit.

    The optional ones only where the message has more names than the required ones take.
    """
    found: Schema = {}
    for name, entry in all_.items():
        if _names(name, table(entry), plain[name]):
            held = [one for one in source.references if _fits(plain[name], one)]
            found |= {name: {"enum": held}} if held else {}
    taken = sum(name in required for name in found)
    return {name: entry for name, entry in found.items() if name in required or len(source.references) > taken}


def _names(name: str, entry: Schema, plain: Schema) -> bool:
    """Whether a property takes the name of a file or the like, in open text."""
    open_ = plain.get("type") == "string" and not any(key in plain for key in FIXED)
    return open_ and takes_names(name, plain | entry)


def _mentioned(name: str, schema: Schema, source: Source, asked: int) -> bool:
    if "enum" in schema:
        return any(said(value, source.text) for value in items(schema["enum"]))
    if schema.get("type") in NUMERIC:
        return len(_numbers(schema, source)) > asked
    return bool(words_of(name) & words_of(source.text))


def properties(schema: Schema) -> dict[str, Any]:
    """The properties of an object's schema, or none."""
    return table(schema.get("properties"))


def base(value: object, root: Schema) -> Schema:
    """The schema that a reference or an optional value stands for: `$ref` followed, null left aside."""
    for _ in range(REFERENCES):
        schema = table(value)
        reference = schema.get("$ref")
        options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        real = [option for option in items(options) if table(option).get("type") != "null"]
        if isinstance(reference, str):
            value = root
            for step in reference.removeprefix("#").strip("/").split("/"):
                value = table(value).get(step) if step else value
        elif len(real) == 1 and "properties" not in schema:
            value = real[0]
        else:
            return schema
    return {}


def signature(schema: Schema, told: Schema) -> str:
    """A line for each property of the schema, with the kind and the description that the schema `told` gives it."""
    entries = properties(base(told, told))
    lines: list[str] = []
    for name in properties(base(schema, schema)):
        entry = entries[name]
        about = table(entry).get("description")
        note = f": {' '.join(about.split())[:ABOUT_PROPERTY]}" if isinstance(about, str) and about else ""
        lines.append(f"- {name} ({_kind(entry, told)}){note}")
    return "\n".join(lines)


def _kind(value: object, root: Schema, depth: int = 0) -> str:
    schema = base(value, root)
    if choices := items(schema.get("enum")):
        return " or ".join(map(str, choices))[:ABOUT_PROPERTY]
    if schema.get("type") == "array" and depth < DEPTH:
        return f"list of {_kind(schema.get('items'), root, depth + 1)}"
    if (inner := properties(schema)) and depth < DEPTH:
        return "object of " + ", ".join(f"{name} {_kind(entry, root, depth + 1)}" for name, entry in inner.items())
    return str(schema.get("type") or "value")
