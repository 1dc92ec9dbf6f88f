"""Options: what they refuse, and what they mean."""

from __future__ import annotations

from typing import Any

import pytest

from hf_tools import HfInference, Options, Timeout, errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "`timeout` = 0: must be a number of seconds above 0 and up to 10,000,000, or None"),
        ({"timeout": -1.5}, "`timeout` = -1.5"),
        ({"timeout": float("nan")}, "`timeout` = nan"),
        ({"timeout": True}, "`timeout` = True"),
        ({"timeout": "3"}, "`timeout` = '3'"),
        ({"max_retries": -1}, "`max_retries` = -1: must be a whole number from 0 to 10"),
        ({"max_retries": 11}, "`max_retries` = 11"),
        ({"max_retries": 1.5}, "`max_retries` = 1.5"),
        ({"max_retries": True}, "`max_retries` = True"),
        ({"extra_headers": {"X-A": "b\r\nX-Evil: 1"}}, "the header X-A has characters"),
        ({"extra_headers": {"X A": "b"}}, "the header X A has characters"),
        ({"extra_headers": {"X-A": "ä"}}, "the header X-A has characters"),
        ({"timeout": float("inf")}, "`timeout` = inf"),
        ({"timeout": 10**400}, "`timeout` = 1000"),
        ({"timeout": 1e300}, "`timeout` = 1e+300"),
        ({"extra_headers": None}, "`extra_headers` must be a mapping"),
        ({"extra_headers": {5: "a"}}, "the header 5 and its value must be text"),
        ({"extra_headers": {"X": 5}}, "the header 'X' and its value must be text"),
        ({"bill_to": 5}, "the header 'X-HF-Bill-To' and its value must be text"),
        ({"bill_to": "me\r\nX-Evil: 1"}, "the header X-HF-Bill-To has characters"),
    ],
)
def test_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(errors.ConfigurationError) as caught:
        Options(**options)
    assert message in str(caught.value)


def test_a_timeout_refuses_too() -> None:
    with pytest.raises(errors.ConfigurationError, match=r"`timeout\.read` = 0"):
        Timeout(read=0)


def test_total_and_waits() -> None:
    assert Options().total(120) == 120
    assert Options().total(None) is None
    assert Options(timeout=7).total(120) == 7
    assert Options(timeout=Timeout(read=3)).total(120) == 120
    assert Options(timeout=Timeout(total=5)).total(120) == 5
    assert Options(timeout=Timeout(read=3)).waits().read == 3
    assert Options(timeout=7).waits(stream=True) == Timeout()
    assert Options(timeout=7).waits() == Timeout(read=None)
    assert Options(timeout=Timeout(total=None)).total(120) is None


def test_attempts() -> None:
    assert Options().attempts == 3
    assert Options(retry_on_error=False).attempts == 1
    assert Options(max_retries=0).attempts == 1


def test_with_options() -> None:
    hf = HfInference(False, model="gpt2")
    other = hf.with_options(timeout=3, max_retries=0)
    assert (other.options.timeout, other.options.max_retries) == (3, 0)
    assert (hf.options.timeout, hf.options.max_retries) == (None, 2)
    assert other._http is hf._http  # pyright: ignore[reportPrivateUsage]
    assert "gpt2" in repr(other)
    with pytest.raises(errors.InputError, match="no such option: retries") as caught:
        hf.with_options(retries=3)
    assert "max_retries" in str(caught.value)


def test_options_must_be_options() -> None:
    wrong: Any = {"timeout": 3}
    with pytest.raises(errors.ConfigurationError, match="`options` must be an Options, got dict"):
        HfInference(options=wrong)


def test_a_timeout_without_sense() -> None:
    wrong: Any = "soon"
    with pytest.raises(errors.ConfigurationError, match=r"`timeout\.total` = 'soon'"):
        Timeout(total=wrong)


def test_extra_headers_are_not_shown() -> None:
    assert "secret" not in repr(Options(extra_headers={"X-Key": "secret"}))
