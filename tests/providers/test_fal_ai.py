"""fal's own forms: at once and through the queue, by the router and with a key of fal."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from hf_tools.errors import InputError, InvalidRequest, JobFailed, NotFound, ServerError, ShapeError
from tests.providers.conftest import HF_KEY, MODEL, OWN_KEY, Make

ROUTED, QUEUE = "https://router.huggingface.co/fal-ai", "https://queue.fal.run"
PNG, PNG_URI = b"\x89PNG\r\n\x1a\n\x00\x00", "data:image/png;base64,iVBORw0KGgoAAA=="
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
FLAC = b"fLaC\x00\x00\x00\x22"
FILE = "https://v3.fal.media/files/fox?signature=1"
DRAWN, FILMED = {"images": [{"url": FILE, "content_type": "image/jpeg"}], "seed": 7}, {"video": {"url": FILE}}
SIZE = {"width": 768, "height": 512}
STEPS: dict[str, Any] = {"num_inference_steps": 9, "guidance_scale": 3.5, "seed": 7}
EXTRA = {"extra_body": {"enable_safety_checker": False}}
APP = "fal-ai/app"
REQUEST = f"{APP}/requests/r1"
TAKEN = {"status": "IN_QUEUE", "request_id": "r1", "queue_position": 2, "response_url": f"{QUEUE}/{REQUEST}"}


def uri(data: bytes, mime: str) -> str:
    """Bytes as a data: URI."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


PICTURE = {"negative_prompt": "snow", "image_size": SIZE, **STEPS, "enable_safety_checker": False}
FILM = {"negative_prompt": "snow", "num_frames": 81, **STEPS, "enable_safety_checker": False}
SPOKEN = {"max_new_tokens": 50, "temperature": 0.5, "speed_up": 2, "enable_safety_checker": False}
SAID: dict[str, Any] = {"max_new_tokens": 50, "temperature": 0.5, "generation_parameters": {"speed_up": 2}, **EXTRA}
IMAGES = {"image_url": PNG_URI, "image_urls": [PNG_URI]}
CHANGE: dict[str, Any] = {"negative_prompt": "snow", "target_size": SIZE, **STEPS, **EXTRA}

QUEUED: list[tuple[str, list[Any], dict[str, Any], dict[str, Any], Any, bytes]] = [
    ("text-to-image", ["a fox"], {"negative_prompt": "snow", "scheduler": "ddim", **SIZE, **STEPS, **EXTRA},
     {"prompt": "a fox", "scheduler": "ddim", **PICTURE}, DRAWN, JPEG),
    ("image-to-image", [PNG, "a drawing"], {"strength": 0.5, "guess_mode": True, **CHANGE},
     {**IMAGES, "prompt": "a drawing", "strength": 0.5, "guess_mode": True, **PICTURE}, DRAWN, JPEG),
    ("image-to-image", [PNG], SIZE, {**IMAGES, "image_size": SIZE}, DRAWN, JPEG),
    ("image-text-to-image", [PNG, "a drawing"], {"strength": 0.5, **CHANGE},
     {**IMAGES, "prompt": "a drawing", "strength": 0.5, **PICTURE}, DRAWN, JPEG),
    ("text-to-video", ["a fox"], {"negative_prompt": ["snow"], "num_frames": 81, **STEPS, **EXTRA},
     {"prompt": "a fox", **FILM}, FILMED, MP4),
    ("image-to-video", [PNG], {"prompt": "it runs", "num_frames": 81, **CHANGE},
     {"image_url": PNG_URI, "prompt": "it runs", "video_size": SIZE, **FILM}, FILMED, MP4),
    ("image-text-to-video", [PNG, "it runs"], {"num_frames": 81, **CHANGE},
     {"image_url": PNG_URI, "prompt": "it runs", "video_size": SIZE, **FILM}, FILMED, MP4),
    ("text-to-audio", ["rain"], SAID, {"prompt": "rain", **SPOKEN}, {"audio_file": {"url": FILE}}, WAV),
    ("text-to-audio", ["rain"], {}, {"prompt": "rain"}, {"audio": {"url": FILE}}, WAV),
]  # fmt: skip


def keys(requests: list[httpx.Request]) -> list[str | None]:
    """The key that each request carried."""
    return [request.headers.get("authorization") for request in requests]


def polls(key: str, submitted: str = APP) -> list[tuple[str, str]]:
    """The requests of a job whose state is asked for twice, and its result."""
    base, query = (ROUTED, "?_subdomain=queue") if key == HF_KEY else (QUEUE, "")
    state = ("GET", f"{base}/{REQUEST}/status{query}")
    return [("POST", f"{base}/{submitted}{query}"), state, state, ("GET", f"{base}/{REQUEST}{query}"), ("GET", FILE)]


def queue(result: Any, data: bytes) -> list[Any]:
    """The answers to these requests."""
    pending = httpx.Response(202, json={"status": "IN_PROGRESS"})
    return [TAKEN, pending, {"status": "COMPLETED"}, result, httpx.Response(200, content=data)]


@pytest.mark.parametrize("key", [HF_KEY, OWN_KEY], ids=["routed", "direct"])
@pytest.mark.parametrize(("task", "given", "named", "body", "result", "data"), QUEUED)
def test_makes_it_through_the_queue(
    world: Make, key: str, task: str, given: list[Any], named: dict[str, Any], body: Any, result: Any, data: bytes
) -> None:
    there, seen = world("fal-ai", task, APP, *queue(result, data)), list[Any]()
    client = there.client(key, on_progress=seen.append)
    found = getattr(client, task.replace("-", "_"))(*given, **named)
    assert found.data == data
    assert there.sent == polls(key)
    assert keys(there.requests) == [f"{'Bearer' if key == HF_KEY else 'Key'} {key}"] * 4 + [None]
    assert there.body == body
    assert [(one.id, one.state, one.queue_position) for one in seen] == [
        ("r1", "in_queue", 2), ("r1", "in_progress", None), ("r1", "completed", None),
    ]  # fmt: skip
    base, query = (ROUTED, "?_subdomain=queue") if key == HF_KEY else (QUEUE, "")
    assert seen[0].job.cancel == ("PUT", f"{base}/{REQUEST}/cancel{query}")


@pytest.mark.parametrize("key", [HF_KEY, OWN_KEY], ids=["routed", "direct"])
@pytest.mark.parametrize(("result", "label"), [({"text": "hello"}, "hello"), ({}, "speech")])
def test_changes_a_sound(world: Make, key: str, result: dict[str, Any], label: str) -> None:
    result = {**result, "audio": {"url": FILE, "content_type": "audio/wav"}}
    there = world("fal-ai", "audio-to-audio", APP, *queue(result, WAV))
    (found,) = there.client(key).audio_to_audio(FLAC)
    assert (found.label, found.blob.data, found.content_type) == (label, WAV, "audio/wav")
    assert there.sent == polls(key)
    assert there.body == {"audio_url": uri(FLAC, "audio/mpeg")}


@pytest.mark.parametrize("key", [HF_KEY, OWN_KEY], ids=["routed", "direct"])
@pytest.mark.parametrize("url", [PNG_URI, FILE], ids=["inline", "linked"])
def test_masks_a_picture(world: Make, key: str, url: str) -> None:
    there = world("fal-ai", "image-segmentation", APP, *queue({"image": {"url": url}}, PNG))
    named: dict[str, Any] = {"mask_threshold": 0.5, "overlap_mask_area_threshold": 0.4, "subtask": "semantic"}
    (found,) = there.client(key).image_segmentation(JPEG, threshold=0.9, **named)
    assert (found.label, found.score, found.mask.data) == ("mask", None, PNG)
    assert there.sent == polls(key)[: 4 if url == PNG_URI else 5]
    assert there.body == {"image_url": uri(JPEG, "image/jpeg"), "sync_mode": True, "threshold": 0.9, **named}


@pytest.mark.parametrize("task", ["image-text-to-image", "image-text-to-video"])
@pytest.mark.parametrize(
    ("key", "image", "served", "submitted"),
    [
        (HF_KEY, None, "fal-ai/flux-2/edit", "fal-ai/flux-2/edit"),
        (HF_KEY, PNG, "fal-ai/flux-2/edit", "fal-ai/flux-2/edit"),
        (OWN_KEY, None, "fal-ai/flux-2/edit", "fal-ai/flux-2"),
        (OWN_KEY, PNG, "fal-ai/flux-2/edit", "fal-ai/flux-2/edit"),
        (OWN_KEY, None, "fal-ai/flux-2", "fal-ai/flux-2"),
        (OWN_KEY, PNG, "fal-ai/flux-2", "fal-ai/flux-2"),
    ],
)
def test_with_or_without_a_picture(
    world: Make, task: str, key: str, image: bytes | None, served: str, submitted: str
) -> None:
    film = task.endswith("video")
    data, one = (MP4, {"image_url": PNG_URI}) if film else (JPEG, IMAGES)
    there = world("fal-ai", task, served, *queue(FILMED if film else DRAWN, data))
    assert getattr(there.client(key), task.replace("-", "_"))(image, "a fox").data == data
    assert there.sent == polls(key, submitted)
    assert there.body == {**(one if image else {}), "prompt": "a fox"}


@pytest.mark.parametrize(
    ("key", "base"), [(HF_KEY, ROUTED), (OWN_KEY, "https://fal.run")], ids=["routed", "direct"]
)  # fmt: skip
class TestAtOnce:
    def test_reads_a_text_aloud(self, world: Make, key: str, base: str) -> None:
        there = world("fal-ai", "text-to-speech", APP, {"audio": {"url": FILE}}, httpx.Response(200, content=WAV))
        named: dict[str, Any] = {"voice": "af", "speed": 1.5, "response_format": "wav"}
        sound = there.client(key).text_to_speech("hello", **named, **SAID)
        assert (sound.data, sound.mime_type) == (WAV, "audio/wav")
        assert there.sent == [("POST", f"{base}/{APP}"), ("GET", FILE)]
        assert keys(there.requests) == [f"{'Bearer' if key == HF_KEY else 'Key'} {key}", None]
        assert there.body == {"text": "hello", **named, **SPOKEN}

    @pytest.mark.parametrize(
        ("sound", "mime"),
        [
            (WAV, "audio/x-wav"), (FLAC, "audio/mpeg"), (b"ID3\x04", "audio/mpeg"),
            (b"\x1aE\xdf\xa3\x01webm", "video/webm"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize(
        "answer",
        [
            {"text": "hi", "chunks": [{"text": "hi", "timestamp": [0.0, 1.5]}], "inferred_languages": ["en"]},
            {"output": "hi", "segments": [{"text": "hi", "start": 0.0, "end": 1.5}]},
        ],
    )
    def test_writes_down_a_sound(
        self, world: Make, key: str, base: str, sound: bytes, mime: str, answer: dict[str, Any]
    ) -> None:
        there = world("fal-ai", "automatic-speech-recognition", APP, answer)
        named: dict[str, Any] = {"return_timestamps": True, "generation_parameters": {"language": "en"}}
        found = there.client(key).automatic_speech_recognition(sound, extra_body={"diarize": True}, **named)
        assert found.text == "hi"
        assert [(chunk.text, chunk.timestamp) for chunk in found.chunks] == [("hi", (0.0, 1.5))]
        assert there.sent == [("POST", f"{base}/{APP}")]
        assert there.body == {
            "audio_url": uri(sound, mime), "chunk_level": "segment", "language": "en", "diarize": True,
        }  # fmt: skip


@pytest.mark.parametrize(("wanted", "level"), [("word", {"chunk_level": "word"}), (False, {}), (None, {})])
def test_asks_for_the_times_of_a_text(world: Make, wanted: Any, level: dict[str, str]) -> None:
    there = world("fal-ai", "automatic-speech-recognition", APP, {"text": ""})
    assert there.client().automatic_speech_recognition(WAV, return_timestamps=wanted).text == ""
    assert there.body == {"audio_url": uri(WAV, "audio/x-wav"), **level}


@pytest.mark.parametrize(
    ("served", "base"),
    [(APP, {}), ("fal-ai/lora", {"model_name": "stabilityai/stable-diffusion-xl-base-1.0"})],
)
def test_draws_with_lora_weights(world: Make, served: str, base: dict[str, str]) -> None:
    weights = {"adapter": "lora", "adapterWeightsPath": "x.safetensors"}
    there = world("fal-ai", "text-to-image", served, *queue(DRAWN, JPEG), **weights)
    there.client().text_to_image("a fox")
    path = f"https://huggingface.co/{MODEL}/resolve/main/x.safetensors"
    assert there.body == {"prompt": "a fox", "loras": [{"path": path, "scale": 1}], **base}


async def test_draws_with_the_asynchronous_client(world: Make) -> None:
    there = world("fal-ai", "text-to-image", APP, *queue(DRAWN, JPEG))
    assert (await there.aclient().text_to_image("a fox")).data == JPEG
    assert there.sent == polls(HF_KEY)


@pytest.mark.parametrize(
    ("task", "given", "named", "what", "hint"),
    [
        ("text-to-image", "a fox", {"width": 768}, "`width` alone", "Give both `width` and `height`"),
        ("image-to-image", PNG, {"height": 512}, "`height` alone", "Give both `width` and `height`"),
        ("text-to-video", "a fox", {"negative_prompt": ["a", "b"]}, "several texts in `negative_prompt`",
         "Put them into one text"),
        ("automatic-speech-recognition", WAV, {"return_timestamps": "char"}, "`return_timestamps` = 'char'",
         "It can do True and 'word'"),
    ],
)  # fmt: skip
def test_refuses_what_fal_cannot_be_told(
    world: Make, task: str, given: Any, named: dict[str, Any], what: str, hint: str
) -> None:
    there, name = world("fal-ai", task, APP, {}), task.replace("-", "_")
    with pytest.raises(InputError) as caught:
        getattr(there.client(), name)(given, **named)
    assert (caught.value.message, caught.value.hint) == (f"{name}: fal-ai cannot carry {what}", hint)
    assert there.requests == []


def answered(status: int, detail: Any) -> httpx.Response:
    """An error as fal sends it."""
    return httpx.Response(status, json={"detail": detail})


COMPLETED = {"status": "COMPLETED"}
TYPED = [{"loc": ["body", "prompt"], "msg": "unsafe", "type": "content_policy_violation"}]


WRONG: list[tuple[list[Any], type[Exception], str]] = [
    ([answered(422, TYPED)], InvalidRequest, "422 body.prompt: unsafe"),
    ([httpx.Response(404, text="404: Not Found")], NotFound, "404 404: Not Found"),
    ([{"status": "IN_QUEUE", "request_id": "r1"}], ShapeError, "no URL at `response_url`"),
    ([{**TAKEN, "response_url": "https://evil.example/r1"}], ShapeError, "https://evil.example/r1 is none of its"),
    ([TAKEN, {"status": "CANCELED", "detail": "by you"}], JobFailed, "ended in the state 'CANCELED': by you"),
    ([TAKEN, {}], JobFailed, "ended in the state None"),
    ([TAKEN, answered(404, "gone")], NotFound, "404 gone"),
    ([TAKEN, COMPLETED, answered(422, TYPED)], InvalidRequest, "422 body.prompt: unsafe"),
    ([TAKEN, COMPLETED, answered(500, "broken")], ServerError, "500 broken"),
    ([TAKEN, COMPLETED, {"images": []}], ShapeError, "no URL at `images.url`"),
    ([TAKEN, COMPLETED, {"images": [{"url": None}]}], ShapeError, "no URL at `images.url`"),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "error", "said"), WRONG)
def test_says_what_went_wrong(world: Make, answers: list[Any], error: type[Exception], said: str) -> None:
    there = world("fal-ai", "text-to-image", APP, *answers)
    with pytest.raises(error) as caught:
        there.client(max_retries=0).text_to_image("a fox")
    assert type(caught.value) is error
    assert said in str(caught.value)
    assert all(request.url.host == "router.huggingface.co" for request in there.requests)


@pytest.mark.parametrize(("error", "said"), [("out of memory", "out of memory"), ({"a": 1}, '{"a": 1}')])
def test_a_job_may_end_with_an_error(world: Make, error: Any, said: str) -> None:
    nameless = {"response_url": f"{QUEUE}/{REQUEST}"}
    there = world("fal-ai", "text-to-video", APP, nameless, {"status": "COMPLETED", "error": error})
    with pytest.raises(JobFailed) as caught:
        there.client().text_to_video("a fox")
    assert (caught.value.message, caught.value.state) == (f"the provider's job failed: {said}", "COMPLETED")
    handle = caught.value.handle
    assert (handle.id, handle.state, handle.queue_position) == ("r1", "in_queue", None)
