"""The routes of Hugging Face's own api-inference-community around real MiniLM pipelines.

    python tests/live/community_server.py PORT      serves until its standard input ends

POST /models/<task> for feature-extraction, sentence-similarity and zero-shot-classification. What is checked in a
request, and what an error looks like, is theirs; only the pipelines that they call are ours.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import uvicorn
from api_inference_community import routes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

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
    turn, theirs = asyncio.Lock(), cast("Any", routes)

    async def model(request: Request) -> Response:
        async with turn:
            os.environ["TASK"] = request.path_params["task"]
            response: Response = await theirs.pipeline_route(request)
            return response

    app: Any = Starlette(routes=[Route("/", theirs.status_ok), Route("/models/{task}", model, methods=["POST"])])
    app.get_pipeline = lambda: pipelines[os.environ["TASK"]]
    return app  # type: ignore[no-any-return]


def main(port: int) -> None:
    """Serve on the loopback interface."""
    server = uvicorn.Server(uvicorn.Config(application(), host="127.0.0.1", port=port, log_level="critical"))

    def wait() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=wait, daemon=True).start()
    server.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
