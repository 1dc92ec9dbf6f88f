"""The script for production, without production: its table, its codes, and that it is skipped without a token."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from hf_tools import HfInference, Image
from hf_tools.catalogue import catalogue, streams
from tests import hub
from tests.live import production

Capture = pytest.CaptureFixture[str]
SCRIPT = Path(production.__file__)
CHAT = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Bonjour\n!"}, "finish_reason": "stop"}]}
CHUNK = {"choices": [{"index": 0, "delta": {"content": "Salut"}, "finish_reason": "stop"}]}
ANSWERS: dict[str, Any] = {
    "bge-small": [[0.1, 0.2], [0.3, 0.4]],
    "all-MiniLM": [0.7, 0.1],
    "sst-2": [[{"label": "POSITIVE", "score": 0.99}]],
    "bert-base-NER": [{"entity_group": "PER", "score": 0.99, "word": "Sarah", "start": 0, "end": 5}],
    "bart-large-mnli": {"sequence": "", "labels": ["refund", "praise"], "scores": [0.9, 0.1]},
    "bert-base-uncased": [{"score": 0.9, "token": 1, "token_str": "capital", "sequence": "paris is the capital"}],
    "bart-large-cnn": [{"summary_text": "A tower."}],
    "opus-mt": [{"translation_text": "Bonjour."}],
    "squad2": {"answer": "324 metres", "score": 0.9, "start": 13, "end": 23},
    "whisper": {"text": "beep"},
    "vit-base": [{"label": "ball", "score": 0.9}],
    "detr": [{"label": "ball", "score": 0.9, "box": {"xmin": 1, "ymin": 1, "xmax": 2, "ymax": 2}}],
}


def production_like(request: httpx.Request) -> httpx.Response:
    """An answer of the form that production gives for the model."""
    assert request.headers["authorization"] == "Bearer hf_test"
    if hub.asked(request):
        return hub.answer(request)
    headers = {"x-inference-provider": "groq"}
    if "FLUX" in request.url.path:
        return httpx.Response(200, content=production.picture(), headers={"content-type": "image/jpeg"})
    if request.url.path == "/v1/chat/completions":
        if json.loads(request.content).get("stream"):
            events = f"data: {json.dumps(CHUNK)}\n\ndata: [DONE]\n\n"
            return httpx.Response(200, text=events, headers=headers | {"content-type": "text/event-stream"})
        return httpx.Response(200, json=CHAT, headers=headers)
    return httpx.Response(200, json=next(value for name, value in ANSWERS.items() if name in request.url.path))


def client(answer: Callable[[httpx.Request], httpx.Response]) -> HfInference:
    return HfInference("hf_test", http_client=httpx.Client(transport=httpx.MockTransport(answer)))


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_test")


@pytest.mark.usefixtures("token")
def test_a_good_run(capsys: Capture) -> None:
    assert production.main([], client(production_like)) == 0
    title, heads, *rows, last = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"hf-tools \S+ against production, \d{4}-\d\d-\d\d \d\d:\d\d UTC", title)
    assert heads.split() == ["task", "model", "provider", "status", "seconds", "answer"]
    cells = [re.split(r" {2,}", row) for row in rows]
    assert [tuple(row[:2]) for row in cells] == [(check.task, check.model) for check in production.CHECKS]
    assert {row[3] for row in cells} == {"ok"}
    assert {row[2] for row in cells} == {"groq", "hf-inference"}
    assert all(re.fullmatch(r"\d+\.\d\d", row[4]) for row in cells)
    answers = {row[0]: row[5] for row in cells}
    assert answers["chat_completion"] == "Bonjour\\n!"
    assert answers["chat_completion_stream"] == "Salut"
    assert answers["feature_extraction"] == "features of the shape (2, 2)"
    assert answers["text_to_image"].startswith("Image(image/png, ")
    assert last == f"{len(rows)} of {len(rows)} answered"


@pytest.mark.usefixtures("token")
def test_a_run_with_failures(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        if "whisper" in request.url.path and not hub.asked(request):
            return httpx.Response(402, json={"error": "You have exceeded your monthly included credits"})
        if "squad2" in request.url.path:
            return httpx.Response(200, json={"unexpected": 1})
        return production_like(request)

    names = ["automatic_speech_recognition", "question_answering", "translation"]
    assert production.main(names, client(broken)) == 1
    _, _, *rows, last = capsys.readouterr().out.splitlines()
    statuses = {row.split()[0]: re.split(r" {2,}", row)[3] for row in rows}
    assert statuses == {"translation": "ok", "question_answering": "ShapeError", "automatic_speech_recognition": "402"}
    assert "exceeded your monthly included credits" in rows[-1]
    assert last == "1 of 3 answered"


@pytest.mark.usefixtures("token")
def test_a_mistake_of_ours_is_a_row_too(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(answer: object) -> str:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(production, "short", wrong)
    assert production.main(["translation"], client(production_like)) == 1
    assert "bug: ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.usefixtures("token")
def test_an_unknown_task_is_refused(capsys: Capture) -> None:
    assert production.main(["mind_reading"]) == 2
    assert capsys.readouterr().out.startswith("unknown: mind_reading; known: chat_completion, ")


@pytest.mark.parametrize("value", [None, " "])
def test_without_a_token_it_is_skipped(value: str | None, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("HF_TOKEN", value)
    assert production.main([]) == 0
    assert capsys.readouterr().out == "skipped: HF_TOKEN is not set\n"


def test_it_runs_as_a_script() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=True)
    assert done.stdout == "skipped: HF_TOKEN is not set\n"


def test_there_are_at_most_15_calls_of_known_tasks() -> None:
    known = {name for name, _ in catalogue()} | {f"{name}_stream" for name, _ in catalogue() if streams(name)}
    assert len(production.CHECKS) <= 15
    assert {check.task for check in production.CHECKS} <= known


def test_its_media_are_what_they_say() -> None:
    assert Image(production.picture()).to_pil().getpixel((32, 32)) == (0xD0, 0x20, 0x20)
    assert len(production.tone()) == 44 + 2 * 16000
