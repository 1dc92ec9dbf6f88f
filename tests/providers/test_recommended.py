"""A task that several providers have, without a model: the Hub recommends one, and says who serves it."""

from __future__ import annotations

import httpx
import pytest

from hf_tools import HfInference
from hf_tools.errors import InputError
from tests import hub

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def test_the_recommended_model_is_mapped() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if request.url.path == "/api/tasks":
            return httpx.Response(200, json={"text-to-image": {"widgetModels": ["org/painter"]}})
        if hub.asked(request):
            return hub.answer(request)
        return httpx.Response(200, content=PNG, headers={"content-type": "image/png"})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        assert HfInference(False, http_client=http).text_to_image("a fox").data == PNG
    assert asked == [
        "https://huggingface.co/api/tasks",
        "https://huggingface.co/api/models/org/painter?expand[]=inferenceProviderMapping",
        "https://router.huggingface.co/hf-inference/models/org/painter",
    ]


def test_a_task_that_hf_inference_does_not_have_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(InputError, match="hf-inference cannot carry this task"):
        HfInference(False, provider="hf-inference").text_to_video("a fox")
