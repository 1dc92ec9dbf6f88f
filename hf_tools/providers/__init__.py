"""Who is asked: the providers as data, and the route of a task at each of them."""

from hf_tools.providers.local import LOCAL_CHAT, LOCAL_EMBEDDING, LOCAL_TASKS
from hf_tools.providers.names import HUB, LOCAL, ROUTER, check_model, check_url, is_url
from hf_tools.providers.routes import CHAT, endpoint_server, route
from hf_tools.providers.table import PROVIDERS, check_provider

__all__ = [
    "CHAT",
    "HUB",
    "LOCAL",
    "LOCAL_CHAT",
    "LOCAL_EMBEDDING",
    "LOCAL_TASKS",
    "PROVIDERS",
    "ROUTER",
    "check_model",
    "check_provider",
    "check_url",
    "endpoint_server",
    "is_url",
    "route",
]
