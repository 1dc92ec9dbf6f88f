"""The drivers: foreign errors become ours, pools live and close with loops and processes, bodies have a cap."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import os
import ssl
import threading
import time
import warnings
from collections.abc import Generator, Iterator
from typing import Any

import httpx
import pytest

from hf_tools import AsyncHfInference, HfInference, Options, errors
from hf_tools._http import Http
from hf_tools.steps import Send
from tests.core.conftest import Ask, Script

ANSWER = b'[{"summary_text":"s"}]'


def summarize(hf: Any) -> Any:
    return hf.summarization("x", model="a/b")


@pytest.mark.parametrize(
    ("raised", "error", "message", "attempts"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), errors.ConnectError, "no connection: ", 3),
        (httpx.ConnectError("[Errno -2] Name or service not known"), errors.ConnectError, "cannot be resolved", 3),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"), errors.ConnectError, "no secure connection", 1),
        (httpx.ProxyError("407 Proxy Authentication Required"), errors.ConnectError, "through the proxy: 407", 1),
        (httpx.UnsupportedProtocol("no scheme"), errors.ConnectError, "no connection", 1),
        (httpx.ConnectTimeout("slow"), errors.RequestTimeout, "connect timeout", 3),
        (httpx.PoolTimeout("full"), errors.RequestTimeout, "no connection became free", 1),
        (httpx.ReadTimeout(""), errors.RequestTimeout, r"silent for too long \(ReadTimeout\)", 3),
        (httpx.WriteTimeout(""), errors.RequestTimeout, "WriteTimeout", 3),
        (httpx.ReadError("reset"), errors.ConnectionLost, "the connection broke: reset", 3),
        (httpx.RemoteProtocolError("Server disconnected"), errors.ConnectionLost, "broke: Server disconnected", 3),
        (httpx.RemoteProtocolError("bad line"), errors.TransportError, "not HTTP as it should be: bad line", 1),
        (httpx.DecodingError("bad gzip"), errors.DecodeError, "cannot be decompressed: bad gzip", 2),
        (httpx.InvalidURL("odd"), errors.InputError, "not a valid URL: odd", 1),
        (httpx.StreamClosed(), errors.ClientClosed, "the client was closed", 1),
        (RuntimeError("something else"), errors.TransportError, "RuntimeError: something else", 1),
    ],
)
def test_no_foreign_error_escapes(
    ask: Ask, raised: Exception, error: type[errors.HfError], message: str, attempts: int
) -> None:
    server = Script(raised)
    with pytest.raises(error, match=message) as caught:
        ask(server, summarize)
    assert type(caught.value) is error
    assert caught.value.__cause__ is raised
    assert len(server.requests) == attempts
    assert caught.value.task == "summarization"


def test_builtin_families() -> None:
    assert issubclass(errors.RequestTimeout, TimeoutError)
    assert issubclass(errors.ConnectError, ConnectionError)
    assert ssl.SSLError.__mro__  # the OpenSSL reason arrives as text, not as a class


def test_the_cap_of_an_answer(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hf_tools.exchange.Send", functools.partial(Send, limit=1000))
    with pytest.raises(errors.ResponseTooLarge, match="the answer is larger than"):
        ask(Script(httpx.Response(200, content=b"x" * 5000)), summarize)


def test_of_an_error_only_the_beginning_is_read(ask: Ask) -> None:
    with pytest.raises(errors.InvalidRequest) as caught:
        ask(Script(httpx.Response(400, content=b"x" * 10**6)), summarize)
    assert len(caught.value.body) == 64 * 2**10


def test_cookies_are_not_kept() -> None:
    server = Script(httpx.Response(200, content=ANSWER, headers={"set-cookie": "tenant=a; Path=/"}))
    hf = HfInference(False)
    hf._http = Http(transport=lambda: httpx.MockTransport(server))  # pyright: ignore[reportPrivateUsage]
    for _ in range(2):
        summarize(hf)
    assert all("cookie" not in request.headers for request in server.requests)
    hf.close()


def test_a_client_of_the_callers_own_that_cannot_read_a_redirect(ask: Ask) -> None:
    with pytest.raises(errors.TransportError, match="the answer redirects to no valid address"):
        ask(Script(httpx.Response(302, headers={"location": "http://[::1"})), summarize)


# a real server on loopback: connections are what is tested here


class Server:
    """Answers every request; counts connections."""

    def __init__(self, pieces: list[bytes] | None = None, gap: float = 0.0, *, raw: bool = False) -> None:
        self.pieces, self.gap, self.raw = pieces, gap, raw
        self.opened = self.closed = 0
        self.ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0.01))
        self.loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or b"0")
                await reader.readexactly(length)
                body = self.pieces or [ANSWER]
                size = sum(map(len, body))
                head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % size
                writer.write(b"" if self.raw else head)
                for piece in body:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(self.gap)
        self.closed += 1
        writer.close()

    def __enter__(self) -> str:
        self.thread.start()
        self.ready.wait(5)
        return f"http://127.0.0.1:{self.port}"

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)


@contextlib.contextmanager
def endpoint(url: str, **options: Any) -> Generator[Any, None, None]:
    with HfInference(False, options=Options(**options)) as hf:
        yield hf.endpoint(url, server="toolkit")


def test_connections_are_used_again_and_closed() -> None:
    server = Server()
    with server as url:
        with endpoint(url) as hf:
            assert [hf.summarization("x").summary_text for _ in range(5)] == ["s"] * 5
            assert (server.opened, server.closed) == (1, 0)
        time.sleep(0.05)
        assert server.closed == 1
        with pytest.raises(errors.ClientClosed, match="the client was closed"):
            hf.summarization("x")


def test_several_event_loops() -> None:
    server = Server()
    with server as url:
        hf = AsyncHfInference(False).endpoint(url, server="toolkit")

        async def call() -> str:
            results = await asyncio.gather(*(hf.summarization("x") for _ in range(3)))
            return results[0].summary_text

        assert [asyncio.run(call()) for _ in range(3)] == ["s", "s", "s"]
        time.sleep(0.1)
        assert server.opened == server.closed


def test_an_event_loop_in_each_thread() -> None:
    with Server() as url:
        hf = AsyncHfInference(False).endpoint(url, server="toolkit")
        found: list[str] = []

        async def call() -> None:
            found.append((await hf.summarization("x")).summary_text)

        threads = [threading.Thread(target=lambda: asyncio.run(call())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert found == ["s"] * 8


def test_leaving_the_async_with_block_closes() -> None:
    server = Server()
    with server as url:

        async def run() -> None:
            async with AsyncHfInference(False) as hf:
                await hf.endpoint(url, server="toolkit").summarization("x")
            with pytest.raises(errors.ClientClosed):
                await hf.summarization("x", model="a/b")
            unused = AsyncHfInference(False)
            await unused.aclose()

        asyncio.run(run())
        time.sleep(0.1)
        assert server.closed == server.opened == 1


def test_the_sync_client_in_64_threads() -> None:
    with Server() as url, endpoint(url) as hf:
        found: list[str] = []
        threads = [threading.Thread(target=lambda: found.append(hf.summarization("x").summary_text)) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert found == ["s"] * 64


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_opens_its_own_connection() -> None:
    server = Server()
    with server as url, endpoint(url) as hf:
        hf.summarization("x")
        child = os.fork()
        if child == 0:
            try:
                answer = hf.summarization("x").summary_text
                os._exit(0 if answer == "s" else 1)
            except BaseException:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert hf.summarization("x").summary_text == "s"
        assert server.opened == 2


def test_the_pools_know_their_process(monkeypatch: pytest.MonkeyPatch) -> None:
    hf, awaiting = HfInference(False), AsyncHfInference(False)
    first = hf._http.client()  # pyright: ignore[reportPrivateUsage]

    async def clients() -> tuple[Any, Any]:
        one = await awaiting._http.client()  # pyright: ignore[reportPrivateUsage]
        monkeypatch.setattr("os.getpid", lambda: -1)
        other = await awaiting._http.client()  # pyright: ignore[reportPrivateUsage]
        monkeypatch.undo()
        await one.aclose()
        return one, other

    one, other = asyncio.run(clients())
    assert one is not other
    monkeypatch.setattr("os.getpid", lambda: -1)
    hf.close()  # the child must not close what the parent uses
    assert not first.is_closed
    first.close()


def test_another_process_gets_another_client(monkeypatch: pytest.MonkeyPatch) -> None:
    hf = HfInference(False)
    first = hf._http.client()  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr("os.getpid", lambda: -1)
    second = hf._http.client()  # pyright: ignore[reportPrivateUsage]
    assert first is not second
    hf.close()
    first.close()
    assert second.is_closed


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_dribbling_body_ends_at_the_total_time(kind: str) -> None:
    with Server([b"x"] * 100, gap=0.05) as url:
        begun = time.monotonic()
        if kind == "sync":
            with endpoint(url, timeout=0.4, max_retries=0) as hf, pytest.raises(errors.DeadlineExceeded):
                hf.summarization("x")
        else:

            async def run() -> None:
                async with AsyncHfInference(False, options=Options(timeout=0.4, max_retries=0)) as hf:
                    await hf.endpoint(url, server="toolkit").summarization("x")

            with pytest.raises(errors.DeadlineExceeded):
                asyncio.run(run())
        assert time.monotonic() - begun < 1.5


DRIPS = {
    "head": b"HTTP/1.1 200 OK\r\nX-A: ",
    "continue": b"",
    "chunk": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1;a=",
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\0",
}


@pytest.mark.parametrize("where", DRIPS)
@pytest.mark.parametrize("how", ["sync", "sync stream", "async"])
def test_one_byte_now_and_then_ends_at_the_total_time(where: str, how: str) -> None:
    drop = b"HTTP/1.1 100 Continue\r\n\r\n" if where == "continue" else b"a"
    with Server([DRIPS[where], *[drop] * 60], gap=0.05, raw=True) as url:
        begun = time.monotonic()
        options = Options(timeout=0.4, max_retries=0)
        with pytest.raises((errors.DeadlineExceeded, errors.StreamInterrupted)):
            _dripped(how, url, options)
        assert time.monotonic() - begun < 1.5


def _dripped(how: str, url: str, options: Options) -> None:
    if how == "async":
        asyncio.run(_awaited(url, options))
        return
    with HfInference(False, options=options) as hf:
        mine, messages = hf.endpoint(url, server="openai"), [{"role": "user", "content": "x"}]
        if how == "sync":
            mine.chat_completion(messages, model="m")
        else:
            mine.chat_completion_stream(messages, model="m").read()


async def _awaited(url: str, options: Options) -> None:
    async with AsyncHfInference(False, options=options) as hf:
        await hf.endpoint(url, server="toolkit").summarization("x")


def test_a_loop_closed_without_ceremony_is_forgotten() -> None:
    with Server() as url:
        hf = AsyncHfInference(False).endpoint(url, server="toolkit")
        pools = hf._http._pools  # pyright: ignore[reportPrivateUsage]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            for _ in range(5):
                loop = asyncio.new_event_loop()
                loop.run_until_complete(hf.summarization("x"))
                loop.close()
                del loop
            assert len(pools) == 1
            asyncio.run(hf.close())
            pools.clear()
            gc.collect()


def test_only_the_beginning_of_an_error_is_read() -> None:
    taken: list[int] = []

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                taken.append(1)
                yield b"x" * 1024

    hf = HfInference(False, http_client=httpx.Client(transport=httpx.MockTransport(
        lambda _: httpx.Response(400, stream=Endless())
    )))  # fmt: skip
    with pytest.raises(errors.InvalidRequest):
        summarize(hf)
    assert len(taken) == 65


def test_cancelling_a_call_closes_its_connection() -> None:
    server = Server([b"x"] * 100, gap=0.05)
    with server as url:

        async def run() -> None:
            async with AsyncHfInference(False) as hf:
                task = asyncio.create_task(hf.endpoint(url, server="toolkit").summarization("x"))
                await asyncio.sleep(0.15)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

        asyncio.run(run())
        time.sleep(0.15)
        assert server.closed == 1


async def test_a_client_of_the_callers_own_stays_open() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(Script(httpx.Response(200, content=ANSWER)))) as http:
        async with AsyncHfInference(False, http_client=http) as hf:
            await summarize(hf)
        assert not http.is_closed


def test_a_sync_client_of_the_callers_own_stays_open() -> None:
    with httpx.Client(transport=httpx.MockTransport(Script(httpx.Response(200, content=ANSWER)))) as http:
        with HfInference(False, http_client=http) as hf:
            summarize(hf)
        assert not http.is_closed


def test_a_loop_that_ends_leaves_nothing_behind() -> None:
    with Server() as url:
        hf = AsyncHfInference(False).endpoint(url, server="toolkit")

        async def call() -> None:
            await hf.summarization("x")

        asyncio.run(call())
        gc.collect()
        assert not hf._http._pools  # pyright: ignore[reportPrivateUsage]
