"""The settings of a client, checked before anything is sent."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Self, cast

from hf_tools import providers
from hf_tools.auth import find_token
from hf_tools.errors import ConfigurationError, shown
from hf_tools.options import Options
from hf_tools.steps import Endpoint, Settings
from hf_tools.task import SERVERS, Server

if TYPE_CHECKING:
    from pydantic import SecretStr


def client_settings(
    token: str | SecretStr | bool | None, provider: str, model: str | None, base_url: str | None, options: Options,
) -> Settings:  # fmt: skip
    """The settings of a client; ConfigurationError for what cannot be."""
    providers.check_provider(provider)
    _check_options(options)
    if model is not None and not (isinstance(cast(object, model), str) and providers.is_url(model)):
        providers.check_model(model, "the client")
    if base_url is not None and provider != "auto":
        raise ConfigurationError(f"`base_url` and `provider` = {provider!r} contradict each other: give one of them")
    endpoint = Endpoint(providers.check_url(base_url, "`base_url`")) if base_url is not None else None
    found = None if provider == "local" else find_token(token)
    return Settings(found, provider, model, endpoint, options)


def endpoint_settings(url: str, token: str | SecretStr | bool | None, server: Any, options: Options) -> Settings:
    """The settings of a client for one endpoint; ConfigurationError for what cannot be."""
    _check_options(options)
    if server is not None and (not isinstance(server, str) or server not in SERVERS):
        raise ConfigurationError(f"`server` = {shown(repr(server), 60)}: known are {', '.join(SERVERS)}")
    endpoint = Endpoint(providers.check_url(url), cast("Server | None", server))
    return Settings(find_token(token), "auto", None, endpoint, options)


def _check_options(options: object) -> None:
    if not isinstance(options, Options):
        raise ConfigurationError(f"`options` must be an Options, got {type(options).__name__}")


class Portable:
    """How a client is copied, and how it travels in a pickle.

    A copy shares the connections. A deep copy and a pickle hold the settings alone: what comes of them has connections
    of its own. A token that was passed travels along; one that was found is found anew where the client arrives.
    """

    _settings: Settings
    _http: Any
    _connections: Any

    def __copy__(self) -> Self:
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        return made

    def __getstate__(self) -> dict[str, Any]:
        if self._http.is_own:
            said = "a client with an HTTP client of your own can be neither pickled nor copied with its connections"
            raise ConfigurationError(said, hint="Make it anew where it is needed")
        # what was learned may not hold elsewhere
        state = {each.name: getattr(self._settings, each.name) for each in fields(Settings) if each.name != "memory"}
        found = self._settings.token is not None and not self._settings.token.explicit
        return {**state, "token": True if found else state["token"]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        given: dict[str, Any] = {**state, "token": find_token() if state["token"] is True else state["token"]}
        self._settings = Settings(**given)
        self._http = self._connections(self._settings.provider)
