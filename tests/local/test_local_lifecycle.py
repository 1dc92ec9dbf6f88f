"""When engines start and stop: sharing, closing, loops, threads, forks, the end of the interpreter."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from hf_tools import local
from hf_tools.errors import ClientClosed, ConfigurationError, LocalBackendError, MissingExtra
from hf_tools.local import chat, embed, transports
from hf_tools.local.chat import ChatServer
from hf_tools.local.shared import Holder, Shared
from hf_tools.local.weights import SMOLLM2

BASE = "https://router.huggingface.co"
CHAT = "/v1/chat/completions"
HI: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2}
EMBED = "/models/all-MiniLM-L6-v2/pipeline/feature-extraction"


class Counting:
    """An engine that only counts."""

    started = 0
    stopped = 0

    def __init__(self) -> None:
        time.sleep(0.05)
        type(self).started += 1

    def stop(self) -> None:
        type(self).stopped += 1

    def abandon(self) -> None:
        pass


@pytest.fixture
def own_server(monkeypatch: pytest.MonkeyPatch, weights_here: None) -> Shared[ChatServer]:
    """A chat server of this test alone."""
    share = Shared(ChatServer)
    monkeypatch.setattr(transports, "CHAT", share)
    return share


def sync_client() -> httpx.Client:
    return httpx.Client(transport=local.transport(), base_url=BASE, timeout=60)


def async_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=local.async_transport(), base_url=BASE, timeout=60)


def test_two_transports_share_one_server_until_the_second_close(own_server: Shared[ChatServer]) -> None:
    first, second = sync_client(), sync_client()
    assert own_server.engine is None
    first.post(CHAT, json=HI)
    engine = own_server.engine
    assert engine is not None
    second.post(CHAT, json=HI)
    assert own_server.engine is engine
    assert own_server.holders == 2
    first.close()
    first.close()
    assert second.post(CHAT, json=HI).status_code == 200
    second.close()
    assert own_server.engine is None
    assert own_server.holders == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(engine.address + "/health")


def test_use_after_close_is_an_error() -> None:
    transport = local.transport()
    transport.close()
    with pytest.raises(ClientClosed):
        transport.handle_request(httpx.Request("POST", BASE + CHAT, json=HI))

    async def closed() -> None:
        transport = local.async_transport()
        await transport.aclose()
        await transport.aclose()
        with pytest.raises(ClientClosed):
            await transport.handle_async_request(httpx.Request("POST", BASE + CHAT, json=HI))

    asyncio.run(closed())


def test_many_threads_at_once_load_once() -> None:
    share = Shared(Counting)
    holders = [Holder() for _ in range(64)]
    threads = [threading.Thread(target=holder.engine, args=(share,)) for holder in holders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Counting.started, share.holders) == (1, 64)
    for holder in holders:
        holder.close()
    assert (Counting.stopped, share.engine) == (1, None)


def test_a_start_that_fails_holds_nothing() -> None:
    def fail() -> Counting:
        raise LocalBackendError("no")

    share, holder = Shared(fail), Holder()
    for _ in range(2):
        with pytest.raises(LocalBackendError):
            holder.engine(share)
    assert share.holders == 0
    holder.close()


def test_a_forgotten_transport_gives_its_engine_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "EMBEDDER", Shared(embed.Embedder))
    client = sync_client()
    client.post(EMBED, json={"inputs": "a"})
    assert transports.EMBEDDER.holders == 1
    del client
    gc.collect()
    assert transports.EMBEDDER.holders == 0


def test_one_async_transport_in_several_loops(own_server: Shared[ChatServer]) -> None:
    client = async_client()

    async def several() -> None:
        asked = [client.post(CHAT, json=HI) for _ in range(6)] + [client.post(EMBED, json={"inputs": "a"})]
        answers = await asyncio.gather(*asked)
        assert [answer.status_code for answer in answers] == [200] * 7
        async with client.stream("POST", CHAT, json=HI | {"max_tokens": 500, "stream": True}) as response:
            assert (await anext(response.aiter_lines())).startswith("data: ")

    asyncio.run(several())
    engine = own_server.engine
    asyncio.run(several())
    assert own_server.engine is engine
    asyncio.run(client.aclose())
    assert own_server.engine is None


async def test_loading_does_not_block_the_loop(monkeypatch: pytest.MonkeyPatch, own_server: Shared[ChatServer]) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    async with async_client() as client:
        await client.post(CHAT, json=HI)
    ticking.cancel()
    assert ticks > 10


def test_closing_ends_an_open_stream(own_server: Shared[ChatServer]) -> None:
    client = sync_client()
    with client.stream("POST", CHAT, json=HI | {"max_tokens": 3000, "stream": True}) as response:
        lines = response.iter_lines()
        next(lines)
        client.close()
        with pytest.raises(httpx.TransportError):
            list(lines)
    assert own_server.engine is None


FORK = """
import os, sys, httpx
from hf_tools import local
client = httpx.Client(transport=local.transport(), base_url="https://x.invalid", timeout=60)
hi = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2}
paths = {"/v1/chat/completions": hi, "/models/all-MiniLM-L6-v2/pipeline/feature-extraction": {"inputs": "a"}}
def ask():
    return [client.post(path, json=body).status_code for path, body in paths.items()]
assert ask() == [200, 200]
from hf_tools.local.transports import CHAT
address = CHAT.engine.address
for use in (False, True):
    child = os.fork()
    if not child:
        assert not use or ask() == [200, 200] and CHAT.engine.address != address
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert ask() == [200, 200] and CHAT.engine.address == address
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_has_its_own_server(weights_here: None) -> None:
    done = subprocess.run([sys.executable, "-X", "dev", "-c", FORK], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


LEFT_OPEN = FORK.split("from hf_tools.local.transports", maxsplit=1)[0]


@pytest.mark.parametrize("end", ["client.close()", ""])
def test_the_interpreter_ends_cleanly(end: str, weights_here: None) -> None:
    code = f"{LEFT_OPEN}\nfrom hf_tools.local.transports import CHAT\nprint(CHAT.engine._process.pid)\n{end}"
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert gone(int(done.stdout))


def test_the_server_ends_when_its_owner_is_killed(weights_here: None) -> None:
    code = (
        f"{LEFT_OPEN}\nfrom hf_tools.local.transports import CHAT\nprint(CHAT.engine._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert gone(int(done.stdout))


def gone(pid: int) -> bool:
    """Whether the process ends within five seconds."""
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        try:
            os.kill(pid, 0)
            if state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_a_file_that_is_no_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF but not really")
    monkeypatch.setenv(SMOLLM2.variable, str(bad))
    with pytest.raises(LocalBackendError, match=r"cannot load bad.gguf"):
        ChatServer()
    monkeypatch.setenv("HF_TOOLS_LOCAL_MINILM", str(bad))
    with pytest.raises(LocalBackendError, match=r"cannot load bad.gguf"):
        embed.Embedder()


@pytest.mark.parametrize("value", ["0", "two", "-1", "9999"])
def test_threads_must_be_a_small_number(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HF_TOOLS_LOCAL_THREADS", value)
    with pytest.raises(ConfigurationError, match="HF_TOOLS_LOCAL_THREADS"):
        chat.threads()


def test_missing_packages_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtra, match=r"pip install 'hf-tools\[local\]'"):
        embed.Embedder()

    def find_spec(_: str) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", find_spec)
    with pytest.raises(MissingExtra, match=r"xllamacpp: pip install 'hf-tools\[local\]'"):
        ChatServer()


def test_onnxruntime_does_not_report() -> None:
    code = (
        "from hf_tools.local.embed import Embedder; import os; Embedder(); print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
