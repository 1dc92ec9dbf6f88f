"""What the models have in common: whom they ask, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from operator import attrgetter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

import httpx
from pydantic import AliasChoices, ConfigDict, Field, PrivateAttr, SecretStr, field_validator

from hf_tools import AsyncHfInference, HfInference, Options
from hf_tools.auth import find_token, of_hugging_face
from hf_tools.errors import ConfigurationError, InputError, shown
from hf_tools.options import Timeout
from hf_tools.providers import ROUTER, check_model, check_url, is_url
from hf_tools.task import Server
from langchain_hf_tools._connecting.checked import Checked
from langchain_hf_tools._connecting.clients import Clients
from langchain_hf_tools._connecting.keys import AmbientKey, ambient_key
from langchain_hf_tools._connecting.timeouts import as_timeout

CONFIG = ConfigDict(extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True, protected_namespaces=())
HTTP = {"http_client": httpx.Client, "http_async_client": httpx.AsyncClient}
_settings = attrgetter(
    "model", "provider", "base_url", "server", "api_key", "timeout", "max_retries", "bill_to", "extra_headers",
    "wait_for_model", *HTTP,
)  # fmt: skip
"""The fields that the clients are made from."""


class Asking(Checked):
    """Whom to ask: the fields mean what the arguments of `hf_tools.HfInference` mean; InputError for a wrong one.

    Works in several threads and event loops and after a fork; `close` or `aclose`, or a `with` block, end the
    connections, as does the end of the object.
    """

    model_config = CONFIG

    model: str | None = None
    """Model ID on the Hub (`org/name`, for chat also `org/name:provider`), or the URL of an endpoint, then without
    `base_url` and `server`. A call may name another model, but not an address."""
    provider: str = "auto"
    """`auto`, `hf-inference`, or `local` for the embedded backend."""
    base_url: str | None = None
    """An endpoint that gets all calls instead: a dedicated one, or a server of your own.

    A query goes with each request. Dumps of the model hold it, and so do traces: a key belongs into `api_key`, or into
    `extra_headers`.
    """
    server: Server | None = None
    """What the endpoint at `base_url` speaks; without it the endpoint is asked once."""
    api_key: SecretStr | str | None = Field(default=None, validation_alias=AliasChoices("api_key", "token"))
    """An hf_ token, or the key of your own server; "" for none. Also called `token`.

    Without it HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HUGGINGFACEHUB_API_TOKEN or the login file, in this order. Such a key
    goes to Hugging Face's hosts only and is never pickled; one that was passed goes to `base_url`, and is pickled.
    """
    timeout: float | tuple[float | None, float | None] | Timeout | httpx.Timeout | None = None
    """Seconds that a call may take in all, its retries included; for a stream, until its end.

    For single waits: (connect, read), an httpx.Timeout (both without a total time) or an `hf_tools.Timeout`.
    """
    max_retries: int = 2
    """Further attempts after a failure that may pass, 0 to 10."""
    bill_to: str | None = None
    """Organization that pays, told to Hugging Face only."""
    extra_headers: dict[str, str] = Field(
        default_factory=dict, validation_alias=AliasChoices("extra_headers", "default_headers"),
        exclude=True, repr=False,
    )  # fmt: skip
    """Sent with each request; may hold secrets, so they are never shown or dumped. Also called `default_headers`."""
    wait_for_model: bool = False
    """Wait for a model that is being loaded until the time is used up."""
    http_client: Any = Field(default=None, exclude=True, repr=False)
    """An httpx.Client of your own, for proxies, TLS settings or tests."""
    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    """An httpx.AsyncClient of your own."""

    _made: tuple[list[Any], Clients] | None = PrivateAttr(default=None)

    if not TYPE_CHECKING:  # pragma: no branch - a type checker reads the fields

        def __init__(self, /, *args: Any, **fields: Any) -> None:
            super().__init__(*args, **fields)
            if self.api_key is None and self.provider != "local":
                self.__dict__["api_key"] = ambient_key()  # not set by the caller, so not in model_fields_set
            _ = self._clients  # a wrong setting is refused now, not by the first call

        def __setattr__(self, name: str, value: Any) -> None:
            is_bare = name == "api_key" and isinstance(value, str)
            super().__setattr__(name, SecretStr(value) if is_bare else value)

        def __repr_args__(self) -> Any:
            """The fields for `repr`, addresses without their query."""
            for name, value in super().__repr_args__():
                is_address = name in ("model", "base_url") and isinstance(value, str)
                yield name, re.sub(r"\?.*", "?***", value) if is_address else value

    @field_validator("api_key", mode="after")
    @classmethod
    def _hidden(cls, value: SecretStr | str | None) -> SecretStr | None:
        return SecretStr(value) if isinstance(value, str) else value

    @field_validator("timeout", mode="plain")
    @classmethod
    def _one_kind_of_timeout(cls, value: Any) -> float | Timeout | None:
        return as_timeout(value)

    def close(self) -> None:
        """Close the blocking connections, which copies with the same settings share; later calls raise ClientClosed."""
        self._clients.close()

    async def aclose(self) -> None:
        """Close all connections, those of this event loop included; later calls raise ClientClosed."""
        await self._clients.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.aclose()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy of the fields that shares HTTP clients of your own: connections cannot be copied."""
        shared = {id(own): own for own in (self.http_client, self.http_async_client) if own is not None}
        return super().__deepcopy__({**(memo or {}), **shared})

    def __getstate__(self) -> dict[Any, Any]:
        """What is pickled: the fields; the clients are made anew. ConfigurationError with HTTP clients of your own."""
        if own := [name for name in HTTP if getattr(self, name) is not None]:
            raise ConfigurationError(f"`{own[0]}` cannot be pickled", hint="Pickle the model without it, set it later")
        state = super().__getstate__()
        return {**state, "__pydantic_private__": {**(state["__pydantic_private__"] or {}), "_made": None}}

    @property
    def _url(self) -> str:
        """Where the requests go, without the path of the task."""
        if self.model is not None and is_url(self.model):
            return self.model
        return self.base_url or ROUTER

    @property
    def _host(self) -> str:
        """Who is asked: the host, with its port where the URL has one, or `local`."""
        if self.provider == "local":
            return "local"
        return urlsplit(self._url).netloc.rpartition("@")[2].lower()

    @property
    def _clients(self) -> Clients:
        """The clients for the fields as they are now: a copy with another address must not ask the old one."""
        # as they are now: a mapping may be changed in place
        settings = [dict(cast("dict[str, Any]", v)) if type(v) is dict else v for v in _settings(self)]
        made: tuple[Any, Clients] | None = (self.__pydantic_private__ or {}).get("_made")
        if made is None or made[0] != settings:
            made = self._made = (settings, self._connected())
        return made[1]

    def _connected(self) -> Clients:
        """New clients; nothing is sent. ConfigurationError for settings that cannot work."""
        self._check_model()
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

    def _check_model(self) -> None:
        if self.model is not None and is_url(self.model):
            check_url(self.model, "`model`")
            for name in ("base_url", "server"):
                if getattr(self, name) is not None:
                    hint = "Pass the URL as `base_url` alone, and a model's ID, if any, as `model`"
                    raise ConfigurationError(f"`model` is a URL, and `{name}` is given as well", hint=hint)
            passed = self.api_key not in (None, SecretStr("")) and not isinstance(self.api_key, AmbientKey)
            if passed and not of_hugging_face(self.model):  # callers may be let choose the model, but not who gets keys
                said = "`api_key` goes to no foreign address that is given as `model`"
                raise ConfigurationError(said, hint="Give the address as `base_url`")
        elif self.model is not None:
            check_model(self.model, type(self).__name__)

    def _check_key(self) -> None:
        try:
            find_token(self.api_key or False)
        except ConfigurationError as error:
            said = error.message.replace("the token", "`api_key`")
            raise ConfigurationError(said, hint="The model's ID goes into `model`") from None

    def _client(self, kind: Any, http: Any) -> Any:
        options = Options(
            timeout=as_timeout(self.timeout), max_retries=self.max_retries, bill_to=self.bill_to,
            extra_headers=self.extra_headers, wait_for_model=self.wait_for_model,
        )  # fmt: skip
        key = self.api_key
        token = False if isinstance(key, AmbientKey) or key == SecretStr("") else key
        made = kind(token, provider=self.provider, base_url=self.base_url, options=options, http_client=http)
        if isinstance(key, AmbientKey) and self.provider != "local":
            made._settings = replace(made._settings, token=key.token)
        return made if self.server is None else made.endpoint(self.base_url, server=self.server)


class Connection(Asking):
    """The same for LangChain's models that can be written down.

    `langchain_core.load.dumpd` writes the fields without keys and headers: a key that was passed becomes the name of a
    secret (`lc_secrets`).
    """

    if not TYPE_CHECKING:  # pragma: no branch - a type checker reads the fields

        def to_json(self) -> Any:
            """The model for `langchain_core.load`: an ambient key is left to the environment that loads it."""
            made = super().to_json()
            kwargs = made["kwargs"]
            if isinstance(self.api_key, AmbientKey):
                kwargs.pop("api_key", None)
            if isinstance(self.timeout, Timeout):
                kwargs["timeout"] = asdict(self.timeout)
            return made

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """LangChain may write this model down and load it again."""
        return True

    @property
    def lc_secrets(self) -> dict[str, str]:
        """The secret that stands for a key in a dump: for Hugging Face's hosts HF_TOKEN, which so goes nowhere else."""
        return {"api_key": "HF_TOKEN" if of_hugging_face(self._url) else "HF_ENDPOINT_API_KEY"}


def check_called(call: Mapping[str, Any]) -> None:
    """InputError where a call names a URL as its `model`: no key goes to an address that arrives at run time."""
    model = call.get("model")
    if isinstance(model, str) and is_url(model.strip()):
        said = f"`model` = {shown(repr(without_query(model.strip())), 100)}: a call may name a model, but no address"
        raise InputError(said, hint="Make a model with this `base_url`")


def without_query(address: str) -> str:
    """A model's name, or a URL without its query, which may hold a key."""
    return address.partition("?")[0] if is_url(address) else address
