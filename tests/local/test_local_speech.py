"""Speech recognition through the transport and the client, on the real model."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from hf_tools import AsyncHfInference, HfInference, local
from hf_tools.errors import InvalidRequest, LocalBackendError, MissingExtra
from hf_tools.local import sound, speech
from hf_tools.local.answers import Refused
from hf_tools.local.senses import Received
from hf_tools.local.speech import Listener
from hf_tools.local.weights import WHISPER

VOICEMAIL = Path(__file__).parent.parent.parent / "hf_tools" / "demo_files" / "voicemail.ogg"
MESSAGE = (
    "hello this is tom from the flower shop in dublin your order of 12 red roses is ready please pick it up before 6 "
    "o'clock on friday we are open every day from 9 thank you goodbye"
)
PATH = "/models/openai/whisper-tiny.en/pipeline/automatic-speech-recognition"


def plain(text: str) -> str:
    """Lower case, without marks."""
    return " ".join("".join(" " if mark in ",.!?;:" else mark for mark in text.lower()).split())


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture
def ask(hub: httpx.Client) -> Any:
    """Post a sound: as it is, or with parameters in JSON."""

    def post(data: bytes, **parameters: Any) -> httpx.Response:
        if not parameters:
            return hub.post(PATH, content=data, headers={"content-type": "audio/ogg"})
        return hub.post(PATH, json={"inputs": base64.b64encode(data).decode(), "parameters": parameters})

    return post


def test_the_message_is_written_down(ask: Any) -> None:
    response = ask(VOICEMAIL.read_bytes())
    assert response.status_code == 200
    assert set(response.json()) == {"text"}
    assert plain(response.json()["text"]) == MESSAGE
    assert response.json()["text"].startswith("Hello")


def test_times_of_segments_and_of_words(ask: Any) -> None:
    whole = ask(VOICEMAIL.read_bytes(), return_timestamps=True).json()
    assert len(whole["chunks"]) == 3
    assert "".join(chunk["text"] for chunk in whole["chunks"]).strip() == whole["text"]
    times = [moment for chunk in whole["chunks"] for moment in chunk["timestamp"]]
    assert times == sorted(times)
    assert times[0] == 0
    assert times[-1] == pytest.approx(11, abs=0.5)
    words = ask(VOICEMAIL.read_bytes(), return_timestamps="word").json()["chunks"]
    assert plain("".join(word["text"] for word in words)) == MESSAGE
    assert len(words) > len(whole["chunks"]) * 10
    (place,) = (word["timestamp"] for word in words if plain(word["text"]) == "dublin")
    assert place == pytest.approx([2.6, 2.9], abs=0.3)


def test_generation_parameters_are_honoured(ask: Any) -> None:
    short = ask(VOICEMAIL.read_bytes(), generation_parameters={"max_new_tokens": 5, "num_beams": 1})
    assert short.json()["text"].startswith("Hello")
    assert len(short.json()["text"].split()) < 6
    same = ask(
        VOICEMAIL.read_bytes(),
        language="English",
        task="transcribe",
        do_sample=False,
        temperature=0,
        max_new_tokens=440,
        length_penalty=1.0,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        return_timestamps=None,
    )
    assert plain(same.json()["text"]) == MESSAGE


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"return_timestamps": "char"}, "return_timestamps: must be true, false or word"),
        ({"return_timestamps": []}, "return_timestamps: must be true, false or word"),
        ({"generation_parameters": {"language": "fr"}}, "language: openai/whisper-tiny.en knows English only"),
        ({"language": 1}, "language: openai/whisper-tiny.en knows English only"),
        ({"task": "translate"}, "task: openai/whisper-tiny.en can transcribe only"),
        ({"do_sample": True}, "do_sample: must be false"),
        ({"generate_kwargs": {"top_k": 5}}, "does not know 'top_k'"),
        ({"num_beams": 2.5}, "num_beams: must be a whole number from 1 to 10"),
        ({"num_beams": True}, "num_beams: must be a whole number from 1 to 10"),
        ({"max_new_tokens": 441}, "max_new_tokens: must be a whole number from 1 to 440"),
        ({"temperature": "hot"}, "temperature: must be a number from 0 to 2"),
        ({"temperature": float("nan")}, "temperature: must be a number from 0 to 2"),
    ],
)
def test_other_parameters_are_refused_by_name(parameters: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused) as caught:
        speech.checked("", Received(b"any", parameters))
    assert caught.value.status == 422
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("data", "status", "says"),
    [
        (b"", 400, "The sound is empty: 0 bytes"),
        (b"no sound at all" * 100, 400, "The sound cannot be read: InvalidDataError"),
    ],
)
def test_what_is_no_sound_is_refused(ask: Any, data: bytes, status: int, says: str) -> None:
    response = ask(data)
    assert response.status_code == status
    assert says in response.json()["error"]


@pytest.mark.parametrize("seconds", [0.01, 3, 40])
def test_silence_and_noise_are_no_words(listener: Listener, seconds: float) -> None:
    length = int(16_000 * seconds)
    noise = np.random.default_rng(0).standard_normal(length) * 0.05
    assert listener.listen(np.zeros(length, np.float32)) == []
    assert listener.listen(noise.astype(np.float32)) == []


def test_a_long_sound_is_heard_in_pieces_on_one_clock(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    message = sound.decoded(VOICEMAIL.read_bytes())
    long = np.concatenate([message, np.zeros(32_000, np.float32)] * 3)
    monkeypatch.setattr(sound, "PIECE", 15)
    monkeypatch.setattr(sound, "SEARCH", 6)
    assert len(list(sound.pieces(long))) == 3
    said = listener.listen(long, words=True)
    assert plain("".join(word.text for word in said)) == " ".join([MESSAGE] * 3)
    assert [word.start for word in said] == sorted(word.start for word in said)
    assert said[-1].end == pytest.approx(37, abs=0.6)


def test_threads_share_the_model(ask: Any) -> None:
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(ask(VOICEMAIL.read_bytes()).json()["text"])) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [plain(answer) for answer in answers] == [MESSAGE] * 3


QUIET = """
import pathlib, socket, sys
def closed(*args, **kwargs):
    raise RuntimeError("the network was asked for")
socket.socket.connect = socket.socket.sendto = socket.getaddrinfo = socket.create_connection = closed
import httpx
from hf_tools import local
with httpx.Client(transport=local.transport(), base_url="http://x") as client:
    response = client.post(sys.argv[1], content=pathlib.Path(sys.argv[2]).read_bytes())
    assert response.status_code == 200, response.text
"""


def test_no_network_and_nothing_on_the_terminal() -> None:
    command = [sys.executable, "-W", "error", "-c", QUIET, PATH, str(VOICEMAIL)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


FORK = """
import os, pathlib, sys, time
import httpx
from hf_tools import local
client = httpx.Client(transport=local.transport(), base_url="http://x", timeout=60)
data = pathlib.Path(sys.argv[2]).read_bytes()
text = client.post(sys.argv[1], content=data).json()
for again in (True, False):
    child = os.fork()
    if child == 0:
        assert not again or client.post(sys.argv[1], content=data).json() == text
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert client.post(sys.argv[1], content=data).json() == text
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no fork")
def test_a_forked_child_has_its_own_model_and_ends() -> None:
    command = [sys.executable, "-c", FORK, PATH, str(VOICEMAIL)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_clients_know_the_task() -> None:
    with HfInference(provider="local") as client:
        answer = client.automatic_speech_recognition(VOICEMAIL, return_timestamps=True)
        assert plain(answer.text) == MESSAGE
        assert answer.chunks[0].timestamp[0] == 0
        with pytest.raises(InvalidRequest, match="The sound cannot be read") as caught:
            client.automatic_speech_recognition(b"RIFF....WAVE")
        assert caught.value.status == 400

    async def heard() -> str:
        async with AsyncHfInference(provider="local") as client:
            return (await client.automatic_speech_recognition(VOICEMAIL, model="whisper-tiny.en")).text

    assert plain(asyncio.run(heard())) == MESSAGE
    assert local.TASKS["automatic-speech-recognition"] == local.SPEECH_MODEL == "openai/whisper-tiny.en"


@pytest.mark.parametrize("name", ["faster_whisper", "onnxruntime"])
def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=rf"needs {name}: pip install 'hf-tools\[local-audio\]'"):
        Listener()


def test_an_own_file_must_be_a_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for companion in WHISPER.companions:
        (tmp_path / companion.filename).write_bytes(b"{}")
    for name in ("model.bin", "other.bin"):
        (tmp_path / name).write_bytes(b"not a model")
    monkeypatch.setenv(WHISPER.variable, str(tmp_path / "other.bin"))
    with pytest.raises(LocalBackendError, match=r"HF_TOOLS_LOCAL_WHISPER must name a file model.bin, not 'other.bin'"):
        Listener()
    monkeypatch.setenv(WHISPER.variable, str(tmp_path / "model.bin"))
    with pytest.raises(LocalBackendError, match=r"CTranslate2 cannot load model.bin: \w+"):
        Listener()
