"""Tasks about films: what they send, and what they make of every answer."""

import json
import math
from collections.abc import Callable
from contextlib import suppress
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
    ReportedError,
    ShapeError,
    UnexpectedContent,
)
from hf_tools.media import Image, Video
from hf_tools.media.source import Source
from hf_tools.task import Body, Reply, Server, Task
from hf_tools.tasks.video import ImageTextToVideo, ImageToVideo, TextToVideo, VideoClassification

Encode = Callable[[Task[Any], Server], Body]
Written = Callable[[Task[Any], Server], tuple[str, Any]]
MakeReply = Callable[[Any], Reply]
Spec = Callable[[str, str], Any]

PNG = b"\x89PNG\r\n\x1a\nrest"
PNG64 = "iVBORw0KGgpyZXN0"
MP4 = b"\0\0\0\x18ftypisom"
B64 = "AAAAGGZ0eXBpc29t"
SIZE = {"width": 768, "height": 512}
ALL: dict[str, Any] = {"num_frames": 24, "num_inference_steps": 30, "guidance_scale": 3.5, "seed": 0}
MADE: list[Task[Video]] = [TextToVideo("a fox"), ImageToVideo(PNG), ImageTextToVideo(PNG)]
CLASSES = VideoClassification(MP4)


def name_of(value: object) -> str:
    return value.name if isinstance(value, Task) else str(value)[:40]


def untyped(cls: type[Task[Any]]) -> Any:
    """The class for a call that type checkers refuse, too."""
    return cls


# encode


@pytest.mark.parametrize(
    ("task", "body"),
    [
        (TextToVideo("a fox"), {"inputs": "a fox"}),
        (
            TextToVideo("a fox", negative_prompt=["blur", "text"], extra_body={"fps": 8}, **ALL),
            {"inputs": "a fox", "parameters": {**ALL, "negative_prompt": ["blur", "text"], "fps": 8}},
        ),
        (
            ImageToVideo(PNG, prompt="it runs", negative_prompt="blur", target_size=SIZE, **ALL),  # type: ignore[arg-type]
            {
                "inputs": PNG64,
                "parameters": {**ALL, "prompt": "it runs", "negative_prompt": "blur", "target_size": SIZE},
            },
        ),
        (
            ImageTextToVideo(PNG, "it runs", negative_prompt="blur", target_size=SIZE, **ALL),  # type: ignore[arg-type]
            {
                "inputs": PNG64,
                "parameters": {**ALL, "prompt": "it runs", "negative_prompt": "blur", "target_size": SIZE},
            },
        ),
        (ImageTextToVideo(prompt="it runs"), {"inputs": None, "parameters": {"prompt": "it runs"}}),
    ],
    ids=name_of,
)
def test_films_are_asked_for_in_json(task: Task[Any], body: dict[str, Any], written: Written, spec: Spec) -> None:
    assert written(task, "toolkit") == ("", body)
    if body["inputs"] is not None:  # the spec leaves the key out, which the toolkit refuses
        spec(task.name, "input").validate(body)


def test_counts_stay_whole_numbers(encode: Encode) -> None:
    assert b'"num_frames":24}' in encode(TextToVideo("a fox", num_frames=24), "toolkit").content
    assert b'"num_frames":24.5}' in encode(TextToVideo("a fox", num_frames=24.5), "toolkit").content


def test_a_single_negative_prompt_is_sent_as_it_is(written: Written) -> None:
    _, body = written(TextToVideo("a fox", negative_prompt="blur"), "toolkit")
    assert body["parameters"] == {"negative_prompt": "blur"}


@pytest.mark.parametrize("task", MADE[1:], ids=name_of)
def test_raw_bytes_where_nothing_else_is_given(task: Task[Any], encode: Encode) -> None:
    assert encode(task, "toolkit") == Body(PNG, "image/png", "", "*/*")


def test_who_serves_the_tasks() -> None:
    assert {task.servers for task in MADE} == {frozenset(["toolkit"])}
    assert [task.remote for task in MADE] == [
        ("fal-ai", "novita", "replicate", "together", "wavespeed"),
        ("fal-ai", "together", "wavespeed"),
        ("fal-ai", "wavespeed"),
    ]
    assert [(task.costly, task.deadline) for task in MADE] == [(True, 600.0)] * 3
    assert CLASSES.servers == {"hf-inference", "toolkit"}
    assert not CLASSES.costly


PARAMETERS: dict[str, Any] = {
    "function_to_apply": "sigmoid",
    "num_frames": 16,
    "frame_sampling_rate": 4,
    "top_k": 20,
}


def test_classification_on_hf_inference(encode: Encode, written: Written, spec: Spec) -> None:
    assert encode(CLASSES, "hf-inference") == Body(MP4, "video/mp4", "", "*/*")
    path, body = written(VideoClassification(MP4, **PARAMETERS), "hf-inference")
    assert (path, body) == ("", {"inputs": B64, "parameters": PARAMETERS})
    spec("video-classification", "input").validate(body)


def test_classification_on_the_toolkit_takes_a_url_only(written: Written, encode: Encode) -> None:
    url = "https://server.test/clip.mp4?x=1"
    assert VideoClassification.keeps_urls == {"toolkit"}
    assert written(VideoClassification(url), "toolkit") == ("", {"inputs": url})
    task = VideoClassification(url, **PARAMETERS)
    assert written(task, "toolkit") == ("", {"inputs": url, "parameters": PARAMETERS})
    for unreadable in (CLASSES, VideoClassification("clip.mp4")):
        with pytest.raises(InputError, match=r"cannot carry the bytes of a video.*http\(s\) URL"):
            encode(unreadable, "toolkit")


def test_sources_stay_unread_until_they_are_loaded(tmp_path: Path, encode: Encode) -> None:
    for video in (tmp_path / "clip.mp4", "https://server.test/clip.mp4"):
        waiting = VideoClassification(video)
        source: Any = getattr(waiting, "video")  # noqa: B009
        assert isinstance(source, Source)
        assert source.kind is Video
        assert encode(waiting.loaded({"video": Video(MP4)}), "hf-inference").content == MP4
    for cls in (ImageToVideo, ImageTextToVideo):
        picture: Task[Any] = cls(tmp_path / "a.png")
        assert isinstance(getattr(picture, "image"), Source)  # noqa: B009
        assert encode(picture.loaded({"image": Image(PNG)}), "toolkit").content == PNG


# decode


@pytest.mark.parametrize(
    "content",
    [
        MP4,
        json.dumps(B64).encode(),
        json.dumps({"video": B64}).encode(),
        json.dumps({"video": {"url": f"data:video/mp4;base64,{B64}"}}).encode(),
        json.dumps({"videos": [{"video_url": f"data:video/mp4;base64,{B64}"}]}).encode(),
        json.dumps({"outputs": {"video_url": f"data:video/mp4;base64,{B64}"}}).encode(),
        json.dumps([{"b64_json": B64}]).encode(),
    ],
    ids=name_of,
)
@pytest.mark.parametrize("task", MADE, ids=name_of)
def test_films(task: Task[Video], content: bytes) -> None:
    for declared in ("video/mp4", "application/json", "application/octet-stream", ""):
        assert task.decode(Reply(200, {"content-type": declared}, content)) == Video(MP4)


@pytest.mark.parametrize(
    ("body", "link"),
    [
        ({"video": {"url": "https://x.test/a.mp4"}}, "https://x.test/a.mp4"),
        ({"videos": [{"video_url": "HTTP://x.test/a.mp4"}]}, "HTTP://x.test/a.mp4"),
        ({"output": ["https://x.test/a.mp4", "https://x.test/b.mp4"]}, "https://x.test/a.mp4"),
    ],
)
def test_films_that_are_only_linked(body: Any, link: str, reply: MakeReply) -> None:
    with pytest.raises(ShapeError, match="is the URL of the video, not its bytes") as caught:
        TextToVideo("a fox").decode(reply(body))
    assert getattr(caught.value, "link") == link  # noqa: B009


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", EmptyResponse, "empty"),
        (b"<html>", UnexpectedContent, "HTML"),
        (PNG, UnexpectedContent, "image/png, not video"),
        (b"RIFF....WAVE", UnexpectedContent, "audio/wav, not video"),
        (b'{"error": "no GPU"}', ReportedError, "no GPU"),
        (b'{"video": "%"}', DecodeError, "`video`: not valid base64"),
        (b'{"video"', DecodeError, "not valid JSON"),
        (b'{"status": "queued"}', ShapeError, "holds no video"),
    ],
)
@pytest.mark.parametrize("task", MADE, ids=name_of)
def test_bad_films(task: Task[Video], content: bytes, error: type[HfError], message: str) -> None:
    with pytest.raises(HfError, match=message) as caught:
        task.decode(Reply(200, {}, content))
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([{"label": "run", "score": 1}], [("run", 1.0)]),
        ([], []),
        ([[{"label": "run", "score": 0.5}]], [("run", 0.5)]),
        ({"label": 4, "score": 0.5}, [("4", 0.5)]),
    ],
)
def test_classes(body: Any, expected: list[Any], reply: MakeReply) -> None:
    assert [(each.label, each.score) for each in CLASSES.decode(reply(body))] == expected


def test_classes_of_the_spec(spec: Spec, reply: MakeReply) -> None:
    instance = [{"label": "a", "score": 0.5}]
    spec("video-classification", "output").validate(instance)
    assert [each.model_dump() for each in CLASSES.decode(reply(instance))] == instance
    assert math.isnan(CLASSES.decode(reply([{"label": "a", "score": None}]))[0].score)  # case 9


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", EmptyResponse),
        (b"<html>", UnexpectedContent),
        (b"[", DecodeError),
        (b'{"error": ["x"]}', ReportedError),
        (b'[{"score": 1}]', ShapeError),
        (b'"run"', ShapeError),
    ],
)
def test_bad_classes(content: bytes, error: type[HfError]) -> None:
    with pytest.raises(HfError) as caught:
        CLASSES.decode(Reply(200, {}, content))
    assert type(caught.value) is error


KEYS = st.sampled_from(["video", "videos", "data", "output", "url", "video_url", "label", "score", "error"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(B64),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("task", [*MADE, CLASSES], ids=name_of)
@given(content=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_nothing_but_our_errors_escapes(task: Task[Any], content: bytes) -> None:
    with suppress(HfError):
        task.decode(Reply(200, {}, content))


# bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TextToVideo(""), "`prompt` = ''"),
        (lambda: TextToVideo("a", num_frames=0), "`num_frames` = 0"),
        (lambda: TextToVideo("a", num_frames=math.nan), "`num_frames` = nan"),
        (lambda: TextToVideo("a", negative_prompt=[]), r"`negative_prompt` = \[\]"),
        (lambda: TextToVideo("a", seed=1, extra_body={"seed": 1}), "`seed` is given twice"),
        (lambda: ImageToVideo(b""), "the data is empty"),
        (lambda: ImageToVideo(MP4), "video/mp4, not image"),
        (lambda: untyped(ImageToVideo)(PNG, target_size=[1, 2]), "`target_size`"),
        (lambda: untyped(ImageToVideo)(PNG, "a"), "too many positional arguments: image may"),
        (lambda: ImageTextToVideo(negative_prompt="x"), "give `image`, `prompt` or both"),
        (lambda: VideoClassification(PNG), "image/png, not video"),
        (lambda: VideoClassification(MP4, frame_sampling_rate=0), "`frame_sampling_rate` = 0"),
        (lambda: untyped(VideoClassification)(MP4, function_to_apply="x"), "`function_to_apply` = 'x'"),
    ],
)
def test_bad_input(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
