"""Z.ai's own forms: pictures and the text in pictures, by the router and with a key of Z.ai."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from hf_tools.errors import InputError, InvalidRequest, JobFailed, NotFound, ReportedError, ShapeError
from hf_tools.providers.dialects import Job, Target
from hf_tools.providers.zai_org import PROVIDER
from hf_tools.task import Reply
from tests.providers.conftest import HF_KEY, OWN_KEY, Make

ROUTED = "https://router.huggingface.co/zai-org"
DIRECT = "https://api.z.ai"
SIDES = pytest.mark.parametrize(("key", "base"), [(HF_KEY, ROUTED), (OWN_KEY, DIRECT)], ids=["routed", "direct"])
PNG = b"\x89PNG\r\n\x1a\n\x00\x00"
PNG_URI = "data:image/png;base64," + base64.b64encode(PNG).decode()
FILE = "https://files.example/fox.png?signature=1"
BEGUN = {"model": "glm-image", "id": "i1", "request_id": "r1", "task_status": "PROCESSING"}
FINISHED = {**BEGUN, "task_status": "SUCCESS", "image_result": [{"url": FILE}]}


def marks(request: httpx.Request) -> tuple[str | None, str | None, str | None]:
    """The headers that tell Z.ai who asks, and where the request comes from."""
    names = ("authorization", "x-source-channel", "accept-language")
    found = [request.headers.get(name) for name in names]
    return found[0], found[1], found[2]


@SIDES
def test_draws_a_picture_and_waits_for_it(world: Make, key: str, base: str, no_waiting: list[float]) -> None:
    answers = [BEGUN, BEGUN, FINISHED, httpx.Response(200, content=PNG)]
    there = world("zai-org", "text-to-image", "glm-image", *answers)
    seen: list[Any] = []
    image = there.client(key, on_progress=seen.append).text_to_image(
        "a fox", width=1280, height=1024, extra_body={"quality": "hd"}
    )
    assert (image.data, image.mime_type) == (PNG, "image/png")
    poll = ("GET", f"{base}/api/paas/v4/async-result/i1")
    assert there.sent == [("POST", f"{base}/api/paas/v4/async/images/generations"), poll, poll, ("GET", FILE)]
    asked = (f"Bearer {key}", "hugging_face", "en-US,en")
    assert [marks(request) for request in there.requests] == [asked, asked, asked, (None, None, None)]
    assert [(handle.id, handle.state) for handle in seen] == [("i1", "processing"), ("i1", "processing")]
    assert no_waiting == pytest.approx([2.0, 2.4])
    assert there.body == {"model": "glm-image", "prompt": "a fox", "size": "1280x1024", "quality": "hd"}


@SIDES
def test_a_picture_that_comes_at_once(world: Make, key: str, base: str) -> None:
    there = world("zai-org", "text-to-image", "glm-image", FINISHED, httpx.Response(200, content=PNG))
    assert there.client(key).text_to_image("a fox").data == PNG
    assert there.sent == [("POST", f"{base}/api/paas/v4/async/images/generations"), ("GET", FILE)]
    assert there.body == {"model": "glm-image", "prompt": "a fox"}


async def test_a_picture_with_the_asynchronous_client(world: Make) -> None:
    answers = [BEGUN, FINISHED, httpx.Response(200, content=PNG)]
    there = world("zai-org", "text-to-image", "glm-image", *answers)
    image = await there.aclient().text_to_image("a fox")
    assert image.data == PNG
    assert there.sent[1:] == [("GET", f"{ROUTED}/api/paas/v4/async-result/i1"), ("GET", FILE)]


@SIDES
def test_reads_the_text_in_a_picture(world: Make, key: str, base: str) -> None:
    answer: dict[str, Any] = {
        "id": "task_1",
        "model": "GLM-OCR",
        "md_results": "# Fox\nIt runs.",
        "layout_details": [[]],
    }
    there = world("zai-org", "image-to-text", "glm-ocr", answer)
    output = there.client(key).image_to_text(PNG, generation_parameters={"return_crop_images": True})
    assert output.generated_text == "# Fox\nIt runs."
    assert there.sent == [("POST", f"{base}/api/paas/v4/layout_parsing")]
    assert marks(there.requests[0]) == (f"Bearer {key}", "hugging_face", "en-US,en")
    assert there.body == {"model": "glm-ocr", "file": PNG_URI, "return_crop_images": True}


KNOWN = "It carries height, width; more goes into `extra_body`"
REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("text-to-image", {"negative_prompt": "snow"}, "`negative_prompt`", KNOWN),
    ("text-to-image", {"num_inference_steps": 9}, "`num_inference_steps`", KNOWN),
    ("text-to-image", {"guidance_scale": 3.5}, "`guidance_scale`", KNOWN),
    ("text-to-image", {"seed": 7}, "`seed`", KNOWN),
    ("text-to-image", {"scheduler": "ddim"}, "`scheduler`", KNOWN),
    ("text-to-image", {"width": 512}, "`width` alone", "Give both `width` and `height`"),
    ("text-to-image", {"height": 512}, "`height` alone", "Give both `width` and `height`"),
    ("image-to-text", {"max_new_tokens": 9}, "`max_new_tokens`", "Leave it out: the whole text is read"),
]


@pytest.mark.parametrize(("task", "given", "what", "instead"), REFUSED)
def test_refuses_what_zai_cannot_be_told(
    world: Make, task: str, given: dict[str, Any], what: str, instead: str
) -> None:
    there = world("zai-org", task, "glm", BEGUN)
    call = getattr(there.client(), task.replace("-", "_"))
    with pytest.raises(InputError) as caught:
        call(PNG if task.startswith("image") else "a fox", **given)
    assert caught.value.message == f"{task.replace('-', '_')}: zai-org cannot carry {what}"
    assert caught.value.hint == instead
    assert (caught.value.task, caught.value.model, there.requests) == (task, "org/model", [])


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize(
    ("status", "reason", "state"), [("FAIL", "'FAIL'", "fail"), ("REVOKED", "'REVOKED'", "revoked"), (None, "None", "")]
)
def test_a_failed_or_unknown_state_ends_the_job(
    world: Make, begun: bool, status: str | None, reason: str, state: str
) -> None:
    answers = [{**BEGUN, "task_status": status}]
    there = world("zai-org", "text-to-image", "glm-image", *([BEGUN] if begun else []), *answers)
    with pytest.raises(JobFailed) as caught:
        there.client(OWN_KEY).text_to_image("a fox")
    assert caught.value.message == f"the provider's job ended in the state {reason}"
    assert (caught.value.state, len(there.requests)) == (state, 2 if begun else 1)


@pytest.mark.parametrize("error", [{"code": "1301", "message": "no foxes"}, "no foxes"])
def test_a_failure_tells_why(error: Any) -> None:
    target = Target("zai-org", "glm-image", "org/model", ROUTED)
    reply = Reply(200, {}, b'{"id": "i1", "task_status": "PROCESSING"}')
    job = PROVIDER.own["text-to-image"].outcome(reply, target)
    assert isinstance(job, Job)
    with pytest.raises(JobFailed) as caught:
        job.read({"id": "i1", "task_status": "FAIL", "error": error})
    assert caught.value.message == "the provider's job ended in the state 'FAIL': no foxes"


WRONG: list[tuple[str, Any, type[Exception], str]] = [
    ("text-to-image", {"task_status": "PROCESSING"}, ShapeError, "id: Field required"),
    ("text-to-image", {"task_status": "PROCESSING", "id": "../x"}, ShapeError, "is none of its own"),
    ("text-to-image", {"task_status": "SUCCESS", "image_result": []}, ShapeError, "no URL at `image_result.url`"),
    ("text-to-image", {"task_status": "SUCCESS"}, ShapeError, "no URL at `image_result.url`"),
    ("text-to-image", {"error": {"code": "1113", "message": "no credit"}}, ReportedError, "no credit"),
    ("image-to-text", {"id": "task_1"}, ShapeError, "generated_text: Field required"),
    ("image-to-text", {"error": {"code": "1113", "message": "no credit"}}, ReportedError, "no credit"),
    ("image-to-text", httpx.Response(400, json={"error": {"message": "file"}}), InvalidRequest, "file"),
]


@pytest.mark.parametrize(("task", "answer", "error", "said"), WRONG)
def test_wrong_answers(world: Make, task: str, answer: Any, error: type[Exception], said: str) -> None:
    there = world("zai-org", task, "glm", answer)
    with pytest.raises(error, match=said):
        getattr(there.client(), task.replace("-", "_"))(PNG if task.startswith("image") else "a fox")
    assert len(there.requests) == 1


def test_a_status_that_is_an_error_ends_the_job(world: Make) -> None:
    gone = httpx.Response(404, json={"error": {"message": "no such task"}})
    there = world("zai-org", "text-to-image", "glm-image", {**BEGUN, "id": "i/1"}, gone)
    with pytest.raises(NotFound, match="no such task"):
        there.client().text_to_image("a fox")
    assert there.sent[1:] == [("GET", f"{ROUTED}/api/paas/v4/async-result/i%2F1")]
