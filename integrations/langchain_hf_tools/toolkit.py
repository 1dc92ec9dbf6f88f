"""Inference tasks as a set of tools that share clients, media, models and a budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, cast

from langchain_core.tools import BaseTool, BaseToolkit
from pydantic import ConfigDict, Field

from hf_tools import AsyncHfInference, HfInference
from hf_tools.errors import HfError, InputError, shown
from hf_tools.media import Image, Media, Text
from hf_tools.media.content import typed
from hf_tools.media.policy import MediaPolicy
from hf_tools.media.sniff import TEXTS
from hf_tools.media.source import Source
from hf_tools.media.sources import PilImage, source
from hf_tools.media.store import MediaRef, MediaStore
from langchain_hf_tools._connecting.checked import Checked
from langchain_hf_tools._connecting.clients import Clients
from langchain_hf_tools._tools.bench import UNPICKLED, Bench, Models
from langchain_hf_tools._tools.choosing import PRESETS, ability_of, bare, check_budget, made_bench
from langchain_hf_tools._tools.core import CORE
from langchain_hf_tools._tools.costs import CLASSES, CostClass
from langchain_hf_tools._tools.mediahelp import SAVE, VIEW
from langchain_hf_tools.budgets import Budget, Usage
from langchain_hf_tools.tools import HfInferenceTool, named


class HfInferenceToolkit(Checked, BaseToolkit):
    """Tools for agents; all of them share one client, and one for async calls with the same settings.

    HfInferenceToolkit(HfInference(provider="local")).get_tools()

    Without a client the token comes from HF_TOKEN or the login file. `preset`: "core" (at most eight tools, each for
    what users ask for; what nobody serves is left out), "all" (one for each task), "dynamic" (find, read about and run
    any task), or another of `PRESETS`; `tasks` names tools one by one instead. `models`: the model for a task by the
    name of its method, or several to choose from. `store` holds media (in memory, 256 MiB, unless given), `media` says
    which a model may name besides handles and small data: URIs. `budget` limits requests. `prefix` begins the names.
    `expose_model` lets the model choose among models of the Hub by their ID. `previews` puts small copies of pictures
    into results, for chat models that see. InputError for wrong arguments.

    A toolkit is for one user, or for one conversation: whoever talks to its agent can list all media of the store and
    spends the budget. Toolkits of several users may share a client. It cannot be pickled.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    names: tuple[str, ...] = ()
    """The tools, without the prefix."""
    prefix: str = "hf_"
    """How the names of the tools begin."""
    bench: Bench = Field(exclude=True, repr=False)
    """What the tools share."""

    def __init__(
        self,
        client: HfInference | None = None,
        *,
        async_client: AsyncHfInference | None = None,
        preset: str = "core",
        tasks: Iterable[str] | None = None,
        models: Models | None = None,
        store: MediaStore | None = None,
        media: MediaPolicy | None = None,
        budget: Budget | None = None,
        prefix: str = "hf_",
        expose_model: bool = False,
        previews: bool = False,
    ) -> None:
        clients = Clients(client, async_client)
        bench = made_bench(clients, store, media, budget, _checked(models), expose_model, previews)
        names = _names(preset, tasks, bench)
        for name in names:
            named(prefix, ability_of(name, bench).name)
        check_budget(bench.budget, prefix)
        fields: dict[str, Any] = {"names": names, "prefix": prefix, "bench": bench}
        super().__init__(**fields)

    def _changes(self, update: Mapping[str, Any]) -> dict[str, Any]:
        if unknown := update.keys() - {"prefix"}:
            raise InputError(
                f"`{shown(min(unknown), 60)}`: a copy of a toolkit can have another `prefix`, the rest is shared",
                hint="Make another HfInferenceToolkit",
            )
        for name in self.names:
            named(update["prefix"], name)
        return dict(update)

    def __reduce__(self) -> NoReturn:
        raise TypeError(UNPICKLED.format("HfInferenceToolkit"))

    @property
    def store(self) -> MediaStore:
        """The media that the tools made, and those that were added."""
        return self.bench.store

    @property
    def usage(self) -> Usage:
        """What the tools have used so far."""
        return self.bench.usage

    def get_tools(self) -> list[BaseTool]:
        """The tools, each named by the prefix and the name of its task; those outside of "core" may be deferred."""
        core = {each.name for each in CORE}
        made: list[BaseTool] = []
        for name in self.names:
            extras = None if name in core else {"defer_loading": True}
            made.append(HfInferenceTool(name, bench=self.bench, prefix=self.prefix, extras=extras))
        return made

    def add_media(self, value: object, *, name: str | None = None) -> MediaRef:
        """Give the tools a medium of the user's: bytes, a path, a URL, a data: URI, a file object or a PIL image.

        The model may name it by the handle that is returned, or by `name`; a path has the name of its file. MediaError
        where it cannot be read. Blocks; what you pass is read as it is, the policy is for what models write.
        """
        try:
            given = source(Image if isinstance(value, PilImage) else Media, value)
        except HfError:
            raise
        except ValueError as error:
            raise InputError(f"`value`: {error}") from error
        if isinstance(given, Source):
            name = name or (given.path.name if given.path else None)
            given = self.bench.clients.blocking.load(given)
        found = typed(given, "the media")
        ending = (name or "").rpartition(".")[2].lower()
        kind = next((mime for mime, known in TEXTS.items() if known == ending), None)
        return self.store.put(Text(found.data, kind) if isinstance(found, Text) and kind else found, name=name)

    def interrupt_on(self, at_least: CostClass = "moderate") -> dict[str, Any]:
        """For HumanInTheLoopMiddleware: tools that cost at least so much, or write files, ask before they run."""
        if at_least not in CLASSES:
            raise InputError(f"`at_least` = {shown(repr(at_least), 60)}: must be one of {', '.join(CLASSES)}")
        costly = CLASSES[CLASSES.index(at_least) :]
        return {
            tool.name: {"allowed_decisions": ["approve", "edit", "reject"], "description": _asks(tool)}
            for tool in self.get_tools()
            if (tool.metadata or {})["cost_class"] in costly or tool.name == f"{self.prefix}{SAVE.name}"
        }


def _checked(models: object) -> Models:
    """The models by task; InputError for what is no mapping to IDs."""
    if not isinstance(models, Mapping | None):
        raise InputError(f"`models` ({type(models).__name__}): must be a mapping of tasks to IDs of models")
    for name, choice in (found := cast("Models", models or {})).items():
        if not isinstance(cast(object, choice), Sequence):
            raise InputError(f"`models`: {shown(name, 60)} must be the ID of a model, or several")
    return found


def _names(preset: str, tasks: Iterable[str] | None, bench: Bench) -> tuple[str, ...]:
    """The names of the tools: those that were asked for, else those of the preset that somebody serves."""
    opened = [*([SAVE.name] if bench.policy.out else []), *([VIEW.name] if bench.previews else [])]
    if tasks is not None:
        listed = isinstance(cast(object, tasks), Iterable) and not isinstance(tasks, str)
        named: list[Any] = list(tasks) if listed else [tasks]
        if not listed or not all(isinstance(each, str) for each in named):
            raise InputError(f"`tasks` = {shown(repr(tasks), 60)}: must be a list of names of tasks or tools")
        return tuple(dict.fromkeys([*map(bare, named), *opened]))
    if not isinstance(cast(object, preset), str) or preset not in PRESETS:
        raise InputError(f"`preset` = {shown(repr(preset), 60)}: must be one of {', '.join(PRESETS)}")
    served = {each.name for each in CORE if each.on(bench)}
    names = [name for name in PRESETS[preset] if preset != "core" or name in served]
    return tuple(dict.fromkeys([*names, *opened]))


def _asks(tool: BaseTool) -> Any:
    """Writes what a person is asked."""

    def description(tool_call: Mapping[str, Any], _state: Any, _runtime: Any) -> str:
        about = tool.metadata or {}
        costs = (
            f"{about['cost_class']}, up to {about['max_seconds']:.0f} s" if about["max_seconds"] else "writes a file"
        )
        given = "\n".join(f"{shown(name, 60)}: {shown(value, 500)}" for name, value in tool_call["args"].items())
        return f"{tool.name} ({costs})\n{given}"

    return description


__all__ = ["PRESETS", "HfInferenceToolkit"]
