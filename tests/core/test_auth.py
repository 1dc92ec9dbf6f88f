"""Where the token comes from, and who gets to see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from hf_tools import HfInference, errors
from hf_tools.auth import authorization, find_token, of_hugging_face, token_path
from tests.core.conftest import TOKEN, Ask, Script

AMBIENT = "hf_" + "ambient" * 3


def secret(token: Any) -> str | None:
    return token.secret.get_secret_value() if token else None


def test_the_argument_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", AMBIENT)
    for given in (TOKEN, SecretStr(TOKEN)):
        found = find_token(given)
        assert (secret(found), found and found.source) == (TOKEN, "argument")


@pytest.mark.parametrize("none", [False, ""])
def test_no_token_at_all(monkeypatch: pytest.MonkeyPatch, none: Any) -> None:
    monkeypatch.setenv("HF_TOKEN", AMBIENT)
    assert find_token(none) is None


@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
@pytest.mark.parametrize("given", [None, True])
def test_the_environment(monkeypatch: pytest.MonkeyPatch, name: str, given: Any) -> None:
    monkeypatch.setenv(name, f" {AMBIENT}\n")
    found = find_token(given)
    assert (secret(found), found and found.source) == (AMBIENT, name)


def test_the_login_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(AMBIENT + "\n")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    found = find_token()
    assert (secret(found), found and found.source) == (AMBIENT, "the login file")
    (tmp_path / "token").write_text("")
    assert find_token() is None
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    assert find_token() is None


def test_where_the_login_file_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert token_path() == Path.home() / ".cache/huggingface/token"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert token_path() == tmp_path / "cache/huggingface/token"
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    assert token_path() == tmp_path / "home/token"
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "elsewhere"))
    assert token_path() == tmp_path / "elsewhere"


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("openai-community/gpt2", "has a slash: is it a model ID"),
        ("hf_ab cd", "has spaces or other characters"),
        ("hf_abcd\r\nX-Evil: 1", "has spaces or other characters"),
        ("hf_äbcd", "has spaces or other characters"),
        (5, "`token` must be text, got int"),
        (b"hf_x", "`token` must be text, got bytes"),
    ],
)
def test_what_is_no_token(token: Any, message: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=message) as caught:
        HfInference(token)
    assert str(token) not in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://router.huggingface.co/v1", True),
        ("https://huggingface.co/api", True),
        ("https://xyz.eu-west-1.aws.endpoints.huggingface.cloud/", True),
        ("https://me-space.hf.space/x", True),
        ("https://hf.co", True),
        ("https://hf.co.", True),
        ("http://router.huggingface.co/v1", False),
        ("https://evil-huggingface.co/", False),
        ("https://huggingface.co.evil.example/", False),
        ("https://huggingface.co@evil.example/", False),
        ("http://127.0.0.1:8080", False),
        ("https://fal.media/x", False),
    ],
)
def test_hosts_of_hugging_face(url: str, own: bool) -> None:
    assert of_hugging_face(url) is own


def test_an_ambient_token_goes_to_hugging_face_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", AMBIENT)
    assert authorization(find_token(), "https://router.huggingface.co/x") == f"Bearer {AMBIENT}"
    assert authorization(find_token(), "http://127.0.0.1:8080/") is None
    assert authorization(find_token(TOKEN), "http://127.0.0.1:8080/") == f"Bearer {TOKEN}"
    assert authorization(None, "https://router.huggingface.co/x") is None


def test_no_foreign_endpoint_sees_the_ambient_token(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", AMBIENT)
    server = Script(httpx.Response(404), httpx.Response(404), httpx.Response(200, json=[{"summary_text": "s"}]))
    ask(server, lambda hf: hf.endpoint("http://127.0.0.1:1").summarization("x"), token=None)
    ask(server, lambda hf: hf.summarization("x", model="http://127.0.0.1:2/"), token=None)
    assert len(server.requests) == 6 or len(server.requests) == 4
    assert all("authorization" not in request.headers for request in server.requests)


def test_a_token_that_was_held_back_is_told(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", AMBIENT)
    server = Script(httpx.Response(401, json={"error": "no"}))
    with pytest.raises(errors.AuthenticationError, match="goes to Hugging Face's hosts only: pass `token`"):
        ask(server, lambda hf: hf.endpoint("http://127.0.0.1:1", server="toolkit").summarization("x"), token=None)


def test_an_explicit_token_goes_to_the_endpoint(ask: Ask) -> None:
    server = Script(httpx.Response(404), httpx.Response(404), httpx.Response(200, json=[{"summary_text": "s"}]))
    ask(server, lambda hf: hf.endpoint("http://127.0.0.1:1").summarization("x"))
    assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {TOKEN}"}


def test_request_may_leave_the_token_out(ask: Ask) -> None:
    server = Script(httpx.Response(200, json=1))
    ask(server, lambda hf: hf.request(inputs="x", model="a/b", include_credentials=False))
    ask(server, lambda hf: hf.endpoint("http://127.0.0.1:1").request(inputs="x", include_credentials=False))
    assert len(server.requests) == 4
    assert not [request for request in server.requests if "authorization" in request.headers]


def test_nothing_shows_the_token() -> None:
    hf = HfInference(TOKEN)
    assert TOKEN not in repr(hf)
    assert TOKEN not in repr(hf._settings)  # pyright: ignore[reportPrivateUsage]
    assert "token=from argument" in repr(hf)
    assert "token=None" in repr(HfInference(False))


PLAIN = [
    "http://10.0.0.5:8000", "http://tgi:8080", "http://example.org", "http://127.0.0.1.example.org", "http://localhost.evil.example",
    "http://[fe80::1%25eth0]/", "http://router.huggingface.co",
]  # fmt: skip
HERE = [
    "http://127.0.0.1:8080",
    "http://127.8.9.1",
    "http://localhost:1",
    "http://LOCALHOST.:1",
    "http://[::1]:8080",
    "http://x.localhost",
]


@pytest.mark.parametrize("kind", ["toolkit", None])
@pytest.mark.parametrize("url", PLAIN)
def test_an_hf_token_crosses_no_network_in_the_clear(ask: Ask, url: str, kind: Any) -> None:
    server = Script(httpx.Response(200, json=[{"summary_text": "s"}]))
    with pytest.raises(errors.ConfigurationError, match="does not go over plain http to") as caught:
        ask(server, lambda hf: hf.endpoint(url, server=kind).summarization("x"))
    assert caught.value.hint == "Use https, or pass token=False, or the server's own key, which may go there"
    assert TOKEN not in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize("url", HERE)
def test_an_hf_token_goes_to_this_machine(url: str) -> None:
    assert authorization(find_token(TOKEN), url) == f"Bearer {TOKEN}"


@pytest.mark.parametrize("url", PLAIN)
def test_keys_of_ones_own_go_where_they_are_sent(url: str) -> None:
    assert authorization(find_token("own-key"), url) == "Bearer own-key"
    assert authorization(None, url) is None


@pytest.mark.parametrize("url", PLAIN)
def test_an_ambient_token_stays_as_it_is(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HF_TOKEN", AMBIENT)
    assert authorization(find_token(), url) is None
