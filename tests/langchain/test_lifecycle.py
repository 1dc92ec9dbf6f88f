"""How models live: written down and loaded, closed, in threads, event loops and forked processes."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import os
import pickle
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from langchain_core.load import dumpd, load
from pydantic import SecretStr

from hf_tools import Timeout
from hf_tools.errors import ClientClosed, ConfigurationError
from langchain_hf_tools import ChatHfInference

FOUND, PASSED = "hf_foundfoundfound", "hf_passedpassedpassed"
ELSEWHERE = "http://127.0.0.1:9/v1"


def secret(model: Any) -> str | None:
    return None if model.api_key is None else model.api_key.get_secret_value()


# written down and loaded


def loaded(dumped: Any) -> Any:
    return load(
        dumped, allowed_objects=[ChatHfInference], valid_namespaces=["langchain_hf_tools"], secrets_from_env=True
    )


@pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning")
def test_a_model_can_be_written_down_and_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", FOUND)
    model = ChatHfInference(model="org/model", temperature=0, timeout=(5, 60), stop=["x"], bill_to="us", max_retries=0)
    dumped = dumpd(model)
    assert dumped["id"] == ["langchain_hf_tools", "chat_models", "ChatHfInference"]
    assert "api_key" not in dumped["kwargs"]
    again = loaded(json.loads(json.dumps(dumped)))
    assert again.model_dump() == model.model_dump()
    assert again.timeout == Timeout(5, 60, total=None)
    assert "api_key" not in again.model_fields_set


@pytest.mark.filterwarnings("ignore::langchain_core._api.beta_decorator.LangChainBetaWarning")
def test_a_passed_key_is_written_down_as_the_name_of_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    dumped = dumpd(ChatHfInference(model="org/model", api_key=SecretStr(PASSED)))
    assert dumped["kwargs"]["api_key"] == {"lc": 1, "type": "secret", "id": ["HF_TOKEN"]}
    monkeypatch.setenv("HF_TOKEN", FOUND)
    assert secret(loaded(dumped)) == FOUND
    there = dumpd(ChatHfInference(base_url=ELSEWHERE, api_key=SecretStr(PASSED)))
    assert there["kwargs"]["api_key"]["id"] == ["HF_ENDPOINT_API_KEY"]  # Hugging Face's token never goes there
    again = loaded(there)
    assert (secret(again), "api_key" in again.model_fields_set) == (FOUND, True)
    monkeypatch.setenv("HF_ENDPOINT_API_KEY", "key-of-the-endpoint")
    assert secret(loaded(there)) == "key-of-the-endpoint"


# closing


@pytest.mark.parametrize("awaited", [False, True])
def test_a_closed_model_takes_no_call(awaited: bool, serve: Any, completion: Any) -> None:
    server = serve(completion("Hello"))

    async def within() -> Any:
        async with ChatHfInference(**server.models) as model:
            assert (await model.ainvoke("Hi")).content == "Hello"
        return model

    if awaited:
        model = asyncio.run(within())
    else:
        with ChatHfInference(**server.models) as model:
            assert model.invoke("Hi").content == "Hello"
    with pytest.raises(ClientClosed, match=r"the model was closed. Make a new one, or leave its `with` block later"):
        model.invoke("Hi")
    with pytest.raises(ClientClosed, match="the model was closed"):
        asyncio.run(model.ainvoke("Hi"))
    model.close()
    assert not server.http.is_closed
    assert not server.async_http.is_closed
    assert model.model_copy(update={"max_retries": 1}).invoke("Hi").content == "Hello"


def test_closing_before_any_call() -> None:
    kinds: list[dict[str, Any]] = [{}, {"http_client": httpx.Client()}, {"http_async_client": httpx.AsyncClient()}]
    for fields in kinds:
        model = ChatHfInference(**fields)
        asyncio.run(model.aclose())
        model.close()


def test_the_other_http_client_is_asked_for() -> None:
    said = "serves either blocking or awaited calls, not both. Pass `{}` .tools. or `{}` .models. as well"
    with httpx.Client() as http:
        model = ChatHfInference(model="org/model", http_client=http)
        with pytest.raises(ConfigurationError, match=said.format("async_client", "http_async_client")):
            asyncio.run(model.ainvoke("Hi"))
    awaiting = ChatHfInference(model="org/model", http_async_client=httpx.AsyncClient())
    with pytest.raises(ConfigurationError, match=said.format("client", "http_client")):
        awaiting.invoke("Hi")


# real sockets


class Loopback:
    """A chat server on this machine, which counts its connections."""

    def __init__(self) -> None:
        about = {"id": "1", "model": "m", "object": "chat.completion", "usage": None}
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
        answer = json.dumps({**about, "choices": [choice]}).encode()
        self.peers: list[Any] = []
        self.open = 0
        self.go = threading.Event()
        outer, counting = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                with counting:
                    outer.open += 1

            def finish(self) -> None:
                super().finish()
                with counting:
                    outer.open -= 1

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.peers.append(self.client_address)
                self.send_response(200)
                if asked.get("stream"):
                    self.stream()
                    return
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def stream(self) -> None:
                """A part, and the rest when the test says so."""
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(b'data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n')
                outer.go.wait(10)
                self.wfile.write(b'data: {"choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}\n\n')
                self.wfile.write(b"data: [DONE]\n\n")

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def settled(self, expected: int) -> bool:
        """So many connections are open, within two seconds."""
        for _ in range(200):
            if self.open == expected:
                return True
            threading.Event().wait(0.01)
        return False


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    made = Loopback()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_one_model_in_several_event_loops_and_threads(loopback: Loopback) -> None:
    model = ChatHfInference(base_url=loopback.url, server="openai", model="m")
    found = [asyncio.run(model.ainvoke("Hi")).content for _ in range(3)]
    threads = [threading.Thread(target=lambda: found.append(model.invoke("Hi").content)) for _ in range(8)]
    threads += [threading.Thread(target=lambda: found.append(asyncio.run(model.ainvoke("Hi")).content))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["Hello"] * 12
    model.close()
    assert loopback.settled(0)


def test_connections_end_with_the_model(loopback: Loopback) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ChatHfInference(base_url=loopback.url, server="openai", model="m")
        copied = model.model_copy()
        model.invoke("Hi")
        assert loopback.settled(1)
        del model
        gc.collect()
        assert copied.invoke("Hi").content == "Hello"
        assert loopback.settled(1)
        del copied
        gc.collect()
    assert loopback.settled(0)
    unused = ChatHfInference(base_url=loopback.url)
    del unused
    gc.collect()


def test_awaited_connections_end_with_the_model_within_a_running_loop(loopback: Loopback) -> None:
    async def run() -> None:
        model = ChatHfInference(base_url=loopback.url, server="openai", model="m")
        await model.ainvoke("Hi")
        assert loopback.settled(1)
        del model
        gc.collect()
        for _ in range(200):
            if loopback.open == 0:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the connection is still open")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(run())
        gc.collect()


def test_a_stream_outlives_what_made_it(loopback: Loopback) -> None:
    model = ChatHfInference(base_url=loopback.url, server="openai", model="m", max_retries=0)
    stream = model.stream("Hi")
    assert next(stream).content == "Hel"
    model.timeout = 5.0  # the next call has new clients
    assert model.invoke("Hi").content == "Hello"
    gc.collect()
    loopback.go.set()
    assert "".join(str(chunk.content) for chunk in stream) == "lo"
    model.close()
    del stream
    gc.collect()
    assert loopback.settled(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_opens_its_own_connection(loopback: Loopback) -> None:
    model = ChatHfInference(base_url=loopback.url, server="openai", model="m")
    model.invoke("Hi")
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if model.invoke("Hi").content == "Hello" else 1)
        except BaseException:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    model.invoke("Hi")
    before, forked, after = loopback.peers
    assert before == after != forked


def test_a_client_of_your_own_is_shared_and_never_pickled(serve: Any, completion: Any) -> None:
    model = ChatHfInference(**serve(completion("Hello")).models)
    copied = copy.deepcopy(model)
    assert copied.http_client is model.http_client
    assert copied.invoke("Hi").content == "Hello"
    assert copy.deepcopy([model, model])[0].invoke("Hi").content == "Hello"
    with pytest.raises(ConfigurationError, match="`http_client` cannot be pickled"):
        pickle.dumps(model)
