"""Run all checks for one model: `python -m benchmarks.peers.run SUBJECT` prints one JSON object.

`versions` are those of the packages in question, `results` has true or what went wrong for each check.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
import warnings
from importlib.metadata import version

from benchmarks.peers.features import FEATURES
from benchmarks.peers.subjects import SUBJECTS, Subject
from tests.langchain.scripted import ScriptedServer


def tried(subject: Subject, name: str) -> bool | str:
    """True, or the error's class, the beginning of its message and the line that it comes from."""
    try:
        with ScriptedServer() as server:
            FEATURES[name].check(subject, server)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is the answer
        line = traceback.extract_tb(error.__traceback__)[-1].line
        return f"{type(error).__name__}: {str(error)[:200]} ({line})"
    return True


def main(name: str) -> None:
    subject = SUBJECTS[name]
    logging.disable()
    warnings.simplefilter("ignore")
    names = {subject.distribution, "langchain", "langchain-core"}
    results = {each: tried(subject, each) for each in FEATURES}
    print(json.dumps({"versions": {each: version(each) for each in sorted(names)}, "results": results}))


if __name__ == "__main__":
    main(sys.argv[1])
