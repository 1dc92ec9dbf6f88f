"""Answers from your own documents: local embeddings, an embedded vector database, a reranker and local chat.

python examples/retrieval.py                                       asks the handbook of a library, which is below
python examples/retrieval.py "How do I stream?" README.md          your question, your files
HF_MODEL=openai/gpt-oss-120b python examples/retrieval.py ...      answers by a model of the Hub; needs HF_TOKEN
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnablePassthrough
from langchain_qdrant import QdrantVectorStore
from langchain_text_splitters import Language, RecursiveCharacterTextSplitter
from qdrant_client import QdrantClient
from qdrant_client.models import Distance, VectorParams

from langchain_hf_tools import ChatHfInference, HfInferenceEmbeddings, HfInferenceReranker

QUESTION = "What does a card cost?"
HANDBOOK = """# The city library

## Opening hours
The library is open from ten to six, on Saturdays until two. It is closed on Sundays and holidays.

## Borrowing
Books may be kept for four weeks, films and games for one week. A loan can be extended twice, unless somebody else has
asked for the item.

## Fees
A card costs twenty euros a year and nothing for children. Each day of delay costs thirty cents.

## Rooms
The reading room has forty seats. The study rooms are booked at the desk, for three hours at most.

## Computers
Six computers with internet access stand on the first floor. Printing costs ten cents a page.
"""
PROMPT = ChatPromptTemplate.from_messages(
    [("user", "{passages}\n\nAnswer in one sentence, from the text above only.\nQuestion: {question}")]
)


def passages(paths: list[Path]) -> list[Document]:
    """The files cut into passages that the embedding model can read whole: it takes 256 tokens."""
    splitter = RecursiveCharacterTextSplitter.from_language(Language.MARKDOWN, chunk_size=240, chunk_overlap=0)
    files = [Document(path.read_text("utf-8"), metadata={"source": path.name}) for path in paths]
    return splitter.split_documents(files or [Document(HANDBOOK, metadata={"source": "the handbook"})])


def store(documents: list[Document], embeddings: HfInferenceEmbeddings) -> QdrantVectorStore:
    """A vector database in memory; `QdrantClient(path=...)` keeps it on the disk."""
    client = QdrantClient(":memory:")
    size = len(embeddings.embed_query("how long are the vectors?"))
    client.create_collection("passages", VectorParams(size=size, distance=Distance.COSINE))
    made = QdrantVectorStore(client, "passages", embedding=embeddings)
    made.add_documents(documents)
    return made


def chain(database: QdrantVectorStore, reranker: HfInferenceReranker, chat: ChatHfInference) -> Runnable[str, str]:
    """From a question to its answer: 12 passages by their vectors, the best of them by the reranker."""
    best = (
        {"query": RunnablePassthrough(), "documents": database.as_retriever(search_kwargs={"k": 12})}
        | reranker.as_runnable()
        | told
    )
    return {"passages": best, "question": RunnablePassthrough()} | PROMPT | chat | StrOutputParser()


def told(documents: list[Document]) -> str:
    """What the model reads; printed, so that one sees what the answer rests on."""
    for document in documents:
        score, source = document.metadata["relevance_score"], document.metadata["source"]
        print(f"{score:.2f}  {source}: {' '.join(document.page_content.split())[:90]}")
    return "\n\n".join(document.page_content for document in documents)


def main(question: str = QUESTION, *files: str) -> None:
    model = os.environ.get("HF_MODEL")
    chat = ChatHfInference(model=model) if model else ChatHfInference(provider="local", temperature=0, max_tokens=80)
    with HfInferenceEmbeddings(provider="local") as embeddings, HfInferenceReranker(provider="local", top_n=1) as ranks:
        documents = passages([Path(name) for name in files])
        print(f"{len(documents)} passages")
        answer = chain(store(documents, embeddings), ranks, chat).invoke(question)
    print(f"{question} -> {answer}")


if __name__ == "__main__":
    main(*sys.argv[1:])
