"""Embeddings: texts as vectors, one for each text."""

from __future__ import annotations

from collections.abc import Iterator

from langchain_core.embeddings import Embeddings
from pydantic import Field

from hf_tools.errors import InputError
from hf_tools.tasks.embedding import FeatureExtraction
from langchain_hf_tools._connection import Connection


class HfInferenceEmbeddings(Connection, Embeddings):
    """Texts as vectors by Hugging Face's servers, an endpoint or the embedded backend.

    HfInferenceEmbeddings(model="BAAI/bge-small-en-v1.5").embed_query("a fox")
    HfInferenceEmbeddings(provider="local").embed_documents(["a fox", "a dog"])

    The answers are one vector a text, in the order of the texts, or an HfError: features of single tokens, missing
    vectors and numbers that are none are never passed on.
    """

    batch_size: int = Field(default=32, gt=0)
    """Texts that are sent at once; TEI servers take 32 unless told."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vectors of several texts; raises an HfError."""
        client = self._clients.blocking
        return [vector for batch in self._batches(texts) for vector in client.run(batch).vectors()]

    def embed_query(self, text: str) -> list[float]:
        """The vector of one text; raises an HfError."""
        return self.embed_documents([text])[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vectors of several texts, awaited; raises an HfError."""
        client = self._clients.awaiting
        return [vector for batch in self._batches(texts) for vector in (await client.run(batch)).vectors()]

    async def aembed_query(self, text: str) -> list[float]:
        """The vector of one text, awaited; raises an HfError."""
        return (await self.aembed_documents([text]))[0]

    def _batches(self, texts: list[str]) -> Iterator[FeatureExtraction]:
        if self.batch_size < 1:  # it may have been set after the model was made
            raise InputError(f"`batch_size` = {self.batch_size}: must be above 0")
        for start in range(0, len(texts), self.batch_size):
            yield FeatureExtraction(texts[start : start + self.batch_size], model=self.model)
