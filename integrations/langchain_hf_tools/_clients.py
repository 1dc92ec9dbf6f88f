"""The clients behind a tool or model: one that blocks, one that awaits; a missing one is made from the other."""

from __future__ import annotations

from typing import Any, TypeVar

from hf_tools import AsyncHfInference, HfInference
from hf_tools.errors import ConfigurationError

Made = TypeVar("Made", HfInference, AsyncHfInference)


class Clients:
    """A blocking and an awaiting client with the same settings; without any, one from the environment."""

    def __init__(self, client: HfInference | None = None, async_client: AsyncHfInference | None = None) -> None:
        self._blocking = HfInference() if client is None and async_client is None else client
        self._awaiting = async_client

    @property
    def blocking(self) -> HfInference:
        """The blocking client; ConfigurationError where the other one's connections cannot be imitated."""
        if self._blocking is None:
            self._blocking = _twin(HfInference, self._awaiting, "client", "http_client")
        return self._blocking

    @property
    def awaiting(self) -> AsyncHfInference:
        """The awaiting client; ConfigurationError where the other one's connections cannot be imitated."""
        if self._awaiting is None:
            self._awaiting = _twin(AsyncHfInference, self._blocking, "async_client", "http_async_client")
        return self._awaiting


def _twin(kind: type[Made], other: Any, client: str, http: str) -> Made:
    """A client of `kind` with the settings of the other, and with connections of its own."""
    if other._http._own is not None:
        raise ConfigurationError(
            "the client uses an HTTP client of your own, which serves either blocking or awaited calls, not both",
            hint=f"Pass `{client}` (tools) or `{http}` (models) as well",
        )
    made = kind(False, provider=other._settings.provider)
    made._settings = other._settings  # pyright: ignore[reportPrivateUsage]  # the token, the endpoint, what was learned
    return made
