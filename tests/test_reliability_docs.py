"""docs/reliability.md says what is so: its tests exist, its numbers are the code's, its table is the kit's."""

from __future__ import annotations

import ast
import asyncio
import logging
import re
import time
from pathlib import Path

import httpx
import pytest

from hf_tools import AsyncHfInferenceEndpoint, HfInference, HfInferenceEndpoint, Options, Timeout, errors, retry
from hf_tools._http import network, shared, unpacking
from hf_tools.catalogue import catalogue
from hf_tools.media.source import MAX_INPUT
from hf_tools.response import KEPT
from hf_tools.sse import MAX_EVENT
from hf_tools.steps import MAX_ANSWER
from hf_tools.tasks import chat
from hf_tools.tasks.decoding import MAX_STREAM
from tests.faults.all import PAIRS
from tests.faults.declared import FAULTS, MODULES
from tests.faults.table import Expect, Fault
from tests.faults.wire import FaultServer, Wire

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")
LINK = re.compile(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)")
POINTS = re.findall(r"^- .*(?:\n  .*)*", PAGE, re.M)
TABLE = PAGE.partition("| faults |\n|---|---|---|---|\n")[2].partition("\n\n")[0]
ROWS = [line.strip("| ").split(" | ") for line in TABLE.splitlines()]
KINDS = ("call", "stream", "embed")
MOST = {"no": {0, 1}, "once": {2}, "yes": {0, 2, 3}, "halved": {2, 3}}
"""The most requests of a row's faults, by what it says of sending again."""


def test_every_point_ends_with_its_tests() -> None:
    assert len(POINTS) > 80
    for point in POINTS:
        prose, *links = re.split(r"\n  (?=\[`)", point)
        assert prose.endswith("."), point
        assert [LINK.sub("", link).strip(", ") for link in links] == [""] * max(len(links), 1), point


@pytest.mark.parametrize(("name", "path"), sorted(set(LINK.findall(PAGE))))
def test_the_tests_that_are_named_exist(name: str, path: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_all_links_lead_somewhere() -> None:
    assert [link for link in re.findall(r"\]\(([^)]+)\)", PAGE) if not (ROOT / "docs" / link).exists()] == []


WAITS, MIB, KIB = Timeout(), 2**20, 2**10


@pytest.mark.parametrize(
    "words",
    [
        f"`max_retries={Options().max_retries}`",
        "`Retry-After` in seconds or as a date, `retry-after-ms`, `ratelimit`",
        f"is obeyed up to {retry.LONGEST:g} s", f"asks for more than {retry.LONGEST:g} s",
        f"grows from {retry.BACKOFF:g} s to at most {retry.BACKOFF_TOP:g} s", f"more than {chat.LONG:,} tokens",
        f"a budget of {retry.TOKENS} for", f"one costs {retry.RETRY}, after a wait that was too long {retry.TIMEOUT},",
        f"connect {WAITS.connect:g} s, read {WAITS.read:g} s, write {WAITS.write:g} s, pool {WAITS.pool:g} s, idle",
        f"idle {WAITS.idle:g} s",         f"silence of more than {WAITS.read:g} s", f"So do {WAITS.idle:g} s in which",
        f"up to {shared.DRAIN:g} s, so that",
        f"An answer may have {MAX_ANSWER // MIB} MiB", f"Of an error {KEPT // KIB} KiB",
        f"{unpacking.PIECE // KIB} KiB at a time; more than {unpacking.RATIO} bytes",
        f"A stream may have {MAX_STREAM // MIB} MiB, an event {MAX_EVENT // MIB} MiB",
        f"is read up to {MAX_INPUT // MIB} MiB",
    ],
)  # fmt: skip
def test_numbers_are_those_of_the_code(words: str) -> None:
    assert words in " ".join(PAGE.split())
    assert (network.TRIED, network.TURN) == (4, 1.0)


def test_who_has_longer() -> None:
    """Pictures, sounds or films that are made, and speech or films that are read."""
    assert {task.deadline for _, task in catalogue()} == {120.0, 600.0}
    assert {name for name, task in catalogue() if task.deadline == 600} == {
        "text_to_image", "image_to_image", "image_text_to_image", "text_to_video", "image_to_video",
        "image_text_to_video",
        "text_to_speech", "text_to_audio", "audio_to_audio", "automatic_speech_recognition", "video_classification",
    }  # fmt: skip


def meant(row: list[str]) -> list[Fault]:
    """The faults of a row; a star stands for all of a number."""
    chosen: list[Fault] = []
    for word in row[3].split():
        found = [one for one in FAULTS if word in (f"{one.number:03}{one.label}", f"{one.number:03}*")]
        assert found, word
        chosen += found
    return chosen


def outcomes(fault: Fault) -> list[Expect]:
    """What is expected of the clients; a tool tells the model instead of raising."""
    return [one for kind, one in fault.expect.items() if kind in KINDS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_table_is_that_of_the_kit(row: list[str]) -> None:
    said = set(re.findall(r"`(\w+)`", row[1]))
    expected = [one for fault in meant(row) for one in outcomes(fault)]
    assert {one.error for one in expected} - {None} <= said
    assert all(issubclass(getattr(errors, name), errors.HfError) for name in said)
    assert max(one.requests or 0 for one in expected) in MOST[row[2]]


def test_the_table_is_whole() -> None:
    assert len(MODULES) > 3
    failing = {fault.key for fault in FAULTS if any(one.error for one in outcomes(fault))}
    assert failing - {fault.key for row in ROWS for fault in meant(row)} == set()


def test_the_readme_tells_the_same_numbers() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.partition("\n## Reliability\n")[2].partition("\n## ")[0]
    peers = (ROOT / "docs" / "faults_peers.md").read_text("utf-8")
    scores = re.findall(r"^\| ([\w-]+) \| (\d+) \| \d+ \| \d+ \| (\d+) \|$", peers, re.M)
    assert len(scores) == 4
    told = [f"{name} {right} of {count}".replace("hf-tools", "this package") for name, right, count in scores]
    assert [words for words in told if words not in section] == []
    assert set(re.findall(r"[\w-]+ \d+\.\d+\.\d+", peers)) >= set(re.findall(r"[\w-]+ \d+\.\d+\.\d+", section)) != set()
    assert f"{len(PAIRS):,} of {len(PAIRS):,} as expected" in section
    assert f"{len(FAULTS)} faults" in section


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
BODY = HEAD + b"content-length: 1000\r\n\r\n"


@pytest.mark.parametrize(
    ("beginning", "awaits", "error", "ends"),
    [
        (BODY, False, errors.DeadlineExceeded, (0.3, 1.2)), (BODY, True, errors.DeadlineExceeded, (0.3, 1.2)),
        (HEAD, True, errors.DeadlineExceeded, (0.3, 1.2)), (HEAD, False, errors.ConnectionLost, (1.4, 5.0)),
    ],
)  # fmt: skip
def test_clients_of_the_callers_own_keep_the_total_time_but_for_a_dribbled_head(
    beginning: bytes, awaits: bool, error: type[errors.HfError], ends: tuple[float, float]
) -> None:
    def dribbles(wire: Wire) -> None:
        wire.request()
        wire.send(beginning)
        for _ in range(30):
            time.sleep(0.05)
            wire.send(b"a")

    options, messages = Options(timeout=0.4, max_retries=0), [{"role": "user", "content": "x"}]

    async def awaited(url: str) -> None:
        async with httpx.AsyncClient() as http:
            hf = AsyncHfInferenceEndpoint(url, False, server="openai", http_client=http, options=options)
            await hf.chat_completion(messages, model="m")

    with FaultServer(dribbles) as server, httpx.Client() as http:
        hf = HfInferenceEndpoint(server.url, False, server="openai", http_client=http, options=options)
        begun = time.monotonic()
        with pytest.raises(error):
            asyncio.run(awaited(server.url)) if awaits else hf.chat_completion(messages, model="m")
        assert ends[0] < time.monotonic() - begun < ends[1]


def test_a_call_that_is_sent_again_and_fails_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asked: list[httpx.Request] = []

    def busy(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(503, headers={"retry-after-ms": "1"})

    with httpx.Client(transport=httpx.MockTransport(busy)) as http:
        hf = HfInference(False, provider="hf-inference", http_client=http)
        with pytest.raises(errors.Overloaded):
            hf.summarization("x", model="a/b")
    assert len(asked) == 3
    assert [record.name for record in caplog.records if record.name.startswith(("hf_tools", "langchain_hf"))] == []


def test_two_warnings_are_all_that_is_logged() -> None:
    calls: list[str] = []
    for folder in ("hf_tools", "integrations/langchain_hf_tools"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            calls += re.findall(
                r"\b(?:logg\w*|log)\.(?:debug|info|warning|error|exception|critical|log)\(.*", path.read_text("utf-8")
            )
    assert calls == [
        'logger.warning("on_progress raised; the job goes on", exc_info=True)',
        'logger.warning("the progress hook failed and is not called again in this call", exc_info=True)',
    ]
