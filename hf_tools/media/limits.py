"""What a MediaPolicy may be made of: each value checked, so that a mistake is no hole."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from hf_tools.errors import InputError, shown
from hf_tools.media.hosts import checked_hosts
from hf_tools.media.source import MAX_INPUT

DEFAULT_BYTES: Mapping[str, int] = {
    "image": 20 * 2**20,
    "audio": 50 * 2**20,
    "video": 200 * 2**20,
    "text": 20 * 2**20,
}
"""Bytes of each kind that are read."""


def checked_policy(policy: Any) -> dict[str, Any]:
    """The values of a MediaPolicy in the forms that it works with; an InputError names what cannot be meant."""
    for name, low, high in (
        ("inline_max", 0, MAX_INPUT), ("max_pixels", 1, 10**12), ("max_redirects", 0, 20),
    ):  # fmt: skip
        _whole(name, getattr(policy, name), low, high)
    for name in ("max_seconds", "timeout"):
        value: object = getattr(policy, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 10_000_000:
            raise _wrong(name, value, "a number of seconds above 0")
    return {
        "roots": _roots(policy.roots),
        "hosts": checked_hosts(policy.hosts),
        "schemes": _schemes(policy.schemes),
        "ports": _ports(policy.ports),
        "max_bytes": _bytes(policy.max_bytes),
        "out": _out(policy.out),
    }


def _wrong(name: str, value: object, expected: str) -> InputError:
    return InputError(f"`{name}` = {shown(repr(value), 60)}: must be {expected}")


def _whole(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _wrong(name, value, f"a whole number from {low:,} to {high:,}")


def _list(name: str, value: object, of: str) -> Sequence[object]:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise _wrong(name, value, f"a list of {of}")
    return cast(Sequence[object], value)


def _path(name: str, value: object) -> Path:
    try:
        text = cast(object, os.fspath(cast("str", value)))
    except TypeError as error:
        raise _wrong(name, value, "a directory") from error
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise _wrong(name, value, "a directory")
    return Path(text).absolute()


def _roots(value: object) -> tuple[Path, ...]:
    roots = tuple(_path("roots", root).resolve() for root in _list("roots", value, "directories"))
    for root in roots:
        if not root.is_dir() or root == Path(root.anchor):
            raise _wrong("roots", str(root), "directories that exist, and not the whole disk")
    return roots


def _out(value: object) -> Path | None:
    if value is None:
        return None
    out = _path("out", value)
    if out.exists() and not out.is_dir():
        raise _wrong("out", str(out), "a directory")
    return out


def _schemes(value: object) -> tuple[str, ...]:
    schemes = _list("schemes", value, "schemes")
    if not schemes or not all(scheme in ("http", "https") for scheme in schemes):
        raise _wrong("schemes", value, "a list of 'https' and 'http'")
    return tuple(cast(Sequence[str], schemes))


def _ports(value: object) -> tuple[int, ...]:
    ports = _list("ports", value, "port numbers")
    for port in ports:
        _whole("ports", port, 1, 65_535)
    if not ports:
        raise _wrong("ports", value, "a list of port numbers")
    return tuple(cast(Sequence[int], ports))


def _bytes(value: object) -> dict[str, int]:
    given: dict[str, object] = dict(cast("Mapping[str, object]", value)) if isinstance(value, Mapping) else {"": value}
    if not {*given} <= {*DEFAULT_BYTES}:
        raise _wrong("max_bytes", given, "a mapping with some of image, audio, video and text")
    for kind, size in given.items():
        _whole(f"max_bytes[{kind}]", size, 1, MAX_INPUT)
    return {**DEFAULT_BYTES, **cast("dict[str, int]", given)}
