"""Tasks that listen: what they send, and what they make of every answer."""

import base64
import json
import math
from collections.abc import Callable
from contextlib import suppress
from email import message_from_bytes
from email.policy import HTTP
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_tools.errors import (
    DecodeError,
    EmptyResponse,
    HfError,
    InputError,
    MediaError,
    ReportedError,
    ShapeError,
    UnexpectedContent,
)
from hf_tools.media import Audio
from hf_tools.media.source import Source
from hf_tools.task import Body, Reply, Route, Server, Task
from hf_tools.tasks.audio import AudioClassification, AudioToAudio, AutomaticSpeechRecognition
from hf_tools.wire import multipart

Recording = Callable[[str], list[dict[str, Any]]]
Encode = Callable[[Task[Any], Server], Body]
Written = Callable[[Task[Any], Server], tuple[str, Any]]
MakeReply = Callable[[Any], Reply]
Spec = Callable[[str, str], Any]

FLAC = b"fLaC....\xfb\xff"
B64 = "ZkxhQy4uLi77/w=="
"""Standard alphabet: `/` and not `_`."""
ASR = AutomaticSpeechRecognition(FLAC)
CLASSES = AudioClassification(FLAC)
PARTS = AudioToAudio(FLAC)
TASKS: list[Task[Any]] = [ASR, CLASSES, PARTS]


def name_of(value: object) -> str:
    return value.name if isinstance(value, Task) else str(value)[:40]


def untyped(cls: type[Task[Any]]) -> Any:
    """The class for a call that type checkers refuse, too."""
    return cls


# encode


@pytest.mark.parametrize("server", ["hf-inference", "toolkit"])
@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_case_25_raw_bytes_where_nothing_else_is_given(task: Task[Any], server: Server, encode: Encode) -> None:
    assert encode(task, server) == Body(FLAC, "audio/flac", "", "*/*")


@pytest.mark.parametrize("server", ["hf-inference", "toolkit"])
@pytest.mark.parametrize(
    ("task", "parameters"),
    [
        (AutomaticSpeechRecognition(FLAC, return_timestamps=True), {"return_timestamps": True}),
        (AutomaticSpeechRecognition(FLAC, return_timestamps=False), {"return_timestamps": False}),
        (AutomaticSpeechRecognition(FLAC, return_timestamps="char"), {"return_timestamps": "char"}),
        (AutomaticSpeechRecognition(FLAC, generation_parameters={}), {"generation_parameters": {}}),
        (
            AutomaticSpeechRecognition(
                FLAC,
                return_timestamps="word",
                generation_parameters={"num_beams": 2},
                extra_body={"chunk_length_s": 30},
            ),
            {"return_timestamps": "word", "generation_parameters": {"num_beams": 2}, "chunk_length_s": 30},
        ),
        (
            AudioClassification(FLAC, top_k=20, function_to_apply="none"),
            {"top_k": 20, "function_to_apply": "none"},
        ),
    ],
)
def test_case_24_base64_with_parameters(
    task: Task[Any], parameters: dict[str, Any], server: Server, written: Written
) -> None:
    assert written(task, server) == ("", {"inputs": B64, "parameters": parameters})
    assert base64.b64decode(B64, validate=True) == FLAC


def test_case_24_the_key_parameters_is_always_there() -> None:
    route = Route("toolkit", "https://server.test", options={"use_gpu": True})
    assert json.loads(ASR.encode(route).content) == {"inputs": B64, "parameters": {}, "options": {"use_gpu": True}}


@pytest.mark.parametrize(
    ("start", "mime"),
    [
        (b"RIFF....WAVE", "audio/wav"),
        (b"ID3....", "audio/mpeg"),
        (b"OggS....", "audio/ogg"),
        (b"\x1aE\xdf\xa3....webm", "audio/webm"),
        (b"....ftypM4A ", "audio/m4a"),
        (b"....ftypisom", "audio/m4a"),
        (b"#!AMR\n", "audio/AMR"),
    ],
)
@pytest.mark.parametrize("cls", [AutomaticSpeechRecognition, AudioClassification, AudioToAudio])
def test_case_23_the_type_is_sniffed(cls: type[Task[Any]], start: bytes, mime: str, encode: Encode) -> None:
    assert encode(untyped(cls)(start), "toolkit") == Body(start, mime)


@pytest.mark.parametrize("cls", [AutomaticSpeechRecognition, AudioClassification, AudioToAudio])
@pytest.mark.parametrize("data", [b"raw samples", b"\xff\xf1\x50\x80...."])
def test_case_23_an_unknown_type_is_refused_for_the_toolkit_only(
    cls: type[Task[Any]], data: bytes, encode: Encode
) -> None:
    task = untyped(cls)(data)
    with pytest.raises(InputError, match=r"cannot carry audio data of type .*It takes audio/AMR, .*audio/flac"):
        encode(task, "toolkit")
    assert encode(task, "hf-inference").content == data


def test_bytes_without_a_type_are_sent_without_one(encode: Encode) -> None:
    assert encode(AutomaticSpeechRecognition(b"raw"), "hf-inference") == Body(b"raw", None)


# multipart


def form(body: Body) -> list[tuple[Any, str | None, str, Any]]:
    """Name, file name, type and content of each part, as Python's own parser reads them."""
    assert body.content_type is not None
    message = message_from_bytes(
        b"Content-Type: " + body.content_type.encode() + b"\r\n\r\n" + body.content, policy=HTTP
    )
    assert message.is_multipart()
    assert not message.defects
    found: list[tuple[Any, str | None, str, Any]] = []
    for part in message.iter_parts():
        payload = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        found.append((name, part.get_filename(), part.get_content_type(), payload))
    return found


def test_the_openai_route_is_a_form(encode: Encode) -> None:
    body = encode(ASR, "openai")
    assert (body.path, body.accept) == ("/v1/audio/transcriptions", "*/*")
    assert form(body) == [
        ("file", "audio.flac", "audio/flac", FLAC),
        ("model", None, "text/plain", b"served"),
    ]
    assert body == encode(ASR, "openai")  # recorded requests are compared by their bytes


@pytest.mark.parametrize(
    ("given_", "values"),
    [
        (False, []),
        (True, [("response_format", b"verbose_json")]),
        ("word", [("response_format", b"verbose_json"), ("timestamp_granularities[]", b"word")]),
    ],
)
def test_timestamps_on_the_openai_route(given_: Any, values: list[Any]) -> None:
    extra = {"language": "fr", "temperature": 0, "stream": False, "hotwords": ["ä"]}
    task = AutomaticSpeechRecognition(b"raw", return_timestamps=given_, extra_body=extra)
    found = form(task.encode(Route("openai", "https://server.test")))
    assert found[0] == ("file", "audio.wav", "application/octet-stream", b"raw")
    assert [(name, content) for name, _, _, content in found[1:]] == [
        *values,
        ("language", b"fr"),
        ("temperature", b"0"),
        ("stream", b"false"),
        ("hotwords", '["ä"]'.encode()),
    ]


def test_what_the_openai_route_cannot_carry(encode: Encode) -> None:
    with pytest.raises(InputError, match="an OpenAI-shaped server cannot carry `generation_parameters`"):
        encode(AutomaticSpeechRecognition(FLAC, generation_parameters={"num_beams": 2}), "openai")
    with pytest.raises(InputError, match="cannot carry `return_timestamps` = 'char'"):
        encode(AutomaticSpeechRecognition(FLAC, return_timestamps="char"), "openai")


def test_case_82_names_are_escaped() -> None:
    body = multipart('fi"le\r\nX-Evil: 1', Audio(FLAC), {'a"\r\n\r\nb': 'x"\r\ny'}, path="/p", accept="image/png")
    lines = body.content.split(b"\r\n")
    assert lines[1] == b'Content-Disposition: form-data; name="fi%22le%0D%0AX-Evil: 1"; filename="audio.flac"'
    assert b'Content-Disposition: form-data; name="a%22%0D%0A%0D%0Ab"' in lines
    assert body.content.endswith(b'\r\n\r\nx"\r\ny\r\n' + lines[0] + b"--\r\n")
    assert (body.path, body.accept) == ("/p", "image/png")


@given(data=st.binary(min_size=1), text=st.text())
def test_forms_come_back_as_they_were_written(data: bytes, text: str) -> None:
    body = multipart("file", Audio(data), {"text": text, "number": 1.5})
    boundary = str(body.content_type).partition("boundary=")[2].encode()
    parts = body.content.split(b"--" + boundary)
    assert [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts[1:4]] == [
        data,
        text.encode(),
        b"1.5",
    ]
    assert (len(parts), parts[0], parts[4]) == (5, b"", b"--\r\n")


# recordings


def test_recordings(recording: Recording, encode: Encode) -> None:
    (asr,) = recording("automatic_speech_recognition")
    text = ASR.decode(asr["reply"])
    assert (text.text, text.chunks) == ("A MAN SAID TO THE UNIVERSE SIR I EXIST", [])
    (classes,) = recording("audio_classification")
    assert [(each.label, each.score) for each in CLASSES.decode(classes["reply"])] == [
        ("neu", 0.6658844351768494),
        ("sad", 0.1802878975868225),
        ("hap", 0.07892542332410812),
        ("ang", 0.0749022513628006),
    ]
    for each in (asr, classes, *recording("audio_to_audio")):  # raw bytes then, raw bytes now
        assert each["request"]["body_bytes"] == 94321
        assert each["request"]["headers"]["accept"] == encode(ASR, "hf-inference").accept


def test_case_21_recorded_stems_decode_lazily(recording: Recording) -> None:
    (each,) = recording("audio_to_audio")
    stems = PARTS.decode(each["reply"])
    assert [(stem.label, stem.content_type, stem.blob.mime_type) for stem in stems] == [
        ("label_0", "audio/flac", "audio/flac"),
        ("label_1", "audio/flac", "audio/flac"),
    ]
    assert [len(stem.blob) for stem in stems] == [86742, 85743]
    assert stems[0].blob is stems[0].blob


# decode


@pytest.mark.parametrize(
    ("body", "text", "chunks"),
    [
        ({"text": ""}, "", []),
        ({"text": "a", "chunks": None}, "a", []),
        ([{"text": "a"}], "a", []),
        ({"text": "a", "chunks": [{"text": " a", "timestamp": [12.3, None]}]}, "a", [(" a", (12.3, None))]),
        ({"text": "a", "chunks": [{"text": "a", "timestamp": [0, 4.08]}]}, "a", [("a", (0.0, 4.08))]),
        ({"text": "a", "chunks": [{"text": "a", "timestamp": None}]}, "a", [("a", (None, None))]),
        (
            {"text": "a b", "task": "transcribe", "segments": [{"id": 0, "start": 0.0, "end": 1.5, "text": "a b"}]},
            "a b",
            [("a b", (0.0, 1.5))],
        ),
        (
            {
                "text": "a b",
                "words": [{"word": "a", "start": 0.0, "end": 0.5}, {"word": "b", "start": 0.5, "end": 1}],
                "segments": [{"start": 0.0, "end": 1.5, "text": "a b"}],
            },
            "a b",
            [("a", (0.0, 0.5)), ("b", (0.5, 1.0))],
        ),
        (
            {"text": "a", "chunks": [{"text": "a", "timestamp": [0.0, 1.0], "speaker": None}], "other": []},
            "a",
            [("a", (0.0, 1.0))],
        ),
    ],
)
def test_case_22_speech(body: Any, text: str, chunks: list[Any], reply: MakeReply) -> None:
    answer = ASR.decode(reply(body))
    assert answer.text == text
    assert [(chunk.text, chunk.timestamp) for chunk in answer.chunks] == chunks


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([], []),
        ([{"score": 0.9987353682518005, "label": "male"}], [("male", 0.9987353682518005)]),
        ([{"label": 0, "score": 1}], [("0", 1.0)]),
        ([[{"label": "a", "score": 0.5}, {"label": "b", "score": 0.1}]], [("a", 0.5), ("b", 0.1)]),
        ({"label": "a", "score": 0.5}, [("a", 0.5)]),
    ],
)
def test_labels(body: Any, expected: list[Any], reply: MakeReply) -> None:
    assert [(each.label, each.score) for each in CLASSES.decode(reply(body))] == expected


def test_case_9_scores_that_are_none(reply: MakeReply) -> None:
    assert all(
        math.isnan(each.score)
        for each in CLASSES.decode(reply('[{"label":"a","score":NaN},{"label":"b","score":null}]'))
    )


@pytest.mark.parametrize(
    ("item", "content_type", "mime"),
    [
        ({"label": "a", "blob": B64, "content-type": "audio/wav"}, "audio/wav", "audio/flac"),
        ({"label": "a", "blob": B64, "content_type": "audio/flac"}, "audio/flac", "audio/flac"),
        ({"label": "a", "blob": B64}, None, "audio/flac"),
        ({"label": "a", "blob": "cmF3", "content-type": "audio/L16"}, "audio/L16", "audio/L16"),
        ({"label": "a", "blob": "cmF3", "content-type": None}, None, "application/octet-stream"),
        ({"label": 1, "blob": f"data:audio/flac;base64,{B64}"}, None, "audio/flac"),
    ],
)
def test_case_21_stems(item: dict[str, Any], content_type: str | None, mime: str, reply: MakeReply) -> None:
    for body in ([item], item, [[item, item]]):
        stem = PARTS.decode(reply(body))[0]
        assert (stem.label, stem.content_type, stem.blob.mime_type) == (str(item["label"]), content_type, mime)
    assert "blob" not in repr(stem)


@pytest.mark.parametrize(
    ("blob", "error"), [("%%", DecodeError), ("iVBORw0KGgo=", UnexpectedContent), ("\n", DecodeError)]
)
def test_stems_that_are_none(blob: str, error: type[HfError], reply: MakeReply) -> None:
    (stem,) = PARTS.decode(reply([{"label": "voice", "blob": blob}]))
    with pytest.raises(error, match='the sound of "voice"'):
        _ = stem.blob


@pytest.mark.parametrize(
    ("task", "instance"),
    [
        (ASR, {"text": "a"}),
        (ASR, {"text": "a", "chunks": [{"text": "a", "timestamp": [0.0, 1.0]}]}),
        (CLASSES, [{"label": "a", "score": 0.5}]),
    ],
)
def test_instances_of_the_spec(task: Task[Any], instance: Any, spec: Spec, reply: MakeReply) -> None:
    spec(task.name, "output").validate(instance)
    answer = task.decode(reply(instance))
    if task is ASR:
        assert json.loads(answer.model_dump_json()) == {"chunks": [], **instance}
    else:
        assert [each.model_dump() for each in answer] == instance


@pytest.mark.parametrize(
    "task",
    [
        AutomaticSpeechRecognition(FLAC, return_timestamps=True, generation_parameters={"top_k": 5}),
        AudioClassification(FLAC, top_k=3, function_to_apply="softmax"),
    ],
    ids=name_of,
)
def test_parameters_are_those_of_the_spec(task: Task[Any], spec: Spec, written: Written) -> None:
    spec(task.name, "input").validate(written(task, "toolkit")[1])


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", EmptyResponse, "empty"),
        (b"<html>", UnexpectedContent, "HTML"),
        (b'[{"label": "a"', DecodeError, "not valid JSON"),
        (b"fLaC\x00\x00", DecodeError, "not valid JSON"),
        (b'{"error": "Malformed soundfile"}', ReportedError, "Malformed soundfile"),
        (b"7", ShapeError, "unexpected answer"),
        (b"[{}]", ShapeError, "unexpected answer"),
        (b'[{"text": null}]', ShapeError, "unexpected answer"),
    ],
)
@pytest.mark.parametrize("task", TASKS, ids=name_of)
def test_bad_answers(task: Task[Any], content: bytes, error: type[HfError], message: str) -> None:
    with pytest.raises(HfError, match=message) as caught:
        task.decode(Reply(200, {}, content))
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("task", "body", "message"),
    [
        (ASR, {"text": "a", "chunks": [{"text": "a", "timestamp": [1.0]}]}, "chunks.0.timestamp"),
        (ASR, {"text": "a", "chunks": [7]}, "chunks.0"),
        (ASR, {"text": "a", "segments": [{"start": 0}]}, "chunks.0.text"),
        (ASR, {"text": "a", "words": 3}, "chunks"),
        (PARTS, [{"label": "a", "blob": ""}], "0.blob"),
        (PARTS, [{"blob": B64}], "0.label"),
        (CLASSES, [{"label": "a"}], "0.score"),
    ],
)
def test_shapes_that_are_none_of_the_promised(task: Task[Any], body: Any, message: str, reply: MakeReply) -> None:
    with pytest.raises(ShapeError, match=message):
        task.decode(reply(body))


KEYS = st.sampled_from(["text", "chunks", "timestamp", "segments", "words", "start", "label", "score", "blob", "error"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(B64),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner, max_size=5),
    max_leaves=12,
)


@pytest.mark.parametrize("task", TASKS, ids=name_of)
@given(content=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_nothing_but_our_errors_escapes(task: Task[Any], content: bytes) -> None:
    with suppress(HfError):
        for stem in task.decode(Reply(200, {}, content)) if task is PARTS else [task.decode(Reply(200, {}, content))]:
            _ = getattr(stem, "blob", None)


# bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AutomaticSpeechRecognition(b""), r"`audio` \(bytes\): the data is empty"),
        (lambda: AutomaticSpeechRecognition(b"\x89PNG\r\n\x1a\n"), "image/png, not audio"),
        (lambda: untyped(AutomaticSpeechRecognition)(FLAC, return_timestamps="line"), "`return_timestamps` = 'line'"),
        (
            lambda: AutomaticSpeechRecognition(FLAC, return_timestamps=True, extra_body={"return_timestamps": False}),
            "`return_timestamps` is given twice: as a parameter and in `extra_body`",
        ),
        (lambda: untyped(AutomaticSpeechRecognition)(FLAC, extra_body=[1]), "`extra_body`"),
        (lambda: AudioClassification(FLAC, top_k=-5), "`top_k` = -5"),
        (lambda: untyped(AudioClassification)(FLAC, function_to_apply="tanh"), "`function_to_apply` = 'tanh'"),
        (lambda: untyped(AudioToAudio)(FLAC, top_k=1), "`top_k` is not a parameter"),
        (lambda: untyped(AudioToAudio)(7), "`audio` = 7: expected bytes.*got int"),
    ],
)
def test_bad_input(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("cls", [AutomaticSpeechRecognition, AudioClassification, AudioToAudio])
def test_sources_stay_unread_until_they_are_loaded(cls: type[Task[Any]], tmp_path: Path, encode: Encode) -> None:
    for value in (tmp_path / "a.flac", "a.flac", "http://server.test/a.flac", BytesIO(FLAC)):
        waiting: Task[Any] = untyped(cls)(value)
        with pytest.raises(MediaError, match="not read yet"):
            encode(waiting, "hf-inference")
        source: Any = getattr(waiting, "audio")  # noqa: B009
        assert isinstance(source, Source)
        assert source.kind is Audio
        assert encode(waiting.loaded({"audio": Audio(FLAC)}), "hf-inference").content == FLAC


def test_only_the_generation_of_sound_is_costly() -> None:
    assert [task.costly for task in TASKS] == [False, False, True]
    assert [task.deadline for task in TASKS] == [600.0, 120.0, 600.0]
