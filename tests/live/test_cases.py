"""The cases against the servers that start in a second: both of llama.cpp, and api-inference-community.

The others need an environment of their own: `make servers`, and their cassettes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.live import through_langchain
from tests.live.case import Case, ask, ask_awaited, check, check_awaited
from tests.live.cases import CASES
from tests.live.servers import SERVERS, running

pytestmark = pytest.mark.live

HERE = [case for case in CASES if not SERVERS[case.server].environment]
every_case = pytest.mark.parametrize("case", HERE, ids=lambda case: case.id)
langchain_case = pytest.mark.parametrize("case", [*filter(through_langchain.has, HERE)], ids=lambda case: case.id)


@pytest.fixture(scope="module")
def url_of() -> Iterator[Callable[[Case], str]]:
    """The URL of a case's server, which is started with its first case."""
    urls: dict[str, str] = {}
    with ExitStack() as held:

        def find(case: Case) -> str:
            if case.server not in urls:
                urls[case.server] = held.enter_context(running(case.server))
            return urls[case.server]

        yield find


def test_these_need_no_environment() -> None:
    assert {case.server for case in HERE} == {"llama-cpp-chat", "llama-cpp-embeddings", "api-inference-community"}


@every_case
def test_blocking(case: Case, url_of: Callable[[Case], str]) -> None:
    check(case, lambda: ask(case, url_of(case)))


@every_case
async def test_awaited(case: Case, url_of: Callable[[Case], str]) -> None:
    await check_awaited(case, ask_awaited(case, url_of(case)))


@langchain_case
def test_langchain(case: Case, url_of: Callable[[Case], str]) -> None:
    check(case, lambda: through_langchain.ask(case, url_of(case)))


@langchain_case
async def test_langchain_awaited(case: Case, url_of: Callable[[Case], str]) -> None:
    await check_awaited(case, through_langchain.ask_awaited(case, url_of(case)))
