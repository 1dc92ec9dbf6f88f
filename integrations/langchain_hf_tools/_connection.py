"""What the models have in common: whom they ask, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from pydantic import AliasChoices, ConfigDict, Field, PrivateAttr, SecretStr

from hf_tools import AsyncHfInference, HfInference, Options
from hf_tools.auth import find_token
from hf_tools.errors import ConfigurationError
from hf_tools.task import Server
from langchain_hf_tools._checked import Checked
from langchain_hf_tools._clients import Clients

CONFIG = ConfigDict(extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True, protected_namespaces=())
HTTP = {"http_client": httpx.Client, "http_async_client": httpx.AsyncClient}
SETTINGS = ("provider", "base_url", "server", "api_key", "timeout", "max_retries", *HTTP)
"""The fields that the clients are made from."""


class Connection(Checked):
    """Whom to ask: the fields mean what the arguments of `hf_tools.HfInference` mean; InputError for a wrong one."""

    model_config = CONFIG

    model: str | None = None
    """Model ID on the Hub (`org/name`, for chat also `org/name:provider`) or the URL of an endpoint."""
    provider: str = "auto"
    """`auto`, `hf-inference`, or `local` for the embedded backend."""
    base_url: str | None = None
    """An endpoint that gets all calls instead: a dedicated one, or a server of your own."""
    server: Server | None = None
    """What the endpoint at `base_url` speaks; without it the endpoint is asked once."""
    api_key: SecretStr | None = Field(default=None, validation_alias=AliasChoices("api_key", "token"))
    """An hf_ token, or the key of your own server; without it HF_TOKEN or the login file. Also called `token`."""
    timeout: float | None = None
    """Seconds that a call may take in all, its retries included; for a stream, until its end."""
    max_retries: int = 2
    """Further attempts after a failure that may pass, 0 to 10."""
    http_client: Any = Field(default=None, exclude=True, repr=False)
    """An httpx.Client of your own, for proxies, TLS settings or tests."""
    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    """An httpx.AsyncClient of your own."""

    _made: tuple[tuple[Any, ...], Clients] | None = PrivateAttr(default=None)

    if not TYPE_CHECKING:  # pragma: no branch - a type checker reads the fields

        def __init__(self, /, *args: Any, **fields: Any) -> None:
            super().__init__(*args, **fields)
            _ = self._clients  # a wrong setting is refused now, not by the first call

        def __setattr__(self, name: str, value: Any) -> None:
            is_bare = name == "api_key" and isinstance(value, str)
            super().__setattr__(name, SecretStr(value) if is_bare else value)

    def __getstate__(self) -> dict[Any, Any]:
        """What is pickled: the fields; the clients are made anew."""
        state = super().__getstate__()
        return {**state, "__pydantic_private__": {**(state["__pydantic_private__"] or {}), "_made": None}}

    @property
    def _clients(self) -> Clients:
        """The clients for the fields as they are now: a copy with another address must not ask the old one."""
        settings, made = tuple(getattr(self, name) for name in SETTINGS), self._made
        if made is None or made[0] != settings:
            made = self._made = (settings, self._connected())
        return made[1]

    def _connected(self) -> Clients:
        """New clients; nothing is sent. ConfigurationError for settings that cannot work."""
        if self.server is not None and self.base_url is None:
            raise ConfigurationError(f"`server` = {self.server!r} needs `base_url`")
        self._check_key()
        for name, kind in HTTP.items():
            own = getattr(self, name)
            if own is not None and not isinstance(own, kind):
                raise ConfigurationError(f"`{name}` must be an httpx.{kind.__name__}, got {type(own).__name__}")
        blocking = None
        if self.http_async_client is None or self.http_client is not None:
            blocking = self._client(HfInference, self.http_client)
        awaiting = self._client(AsyncHfInference, self.http_async_client) if self.http_async_client else None
        return Clients(blocking, awaiting)

    def _check_key(self) -> None:
        try:
            find_token(self.api_key)
        except ConfigurationError as error:
            said = error.message.replace("the token", "`api_key`")
            raise ConfigurationError(said, hint="The model's ID goes into `model`") from None

    def _client(self, kind: Any, http: Any) -> Any:
        options = Options(timeout=self.timeout, max_retries=self.max_retries)
        made = kind(self.api_key, provider=self.provider, base_url=self.base_url, options=options, http_client=http)
        return made if self.server is None else made.endpoint(self.base_url, server=self.server)
