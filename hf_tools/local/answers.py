"""What the embedded backend answers: pure functions from a request's body to its answer, in the forms of the Hub.

The bodies are those of hf-inference and the inference toolkit; a body that neither would take is Refused with a
status and a sentence. A field whose value is null counts as absent, and one that is unknown here is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from hf_tools.local.formats import limited
from hf_tools.local.weights import MINILM, MODELS, SMOLLM2, Weights

if TYPE_CHECKING:
    from hf_tools.local.embed import Side, Vectors

Json = Mapping[str, Any]
SHARPNESS = 20.0
"""What a cosine is multiplied by before softmax or logistic: tried on 44 examples of topic, sentiment and intent."""
MIDPOINT = 0.1
"""The cosine that counts as undecided when each label is judged alone; unrelated texts lie around 0."""
PIPELINES = tuple(task for weights in MODELS if weights != SMOLLM2 for task in weights.tasks)
"""The tasks that are asked for by name, as opposed to the chat."""
ANSWER_TOKENS = 512
"""The longest answer where a request names no limit: without one, this model may repeat itself for minutes."""


class Refused(Exception):
    """A request that the backend does not answer: an HTTP status and what is wrong."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Embeds(Protocol):
    """The part of the embedding engine that the answers need."""

    def embed(self, texts: list[str], *, normalize: bool = True, keep: Side = "left") -> Vectors:
        """One row for each text."""
        ...


def answer(task: str, model: str, body: object, engine: Embeds) -> Any:
    """The JSON-able answer to one request of an embedding task; raises Refused."""
    return checked(task, model, body)(engine)


def checked(task: str, model: str, body: object) -> Callable[[Embeds], Any]:
    """Check a request before any engine is loaded; the result computes its answer. Raises Refused."""
    if task not in ANSWERS:
        raise Refused(404, f"The embedded backend has no task {task!r}; it has {', '.join(PIPELINES)}")
    serves(MINILM, model)
    if not isinstance(body, Mapping):
        raise Refused(400, "The body must be a JSON object")
    fields = {name: value for name, value in cast(Json, body).items() if value is not None}
    fields.pop("options", None)  # use_cache and wait_for_model mean nothing here
    return ANSWERS[task](fields)


def serves(weights: Weights, model: object) -> None:
    """Refuse a model that these weights are not; an empty name means the default."""
    if model is None or model == "" or (isinstance(model, str) and model.lower() in weights.names):
        return
    raise Refused(404, f"The embedded backend does not have {model!r}; for this task it has {weights.model}")


def chat_body(body: object) -> dict[str, Any]:
    """The request for llama.cpp's server, which ignores the model's name and sets no limit; raises Refused."""
    if not isinstance(body, Mapping):
        raise Refused(400, "The body must be a JSON object")
    fields = dict(cast(Json, body))
    serves(SMOLLM2, fields.get("model"))
    if _has_media(fields.get("messages")):
        raise Refused(422, f"{SMOLLM2.model} reads text only: a message holds another kind of content")
    if all(fields.get(name) is None for name in ("max_tokens", "max_completion_tokens", "n_predict")):
        fields["max_tokens"] = ANSWER_TOKENS
        if "response_format" in fields:
            fields["response_format"] = limited(fields["response_format"])
    return fields


def _has_media(messages: object) -> bool:
    contents = [message.get("content") for message in _dicts(messages)]
    return any(part.get("type") not in (None, "text") for content in contents for part in _dicts(content))


def _dicts(value: object) -> list[dict[str, Any]]:
    entries = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", entry) for entry in entries if isinstance(entry, dict)]


def _feature_extraction(fields: Json) -> Callable[[Embeds], Any]:
    texts = _texts(fields.get("inputs"), "inputs")
    options = {name: value for name, value in fields.items() if name not in ("inputs", "parameters")}
    options |= fields_of(fields.get("parameters", {}), "parameters")
    _no_prompt_or_size(options)
    known(options, "normalize", "truncate", "truncation_direction")
    normalize, keep = _flag(options, "normalize", True), _kept(options)

    def compute(engine: Embeds) -> Any:
        rows = _rows(engine.embed(texts, normalize=normalize, keep=keep))
        return rows[0] if isinstance(fields["inputs"], str) else rows

    return compute


def _no_prompt_or_size(options: dict[str, Any]) -> None:
    if options.get("prompt_name") is not None:
        raise Refused(422, f"prompt_name: {MINILM.model} has no prompts")
    if options.get("dimensions") not in (None, 384):
        raise Refused(422, f"dimensions: {MINILM.model} has 384 and was not trained to be cut to fewer")
    if options.get("encoding_format") not in (None, "float"):
        raise Refused(422, "encoding_format: only float here")
    for name in ("prompt_name", "dimensions", "encoding_format"):
        options.pop(name, None)


def _sentence_similarity(fields: Json) -> Callable[[Embeds], Any]:
    inputs = fields_of(fields.get("inputs"), "inputs")
    known(inputs, "source_sentence", "sentences")
    known(fields_of(fields.get("parameters", {}), "parameters"))
    source, sentences = _text(inputs, "source_sentence"), _list(inputs, "sentences")
    return lambda engine: _similarities(engine, source, sentences)


def _text_ranking(fields: Json) -> Callable[[Embeds], Any]:
    # A bi-encoder: the score is the cosine of two embeddings, not the logit of a model that reads both texts.
    inputs = fields_of(fields.get("inputs"), "inputs")
    known(inputs, "query", "texts", "return_documents")
    options = {**inputs, **fields_of(fields.get("parameters", {}), "parameters")}
    known(options, "query", "texts", "return_documents", "truncate", "truncation_direction")
    query, texts = _text(inputs, "query"), _list(inputs, "texts")
    with_text, keep = _flag(options, "return_documents", False), _kept(options)

    def compute(engine: Embeds) -> Any:
        scores = _similarities(engine, query, texts, keep)
        order = sorted(range(len(texts)), key=lambda index: -scores[index])
        return [
            {"index": index, "score": scores[index]} | ({"text": texts[index]} if with_text else {}) for index in order
        ]

    return compute


def _zero_shot(fields: Json) -> Callable[[Embeds], Any]:
    texts = _texts(fields.get("inputs"), "inputs")
    options = fields_of(fields.get("parameters", {}), "parameters")
    known(options, "candidate_labels", "hypothesis_template", "multi_label")
    labels, multi = _labels(options.get("candidate_labels")), _flag(options, "multi_label", False)
    template = options.get("hypothesis_template", "This example is {}.")
    if not isinstance(template, str) or "{}" not in template:
        raise Refused(422, "hypothesis_template: must be a text with {} where the label goes")
    hypotheses = [template.replace("{}", label) for label in labels]

    def compute(engine: Embeds) -> Any:
        cosines: list[list[float]] = (engine.embed(texts) @ engine.embed(hypotheses).T).tolist()
        found = [_classified(text, labels, row, multi) for text, row in zip(texts, cosines, strict=True)]
        return found[0] if isinstance(fields["inputs"], str) else found

    return compute


def _classified(text: str, labels: list[str], cosines: list[float], multi: bool) -> dict[str, Any]:
    # With multi_label each label stands alone: a logistic of its cosine, one half at MIDPOINT. Neither is an NLI
    # probability: no model was asked whether the text entails the label.
    if multi:
        scores = [1 / (1 + math.exp(-SHARPNESS * (cosine - MIDPOINT))) for cosine in cosines]
    else:
        weights = [math.exp(SHARPNESS * cosine) for cosine in cosines]
        scores = [weight / sum(weights) for weight in weights]
    order = sorted(range(len(labels)), key=lambda index: -scores[index])
    return {
        "sequence": text,
        "labels": [labels[index] for index in order],
        "scores": [scores[index] for index in order],
    }


ANSWERS: dict[str, Callable[[Json], Callable[[Embeds], Any]]] = {
    "feature-extraction": _feature_extraction,
    "sentence-similarity": _sentence_similarity,
    "text-ranking": _text_ranking,
    "zero-shot-classification": _zero_shot,
}


def _similarities(engine: Embeds, source: str, others: list[str], keep: Side = "left") -> list[float]:
    if not others:
        return []
    rows = engine.embed([source, *others], keep=keep)
    found: list[float] = (rows[1:] @ rows[0]).tolist()
    return found


def _rows(vectors: Vectors) -> list[list[float]]:
    # Eight decimals are more than the 32-bit numbers hold, and half the text of their exact decimal form.
    found: list[list[float]] = vectors.astype("float64").round(8).tolist()
    return found


def fields_of(value: object, name: str) -> dict[str, Any]:
    """The fields of an object that are not null; Refused for anything else."""
    if not isinstance(value, Mapping):
        raise Refused(400, f"{name}: must be an object")
    return {key: entry for key, entry in cast(Json, value).items() if entry is not None}


def known(fields: Json, *names: str) -> None:
    """Refuse fields with other names than these, by name."""
    if unknown := sorted(set(fields) - set(names)):
        raise Refused(422, f"The embedded backend does not know {', '.join(map(repr, unknown))} for this task")


def _text(fields: Json, name: str) -> str:
    if not isinstance(fields.get(name), str):
        raise Refused(400, f"{name}: must be a text")
    return cast(str, fields[name])


def _list(fields: Json, name: str) -> list[str]:
    if not isinstance(fields.get(name), list):
        raise Refused(400, f"{name}: must be a list of texts")
    return _texts(fields[name], name)


def _texts(value: object, name: str) -> list[str]:
    texts = cast("list[object]", value) if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        raise Refused(400, f"{name}: must be a text or a list of texts")
    return cast("list[str]", texts)


def _labels(value: object) -> list[str]:
    # A text is split at its commas, as transformers does; a list may hold labels with commas.
    labels = _texts(value.split(",") if isinstance(value, str) else value, "candidate_labels")
    labels = [label.strip() for label in labels if label.strip()]
    if not labels:
        raise Refused(400, "candidate_labels: must hold at least one label")
    return labels


def _flag(fields: Json, name: str, default: bool) -> bool:
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise Refused(422, f"{name}: must be true or false")
    return value


def _kept(fields: Json) -> Side:
    # The direction names the end that is cut; `truncate` changes nothing, the text is cut in any case.
    _flag(fields, "truncate", False)
    direction = fields.get("truncation_direction", "right")
    if not isinstance(direction, str) or direction.lower() not in ("left", "right"):
        raise Refused(422, "truncation_direction: must be left or right")
    return "left" if direction.lower() == "right" else "right"
