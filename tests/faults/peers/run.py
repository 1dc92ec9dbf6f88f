"""Try every fault on the other clients, in their own environment: `python -m tests.faults.peers.run` prints JSON.

`versions` are those of the packages; `results` has for each fault and client null, or what is wrong.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

from tests.faults.declared import FAULTS
from tests.faults.names import resolving
from tests.faults.peers.judging import patience, wrong
from tests.faults.peers.subjects import SUBJECTS
from tests.faults.secure import trusted
from tests.faults.table import Fault
from tests.faults.trying import Subject, run

PACKAGES = ("huggingface_hub", "langchain-core", "langchain-huggingface", "langchain-openai", "openai", "httpx")
AT_ONCE = 24
OPENAI_FORM = (132, 133)
"""Faults whose vectors are written as OpenAI's servers do; Hugging Face's own write them otherwise."""
OBEDIENT = "054d 429, wait 120"
"""Not tried: a client that waits as long as the server asks is right as well."""


def suits(fault: Fault, subject: Subject) -> bool:
    """The fault is for such calls, and in a form that the client reads."""
    other = fault.number in OPENAI_FORM and subject.name == "HuggingFaceEndpointEmbeddings"
    return subject.kind in fault.expect and not other


def tried(pair: tuple[Fault, Subject]) -> tuple[str, str, str | None]:
    """The fault, the client, and what is wrong."""
    fault, subject = pair
    found = run(pair, grace=patience(fault.timeout), moment=0.0)
    return fault.key, subject.name, wrong(fault.expect[subject.kind], found.outcome)


def main(words: list[str]) -> None:
    """Print what came of the faults, or of those with one of the words."""
    logging.disable()
    warnings.simplefilter("ignore")
    faults = [one for one in FAULTS if one.key != OBEDIENT and (not words or any(word in one.key for word in words))]
    chosen = [(fault, one) for fault in faults for one in SUBJECTS if suits(fault, one)]
    chosen.sort(key=lambda pair: pair[0].timeout)  # the short ones are those that wait
    results: dict[str, dict[str, str | None]] = {fault.key: {} for fault, _ in chosen}
    with trusted(), resolving(), ThreadPoolExecutor(AT_ONCE) as pool:
        found = [*pool.map(tried, (pair for pair in chosen if not pair[0].proxied))]
        found += [tried(pair) for pair in chosen if pair[0].proxied]
    for key, name, problem in found:
        results[key][name] = problem
    print(json.dumps({"versions": {name: version(name) for name in PACKAGES}, "results": results}))
    sys.stdout.flush()
    os._exit(0)  # calls that hang are left behind


if __name__ == "__main__":
    main(sys.argv[1:])
