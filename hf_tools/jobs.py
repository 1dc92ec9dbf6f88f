"""What a provider's answer leads to: waiting for a job, downloading a result, and a reply that the task can read."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic

from pydantic_core import to_json

from hf_tools.downloads import followed
from hf_tools.errors import (
    DeadlineExceeded,
    DecodeError,
    EmptyResponse,
    HfError,
    JobTimeout,
    MediaError,
    ShapeError,
    TransportError,
    UnexpectedContent,
    shown,
)
from hf_tools.media import Media, media_from
from hf_tools.media.source import check_url
from hf_tools.options import Options
from hf_tools.providers.dialects import Done, Job, Link, Outcome
from hf_tools.replies import status_error
from hf_tools.retry import LONGEST as PAUSE
from hf_tools.retry import NOT_EXECUTED
from hf_tools.steps import MAX_ANSWER, Send, Steps
from hf_tools.task import Out, Reply, Route, Task
from hf_tools.wire import loads

GROWS, LONGEST = 1.2, 5.0
"""The interval between two questions grows by this factor, up to these seconds."""
TOLERATED = 2
"""Failed questions in a row after which the job goes on being asked after: a paid result is not lost to one 502."""

PASSING = (TransportError, DecodeError, EmptyResponse, UnexpectedContent)
"""No answer, or none that can be read: a page of a proxy, half a body."""

logger = logging.getLogger("hf_tools")
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class JobHandle(Generic[Out]):
    """A job that goes on at a provider: `client.resume(handle)` waits on, `client.cancel(handle)` ends it."""

    task: Task[Out]
    route: Route
    job: Job
    started: float
    """When it was submitted, in seconds of the monotonic clock."""

    @property
    def id(self) -> str:
        """The provider's name of the job."""
        return self.job.id

    @property
    def provider(self) -> str | None:
        """Who works on it."""
        return self.route.provider

    @property
    def state(self) -> str:
        """The provider's word for how far it is."""
        return self.job.state

    @property
    def queue_position(self) -> int | None:
        """How many are before it, where the provider tells."""
        return self.job.queue_position

    def __repr__(self) -> str:
        return f"JobHandle({self.id!r}, provider={self.provider!r}, task={self.task.name!r}, state={self.state!r})"


@dataclass(slots=True)
class Waiting(Generic[Out]):
    """One job being waited for; `headers` gives those of a request to a URL."""

    handle: JobHandle[Out]
    headers: Callable[[str], Headers]
    options: Options
    deadline: float | None
    failures: int = 0
    pause: float = 0.0
    """Seconds that the provider has asked for before the next question."""
    told: bool = False
    """That `on_progress` raises has been logged."""

    def ended(self) -> Steps[Done | Link]:
        """What the job ends with; JobFailed, or JobTimeout with the handle to resume it."""
        interval = self.handle.job.interval
        while True:
            self._report()
            if self.deadline is not None and time.monotonic() + interval >= self.deadline:
                raise self._late()
            outcome = yield from self._asked(interval)
            if isinstance(outcome, Done | Link):
                return outcome
            if outcome is not None:
                self.handle = replace(self.handle, job=outcome)
            interval = max(min(interval * GROWS, LONGEST), self.pause)

    def _asked(self, wait: float) -> Steps[Outcome | None]:
        """What the provider says now; None for a failure that may pass."""
        url = self.handle.job.url
        send = Send("GET", url, self.headers(url), wait=wait, deadline=self.deadline, waits=self.options.waits())
        try:
            reply = yield send
            if not 200 <= reply.status < 300:
                raise status_error(reply, time.time())
            said = loads(reply.content)
            self.failures, self.pause = 0, 0.0
            return self.handle.job.read(said)
        except HfError as error:
            if isinstance(error, TimeoutError) and self.deadline is not None and time.monotonic() >= self.deadline:
                raise self._late() from error
            self._count(error)
            return None

    def _count(self, error: HfError) -> None:
        """Bear a failure that may pass, a few times; raise any other with the handle on it."""
        status = getattr(error, "status", 0)
        passing = isinstance(error, PASSING) or status in NOT_EXECUTED or status >= 500
        self.failures += 1
        self.pause = min(getattr(error, "retry_after", None) or 0.0, PAUSE)
        if not passing or self.failures > TOLERATED:
            vars(error)["handle"] = self.handle
            raise error

    def _late(self) -> JobTimeout:
        handle = self.handle
        return JobTimeout(
            f"the job {handle.id} goes on at {handle.provider} (state {handle.state or 'unknown'}), but the time for "
            "the call is used up", hint="Wait on with resume(error.handle), or raise `timeout`", handle=handle,
            state=handle.state,
        )  # fmt: skip

    def _report(self) -> None:
        if self.options.on_progress is None:
            return
        try:
            self.options.on_progress(self.handle)
        except Exception:
            if not self.told:
                logger.warning("on_progress raised; the job goes on", exc_info=True)
            self.told = True


def downloaded(link: Link, options: Options, deadline: float | None) -> Steps[Reply]:
    """What is behind a link, as the reply that the task reads; fetched without any credential."""
    if link.url[:5].lower() == "data:":
        media = Media.from_base64(link.url)
        return _formed(link, Reply(200, {"content-type": media.mime_type}, media.data))
    try:
        check_url(link.url)
    except MediaError as error:
        where = shown(link.url.partition("?")[0], 100)
        raise ShapeError(f"unexpected answer: the result is at {where}, which is no URL: {error.message}") from error
    reply = yield from _fetched(link.url, options, deadline)
    if reply.status != 200:
        raise MediaError(f"the result cannot be downloaded: {reply.status}", hint="resume(error.handle) asks again")
    return _formed(link, reply)


def _fetched(url: str, options: Options, deadline: float | None) -> Steps[Reply]:
    """The reply of the address; asked again at once after a failure that may pass, for the result is paid for."""
    left = options.attempts
    while True:
        left -= 1
        try:
            reply = yield from followed(url, options, deadline, limit=MAX_ANSWER, what="the result")
            if reply.status < 500 or not left:
                return reply
        except TransportError as error:
            if isinstance(error, DeadlineExceeded) or not error.retryable or not left:
                raise


def _formed(link: Link, reply: Reply) -> Reply:
    if link.form is None:
        return reply
    media = media_from(reply.content, reply.content_type)
    if not media.data:
        raise EmptyResponse("the result is empty")
    if media.mime_type == "text/html":
        raise UnexpectedContent(f"the result is an HTML page that begins {shown(media.data, 80)}")
    return in_json(link.form(media))


def in_json(value: Any) -> Reply:
    """A value as the reply that the task reads."""
    return Reply(200, {"content-type": "application/json"}, to_json(value))
