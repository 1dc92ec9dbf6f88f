"""The routes of Hugging Face's own api-inference-community around real MiniLM pipelines.

    python tests/live/community_server.py      prints its URL and serves until its standard input ends

POST /models/<task> for feature-extraction, sentence-similarity and zero-shot-classification. What is checked in a
request, and what an error looks like, is theirs; only the pipelines that they call are ours.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from api_inference_community.routes import pipeline_route
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hf_tools.local.answers import ANSWERS, Refused, answer
from hf_tools.local.embed import Embedder
from hf_tools.local.weights import MINILM

SERVED = ("feature-extraction", "sentence-similarity", "zero-shot-classification")


def pipeline(task: str, embedder: Embedder) -> Callable[..., Any]:
    """A pipeline as the routes call it: inputs, and the parameters as keywords; ValueError for what it refuses."""
    assert task in ANSWERS

    def run(inputs: Any, **parameters: Any) -> Any:
        try:
            return answer(task, MINILM.model, {"inputs": inputs, "parameters": parameters}, embedder)
        except Refused as error:
            raise ValueError(error.message) from error

    return run


def application() -> Starlette:
    """The server: the task is in the path, where their images have one task each, in an environment variable."""
    embedder = Embedder()
    pipelines = {task: pipeline(task, embedder) for task in SERVED}
    turn = asyncio.Lock()

    async def model(request: Request) -> Response:
        async with turn:
            os.environ["TASK"] = request.path_params["task"]
            response: Response = await pipeline_route(request)
            return response

    app: Any = Starlette(routes=[Route("/models/{task}", model, methods=["POST"])])
    app.get_pipeline = lambda: pipelines[os.environ["TASK"]]
    return app  # type: ignore[no-any-return]


def main() -> None:
    """Serve on a free port of the loopback interface."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(), log_level="critical"))

    def wait() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=wait, daemon=True).start()
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    server.run(sockets=[listening])


if __name__ == "__main__":
    main()
