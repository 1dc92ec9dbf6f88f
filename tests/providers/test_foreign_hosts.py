"""What reaches a foreign host, by real sockets: files that a provider links to come from a second loopback address."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hf_tools import AsyncHfInference, HfInference, Options
from hf_tools.providers.dialects import Dialect, Job, Link, Outcome, Provider, Target
from hf_tools.providers.rows import ROWS

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
Answer = Callable[[str], tuple[int, dict[str, str], bytes]]
Seen = list[tuple[str, dict[str, str]]]


@contextmanager
def listening(host: str, answer: Answer) -> Generator[tuple[str, Seen]]:
    """A server on a loopback address; gives its URL, and the path and headers of each request."""
    seen: Seen = []

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, headers, content = answer(self.path)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content)), "set-cookie": "spy=1"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = handle_one  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer((host, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{host}:{server.server_address[1]}", seen
        server.shutdown()


def files(path: str) -> tuple[int, dict[str, str], bytes]:
    if path == "/moved.png":
        return 302, {"location": "/fox.png"}, b""
    return 200, {"content-type": "image/png"}, PNG


def submitted(value: Any, target: Target) -> Outcome:
    return Job("j1", f"{target.base}/jobs/j1", lambda polled: Link(polled["url"]), interval=0.01)


@pytest.mark.parametrize("awaits", [False, True])
async def test_no_key_reaches_a_foreign_host(monkeypatch: pytest.MonkeyPatch, awaits: bool) -> None:
    with listening("127.0.0.2", files) as (foreign, seen_there):

        def own(path: str) -> tuple[int, dict[str, str], bytes]:
            if path.startswith("/api/models/"):
                entry = '{"painter": {"providerId": "p", "status": "live", "task": "text-to-image"}}'
                return 200, {}, f'{{"inferenceProviderMapping": {entry}}}'.encode()
            return 200, {"content-type": "application/json"}, f'{{"url": "{foreign}/moved.png"}}'.encode()

        with listening("127.0.0.1", own) as (url, seen_here):
            dialect = Dialect("/draw", lambda task, target: {"prompt": task.prompt}, submitted)
            monkeypatch.setitem(ROWS, "painter", Provider("painter", url, own={"text-to-image": dialect}))
            monkeypatch.setattr("hf_tools.providers.table.PROVIDERS", {"painter": "pictures"})
            monkeypatch.setattr("hf_tools.mapping.HUB", url)
            options = Options(bill_to="org", extra_headers={"x-mine": "secret"}, max_retries=0)
            if awaits:
                async with AsyncHfInference("own-key", provider="painter", model="org/m", options=options) as ahf:
                    assert (await ahf.text_to_image("a fox")).data == PNG
            else:
                with HfInference("own-key", provider="painter", model="org/m", options=options) as hf:
                    assert hf.text_to_image("a fox").data == PNG
    assert [path for path, _ in seen_there] == ["/moved.png", "/fox.png"]
    for _, headers in seen_there:
        assert headers.keys() <= {"host", "accept", "accept-encoding", "connection", "user-agent"}
    mapping, *calls = seen_here
    assert [path for path, _ in calls] == ["/draw", "/jobs/j1"]
    assert "authorization" not in mapping[1]
    assert {headers["authorization"] for _, headers in calls} == {"Bearer own-key"}
    assert not any({"cookie", "x-hf-bill-to"} & headers.keys() for _, headers in (*seen_here, *seen_there))
