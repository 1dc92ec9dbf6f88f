"""Engines that the whole process shares: started for the first holder, stopped after the last one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from hf_tools.errors import ClientClosed


class Engine(Protocol):
    """Something that computes and can be stopped."""

    def stop(self) -> None:
        """Free what the engine holds; called once."""

    def abandon(self) -> None:
        """In a forked child: let go of what was copied, without stopping the parent's engine."""


E = TypeVar("E", bound=Engine)


class _State:
    # One lock for everything here, so that a fork has one lock to replace. Re-entrant, because a garbage collection
    # inside the locked region may run the finalizer of another holder.
    lock = threading.RLock()
    generation = 0
    shares: ClassVar[list[Shared[Any]]] = []
    # Kept for ever: a parent's engine must not be destroyed by its child.
    abandoned: ClassVar[list[Any]] = []


class Shared(Generic[E]):
    """At most one engine of a kind in this process, and how many hold it."""

    def __init__(self, start: Callable[[], E]) -> None:
        self._start = start
        self.engine: E | None = None
        self.holders = 0
        _State.shares.append(self)

    def take(self) -> E:
        """The engine, started for the first holder while others wait; raises what the start raises."""
        with _State.lock:
            self.holders += 1
            try:
                if self.engine is None:
                    self.engine = self._start()
            except BaseException:
                self.holders -= 1
                raise
            return self.engine

    def give_back(self) -> None:
        """End one hold; the last one stops the engine before this returns."""
        with _State.lock:
            self.holders -= 1
            if self.holders or self.engine is None:
                return
            engine, self.engine = self.engine, None
            engine.stop()

    def abandon(self) -> None:
        """Forget the engine in a forked child: it is the parent's."""
        if self.engine is not None:
            self.engine.abandon()
            _State.abandoned.append(self.engine)
        self.engine = None
        self.holders = 0


class Holder:
    """The engines that one transport holds; each is taken on first use and given back on close."""

    def __init__(self) -> None:
        self._held: dict[Shared[Any], tuple[int, Any]] = {}
        self.closed = False

    def check(self) -> None:
        """Raise ClientClosed after close."""
        if self.closed:
            raise ClientClosed("This client of the embedded backend is closed", hint="Make a new one")

    def ready(self, share: Shared[E]) -> E | None:
        """The engine if this holder has it already, without waiting; raises ClientClosed after close."""
        self.check()
        generation, engine = self._held.get(share, (None, None))
        return engine if generation == _State.generation else None

    def engine(self, share: Shared[E]) -> E:
        """The engine, taken on first use; in a forked child taken anew."""
        if (engine := self.ready(share)) is not None:
            return engine
        with _State.lock:
            if (engine := self.ready(share)) is not None:
                return engine
            taken = share.take()
            self._held[share] = _State.generation, taken
            return taken

    def close(self) -> None:
        """Give everything back; a second call does nothing."""
        with _State.lock:
            self.closed = True
            held, self._held = self._held, {}
            for share, (generation, _) in held.items():
                if generation == _State.generation:
                    share.give_back()


def _in_child() -> None:
    _State.lock = threading.RLock()
    _State.generation += 1
    for share in _State.shares:
        share.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
