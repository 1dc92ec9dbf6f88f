"""All tasks as tools."""

from __future__ import annotations

from langchain_core.tools import BaseTool, BaseToolkit
from pydantic import ConfigDict, PrivateAttr

from hf_tools import AsyncHfInference, HfInference
from hf_tools.catalogue import catalogue
from langchain_hf_tools._clients import Clients
from langchain_hf_tools.tools import HfInferenceTool


class HfInferenceToolkit(BaseToolkit):
    """A tool for each inference task; all of them share one client, and one for async calls with the same settings.

    HfInferenceToolkit(HfInference(provider="local")).get_tools()

    Without a client the token comes from HF_TOKEN or the login file. `expose_model` lets a model choose among models
    of the Hub by their ID.
    """

    model_config = ConfigDict(extra="forbid")

    expose_model: bool = False
    """Give each tool the argument `model`."""

    _clients: Clients = PrivateAttr()

    def __init__(
        self,
        client: HfInference | None = None,
        *,
        async_client: AsyncHfInference | None = None,
        expose_model: bool = False,
    ) -> None:
        fields = {"expose_model": expose_model}
        super().__init__(**fields)
        self._clients = Clients(client, async_client)

    def get_tools(self) -> list[BaseTool]:
        """A tool for each of the tasks, named `hf_` and the name of the task's method."""
        return [HfInferenceTool(name, clients=self._clients, expose_model=self.expose_model) for name, _ in catalogue()]
