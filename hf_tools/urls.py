"""The URL of a request: from the route's base and the task's path, or from a redirect."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from hf_tools.task import Route

SUFFIXES = (
    "/chat/completions", "/completions", "/embeddings", "/models",
    "/audio/transcriptions", "/audio/speech", "/images/generations",
)  # fmt: skip


def openai_path(url: str, path: str) -> str:
    """The URL of an OpenAI-shaped route: a base that ends in /v1 or in a route of its own keeps its prefix."""
    base, mark, query = url.partition("?")
    base = base.rstrip("/")
    if base.endswith("/chat/completions") and path.endswith("/chat/completions"):
        return base + mark + query
    cut = next((base.removesuffix(suffix) for suffix in SUFFIXES if base.endswith(suffix)), base)
    if cut != base or cut.endswith("/v1"):
        path = path.removeprefix("/v1")
    return cut + path + mark + query


def url_of(route: Route, path: str) -> str:
    """The URL of a request: the path is added before the query."""
    if path.startswith("/v1/"):
        return openai_path(route.url, path)
    base, mark, query = route.url.partition("?")
    if path and route.server in ("openai", "tgi", "tei"):  # what is no OpenAI route stands beside /v1, not below it
        base = base.rstrip("/").removesuffix("/v1")
    return (base.rstrip("/") + path if path else base) + mark + query


def redirected(url: str, location: str) -> str:
    """Where a redirect leads; an empty text where that is no address."""
    try:
        target = urljoin(url, location)
        urlsplit(target)
    except ValueError:
        return ""
    return target
