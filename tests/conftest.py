"""What holds for every test: no network beyond this machine, and nothing of the user's Hugging Face settings.

- The network is closed for the whole session, collection included: sockets reach loopback addresses and Unix sockets
  only, and no other name is looked up. Subprocesses are not covered; those of the tests need no network.
- `clean_environment` (autouse) removes the variables that change how the clients behave and points HF_HOME to where
  nothing is, so that no test sees a token of the user's. HF_TOKEN is a canary, and `tests/canary.py` watches for it.
"""

import ipaddress
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests import canary

hypothesis.settings.register_profile("shared", deadline=None)  # machines that run tests are busy
hypothesis.settings.load_profile("shared")

FOREIGN = ("HF_", "HUGGING_FACE_", "HUGGINGFACE", "LANGSMITH_", "LANGCHAIN_")
"""Beginnings of the variables that no test sees; those of this project (HF_TOOLS_) stay."""
PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}


class NetworkBlocked(RuntimeError):
    """A test tried to leave this machine. No OSError, so that no client takes it for a failed connection."""


def check(host: object) -> None:
    """Raise unless the host is this machine; `*.invalid` does not exist, as in the real DNS (RFC 6761)."""
    name = host.decode() if isinstance(host, bytes) else host
    if name is None or name == "" or name == "localhost":
        return
    if isinstance(name, str) and name.rstrip(".").endswith(".invalid"):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    try:
        local = ipaddress.ip_address(str(name).split("%")[0]).is_loopback
    except ValueError:
        local = False
    if not local:
        raise NetworkBlocked(f"tests do not leave this machine, but this one asked for {name!r}")


def check_address(address: object) -> None:
    """The same for a socket address: a (host, port, ...) tuple; paths of Unix sockets are local."""
    if isinstance(address, tuple):
        check(address[0])  # pyright: ignore[reportUnknownArgumentType]


def guarded(original: Callable[..., Any], position: int, test: Callable[[object], None]) -> Callable[..., Any]:
    """The function, behind a check of the argument at `position` (from the end where negative)."""

    def call(*args: Any, **kwargs: Any) -> Any:
        test(args[position] if args[position:] else kwargs.get("host"))
        return original(*args, **kwargs)

    return call


def pytest_configure(config: pytest.Config) -> None:
    """Close the network before anything is collected."""
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    for name, position in {"connect": 1, "connect_ex": 1, "sendto": -1}.items():
        patch.setattr(socket.socket, name, guarded(getattr(socket.socket, name), position, check_address))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        patch.setattr(socket, name, guarded(getattr(socket, name), 0, check))
    patch.setattr(socket, "create_connection", guarded(socket.create_connection, 0, check_address))
    canary.Watch().start(config)


LIVE = ("tests/local/", "tests/live/", "tests/cli/test_demo.py", "tests/test_examples.py", "tests/test_readme.py")
"""Where tests start real engines and servers on this machine: `-m "not live"` leaves them out."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests with real engines."""
    root = Path(__file__).parent.parent
    for item in items:
        if item.path.is_relative_to(root) and item.path.relative_to(root).as_posix().startswith(LIVE):
            item.add_marker("live")


@pytest.fixture(scope="session")
def no_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that does not exist; one for all tests, for making thousands takes longer than the tests."""
    return tmp_path_factory.mktemp("home") / "none"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, no_home: Path, request: pytest.FixtureRequest) -> None:
    """An environment with the canary for a token, without proxies and tracing; HF_HOME does not exist."""
    for name in list(os.environ):
        foreign = name.startswith(FOREIGN) and not name.startswith("HF_TOOLS_")
        if foreign or name.upper() in PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(no_home))
    if request.function.__name__ not in canary.ELSEWHERE:
        monkeypatch.setenv("HF_TOKEN", canary.CANARY)
