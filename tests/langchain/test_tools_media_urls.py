"""URLs that a model names in a call: only hosts that were opened, at addresses that were checked; real sockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hf_tools._http import network
from tests.langchain.agents import BOTH, bomb, png
from tests.langchain.test_tools_media import ALLOWED, HTML, SVG, Looking

pytestmark = BOTH


class Pages(ThreadingHTTPServer):
    """A server on a free port of 127.0.0.1; what was asked for stays in `asked`, as path and headers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.opened: dict[str, Any] = {"hosts": ("127.0.0.1",), "ports": (self.server_port,), "schemes": ("http",)}

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}/{path}"


class Page(BaseHTTPRequestHandler):
    """Answers with the page of its path."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Pages)
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        status, headers, body = self.server.pages[self.path.partition("?")[0]]
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def pages() -> Iterator[Pages]:
    with Pages() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """The addresses of names, for one lookup after the other; a lookup that is not here fails the test."""
    found: dict[str, list[list[str]]] = {}

    def resolve(host: str, port: int) -> list[str]:
        return found[host].pop(0)

    monkeypatch.setattr(network, "resolve", resolve)
    return found


async def test_a_picture_of_an_opened_host_is_read_without_any_credential(way: str, pages: Pages) -> None:
    pages.pages["/a.png"] = 200, {"content-type": "text/plain"}, png(7, 7)
    assert await Looking(**pages.opened).sent(way, pages.url("a.png?size=7#part")) == png(7, 7)
    ((path, headers),) = pages.asked
    assert path == "/a.png?size=7"
    assert headers == {
        "host": f"127.0.0.1:{pages.server_port}", "accept": "*/*", "accept-encoding": "identity",
        "user-agent": "hf-tools", **{name: headers[name] for name in ("connection",) if name in headers},
    }  # fmt: skip


async def test_redirects_to_opened_hosts_are_followed(way: str, pages: Pages) -> None:
    pages.pages["/old"] = 302, {"location": "/new"}, b""
    pages.pages["/new"] = 307, {"location": pages.url("a.png")}, b""
    pages.pages["/a.png"] = 200, {}, png()
    assert await Looking(**pages.opened).sent(way, pages.url("old")) == png()
    assert [path for path, _ in pages.asked] == ["/old", "/new", "/a.png"]


ELSEWHERE = {
    "metadata": ("http://169.254.169.254:{port}/latest/meta-data/", "the host '169.254.169.254' is not allowed"),
    "port": ("http://127.0.0.1:22/", "the port 22 is refused: open is {port}"),
    "private": ("http://10.0.0.1:{port}/a.png", "the host '10.0.0.1' is not allowed"),
    "6to4": ("http://[2002:7f00:1::]:{port}/a.png", "the host '2002:7f00:1::' is not allowed"),
    "number": ("http://2130706433:{port}/a.png", "the host '2130706433' is not allowed"),
    "localhost": ("//localhost:{port}/a.png", "the host 'localhost' is not allowed"),
    "user": ("http://user:pass@127.0.0.1:{port}/", "the URL has a user or password in it"),
    "https": ("https://127.0.0.1:{port}/a.png", "https URLs are refused: only http is read"),
    "file": ("file:///etc/passwd", "a redirect leads to file:///etc/passwd, which is not followed"),
    "ftp": ("ftp://127.0.0.1/a.png", "a redirect leads to ftp://127.0.0.1/a.png, which is not followed"),
    "loop": ("/away", "the URL {away} redirects more than 3 times"),
}
"""Where a redirect leads, and how the answer begins."""


@pytest.mark.parametrize("case", ELSEWHERE)
async def test_redirects_to_elsewhere_are_not_followed(way: str, case: str, pages: Pages) -> None:
    location, told = (each.format(port=pages.server_port, away=pages.url("away")) for each in ELSEWHERE[case])
    pages.pages["/away"] = 302, {"location": location}, b""
    assert (await Looking(**pages.opened).refused(way, pages.url("away"))).startswith(told)
    assert {path for path, _ in pages.asked} == {"/away"}
    assert len(pages.asked) == (4 if case == "loop" else 1)


CONTENT: dict[str, tuple[tuple[int, dict[str, str], bytes], str]] = {
    "web page": ((200, {"content-type": "text/html; charset=utf-8"}, png()), "the URL {url} is a web page, not a file"),
    "html": ((200, {"content-type": "image/png"}, HTML), "the URL {url} is a web page, not image"),
    "svg": ((200, {"content-type": "image/svg+xml"}, SVG), "the URL {url} is SVG, not image"),
    "text": ((200, {"content-type": "image/png"}, b"KEY=secret"), "the URL {url} is text, not image"),
    "bomb": ((200, {}, bomb()), "the URL {url} has 100000×100000 pixels"),
    "packed": ((200, {"content-encoding": "gzip"}, b"\x1f\x8b"), "the server sends the file packed (gzip)"),
    "large": ((200, {}, png() + bytes(70_000)), "the URL {url} is larger than 64 KiB"),
    "missing": ((404, {}, b"nothing here"), "the URL {url} answers 404"),
}
"""What is at a URL, and how the answer begins."""


@pytest.mark.parametrize("case", CONTENT)
async def test_what_is_no_picture_is_refused(way: str, case: str, pages: Pages) -> None:
    pages.pages["/a.png"], told = CONTENT[case]
    text = await Looking(max_bytes={"image": 2**16}, **pages.opened).refused(way, pages.url("a.png?key=hf_test"))
    assert text.startswith(told.format(url=pages.url("a.png")))
    assert "hf_test" not in text


PUBLIC: dict[str, str] = {
    "http://example.org/a.png": "http URLs are refused: only https is read",
    "https://example.org:8443/a.png": "the port 8443 is refused: open is 443",
    "https://user@example.org/a.png": "the URL has a user or password in it",
    "https://example.org\\@10.0.0.1/a.png": "the URL is refused: it is too long, or has a backslash",
    "https://exämple.org/a.png": "the URL is refused: it is too long, or has a backslash or characters that are not",
    "https:///a.png": "the URL has no host",
    "https://localhost/a.png": "the host 'localhost' is not allowed",
    "https://metadata.google.internal/computeMetadata/v1/": "the host 'metadata.google.internal' is not allowed",
    "https://printer.local/a.png": "the host 'printer.local' is not allowed",
    "https://127.0.0.1/a.png": "the host '127.0.0.1' is not allowed",
    "https://127.1/a.png": "the host '127.1' is not allowed",
    "https://2130706433/a.png": "the host '2130706433' is not allowed",
    "https://0x7f000001/a.png": "the host '0x7f000001' is not allowed",
    "https://0177.0.0.1/a.png": "the host '0177.0.0.1' is not allowed",
    "https://10.0.0.1/a.png": "the host '10.0.0.1' is not allowed",
    "https://169.254.169.254/latest/meta-data/": "the host '169.254.169.254' is not allowed",
    "https://[::1]/a.png": "the host '::1' is not allowed",
    "https://[fe80::1]/a.png": "the host 'fe80::1' is not allowed",
    "https://[fd00:ec2::254]/a.png": "the host 'fd00:ec2::254' is not allowed",
    "https://[::ffff:127.0.0.1]/a.png": "the host '::ffff:127.0.0.1' is not allowed",
    "https://[2002:7f00:1::]/a.png": "the host '2002:7f00:1::' is not allowed",
    "https://[2001:0:53aa:64c::1]/a.png": "the host '2001:0:53aa:64c::1' is not allowed",
    "https://[64:ff9b::7f00:1]/a.png": "the host '64:ff9b::7f00:1' is not allowed",
    "https://93.184.215.14/a.png": "the host '93.184.215.14' is not allowed",
}
"""What a model writes where all public hosts are open, and how the answer begins; no name is looked up for it."""


@pytest.mark.parametrize("url", PUBLIC)
async def test_urls_that_are_never_asked_for(way: str, url: str, names: dict[str, list[list[str]]]) -> None:
    text = await Looking(hosts="public").refused(way, url)
    assert text.startswith(PUBLIC[url])
    assert text.endswith(f"{ALLOWED}, an https URL of any public host")
    assert names == {}


ADDRESSES = [
    "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1",
    "168.63.129.16", "198.18.0.1", "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "::10.0.0.1", "2002:0a00:1::",
    "2001:0:53aa:64c::1", "64:ff9b::a00:1", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_name_with_an_address_that_is_not_public(way: str, address: str, names: Any) -> None:
    names["files.example.org"] = [["93.184.215.14", address]]
    text = await Looking(hosts=["*.example.org"]).refused(way, "https://files.example.org/a.png")
    assert text.startswith("the host 'files.example.org' is not allowed: it is not on the public internet")
    assert names == {"files.example.org": []}


async def test_a_name_is_looked_up_once_for_each_connection(way: str, pages: Pages, names: Any) -> None:
    pages.pages["/a.png"] = 200, {}, png()
    names["files.example.org"] = [["127.0.0.1"], ["10.0.0.1"]]  # as a server does that rebinds its name
    pages.opened["hosts"] = ("files.example.org", "127.0.0.1")
    assert await Looking(**pages.opened).sent(way, pages.url("a.png", "files.example.org")) == png()
    assert names == {"files.example.org": [["10.0.0.1"]]}
    assert [headers["host"] for _, headers in pages.asked] == [f"files.example.org:{pages.server_port}"]


async def test_a_name_that_has_changed_is_checked_again_after_a_redirect(way: str, pages: Pages, names: Any) -> None:
    pages.pages["/a"] = 302, {"location": "/b.png"}, b""
    names["files.example.org"] = [["127.0.0.1"], ["10.0.0.1"]]
    pages.opened["hosts"] = ("files.example.org", "127.0.0.1")
    text = await Looking(**pages.opened).refused(way, pages.url("a", "files.example.org"))
    assert text.startswith("the host 'files.example.org' is not allowed: it is not on the public internet")
    assert [path for path, _ in pages.asked] == ["/a"]


async def test_a_server_that_is_not_there_is_told(way: str, pages: Pages) -> None:
    looking, url = Looking(**pages.opened), pages.url("a.png")
    pages.shutdown()
    pages.socket.close()
    assert (await looking.refused(way, url)).startswith(f"the URL {url} cannot be read: ")
