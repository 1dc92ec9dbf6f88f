"""The clients behind a tool or model: one that blocks, one that awaits; a missing one is made from the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar, cast

from hf_tools import AsyncHfInference, HfInference
from hf_tools.errors import ClientClosed, ConfigurationError

Made = TypeVar("Made", HfInference, AsyncHfInference)


class Clients:
    """A blocking and an awaiting client with the same settings; without any, one from the environment."""

    def __init__(self, client: HfInference | None = None, async_client: AsyncHfInference | None = None) -> None:
        _expect("client", client, HfInference)
        _expect("async_client", async_client, AsyncHfInference)
        self._blocking = HfInference() if client is None and async_client is None else client
        self._awaiting = async_client
        self._closed = False

    def __deepcopy__(self, memo: Any) -> Self:
        return self  # connections are shared, never copied

    @property
    def known(self) -> HfInference | AsyncHfInference:
        """One of the two, to be asked for its settings."""
        return cast("HfInference | AsyncHfInference", self._blocking or self._awaiting)

    @property
    def blocking(self) -> HfInference:
        """The blocking client; ConfigurationError where the other one's connections cannot be imitated."""
        self._check_open()
        if self._blocking is None:
            self._blocking = _made(cast(AsyncHfInference, self._awaiting).to_sync, "client", "http_client")
        return self._blocking

    @property
    def awaiting(self) -> AsyncHfInference:
        """The awaiting client; ConfigurationError where the other one's connections cannot be imitated."""
        self._check_open()
        if self._awaiting is None:
            self._awaiting = _made(cast(HfInference, self._blocking).to_async, "async_client", "http_async_client")
        return self._awaiting

    def close(self) -> None:
        """Close the blocking connections; those of an event loop end with it. No call is taken any more."""
        self._closed = True
        if self._blocking is not None:
            self._blocking.close()

    async def aclose(self) -> None:
        """Close the connections of both; no call is taken any more."""
        self.close()
        if self._awaiting is not None:
            await self._awaiting.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosed("the model was closed", hint="Make a new one, or leave its `with` block later")


def _expect(name: str, client: object, kind: type) -> None:
    if client is not None and not isinstance(client, kind):
        raise ConfigurationError(f"`{name}` must be an {kind.__name__}, got {type(client).__name__}")


def _made(twin: Callable[[], Made], client: str, http: str) -> Made:
    """The other client; where it cannot be made the error says what to pass."""
    try:
        return twin()
    except ConfigurationError as error:
        error.hint = f"Pass `{client}` (tools) or `{http}` (models) as well"
        raise
