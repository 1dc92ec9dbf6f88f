"""What a caller may set for all calls of a client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self, cast

from hf_tools.errors import ConfigurationError, InputError, shown

LONGEST = 10_000_000
"""Seconds; more than an operating system waits for at once."""


@dataclass(frozen=True, slots=True)
class Timeout:
    """Seconds for each wait, None for no limit; `total` is for the whole call with its retries.

    `read` is the longest silence of the server, before its answer as well; in a stream between its chunks. `idle` is
    for streams: so long may a server keep one alive with comments and pings while nothing of the answer comes; models
    that think unseen need minutes. It is noticed with the next bytes.
    `total` is "default" (120 s, 600 s for media, none for streams), a number, or None.
    """

    connect: float | None = 5.0
    read: float | None = 60.0
    write: float | None = 60.0
    pool: float | None = 30.0
    total: float | Literal["default"] | None = "default"
    idle: float | None = 300.0

    def __post_init__(self) -> None:
        for name in ("connect", "read", "write", "pool", "idle"):
            seconds("timeout", getattr(self, name), name)
        if self.total != "default":
            seconds("timeout", self.total, "total")


def seconds(option: str, value: Any, part: str = "") -> None:
    """Refuse what is no positive number of seconds; None is no limit."""
    if value is None:
        return
    name = f"{option}.{part}" if part else option
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST:
        allowed = f"must be a number of seconds above 0 and up to {LONGEST:,}, or None"
        raise ConfigurationError(f"`{name}` = {shown(repr(value), 60)}: {allowed}")


STREAM, WHOLE = Timeout(), Timeout(read=None)
"""The waits of those who set none: for a stream, and for a whole answer."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a client.

    - `wait_for_model`: wait for a model that is being loaded (503) until the total time is used up.
    - `use_cache`: False asks hf-inference for a fresh answer (`X-Use-Cache: false`).
    - `retry_on_error`: False means `max_retries=0`.
    - `dont_load_model`: answer with an error instead of loading a model (`X-Load-Model: 0`).
    - `use_gpu`: run on a GPU where the plan has one; goes into JSON bodies of hf-inference only.
    - `bill_to`: organization that pays (`X-HF-Bill-To`), sent to Hugging Face only.
    - `timeout`: total seconds of a call, or a `Timeout`; default 120 s, 600 s for media, no total for streams.
    - `max_retries`: further attempts after a failure that may pass; 0 to 10.
    - `extra_headers`: sent with each request to the inference server, never with downloads.
    - `on_progress`: called with the `JobHandle` of a long job each time before the provider is asked after it.
    """

    wait_for_model: bool = False
    use_cache: bool = True
    retry_on_error: bool = True
    dont_load_model: bool = False
    use_gpu: bool = False
    bill_to: str | None = None
    timeout: float | Timeout | None = None
    max_retries: int = 2
    extra_headers: Mapping[str, str] = field(default_factory=lambda: dict[str, str](), repr=False)

    on_progress: Callable[[Any], object] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.on_progress is not None and not callable(self.on_progress):
            raise ConfigurationError("`on_progress` must be a function that takes a JobHandle")
        if not isinstance(self.timeout, Timeout):
            seconds("timeout", self.timeout)
        retries: Any = self.max_retries
        if isinstance(retries, bool) or not isinstance(retries, int) or not 0 <= retries <= 10:
            raise ConfigurationError(f"`max_retries` = {shown(repr(retries), 60)}: must be a whole number from 0 to 10")
        if not isinstance(cast(object, self.extra_headers), Mapping):
            raise ConfigurationError("`extra_headers` must be a mapping from names to values")
        for name, value in [*self.headers(), ("X-HF-Bill-To", self.bill_to or "")]:
            clean_header(name, value)

    @property
    def attempts(self) -> int:
        """How often a request may be sent in all."""
        return 1 + (self.max_retries if self.retry_on_error else 0)

    def waits(self, *, stream: bool = False) -> Timeout:
        """The single waits; a server may work on a whole answer until the total time is used up."""
        if isinstance(self.timeout, Timeout):
            return self.timeout
        return STREAM if stream else WHOLE

    def total(self, default: float | None) -> float | None:
        """Seconds for the whole call; `default` where the caller set none."""
        if isinstance(self.timeout, Timeout):
            return default if self.timeout.total == "default" else self.timeout.total
        return self.timeout if self.timeout is not None else default

    def headers(self) -> list[tuple[str, str]]:
        """The headers that the options ask for, all but the billing one."""
        sent: list[tuple[str, str]] = []
        if not self.use_cache:
            sent.append(("X-Use-Cache", "false"))
        if self.wait_for_model:
            sent.append(("X-Wait-For-Model", "true"))
        if self.dont_load_model:
            sent.append(("X-Load-Model", "0"))
        return [*sent, *self.extra_headers.items()]

    def with_changes(self, **changes: Any) -> Self:
        """A copy with some options changed; InputError for an unknown one."""
        try:
            return replace(self, **changes)
        except TypeError as error:
            known = ", ".join(self.__slots__)
            raise InputError(f"no such option: {shown(', '.join(changes))}", hint=f"Options are {known}") from error


def clean_header(name: str, value: str) -> None:
    """Refuse a header that is no text, or could smuggle in another one."""
    if not isinstance(cast(object, name), str) or not isinstance(cast(object, value), str):
        raise ConfigurationError(f"the header {shown(repr(name), 60)} and its value must be text")
    text = f"{name}{value}"
    if not text.isascii() or not text.isprintable() or not name.strip() or ":" in name or " " in name:
        raise ConfigurationError(f"the header {shown(name, 60)} has characters that a header may not have")
