"""Values that fit a JSON schema, with the numbers and quoted texts of a prompt where they fit."""

from __future__ import annotations

import re
from typing import Any

from tests.langchain.scripted.refusals import is_list, is_object

FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "someone@example.org",
    "uri": "https://example.org/",
    "uuid": "12345678-1234-5678-1234-567812345678",
}
DEEP = 6
"""From here on optional parts are left out, so that a schema that refers to itself comes to an end."""


class Filler:
    """Fills schemas: numbers and quoted texts come from the prompt, in order, and are not used twice."""

    def __init__(self, prompt: str) -> None:
        self.numbers = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", prompt)
        quoted = re.findall(r"'([^']+)'|\"([^\"]+)\"", prompt)
        places = re.findall(r"\b(?:in|of|for) ((?:[A-Z]\w+[, ]*)+)", prompt)
        self.texts = [one or other for one, other in quoted] + [place.strip(" ,") for place in places]
        self.definitions: dict[str, Any] = {}

    def fill(self, schema: dict[str, Any]) -> Any:
        """A value for a whole schema."""
        self.definitions = {**schema.get("definitions", {}), **schema.get("$defs", {})}
        return self.value(schema, "value", 0)

    def value(self, schema: Any, name: str, depth: int) -> Any:
        if not is_object(schema) or not schema:
            return f"some {name}"
        if "$ref" in schema:
            return self.value(self.definitions[schema["$ref"].rpartition("/")[2]], name, depth + 1)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self.value(choose(schema[key], depth), name, depth + 1)
        if "allOf" in schema:
            return self.value({key: value for part in schema["allOf"] for key, value in part.items()}, name, depth + 1)
        return self.typed(schema, name, depth)

    def typed(self, schema: dict[str, Any], name: str, depth: int) -> Any:
        kind: Any = schema.get("type", "object" if "properties" in schema else "string")
        if is_list(kind):
            kind = next(each for each in kind if each != "null")
        if kind == "object":
            return self.object(schema, depth)
        if kind == "array":
            return self.array(schema, name, depth)
        if kind in ("integer", "number"):
            return self.number(schema, kind)
        if kind in ("boolean", "null"):
            return schema.get("default", True) if kind == "boolean" else None
        return self.text(schema, name)

    def object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required", [])
        found = {
            name: self.value(value, name, depth + 1)
            for name, value in schema.get("properties", {}).items()
            if name in required or depth < DEEP
        }
        free = schema.get("additionalProperties")
        if not found and is_object(free):
            return {"key": self.value(free, "key", depth + 1)}
        return found

    def array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        if "prefixItems" in schema:
            return [self.value(each, name, depth + 1) for each in schema["prefixItems"]]
        count = max(schema.get("minItems", 0), 1 if depth < DEEP else 0)
        return [self.value(schema.get("items"), name, depth + 1) for _ in range(count)]

    def number(self, schema: dict[str, Any], kind: str) -> int | float:
        least = max([schema.get("minimum", float("-inf")), schema.get("exclusiveMinimum", float("-inf"))])
        most = min([schema.get("maximum", float("inf")), schema.get("exclusiveMaximum", float("inf"))])
        while self.numbers:
            number = float(self.numbers.pop(0))
            if least <= number <= most and (kind == "number" or number.is_integer()):
                return int(number) if number.is_integer() else number
        if "default" in schema and schema["default"] is not None:
            return schema["default"]  # type: ignore[no-any-return]
        if least <= 1 <= most:
            return 1
        return int(least + 1) if least != float("-inf") else int(most - 1)

    def text(self, schema: dict[str, Any], name: str) -> str:
        if "format" in schema:
            return FORMATS.get(schema["format"], f"some {name}")
        text = self.texts.pop(0) if self.texts else schema.get("default") or f"some {name}"
        return str(text).ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]


def choose(options: list[Any], depth: int) -> Any:
    """The first that is not null; null where the schema goes too deep."""
    nulls = [each for each in options if each.get("type") == "null"]
    others = [each for each in options if each.get("type") != "null"]
    return nulls[0] if nulls and (depth >= DEEP or not others) else others[0]
