"""What both clients offer beside the tasks: who serves a model, which models there are, and long jobs."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from hf_tools.auth import is_own_key, redacted
from hf_tools.downloads import obtained
from hf_tools.errors import ConfigurationError, HfError, InputError, shown
from hf_tools.media import Audio, Image, Media, Text, Video, media_from
from hf_tools.media.source import Source, checked
from hf_tools.media.sources import PilImage, Readable, source
from hf_tools.providers import HUB, PROVIDERS, check_model
from hf_tools.steps import Send, Settings, Steps, T
from hf_tools.task import Out

if TYPE_CHECKING:
    from hf_tools.jobs import JobHandle
    from hf_tools.mapping import Served

MOST = 1000
"""Models that the Hub lists at once."""


def who(model: str, settings: Settings) -> Steps[list[Served]]:
    """The providers of a model."""
    from hf_tools.exchange import ends
    from hf_tools.mapping import mapping

    _check_remote(settings)
    bare = check_model(model, "who_serves").partition(":")[0]
    return [*(yield from mapping(bare, settings, ends(settings.options.total(120.0)))).served]


def models(task: str, provider: str | None, limit: int, settings: Settings) -> Steps[list[str]]:
    """The models for a task, the most popular first."""
    from hf_tools.endpoints import persistent
    from hf_tools.exchange import ends
    from hf_tools.mapping import hub_headers
    from hf_tools.replies import status_error
    from hf_tools.retry import Attempts
    from hf_tools.wire import listed

    _check_remote(settings)
    deadline = ends(settings.options.total(120.0))
    url = _listing(task, provider, limit)
    send = Send("GET", url, hub_headers(settings, url), deadline=deadline, waits=settings.options.waits())
    reply = yield from persistent(
        send, Attempts(settings.options.attempts, False, budget=settings.memory.budget), deadline, definite=True
    )
    if reply.status != 200:
        raise status_error(reply, time.time()).at(url=url.partition("?")[0])
    return listed(reply)


def _listing(task: str, provider: str | None, limit: int) -> str:
    """The Hub's list of models; InputError for a task, provider or number that it cannot have."""
    if not isinstance(cast(object, task), str) or not task:
        raise InputError(
            f"list_models: `task` = {shown(repr(task), 60)}: expected the name of a task, as 'text-to-image'"
        )
    if provider is not None and (provider not in PROVIDERS or provider in ("auto", "local")):
        known = ", ".join(name for name in PROVIDERS if name not in ("auto", "local"))
        raise InputError(f"list_models: `provider` = {shown(repr(provider), 60)}: known are {known}")
    if type(limit) is not int or not 1 <= limit <= MOST:
        raise InputError(f"list_models: `limit` = {shown(repr(limit), 60)}: must be a whole number from 1 to {MOST}")
    name = task.replace("_", "-")
    is_chat = name in ("chat-completion", "conversational")
    asked = {"pipeline_tag": "text-generation" if is_chat else name, "inference_provider": provider or "all"}
    chat = {"other": "conversational"} if is_chat else {}
    return f"{HUB}/api/models?{urlencode({**asked, **chat, 'sort': 'trendingScore', 'limit': limit})}"


def _check_remote(settings: Settings) -> None:
    if settings.provider == "local":
        raise InputError("the embedded backend does not ask the Hub", hint="Use a client of another provider")


def _check_handle(handle: Any, settings: Settings) -> None:
    """Refuse what is no handle, and one that was made with a key of another kind, which would go astray."""
    from hf_tools.jobs import JobHandle

    if not isinstance(handle, JobHandle):
        raise InputError(f"expected the `handle` of a JobTimeout, got {type(handle).__name__}")
    own = is_own_key(settings.token)
    routed = handle.route.target.routed
    if own == routed or (own and settings.provider != handle.provider):
        whose = "Hugging Face's router with its token" if routed else f"{handle.provider} with its own key"
        raise ConfigurationError(f"the job {handle.id} went to {whose}: this client has another kind of key")


def _safe(steps: Steps[T], settings: Settings) -> Steps[T]:
    """The same steps, with the token taken out of what they raise."""
    try:
        return (yield from steps)
    except HfError as error:
        redacted(error, settings.token)
        raise


def _resumed(handle: JobHandle[Any], settings: Settings) -> Steps[Any]:
    from hf_tools.exchange import resumed

    _check_handle(handle, settings)
    return resumed(handle, settings)


def _cancelled(handle: JobHandle[Any], settings: Settings) -> Steps[bool]:
    from hf_tools.exchange import cancelled

    _check_handle(handle, settings)
    return cancelled(handle, settings)


def _loaded(value: Any, kind: type[Media], settings: Settings) -> Steps[Media]:
    """The steps that read media, of the kind that a source has itself where none is asked for."""
    if all(kind is not each for each in (Media, Image, Audio, Video, Text)):
        raise InputError(f"load: `kind` = {shown(repr(kind), 60)}: expected Media, Image, Audio, Video or Text")
    from hf_tools.exchange import ends

    if isinstance(value, Source) and kind is Media:
        kind = value.kind
    try:
        found = checked(value, "the media") if isinstance(value, kind) else source(kind, value)
    except HfError:
        raise
    except ValueError as error:
        raise InputError(f"load: {error}") from error
    if isinstance(found, Source):
        found = yield from obtained(found, settings.options, ends(settings.options.total(120.0)))
    return media_from(found.data, found.mime_type) if type(found) is Media else found


class Serving:
    """The questions and the long jobs of the blocking client."""

    _settings: Settings
    _http: Any

    def _done(self, steps: Generator[Any, Any, T]) -> T:
        with ExitStack() as held:
            found: T = self._http.drive(_safe(steps, self._settings), held)[0]
            return found

    def who_serves(self, model: str) -> list[Served]:
        """The providers that serve a model, in the order in which `auto` takes them; raises an HfError."""
        return self._done(who(model, self._settings))

    def list_models(self, task: str, provider: str | None = None, *, limit: int = 30) -> list[str]:
        """IDs of models that a provider (default: any) serves for a task, the most popular first, at most 1,000."""
        return self._done(models(task, provider, limit, self._settings))

    def load(self, value: Readable | PilImage | Source, kind: type[Media] = Media) -> Media:
        """Read media as a call does, from a path, URL, data: URI or file object; Image, Audio or Video by its bytes.

        With `kind` it must be of that kind. InputError for what cannot be read, MediaError for what cannot be used.
        """
        return self._done(_loaded(value, kind, self._settings))

    def resume(self, handle: JobHandle[Out]) -> Out:
        """Wait on for a job that a JobTimeout has told of; raises an HfError."""
        found: Out = self._done(_resumed(handle, self._settings))
        return found

    def cancel(self, handle: JobHandle[Any]) -> bool:
        """Ask the provider to end a job; True where it agrees. InputError where it has no way to."""
        return self._done(_cancelled(handle, self._settings))


class AsyncServing:
    """The questions and the long jobs of the awaiting client."""

    _settings: Settings
    _http: Any

    async def _done(self, steps: Generator[Any, Any, T]) -> T:
        async with AsyncExitStack() as held:
            found: T = (await self._http.drive(_safe(steps, self._settings), held))[0]
            return found

    async def who_serves(self, model: str) -> list[Served]:
        """The providers that serve a model, in the order in which `auto` takes them; raises an HfError."""
        return await self._done(who(model, self._settings))

    async def list_models(self, task: str, provider: str | None = None, *, limit: int = 30) -> list[str]:
        """IDs of models that a provider (default: any) serves for a task, the most popular first, at most 1,000."""
        return await self._done(models(task, provider, limit, self._settings))

    async def load(self, value: Readable | PilImage | Source, kind: type[Media] = Media) -> Media:
        """Read media as a call does, from a path, URL, data: URI or file object; Image, Audio or Video by its bytes.

        With `kind` it must be of that kind. InputError for what cannot be read, MediaError for what cannot be used.
        """
        return await self._done(_loaded(value, kind, self._settings))

    async def resume(self, handle: JobHandle[Out]) -> Out:
        """Wait on for a job that a JobTimeout has told of; raises an HfError."""
        found: Out = await self._done(_resumed(handle, self._settings))
        return found

    async def cancel(self, handle: JobHandle[Any]) -> bool:
        """Ask the provider to end a job; True where it agrees. InputError where it has no way to."""
        return await self._done(_cancelled(handle, self._settings))
