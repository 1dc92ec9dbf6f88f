"""An OpenAI-style chat server of the project's own, for tests and for the comparison with other clients.

It needs nothing but the standard library, reads each request as strictly as the servers that it stands for (OpenAI,
vLLM, TGI), answers at once, and always the same.
"""

from tests.langchain.scripted.server import Received, ScriptedServer
from tests.langchain.scripted.wire import Said

__all__ = ["Received", "Said", "ScriptedServer"]
