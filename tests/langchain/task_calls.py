"""A call of each task as a model writes it, what a server answers, and the call of the client's own method."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from hf_tools import HfInference
from langchain_hf_tools import HfInferenceToolkit

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CODED = base64.b64encode(PNG).decode()
WAV = b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0@\x1f\0\0\x80>\0\0\2\0\x10\0data\0\0\0\0"
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(16)
CSV = b"coffee,origin\nInti,Peru\nHarar,Ethiopia\n"
COLUMNS = {"coffee": ["Inti", "Harar"], "origin": ["Peru", "Ethiopia"]}
BROUGHT = {"cat.png": PNG, "memo.wav": WAV, "film.mp4": MP4, "coffee.csv": CSV}
"""What a user brought, by name."""


@dataclass(frozen=True)
class TaskCall:
    """One call."""

    arguments: dict[str, Any]
    answer: Any
    call: Callable[[HfInference], Any]


def media(kind: str, data: bytes) -> httpx.Response:
    """An answer that is a medium."""
    return httpx.Response(200, headers={"content-type": kind}, content=data)


DRAWN, SAID, FILMED = media("image/png", PNG), media("audio/wav", WAV), media("video/mp4", MP4)
LABELS = ["cat", "dog"]
SCORED = [{"label": "cat", "score": 0.9}, {"label": "dog", "score": 0.1}]
FOUND = [{"label": "cat", "score": 0.9, "box": {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4}}]
CHAT = {
    "id": "chatcmpl-1", "model": "org/model", "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
}  # fmt: skip
TABLE = {"answer": "Peru", "coordinates": [[0, 1]], "cells": ["Peru"], "aggregator": "NONE"}

TEXTS: dict[str, TaskCall] = {
    "text_classification": TaskCall(
        {"text": "Meow", "top_k": 2}, SCORED, lambda hf: hf.text_classification("Meow", top_k=2)
    ),
    "token_classification": TaskCall(
        {"text": "Ada in Rome"},
        [{"entity_group": "PER", "score": 0.9, "word": "Ada", "start": 0, "end": 3}],
        lambda hf: hf.token_classification("Ada in Rome"),
    ),
    "fill_mask": TaskCall(
        {"text": "A [MASK].", "targets": LABELS, "top_k": 1},
        [{"score": 0.9, "token": 1, "token_str": "cat", "sequence": "A cat."}],
        lambda hf: hf.fill_mask("A [MASK].", targets=LABELS, top_k=1),
    ),
    "summarization": TaskCall(
        {"text": "Long.", "max_length": 9},
        [{"summary_text": "Short."}],
        lambda hf: hf.summarization("Long.", max_length=9),
    ),
    "translation": TaskCall(
        {"text": "Hi", "src_lang": "en_XX", "tgt_lang": "fr_XX"},
        [{"translation_text": "Salut"}],
        lambda hf: hf.translation("Hi", src_lang="en_XX", tgt_lang="fr_XX"),
    ),
    "question_answering": TaskCall(
        {"question": "Who?", "context": "Me."},
        {"answer": "Me", "score": 0.9, "start": 0, "end": 2},
        lambda hf: hf.question_answering("Who?", "Me."),
    ),
    "table_question_answering": TaskCall(
        {"table": "coffee.csv", "query": "Where?"}, TABLE, lambda hf: hf.table_question_answering(COLUMNS, "Where?")
    ),
    "zero_shot_classification": TaskCall(
        {"text": "Meow", "candidate_labels": LABELS, "multi_label": True},
        SCORED,
        lambda hf: hf.zero_shot_classification("Meow", LABELS, multi_label=True),
    ),
    "text_generation": TaskCall(
        {"prompt": "Once", "max_new_tokens": 5},
        [{"generated_text": "Once upon"}],
        lambda hf: hf.text_generation("Once", max_new_tokens=5),
    ),
    "chat_completion": TaskCall(
        {"message": "Hello", "max_tokens": 5},
        CHAT,
        lambda hf: hf.chat_completion([{"role": "user", "content": "Hello"}], max_tokens=5),
    ),
    "conversational": TaskCall({"text": "Hello"}, CHAT, lambda hf: hf.conversational("Hello")),
    "feature_extraction": TaskCall(
        {"text": LABELS}, [[0.1, 0.2], [0.3, 0.4]], lambda hf: hf.feature_extraction(LABELS)
    ),
    "sentence_similarity": TaskCall(
        {"sentence": "A cat", "other_sentences": LABELS},
        [0.9, 0.1],
        lambda hf: hf.sentence_similarity("A cat", LABELS),
    ),
    "text_ranking": TaskCall(
        {"query": "A cat", "texts": LABELS, "top_n": 1},
        [{"index": 0, "score": 0.9}, {"index": 1, "score": 0.1}],
        lambda hf: hf.text_ranking("A cat", LABELS, top_n=1),
    ),
}
"""Tasks about texts."""
SOUNDS: dict[str, TaskCall] = {
    "automatic_speech_recognition": TaskCall(
        {"audio": "memo.wav", "return_timestamps": True},
        {"text": "Hi", "chunks": [{"timestamp": [0, 1], "text": "Hi"}]},
        lambda hf: hf.automatic_speech_recognition(WAV, return_timestamps=True),
    ),
    "audio_classification": TaskCall(
        {"audio": "memo.wav", "top_k": 2}, SCORED, lambda hf: hf.audio_classification(WAV, top_k=2)
    ),
    "audio_to_audio": TaskCall(
        {"audio": "memo.wav"},
        [{"label": "voice", "content-type": "audio/wav", "blob": base64.b64encode(WAV).decode()}],
        lambda hf: hf.audio_to_audio(WAV),
    ),
    "text_to_speech": TaskCall({"text": "Hi"}, SAID, lambda hf: hf.text_to_speech("Hi")),
    "text_to_audio": TaskCall(
        {"text": "Rain", "max_new_tokens": 50}, SAID, lambda hf: hf.text_to_audio("Rain", max_new_tokens=50)
    ),
}
"""Tasks about sounds."""
PICTURES: dict[str, TaskCall] = {
    "image_classification": TaskCall(
        {"image": "cat.png", "top_k": 2}, SCORED, lambda hf: hf.image_classification(PNG, top_k=2)
    ),
    "object_detection": TaskCall(
        {"image": "cat.png", "threshold": 0.5}, FOUND, lambda hf: hf.object_detection(PNG, threshold=0.5)
    ),
    "image_segmentation": TaskCall(
        {"image": "cat.png", "subtask": "panoptic"},
        [{"label": "cat", "score": 0.9, "mask": CODED}],
        lambda hf: hf.image_segmentation(PNG, subtask="panoptic"),
    ),
    "image_to_text": TaskCall({"image": "cat.png"}, [{"generated_text": "A cat"}], lambda hf: hf.image_to_text(PNG)),
    "image_to_image": TaskCall(
        {"image": "cat.png", "prompt": "Night"}, DRAWN, lambda hf: hf.image_to_image(PNG, prompt="Night")
    ),
    "text_to_image": TaskCall(
        {"prompt": "A cat", "width": 64, "height": 32, "seed": 1},
        DRAWN,
        lambda hf: hf.text_to_image("A cat", width=64, height=32, seed=1),
    ),
    "zero_shot_image_classification": TaskCall(
        {"image": "cat.png", "candidate_labels": LABELS},
        SCORED,
        lambda hf: hf.zero_shot_image_classification(PNG, LABELS),
    ),
    "zero_shot_object_detection": TaskCall(
        {"image": "cat.png", "candidate_labels": LABELS, "threshold": 0.5},
        FOUND,
        lambda hf: hf.zero_shot_object_detection(PNG, LABELS, threshold=0.5),
    ),
    "depth_estimation": TaskCall(
        {"image": "cat.png"}, {"predicted_depth": [[0.5]], "depth": CODED}, lambda hf: hf.depth_estimation(PNG)
    ),
    "visual_question_answering": TaskCall(
        {"image": "cat.png", "question": "What?", "top_k": 1},
        [{"answer": "cat", "score": 0.9}],
        lambda hf: hf.visual_question_answering(PNG, "What?", top_k=1),
    ),
    "document_question_answering": TaskCall(
        {"image": "cat.png", "question": "What?"},
        [{"answer": "cat", "score": 0.9, "start": 0, "end": 1}],
        lambda hf: hf.document_question_answering(PNG, "What?"),
    ),
}
"""Tasks about pictures."""
FILMS: dict[str, TaskCall] = {
    "text_to_video": TaskCall(
        {"prompt": "A cat", "num_frames": 9, "negative_prompt": ["dog"]},
        FILMED,
        lambda hf: hf.text_to_video("A cat", num_frames=9, negative_prompt=["dog"]),
    ),
    "image_to_video": TaskCall(
        {"image": "cat.png", "prompt": "It runs"}, FILMED, lambda hf: hf.image_to_video(PNG, prompt="It runs")
    ),
    "video_classification": TaskCall(
        {"video": "film.mp4", "top_k": 2}, SCORED, lambda hf: hf.video_classification(MP4, top_k=2)
    ),
    "image_text_to_image": TaskCall(
        {"image": "cat.png", "prompt": "Night"}, DRAWN, lambda hf: hf.image_text_to_image(PNG, prompt="Night")
    ),
    "image_text_to_video": TaskCall({"prompt": "A cat"}, FILMED, lambda hf: hf.image_text_to_video(prompt="A cat")),
}
"""Tasks about films, and those of several media."""
ROWS: dict[str, TaskCall] = {
    "tabular_classification": TaskCall({"table": "coffee.csv"}, [1, 0], lambda hf: hf.tabular_classification(COLUMNS)),
    "tabular_regression": TaskCall({"table": "coffee.csv"}, [0.5, 1.5], lambda hf: hf.tabular_regression(COLUMNS)),
}
"""Tasks about tables."""
CALLS: dict[str, TaskCall] = {**TEXTS, **SOUNDS, **PICTURES, **FILMS, **ROWS}
"""The tasks in the order of the catalogue."""
ELSEWHERE = frozenset(["image_text_to_image", "image_text_to_video", "image_to_video", "text_ranking", "text_to_video"])
"""Tasks that hf-inference does not have."""


def bring(toolkit: HfInferenceToolkit) -> None:
    """Put into the store what the calls name."""
    for name, data in BROUGHT.items():
        toolkit.add_media(data, name=name)


def sent(request: httpx.Request) -> tuple[str, str, dict[str, str], bytes]:
    """What counts of a request."""
    kept = {name: value for name, value in request.headers.items() if name in ("content-type", "accept")}
    return request.method, str(request.url), kept, request.content


def asking(name: str, http: Any, token: bool | None = False) -> dict[str, Any]:
    """Arguments of the client that can ask for a task."""
    where = {"base_url": "http://127.0.0.1:1"} if name in ELSEWHERE else {"model": "org/model"}
    return {"token": token, "http_client": http, **where}
