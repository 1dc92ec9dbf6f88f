"""Clients: `HfInference` blocks, `AsyncHfInference` awaits; nothing else differs."""

from __future__ import annotations

import copy
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from hf_tools._http import AsyncClient, Client, Http
from hf_tools.catalogue import Catalogue
from hf_tools.errors import ConfigurationError, InputError
from hf_tools.options import Options
from hf_tools.response import Response
from hf_tools.serving import AsyncServing, Serving
from hf_tools.settings import Portable, client_settings, endpoint_settings
from hf_tools.steps import Settings, Steps
from hf_tools.streams import AsyncStream, Stream
from hf_tools.task import Out, Part, Server, Streamed, Task

if TYPE_CHECKING:
    from types import ModuleType

    from pydantic import SecretStr

    from hf_tools._http import AsyncHttp


def _check_task(task: object, kind: type = Task) -> None:
    if not isinstance(task, kind):
        raise InputError(f"expected a {kind.__name__} such as Summarization(...), got {type(task).__name__}")


def _call(task: Task[Out], settings: Settings) -> Steps[Response[Out]]:
    """The exchange, loaded with the first call."""
    from hf_tools.exchange import call

    return call(task, settings)


def _local() -> ModuleType:
    """The embedded backend, loaded when it is asked for."""
    import hf_tools.local

    return hf_tools.local


def _async_http(own: AsyncClient | None, transport: Any = None) -> AsyncHttp:
    """The awaiting driver, loaded when it is needed: asyncio is a tenth of the import time."""
    from hf_tools._http.aio import AsyncHttp

    return AsyncHttp(own, transport)


def _transport(provider: str, http_client: object, kind: str) -> Any:
    """What makes the connections: None for the network."""
    if provider != "local":
        return None
    if http_client is not None:
        raise ConfigurationError("`http_client` cannot be used with the embedded backend, which has no network")
    return getattr(_local(), kind)


class _Common(Portable, Catalogue):
    """What both clients share: the settings, and copies with other ones."""

    @property
    def options(self) -> Options:
        """The options of this client."""
        return self._settings.options

    @property
    def provider(self) -> str:
        """Who is asked: "auto", "local" or the name of a provider."""
        return self._settings.provider

    @property
    def model(self) -> str | None:
        """The model of calls that name none."""
        return self._settings.model

    @property
    def url(self) -> str | None:
        """The address of the endpoint that gets all calls, without its query; None without one."""
        endpoint = self._settings.endpoint
        return endpoint.url.partition("?")[0] if endpoint else None

    def with_options(self, **changes: Any) -> Self:
        """A client with some options changed; connections and what was learned are shared with this one."""
        made = copy.copy(self)
        made._settings = replace(self._settings, options=self._settings.options.with_changes(**changes))
        return made

    def _endpoint(self, kind: Any, url: str, server: Server | None) -> Any:
        """A client of `kind` for an endpoint; only an explicit token goes along, an ambient one is found anew."""
        settings = self._settings
        if settings.provider == "local":
            raise InputError("the embedded backend has no endpoints", hint="Use HfInference().endpoint(url)")
        if settings.provider not in ("auto", "hf-inference"):  # its key must not go to that address
            said = f"a client of the provider {settings.provider!r} has no endpoints"
            raise ConfigurationError(said, hint="Use HfInferenceEndpoint(url, token) for that address")
        made = kind.__new__(kind)
        made.__dict__.update(self.__dict__)
        checked = endpoint_settings(url, False, server, settings.options)
        made._settings = replace(settings, provider="auto", model=None, endpoint=checked.endpoint)
        return made

    def _twin(self, kind: Any, http: Http | AsyncHttp) -> Any:
        """A client of the other kind with the same settings, and with connections of its own."""
        if http.is_own:
            raise ConfigurationError(
                "the client uses an HTTP client of your own, which serves either blocking or awaited calls, not both",
                hint="Make the other client yourself, with its own `http_client`",
            )
        made = kind(False, provider=self._settings.provider)
        made._settings = self._settings
        return made

    def __repr__(self) -> str:
        about = self._settings
        where = f"url={about.endpoint.url.partition('?')[0]!r}" if about.endpoint else f"provider={about.provider!r}"
        model = f", model={about.model.partition('?')[0]!r}" if about.model else ""
        return f"{type(self).__name__}({where}{model}, token={'from ' + about.token.source if about.token else None})"

    if not TYPE_CHECKING:  # pragma: no branch - a type checker would take every name for known

        def __getattr__(self, name: str) -> Any:
            """A mistyped task gets the nearest names."""
            import difflib

            near = difflib.get_close_matches(name, [known for known in dir(type(self)) if not known.startswith("_")])
            hint = f"; did you mean {' or '.join(near)}?" if near and not name.startswith("_") else ""
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}{hint}")


class HfInference(_Common, Serving):
    """Every inference task, blocking.

    `token`: an hf_ token; without it HF_TOKEN or the login file is used, False for none. `provider`: "auto" (chat
    through the router, the rest by hf-inference), "hf-inference" or "local". `model`: the default of all calls.
    `base_url`: an endpoint that gets all calls instead. `http_client`: an httpx.Client of your own, which stays yours
    to close; its waits are bounded by the total time between reads only. Safe to use from several threads.
    """

    def __init__(
        self,
        token: str | SecretStr | bool | None = None,
        *,
        provider: str = "auto",
        model: str | None = None,
        base_url: str | None = None,
        options: Options = Options(),  # noqa: B008 - frozen
        http_client: Client | None = None,
    ) -> None:
        self._settings = client_settings(token, provider, model, base_url, options)
        self._http = self._connections(provider, http_client)

    @staticmethod
    def _connections(provider: str, own: Client | None = None) -> Http:
        return Http(own, _transport(provider, own, "transport"))

    def run(self, task: Task[Out]) -> Out:
        """Run a task and return its answer; raises an HfError."""
        return self.respond(task).answer

    def respond(self, task: Task[Out]) -> Response[Out]:
        """Run a task and return its answer with the headers that came with it."""
        _check_task(task)
        with ExitStack() as held:
            response: Response[Out] = self._http.drive(_call(task, self._settings), held)[0]
            return response

    def stream(self, task: Streamed[Out, Part]) -> Stream[Out, Part]:
        """A stream of the task's parts; nothing is sent before the first part is asked for."""
        _check_task(task, Streamed)
        return Stream(task, self._settings, self._http)

    def endpoint(self, url: str, *, server: Server | None = None) -> HfInferenceEndpoint:
        """A client for an endpoint that shares the connections and options of this one."""
        made: HfInferenceEndpoint = self._endpoint(HfInferenceEndpoint, url, server)
        return made

    def to_async(self) -> AsyncHfInference:
        """A client that awaits, with the settings of this one and connections of its own."""
        made: AsyncHfInference = self._twin(AsyncHfInference, self._http)
        return made

    def close(self) -> None:
        """Close the connections; clients made from this one share them."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class HfInferenceEndpoint(HfInference):
    """One endpoint: a dedicated Inference Endpoint, or a server of your own (toolkit, TGI, TEI, vLLM, llama.cpp).

    `server` tells what it speaks; without it the endpoint is asked once (GET /info, then /v1/models, else the
    toolkit's form). A token from the environment goes to Hugging Face's hosts only; pass it for others.
    """

    def __init__(
        self,
        endpoint_url: str,
        token: str | SecretStr | bool | None = None,
        *,
        server: Server | None = None,
        options: Options = Options(),  # noqa: B008
        http_client: Client | None = None,
    ) -> None:
        self._settings = endpoint_settings(endpoint_url, token, server, options)
        self._http = Http(http_client)


class AsyncHfInference(_Common, AsyncServing):
    """Every inference task, awaited; otherwise as `HfInference`. Works in several event loops."""

    def __init__(
        self,
        token: str | SecretStr | bool | None = None,
        *,
        provider: str = "auto",
        model: str | None = None,
        base_url: str | None = None,
        options: Options = Options(),  # noqa: B008
        http_client: AsyncClient | None = None,
    ) -> None:
        self._settings = client_settings(token, provider, model, base_url, options)
        self._http = self._connections(provider, http_client)

    @staticmethod
    def _connections(provider: str, own: AsyncClient | None = None) -> AsyncHttp:
        return _async_http(own, _transport(provider, own, "async_transport"))

    async def run(self, task: Task[Out]) -> Out:
        """Run a task and return its answer; raises an HfError."""
        return (await self.respond(task)).answer

    async def respond(self, task: Task[Out]) -> Response[Out]:
        """Run a task and return its answer with the headers that came with it."""
        _check_task(task)
        async with AsyncExitStack() as held:
            response: Response[Out] = (await self._http.drive(_call(task, self._settings), held))[0]
            return response

    def stream(self, task: Streamed[Out, Part]) -> AsyncStream[Out, Part]:
        """A stream of the task's parts; nothing is sent before the first part is asked for."""
        _check_task(task, Streamed)
        return AsyncStream(task, self._settings, self._http)

    def endpoint(self, url: str, *, server: Server | None = None) -> AsyncHfInferenceEndpoint:
        """A client for an endpoint that shares the connections and options of this one."""
        made: AsyncHfInferenceEndpoint = self._endpoint(AsyncHfInferenceEndpoint, url, server)
        return made

    def to_sync(self) -> HfInference:
        """A client that blocks, with the settings of this one and connections of its own."""
        made: HfInference = self._twin(HfInference, self._http)
        return made

    async def close(self) -> None:
        """Close the connections; clients made from this one share them."""
        await self._http.aclose()

    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AsyncHfInferenceEndpoint(AsyncHfInference):
    """One endpoint, awaited; otherwise as `HfInferenceEndpoint`."""

    def __init__(
        self,
        endpoint_url: str,
        token: str | SecretStr | bool | None = None,
        *,
        server: Server | None = None,
        options: Options = Options(),  # noqa: B008
        http_client: AsyncClient | None = None,
    ) -> None:
        self._settings = endpoint_settings(endpoint_url, token, server, options)
        self._http = _async_http(http_client)
