"""What the blocking and the awaiting driver share: how a request is written and an answer is read."""

from __future__ import annotations

import functools
import ssl
import time
import urllib.request
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from hf_tools._http.faults import late
from hf_tools._http.unpacking import ACCEPTED, Unpacking
from hf_tools.errors import ConfigurationError, ResponseError, ResponseTooLarge, shown
from hf_tools.response import KEPT
from hf_tools.steps import Send
from hf_tools.task import Reply

if TYPE_CHECKING:
    from hf_tools._http.direct import Incoming

C = TypeVar("C", httpx.Client, httpx.AsyncClient)
LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=20)


DRAIN = 0.1
"""Seconds for what comes after the last event of a stream, as openai-python has it."""


def expect(own: object, kind: type) -> None:
    """Refuse an `http_client` of another kind; an awaiting one cannot block, and the other way round."""
    if own is not None and not isinstance(own, kind):
        name = f"{type(own).__module__.partition('.')[0]}.{type(own).__name__}"
        raise ConfigurationError(f"`http_client` must be an httpx.{kind.__name__}, got {name}")


@functools.cache
def tls() -> ssl.SSLContext:
    """The TLS context of all connections; loading the certificates takes longer than all else of making a client."""
    try:
        context = httpx.create_ssl_context()
    except OSError as error:  # those of TLS among them
        message = f"the certificates cannot be loaded: {shown(error.strerror or error, 100)}"
        raise ConfigurationError(message, hint="Mend SSL_CERT_FILE or SSL_CERT_DIR, which name them") from error
    context.set_alpn_protocols(["http/1.1"])
    return context


class Unloaded(ssl.SSLContext):
    """The TLS context of our own pools, which trusts nobody: certificates wait for a connection that is secured."""


def unloaded() -> Unloaded:
    """A context for a pool; its connections are secured with that of `loaded`."""
    return Unloaded(ssl.PROTOCOL_TLS_CLIENT)


def loaded(context: ssl.SSLContext) -> ssl.SSLContext:
    """The context to secure a connection with; a server on this machine mostly asks for none."""
    return tls() if isinstance(context, Unloaded) else context


def made(kind: type[C], transport: Any) -> C:
    """A client of httpx; without a transport it has those of the proxies that are set."""
    verify = tls() if transport is None else False
    try:
        return kind(transport=transport, verify=verify, limits=LIMITS, cookies=no_cookies())
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        message = f"the proxy that the environment names cannot be used: {shown(error, 200)}"
        hint = "Mend HTTP_PROXY, HTTPS_PROXY or ALL_PROXY, or pass http_client="
        raise ConfigurationError(message, hint=hint) from error


def proxied() -> bool:
    """A proxy is set in the environment or the system; a list of hosts without one alone is none."""
    return any(name != "no" for name in urllib.request.getproxies())


def no_cookies() -> CookieJar:
    """A jar that takes no cookie: what one answer sets must not travel with another user's request."""
    return CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))


BODIED = ("POST", "PUT", "PATCH")
"""Methods whose requests tell the length of an empty body, too."""
FRAMING = frozenset(["content-length", "transfer-encoding"])


@functools.lru_cache(256)
def parsed(url: str) -> httpx.URL:
    """The address; reading it takes a tenth of a small call, and calls to one address are many."""
    return httpx.URL(url)


def written(step: Send) -> list[tuple[bytes, bytes]]:
    """The headers of a request, with all that a client would add but cookies, which are not sent."""
    headers = {"accept": "*/*", "accept-encoding": ACCEPTED, "connection": "keep-alive", **dict(step.headers)}
    found = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    if "host" not in headers:
        found.insert(0, (b"Host", parsed(step.url).netloc))
    if (step.content or step.method in BODIED) and not headers.keys() & FRAMING:
        found.append((b"Content-Length", b"%d" % len(step.content or b"")))
    return found


def bare_request(step: Send) -> httpx.Request:
    """The request as a transport of httpx takes it."""
    stream, told = httpx.ByteStream(step.content or b""), {"timeout": waits(step)}
    # httpx completes the headers of `content`, which takes half the time of making a request, and none of a `stream`
    return httpx.Request(step.method, parsed(step.url), headers=written(step), stream=stream, extensions=told)


def waits(step: Send) -> dict[str, float | None]:
    """Seconds for each kind of wait, none of them beyond the deadline."""
    rest = None if step.deadline is None else max(step.deadline - time.monotonic(), 0.001)
    each = {name: getattr(step.waits, name) for name in ("connect", "read", "write", "pool")}
    return each if rest is None else {name: min(value or rest, rest) for name, value in each.items()}


def request(http: httpx.Client | httpx.AsyncClient, step: Send) -> httpx.Request:
    """The request as a client of httpx makes it, with what a caller has set there."""
    headers, timeout = {"accept-encoding": ACCEPTED, **dict(step.headers)}, httpx.Timeout(**waits(step))
    return http.build_request(step.method, step.url, headers=headers, content=step.content, timeout=timeout)


def left(deadline: float | None) -> float | None:
    """Seconds until a monotonic time, None for no end."""
    return None if deadline is None else max(deadline - time.monotonic(), 0.0)


def head_of(response: httpx.Response | Incoming) -> Reply:
    headers: dict[str, str] = {}
    raws = response.headers.raw if isinstance(response, httpx.Response) else response.headers
    try:
        for raw, told in raws:  # httpx tries encodings on all of them for each that it is asked for
            name, value = raw.decode("ascii").lower(), told.decode("ascii")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    except UnicodeDecodeError:
        headers = {name.lower(): value for name, value in httpx.Headers(raws).items()}
    return Reply(response.status_code, headers)


class Whole:
    """The body of an answer, growing up to its cap; of an error only the beginning is read."""

    def __init__(self, head: Reply, packed: str, step: Send) -> None:
        self.head = head
        self.error = head.status >= 300
        self.limit, self.deadline = (KEPT if self.error else step.limit), step.deadline
        self.pieces: list[bytes] = []
        self.size = 0
        self._unpacking = Unpacking(packed)
        told = head.headers.get("content-length", "")
        if not self.error and told.isdecimal() and len(told) < 20 and int(told) > self.limit:
            raise self._too_large()

    def add(self, raw: bytes) -> bool:
        """Keep what has come; True when no more is wanted."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise late()
        if self._unpacking.plain:
            return self._kept(raw)
        try:
            return any(self._kept(piece) for piece in self._unpacking.feed(raw))
        except ResponseError:
            if self.error:  # its status says enough
                return True
            raise

    def _kept(self, piece: bytes) -> bool:
        self.pieces.append(piece)
        self.size += len(piece)
        if self.size > self.limit and not self.error:
            raise self._too_large()
        return self.size > self.limit

    def _too_large(self) -> ResponseTooLarge:
        return ResponseTooLarge(f"the answer is larger than {self.limit // 2**20} MiB")

    def reply(self) -> Reply:
        """The whole; DecodeError where its packing is cut short."""
        if not self.error:
            self._unpacking.end()
        return Reply(self.head.status, self.head.headers, b"".join(self.pieces))
