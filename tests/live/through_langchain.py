"""Ask the cases through LangChain: the chat model, the embeddings and the reranker, blocking and awaited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.documents import Document
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, convert_to_messages
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import Runnable

from hf_tools.tasks.chat import ChatCompletion
from hf_tools.tasks.embedding import FeatureExtraction, SentenceSimilarity
from langchain_hf_tools import ChatHfInference
from langchain_hf_tools.embeddings import HfInferenceEmbeddings
from langchain_hf_tools.rerankers import HfInferenceReranker
from tests.live.case import Case, Said, arguments, tokens

BOUND = ("tools", "tool_choice", "response_format")
"""Parameters of a chat that are bound to a model, not among its fields."""


def has(case: Case) -> bool:
    """Whether LangChain has something for the task."""
    return isinstance(case.task, ChatCompletion | FeatureExtraction | SentenceSimilarity)


def ask(case: Case, url: str) -> Any:
    """The answer to a case, as `holds` gets it."""
    task = case.task
    with model(case, url) as asked:
        if isinstance(task, FeatureExtraction):
            return asked.embed_documents(texts(task))
        if isinstance(task, SentenceSimilarity):
            return in_order(asked.compress_documents(documents(task), str(task.sentence)))
        if (task.n or 1) > 1:
            return of_result(asked.generate([convert_to_messages(task.messages)]))
        if case.stream:
            return of_chunks(list(bound(asked, task).stream(list(task.messages))))
        return of_messages([bound(asked, task).invoke(list(task.messages))])


async def ask_awaited(case: Case, url: str) -> Any:
    """The same, awaited."""
    task = case.task
    async with model(case, url) as asked:
        if isinstance(task, FeatureExtraction):
            return await asked.aembed_documents(texts(task))
        if isinstance(task, SentenceSimilarity):
            return in_order(await asked.acompress_documents(documents(task), str(task.sentence)))
        if (task.n or 1) > 1:
            return of_result(await asked.agenerate([convert_to_messages(task.messages)]))
        if case.stream:
            return of_chunks([chunk async for chunk in bound(asked, task).astream(list(task.messages))])
        return of_messages([await bound(asked, task).ainvoke(list(task.messages))])


def model(case: Case, url: str) -> Any:
    """What LangChain has for the task, with the task's parameters as its fields."""
    task = case.task
    at: dict[str, Any] = {
        "model": task.model,
        "base_url": url + case.path,
        "server": case.speaks,
        "max_retries": case.retries,
    }
    if isinstance(task, FeatureExtraction):
        return HfInferenceEmbeddings(**at, **task.given())
    if isinstance(task, SentenceSimilarity):
        return HfInferenceReranker(**at, task="sentence-similarity", top_n=None)
    return ChatHfInference(**at, **task.given("messages", *BOUND))


def bound(chat: ChatHfInference, task: ChatCompletion) -> Runnable[LanguageModelInput, AIMessage]:
    """The chat model with what the task binds to it."""
    if task.tools:
        choice: Any = task.tool_choice
        return chat.bind_tools([dict(tool) for tool in task.tools], tool_choice=choice)
    return chat.bind(response_format=task.response_format) if task.response_format else chat


def texts(task: FeatureExtraction) -> list[str]:
    """The task's texts."""
    return [task.text] if isinstance(task.text, str) else list(task.text)


def documents(task: SentenceSimilarity) -> list[Document]:
    """The sentences to compare, each with its place."""
    return [Document(text, metadata={"place": place}) for place, text in enumerate(task.other_sentences or [])]


def in_order(found: Sequence[Document]) -> list[float]:
    """The scores of reranked documents in the order in which the documents were given."""
    assert [each.metadata["relevance_score"] for each in found] == sorted(
        (each.metadata["relevance_score"] for each in found), reverse=True
    )
    return [each.metadata["relevance_score"] for each in sorted(found, key=lambda each: each.metadata["place"])]


def of_result(result: LLMResult) -> Said:
    """Several answers to one conversation."""
    (generations,) = result.generations
    return of_messages([generation.message for generation in generations if isinstance(generation, ChatGeneration)])


def of_chunks(chunks: Sequence[Any]) -> Said:
    """A stream: its chunks added up."""
    whole: AIMessageChunk = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    return of_messages([whole], pieces=sum(bool(chunk.text or chunk.tool_call_chunks) for chunk in chunks))


def of_messages(answers: Sequence[Any], pieces: int = 1) -> Said:
    """A message for each choice."""
    first: AIMessage = answers[0]
    metadata, usage = first.response_metadata, first.usage_metadata
    assert metadata["model_provider"] == "huggingface"
    return Said(
        texts=[answer.text for answer in answers],
        calls=[
            *((call["name"], call["args"]) for call in first.tool_calls),
            *((str(call["name"]), arguments(call["args"] or "")) for call in first.invalid_tool_calls),
        ],
        finish=metadata["finish_reason"],
        model=metadata["model_name"],
        tokens=(usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) if usage else (-1, -1, -1),
        logprobs=tokens(metadata.get("logprobs")),
        pieces=pieces,
    )
