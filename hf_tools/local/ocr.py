"""Text in pictures: PP-OCRv6 through RapidOCR and onnxruntime, in the answers' form of hf-inference."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from hf_tools.errors import LocalBackendError
from hf_tools.local.answers import Refused, known, serves
from hf_tools.local.embed import package, quiet_runtime
from hf_tools.local.picture import decoded
from hf_tools.local.senses import Received
from hf_tools.local.weights import LIST_COMMAND, PPOCR, locate

if TYPE_CHECKING:
    from pathlib import Path

    from hf_tools.local.picture import Points

TASK = "image-to-text"
SURE = 0.5
"""The least confidence, of 1, with which a piece of text is told: RapidOCR's own; clear print has 0.95 and more."""


class Piece(NamedTuple):
    """A piece of text and the box around it, in pixels."""

    text: str
    left: float
    top: float
    bottom: float

    @property
    def middle(self) -> float:
        """The height at which it stands."""
        return (self.top + self.bottom) / 2


class Reader:
    """Reads the text in pictures; safe to call from several threads, which wait for one another."""

    def __init__(self) -> None:
        runtime = quiet_runtime(PPOCR.install)
        rapidocr = package("rapidocr", PPOCR.install)
        reader, (finder, turner) = locate(PPOCR), (companion.filename for companion in PPOCR.companions)
        paths = {"Rec": reader, "Det": reader.with_name(finder), "Cls": reader.with_name(turner)}
        for path in paths.values():
            _loadable(runtime, path, "character" if path == reader else "")
        # A model with a path is never looked for elsewhere, nor are the characters that are written in it.
        settings = {f"{part}.model_path": str(path) for part, path in paths.items()}
        threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
        others = {"Global.log_level": "critical", "Global.text_score": SURE}
        self._engine = rapidocr.RapidOCR(params={**settings, **threads, **others})
        self._lock = threading.Lock()

    def read(self, points: Points) -> list[str]:
        """The lines of text from top to bottom; what stands side by side is one line, with a space between."""
        with self._lock:
            found = self._engine(points)
        if found.boxes is None or found.txts is None:
            return []
        corners = ((text, box[:, 0], box[:, 1]) for text, box in zip(found.txts, found.boxes, strict=True))
        return lines(Piece(text.strip(), float(x.min()), float(y.min()), float(y.max())) for text, x, y in corners)

    def stop(self) -> None:
        """Nothing to end: the memory goes with the last reference, after the last computation."""

    def abandon(self) -> None:
        """Nothing to let go of."""


def _loadable(runtime: Any, path: Path, key: str) -> None:
    # RapidOCR loads its models at the first picture, and fetches a list of characters for one that has none.
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    hint = f"`{LIST_COMMAND}` says which file that is"
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        message = f"onnxruntime cannot load {path.name}: {type(error).__name__}"
        raise LocalBackendError(message, model=PPOCR.model, hint=hint) from error
    if key and key not in session.get_modelmeta().custom_metadata_map:
        raise LocalBackendError(f"{path.name} does not hold the characters it writes", model=PPOCR.model, hint=hint)


def lines(pieces: Iterable[Piece]) -> list[str]:
    """Put pieces into lines: those whose middles lie within the height of the line's first, from left to right."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.middle):
        if rows and piece.middle < rows[-1][0].bottom and piece.top < rows[-1][0].middle:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [" ".join(piece.text for piece in sorted(row, key=lambda piece: piece.left)) for row in rows]


def checked(model: str, body: Received) -> Callable[[Reader], Any]:
    """Check a request before the engine is loaded; the result computes its answer. Both raise Refused."""
    serves(PPOCR, model)
    if "max_new_tokens" in body.parameters:
        raise Refused(422, f"max_new_tokens: {PPOCR.model} reads all the text there is, and writes no tokens")
    known(body.parameters)
    return lambda reader: [{"generated_text": "\n".join(reader.read(decoded(body.data)))}]
