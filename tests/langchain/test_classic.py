"""Our models inside what langchain-classic offers for retrieval: the cache of embeddings, the compressing retriever."""

from __future__ import annotations

import itertools
from typing import Any

from langchain_classic.embeddings import CacheBackedEmbeddings
from langchain_classic.retrievers import ContextualCompressionRetriever
from langchain_core.documents import Document
from langchain_core.stores import InMemoryByteStore
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_hf_tools import HfInferenceEmbeddings, HfInferenceReranker

URL = "http://127.0.0.1:9"


async def test_a_cache_of_embeddings(serve: Any) -> None:
    server = serve([[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5]])
    fields: dict[str, Any] = {**server.models, "model": None, "base_url": URL, "server": "tei"}
    embeddings = HfInferenceEmbeddings(**fields)
    cached = CacheBackedEmbeddings.from_bytes_store(
        embeddings, InMemoryByteStore(), namespace=embeddings.cache_namespace, key_encoder="sha256"
    )
    assert cached.embed_documents(["a", "b"]) == [[1.0, 0.0], [0.0, 1.0]]
    assert await cached.aembed_documents(["b", "c", "a"]) == [[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]]
    assert [body["inputs"] for body in server.bodies] == [["a", "b"], ["c"]]


async def test_a_compressing_retriever(serve: Any) -> None:
    texts = ["a fox", "a dog", "a cat"]
    vectors = [[1.0, 0.0], [0.9, 0.1], [0.8, 0.2]]
    embeddings = serve(vectors, [[1.0, 0.0]])
    ranks = serve([{"index": 1, "score": 0.9}, {"index": 0, "score": 0.5}, {"index": 2, "score": 0.1}])
    tei: dict[str, Any] = {"base_url": URL, "server": "tei", "model": None}
    store = InMemoryVectorStore(HfInferenceEmbeddings(**{**embeddings.models, **tei}))
    numbers = itertools.count()
    store.add_documents([Document(text, id=str(next(numbers))) for text in texts])
    retriever = ContextualCompressionRetriever(
        base_compressor=HfInferenceReranker(**{**ranks.models, **tei}, top_n=2), base_retriever=store.as_retriever()
    )
    for found in (retriever.invoke("which animal barks?"), await retriever.ainvoke("which animal barks?")):
        assert [document.page_content for document in found] == ["a dog", "a fox"]
        assert [document.metadata["relevance_score"] for document in found] == [0.9, 0.5]
    assert ranks.bodies[0]["texts"] == texts
