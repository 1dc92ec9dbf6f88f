"""What the tests of streams share: decoders fed by hand, and a server on the loopback that says what it is told to.

Test files do not import each other (import mode importlib), so everything is a fixture.
"""

import asyncio
import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hf_tools.errors import HfError
from hf_tools.task import Decoder, Reply, Streamed

RECORDING = Path(__file__).parent.parent / "facts" / "recordings" / "chat_completion_with_stream.json"
STREAM = {"content-type": "text/event-stream"}


@pytest.fixture(scope="session")
def recorded() -> bytes:
    """The bytes of a chat stream that TGI 1.4 sent: 20 pieces of text, no `[DONE]`."""
    [exchange] = json.loads(RECORDING.read_text(encoding="utf-8"))
    text: str = exchange["response"]["text"]
    return text.encode()


@pytest.fixture(scope="session")
def splits() -> Callable[[bytes], Iterator[list[bytes]]]:
    """The bytes in one piece, cut in two at every place, cut in three around every byte, and one by one."""

    def cut(data: bytes) -> Iterator[list[bytes]]:
        yield [data]
        for at in range(1, len(data)):
            yield [data[:at], data[at:]]
            yield [data[:at], data[at : at + 1], data[at + 1 :]]
        yield [data[at : at + 1] for at in range(len(data))]

    return cut


@dataclass
class Played:
    """What came out of a stream: its parts, the error that ended it, and the decoder."""

    decoder: Decoder[Any, Any]
    parts: list[Any] = field(default_factory=list[Any])
    error: HfError | None = None


@pytest.fixture(scope="session")
def play() -> Callable[..., Any]:
    """`play(task, bytes or pieces, headers)` feeds a task's decoder as the streams do."""

    def run(task: Streamed[Any, Any], data: bytes | Sequence[bytes], headers: dict[str, str] = STREAM) -> Played:
        played = Played(task.decoder(Reply(200, headers)))
        try:
            for piece in [data] if isinstance(data, bytes) else data:
                for part in played.decoder.feed(piece):
                    played.parts.append(part)
                if played.decoder.done:
                    break
            for part in played.decoder.close():
                played.parts.append(part)
        except HfError as error:
            played.error = error
        return played

    return run


class Server:
    """Answers the n-th request with the n-th script; a script is a list of steps.

    bytes: sent; a float: a pause in seconds; an Event: wait until it is set; None: wait until the client is gone;
    `abort`: reset the connection. After the last step the connection is closed.
    """

    def __init__(self) -> None:
        self.scripts: list[list[Any]] = []
        self.requests: list[bytes] = []
        self.gone = threading.Event()
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._listening = self._do(asyncio.start_server(self._answer, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        self._do(self._stopped())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _stopped(self) -> None:
        self._listening.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.01)  # for the transports to close

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with contextlib.AsyncExitStack() as held:
            held.callback(writer.close)
            held.enter_context(contextlib.suppress(OSError, asyncio.IncompleteReadError))
            head = await reader.readuntil(b"\r\n\r\n")
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            self.requests.append(head + await reader.readexactly(int(length[0].partition(b":")[2]) if length else 0))
            for step in self.scripts[len(self.requests) - 1]:
                await self._perform(step, reader, writer)

    async def _perform(self, step: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
        elif isinstance(step, float):
            await asyncio.sleep(step)
        elif isinstance(step, threading.Event):
            while not step.is_set():
                await asyncio.sleep(0.005)
        elif step == "abort":
            linger = struct.pack("ii", 1, 0)  # 0 seconds: a reset instead of an orderly end
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        else:
            with contextlib.suppress(OSError):
                await asyncio.wait_for(reader.read(), 20)
            self.gone.set()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on the loopback; set its `scripts`, look at its `requests`, wait for `gone`."""
    made = Server()
    made.start()
    yield made
    made.stop()
