"""Tasks as methods of a client: `client.summarization("...")` runs `Summarization("...")`, typed by the task alone."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, overload

from hf_tools.task import Out, Part, Streamed, Task, build

if TYPE_CHECKING:
    from hf_tools.client import AsyncHfInference, HfInference
    from hf_tools.streams import AsyncStream, Stream

P = ParamSpec("P")
Q = ParamSpec("Q")
Out2 = TypeVar("Out2")
Out_co = TypeVar("Out_co", covariant=True)
Out2_co = TypeVar("Out2_co", covariant=True)


@functools.cache
def signature(task: Any) -> inspect.Signature:
    """The signature of a task's method, without the machinery of a constructor."""
    build(task)
    return inspect.signature(task).replace(return_annotation=inspect.Signature.empty)


@functools.cache
def joint_signature(task: Any, other: Any) -> inspect.Signature:
    """The signature of a method with two forms; what only the other form takes is optional."""
    found, more = dict(signature(task).parameters), signature(other).parameters
    for name, each in more.items():
        if name not in found:
            found[name] = each.replace(default=None, annotation=f"{each.annotation} | None")
        elif found[name].annotation != each.annotation:
            found[name] = found[name].replace(annotation=f"{found[name].annotation} | {each.annotation}")
    return inspect.Signature([*found.values()])


def _named(run: Any, name: str, task: Any, shape: inspect.Signature) -> Any:
    run.__name__ = run.__qualname__ = name
    run.__doc__ = task.__doc__
    run.__signature__ = shape
    return run


class method(Generic[P, Out]):  # noqa: N801 - reads as a decorator does
    """A task as a method."""

    def __init__(self, task: Callable[[], Callable[P, Task[Out]]]) -> None:
        self._task = task

    @functools.cached_property
    def task(self) -> Any:
        """The class of the task; loads its module."""
        return self._task()

    def __set_name__(self, owner: object, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, client: None, owner: object) -> method[P, Out]: ...
    @overload
    def __get__(self, client: HfInference, owner: object) -> Callable[P, Out]: ...
    # None, None: with Any there, mypy takes a gather of calls with different answers for Any
    @overload
    def __get__(self, client: AsyncHfInference, owner: object) -> Callable[P, Coroutine[None, None, Out]]: ...
    def __get__(self, client: HfInference | AsyncHfInference | None, owner: object) -> object:
        if client is None:
            return self

        def run(*args: P.args, **kwargs: P.kwargs) -> object:
            return client.run(self.task(*args, **kwargs))

        return _named(run, self.name, self.task, signature(self.task))


class stream(Generic[P, Out, Part]):  # noqa: N801
    """A task that streams as a method."""

    def __init__(self, task: Callable[[], Callable[P, Streamed[Out, Part]]]) -> None:
        self._task = task

    @functools.cached_property
    def task(self) -> Any:
        """The class of the task; loads its module."""
        return self._task()

    def __set_name__(self, owner: object, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, client: None, owner: object) -> stream[P, Out, Part]: ...
    @overload
    def __get__(self, client: HfInference, owner: object) -> Callable[P, Stream[Out, Part]]: ...
    @overload
    def __get__(self, client: AsyncHfInference, owner: object) -> Callable[P, AsyncStream[Out, Part]]: ...
    def __get__(self, client: HfInference | AsyncHfInference | None, owner: object) -> object:
        if client is None:
            return self

        def run(*args: P.args, **kwargs: P.kwargs) -> object:
            return client.stream(self.task(*args, **kwargs))

        return _named(run, self.name, self.task, signature(self.task))


class Either(Protocol[P, Out_co, Q, Out2_co]):
    """A method with two forms, each with its own answer."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Out_co: ...
    @overload
    def __call__(self, *args: Q.args, **kwargs: Q.kwargs) -> Out2_co: ...


def is_batch(task: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """The first argument is a list."""
    first = args[0] if args else kwargs.get(next(iter(signature(task).parameters)))
    return isinstance(first, list | tuple)


def _without_none(kind: Any, rest: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments for one form: None for a parameter that only the other one has asks for nothing."""
    others = signature(rest).parameters.keys() - signature(kind).parameters.keys()
    return {name: value for name, value in kwargs.items() if value is not None or name not in others}


def has_top_k(_task: Any, _args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Several answers are asked for."""
    return kwargs.get("top_k") is not None


class either(Generic[P, Out, Q, Out2]):  # noqa: N801
    """Two forms of a task as one method: one input gives one answer, `other` a list of them."""

    def __init__(
        self,
        task: Callable[[], Callable[P, Task[Out]]],
        other: Callable[[], Callable[Q, Task[Out2]]],
        when: Callable[[Any, tuple[Any, ...], Mapping[str, Any]], bool] = is_batch,
    ) -> None:
        self._task, self._other = task, other
        self._when = when

    @functools.cached_property
    def task(self) -> Any:
        """The class of the task; loads its module."""
        return self._task()

    @functools.cached_property
    def other(self) -> Any:
        """The class of the other form."""
        return self._other()

    def __set_name__(self, owner: object, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, client: None, owner: object) -> either[P, Out, Q, Out2]: ...
    @overload
    def __get__(self, client: HfInference, owner: object) -> Either[P, Out, Q, Out2]: ...
    @overload
    def __get__(
        self, client: AsyncHfInference, owner: object
    ) -> Either[P, Coroutine[None, None, Out], Q, Coroutine[None, None, Out2]]: ...
    def __get__(self, client: HfInference | AsyncHfInference | None, owner: object) -> object:
        if client is None:
            return self

        def run(*args: Any, **kwargs: Any) -> object:
            kind, rest = (self.task, self.other)
            if self._when(self.task, args, kwargs):
                kind, rest = rest, kind
            return client.run(kind(*args, **_without_none(kind, rest, kwargs)))

        return _named(run, self.name, self.task, joint_signature(self.task, self.other))
