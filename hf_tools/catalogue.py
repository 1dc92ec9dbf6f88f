"""The catalogue: every task that there is, each once. Methods, tools, commands and pages are derived from it.

The classes are named in lambdas, so that a task's module is loaded when the task is first used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hf_tools import tasks
from hf_tools.methods import either, has_top_k, method, stream
from hf_tools.task import Task


class Catalogue:
    """The tasks as methods."""

    text_classification = either(
        lambda: tasks.classification.TextClassification, lambda: tasks.classification.TextClassificationBatch
    )
    token_classification = either(
        lambda: tasks.classification.TokenClassification, lambda: tasks.classification.TokenClassificationBatch
    )
    fill_mask = method(lambda: tasks.text.FillMask)
    summarization = method(lambda: tasks.text.Summarization)
    translation = either(lambda: tasks.text.Translation, lambda: tasks.text.TranslationBatch)
    question_answering = either(
        lambda: tasks.question.QuestionAnswering, lambda: tasks.question.QuestionAnsweringTop, has_top_k
    )
    table_question_answering = method(lambda: tasks.question.TableQuestionAnswering)
    zero_shot_classification = either(
        lambda: tasks.classification.ZeroShotClassification, lambda: tasks.classification.ZeroShotClassificationBatch
    )
    text_generation = method(lambda: tasks.generation.TextGeneration)
    text_generation_stream = stream(lambda: tasks.generation.TextGeneration)
    chat_completion = method(lambda: tasks.chat.ChatCompletion)
    chat_completion_stream = stream(lambda: tasks.chat.ChatCompletion)
    conversational = method(lambda: tasks.conversational.Conversational)
    feature_extraction = method(lambda: tasks.embedding.FeatureExtraction)
    sentence_similarity = either(
        lambda: tasks.embedding.SentenceSimilarity, lambda: tasks.embedding.SentenceSimilarityBatch
    )
    text_ranking = method(lambda: tasks.embedding.TextRanking)
    automatic_speech_recognition = method(lambda: tasks.audio.AutomaticSpeechRecognition)
    audio_classification = method(lambda: tasks.audio.AudioClassification)
    audio_to_audio = method(lambda: tasks.audio.AudioToAudio)
    text_to_speech = method(lambda: tasks.speech.TextToSpeech)
    text_to_audio = method(lambda: tasks.speech.TextToAudio)
    image_classification = method(lambda: tasks.image.ImageClassification)
    object_detection = method(lambda: tasks.image.ObjectDetection)
    image_segmentation = method(lambda: tasks.image.ImageSegmentation)
    image_to_text = method(lambda: tasks.image.ImageToText)
    image_to_image = method(lambda: tasks.image_generation.ImageToImage)
    text_to_image = method(lambda: tasks.image_generation.TextToImage)
    zero_shot_image_classification = method(lambda: tasks.image.ZeroShotImageClassification)
    zero_shot_object_detection = method(lambda: tasks.image.ZeroShotObjectDetection)
    depth_estimation = method(lambda: tasks.image.DepthEstimation)
    visual_question_answering = method(lambda: tasks.multimodal.VisualQuestionAnswering)
    document_question_answering = method(lambda: tasks.multimodal.DocumentQuestionAnswering)
    text_to_video = method(lambda: tasks.video.TextToVideo)
    image_to_video = method(lambda: tasks.video.ImageToVideo)
    video_classification = method(lambda: tasks.video.VideoClassification)
    image_text_to_image = method(lambda: tasks.image_generation.ImageTextToImage)
    image_text_to_video = method(lambda: tasks.video.ImageTextToVideo)
    tabular_classification = method(lambda: tasks.tabular.TabularClassification)
    tabular_regression = method(lambda: tasks.tabular.TabularRegression)
    request = method(lambda: tasks.raw.Request)
    streaming_request = stream(lambda: tasks.raw.Request)


def catalogue() -> Iterator[tuple[str, type[Task[Any]]]]:
    """Each task by the name of its method: the form that takes one input; `request` and streams left out."""
    found: dict[str, Any] = dict(vars(Catalogue))
    for name, value in found.items():
        if isinstance(value, method | either) and name != "request":
            yield name, value.task


def other_form(name: str) -> type[Task[Any]] | None:
    """The form of a task that takes or gives a list, where it has one."""
    value: Any = vars(Catalogue)[name]
    return value.other if isinstance(value, either) else None


def streams(name: str) -> bool:
    """The task can stream."""
    return f"{name}_stream" in vars(Catalogue)
