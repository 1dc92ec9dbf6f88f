"""What the tools of a toolkit share: clients, store, policy, models, budget, what was used and what failed."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

from langchain_core.runnables.config import ensure_config

from hf_tools import Response, local
from hf_tools.media.policy import MediaPolicy
from hf_tools.media.store import MediaStore
from langchain_hf_tools._connecting.clients import Clients
from langchain_hf_tools._tools.catalogued import IMAGE_CHAT, task
from langchain_hf_tools._tools.models import UNSERVED, served
from langchain_hf_tools.budgets import Budget, BudgetSpent, Usage

Models: TypeAlias = Mapping[str, str | Sequence[str]]
REMEMBERED = 256
"""Failing calls that are kept in mind."""
UNPICKLED = "{} cannot be pickled: its store, budget and connections are of this process. Make one where it is used"
"""What is told where a tool would go to another process."""


class Attempts:
    """Counts calls that fail again and again with the same arguments, for each conversation."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def failed(self, key: str) -> int:
        """How often this call has failed by now, one after the other."""
        with self._lock:
            self._counts[key] = count = self._counts.pop(key, 0) + 1
            while len(self._counts) > REMEMBERED:
                self._counts.popitem(last=False)
            return count

    def worked(self, key: str) -> None:
        """The call has worked: earlier failures do not count any more."""
        with self._lock:
            self._counts.pop(key, None)


def key(thread: object, tool: str, arguments: Mapping[str, Any]) -> str:
    """One short text for a call in a conversation."""
    text = json.dumps([str(thread), tool, arguments], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def conversation() -> object:
    """The thread of the run that this call is a part of; None where it has none."""
    return (ensure_config().get("configurable") or {}).get("thread_id")


@dataclass
class Bench:
    """The common ground of tools; copies of tools stay on it."""

    clients: Clients
    store: MediaStore
    policy: MediaPolicy
    models: Models = field(default_factory=lambda: dict[str, str | Sequence[str]]())
    budget: Budget = field(default_factory=Budget)
    previews: bool = False
    expose_model: bool = False
    usage: Usage = field(default_factory=Usage)
    attempts: Attempts = field(default_factory=Attempts)

    def __post_init__(self) -> None:
        self.models = {name.replace("-", "_"): choice for name, choice in self.models.items()}

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    @property
    def local(self) -> bool:
        """Whether the embedded backend answers."""
        return self.clients.known.provider == "local"

    def choices(self, name: str) -> tuple[str, ...]:
        """The models that the developer named for a task; the first is the default."""
        given = self.models.get(name, ())
        return (given,) if isinstance(given, str) else tuple(given)

    def serves(self, name: str) -> bool:
        """Whether somebody answers for a task: `name` is that of its method, or IMAGE_CHAT."""
        client, kind = self.clients.known, task(name)
        if self.local:
            return name != IMAGE_CHAT and kind.name in local.TASKS
        if self.choices(name) or client.model or client.url:
            return True
        return served(name, client.provider) is not None

    def model(self, name: str) -> str | None:
        """The model for a task: the developer's, else the client's own (None), else the default of the table."""
        client = self.clients.known
        if found := self.choices(name):
            return found[0]
        if client.model or client.url or self.local:
            return None
        row = served(name, client.provider)
        return row.model if row else None

    @contextmanager
    def counted(self, tool: str) -> Generator[Callable[[Response[Any]], None]]:
        """Count a request of a tool and the answer that is handed in; BudgetSpent where it may not be sent."""
        if said := self.budget.take(tool):
            raise BudgetSpent(said)
        start, tokens = time.monotonic(), dict[str, Any]()
        came: list[Response[Any]] = []
        try:
            yield came.append
        finally:
            seconds = time.monotonic() - start
            if came and (usage := getattr(came[0].answer, "usage", None)) is not None:
                tokens = usage.model_dump()
            self.budget.waited(seconds)
            self.usage.add(tool, seconds, failed=not came, tokens=tokens)

    def unserved(self, name: str) -> str | None:
        """What a developer is told of a task that nobody serves; None where somebody does."""
        if self.serves(name):
            return None
        if self.local:
            return f"The embedded backend has no model for {name}"
        return UNSERVED.get(name, f'No model is known here for {name}: name one in models={{"{name}": ...}}')
