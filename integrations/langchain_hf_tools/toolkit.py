"""All tasks as tools."""

from __future__ import annotations

from typing import Any

from langchain_core.tools import BaseTool, BaseToolkit
from pydantic import ConfigDict, Field

from hf_tools import AsyncHfInference, HfInference
from hf_tools.catalogue import catalogue
from langchain_hf_tools._connecting.checked import Checked
from langchain_hf_tools._connecting.clients import Clients
from langchain_hf_tools.tools import HfInferenceTool


class HfInferenceToolkit(Checked, BaseToolkit):
    """A tool for each inference task; all of them share one client, and one for async calls with the same settings.

    HfInferenceToolkit(HfInference(provider="local")).get_tools()

    Without a client the token comes from HF_TOKEN or the login file. `expose_model` lets a model choose among models
    of the Hub by their ID.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    expose_model: bool = False
    """Give each tool the argument `model`."""
    clients: Clients = Field(exclude=True, repr=False)
    """Whom the tools ask."""

    def __init__(
        self,
        client: HfInference | None = None,
        *,
        async_client: AsyncHfInference | None = None,
        expose_model: bool = False,
        clients: Clients | None = None,
    ) -> None:
        whom = Clients(client, async_client) if clients is None else clients
        fields: dict[str, Any] = {"expose_model": expose_model, "clients": whom}
        super().__init__(**fields)

    def get_tools(self) -> list[BaseTool]:
        """A tool for each of the tasks, named `hf_` and the name of the task's method."""
        return [HfInferenceTool(name, clients=self.clients, expose_model=self.expose_model) for name, _ in catalogue()]
