"""The embedding engine: all-MiniLM-L6-v2 through onnxruntime, as sentence-transformers computes it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hf_tools.errors import LocalBackendError, MissingExtra
from hf_tools.local.weights import INSTALL_COMMAND, LIST_COMMAND, MINILM, locate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

MAX_TOKENS = 256
BATCH = 32
BATCH_TOKENS = 1024
"""Padding included: 32 texts of 256 tokens at once take 750 MB more than four do, and are slower."""
VOCABULARY = Path(__file__).with_name("vocab.txt")
Side = Literal["left", "right"]


def package(name: str, install: str = INSTALL_COMMAND) -> Any:
    """Import an optional package; raises MissingExtra with the command that installs it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtra(f"The embedded backend needs {name}: {install}") from error


def quiet_runtime(install: str = INSTALL_COMMAND) -> Any:
    """Import onnxruntime with its telemetry off.

    From 1.31 on it reports to Microsoft unless told otherwise before its import; this backend uses no network. The
    thread that reports also makes a forked child hang at its exit.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    runtime = package("onnxruntime", install)
    runtime.disable_telemetry_events()  # for those who had imported it before us
    return runtime


class Embedder:
    """Turns texts into vectors of 384 numbers; safe to call from several threads at once."""

    def __init__(self) -> None:
        self._numpy = package("numpy")
        runtime, tokenizers = quiet_runtime(), package("tokenizers")
        options = runtime.SessionOptions()
        # More threads than free cores make it slower: they wait for one another by spinning.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        path = locate(MINILM)
        try:
            self._session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise LocalBackendError(
                f"onnxruntime cannot load {path.name}: {type(error).__name__}",
                model=MINILM.model,
                hint=f"`{LIST_COMMAND}` says which file that is",
            ) from error
        self._inputs = {entry.name for entry in self._session.get_inputs()}
        vocabulary = tokenizers.models.WordPiece.read_file(str(VOCABULARY))
        self._tokenizer = tokenizers.BertWordPieceTokenizer(vocabulary, lowercase=True)
        self._begin, self._end = (self._tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))

    def embed(self, texts: Sequence[str], *, normalize: bool = True, keep: Side = "left") -> Vectors:
        """One row of 384 numbers for each text, in order; of length 1 if `normalize`.

        A text longer than 256 tokens is cut without a word, as sentence-transformers does; `keep` names the end that
        stays.
        """
        np = self._numpy
        tokens = [self._tokens(text, keep) for text in texts]
        result: Vectors = np.empty((len(tokens), 384), np.float32)
        # Longest first, so that texts of like length share a batch and little padding is computed.
        order = sorted(range(len(tokens)), key=lambda index: -len(tokens[index]))
        while order:
            size = min(BATCH, BATCH_TOKENS // len(tokens[order[0]]))
            chosen, order = order[:size], order[size:]
            result[chosen] = self._pooled([tokens[index] for index in chosen])
        if normalize:
            result /= np.maximum(np.linalg.norm(result, axis=1, keepdims=True), 1e-12)
        return result

    def _tokens(self, text: str, keep: Side) -> list[int]:
        # One text at a time: encode_batch starts a thread pool, which complains after a fork.
        found: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        room = MAX_TOKENS - 2
        if len(found) > room:
            found = found[:room] if keep == "left" else found[-room:]
        return [self._begin, *found, self._end]

    def _pooled(self, batch: list[list[int]]) -> Vectors:
        np = self._numpy
        width = max(map(len, batch))
        mask = np.array([[1] * len(row) + [0] * (width - len(row)) for row in batch], np.int64)
        feed = {
            "input_ids": np.array([row + [0] * (width - len(row)) for row in batch], np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        (states, *_) = self._session.run(None, {name: feed[name] for name in self._inputs})
        weight = mask[..., None].astype(np.float32)
        pooled: Vectors = (states * weight).sum(1) / weight.sum(1)
        return pooled

    def stop(self) -> None:
        """Nothing to end: the memory goes with the last reference, after the last computation."""

    def abandon(self) -> None:
        """Nothing to let go of."""
