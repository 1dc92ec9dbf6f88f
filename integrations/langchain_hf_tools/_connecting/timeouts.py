"""The forms in which LangChain's users write a timeout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import httpx

from hf_tools.errors import ConfigurationError, shown
from hf_tools.options import Timeout, seconds

FORMS = "must be seconds, (connect, read), an hf_tools.Timeout, an httpx.Timeout or None"


def as_timeout(value: Any) -> float | Timeout | None:
    """What a client takes for this timeout: seconds in all, or single waits; ConfigurationError for anything else.

    A pair (connect, read) and an httpx.Timeout know no total time, so they get none. A dict with the fields of a
    Timeout is what a dumped model has.
    """
    if value is None or isinstance(value, Timeout):
        return value
    if isinstance(value, httpx.Timeout):
        return Timeout(value.connect, value.read, value.write, value.pool, None)
    if isinstance(value, dict):
        try:
            return Timeout(**cast("dict[str, Any]", value))
        except TypeError:
            raise ConfigurationError(f"`timeout` {FORMS}") from None
    pair = cast("Sequence[Any]", value) if isinstance(value, tuple | list) else ()
    if len(pair) == 2:
        return Timeout(pair[0], pair[1], total=None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(f"`timeout` = {shown(repr(cast(object, value)), 60)}: {FORMS}")
    seconds("timeout", value)
    return float(value)
