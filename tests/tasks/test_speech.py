"""Text to speech and text to audio: what they send, and what they make of every answer."""

import io
import json
import math
import struct
import wave
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_tools.errors import (
    DecodeError,
    EmptyResponse,
    HfError,
    InputError,
    ReportedError,
    ShapeError,
    UnexpectedContent,
)
from hf_tools.media import Audio
from hf_tools.task import Body, Reply, Route, Server, Task
from hf_tools.tasks.speech import TextToAudio, TextToSpeech

Recording = Callable[[str], list[dict[str, Any]]]
Encode = Callable[[Task[Any], Server], Body]
Written = Callable[[Task[Any], Server], tuple[str, Any]]
MakeReply = Callable[[Any], Reply]
Spec = Callable[[str, str], Any]

FLAC = b"fLaC...."
B64 = "ZkxhQy4uLi4="
TASKS: list[Task[Audio]] = [TextToSpeech("Hello"), TextToAudio("rain")]
FLAT: dict[str, Any] = {
    "do_sample": True,
    "early_stopping": "never",
    "epsilon_cutoff": 0.0003,
    "eta_cutoff": 0.002,
    "max_length": 20,
    "max_new_tokens": 4096,
    "min_length": 20,
    "min_new_tokens": 1,
    "num_beam_groups": 2,
    "num_beams": 4,
    "penalty_alpha": 0.6,
    "temperature": 0.0,
    "top_k": 50,
    "top_p": 1.0,
    "typical_p": 0.9,
    "use_cache": False,
}


def name_of(value: object) -> str:
    return value.name if isinstance(value, Task) else str(value)[:40]


def untyped(cls: type[Task[Any]]) -> Any:
    """The class for a call that type checkers refuse, too."""
    return cls


# encode


@pytest.mark.parametrize("server", ["hf-inference", "toolkit"])
@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_a_text_alone(task: Any, server: Server, written: Written) -> None:
    assert written(task, server) == ("", {"inputs": task.text})


@pytest.mark.parametrize("cls", [TextToSpeech, TextToAudio])
def test_parameters_are_flat_or_nested_as_the_server_takes_them(cls: Any, written: Written, spec: Spec) -> None:
    task = cls("Hello", **FLAT, generation_parameters={"guidance_scale": 3}, extra_body={"voice_preset": "a"})
    generation = {**FLAT, "guidance_scale": 3}
    assert written(task, "hf-inference") == ("", {"inputs": "Hello", "parameters": {**generation, "voice_preset": "a"}})
    path, body = written(task, "toolkit")
    assert (path, body) == (
        "",
        {"inputs": "Hello", "parameters": {"generation_parameters": generation, "voice_preset": "a"}},
    )
    spec(cls.name, "input").validate(body)


def test_extra_parameters_alone_are_not_nested(written: Written) -> None:
    _, body = written(TextToSpeech("Hello", extra_body={"voice_preset": "a"}), "toolkit")
    assert body == {"inputs": "Hello", "parameters": {"voice_preset": "a"}}


def test_speech_on_an_openai_server(written: Written) -> None:
    assert written(TextToSpeech("Hello"), "openai") == ("/v1/audio/speech", {"model": "served", "input": "Hello"})
    task = TextToSpeech("Hello", voice="alloy", response_format="wav", speed=1.5, extra_body={"instructions": "calm"})
    body = json.loads(task.encode(Route("openai", "https://server.test")).content)
    given_ = {"voice": "alloy", "response_format": "wav", "speed": 1.5, "instructions": "calm"}
    assert body == {"input": "Hello", **given_}


@pytest.mark.parametrize(
    ("name", "value"), [*FLAT.items(), ("generation_parameters", {"temperature": 1}), ("generation_parameters", {})]
)
def test_what_an_openai_server_cannot_carry_is_named(name: str, value: Any, encode: Encode) -> None:
    with pytest.raises(
        InputError, match=f"an OpenAI-shaped server cannot carry `{name}`.*response_format, speed, voice"
    ):
        encode(untyped(TextToSpeech)("Hello", **{name: value}), "openai")


@pytest.mark.parametrize("server", ["hf-inference", "toolkit"])
@pytest.mark.parametrize(("name", "value"), [("voice", "alloy"), ("response_format", "mp3"), ("speed", 2)])
def test_what_only_an_openai_server_carries_is_named(name: str, value: Any, server: Server, encode: Encode) -> None:
    with pytest.raises(InputError, match=f"cannot carry `{name}`.*OpenAI-shaped servers take it"):
        encode(untyped(TextToSpeech)("Hello", **{name: value}), server)


def test_who_serves_the_tasks() -> None:
    assert TextToSpeech.servers == {"hf-inference", "toolkit", "openai"}
    assert TextToAudio.servers == {"hf-inference", "toolkit"}
    assert [(task.costly, task.deadline) for task in TASKS] == [(True, 600.0)] * 2


def test_recording(recording: Recording, encode: Encode) -> None:
    (each,) = recording("text_to_speech")
    task = TextToSpeech("Hello world")
    body = encode(task, "hf-inference")
    assert json.loads(body.content) == each["request"]["body"]
    assert (body.content_type, body.accept) == ("application/json", each["request"]["headers"]["accept"])
    sound = task.decode(each["reply"])
    assert (sound.mime_type, sound.extension, sound.sampling_rate) == ("audio/flac", "flac", None)
    assert sound.data == each["reply"].content


# decode


def samples(sound: Audio) -> tuple[int, int, list[int]]:
    """Channels, rate and samples of a WAV file, as the standard library reads it."""
    with wave.open(io.BytesIO(sound.data)) as file:
        assert file.getsampwidth() == 2
        frames = file.readframes(file.getnframes())
        return file.getnchannels(), file.getframerate(), list(struct.unpack(f"<{len(frames) // 2}h", frames))


@pytest.mark.parametrize("declared", ["audio/flac", "audio/wav", "application/octet-stream", ""])
@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_bytes(task: Task[Audio], declared: str) -> None:
    sound = task.decode(Reply(200, {"content-type": declared}, FLAC))
    assert (sound, sound.mime_type) == (Audio(FLAC), "audio/flac")


def test_bytes_without_a_magic_number(reply: MakeReply) -> None:
    sound = TextToSpeech("a").decode(Reply(200, {"content-type": "audio/pcm"}, b"\x00\x01\x02"))
    assert (sound.mime_type, sound.data) == ("audio/pcm", b"\x00\x01\x02")


ONE = [0, 16384, -32767, 32767, -32768, 0]


@pytest.mark.parametrize(
    ("audio", "expected"),
    [
        ([0, 0.5, -1, 1, -1.5, None], (1, ONE)),  # 1-D
        ([[0.0, 0.5, -1, 2.5, -1.5, None]], (1, ONE)),  # [1][n]
        ([[0.0], [0.5], [-1], [2.5], [-1.5], [math.nan]], (1, ONE)),  # [n][1]
        ([[[0.0, 0.5, -1.0, 2.5, -1.5, math.inf - math.inf]]], (1, ONE)),  # [1][1][n]
        ([[0.0, 0.5, -0.5], [1.0, -1.0, 0.25]], (2, [0, 32767, 16384, -32767, -16384, 8192])),  # [2][n]
        ([[0.0, 1.0], [0.5, -1.0], [-0.5, 0.25]], (2, [0, 32767, 16384, -32767, -16384, 8192])),  # [n][2]
        ([[0.25]], (1, [8192])),
        ([[0.0, 1.0], [0.5, -1.0]], (2, [0, 16384, 32767, -32767])),  # [2][2]: rows are channels
        ([math.inf, -math.inf, 1e300], (1, [32767, -32768, 32767])),
        ([0, 100, -32768, 40000], (1, [0, 100, -32768, 32767])),  # 16-bit samples already
        ([0, 0, 0], (1, [0, 0, 0])),
        ([1, -1, 0], (1, [32767, -32767, 0])),
    ],
)
@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_case_32_samples_become_a_wav_file(task: Task[Audio], audio: Any, expected: Any, reply: MakeReply) -> None:
    for body in ({"audio": audio, "sampling_rate": 16000}, [{"audio": audio, "sampling_rate": 16000.0}]):
        sound = task.decode(reply(body))
        assert (sound.mime_type, sound.sampling_rate) == ("audio/wav", 16000)
        assert samples(sound) == (expected[0], 16000, expected[1])


@pytest.mark.parametrize(
    ("body", "rate"),
    [
        (B64, None),
        ([B64], None),
        ({"audio": B64}, None),
        ({"audio": B64, "sampling_rate": 24000}, 24000),
        ({"audio": {"url": f"data:audio/flac;base64,{B64}"}, "sampling_rate": None}, None),
        ([{"audio": B64, "sampling_rate": 24000}], 24000),
        ({"output": f"data:audio/flac;base64,{B64}"}, None),
        ({"data": [{"b64_json": B64}]}, None),
    ],
)
@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_case_32_base64(task: Task[Audio], body: Any, rate: int | None) -> None:
    content = json.dumps(body).encode()
    for declared in ("application/json", "audio/flac", ""):
        sound = task.decode(Reply(200, {"content-type": declared}, content))
        assert (sound.data, sound.mime_type, sound.sampling_rate) == (FLAC, "audio/flac", rate)


@pytest.mark.parametrize(
    ("task", "instance"), [(TASKS[0], {"audio": B64}), (TASKS[1], {"audio": B64, "sampling_rate": 8000})]
)
def test_instances_of_the_spec(task: Task[Audio], instance: Any, spec: Spec, reply: MakeReply) -> None:
    spec(task.name, "output").validate(instance)
    assert task.decode(reply(instance)).data == FLAC


def test_a_sound_that_is_only_linked(reply: MakeReply) -> None:
    with pytest.raises(ShapeError, match="is the URL of the audio, not its bytes") as caught:
        TextToSpeech("a").decode(reply({"audio": {"url": "https://x.test/a.wav"}}))
    assert getattr(caught.value, "link") == "https://x.test/a.wav"  # noqa: B009


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", EmptyResponse, "empty"),
        (b'{"error": "no such voice"}', ReportedError, "no such voice"),  # case 30
        (b"<html>", UnexpectedContent, "HTML"),
        (b"Not found", UnexpectedContent, "text, not audio"),
        (b"\x89PNG\r\n\x1a\n", UnexpectedContent, "image/png, not audio"),
        (b'{"audio": [0.1', DecodeError, "not valid JSON"),
        (b'{"audio": "%"}', DecodeError, "`audio`: not valid base64"),
        (b'{"audio": [0.1]}', ShapeError, "no `sampling_rate`"),
        (b'{"audio": [0.1], "sampling_rate": 0}', ShapeError, "sampling_rate"),
        (b'{"audio": [0.1], "sampling_rate": 1e30}', ShapeError, "sampling_rate"),
        (b'{"audio": [0.1], "sampling_rate": "fast"}', ShapeError, "sampling_rate"),
        (b'{"audio": [], "sampling_rate": 8000}', ShapeError, "empty or ragged"),
        (b'{"audio": [[]], "sampling_rate": 8000}', ShapeError, "empty or ragged"),
        (b'{"audio": [[0.1, 0.2], [0.1]], "sampling_rate": 8000}', ShapeError, "empty or ragged"),
        (b'{"audio": ["x"], "sampling_rate": 8000}', ShapeError, "unexpected answer"),
        (b'{"audio": [[[0.1], [0.2]], [[0.1], [0.2]]], "sampling_rate": 8000}', ShapeError, "unexpected answer"),
        (b'{"audio": null, "sampling_rate": 8000}', ShapeError, "unexpected answer: audio"),
        (b'{"sampling_rate": 8000}', ShapeError, "holds no audio"),
        (b"7", UnexpectedContent, "text, not audio: 7"),
        (b"[7]", ShapeError, "the answer holds no audio"),
        (json.dumps({"audio": [[0.0] * 70] * 65, "sampling_rate": 8000}).encode(), ShapeError, "65 channels of 70"),
    ],
    ids=name_of,
)
@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_bad_answers(task: Task[Audio], content: bytes, error: type[HfError], message: str) -> None:
    with pytest.raises(HfError, match=message) as caught:
        task.decode(Reply(200, {}, content))
    assert type(caught.value) is error


KEYS = st.sampled_from(["audio", "sampling_rate", "url", "data", "output", "error"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(B64),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner, max_size=4),
    max_leaves=12,
)
SOUNDS = st.fixed_dictionaries({"audio": JSON | st.lists(st.lists(st.floats() | st.integers())), "sampling_rate": JSON})


@pytest.mark.parametrize("task", TASKS, ids=name_of)
@given(content=st.binary() | (JSON | SOUNDS).map(lambda value: json.dumps(value).encode()))
def test_nothing_but_our_errors_escapes(task: Task[Audio], content: bytes) -> None:
    with suppress(HfError):
        task.decode(Reply(200, {}, content))


@given(
    rows=st.integers(1, 8).flatmap(
        lambda n: st.lists(st.lists(st.floats(-1, 1), min_size=9, max_size=9), min_size=n, max_size=n)
    )
)
def test_both_orientations_are_the_same_sound(rows: list[list[float]]) -> None:
    turned = [list(frame) for frame in zip(*rows, strict=True)]
    made = [
        TextToAudio("x").decode(Reply(200, {}, json.dumps({"audio": audio, "sampling_rate": 8000}).encode()))
        for audio in (rows, turned)
    ]
    assert made[0] == made[1]
    count, _, found = samples(made[0])
    assert count == len(rows)
    expected = [sample for frame in turned for sample in frame]
    assert all(abs(got / 32767 - wanted) < 0.00002 for got, wanted in zip(found, expected, strict=True))


# bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TextToSpeech("  "), "`text` = '  ': must not be empty"),
        (lambda: TextToSpeech("a", max_new_tokens=0), "`max_new_tokens` = 0"),
        (lambda: TextToSpeech("a", top_p=math.nan), "`top_p` = nan"),
        (lambda: TextToSpeech("a", temperature=-0.1), "`temperature` = -0.1"),
        (lambda: untyped(TextToSpeech)("a", early_stopping="always"), "`early_stopping` = 'always'"),
        (lambda: untyped(TextToSpeech)("a", response_format="mp2"), "`response_format` = 'mp2'"),
        (lambda: TextToSpeech("a", speed=0), "`speed` = 0"),
        (lambda: TextToSpeech("a", voice=""), "`voice` = ''"),
        (lambda: TextToSpeech("a", min_length=3, max_length=2), "`min_length` = 3 is above `max_length` = 2"),
        (lambda: TextToAudio("a", min_new_tokens=3, max_new_tokens=2), "`min_new_tokens` = 3 is above"),
        (
            lambda: TextToAudio("a", top_k=3, generation_parameters={"top_k": 4}),
            "`top_k` is given twice: as a parameter and in `generation_parameters`",
        ),
        (
            lambda: TextToAudio("a", generation_parameters={"x": 4}, extra_body={"x": 4}),
            "`x` is given twice: as a parameter and in `extra_body`",
        ),
        (lambda: untyped(TextToAudio)("a", voice="alloy"), "`voice` is not a parameter"),
        (lambda: untyped(TextToSpeech)(["a", "b"]), "`text` = "),
    ],
)
def test_bad_input(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
