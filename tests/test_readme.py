"""Every Python block of the README runs; its commands and links exist. Remote answers come from a scripted router."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from hf_tools.catalogue import catalogue, streams
from hf_tools.providers import PROVIDERS
from langchain_hf_tools import PRESETS
from tests import hub

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.S | re.M)
FILM = "Wan-AI/Wan2.2-T2V-A14B"
JOB = "https://queue.fal.run/fal-ai/wan/requests/1"
MP4 = b"\x00\x00\x00\x18ftypmp42" + b"0" * 20
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
CHUNKS = (
    b'data: {"choices":[{"delta":{"content":"Once"}}]}\n\n'
    b'data: {"choices":[{"delta":{"content":" upon"},"finish_reason":"stop"}]}\n\n'
    b'data: {"choices":[],"usage":{"total_tokens":9}}\n\ndata: [DONE]\n\n'
)
ANSWERS: dict[str, Any] = {
    "bart-large-cnn": [{"summary_text": "A text."}],
    "t5-base": [{"translation_text": "Wie geht es dir?"}, {"translation_text": "Wo ist der Bahnhof?"}],
    "feature-extraction": [0.25, 0.5, 0.75],
    "vit-base": [{"label": "red fox", "score": 0.9}],
    "chat/completions": {"choices": [{"message": {"content": "An apple."}}], "usage": {"total_tokens": 12}},
    "endpoints.huggingface.cloud": [{"label": "POSITIVE", "score": 0.99}],
    "/v1/models": {"data": [{"id": "served"}]},
}


def fal(request: httpx.Request) -> httpx.Response | None:
    """The Hub, fal and its files, for the film; None for what is no business of theirs."""
    if hub.asked(request) and FILM in str(request.url):
        served = {"providerId": "fal-ai/wan", "status": "live", "task": "text-to-video"}
        return httpx.Response(200, json={"id": FILM, "inferenceProviderMapping": {"fal-ai": served}})
    if request.url.host == "files.example":
        return httpx.Response(200, content=MP4)
    if not request.url.path.startswith("/fal-ai"):
        return None
    if request.url.path.endswith("/status"):
        return httpx.Response(200, json={"status": "COMPLETED", "request_id": "1", "response_url": JOB})
    if request.method == "GET":
        return httpx.Response(200, json={"video": {"url": "https://files.example/fox.mp4"}})
    return httpx.Response(200, json={"status": "IN_QUEUE", "request_id": "1", "response_url": JOB, "queue_position": 2})


def router(request: httpx.Request) -> httpx.Response:
    """The answers of production, made small."""
    if (found := fal(request)) is not None:
        return found
    if hub.asked(request):
        return hub.answer(request)
    if request.method == "GET" and "/v1/models" not in str(request.url):
        return httpx.Response(404)
    if "endpoints.huggingface.cloud/v1/models" in str(request.url):
        return httpx.Response(404)
    if b'"stream":true' in request.content:
        return httpx.Response(200, content=CHUNKS, headers={"content-type": "text/event-stream"})
    if "FLUX" in str(request.url):
        return httpx.Response(200, content=PNG)
    return next(httpx.Response(200, json=answer) for part, answer in ANSWERS.items() if part in str(request.url))


@pytest.fixture(autouse=True)
def a_scripted_router(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Requests to other hosts than the embedded backend's are answered here."""
    real, awaiting = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request

    def handle(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.url.host == "127.0.0.1" and request.url.port != 8080:
            return real(transport, request)
        return httpx.MockTransport(router).handle_request(request)

    async def ahandle(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.url.host == "127.0.0.1" and request.url.port != 8080:
            return await awaiting(transport, request)
        return await httpx.MockTransport(router).handle_async_request(request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", ahandle)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inputs").mkdir()
    shutil.copy(ROOT / "hf_tools" / "demo_files" / "invoice.png", tmp_path)
    (tmp_path / "fox.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"0" * 20)


def printed(block: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a block; return what it printed."""
    exec(compile(block, "README.md", "exec"), {"__name__": "__main__"})
    return capsys.readouterr().out


EXPECTED = {
    "My card was charged twice\", [": ["refund"],
    "A long text": ["A text.", "An apple. 12", "red fox"],
    "with_options(timeout=900": ["Image(image/png", "[('fal-ai', 'live')]", "JobHandle('1', provider='fal-ai'"],
    "asyncio.gather": ["Wo ist der Bahnhof?", "(3,)"],
    "Tell me a story": ["Once upon", "assistant {'total_tokens': 9}"],
    "HfInferenceEndpoint(": ["POSITIVE", "An apple."],
    "top_n=1": ["0.7", "5 days"],
    "sentence_similarity": ["Paris", "1 0."],
    "with_structured_output": ["Paris", "name='Paris' country="],
    'add_media("invoice.png")': ["$781.50"],
    "MediaPolicy(roots": ["hf_describe_image", "hf_save_media", "Usage(0 calls"],
    "errors.InputError": ["text_generation: `max_new_tokens` = -1: Input should be greater than or equal to 0"],
    "Options(timeout=30": [],
}  # fmt: skip
"""What a block prints, by a text that only this block has."""


@pytest.mark.parametrize("mark", EXPECTED)
def test_blocks_run(mark: str, capsys: pytest.CaptureFixture[str]) -> None:
    block = next(block for block in BLOCKS if mark in block)
    out = printed(block, capsys)
    for text in EXPECTED[mark]:
        assert text in out


def test_every_block_is_run() -> None:
    assert len(BLOCKS) == len(EXPECTED)
    assert [sum(mark in block for mark in EXPECTED) for block in BLOCKS] == [1] * len(BLOCKS)


def test_the_table_of_tasks_is_whole() -> None:
    table = README.partition("## Tasks")[2].partition("\n- Names")[0]
    named = set(re.findall(r"`(\w+)`", table)) - {"hf"}
    known = {name for name, _ in catalogue()} | {f"{name}_stream" for name, _ in catalogue() if streams(name)}
    assert named == known | {"request", "streaming_request"}


def generator(name: str) -> ModuleType:
    """The script that makes a page and a table of the README."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_said_of_providers_is_what_their_table_gives() -> None:
    made = generator("make_providers")
    assert made.PAGE.read_text("utf-8") == made.page()
    assert README.count(made.BEGIN) == README.count(made.END) == 1
    assert made.readme(README) == README
    assert made.readme(README.replace("| `fal-ai` |", "| `fal` |")) == README


def test_what_is_said_of_tools_is_what_they_are() -> None:
    made = generator("make_tools")
    assert made.PAGE.read_text("utf-8") == made.page()
    assert README.count(made.BEGIN) == README.count(made.END) == 1
    assert made.readme(README) == README
    assert made.readme(README.replace("| `hf_classify` |", "| `hf_class` |")) == README


def test_the_page_of_tools_is_whole() -> None:
    page = (ROOT / "docs" / "tools.md").read_text("utf-8")
    titles = re.findall(r"^### (\w+)$", page, re.MULTILINE)
    assert sorted(titles) == sorted({name for tools in PRESETS.values() for name in tools} | {"save_media"})


def test_the_table_of_providers_is_whole() -> None:
    table = README.partition("what it is asked for |")[2].partition("<!-- end of providers")[0]
    assert sorted(re.findall(r"`([\w-]+)`", table)) == sorted(set(PROVIDERS) - {"auto", "local"})
    assert "speech recognition, audio to audio*, text to speech*" in table


def test_the_comparison_is_that_of_the_checks() -> None:
    whole = (ROOT / "docs" / "langchain_comparison.md").read_text("utf-8").splitlines()
    rows = [line for line in README.splitlines() if "test_feature[" in line]
    assert set(rows) < {line for line in whole if "test_feature[" in line}
    assert f"These are {len(rows)} of the {sum('test_feature[' in line and line[0] == '|' for line in whole)}" in README


def test_links_and_targets_exist() -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"make (\w+)", README)):
        assert f"\n{target}:" in makefile, target


def test_commands_exist() -> None:
    from hf_tools.cli import main

    for command in set(re.findall(r"(?:hf-tools|python -m hf_tools) (local \w+|\w+)", README)):
        try:
            code: object = main([*command.split(), "--help"])
        except SystemExit as ended:
            code = ended.code
        assert code == 0, command


def test_numbers_in_the_text() -> None:
    assert f"Each of\nthe {len(list(catalogue()))} tasks" in README
    assert f"[{len(set(PROVIDERS) - {'auto', 'local', 'hf-inference'})} other providers](#providers)" in README
    assert json.dumps(len(list(catalogue()))) == "37"
