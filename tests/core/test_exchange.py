"""The policy of one call: what is sent, what is sent again, what is refused, what an error says."""

from __future__ import annotations

import email.utils
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from hf_tools import HfInference, Options, Timeout, errors
from tests import hub
from tests.core.conftest import TOKEN, Ask, Script

OK = httpx.Response(200, json=[{"summary_text": "short"}])
BUSY = httpx.Response(503, json={"error": "Model too busy, unable to get response in less than 60 second(s)"})
ERROR = httpx.Response(500, json={"error": "unknown error", "warnings": ["w"]})
PICTURE = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def summarize(hf: Any) -> Any:
    return hf.summarization("a long text", model="facebook/bart-large-cnn")


def paint(hf: Any) -> Any:
    return hf.text_to_image("a fox", model="org/painter")


def loading(seconds: Any) -> httpx.Response:
    return httpx.Response(503, json={"error": "Model x is currently loading", "estimated_time": seconds})


def limited(**headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(429, json={"error": "Rate limit reached"}, headers=named)


# what is sent


def test_the_request_is_exact(ask: Ask) -> None:
    server = Script(OK)
    assert ask(server, summarize).summary_text == "short"
    sent = server.requests[0]
    assert (sent.method, str(sent.url)) == (
        "POST", "https://router.huggingface.co/hf-inference/models/facebook/bart-large-cnn",
    )  # fmt: skip
    assert sent.content == b'{"inputs":"a long text"}'
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["accept"] == "*/*"
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["user-agent"].startswith("hf-tools/")
    assert not [name for name in sent.headers if name.startswith("x-")]


def test_options_become_headers(ask: Ask) -> None:
    server = Script(OK)
    options = Options(
        wait_for_model=True, use_cache=False, dont_load_model=True, bill_to="my-org", extra_headers={"X-Extra": "1"}
    )
    ask(server, summarize, options=options)
    assert {k: v for k, v in server.requests[0].headers.items() if k.startswith("x-")} == {
        "x-wait-for-model": "true",
        "x-use-cache": "false",
        "x-load-model": "0",
        "x-hf-bill-to": "my-org",
        "x-extra": "1",
    }


def test_use_gpu_goes_into_the_body_and_turns_raw_bytes_into_json(ask: Ask) -> None:
    server = Script(OK, httpx.Response(200, json=[{"label": "cat", "score": 1}]))
    options = Options(use_gpu=True)
    ask(server, summarize, options=options)
    assert json.loads(server.requests[0].content) == {"inputs": "a long text", "options": {"use_gpu": True}}
    ask(server, lambda hf: hf.image_classification(PICTURE, model="org/eyes"), options=options)
    assert json.loads(server.requests[1].content)["options"] == {"use_gpu": True}


def test_billing_goes_to_hugging_face_only(ask: Ask) -> None:
    server = Script(OK)
    ask(server, lambda hf: hf.summarization("x"), base_url="http://127.0.0.1:1/models/x", options=Options(bill_to="me"))
    assert all("x-hf-bill-to" not in request.headers for request in server.requests)


def test_without_a_token_there_is_no_header(ask: Ask) -> None:
    server = Script(OK)
    ask(server, summarize, token=False)
    assert "authorization" not in server.requests[0].headers


def test_large_values_are_not_refused(ask: Ask) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        if hub.asked(request):
            return hub.answer(request)
        body = json.loads(request.content)
        if "candidate_labels" in body["parameters"]:
            labels = body["parameters"]["candidate_labels"]
            return httpx.Response(200, json={"sequence": "x", "labels": labels, "scores": [0.05] * len(labels)})
        return httpx.Response(200, json=[{"generated_text": str(body["parameters"]["max_new_tokens"])}])

    assert ask(server, lambda hf: hf.text_generation("x", model="gpt2", max_new_tokens=4096)).generated_text == "4096"
    labels = [f"label {number}" for number in range(20)]
    assert len(ask(server, lambda hf: hf.zero_shot_classification("x", labels, model="org/nli"))) == 20


# files and URLs


def test_a_file_is_read_by_the_driver(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "fox.png"
    path.write_bytes(PICTURE)
    server = Script(httpx.Response(200, json=[{"label": "fox", "score": 0.9}]))
    assert ask(server, lambda hf: hf.image_classification(path, model="org/eyes"))[0].label == "fox"
    assert server.requests[0].content == PICTURE
    assert server.requests[0].headers["content-type"] == "image/png"


def test_a_file_object_is_read_once_and_sent_again(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "fox.png"
    path.write_bytes(PICTURE)
    server = Script(BUSY, httpx.Response(200, json=[{"label": "fox", "score": 0.9}]))
    with path.open("rb") as opened:
        ask(server, lambda hf: hf.image_classification(opened, model="org/eyes"))
    assert [request.content for request in server.requests] == [PICTURE, PICTURE]


def test_an_unreadable_file_is_refused_before_anything_is_sent(ask: Ask, tmp_path: Path) -> None:
    server = Script(OK)
    with pytest.raises(errors.MediaError, match=r"cannot read the file none\.png: No such file") as caught:
        ask(server, lambda hf: hf.image_classification(tmp_path / "none.png", model="org/eyes"))
    assert str(tmp_path) not in str(caught.value)
    assert not server.requests


def test_a_url_is_downloaded_without_the_token(ask: Ask) -> None:
    found = httpx.Response(302, headers={"location": "/real.png"})
    label = httpx.Response(200, json=[{"label": "fox", "score": 1}])
    server = Script(found, httpx.Response(200, content=PICTURE), label)
    ask(server, lambda hf: hf.image_classification("https://example.org/a.png", model="org/eyes"))
    assert [str(request.url) for request in server.requests[:2]] == [
        "https://example.org/a.png", "https://example.org/real.png",
    ]  # fmt: skip
    for request in server.requests[:2]:
        assert request.method == "GET"
        assert not {"authorization", "cookie", "x-hf-bill-to"} & set(request.headers)
    assert server.requests[2].content == PICTURE


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([httpx.Response(404)], "the URL https://example.org/a.png answers 404"),
        ([httpx.Response(200, content=b"<html>sign in</html>")], "is HTML or XML, not image"),
        ([httpx.Response(200, content=b"")], "is empty"),
        ([httpx.Response(302, headers={"location": "http://example.org/b"})], "leads to http://example.org/b"),
        ([httpx.Response(302, headers={"location": "file:///etc/passwd"})], "leads to file:///etc/passwd"),
        ([httpx.Response(302, headers={"location": "https://me:pw@example.org/"})], "has a user or password in it"),
        ([httpx.Response(302, headers={"location": "/again"})], "redirects more than 3 times"),
    ],
)  # fmt: skip
def test_a_download_that_fails(ask: Ask, answers: list[httpx.Response], message: str) -> None:
    server = Script(*answers)
    with pytest.raises(errors.MediaError, match=message.replace("/", r"\/").replace(".", r"\.")):
        ask(server, lambda hf: hf.image_classification("https://example.org/a.png?sig=1", model="org/eyes"))
    assert all(request.method == "GET" for request in server.requests)


def test_a_download_after_the_deadline_is_not_begun(ask: Ask) -> None:
    server = Script(OK)
    with pytest.raises(errors.DeadlineExceeded):
        ask(server, lambda hf: hf.image_classification("https://example.org/a.png", model="org/eyes"),
            options=Options(timeout=1e-9))  # fmt: skip
    assert not server.requests


# attempts


@pytest.mark.parametrize("first", [BUSY, ERROR, httpx.Response(502, html="<title>bad gateway</title>"),
                                   httpx.Response(429), httpx.Response(408), httpx.Response(529), httpx.Response(522),
                                   httpx.ReadTimeout("slow"), httpx.ConnectError("refused"),
                                   httpx.RemoteProtocolError("Server disconnected"), httpx.Response(200, content=b""),
                                   httpx.Response(200, content=b'[{"summary')])  # fmt: skip
def test_sent_again_after_what_may_pass(ask: Ask, first: Any) -> None:
    server = Script(first, OK)
    assert ask(server, summarize).summary_text == "short"
    assert len(server.requests) == 2
    assert server.requests[0].content == server.requests[1].content
    assert len(ask.waits) == 1
    assert 0.25 <= ask.waits[0] <= 0.5


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 410, 413, 422, 424, 301, 304, 418])
def test_not_sent_again_where_it_would_not_help(ask: Ask, status: int) -> None:
    server = Script(httpx.Response(status, json={"error": "no"}), OK)
    with pytest.raises(errors.StatusError) as caught:
        ask(server, summarize)
    assert caught.value.status == status
    assert len(server.requests) == 1


def test_at_most_max_retries(ask: Ask) -> None:
    server = Script(BUSY)
    with pytest.raises(errors.Overloaded) as caught:
        ask(server, summarize)
    assert (len(server.requests), caught.value.attempts) == (3, 3)
    assert 0.25 <= ask.waits[0] <= 0.5 <= ask.waits[1] <= 1.0


def test_retry_on_error_false_is_no_retry(ask: Ask) -> None:
    server = Script(BUSY)
    with pytest.raises(errors.Overloaded):
        ask(server, summarize, options=Options(retry_on_error=False))
    assert len(server.requests) == 1


def test_an_unreadable_answer_is_asked_for_once_more_only(ask: Ask) -> None:
    server = Script(httpx.Response(200, content=b'{"broken'))
    with pytest.raises(errors.DecodeError):
        ask(server, summarize, options=Options(max_retries=5))
    assert len(server.requests) == 2


@pytest.mark.parametrize("failure", [ERROR, httpx.Response(504), httpx.ReadTimeout("slow"), httpx.ReadError("reset"),
                                     httpx.Response(200, content=b"")])  # fmt: skip
def test_a_costly_generation_is_not_run_again_after_an_unclear_failure(ask: Ask, failure: Any) -> None:
    server = Script(failure)
    with pytest.raises(errors.HfError):
        ask(server, paint)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "failure", [BUSY, httpx.Response(429), httpx.ConnectError("refused"), httpx.ConnectTimeout("")]
)
def test_a_costly_generation_is_run_again_where_it_was_not_run(ask: Ask, failure: Any) -> None:
    server = Script(failure, httpx.Response(200, content=PICTURE))
    assert ask(server, paint).mime_type == "image/png"
    assert len(server.requests) == 2


def test_a_long_chat_is_costly(ask: Ask) -> None:
    server = Script(ERROR)
    messages = [{"role": "user", "content": "x"}]
    with pytest.raises(errors.ServerError):
        ask(server, lambda hf: hf.chat_completion(messages, model="a/b", max_tokens=8000))
    assert len(server.requests) == 1


# how long to wait


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "1"}, 1.0),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after": "60"}, 60.0),
        ({"ratelimit": '"api";r=0;t=55'}, 55.0),
    ],
)
def test_the_server_says_how_long(ask: Ask, headers: dict[str, str], wait: float) -> None:
    ask(Script(limited(**headers), OK), summarize)
    assert ask.waits == [wait]


@pytest.mark.parametrize("seconds", [61, 3600, 1000000000])
def test_a_longer_wait_is_the_callers_to_decide(ask: Ask, seconds: int) -> None:
    server = Script(limited(retry_after=str(seconds)), OK)
    with pytest.raises(errors.RateLimited) as caught:
        ask(server, summarize, options=Options(timeout=10_000_000))
    assert (caught.value.retry_after, len(server.requests), ask.waits) == (seconds, 1, [])


def test_the_server_names_a_date(ask: Ask) -> None:
    soon = email.utils.formatdate(time.time() + 20, usegmt=True)
    ask(Script(limited(retry_after=soon), OK), summarize)
    assert 17 <= ask.waits[0] <= 20


@pytest.mark.parametrize("value", ["-5", "nan", "soon", "inf", "1e999", "", "0", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_no_wait_or_nonsense_in_retry_after_is_our_own_wait(ask: Ask, value: str) -> None:
    ask(Script(limited(retry_after=value), OK), summarize)
    assert 0.25 <= ask.waits[0] <= 0.5


def test_a_wait_beyond_the_total_time_raises_at_once(ask: Ask) -> None:
    server = Script(limited(retry_after="30"))
    with pytest.raises(errors.RateLimited) as caught:
        ask(server, summarize, options=Options(timeout=10))
    assert (caught.value.retry_after, len(server.requests), ask.waits) == (30.0, 1, [])


def test_a_retry_after_with_200_is_ignored(ask: Ask) -> None:
    ask(Script(httpx.Response(200, json=[{"summary_text": "s"}], headers={"retry-after": "2"})), summarize)
    assert ask.waits == []


def test_a_loading_model_is_waited_for(ask: Ask) -> None:
    ask(Script(loading(20.0), OK), summarize)
    assert 20 <= ask.waits[0] <= 22


def test_a_loading_model_is_not_polled_faster_than_once_a_second(ask: Ask) -> None:
    ask(Script(loading(0.01), OK), summarize)
    assert 1.0 <= ask.waits[0] <= 1.1


@pytest.mark.parametrize("estimate", [None, "soon", -3, [], 1e400])
def test_a_senseless_estimate_is_ignored(ask: Ask, estimate: Any) -> None:
    body = json.dumps({"error": "Model x is currently loading", "estimated_time": estimate}).encode()
    ask(Script(httpx.Response(503, content=body), OK), summarize)
    assert 0.25 <= ask.waits[0] <= 0.5


def test_loading_beyond_the_total_time_raises_at_once(ask: Ask) -> None:
    server = Script(loading(300))
    with pytest.raises(errors.ModelLoading) as caught:
        ask(server, summarize, options=Options(timeout=50))
    assert (caught.value.estimated_time, len(server.requests), ask.waits) == (300.0, 1, [])


def test_wait_for_model_waits_beyond_max_retries(ask: Ask) -> None:
    server = Script(loading(1), loading(1), loading(1), loading(1), OK)
    assert ask(server, summarize, options=Options(wait_for_model=True)).summary_text == "short"
    assert len(server.requests) == 5


def test_wait_for_model_ends_without_a_total_time(ask: Ask) -> None:
    server = Script(loading(1))
    messages = [{"role": "user", "content": "x"}]

    def stream(hf: Any) -> Any:
        return hf.chat_completion_stream(messages, model="a/b").read()

    with pytest.raises(errors.ModelLoading):
        ask(server, stream, options=Options(wait_for_model=True))
    assert len(server.requests) == 3


# time


def slow(seconds: float) -> Any:
    def serve(request: httpx.Request) -> httpx.Response:
        time.sleep(seconds)
        return httpx.Response(200, json=[{"summary_text": "late"}])

    return serve


def test_the_total_time_ends_a_call() -> None:
    http = httpx.Client(transport=httpx.MockTransport(slow(0.2)))
    hf = HfInference(token=False, http_client=http, options=Options(timeout=0.1))
    with pytest.raises(errors.DeadlineExceeded) as caught:
        summarize(hf)
    assert isinstance(caught.value, TimeoutError)
    assert "Raise `timeout`" in str(caught.value)


def test_single_waits_are_cut_to_the_total(ask: Ask) -> None:
    server = Script(OK)
    ask(server, summarize, options=Options(timeout=2))
    cut = server.requests[0].extensions["timeout"]
    assert all(0 < cut[name] <= 2 for name in ("connect", "read", "write", "pool"))
    ask(server, summarize, options=Options(timeout=Timeout(connect=None, read=7, total=30)))
    waits = server.requests[1].extensions["timeout"]
    assert (waits["read"], 29 < waits["connect"] <= 30) == (7, True)


def test_a_server_may_work_until_the_total_time_is_used_up(ask: Ask) -> None:
    server = Script(OK, httpx.Response(200, content=PICTURE))
    ask(server, summarize)
    assert 119 < server.requests[0].extensions["timeout"]["read"] <= 120
    ask(server, paint)
    assert 599 < server.requests[1].extensions["timeout"]["read"] <= 600
    ask(server, paint, options=Options(timeout=Timeout(read=7, total=None)))
    assert server.requests[2].extensions["timeout"]["read"] == 7


def test_the_silence_of_a_stream_is_bounded(ask: Ask) -> None:
    done = b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n'
    server = Script(httpx.Response(200, content=done, headers={"content-type": "text/event-stream"}))
    ask(server, lambda hf: hf.chat_completion_stream([{"role": "user", "content": "x"}], model="a/b").read())
    assert server.requests[0].extensions["timeout"]["read"] == 60


@pytest.mark.parametrize(("limit", "sent"), [(None, 1), (8000, 1), (10, 3)])
def test_a_chat_that_was_too_slow_is_not_run_again_unless_it_is_short(ask: Ask, limit: Any, sent: int) -> None:
    server = Script(httpx.ReadTimeout("slow"))
    messages = [{"role": "user", "content": "x"}]
    with pytest.raises(errors.RequestTimeout):
        ask(server, lambda hf: hf.chat_completion(messages, model="a/b", max_tokens=limit))
    assert len(server.requests) == sent


def test_a_loading_model_that_says_at_once_is_asked_after_a_second(ask: Ask) -> None:
    answer = httpx.Response(
        503, json={"error": "Model is loading", "estimated_time": 20}, headers={"retry-after": "0.1"}
    )
    ask(Script(answer, OK), summarize)
    assert ask.waits == [1.0]


def test_redirects_are_not_followed_for_a_client_that_would() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(307, headers={"location": "https://evil.example/x"})

    asked: list[str] = []
    http = httpx.Client(transport=httpx.MockTransport(server), follow_redirects=True)
    with pytest.raises(errors.UnexpectedStatus):
        summarize(HfInference(False, http_client=http))
    assert asked == ["https://router.huggingface.co/hf-inference/models/facebook/bart-large-cnn"]


@pytest.mark.parametrize("location", ["http://xn--/", "http://[::1", "http://a..b/"])
def test_a_redirect_to_no_address(ask: Ask, location: str) -> None:
    server = Script(httpx.Response(302, headers={"location": location}))
    with pytest.raises(errors.HfError) as caught:
        ask(server, summarize)
    assert type(caught.value) in (errors.TransportError, errors.UnexpectedStatus)
    assert len(server.requests) == 1


# what comes back


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (httpx.Response(200, html="<html><title>Sign in</title>"), errors.UnexpectedContent, 'titled "Sign in"'),
        (httpx.Response(200, html="<b>\x1b[31mhi"), errors.UnexpectedContent, r"begins <b>\\x1b\[31mhi"),
        (httpx.Response(200, content=b'[{"summary_text": "sh'), errors.DecodeError, "not valid JSON"),
        (httpx.Response(200, json={"error": "overheated"}), errors.ReportedError, "200 with an error: overheated"),
        (httpx.Response(200, json={"error": ["a", "b"]}), errors.ReportedError, "a; b"),
        (httpx.Response(200, content=b""), errors.EmptyResponse, "the answer is empty"),
        (httpx.Response(204), errors.EmptyResponse, "the answer is empty"),
        (httpx.Response(200, json={"other": 1}), errors.ShapeError, "summary_text"),
        (httpx.Response(200, content=b"null"), errors.ShapeError, "unexpected answer"),
        (httpx.Response(200, content=b"[" * 100_000), errors.DecodeError, "not valid JSON"),
        (httpx.Response(302, headers={"location": "https://evil.example"}), errors.UnexpectedStatus, "302"),
    ],
)  # fmt: skip
def test_a_bad_answer_is_a_clear_error(
    ask: Ask, answer: httpx.Response, error: type[errors.HfError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        ask(Script(answer), summarize, options=Options(max_retries=0))
    raised: Any = caught.value
    assert type(raised) is error
    assert (raised.task, raised.model, raised.provider) == ("summarization", "facebook/bart-large-cnn", "hf-inference")
    assert vars(raised)["status"] == answer.status_code
    for part in ("summarization", "facebook/bart-large-cnn", "hf-inference", "https://router.huggingface.co/"):
        assert part in str(raised)
    assert len(str(raised)) <= 700
    assert "\n" not in str(raised)


def test_an_excerpt_has_200_characters(ask: Ask) -> None:
    with pytest.raises(errors.DecodeError) as caught:
        ask(Script(httpx.Response(200, content=b"x" * 5000)), summarize, options=Options(max_retries=0))
    assert "x" * 200 in caught.value.message
    assert "x" * 201 not in caught.value.message
    assert caught.value.body == b"x" * 5000


def test_the_token_is_taken_out_of_what_the_server_sends_back(ask: Ask) -> None:
    body = {
        "error": f"you sent {TOKEN} or secret-endpoint-key",
        "error_type": "for secret-endpoint-key",
        "warnings": ["secret-endpoint-key"],
    }
    server = Script(httpx.Response(400, json=body, headers={"x-echo": "it was secret-endpoint-key"}))
    with pytest.raises(errors.InvalidRequest) as caught:
        ask(server, lambda hf: hf.summarization("long"), token="secret-endpoint-key", base_url="https://h.example")
    texts = [str(caught.value), repr(caught.value), repr(caught.value.args), repr(vars(caught.value))]
    assert not [text for text in texts if "secret-endpoint-key" in text]
    assert caught.value.warnings == ("***",)
    assert caught.value.code == "for ***"
    assert caught.value.headers["x-echo"] == "it was ***"
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("token", "hint"),
    [(False, "No token was sent: pass `token`, set HF_TOKEN"), (TOKEN, "The token came from argument")],
)
def test_a_401_says_which_token_it_was(ask: Ask, token: Any, hint: str) -> None:
    server = Script(httpx.Response(401, json={"error": "Invalid username or password."}))
    with pytest.raises(errors.AuthenticationError, match="Invalid username or password") as caught:
        ask(server, summarize, token=token)
    assert hint in str(caught.value)


def test_an_answer_that_is_nested_too_deep(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_: object) -> Any:
        raise RecursionError

    monkeypatch.setattr("hf_tools.tasks.text.Summarization.decode", decode)
    with pytest.raises(errors.ResponseError, match="nested too deep"):
        ask(Script(OK), summarize)


def test_respond_gives_the_headers(ask: Ask) -> None:
    headers = {"X-Request-Id": "r1", "x-inference-provider": "together", "x-compute-time": "0.2"}
    server = Script(httpx.Response(200, json=[{"summary_text": "s"}], headers=headers))
    from hf_tools.tasks.text import Summarization

    response = ask(server, lambda hf: hf.respond(Summarization("x", model="a/b")))
    assert (response.answer.summary_text, response.status) == ("s", 200)
    assert (response.request_id, response.provider) == ("r1", "together")
    assert response.headers["x-compute-time"] == "0.2"
    server = Script(OK)
    assert ask(server, lambda hf: hf.respond(Summarization("x", model="a/b"))).provider == "hf-inference"


def test_several_requests_of_one_call(ask: Ask) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[0.5] * len(json.loads(request.content)["inputs"]["sentences"]))

    pairs = [{"source_sentence": "a", "sentences": ["b"]}, {"source_sentence": "c", "sentences": ["d", "e"]}]
    assert ask(server, lambda hf: hf.sentence_similarity(pairs, model="org/twins")) == [[0.5], [0.5, 0.5]]


def test_the_time_that_the_server_counts(ask: Ask) -> None:
    from hf_tools.tasks.text import Summarization

    def told(**headers: str) -> float | None:
        server = Script(httpx.Response(200, headers=headers, json=[{"summary_text": "short"}]))
        task = Summarization("long", model="org/m")
        found: float | None = ask(server, lambda hf: hf.respond(task)).compute_time
        return found

    assert told(**{"x-compute-time": "0.25"}) == 0.25
    assert [told()] + [told(**{"x-compute-time": words}) for words in ("soon", "nan", "inf", "-1")] == [None] * 5
