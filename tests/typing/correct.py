"""Correct use of the typed API: neither checker may say anything about this file. It is read, never run."""

import asyncio
from pathlib import Path
from typing import Any, assert_type

import httpx

from hf_tools import (
    AsyncHfInference,
    AsyncHfInferenceEndpoint,
    AsyncStream,
    Audio,
    HfError,
    HfInference,
    HfInferenceEndpoint,
    Image,
    Options,
    Response,
    Stream,
    Timeout,
    Video,
    errors,
)
from hf_tools.jobs import JobHandle
from hf_tools.mapping import Served
from hf_tools.tasks.audio import AudioToAudioOutput, AutomaticSpeechRecognition, AutomaticSpeechRecognitionOutput
from hf_tools.tasks.chat import ChatCompletion, ChatCompletionOutput, ChatMessage
from hf_tools.tasks.chat_stream import ChatChunk, ToolCallDelta
from hf_tools.tasks.classification import (
    TextClassificationBatch,
    TextClassificationOutput,
    TokenClassificationOutput,
    ZeroShotClassificationOutput,
)
from hf_tools.tasks.conversational import ConversationalOutput
from hf_tools.tasks.embedding import TextRankingOutput
from hf_tools.tasks.features import Features
from hf_tools.tasks.generation import TextGeneration, TextGenerationOutput, TextGenerationPart
from hf_tools.tasks.image import DepthEstimationOutput, ImageSegmentationOutput, ObjectDetectionOutput
from hf_tools.tasks.image_generation import TextToImage
from hf_tools.tasks.question import QuestionAnsweringOutput, QuestionAnsweringTop, TableQuestionAnsweringOutput
from hf_tools.tasks.raw import Request
from hf_tools.tasks.text import (
    FillMaskOutput,
    MaskFills,
    Summarization,
    SummarizationOutput,
    Translation,
    TranslationOutput,
)

MODEL = "org/model"
URL = "https://xyz.endpoints.huggingface.cloud"
MESSAGES = [{"role": "user", "content": "Hi"}]


# clients

hf = HfInference()
HfInference("hf_token", provider="auto", model=MODEL, options=Options(timeout=30.0), http_client=httpx.Client())
HfInference(token=False, base_url=URL)
endpoint = HfInferenceEndpoint(URL, "hf_token", server="tgi", options=Options(), http_client=httpx.Client())
ahf = AsyncHfInference(provider="local")
AsyncHfInference(http_client=httpx.AsyncClient())
aendpoint = AsyncHfInferenceEndpoint(URL, server="openai")
assert_type(hf.endpoint(URL), HfInferenceEndpoint)
assert_type(hf.endpoint(URL, server="toolkit"), HfInferenceEndpoint)
assert_type(ahf.endpoint(URL, server=None), AsyncHfInferenceEndpoint)
assert_type(hf.with_options(timeout=Timeout(connect=1.0)), HfInference)
assert_type(endpoint.with_options(max_retries=0), HfInferenceEndpoint)
assert_type(aendpoint.with_options(), AsyncHfInferenceEndpoint)
assert_type(hf.options, Options)
base: HfInference = endpoint
with HfInference() as opened:
    assert_type(opened, HfInference)
assert_type(hf.close(), None)


# one answer, sync

summary = hf.summarization("a long text", model=MODEL, max_length=30, truncation="longest_first")
assert_type(summary, SummarizationOutput)
assert_type(summary.summary_text, str)
assert_type(hf.fill_mask(text="a [MASK]"), MaskFills[FillMaskOutput])
assert_type(hf.fill_mask("a [MASK]")[0], FillMaskOutput)
assert_type([fill.token_str for fill in hf.fill_mask("a [MASK]")], list[str | None])
assert_type(hf.fill_mask("a [MASK] [MASK]").masks, list[list[FillMaskOutput]])
fills: list[FillMaskOutput] = hf.fill_mask("a [MASK]")
assert_type(hf.table_question_answering({"a": ["1"]}, "How many?"), TableQuestionAnsweringOutput)
assert_type(hf.text_generation("Once", max_new_tokens=4096, stop=["."]), TextGenerationOutput)
assert_type(hf.conversational("Hi", ["a"], ["b"], temperature=0.5), ConversationalOutput)
assert_type(hf.feature_extraction(["a", "b"], truncation_direction="left"), Features)
assert_type(hf.feature_extraction("a").vectors("mean"), list[list[float]])
assert_type(hf.text_ranking("who?", ["a", "b"], top_n=1), list[TextRankingOutput])
assert_type(hf.tabular_regression({"a": ["1"]}), list[float])
assert_type(hf.tabular_classification([{"a": 1}, {"a": 2}]), list[int | float | str])
chat = hf.chat_completion(MESSAGES, model=MODEL, max_tokens=10)
assert_type(chat, ChatCompletionOutput)
assert_type(chat.text, str)
assert_type(chat.message, ChatMessage)
hf.chat_completion([*MESSAGES, chat.message, {"role": "user", "content": [{"type": "text", "text": "And?"}]}])


# one or several, sync

assert_type(hf.text_classification("a"), list[TextClassificationOutput])
assert_type(hf.text_classification(["a", "b"]), list[list[TextClassificationOutput]])
assert_type(hf.token_classification("a", aggregation_strategy="first"), list[TokenClassificationOutput])
assert_type(hf.token_classification(["a"]), list[list[TokenClassificationOutput]])
assert_type(hf.translation("a"), TranslationOutput)
assert_type(hf.translation(["a"], src_lang="en_XX", tgt_lang="fr_XX"), list[TranslationOutput])
assert_type(hf.zero_shot_classification("a", ["x", "y"]), list[ZeroShotClassificationOutput])
assert_type(hf.zero_shot_classification(["a"], candidate_labels=["x"]), list[list[ZeroShotClassificationOutput]])
assert_type(hf.question_answering("who?", "me"), QuestionAnsweringOutput)
assert_type(hf.question_answering("who?", "me", top_k=2), list[QuestionAnsweringOutput])
assert_type(hf.sentence_similarity("a", ["b", "c"]), list[float])
pair = {"source_sentence": "a", "sentences": ["b"]}
assert_type(hf.sentence_similarity(pair), list[float])
assert_type(hf.sentence_similarity([pair, pair]), list[list[float]])


# media

picture = hf.text_to_image("a fox", width=512, height=512)
assert_type(picture, Image)
assert_type(picture.save("fox.png"), Path)
assert_type(picture.data, bytes)
assert_type(hf.image_to_image(picture, "a wolf", strength=0.5), Image)
assert_type(hf.image_to_image(b"...", target_size={"width": 8, "height": 8}), Image)
assert_type(hf.image_text_to_image(prompt="a fox"), Image)
assert_type(hf.text_to_speech("Hi", voice="alloy", response_format="mp3"), Audio)
assert_type(hf.text_to_audio("rain").sampling_rate, int | None)
assert_type(hf.text_to_video("a fox", num_frames=24), Video)
assert_type(hf.image_to_video(Path("fox.png"), prompt="run"), Video)
assert_type(hf.image_text_to_video("fox.png"), Video)
assert_type(hf.image_segmentation("https://host/cat.jpg", subtask="semantic")[0], ImageSegmentationOutput)
assert_type(hf.image_segmentation(picture)[0].mask, Image)
assert_type(hf.depth_estimation(picture), DepthEstimationOutput)
assert_type(hf.object_detection(bytearray(b"..."), threshold=0.9)[0], ObjectDetectionOutput)
assert_type(hf.object_detection(picture)[0].box.xmin, int)
assert_type(hf.image_to_text(picture).generated_text, str)
assert_type(hf.automatic_speech_recognition("a.wav", return_timestamps="word"), AutomaticSpeechRecognitionOutput)
assert_type(hf.audio_to_audio(Path("a.wav"))[0], AudioToAudioOutput)
assert_type(hf.audio_to_audio(b"...")[0].blob, Audio)
assert_type(hf.audio_classification("a.wav", top_k=2)[0].score, float)
assert_type(hf.image_classification(picture, function_to_apply="softmax")[0].label, str)
assert_type(hf.zero_shot_image_classification(picture, ["cat"])[0].label, str)
assert_type(hf.zero_shot_object_detection(picture, candidate_labels=["cat"])[0].box.ymax, int)
assert_type(hf.video_classification("film.mp4", num_frames=8)[0].score, float)
assert_type(hf.visual_question_answering(picture, "what?")[0].answer, str | None)
assert_type(hf.document_question_answering(picture, "what?", lang="en")[0].answer, str)


# task objects

assert_type(hf.run(Summarization("a", max_length=3)), SummarizationOutput)
assert_type(hf.respond(Translation("a")), Response[TranslationOutput])
assert_type(hf.respond(TextToImage("a fox")).answer, Image)
assert_type(hf.run(TextClassificationBatch(["a"])), list[list[TextClassificationOutput]])
assert_type(hf.run(QuestionAnsweringTop("who?", "me", top_k=2)), list[QuestionAnsweringOutput])
assert_type(hf.run(ChatCompletion(MESSAGES)), ChatCompletionOutput)
assert_type(hf.run(AutomaticSpeechRecognition(b"...")).text, str)
assert_type(hf.run(Request(inputs="a")), Any)
assert_type(hf.request(inputs={"any": 1}, parameters={"b": 2}, task="text-generation", include_credentials=False), Any)
assert_type(hf.respond(TextGeneration("a")).request_id, str | None)


# streams

stream = hf.chat_completion_stream(MESSAGES)
assert_type(stream, Stream[ChatCompletionOutput, ChatChunk])
with stream as parts:
    for part in parts:
        assert_type(part, ChatChunk)
        assert_type(part.text, str)
        assert_type(part.tool_calls, list[ToolCallDelta])
assert_type(stream.final.text, str)
assert_type(stream.interrupted, bool)
assert_type(hf.text_generation_stream("a").read(), TextGenerationOutput)
assert_type(hf.stream(TextGeneration("a")), Stream[TextGenerationOutput, TextGenerationPart])
assert_type(endpoint.text_generation_stream("a", do_sample=False), Stream[TextGenerationOutput, TextGenerationPart])
assert_type(hf.streaming_request(inputs="a"), Stream[Any, Any])


# endpoints

assert_type(endpoint.summarization("a"), SummarizationOutput)
assert_type(endpoint.translation(["a"]), list[TranslationOutput])
assert_type(endpoint.run(Summarization("a")), SummarizationOutput)
assert_type(HfInference().endpoint(URL).text_to_image("a fox"), Image)


# providers


def resume(handle: JobHandle[Video]) -> Video:
    assert_type(handle.id, str)
    assert_type(handle.queue_position, int | None)
    assert_type(hf.cancel(handle), bool)
    assert_type(hf.resume(handle), Video)
    return hf.resume(handle)


assert_type(hf.list_models("text-to-image"), list[str])
assert_type(hf.list_models("text-to-image", "fal-ai", limit=5), list[str])
assert_type(hf.who_serves(MODEL), list[Served])
assert_type(hf.who_serves(MODEL)[0].status, str)
assert_type(HfInference("key", provider="fal-ai").text_to_video("a fox"), Video)
assert_type(hf.with_options(on_progress=print, bill_to="my-org"), HfInference)


# async


async def ask(handle: JobHandle[Image]) -> None:
    assert_type(await ahf.list_models("text-to-image", provider="fal-ai"), list[str])
    assert_type(await ahf.who_serves(MODEL), list[Served])
    assert_type(await ahf.resume(handle), Image)
    assert_type(await ahf.cancel(handle), bool)


async def use() -> None:
    async with AsyncHfInference() as hf:
        assert_type(hf, AsyncHfInference)
        assert_type(await hf.summarization("a"), SummarizationOutput)
        assert_type(await hf.translation("a"), TranslationOutput)
        assert_type(await hf.translation(["a"]), list[TranslationOutput])
        assert_type(await hf.question_answering("who?", "me"), QuestionAnsweringOutput)
        assert_type(await hf.question_answering("who?", "me", top_k=2), list[QuestionAnsweringOutput])
        assert_type(await hf.sentence_similarity([pair]), list[list[float]])
        assert_type((await hf.text_to_image("a fox")).to_pil().size, tuple[int, int])
        assert_type(await hf.run(Translation("a")), TranslationOutput)
        assert_type(await hf.respond(Translation("a")), Response[TranslationOutput])
        assert_type(await hf.request(data=b"..."), Any)
        both = await asyncio.gather(hf.summarization("a"), hf.text_to_speech("b"), hf.translation(["c"]))
        assert_type(both, tuple[SummarizationOutput, Audio, list[TranslationOutput]])
        made = asyncio.create_task(hf.summarization("a"))
        assert_type(await made, SummarizationOutput)
        async with asyncio.timeout(1), asyncio.TaskGroup() as group:
            assert_type(await group.create_task(hf.text_to_image("a fox")), Image)
    await hf.aclose()


async def use_streams() -> None:
    stream = ahf.chat_completion_stream(MESSAGES)
    assert_type(stream, AsyncStream[ChatCompletionOutput, ChatChunk])
    async with stream as parts:
        async for part in parts:
            assert_type(part, ChatChunk)
    assert_type(stream.final, ChatCompletionOutput)
    assert_type(await ahf.text_generation_stream("a").read(), TextGenerationOutput)
    assert_type(ahf.stream(ChatCompletion(MESSAGES)), AsyncStream[ChatCompletionOutput, ChatChunk])
    assert_type([part.text async for part in aendpoint.text_generation_stream("a")], list[str])
    assert_type(await aendpoint.chat_completion(MESSAGES), ChatCompletionOutput)
    await stream.aclose()


def run_one() -> None:
    assert_type(asyncio.run(ahf.translation(["a"])), list[TranslationOutput])


# errors

try:
    hf.summarization("a")
except errors.RateLimited as error:
    assert_type(error.retry_after, float | None)
    assert_type(error.status, int)
except (errors.InputError, errors.StreamInterrupted) as error:
    assert_type(error.task, str | None)
except HfError as error:
    assert_type(error.hint, str | None)
