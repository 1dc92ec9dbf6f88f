"""Cassettes are small and hold nothing but the exchange; each is replayed, by the core here, by LangChain beside."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hf_tools import HfInference
from hf_tools.errors import HfError
from tests.live.case import Case, ask, ask_awaited, check, check_awaited
from tests.live.cases import CASES
from tests.live.servers import SERVERS
from tests.live.tape import CASSETTES, HEADERS, LIMIT, cassette, steady

FILES = sorted(path for path in CASSETTES.rglob("*") if not path.is_dir())
SECRET = re.compile(r"hf_[A-Za-z0-9]{10,}|api_org_|\bsk-[A-Za-z0-9]|[Bb]earer |authorization|cookie", re.IGNORECASE)
PLACE = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|usr|var|opt|mnt|work|private|Users)/|[A-Z]:\\\\")
"""The beginning of a path on somebody's machine."""
NOT_RECORDED = "CannotOverwriteExistingCassetteException"

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


def interactions(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))["interactions"]
    return found


def test_each_case_has_a_cassette_and_each_cassette_a_case() -> None:
    assert {path.relative_to(CASSETTES).as_posix() for path in FILES} == {f"{case.id}.yaml" for case in CASES}
    assert len({case.id for case in CASES}) == len(CASES)


def test_each_server_has_cases() -> None:
    assert {case.server for case in CASES} == SERVERS.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CASSETTES).as_posix())
class TestCassette:
    def test_is_small(self, path: Path) -> None:
        assert path.stat().st_size <= LIMIT

    def test_holds_allowed_headers_only(self, path: Path) -> None:
        for each in interactions(path):
            assert {name.lower() for side in each.values() for name in side["headers"]} <= HEADERS

    def test_holds_no_secret(self, path: Path) -> None:
        assert SECRET.search(path.read_text("utf-8")) is None

    def test_tells_nothing_of_the_machine_and_the_run(self, path: Path) -> None:
        assert PLACE.search(path.read_text("utf-8")) is None
        for each in interactions(path):
            body = each["response"]["body"]["string"]
            assert steady(body) == body

    def test_comes_from_its_server(self, path: Path) -> None:
        for each in interactions(path):
            assert each["request"]["uri"].startswith(f"{SERVERS[path.parent.name].url}/")
            assert "?" not in each["request"]["uri"]


@every_case
def test_replayed(case: Case) -> None:
    with cassette(case.id) as tape:
        check(case, lambda: ask(case, SERVERS[case.server].url))
    assert tape.all_played


@every_case
async def test_replayed_awaited(case: Case) -> None:
    with cassette(case.id) as tape:
        await check_awaited(case, ask_awaited(case, SERVERS[case.server].url))
    assert tape.all_played


@pytest.mark.parametrize("change", [{"temperature": 0.1}, {"max_tokens": 33}, {"stop": ["\n"]}])
def test_another_request_is_not_answered(change: dict[str, Any]) -> None:
    case = next(each for each in CASES if each.name == "whole")
    given = {"messages": case.task.messages, "model": case.task.model, **case.task.given("messages")}
    changed = type(case.task)(**(given | change))
    with cassette(case.id) as tape, HfInference(token=False) as hf:
        endpoint = hf.endpoint(SERVERS[case.server].url, server=case.speaks).with_options(max_retries=0)
        with pytest.raises(HfError, match=NOT_RECORDED):
            endpoint.run(changed)
    assert tape.play_count == 0


def test_what_differs_from_run_to_run_is_replaced() -> None:
    chunk = '{"id":"chatcmpl-7","created":9,"timings":{},"choices":[{"tool_calls":[{"id":"%s","function":{}}]}]}'
    fixed = '{"id":"id-1","created":0,"choices":[{"tool_calls":[{"id":"id-%s","function":{}}]}]}'
    events = [f"data: {chunk % name}\n\n" for name in ("a", "b", "a")]
    assert steady("".join([*events, "data: [DONE]\n\n"])) == (
        f"data: {fixed % 2}\n\ndata: {fixed % 3}\n\ndata: {fixed % 2}\n\ndata: [DONE]\n\n"
    )
    assert steady('{"data": [{"id": "org/model"}]}') == '{"data":[{"id":"org/model"}]}'
    assert steady("Internal Server Error") == "Internal Server Error"
