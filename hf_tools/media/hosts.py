"""Which URLs a model may write: schemes, hosts and ports that the developer has opened, and public addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import urlsplit

from hf_tools.errors import InputError, MediaError, shown
from hf_tools.media.addresses import is_public, literal
from hf_tools.media.source import check_url

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
"""A last label like this makes a host an IPv4 address in one of its old forms, as 0x7f.1 (WHATWG URL, 3.5)."""
_LOCAL = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "home.arpa", "onion")
"""Endings of names that are of no public host."""
_LONGEST = 2000
"""Characters of a URL."""

Hosts = tuple[str, ...] | Literal["public"]


def checked_hosts(hosts: object) -> Hosts:
    """The hosts in lower case; InputError for what is neither "public" nor names, `*.` patterns and addresses."""
    if hosts == "public":
        return "public"
    if isinstance(hosts, str) or not isinstance(hosts, Sequence):
        raise InputError(f'`hosts` = {shown(repr(hosts), 60)}: expected a list of host names, or "public"')
    found: list[str] = []
    for host in cast(Sequence[object], hosts):
        lowered = host.lower() if isinstance(host, str) else ""
        address = literal(lowered)
        if address is None and (not _NAME.fullmatch(lowered.removeprefix("*.")) or _is_number(lowered)):
            raise InputError(
                f"`hosts` has {shown(repr(host), 60)}: expected a host, an address, or a pattern as '*.example.org'",
                hint='Leave out scheme, port and path; write non-ASCII names as xn--; hosts="public" opens all',
            )
        found.append(str(address or lowered))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets through what the developer has opened; each method raises a MediaError for anything else."""

    hosts: Hosts
    schemes: tuple[str, ...]
    ports: tuple[int, ...]

    def check(self, url: str) -> None:
        """A URL, before anything is asked for."""
        if not self.hosts:
            raise MediaError("URLs are not read here")
        if "\\" in url or not url.isascii() or len(url) > _LONGEST:
            raise MediaError("the URL is refused: it is too long, or has a backslash or characters that are not ASCII")
        check_url(url)
        parts = urlsplit(url)
        if parts.scheme not in self.schemes:
            raise MediaError(f"{parts.scheme} URLs are refused: only {' and '.join(self.schemes)} is read")
        self.admit(parts.hostname or "", parts.port or {"http": 80, "https": 443}[parts.scheme])

    def admit(self, host: str, port: int) -> None:
        """A host and port, as they stand in the URL or as the connection is asked for."""
        host = host.lower()
        if port not in self.ports:
            raise MediaError(f"the port {port} is refused: open is {', '.join(map(str, self.ports))}")
        address = literal(host)
        if not (self._has_address(str(address)) if address or _is_number(host) else self._has_name(host)):
            raise MediaError(f"the host {shown(host, 60)!r} is not allowed")

    def admit_addresses(self, host: str, addresses: Sequence[str]) -> None:
        """All addresses that a host has: one that is not public is enough to refuse it."""
        for address in addresses:
            if not is_public(address) and not self._has_address(str(literal(address))):
                raise MediaError(f"the host {shown(host, 60)!r} is not allowed: it is not on the public internet")

    def _has_address(self, address: str) -> bool:
        """Whether the developer has written this very address."""
        return self.hosts != "public" and address in self.hosts

    def _has_name(self, host: str) -> bool:
        if not _NAME.fullmatch(host):
            return False
        if self.hosts == "public":
            return "." in host and not any(host.endswith(f".{ending}") for ending in _LOCAL)
        return any(host == each or (each.startswith("*.") and host.endswith(each[1:])) for each in self.hosts)


def _is_number(host: str) -> bool:
    return _NUMBER.fullmatch(host.rpartition(".")[2]) is not None
