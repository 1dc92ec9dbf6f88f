"""What a client may spend on further attempts: an outage must not be made worse."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from hf_tools import HfInference, Options, errors
from hf_tools.retry import RETRY, SPENT, TIMEOUT, TOKENS, Attempts, Budget

FAILED = httpx.Response(503)
DONE = httpx.Response(200, json=[{"summary_text": "s"}])


class Server:
    """Answers alike until it is told otherwise; counts."""

    def __init__(self, answer: httpx.Response | Exception) -> None:
        self.answer, self.count = answer, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.count += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return httpx.Response(self.answer.status_code, content=self.answer.content)


def client(server: Server, monkeypatch: pytest.MonkeyPatch, **options: Any) -> HfInference:

    def sleep(seconds: float) -> None:
        """No time is lost."""

    monkeypatch.setattr("hf_tools._http.sync.sleep", sleep)
    http = httpx.Client(transport=httpx.MockTransport(server))
    return HfInference(False, model="a/b", http_client=http, options=Options(**options))


@pytest.mark.parametrize(
    ("raised", "error", "extra"),
    [(FAILED, errors.Overloaded, TOKENS // RETRY), (httpx.ReadTimeout(""), errors.RequestTimeout, TOKENS // TIMEOUT)],
)
def test_an_outage_costs_so_many_extra_calls(
    raised: Any, error: type[errors.HfError], extra: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(raised)
    hf = client(server, monkeypatch)
    hints: list[str | None] = []
    for _ in range(150):
        with pytest.raises(error) as caught:
            hf.summarization("x")
        hints.append(caught.value.hint)
    assert server.count == 150 + extra
    assert SPENT not in str(hints[0])
    assert SPENT in str(hints[-1])


def test_clients_made_from_one_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(FAILED)
    first = client(server, monkeypatch)
    others = [first, first.with_options(timeout=5), first.endpoint("http://127.0.0.1:1", server="toolkit")]
    for one in others * 50:
        with pytest.raises(errors.Overloaded):
            one.summarization("x")
    assert server.count == 150 + TOKENS // RETRY
    fresh = client(server, monkeypatch)
    with pytest.raises(errors.Overloaded):
        fresh.summarization("x")
    assert server.count == 150 + TOKENS // RETRY + 3


def test_questions_to_an_endpoint_pay_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(FAILED)
    hf = client(server, monkeypatch).endpoint("http://127.0.0.1:1")
    for _ in range(120):
        with pytest.raises(errors.Overloaded):
            hf.summarization("x")
    assert server.count == 120 + TOKENS // RETRY


def test_success_brings_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(FAILED)
    hf = client(server, monkeypatch)
    budget = hf._settings.memory.budget  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(errors.Overloaded):
        hf.summarization("x")
    assert budget.left == TOKENS - 2 * RETRY
    server.answer = DONE
    hf.summarization("x")
    assert budget.left == TOKENS - 2 * RETRY + 1
    for _ in range(20):
        hf.summarization("x")
    assert budget.left == TOKENS


def test_a_retry_that_succeeds_is_paid_back() -> None:
    budget = Budget()
    attempts = Attempts(3, False, budget=budget)
    assert attempts.again(errors.ConnectionLost("gone"), None) is not None
    assert budget.left == TOKENS - RETRY
    attempts.succeeded()
    assert budget.left == TOKENS


def test_waiting_for_a_model_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user has asked for it; the total time ends it."""
    budget = Budget()
    attempts = Attempts(1, False, wait_for_model=True, budget=budget)
    error = errors.ModelLoading("loading", status=503, estimated_time=1)
    assert [attempts.again(error, 1000) is not None for _ in range(200)] == [True] * 200
    assert budget.left == TOKENS


def test_the_hint_of_the_error_stays() -> None:
    budget = Budget()
    assert budget.take(TOKENS)
    error = errors.Overloaded("busy", status=503, hint="Try again later")
    assert Attempts(3, False, budget=budget).again(error, None) is None
    assert error.hint == f"Try again later. {SPENT}"
    other = errors.ConnectionLost("gone")
    assert Attempts(3, False, budget=budget).again(other, None) is None
    assert other.hint == SPENT


def test_threads_do_not_overdraw_it() -> None:
    budget, taken = Budget(), list[bool]()
    threads = [threading.Thread(target=lambda: taken.extend(budget.take(RETRY) for _ in range(50))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(taken), budget.left) == (TOKENS // RETRY, 0)
