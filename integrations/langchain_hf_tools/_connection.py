"""What the models have in common: whom they ask, and how."""

from __future__ import annotations

from typing import Any, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, model_validator

from hf_tools import AsyncHfInference, HfInference, Options
from hf_tools.errors import ConfigurationError
from hf_tools.task import Server
from langchain_hf_tools._clients import Clients

CONFIG = ConfigDict(extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True, protected_namespaces=())


class Connection(BaseModel):
    """Whom to ask: the fields mean what the arguments of `hf_tools.HfInference` mean."""

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

    _clients: Clients = PrivateAttr()

    @model_validator(mode="after")
    def _connect(self) -> Self:
        """Make the clients; nothing is sent."""
        blocking = None
        if self.http_async_client is None or self.http_client is not None:
            blocking = self._client(HfInference, self.http_client)
        awaiting = self._client(AsyncHfInference, self.http_async_client) if self.http_async_client else None
        self._clients = Clients(blocking, awaiting)
        return self

    def _client(self, kind: Any, http: Any) -> Any:
        options = Options(timeout=self.timeout, max_retries=self.max_retries)
        made = kind(self.api_key, provider=self.provider, base_url=self.base_url, options=options, http_client=http)
        if self.server is None:
            return made
        if self.base_url is None:
            raise ConfigurationError(f"`server` = {self.server!r} needs `base_url`")
        return made.endpoint(self.base_url, server=self.server)
