"""The embedded backend: real models inside this process, no token and no network.

`transport()` and `async_transport()` are httpx transports that answer as Hugging Face's servers do. They need
`pip install 'hf-tools[local]'` and, for chat, `python -m hf_tools local pull` once; speech recognition needs
`hf-tools[local-audio]`, text in pictures `hf-tools[local-vision]`. Nothing optional is imported before the first
request.

Chat calls tools, one at a time: `required` and a named tool always, `auto` where a tool is near enough to what the user
said last, and after the tool's result it answers in text. What is copied into the arguments comes from the user's own
words, so a tool gets no value that the user did not say unless there is nothing to copy. JSON schemas are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hf_tools.local.weights import MINILM, MODELS, PPOCR, SMOLLM2, WHISPER

if TYPE_CHECKING:
    from hf_tools.local.transports import AsyncLocalTransport, LocalTransport

CHAT_MODEL: Final = SMOLLM2.model
EMBEDDING_MODEL: Final = MINILM.model
SPEECH_MODEL: Final = WHISPER.model
OCR_MODEL: Final = PPOCR.model
TASKS: Final[dict[str, str]] = {task: weights.model for weights in MODELS for task in weights.tasks}
"""Each task that the backend has, and the id of the model that does it."""

__all__ = ["CHAT_MODEL", "EMBEDDING_MODEL", "OCR_MODEL", "SPEECH_MODEL", "TASKS", "async_transport", "transport"]


def transport() -> LocalTransport:
    """A transport for an httpx.Client; its engines load on first use and stop with the last close of all."""
    from hf_tools.local.transports import LocalTransport

    return LocalTransport()


def async_transport() -> AsyncLocalTransport:
    """A transport for an httpx.AsyncClient; its engines load on first use and stop with the last close of all."""
    from hf_tools.local.transports import AsyncLocalTransport

    return AsyncLocalTransport()
