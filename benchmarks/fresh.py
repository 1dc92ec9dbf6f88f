"""Fresh processes: what an import costs, and what a first call costs with it.

The interpreter's own start is not counted. What ours and the others cost is told in times of the baseline in the same
environment: others have other packages, some of which httpx imports where they are there.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Final

from benchmarks.processes import PEERS, ROOT, bound, cpus, variables

TIMED: Final = """\
from time import perf_counter, process_time
wall, cpu = perf_counter(), process_time()
{statement}
print("timed", process_time() - cpu, perf_counter() - wall)
"""
MESSAGES: Final = '[{"role": "user", "content": "hi"}]'
POST: Final = f"""\
import httpx
body = {{"model": "m", "messages": {MESSAGES}}}
httpx.Client().post("BASE/v1/chat/completions", json=body).json()["choices"]"""
TYPED: Final = f"""\
import httpx
from pydantic import BaseModel
class Message(BaseModel):
    content: str
class Choice(BaseModel):
    message: Message
class Completion(BaseModel):
    choices: list[Choice]
body = {{"model": "m", "messages": {MESSAGES}}}
answer = httpx.Client().post("BASE/v1/chat/completions", json=body).content
Completion.model_validate_json(answer).choices[0].message.content"""
"""What one writes for an answer with types, without a client that has them."""
STATEMENTS: Final[dict[str, dict[str, str]]] = {
    "import": {
        "bare": "import httpx, pydantic; pydantic.BaseModel",
        "ours": "from hf_tools import HfInference",
        "hub": "from huggingface_hub import InferenceClient",
        "openai_sdk": "from openai import OpenAI",
    },
    "chain_import": {
        "bare": "import httpx, langchain_core.language_models.chat_models",
        "ours_chain": "from langchain_hf_tools import ChatHfInference",
        "chain_hf": "from langchain_huggingface import ChatHuggingFace",
        "chain_openai": "from langchain_openai import ChatOpenAI",
    },
    "cold": {
        "bare": POST,
        "bare_typed": TYPED,
        "ours": f"""\
from hf_tools import HfInferenceEndpoint
HfInferenceEndpoint("BASE", "hf_x", server="openai").chat_completion({MESSAGES}, model="m").text""",
        "hub": f"""\
from huggingface_hub import InferenceClient
InferenceClient(base_url="BASE/v1", token="x").chat_completion({MESSAGES}).choices""",
        "openai_sdk": f"""\
from openai import OpenAI
OpenAI(base_url="BASE/v1", api_key="x").chat.completions.create(model="m", messages={MESSAGES}).choices""",
    },
    "chain_cold": {
        "bare": POST,
        "ours_chain": """\
from langchain_hf_tools import ChatHfInference
ChatHfInference(model="m", base_url="BASE", server="openai", api_key="x").invoke("hi")""",
        "chain_hf": """\
from langchain_huggingface import ChatHuggingFace, HuggingFaceEndpoint
endpoint = HuggingFaceEndpoint(endpoint_url="BASE/v1", huggingfacehub_api_token="x")
ChatHuggingFace(llm=endpoint, model_id="m").invoke("hi")""",
        "chain_openai": """\
from langchain_openai import ChatOpenAI
ChatOpenAI(model="m", base_url="BASE/v1", api_key="x").invoke("hi")""",
    },
}


def sample(python: str, statement: str, *, peer: bool) -> dict[str, float]:
    """Seconds of CPU and of wall time that a statement takes in a fresh interpreter."""
    code = TIMED.format(statement=statement)
    with subprocess.Popen(
        [python, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=variables(peer=peer)
    ) as process:
        bound(process.pid, cpus()[0])
        words = (process.stdout.read() if process.stdout else "").split()
    if process.returncode or words[-3] != "timed":
        raise RuntimeError(f"this failed:\n{statement}")
    return {"cpu": float(words[-2]), "wall": float(words[-1])}


def samples(
    name: str, base: str, rounds: int, python: Callable[[str], str], *, peers: bool
) -> dict[str, list[dict[str, float]]]:
    """What each subject's statement takes, in rounds; the first of each, which may compile, does not count."""
    statements = {key: text.replace("BASE", base) for key, text in STATEMENTS[name].items()}
    if peers:
        statements |= {f"{key}@peers": text for key, text in statements.items() if key.startswith("bare")}
    else:
        statements = {key: text for key, text in statements.items() if key not in PEERS}
    found: dict[str, list[dict[str, float]]] = {key: [] for key in statements}
    for number in range(rounds + 1):
        for key, statement in statements.items():
            taken = sample(python(key), statement, peer=key in PEERS or key.endswith("@peers"))
            found[key] += [taken] if number else []
    return found
