"""What the server says no to, and helpers to look at JSON."""

from __future__ import annotations

from typing import Any, TypeGuard


class Refused(Exception):
    """The request cannot be answered: the status and what is wrong, in OpenAI's form."""

    def __init__(self, message: str, *, status: int = 400, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def need(condition: bool, message: str) -> None:
    """Refuse unless the condition holds."""
    if not condition:
        raise Refused(message)


def need_object(value: Any, where: str) -> dict[str, Any]:
    if not is_object(value):
        raise Refused(f"Invalid type for '{where}': expected an object, but got {type(value).__name__} instead.")
    return value


def need_text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise Refused(f"Invalid type for '{where}': expected a string, but got {type(value).__name__} instead.")
    return value


def need_list(value: Any, where: str) -> list[Any]:
    if not is_list(value):
        raise Refused(f"Invalid type for '{where}': expected an array, but got {type(value).__name__} instead.")
    need(len(value) > 0, f"[] is too short - '{where}'")
    return value


def need_one_of(value: Any, where: str, known: tuple[str, ...]) -> None:
    supported = ", ".join(repr(each) for each in known)
    need(value in known, f"Invalid value: {value!r} for '{where}'. Supported values are: {supported}.")
