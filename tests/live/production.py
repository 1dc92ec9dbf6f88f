"""One small call for each family of tasks, and one for each provider, against production: `make live`.

    HF_TOKEN=hf_... python tests/live/production.py [TASK or PROVIDER ...]     all of both, or the named ones

Prints dated tables and ends with 0 if every call was answered, else 1; without HF_TOKEN it says that it was skipped
and ends with 0. An answer counts if it could be read: what a model says is not judged. A provider is asked for a
picture, else for a chat, with the model that the Hub lists first for it.
"""

from __future__ import annotations

import io
import math
import os
import struct
import sys
import time
import wave
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hf_tools import HfError, HfInference, Options, __version__
from hf_tools.catalogue import Catalogue
from hf_tools.choice import OWN_KEY_ONLY
from hf_tools.errors import StatusError, shown
from hf_tools.providers.rows import ROWS
from hf_tools.tasks.features import Features

TOWER = (
    "The tower is 324 metres tall, about the same height as an 81-storey building. It was finished in 1889 in Paris."
)
HELLO = [{"role": "user", "content": "Say hello in French, in one word."}]


class Check(NamedTuple):
    """One call."""

    task: str
    model: str
    arguments: dict[str, Any]


class Row(NamedTuple):
    """What came of a call."""

    task: str
    model: str
    provider: str
    status: str
    seconds: str
    answer: str


def picture() -> bytes:
    """A PNG of 64 by 64 points: a red disc on white."""
    lines = bytearray()
    for y in range(64):
        lines += b"\0"
        for x in range(64):
            lines += b"\xd0\x20\x20" if math.hypot(x - 32, y - 32) < 24 else b"\xff\xff\xff"
    chunks = [(b"IHDR", struct.pack(">2I5B", 64, 64, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tone() -> bytes:
    """A WAV of one second: 440 Hz."""
    samples = [int(8000 * math.sin(2 * math.pi * 440 * place / 16000)) for place in range(16000)]
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return file.getvalue()


COMPARED = {"sentence": "A fox.", "other_sentences": ["A dog.", "Rates rose."]}
LABELLED = {"text": "I want my money back.", "candidate_labels": ["refund", "praise"]}
CHECKS: Sequence[Check] = (
    Check("chat_completion", "openai/gpt-oss-20b", {"messages": HELLO, "max_tokens": 200}),
    Check("chat_completion_stream", "openai/gpt-oss-20b", {"messages": HELLO, "max_tokens": 200}),
    Check("feature_extraction", "BAAI/bge-small-en-v1.5", {"text": ["A fox.", "A road."]}),
    Check("sentence_similarity", "sentence-transformers/all-MiniLM-L6-v2", COMPARED),
    Check("text_classification", "distilbert/distilbert-base-uncased-finetuned-sst-2-english", {"text": "I like it."}),
    Check("token_classification", "dslim/bert-base-NER", {"text": "Sarah lives in Paris."}),
    Check("zero_shot_classification", "facebook/bart-large-mnli", LABELLED),
    Check("fill_mask", "google-bert/bert-base-uncased", {"text": "Paris is the [MASK] of France."}),
    Check("summarization", "facebook/bart-large-cnn", {"text": TOWER}),
    Check("translation", "Helsinki-NLP/opus-mt-en-fr", {"text": "Good morning."}),
    Check("question_answering", "deepset/roberta-base-squad2", {"question": "How tall is it?", "context": TOWER}),
    Check("automatic_speech_recognition", "openai/whisper-large-v3", {"audio": tone()}),
    Check("image_classification", "google/vit-base-patch16-224", {"image": picture()}),
    Check("object_detection", "facebook/detr-resnet-50", {"image": picture()}),
    Check("text_to_image", "black-forest-labs/FLUX.1-schnell", {"prompt": "a disc", "width": 256, "height": 256}),
)
"""At most 15: one for each family of tasks that production serves without a provider's own route."""

DRAW: tuple[str, dict[str, Any]] = ("text_to_image", {"prompt": "a red disc"})
CHAT: tuple[str, dict[str, Any]] = ("chat_completion", {"messages": HELLO, "max_tokens": 200})
PROVIDED: Mapping[str, tuple[str, dict[str, Any]]] = {
    row.name: DRAW if "text-to-image" in {*row.openai, *row.own} else CHAT
    for row in ROWS.values()
    if row.name != OWN_KEY_ONLY
}
"""What each provider is asked that takes a token of Hugging Face's: its own form of a picture, where it has one."""


def run(hf: HfInference, check: Check) -> Row:
    """Make one call; whatever happens becomes a row."""
    start, provider, answer = time.monotonic(), "", ""
    try:
        provider, answer = call(hf, check)
        status = "ok"
    except HfError as error:
        status, provider, answer = failed(error), error.provider or "", shown(error.message, 60)
    except Exception as error:  # a mistake of ours, which must not hide the other rows
        status, answer = f"bug: {type(error).__name__}", shown(error, 60)
    return Row(check.task, check.model, provider, status, f"{time.monotonic() - start:.2f}", answer)


def failed(error: HfError) -> str:
    """The status of a call that failed."""
    return str(error.status) if isinstance(error, StatusError) else type(error).__name__


def ask(name: str, hf: HfInference) -> Row:
    """Make one call to a provider; whatever happens becomes a row of that provider."""
    task, arguments = PROVIDED[name]
    try:
        found = hf.list_models(task, name, limit=1)
    except HfError as error:
        return Row(task, "", name, failed(error), "0.00", shown(error.message, 60))
    if not found:
        return Row(task, "", name, "no model", "0.00", "the Hub lists none of this provider's")
    return run(hf, Check(task, found[0], arguments))._replace(provider=name)


def call(hf: HfInference, check: Check) -> tuple[str, str]:
    """Provider and answer of one call."""
    task = getattr(Catalogue, check.task).task(**check.arguments, model=check.model)
    if not check.task.endswith("_stream"):
        response = hf.respond(task)
        return response.provider or "", short(response.answer)
    with hf.stream(task) as stream:
        final = stream.read()
    return stream.headers.get("x-inference-provider", "auto"), short(final)


def short(answer: Any) -> str:
    """An answer on one short line."""
    if isinstance(answer, Features):
        return f"features of the shape {answer.shape}"
    return shown(getattr(answer, "text", None) or repr(answer), 60)


def table(rows: Iterable[Row]) -> str:
    """The rows below their headings, in columns."""
    lines = [Row("task", "model", "provider", "status", "seconds", "answer"), *rows]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in padded)


def report(title: str, rows: Sequence[Row]) -> int:
    """Print a dated table; returns the exit code."""
    good = sum(row.status == "ok" for row in rows)
    print(f"hf-tools {__version__} against {title}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    print(table(rows))
    print(f"{good} of {len(rows)} answered")
    return 0 if good == len(rows) else 1


def has_token() -> bool:
    """Whether there is a token to ask production with; says so where there is none."""
    if os.environ.get("HF_TOKEN", "").strip():
        return True
    print("skipped: HF_TOKEN is not set")
    return False


def main(arguments: Sequence[str], hf: HfInference | None = None) -> int:
    """Make the calls of the tasks and print their table; returns the exit code."""
    if not has_token():
        return 0
    chosen = [check for check in CHECKS if not arguments or check.task in arguments]
    unknown = set(arguments) - {check.task for check in CHECKS}
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(check.task for check in CHECKS)}")
        return 2
    with hf or pinned("auto") as client:
        rows = [run(client, check) for check in chosen]
    return report("production", rows)


def pinned(provider: str) -> HfInference:
    """A client of one provider."""
    return HfInference(provider=provider, options=Options(timeout=120, max_retries=1))


def providers(names: Sequence[str], client: Callable[[str], HfInference] = pinned) -> int:
    """Make one call to each of the providers and print their table; returns the exit code."""
    if not has_token():
        return 0
    rows: list[Row] = []
    for name in names:
        with client(name) as hf:
            rows.append(ask(name, hf))
    return report("its providers", rows)


def everything(arguments: Sequence[str]) -> int:
    """Tasks and providers, all or those that are named; the worse of the two exit codes."""
    names = [name for name in arguments if name in PROVIDED]
    tasks = [name for name in arguments if name not in PROVIDED]
    codes = [main(tasks)] if tasks or not names else []
    if names or (not tasks and os.environ.get("HF_TOKEN", "").strip()):
        codes.append(providers(names or [*PROVIDED]))
    return max(codes)


if __name__ == "__main__":
    sys.exit(everything(sys.argv[1:]))
