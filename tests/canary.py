"""A token that stands in the environment of every test, and a watch for it: it may go to Hugging Face and nowhere else.

The watch looks at what a test shows and sends: its report (failures, captured output and log), every log record and
warning that is made, the exceptions that it catches with their tracebacks, the text and repr of our errors, the repr of
every client and model that it makes, pickles, the requests of httpx and httpcore, and at the end the files that the
tests wrote. Subprocesses are seen by what they print into a test. Who finds the token where it may not be fails it.
"""

from __future__ import annotations

import functools
import logging
import pickle
import sys
import traceback
import warnings
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from hf_tools import client, errors
from hf_tools.auth import of_hugging_face

CANARY = "hf_" + "CANARY" * 4
"""It looks like a token of Hugging Face's and is none."""
ELSEWHERE = frozenset([
    "test_the_environment", "test_the_login_file", "test_a_key_is_found", "test_without_any_there_is_none",
    "test_a_wrong_key_in_the_environment_is_named", "test_a_key_that_was_found_goes_to_hugging_face_only",
    "test_without_a_token_it_is_skipped", "test_it_runs_as_a_script",
])  # fmt: skip
"""Tests of where tokens are found, and of what is done without one: HF_TOKEN would go before those that they set."""
LARGEST = 1_000_000
"""Bytes of a file that is read at the end."""


def holds(value: object) -> bool:
    """Whether the canary is in a text, in bytes, or in the text of anything else."""
    if isinstance(value, bytes | bytearray):
        return CANARY.encode() in value
    return CANARY in (value if isinstance(value, str) else repr(value))


def of_exception(error: BaseException) -> str:
    """All that could be shown of an exception: its traceback with causes, its fields and arguments."""
    try:
        lines = traceback.format_exception(error)
        return "".join([*lines, repr(error), str(error), repr(error.args), repr(vars(error))])
    except Exception:  # made to be unshowable on purpose
        return ""


def astray(request: httpx.Request | httpcore.Request) -> str | None:
    """Where in a request the canary is and may not be."""
    if isinstance(request, httpx.Request):
        url, content, headers = request.url, getattr(request, "_content", b""), request.headers.raw
    else:
        asked, headers = request.url, request.headers
        url = httpx.URL(scheme=asked.scheme.decode(), host=asked.host.decode(), port=asked.port, raw_path=asked.target)
        content = getattr(request.stream, "_content", None) or getattr(request.stream, "_stream", b"")
    if holds(str(url)) or holds(content):
        return f"the request to {url.host}"
    for name, value in headers:
        if holds(value) and not (name.lower() == b"authorization" and of_hugging_face(str(url))):
            return f"the header {name.decode()} to {url.host}"
    return None


def scan(folder: Path) -> list[str]:
    """The files below a folder that hold it."""
    files = [path for path in folder.rglob("*") if not path.is_symlink() and path.is_file()]
    return [str(path.relative_to(folder)) for path in files if path.stat().st_size < LARGEST and holds(_bytes(path))]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # made unreadable on purpose
        return b""


class Watch:
    """Plugin of pytest: looks, and fails the test that was running."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        """Where the canary was in the test that is running."""
        self.looked = 0
        """How much was looked at: a watch that sees nothing finds nothing."""

    def look(self, where: str, value: object) -> None:
        """Note a place that shows the canary."""
        self.looked += 1
        if holds(value):
            self.seen.append(where)

    def start(self, config: pytest.Config) -> None:
        """Look until the end of the session."""
        patch = pytest.MonkeyPatch()
        config.add_cleanup(patch.undo)
        config.pluginmanager.register(self, "canary")
        patch.setattr(logging, "_logRecordFactory", self.recording(logging.getLogRecordFactory()))
        patch.setattr(pickle, "dumps", self.dumping(pickle.dumps))
        self.after(
            patch, warnings.WarningMessage, "__init__", lambda made, _: self.look("a warning", str(made.message))
        )
        self.after(patch, errors.HfError, "__str__", lambda _, text: self.look("the text of an error", text))
        caught: Any = pytest.ExceptionInfo
        self.after(patch, caught, "fill_unfilled", lambda info, _: self.look("an exception", of_exception(info.value)))
        for made in (client.HfInference, client.HfInferenceEndpoint):
            self.after(patch, made, "__init__", self.shown)
        for awaiting in (client.AsyncHfInference, client.AsyncHfInferenceEndpoint):
            self.after(patch, awaiting, "__init__", self.shown)
        self.before(patch, httpx.Client, "send", self.sent)
        self.before(patch, httpx.AsyncClient, "send", self.sent)
        self.before(patch, httpcore.ConnectionPool, "handle_request", self.sent)
        self.before(patch, httpcore.AsyncConnectionPool, "handle_async_request", self.sent)
        self._patch = patch

    def pytest_collection_finish(self) -> None:
        """Watch the models, where tests have imported them: that takes a second."""
        connection = sys.modules.get("langchain_hf_tools._connecting.connection")
        if connection is not None:
            self.after(self._patch, connection.Connection, "__init__", self.shown)

    def recording(self, factory: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
        """Look at each log record."""

        def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
            made = factory(*args, **kwargs)
            error = made.exc_info[1] if made.exc_info else None
            text = of_exception(error) if error else ""
            self.look(f"a log record of {made.name}", f"{made.msg!r} {made.args!r} {text}")
            return made

        return record

    def dumping(self, dumps: Callable[..., bytes]) -> Callable[..., bytes]:
        """Look at each pickle."""

        def dumped(*args: Any, **kwargs: Any) -> bytes:
            content = dumps(*args, **kwargs)
            self.look("a pickle", content)
            return content

        return dumped

    def shown(self, made: Any, _: Any) -> None:
        """Look at how a client or model shows itself."""
        self.look(f"the repr of {type(made).__name__}", f"{made!r} {made!s}")

    def sent(self, _: Any, request: httpx.Request | httpcore.Request) -> None:
        """Look at a request before it is sent."""
        self.looked += 1
        where = astray(request)
        if where:
            self.seen.append(where)

    def after(self, patch: pytest.MonkeyPatch, owner: Any, name: str, look: Callable[[Any, Any], None]) -> None:
        """Look at an object and a result after each call of a method."""
        original = getattr(owner, name)

        @functools.wraps(original)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(self, *args, **kwargs)
            look(self, result)
            return result

        patch.setattr(owner, name, call)

    def before(self, patch: pytest.MonkeyPatch, owner: Any, name: str, look: Callable[[Any, Any], None]) -> None:
        """Look at an object and its first argument before each call of a method."""
        original = getattr(owner, name)

        @functools.wraps(original)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            look(self, next(iter([*args, *kwargs.values()])))
            return original(self, *args, **kwargs)

        patch.setattr(owner, name, call)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail what shows it; with the report itself looked at."""
        report = yield
        for title, text in report.sections:
            self.look(title, text)
        if report.longrepr is not None:
            self.look("the failure", str(report.longrepr))
        if self.seen:
            places, self.seen = ", ".join(dict.fromkeys(self.seen)), []
            report.outcome, report.longrepr, report.sections = "failed", f"the canary token was in {places}", []
        return report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look into the files that the tests have left."""
        folder: Any = getattr(session.config, "_tmp_path_factory", None)
        found = scan(folder.getbasetemp()) if folder is not None else []
        if found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
            if reporter is not None:
                reporter.write_line(f"the canary token was in files of the tests: {', '.join(found)}", red=True)
