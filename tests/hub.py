"""The Hub of tests whose subject is another one: hf-inference serves every model for every task."""

from __future__ import annotations

import httpx

from hf_tools.choice import ELSEWHERE


def asked(request: httpx.Request) -> bool:
    """The request asks the Hub who serves a model."""
    return request.url.host == "huggingface.co" and request.url.path.startswith("/api/models/")


def answer(request: httpx.Request) -> httpx.Response:
    """hf-inference, live, whatever the task."""
    model = request.url.path.removeprefix("/api/models/")
    entries = [
        {"provider": "hf-inference", "providerId": model, "status": "live", "task": task} for task in sorted(ELSEWHERE)
    ]
    return httpx.Response(200, json={"id": model, "inferenceProviderMapping": entries})
