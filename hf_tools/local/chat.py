"""The chat engine: SmolLM2-135M-Instruct behind llama.cpp's own HTTP server, in a process of its own.

In this process the library would end badly: after a fork its exit handler waits for threads that only the parent has,
and stopping a second server aborts. A process of its own also gives all its memory back when it stops.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from hf_tools.errors import ConfigurationError, LocalBackendError, MissingExtra
from hf_tools.local.weights import INSTALL_COMMAND, LIST_COMMAND, SMOLLM2, locate

THREADS = "HF_TOOLS_LOCAL_THREADS"
PROGRAM = Path(__file__).with_name("serve.py")

# ChatML as the model was trained on it, but with an empty system message where the model's own template puts "You are
# a helpful AI assistant named SmolLM": with that sentence this 4-bit file answered 12 of 20 plain questions right,
# without it 16.
TEMPLATE = (
    "{% if not messages or messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\n<|im_end|>\\n' }}{% endif %}"
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + (message['content'] or '') + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
SETTINGS: dict[str, Any] = {
    "name": SMOLLM2.model,
    "template": TEMPLATE,
    "context": 4096,  # tokens of one conversation, prompt and answer together
    "parallel": 2,  # answers written at the same time; more wait their turn
    "http_threads": 16,  # connections read at the same time; more wait in the server's queue
    "prompt_cache": 32,  # MiB for remembered prompts
    "temperature": 0.2,  # this and top_p: the model card's own, where a request names none
    "top_p": 0.9,
}


def threads() -> int:
    """Threads that compute: HF_TOOLS_LOCAL_THREADS, else 1. More threads than free cores are slower than one."""
    text = os.environ.get(THREADS) or "1"
    if not text.isdecimal() or not 1 <= int(text) <= 512:
        message = f"{THREADS} is {text!r}, not a number from 1 to 512"
        raise ConfigurationError(message, hint=f"Correct or unset {THREADS}")
    return int(text)


class ChatServer:
    """A running server at `address`, on a free port of 127.0.0.1; it answers only to the bearer of `key`."""

    def __init__(self) -> None:
        if importlib.util.find_spec("xllamacpp") is None:
            raise MissingExtra(f"The embedded backend needs xllamacpp: {INSTALL_COMMAND}", model=SMOLLM2.model)
        path = locate(SMOLLM2)
        self.key = secrets.token_urlsafe(32)
        settings = SETTINGS | {"path": sys.path, "file": str(path), "key": self.key, "threads": threads()}
        self._process = _start()
        try:
            self.address = _greet(self._process, settings, path.name)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server and free its memory; answers that are being written break off."""
        self._process.kill()
        self._process.wait()
        self.abandon()

    def abandon(self) -> None:
        """Let go of the pipes without stopping the server."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                _close(pipe)


def _start() -> subprocess.Popen[bytes]:
    # -P: the program's own folder is not for its imports. What llama.cpp says on stderr is not for the user.
    if getattr(sys, "frozen", False) or not sys.executable:
        raise LocalBackendError("The chat engine needs a Python to run, and this program has none", model=SMOLLM2.model)
    command = [sys.executable, "-P", str(PROGRAM)]
    try:
        return subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows: no console beside a window
        )
    except OSError as error:
        message = f"The chat engine's process cannot be started: {error.strerror or type(error).__name__}"
        raise LocalBackendError(message, model=SMOLLM2.model) from error


def _greet(process: subprocess.Popen[bytes], settings: dict[str, Any], filename: str) -> str:
    # Through the pipe, not the command line: there everyone on the machine could read the key.
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(settings).encode() + b"\n")
        reply: dict[str, str] = json.loads(process.stdout.readline())
    except (OSError, ValueError) as error:
        raise LocalBackendError("The chat engine's process ended at its start", model=SMOLLM2.model) from error
    if "missing" in reply:
        message = f"The embedded backend cannot import xllamacpp ({reply['missing']}): {INSTALL_COMMAND}"
        raise MissingExtra(message, model=SMOLLM2.model)
    if "error" in reply:
        hint = f"`{LIST_COMMAND}` says which file that is"
        raise LocalBackendError(f"llama.cpp cannot load {filename}", model=SMOLLM2.model, hint=hint)
    return reply["address"]


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(OSError):  # the process at the other end is gone
        pipe.close()
