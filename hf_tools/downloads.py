"""Download what a caller gave as a URL: without any credential, with checked redirects, up to a cap."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hf_tools.errors import DeadlineExceeded, MediaError, ResponseTooLarge, TransportError, shown
from hf_tools.media import Media
from hf_tools.media.source import Source, check_url
from hf_tools.options import Options, Timeout
from hf_tools.steps import Load, Send, Steps
from hf_tools.task import Reply
from hf_tools.urls import redirected

if TYPE_CHECKING:
    from hf_tools.media.policy import MediaPolicy

REDIRECTS = 3


def obtained(source: Source, options: Options, deadline: float | None) -> Steps[Media]:
    """What a source names, read; MediaError where it cannot be had."""
    if source.url is None:
        return source.media((yield Load(source)).content)
    if source.policy is None:
        return (yield from download(source, options, deadline))
    return (yield from _guarded(source, source.policy, options, deadline))


def download(source: Source, options: Options, deadline: float | None) -> Steps[Media]:
    """The bytes behind the URL of a source, as media; MediaError where they cannot be had."""
    what, guard = str(source), source.policy
    reply = yield from followed(str(source.url), options, deadline, limit=source.limit, what=what, guard=guard)
    if reply.status != 200:
        raise MediaError(f"{source} answers {reply.status}", hint="Check the URL, or download the file yourself")
    if guard is not None and reply.content_type in ("text/html", "application/xhtml+xml"):
        raise MediaError(f"{source} is a web page, not a file")
    return source.media(reply.content, reply.content_type)


def _guarded(source: Source, policy: MediaPolicy, options: Options, deadline: float | None) -> Steps[Media]:
    """A download in the policy's own time; whatever fails on the way is a MediaError that speaks of the URL."""
    ends = time.monotonic() + policy.timeout
    try:
        return (yield from download(source, options, ends if deadline is None else min(ends, deadline)))
    except ResponseTooLarge as error:
        raise source.too_large() from error
    except DeadlineExceeded as error:
        if deadline is not None and deadline <= ends:
            raise
        raise MediaError(f"{source} takes longer than {policy.timeout:g} s") from error
    except TransportError as error:
        raise MediaError(f"{source} cannot be read: {error.message}") from error


def followed(
    url: str, options: Options, deadline: float | None, *, limit: int, what: str, guard: MediaPolicy | None = None
) -> Steps[Reply]:
    """The reply at the end of at most 3 checked redirects, or the guard's, asked for without any credential."""
    redirects = REDIRECTS if guard is None else guard.max_redirects
    for _ in range(redirects + 1):
        if guard is not None:
            guard.gate.check(url)
        if deadline is not None and time.monotonic() >= deadline:
            raise DeadlineExceeded(f"the time for the call is used up before {what} was read")
        headers = (("accept", "*/*"), ("accept-encoding", "identity"), ("user-agent", "hf-tools"))
        # a guarded one is bounded by its deadline
        waits = options.waits() if guard is None else Timeout()
        reply = yield Send("GET", url, headers, deadline=deadline, waits=waits, limit=limit, guard=guard)
        if not (300 <= reply.status < 400 and "location" in reply.headers):
            return reply
        url = _next(url, reply.headers["location"])
    raise MediaError(f"{what} redirects more than {redirects} times")


def _next(url: str, location: str) -> str:
    target = redirected(url, location)
    scheme = urlsplit(target).scheme
    if scheme not in ("http", "https") or (scheme == "http" and urlsplit(url).scheme == "https"):
        where = shown((target or location).partition("?")[0], 100)
        raise MediaError(f"a redirect leads to {where}, which is not followed")
    check_url(target)
    return target
