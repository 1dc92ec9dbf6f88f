"""Download what a caller gave as a URL: without any credential, with checked redirects, up to a cap."""

from __future__ import annotations

import time
from urllib.parse import urljoin, urlsplit

from hf_tools.errors import DeadlineExceeded, MediaError, shown
from hf_tools.media import Media
from hf_tools.media.source import MAX_INPUT, Source, check_url
from hf_tools.options import Options
from hf_tools.steps import Send, Steps
from hf_tools.task import Reply

REDIRECTS = 3


def download(source: Source, options: Options, deadline: float | None) -> Steps[Media]:
    """The bytes behind the URL of a source, as media; MediaError where they cannot be had."""
    reply = yield from followed(str(source.url), options, deadline, limit=MAX_INPUT, what=str(source))
    if reply.status != 200:
        raise MediaError(f"{source} answers {reply.status}", hint="Check the URL, or download the file yourself")
    return source.media(reply.content, reply.content_type)


def followed(url: str, options: Options, deadline: float | None, *, limit: int, what: str) -> Steps[Reply]:
    """The reply at the end of at most 3 checked redirects, asked for without any credential."""
    for _ in range(REDIRECTS + 1):
        if deadline is not None and time.monotonic() >= deadline:
            raise DeadlineExceeded(f"the time for the call is used up before {what} was read")
        headers = (("accept", "*/*"), ("accept-encoding", "identity"), ("user-agent", "hf-tools"))
        reply = yield Send("GET", url, headers, deadline=deadline, waits=options.waits(), limit=limit)
        if not (300 <= reply.status < 400 and "location" in reply.headers):
            return reply
        url = _next(url, reply.headers["location"])
    raise MediaError(f"{what} redirects more than {REDIRECTS} times")


def _next(url: str, location: str) -> str:
    target = urljoin(url, location)
    scheme = urlsplit(target).scheme
    if scheme not in ("http", "https") or (scheme == "http" and urlsplit(url).scheme == "https"):
        raise MediaError(f"a redirect leads to {shown(target.partition('?')[0], 100)}, which is not followed")
    check_url(target)
    return target
