"""The models that the tools ask where nobody names one, each with where it is known from.

Every row is what a public page said on its date: that the provider serves the model, or, for the text, token and
image classifiers, that the model is recommended for the task (for hf-inference those pages show a reranker, a finder
of personal data and a filter of nudity, which no agent expects). Nothing here was called, and a provider may have
stopped serving a model since. Where there was a choice, it fell on general, small and freely licensed models; not all
are free for every use: read the model's card.

The pages of Hugging Face's documentation carry no date; theirs is the month of the newest models that they list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

DOCS = "https://huggingface.co/docs/inference-providers"
"""Where Hugging Face lists what its providers serve: a page for each provider and for each task."""
DOCS_DATE = "2026-08"
"""The month of what they say."""
_PULL = "https://github.com/huggingface/huggingface.js/pull"


class Served(NamedTuple):
    """One model that one provider serves for one task."""

    task: str
    """The method's name; `image_chat` is chat_completion with a model that sees pictures."""
    model: str
    """Its ID on the Hub."""
    provider: str
    """Who serves it; "auto" is the router of Hugging Face, which picks a provider itself (chat only)."""
    source: str
    """The page that says so."""
    date: str
    """When it said so: year and month, or the day."""


def _of_tasks(**models: str) -> Iterator[Served]:
    """What the page of each task says for hf-inference: the model by method."""
    for task, model in models.items():
        yield Served(task, model, "hf-inference", f"{DOCS}/tasks/{task.replace('_', '-')}", DOCS_DATE)


def _of(provider: str, page: str | None = None, **models: str) -> Iterator[Served]:
    """What a provider's page, or another one, says: the model by method."""
    source = f"{DOCS}/{page or f'providers/{provider}'}"
    return (Served(task, model, provider, source, DOCS_DATE) for task, model in models.items())


_GPT, _GLM, _DEEPSEEK = "openai/gpt-oss-120b", "zai-org/GLM-5.2", "deepseek-ai/DeepSeek-V4-Flash-0731"
_GEMMA, _QWEN, _MUSE = "google/gemma-4-31B-it", "Qwen/Qwen3.8-27B", "meta-models/Muse-Glimmer-30B"
_FLUX, _EDIT, _FILM = "black-forest-labs/FLUX.1-dev", "black-forest-labs/FLUX.2-dev", "Wan-AI/Wan2.2-TI2V-5B"
_WHISPER = "openai/whisper-large-v3"
_CHAT, _EYES = "tasks/chat-completion", "tasks/image-text-to-text"

MODELS: tuple[Served, ...] = (
    # the first row of a task is taken where the client picks the provider itself
    *_of_tasks(
        text_classification="distilbert/distilbert-base-uncased-finetuned-sst-2-english",
        token_classification="dslim/bert-base-NER",
        image_classification="google/vit-base-patch16-224",
        summarization="facebook/bart-large-cnn",
        zero_shot_classification="facebook/bart-large-mnli",
    ),
    *_of(
        "hf-inference",
        automatic_speech_recognition=_WHISPER,
        feature_extraction="microsoft/harrier-oss-v1-0.6b",
        fill_mask="google-bert/bert-base-uncased",
        image_segmentation="nvidia/segformer-b0-finetuned-ade-512-512",
        object_detection="facebook/detr-resnet-50",
        question_answering="deepset/roberta-base-squad2",
        table_question_answering="google/tapas-base-finetuned-wtq",
        translation="google-t5/t5-small",
    ),
    # the documentation has no page for this task; embeddings, which are the same models, are on it
    Served(
        "sentence_similarity", "sentence-transformers/all-MiniLM-L6-v2", "hf-inference", f"{_PULL}/1316", "2025-03-27"
    ),
    Served("text_to_speech", "hexgrad/Kokoro-82M", "replicate", f"{_PULL}/1153", "2025-02-04"),
    Served("text_to_speech", "nari-labs/Dia-1.6B", "fal-ai", f"{_PULL}/1385", "2025-04-25"),
    Served("text_to_audio", "stabilityai/stable-audio-open-1.0", "fal-ai", f"{_PULL}/2249", "2026-06-22"),
    *_of("auto", _CHAT, chat_completion=_GPT, conversational=_GPT, image_chat=_GEMMA),
    *_of("cerebras", chat_completion=_GPT, conversational=_GPT, image_chat=_GEMMA),
    *_of("groq", _CHAT, chat_completion=_GPT, conversational=_GPT),
    *_of("ovhcloud", _CHAT, chat_completion=_GPT, conversational=_GPT, image_chat="Qwen/Qwen3.6-27B"),
    *_of("novita", chat_completion=_DEEPSEEK, conversational=_DEEPSEEK, image_chat=_GEMMA),
    *_of("fireworks-ai", chat_completion=_DEEPSEEK, conversational=_DEEPSEEK),
    *_of("fireworks-ai", _EYES, image_chat=_MUSE),
    *_of("baseten", chat_completion=_DEEPSEEK, conversational=_DEEPSEEK, image_chat="moonshotai/Kimi-K3"),
    *_of("zai-org", chat_completion=_GLM, conversational=_GLM, image_chat="zai-org/GLM-4.6V-Flash"),
    *_of(
        "cohere",
        chat_completion="CohereLabs/aya-expanse-32b",
        conversational="CohereLabs/aya-expanse-32b",
        image_chat="CohereLabs/aya-vision-32b",
    ),
    *_of(
        "publicai",
        chat_completion="speakleash/Bielik-11B-v3.0-Instruct",
        conversational="speakleash/Bielik-11B-v3.0-Instruct",
        image_chat="swiss-ai/Apertus-v1.5-70B",
    ),
    *_of("featherless-ai", chat_completion=_GLM, conversational=_GLM, image_chat=_QWEN, text_generation=_GLM),
    *_of(
        "scaleway",
        chat_completion=_GLM,
        conversational=_GLM,
        image_chat="Qwen/Qwen3.6-35B-A3B",
        feature_extraction="Qwen/Qwen3-Embedding-8B",
    ),
    *_of("deepinfra", _EYES, image_chat=_QWEN),
    *_of(
        "deepinfra",
        automatic_speech_recognition=_WHISPER,
        chat_completion=_DEEPSEEK,
        conversational=_DEEPSEEK,
        feature_extraction="Qwen/Qwen3-Embedding-0.6B",
    ),
    *_of(
        "together",
        automatic_speech_recognition=_WHISPER,
        chat_completion=_DEEPSEEK,
        conversational=_DEEPSEEK,
        image_chat=_MUSE,
        feature_extraction="intfloat/multilingual-e5-large-instruct",
    ),
    # Apache 2.0, which the other providers' FLUX.1-dev is not
    *_of(
        "nscale",
        text_to_image="black-forest-labs/FLUX.1-schnell",
        chat_completion="meta-llama/Llama-3.1-8B-Instruct",
        conversational="meta-llama/Llama-3.1-8B-Instruct",
        image_chat="meta-llama/Llama-4-Scout-17B-16E-Instruct",
    ),
    *_of("hf-inference", text_to_image="stabilityai/stable-diffusion-3-medium-diffusers"),
    *_of(
        "fal-ai",
        automatic_speech_recognition=_WHISPER,
        image_segmentation="briaai/RMBG-2.0",  # finds what stands before the background, and only that
        image_to_image=_EDIT,
        text_to_image=_FLUX,
        text_to_video=_FILM,
    ),
    *_of(
        "replicate",
        automatic_speech_recognition=_WHISPER,
        image_to_image=_EDIT,
        text_to_image=_FLUX,
        text_to_video=_FILM,
    ),
    *_of("wavespeed", image_to_image=_EDIT, text_to_image=_FLUX),
    *_of("wavespeed", "tasks/text-to-video", text_to_video=_FILM),
)
"""The table; for each task the row that is preferred comes first, and a provider is in it once."""

_WITHOUT: tuple[str, ...] = (
    "audio_classification",  # on the page of hf-inference until July 2025
    "audio_to_audio",
    "depth_estimation",
    "document_question_answering",
    "image_text_to_image",
    "image_text_to_video",
    "image_to_text",
    "image_to_video",  # fal-ai, together and wavespeed have it, but no page says with which model
    "tabular_classification",
    "tabular_regression",
    "text_ranking",
    "video_classification",
    "visual_question_answering",
    "zero_shot_image_classification",
    "zero_shot_object_detection",
)


def _unserved(task: str) -> str:
    return (
        f"No inference provider is known to serve {task.replace('_', ' ')} ({DOCS}, {DOCS_DATE}): "
        f'give a model or an endpoint of your own with models={{"{task}": ...}}'
    )


UNSERVED: Mapping[str, str] = {task: _unserved(task) for task in _WITHOUT}
"""The tasks for which no page names a provider and a model, and what their tools say of it."""


def served(task: str, provider: str) -> Served | None:
    """The model for a client of this provider, or None where none is known; "auto" takes the preferred row of any."""
    rows = (row for row in MODELS if row.task == task)
    return next((row for row in rows if provider in ("auto", row.provider)), None)
