"""langchain_hf_tools with an endpoint, whose kind is given."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.subjects import chains, common
from hf_tools import HfInferenceEndpoint
from langchain_hf_tools import ChatHfInference, HfInferenceEmbeddings, HfInferenceToolkit


def _model(base: str) -> ChatHfInference:
    return ChatHfInference(model="m", base_url=base, server="openai", api_key=common.KEY)


chat, achat, stream, astream, tools = chains.of(_model)


def embed(base: str) -> Callable[[int], tuple[int, float]]:
    model = HfInferenceEmbeddings(base_url=base, server="tei", api_key=common.KEY)
    return lambda count: common.summed(model.embed_documents(common.documents(count)))


def embed_all(base: str) -> Callable[[int], int]:
    """The vectors of an iterator, none of which is kept."""
    model = HfInferenceEmbeddings(base_url=base, server="tei", api_key=common.KEY)

    def work(count: int) -> int:
        texts = (f"document number {place} about inference clients" for place in range(count))
        return sum(1 for _ in model.embed_iter(texts))

    return work


def agent(base: str) -> Callable[[int], str]:
    """A turn of a model that has so many tools, as each turn of an agent is."""
    toolkit = HfInferenceToolkit(HfInferenceEndpoint(base, common.KEY, server="openai"), preset="all")
    tools, model = toolkit.get_tools(), _model(base)
    bound = {count: model.bind_tools(tools[:count]) for count in range(1, len(tools) + 1)}
    return lambda count: str(bound[count].invoke(common.QUESTION).content)
