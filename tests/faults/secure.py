"""TLS for the fault server: certificates that are good, expired, of another host, and of nobody."""

from __future__ import annotations

import functools
import json
import os
import ssl
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

CERTIFICATES: dict[str, str] = json.loads(Path(__file__).with_name("certificates.json").read_text())
"""DER in base64, made once with openssl for these tests alone; CA and good ones are valid until the year 2120."""


def _pem(name: str, kind: str = "CERTIFICATE") -> str:
    return f"-----BEGIN {kind}-----\n{CERTIFICATES[name]}\n-----END {kind}-----\n"


@functools.cache
def context(name: str) -> ssl.SSLContext:
    """The server's side with one of the certificates: good, expired, other (host) or self (signed)."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "server.pem"
        path.write_text(_pem(name) + _pem("key", "PRIVATE KEY"))
        made.load_cert_chain(path)
    return made


@contextmanager
def trusted() -> Generator[None]:
    """Clients that are made here trust the CA of these tests, and no other."""
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "ca.pem"
        path.write_text(_pem("ca"))
        with mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(path)}):
            yield
