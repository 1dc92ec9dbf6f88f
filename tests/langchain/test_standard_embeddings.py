"""LangChain's own suites for embeddings, against a scripted server."""

from __future__ import annotations

from typing import Any

from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from langchain_hf_tools import HfInferenceEmbeddings
from tests.langchain.vector_server import VectorServer


class TestUnit(EmbeddingsUnitTests):
    @property
    def embeddings_class(self) -> type[HfInferenceEmbeddings]:
        return HfInferenceEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": "org/model"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"HF_TOKEN": "api_key"}, {"model": "org/model"}, {"api_key": "api_key"}


class TestIntegration(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[HfInferenceEmbeddings]:
        return HfInferenceEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        server = VectorServer(answers=lambda body: [[float(len(text)), 1.0] for text in body["inputs"]])
        return {"model": "org/model", "provider": "hf-inference", **server.clients}
