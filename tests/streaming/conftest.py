"""What the tests of streams share: decoders fed by hand, and a server on the loopback that says what it is told to.

Test files do not import each other (import mode importlib), so everything is a fixture.
"""

import json
from collections.abc import Callable, Iterator, Sequence
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
