"""Where the token comes from, and which address may see it."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from hf_tools.errors import ConfigurationError, HfError, shown
from hf_tools.loose import table

if TYPE_CHECKING:
    from pydantic import SecretStr

HUGGING_FACE = ("huggingface.co", "hf.co", "hf.space", "endpoints.huggingface.cloud")
"""An ambient token goes to these hosts and those below them, by https only."""


OWN = ("hf_", "api_org_")
"""How Hugging Face's tokens begin."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and where it came from: `argument`, the environment or the login file."""

    secret: SecretStr
    source: str

    @property
    def explicit(self) -> bool:
        """The developer passed it, so it may go wherever this client is pointed at."""
        return self.source == "argument"


def find_token(token: str | SecretStr | bool | None = None) -> Token | None:
    """The token to use: the argument, HF_TOKEN, or the login file; False or an empty string for none."""
    if token is False or token == "":
        return None
    if token is not None and token is not True:
        value = token if isinstance(token, str) else getattr(token, "get_secret_value", lambda: None)()
        if not isinstance(value, str):
            raise ConfigurationError(f"`token` must be text, got {type(token).__name__}")
        return _token(value, "the token", "argument")
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if value := os.environ.get(name, "").strip():
            return _token(value, name, name)
    return _from_file()


def _from_file() -> Token | None:
    path = token_path()
    try:
        value = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return _token(value, "the login file", "the login file") if value else None


def token_path() -> Path:
    """Where `hf auth login` keeps the token."""
    if path := os.environ.get("HF_TOKEN_PATH"):
        return Path(path).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "token"
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "huggingface" / "token"


def _token(value: str, what: str, source: str) -> Token:
    from pydantic import SecretStr

    return Token(SecretStr(_clean(value, what)), source)


def _clean(value: str, what: str) -> str:
    if "/" in value:
        raise ConfigurationError(
            f"{what} has a slash: is it a model ID?",
            hint='The first argument is the token; write HfInference(model="org/name")',
        )
    if not value.isascii() or not value.isprintable() or any(char.isspace() for char in value):
        raise ConfigurationError(f"{what} has spaces or other characters that a token may not have")
    return value


@functools.lru_cache(256)
def of_hugging_face(url: str) -> bool:
    """The URL is one of Hugging Face's own hosts, by https."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    return parts.scheme == "https" and any(host == own or host.endswith(f".{own}") for own in HUGGING_FACE)


def is_hugging_face_token(token: Token | None) -> bool:
    """The token is one of Hugging Face's; one that was found in its places is taken for that."""
    return token is not None and (not token.explicit or token.secret.get_secret_value().startswith(OWN))


def is_own_key(token: Token | None) -> bool:
    """The token is a provider's key, and none of Hugging Face's."""
    return token is not None and not is_hugging_face_token(token)


def authorization(token: Token | None, url: str, scheme: str = "Bearer") -> str | None:
    """The Authorization header for this URL, or None where the token may not go there.

    ConfigurationError for a token of Hugging Face's that would cross a network unencrypted.
    """
    if token is None or not (token.explicit or of_hugging_face(url)):
        return None
    if is_hugging_face_token(token) and _overheard(url):
        raise ConfigurationError(
            f"a token of Hugging Face's does not go over plain http to {shown(urlsplit(url).hostname, 60)}: "
            "all could read it",
            hint="Use https, or pass token=False, or the server's own key, which may go there",
        )
    return f"{scheme} {token.secret.get_secret_value()}"


@functools.lru_cache(256)
def _overheard(url: str) -> bool:
    """What is sent to the URL can be read on the way: it goes over plain http, and to another machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_this_machine(parts.hostname or "")


def _is_this_machine(host: str) -> bool:
    """The host name is the loopback's."""
    host = host.rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def redacted(error: HfError, token: Token | None) -> HfError:
    """The error without the token, should the server have sent it back in any of its parts."""
    secret = token.secret.get_secret_value() if token else ""
    if secret:
        for name, value in vars(error).items():
            setattr(error, name, _masked(value, secret))
        error.args = (error.message,)
    return error


def _masked(value: Any, secret: str) -> Any:
    if isinstance(value, str):
        return value.replace(secret, "***")
    if isinstance(value, bytes):
        return value.replace(secret.encode(), b"***")
    if isinstance(value, list | tuple):
        parts = [_masked(part, secret) for part in cast("Sequence[Any]", value)]
        return tuple(parts) if isinstance(value, tuple) else parts
    if isinstance(value, dict):
        entries = table(value).items()
        return {_masked(key, secret): _masked(part, secret) for key, part in entries}
    return value
