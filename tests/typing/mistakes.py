"""Mistakes that a type checker must find: a line that ends with `# E` has one, no other line may. Read, never run."""

from hf_tools import AsyncHfInference, AsyncHfInferenceEndpoint, HfInference, HfInferenceEndpoint, Options, Timeout
from hf_tools.tasks.chat import ChatCompletion
from hf_tools.tasks.generation import TextGeneration
from hf_tools.tasks.question import QuestionAnsweringTop
from hf_tools.tasks.text import Summarization, Translation

import httpx

hf = HfInference()
ahf = AsyncHfInference()
endpoint = HfInferenceEndpoint("https://host")
aendpoint = AsyncHfInferenceEndpoint("https://host")
MESSAGES = [{"role": "user", "content": "Hi"}]


# arguments

hf.summarization()  # E
hf.summarization(1)  # E
hf.summarization(None)  # E
hf.summarization("a", "b")  # E
hf.summarization("a", max_lenght=3)  # E
hf.summarization("a", max_length="3")  # E
hf.summarization("a", truncation="longest")  # E
hf.summarization(["a", "b"])  # E
hf.fill_mask("a", top_k=1.5)  # E
hf.translation(1)  # E
hf.translation({"a": "b"})  # E
hf.question_answering("who?")  # E
hf.question_answering("who?", ["me"])  # E
hf.question_answering("who?", "me", top_k="2")  # E
hf.zero_shot_classification("a")  # E
hf.sentence_similarity("a", "b")  # E
hf.token_classification("a", aggregation_strategy="mean")  # E
hf.feature_extraction("a", truncation_direction="up")  # E
hf.feature_extraction("a", encoding_format="hex")  # E
hf.text_ranking("who?")  # E
hf.table_question_answering({"a": ["1"]})  # E
hf.conversational("a", "b", ["c"])  # E
hf.chat_completion("Hi")  # E
hf.chat_completion(MESSAGES, max_new_tokens=3)  # E
hf.chat_completion(MESSAGES, stream=True)  # E
hf.text_generation("a", stream=True)  # E
hf.text_generation("a", stop=3)  # E
hf.text_to_image("a fox", width="512")  # E
hf.text_to_speech("a", response_format="midi")  # E
hf.image_segmentation(b"...", subtask="all")  # E
hf.image_classification(3)  # E
hf.image_to_image(b"...", "a wolf", "more")  # E
hf.image_to_image(b"...", target_size=(8, 8))  # E
hf.request("a")  # E
endpoint.summarization()  # E
endpoint.summarization("a", truncation="none")  # E


# answers

hf.summarization("a").summary  # E
hf.summarization("a")[0]  # E
hf.translation("a")[0]  # E
hf.translation(["a"]).translation_text  # E
hf.question_answering("who?", "me", top_k=2).answer  # E
hf.question_answering("who?", "me")[0]  # E
hf.text_classification("a").label  # E
hf.fill_mask("a [MASK] [MASK]")[0][0]  # E
hf.fill_mask("a [MASK]").masks[0].score  # E
hf.text_classification(["a"])[0].label  # E
hf.sentence_similarity("a", ["b"])[0][0]  # E
hf.object_detection(b"...")[0].mask  # E
hf.text_to_image("a fox").sampling_rate  # E
hf.text_to_speech("a").to_pil()  # E
hf.chat_completion(MESSAGES).choices.message  # E
endpoint.translation("a").generated_text  # E
length: int = hf.summarization("a").summary_text  # E


# names and clients

hf.sumarization("a")  # E
hf.run("a")  # E
hf.run(Summarization)  # E
hf.run(Summarization("a", max_lenght=3))  # E
hf.run(Translation(["a"]))  # E
hf.run(QuestionAnsweringTop("who?", "me"))  # E
hf.run(Summarization("a")).translation_text  # E
hf.stream(Summarization("a"))  # E
hf.summarization_stream("a")  # E
hf.respond(Summarization("a")).summary_text  # E
hf.endpoint("https://host", server="vllm")  # E
hf.endpoint()  # E
HfInference("hf_token", "auto")  # E
HfInference(provider=None)  # E
HfInference(options={"timeout": 3})  # E
HfInference(options=Options(time_out=3))  # E
HfInference(options=Options(timeout=Timeout("3")))  # E
HfInference(http_client=httpx.AsyncClient())  # E
AsyncHfInference(http_client=httpx.Client())  # E
HfInferenceEndpoint()  # E
HfInferenceEndpoint("https://host", server="llama.cpp")  # E
HfInferenceEndpoint("https://host", model="a")  # E
other: HfInference = AsyncHfInference()  # E
narrower: HfInferenceEndpoint = HfInference()  # E
Summarization("a").text = "b"  # E


# streams

for chunk in hf.chat_completion_stream(MESSAGES):
    chunk.content  # E
for token in hf.text_generation_stream("a"):
    token.tool_calls  # E
for _ in ahf.chat_completion_stream(MESSAGES):  # E
    pass
for _ in hf.chat_completion(MESSAGES).text_stream:  # E
    pass
with ahf.chat_completion_stream(MESSAGES):  # E
    pass
hf.chat_completion_stream(MESSAGES).final.generated_text  # E
hf.chat_completion_stream(MESSAGES).aclose()  # E
hf.chat_completion_stream(MESSAGES, stream=True)  # E
hf.chat_completion_stream()  # E
hf.streaming_request("a")  # E
endpoint.text_generation_stream("a", temperature="hot")  # E
hf.stream(TextGeneration("a")).final.choices  # E


# async


async def use() -> None:
    ahf.summarization("a").summary_text  # E
    (await ahf.summarization("a")).summary  # E
    await ahf.summarization()  # E
    await ahf.summarization("a", truncation="all")  # E
    await ahf.translation(["a"], tgt_lang=3)  # E
    (await ahf.translation(["a"])).translation_text  # E
    (await ahf.question_answering("who?", "me", top_k=2)).answer  # E
    (await aendpoint.text_to_image("a fox")).sampling_rate  # E
    await hf.summarization("a")  # E
    ahf.summarization("a")  # E
    ahf.translation(["a"])  # E
    ahf.run(Summarization("a"))  # E
    aendpoint.close()  # E
    await ahf.run(Summarization("a", min_length="1"))  # E
    text: str = ahf.text_generation("a")  # E
    await ahf.chat_completion_stream(MESSAGES)  # E
    async for _ in hf.chat_completion_stream(MESSAGES):  # E
        pass
    async for two in ahf.chat_completion_stream(MESSAGES):
        two.message  # E
    for _ in ahf.text_generation_stream("a"):  # E
        pass
    async for _ in ahf.chat_completion(MESSAGES):  # E
        pass
    async with HfInference():  # E
        pass
    with AsyncHfInference():  # E
        pass
    (await ahf.stream(ChatCompletion(MESSAGES)).read()).generated_text  # E
    ahf.text_generation_stream("a").close()  # E
    print(text)
