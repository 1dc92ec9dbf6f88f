"""Speech recognition: Whisper tiny.en through CTranslate2, in the answers' form of hf-inference."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from hf_tools.errors import LocalBackendError
from hf_tools.local.answers import Refused, fields_of, known, serves
from hf_tools.local.embed import package, quiet_runtime
from hf_tools.local.senses import Received
from hf_tools.local.sound import decoded, pieces
from hf_tools.local.weights import LIST_COMMAND, WHISPER, locate

if TYPE_CHECKING:
    from hf_tools.local.sound import Sound

TASK = "automatic-speech-recognition"
GENERATION = ("generation_parameters", "generate_kwargs")
"""Names under which parameters of the text generation come together; they may also stand alone."""
TRIES = (0.0, 0.4, 0.8)
"""Temperatures, one after the other where the text repeats itself or is improbable; faster-whisper's six take long."""
LANGUAGES = ("en", "english", "<|en|>")


class Number(NamedTuple):
    """A parameter of the text generation: its name in faster-whisper, whether it is whole, and its limits."""

    name: str
    whole: bool
    lowest: float
    highest: float


NUMBERS: Mapping[str, Number] = {
    "num_beams": Number("beam_size", True, 1, 10),
    "temperature": Number("temperature", False, 0, 2),
    "max_new_tokens": Number("max_new_tokens", True, 1, 440),
    "length_penalty": Number("length_penalty", False, -2, 2),
    "repetition_penalty": Number("repetition_penalty", False, 0.1, 2),
    "no_repeat_ngram_size": Number("no_repeat_ngram_size", True, 0, 50),
}
"""max_new_tokens holds for each half minute: Whisper reads that much at once, and writes 448 tokens with its marks."""


class Said(NamedTuple):
    """A piece of speech: its text, with the space before it, and its start and end in seconds."""

    text: str
    start: float
    end: float


class Listener:
    """Writes down what is said; safe to call from several threads, which wait for one another."""

    def __init__(self) -> None:
        quiet_runtime(WHISPER.install)  # finds where speech is
        whisper = package("faster_whisper", WHISPER.install)
        path = locate(WHISPER)
        if path.name != WHISPER.filename:
            message = f"{WHISPER.variable} must name a file {WHISPER.filename}, not {path.name!r}"
            raise LocalBackendError(message, model=WHISPER.model, hint="CTranslate2 reads the folder that it is in")
        try:
            # A folder, so nothing is looked for on the Hub. More threads than free cores make it slower.
            self._model = whisper.WhisperModel(str(path.parent), device="cpu", compute_type="int8", cpu_threads=1)
        except Exception as error:
            raise LocalBackendError(
                f"CTranslate2 cannot load {path.name}: {type(error).__name__}",
                model=WHISPER.model,
                hint=f"`{LIST_COMMAND}` says which file that is",
            ) from error
        self._lock = threading.Lock()

    def listen(self, sound: Sound, *, words: bool = False, **options: Any) -> list[Said]:
        """What is said, in sentences or thereabouts, or in words; silence and noise give nothing."""
        with self._lock:
            return [said for begin, piece in pieces(sound) for said in self._heard(begin, piece, words, options)]

    def _heard(self, begin: float, piece: Sound, words: bool, options: Mapping[str, Any]) -> Iterator[Said]:
        # Without the filter, Whisper writes "you" and "Thank you" for silence; with its earlier text before its eyes,
        # it may go round in circles.
        always = {"language": "en", "vad_filter": True, "condition_on_previous_text": False}
        chosen = {**always, "temperature": TRIES, **options}
        segments, _ = self._model.transcribe(piece, word_timestamps=words, **chosen)
        for segment in segments:
            parts = [(word.word, word) for word in segment.words] if words else [(segment.text, segment)]
            for text, part in parts:
                yield Said(text, round(begin + float(part.start), 2), round(begin + float(part.end), 2))

    def stop(self) -> None:
        """Nothing to end: the memory goes with the last reference, after the last computation."""

    def abandon(self) -> None:
        """Keep the parent's model for ever: its end would wait for its threads, which a forked child does not have."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._model.model))


def checked(model: str, body: Received) -> Callable[[Listener], Any]:
    """Check a request before the engine is loaded; the result computes its answer. Both raise Refused."""
    serves(WHISPER, model)
    parameters = dict(body.parameters)
    timestamps = parameters.pop("return_timestamps", False)
    if timestamps not in (True, False, "word"):
        raise Refused(422, "return_timestamps: must be true, false or word; this backend has no times of characters")
    options = _options(parameters)

    def compute(listener: Listener) -> Any:
        found = listener.listen(decoded(body.data), words=timestamps == "word", **options)
        answer: dict[str, Any] = {"text": "".join(said.text for said in found).strip()}
        if timestamps:
            answer["chunks"] = [{"text": said.text, "timestamp": [said.start, said.end]} for said in found]
        return answer

    return compute


def _options(parameters: dict[str, Any]) -> dict[str, Any]:
    for name in GENERATION:
        parameters |= fields_of(parameters.pop(name, {}), name)
    known(parameters, *NUMBERS, "language", "task", "do_sample")
    language = parameters.get("language", "en")
    if not isinstance(language, str) or language.lower() not in LANGUAGES:
        raise Refused(422, f"language: {WHISPER.model} knows English only")
    if parameters.get("task", "transcribe") != "transcribe":
        raise Refused(422, f"task: {WHISPER.model} can transcribe only")
    if parameters.get("do_sample", False) is not False:
        raise Refused(422, "do_sample: must be false; a temperature above 0 samples")
    return {NUMBERS[name].name: _number(name, parameters[name]) for name in NUMBERS if name in parameters}


def _number(name: str, value: Any) -> float:
    limits = NUMBERS[name]
    right = isinstance(value, int if limits.whole else (int, float)) and not isinstance(value, bool)
    if not right or not limits.lowest <= value <= limits.highest:
        kind = "a whole number" if limits.whole else "a number"
        raise Refused(422, f"{name}: must be {kind} from {limits.lowest} to {limits.highest}")
    return cast(float, value)
