"""One call: all of the policy, none of the I/O. Generators that yield steps and take replies."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, cast

from hf_tools import endpoints
from hf_tools.auth import Token, authorization, of_hugging_face, redacted
from hf_tools.downloads import obtained
from hf_tools.errors import (
    AuthenticationError,
    DeadlineExceeded,
    HfError,
    InputError,
    PaymentRequired,
    PermissionDenied,
    ResponseError,
    StatusError,
)
from hf_tools.media import Media
from hf_tools.media.source import Source
from hf_tools.media.sources import link
from hf_tools.replies import status_error
from hf_tools.response import KEPT, Response, request_id
from hf_tools.retry import Attempts
from hf_tools.steps import Send, Settings, Steps, T
from hf_tools.task import SERVERS, Body, Decoder, Out, Part, Reply, Route, Streamed, Task, cannot, field_names
from hf_tools.urls import url_of
from hf_tools.version import __version__

AGENT = f"hf-tools/{__version__} python/{platform.python_version()}"


@dataclass(frozen=True, slots=True)
class Opened(Generic[Out, Part]):
    """A stream whose head has come."""

    decoder: Decoder[Out, Part]
    place: dict[str, str | None]
    head: Reply
    deadline: float | None


def call(task: Task[Out], settings: Settings) -> Steps[Response[Out]]:
    """Send a task's requests and return its answer; a ResponseError or StatusError where there is none."""
    deadline = ends(settings.options.total(task.deadline))
    responses: list[Response[Any]] = []
    for single in task.single():
        response: Response[Any] = yield from _Call(single, settings, deadline).answered()
        responses.append(response)
    last = responses[-1]
    answer = task.joined([response.answer for response in responses])
    return last if answer is last.answer else replace(last, answer=answer)


def resumed(handle: Any, settings: Settings) -> Steps[Any]:
    """Wait on for a job whose time was used up."""
    one = _Call(handle.task, settings, ends(settings.options.total(handle.task.deadline)))
    one.route = handle.route
    one.place |= {"model": handle.route.model, "provider": handle.route.provider, "url": handle.job.url}
    return (yield from one.settled(handle.job, handle))


def cancelled(handle: Any, settings: Settings) -> Steps[bool]:
    """Ask the provider to end a job; whether it has agreed."""
    if handle.job.cancel is None:
        raise InputError(f"{handle.provider} has no way to end a job", hint="Just do not wait for it")
    method, url = handle.job.cancel
    headers = request_headers(settings, url, Body(b"", None), handle.route)
    deadline = ends(settings.options.total(handle.task.deadline))
    reply = yield Send(method, url, headers, deadline=deadline, waits=settings.options.waits())
    return 200 <= reply.status < 300


def opened(task: Streamed[Out, Part], settings: Settings) -> Steps[Opened[Out, Part]]:
    """Send a task for a stream; returns once its head has come."""
    deadline = ends(settings.options.total(None))
    one = _Call(task, settings, deadline, stream=True)
    reply = yield from one.replied()
    return Opened(task.decoder(reply), one.place, reply, deadline)


def ends(total: float | None) -> float | None:
    """The monotonic time at which a call that begins now has used up its seconds."""
    return None if total is None else time.monotonic() + total


class _Call(Generic[Out]):
    """One request of a task, with its attempts."""

    def __init__(self, task: Task[Out], settings: Settings, deadline: float | None, *, stream: bool = False) -> None:
        self.task, self.settings, self.deadline, self.stream = task, settings, deadline, stream
        options = settings.options
        self.attempts = Attempts(
            options.attempts, task.costly, options.wait_for_model, slow=task.slow, budget=settings.memory.budget
        )
        self.place: dict[str, str | None] = {"task": task.name}
        self.route: Route | None = None

    def answered(self) -> Steps[Response[Out]]:
        """The decoded answer; what a provider only links to, or still works on, is waited for and downloaded."""
        reply, found = yield from self._tried(self._read)
        assert self.route is not None
        if self.route.dialect is not None:
            found = yield from self.settled(found)
        return Response(cast(Out, found), reply.status, dict(reply.headers), self.route)

    def settled(self, outcome: Any, handle: Any = None) -> Steps[Out]:
        """The answer from what a provider's own form has led to: a value, a link, or a job, which may be known."""
        from hf_tools import jobs
        from hf_tools.providers.dialects import Job, Link

        try:
            assert self.route is not None
            if isinstance(outcome, Job):
                handle = handle or jobs.JobHandle(self.task, self.route, outcome, time.monotonic())
                waiting = jobs.Waiting(handle, self._headers, self.settings.options, self.deadline)
                outcome = yield from waiting.ended()
                handle = waiting.handle
            if isinstance(outcome, Link):
                reply = yield from jobs.downloaded(outcome, self.settings.options, self.deadline)
            else:
                reply = jobs.in_json(outcome.value)
            return self._decoded(reply)
        except HfError as error:
            if handle is not None:  # the work is done and paid for: its result may be asked for again
                vars(error).setdefault("handle", handle)
            self._place(error)
            raise

    def _headers(self, url: str) -> tuple[tuple[str, str], ...]:
        """The headers of a question about a job."""
        assert self.route is not None
        return request_headers(self.settings, url, Body(b"", None), self.route)

    def replied(self) -> Steps[Reply]:
        """The reply as it came: for a stream its head."""
        return (yield from self._tried(lambda reply: reply))

    def _tried(self, read: Callable[[Reply], T]) -> Steps[T]:
        """What `read` makes of the reply; sent again where that may help."""
        try:
            request = yield from self._request()
            while True:
                try:
                    found = read((yield from self._sent(request)))
                    self.attempts.succeeded()
                    return found
                except HfError as error:
                    request = self._again(request, error)
        except HfError as error:
            self._place(error)
            raise

    def _read(self, reply: Reply) -> tuple[Reply, Any]:
        """The reply and what it says: the answer, or the outcome in a provider's own form."""
        assert self.route is not None
        if self.route.dialect is None:
            return reply, self._decoded(reply)
        return reply, self._checked(reply, lambda: self.route.dialect.outcome(reply, self.route.target))  # type: ignore[union-attr]

    def _request(self) -> Steps[Send]:
        """The request, written once: media are read and the route is found before."""
        route = yield from endpoints.route(self.task, self.settings, stream=self.stream, deadline=self.deadline)
        self.route = route
        self.place |= {"model": route.model, "provider": route.provider, "url": route.url.partition("?")[0]}
        if route.dialect is None and route.server not in self.task.servers:
            others = " or ".join(SERVERS[server] for server in sorted(self.task.servers))
            raise cannot(self.task, route, "this task", f"It needs {others}")
        self.task = yield from loaded(self.task, route, self.settings, self.deadline)
        body = self.task.encode(route) if route.dialect is None else route.dialect.write(self.task, route.target)
        url = url_of(route, body.path)
        self.place["url"] = url.partition("?")[0]
        with_token = getattr(self.task, "include_credentials", True)
        headers = request_headers(self.settings, url, body, route, with_token=with_token)
        waits = self.settings.options.waits(stream=self.stream)
        return Send("POST", url, headers, body.content, 0.0, self.stream, self.deadline, waits)

    def _sent(self, request: Send) -> Steps[Reply]:
        if self.deadline is not None and time.monotonic() + request.wait >= self.deadline:
            raise DeadlineExceeded("the time for the call is used up", hint="Raise `timeout`")
        reply = yield request
        if not 200 <= reply.status < 300:
            raise status_error(reply, time.time())
        return reply

    def _decoded(self, reply: Reply) -> Out:
        return self._checked(reply, lambda: self.task.decode(reply))

    def _checked(self, reply: Reply, read: Callable[[], T]) -> T:
        try:
            return read()
        except ResponseError as error:
            error.status, error.headers, error.body = reply.status, reply.headers, reply.content[:KEPT]
            error.request_id = request_id(reply.headers)
            raise
        except RecursionError as error:
            raise ResponseError("the answer is nested too deep", body=reply.content[:KEPT]) from error

    def _again(self, request: Send, error: HfError) -> Send:
        """The next attempt; raises the error where it is final."""
        assert self.route is not None
        simpler = self.task.simpler(error) if self.stream else None
        if simpler is not None:
            self.task = simpler
            return replace(request, content=simpler.encode(self.route).content, wait=0.0)
        left = None if self.deadline is None else self.deadline - time.monotonic()
        wait = self.attempts.again(error, left)
        if wait is None:
            raise error
        return replace(request, wait=wait)

    def _place(self, error: HfError) -> None:
        """Write into the error where it happened; take secrets out."""
        if isinstance(error, StatusError):
            error.attempts = max(self.attempts.made, 1)
        if isinstance(error, AuthenticationError):
            error.hint = _which_token(self.settings.token, self.place.get("url") or "")
        target = self.route.target if self.route else None
        if isinstance(error, PaymentRequired | PermissionDenied) and target is not None and not target.routed:
            error.hint = f"This is about the account of your own key at {target.provider}: look there"
        redacted(error.at(**self.place), self.settings.token)


def _which_token(token: Token | None, url: str) -> str:
    if token is None:
        return "No token was sent: pass `token`, set HF_TOKEN, or run `hf auth login`"
    if authorization(token, url) is None:
        return f"The token from {token.source} goes to Hugging Face's hosts only: pass `token` for this one"
    return f"The token came from {token.source}: check that it is valid, and that it was meant for this host"


def loaded(task: Task[Out], route: Route, settings: Settings, deadline: float | None) -> Steps[Task[Out]]:
    """The task with its files and URLs read; URLs stay where the task hands them to this server as they are."""
    kind: Any = type(task)
    media: dict[str, Media] = {}
    for name in field_names(kind):
        source = getattr(task, name)
        if isinstance(source, Source) and not (link(source) and route.server in task.keeps_urls):
            media[name] = yield from obtained(source, settings.options, deadline)
    return task.loaded(media) if media else task


def request_headers(
    settings: Settings, url: str, body: Body, route: Route, *, with_token: bool = True
) -> tuple[tuple[str, str], ...]:
    """The headers of a request; the token only where it may go, the billing header to Hugging Face only."""
    headers = {"accept": body.accept, "accept-encoding": "gzip, deflate", "user-agent": AGENT}
    if body.content_type:
        headers["content-type"] = body.content_type
    token = authorization(settings.token, url, route.scheme) if with_token else None
    if token:
        headers["authorization"] = token
    headers |= {name.lower(): value for name, value in route.headers.items()}
    if settings.options.bill_to and of_hugging_face(url):
        headers["x-hf-bill-to"] = settings.options.bill_to
    headers |= {name.lower(): value for name, value in settings.options.headers()}
    return tuple(headers.items())
