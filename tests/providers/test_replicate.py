"""Replicate's own forms: predictions, at once or asked after, by the router and with a key of Replicate."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from hf_tools.errors import InputError, InvalidRequest, JobFailed, ShapeError
from hf_tools.providers.dialects import Target
from hf_tools.providers.replicate import PROVIDER
from tests.providers.conftest import HF_KEY, MODEL, OWN_KEY, Make

ROUTED, DIRECT = "https://router.huggingface.co/replicate", "https://api.replicate.com"
SIDES = pytest.mark.parametrize(("key", "base"), [(HF_KEY, ROUTED), (OWN_KEY, DIRECT)], ids=["routed", "direct"])
PNG, PNG_URI = b"\x89PNG\r\n\x1a\n\x00\x00", "data:image/png;base64,iVBORw0KGgoAAA=="
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 "
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
FILE = "https://replicate.delivery/xezq/out-0.webp"
SERVED, ROUTE, GET = (
    "black-forest-labs/flux-dev",
    "/v1/models/black-forest-labs/flux-dev/predictions",
    "/v1/predictions/p1",
)
SIZE = {"width": 768, "height": 512}
STEPS: dict[str, Any] = {"num_inference_steps": 9, "guidance_scale": 3.5, "seed": 7}
NAMED: dict[str, Any] = {"negative_prompt": "snow", **STEPS, "extra_body": {"go_fast": True}}
BODY = {"negative_prompt": "snow", **STEPS, "go_fast": True}
IMAGES = {"image": PNG_URI, "images": [PNG_URI], "input_image": PNG_URI, "input_images": [PNG_URI]}
SAID: dict[str, Any] = {
    "max_new_tokens": 50, "generation_parameters": {"speaker": "x"}, "extra_body": {"go_fast": True},
}  # fmt: skip

CALLS: list[tuple[str, list[Any], dict[str, Any], dict[str, Any], bytes]] = [
    ("text-to-image", ["a fox"], {"scheduler": "ddim", **SIZE, **NAMED},
     {"prompt": "a fox", "scheduler": "ddim", **SIZE, **BODY}, WEBP),
    ("text-to-image", ["a fox"], {"width": 768}, {"prompt": "a fox", "width": 768}, WEBP),
    ("text-to-video", ["a fox"], {"num_frames": 81, **NAMED, "negative_prompt": ["snow"]},
     {"prompt": "a fox", "num_frames": 81, **BODY}, MP4),
    ("image-to-image", [PNG, "a drawing"], {"strength": 0.5, "guess_mode": True, "target_size": SIZE, **NAMED},
     {**IMAGES, "prompt": "a drawing", "strength": 0.5, "guess_mode": True, **SIZE, **BODY}, WEBP),
    ("image-to-image", [PNG], {}, IMAGES, WEBP),
    ("text-to-speech", ["hello"], {"voice": "af", "speed": 1.5, "response_format": "wav", **SAID},
     {"text": "hello", "voice": "af", "speed": 1.5, "response_format": "wav", "max_new_tokens": 50, "speaker": "x",
      "go_fast": True}, WAV),
]  # fmt: skip


def said(status: str, output: Any = None, error: Any = None, **more: Any) -> dict[str, Any]:
    """What Replicate says of a prediction."""
    urls = {name: f"{DIRECT}{GET}{tail}" for name, tail in (("get", ""), ("cancel", "/cancel"))}
    return {
        "id": "p1",
        "input": {},
        "logs": "",
        "output": output,
        "error": error,
        "status": status,
        "urls": urls,
        **more,
    }


def keys(requests: list[httpx.Request]) -> list[tuple[str | None, str | None]]:
    """The key that each request carried, and what it prefers."""
    return [(request.headers.get("authorization"), request.headers.get("prefer")) for request in requests]


@SIDES
@pytest.mark.parametrize("output", [FILE, [FILE], [FILE, "https://replicate.delivery/xezq/out-1.webp"]])
@pytest.mark.parametrize(("task", "given", "named", "body", "data"), CALLS)
def test_takes_what_is_made_at_once(
    world: Make, key: str, base: str, output: Any, task: str, given: list[Any], named: dict[str, Any], body: Any,
    data: bytes,
) -> None:  # fmt: skip
    answer = httpx.Response(201, json=said("processing", output))
    there = world("replicate", task, SERVED, answer, httpx.Response(200, content=data))
    assert getattr(there.client(key), task.replace("-", "_"))(*given, **named).data == data
    assert there.sent == [("POST", base + ROUTE), ("GET", FILE)]
    assert keys(there.requests) == [(f"Bearer {key}", "wait"), (None, None)]
    assert there.body == {"input": body}


@SIDES
def test_asks_after_what_takes_longer(world: Make, key: str, base: str) -> None:
    begun, done = httpx.Response(202, json=said("starting")), said("succeeded", FILE)
    there = world(
        "replicate", "text-to-speech", SERVED, begun, said("processing"), done, httpx.Response(200, content=WAV)
    )
    seen: list[Any] = []
    found = there.client(key, on_progress=seen.append).text_to_speech("hello")
    assert (found.data, found.mime_type) == (WAV, "audio/wav")
    assert there.sent == [("POST", base + ROUTE), ("GET", base + GET), ("GET", base + GET), ("GET", FILE)]
    assert [key for key, _ in keys(there.requests)] == [f"Bearer {key}"] * 3 + [None]
    cancel = ("POST", f"{base}{GET}/cancel")
    states = [(one.id, one.state, one.job.cancel) for one in seen]
    assert states == [("p1", "starting", cancel), ("p1", "processing", cancel)]


@SIDES
def test_a_version_goes_into_the_request(world: Make, key: str, base: str) -> None:
    there = world("replicate", "text-to-image", "stability-ai/sdxl:7762fd07", said("succeeded", [PNG_URI]))
    assert there.client(key).text_to_image("a fox").data == PNG
    assert there.sent == [("POST", f"{base}/v1/predictions")]
    assert there.body == {"input": {"prompt": "a fox"}, "version": "7762fd07"}


def test_draws_with_lora_weights(world: Make) -> None:
    weights = {"adapter": "lora", "adapterWeightsPath": "x.safetensors"}
    there = world("replicate", "text-to-image", SERVED, said("succeeded", PNG_URI), **weights)
    there.client().text_to_image("a fox")
    assert there.body == {"input": {"prompt": "a fox", "lora_weights": f"https://huggingface.co/{MODEL}"}}


async def test_makes_a_film_with_the_asynchronous_client(world: Make) -> None:
    answers = [said("starting"), said("succeeded", FILE), httpx.Response(200, content=MP4)]
    there = world("replicate", "text-to-video", SERVED, *answers)
    assert (await there.aclient().text_to_video("a fox")).data == MP4
    assert there.sent == [("POST", ROUTED + ROUTE), ("GET", ROUTED + GET), ("GET", FILE)]


SEGMENTS = {"segments": [{"text": "hi", "start": 0.0, "end": 1.5}]}


@SIDES
@pytest.mark.parametrize(
    ("output", "chunks"),
    [
        ("hi", []),
        (["h", "i"], []),
        ({"text": "hi", "chunks": [{"text": "hi", "timestamp": [0.0, 1.5]}]}, [("hi", (0.0, 1.5))]),
        ({"transcription": "hi", "translation": None, **SEGMENTS}, [("hi", (0.0, 1.5))]),
        ([{"translation": "hi", "transcription": None}], []),
    ],
)
def test_writes_down_a_sound(world: Make, key: str, base: str, output: Any, chunks: Any) -> None:
    there = world("replicate", "automatic-speech-recognition", SERVED, said("succeeded", output))
    found = there.client(key).automatic_speech_recognition(
        WAV, return_timestamps=True, generation_parameters={"language": "en"}, extra_body={"batch_size": 24}
    )
    assert found.text == "hi"
    assert [(chunk.text, chunk.timestamp) for chunk in found.chunks] == chunks
    assert there.sent == [("POST", base + ROUTE)]
    sound = "data:audio/wav;base64," + base64.b64encode(WAV).decode()
    assert there.body == {
        "input": {"audio": sound, "return_timestamps": True, "language": "en", "batch_size": 24},
    }  # fmt: skip


def test_reads_a_text_that_is_in_a_file(world: Make) -> None:
    output, text = {"txt_file": FILE}, httpx.Response(200, text="häi", headers={"content-type": "text/plain"})
    there = world("replicate", "automatic-speech-recognition", SERVED, said("succeeded", output), text)
    assert there.client().automatic_speech_recognition(WAV).text == "häi"
    assert there.sent[1:] == [("GET", FILE)]


@pytest.mark.parametrize(("early", "asked"), [(["h"], 2), ("hi", 1)])
def test_a_list_of_texts_is_awaited_to_its_end(world: Make, early: Any, asked: int) -> None:
    answers = [said("processing", early), said("succeeded", ["h", "i"])]
    there = world("replicate", "automatic-speech-recognition", SERVED, *answers)
    assert there.client().automatic_speech_recognition(WAV).text == "hi"
    assert len(there.requests) == asked


def test_refuses_several_negative_prompts(world: Make) -> None:
    there = world("replicate", "text-to-video", SERVED, said("starting"))
    with pytest.raises(InputError) as caught:
        there.client().text_to_video("a fox", negative_prompt=["a", "b"])
    assert caught.value.message == "text_to_video: replicate cannot carry several texts in `negative_prompt`"
    assert caught.value.hint == "Put them into one text"
    assert there.requests == []


PROBLEM = {"detail": "- input: text is required\n", "status": 422, "title": "Input validation failed"}
ELSEWHERE = {"urls": {"get": "https://evil.example/p1"}}


WRONG: list[tuple[str, list[Any], type[Exception], str]] = [
    ("text-to-image", [httpx.Response(422, json=PROBLEM)], InvalidRequest, "422 - input: text is required"),
    ("text-to-image", [said("succeeded")], ShapeError, "no URL at `output`"),
    ("text-to-image", [said("succeeded", [])], ShapeError, "no URL at `output`"),
    ("text-to-image", [said("succeeded", [{}])], ShapeError, "no URL at `output`"),
    ("text-to-image", [{"id": "p1", "status": "starting"}], ShapeError, "no URL at `urls.get`"),
    ("text-to-image", [said("starting", **ELSEWHERE)], ShapeError, "https://evil.example/p1 is none of its own"),
    ("text-to-image", [said("failed")], JobFailed, "ended in the state 'failed'"),
    ("text-to-image", [said("starting"), said("canceled")], JobFailed, "ended in the state 'canceled'"),
    ("text-to-image", [said("starting"), said("aborted")], JobFailed, "ended in the state 'aborted'"),
    ("text-to-image", [{"output": FILE}], JobFailed, "ended in the state None"),
    ("automatic-speech-recognition", [said("succeeded")], ShapeError, "no text at `output`"),
    ("automatic-speech-recognition", [said("succeeded", [])], ShapeError, "no text at `output`"),
    ("automatic-speech-recognition", [said("succeeded", {"text": 1})], ShapeError, "no text at `output`"),
    ("automatic-speech-recognition", [said("succeeded", {"txt_file": 1})], ShapeError, "no URL at `txt_file`"),
]


@pytest.mark.parametrize(("task", "answers", "error", "what"), WRONG)
def test_says_what_went_wrong(world: Make, task: str, answers: list[Any], error: type[Exception], what: str) -> None:
    there = world("replicate", task, SERVED, *answers)
    with pytest.raises(error) as caught:
        getattr(there.client(max_retries=0), task.replace("-", "_"))(WAV if task.startswith("auto") else "a fox")
    assert type(caught.value) is error
    assert what in str(caught.value)
    assert [request.url.host for request in there.requests] == ["router.huggingface.co"] * len(answers)


def test_a_failed_prediction_says_why(world: Make) -> None:
    failed = said("failed", error="NSFW content detected")
    there = world("replicate", "text-to-image", SERVED, said("starting"), failed)
    with pytest.raises(JobFailed) as caught:
        there.client().text_to_image("a fox")
    assert caught.value.message == "the provider's job ended in the state 'failed': NSFW content detected"
    assert (caught.value.state, caught.value.handle.id) == ("failed", "p1")
    with pytest.raises(JobFailed, match="ended in the state 'failed': NSFW content detected"):
        PROVIDER.own["text-to-image"].read(failed, Target("replicate", SERVED, MODEL, ROUTED))
