"""The parser of one task's command line, and what stands on it."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from hf_tools.catalogue import streams
from hf_tools.cli.flags import Flag, flags_of, forms
from hf_tools.cli.saving import Gives, gives

METAVARS = {"media": "FILE", "table": "FILE", "json": "JSON", "int": "N", "float": "NUMBER"}
EXAMPLES = {
    "messages": '"What is a quay?"',
    "question": '"Who built the tower?"',
    "context": "@page.txt",
    "query": '"Which city has a harbour?"',
    "sentence": '"A ship is in port"',
    "other_sentences": '"A boat lies at the quay" "The sun shines"',
    "texts": '"The tower is old" "The harbour is deep"',
    "candidate_labels": "travel cooking",
    "prompt": '"A lighthouse at dusk"',
    "image": "photo.jpg",
    "audio": "speech.flac",
    "video": "film.mp4",
    "table": "cities.csv",
}
"""What stands for each input in the example of a task; any other is a text."""
HOW = """\
A TEXT is the text itself, @FILE or - (standard input). Media are a path, a URL, a data: URI or -. A table is a CSV file
whose first line names the columns, a JSON file or -. One input that is missing is read from standard input. JSON may be
@FILE too. Flags that take several values are repeated: --stop a --stop b. The token is that of HF_TOKEN or of the
login file."""


@dataclass(slots=True)
class Line:
    """A command line that was read: what stands for each flag, and the command's own options."""

    own: argparse.Namespace
    given: dict[str, list[str]] = field(default_factory=lambda: dict[str, list[str]]())
    """What was written for a field, once or several times."""
    typed: dict[str, Any] = field(default_factory=lambda: dict[str, Any]())
    """Numbers and bools, which the parser has read."""
    missing: list[Flag] = field(default_factory=lambda: list[Flag]())
    """Inputs that are required and not there."""


class Command:
    """One task on the command line."""

    def __init__(self, task: str) -> None:
        self.task = task
        self.flags = flags_of(task)
        self.gives: Gives | None = gives(forms(task)[0])
        self.parser = self._parser()

    @property
    def inputs(self) -> list[Flag]:
        """What may be given by position."""
        return [flag for flag in self.flags if flag.positional]

    @property
    def example(self) -> str:
        """A command line that works."""
        words = [EXAMPLES.get(flag.name, '"It was a bright day"') for flag in self.inputs if _shown(flag, self.inputs)]
        out = [f"-o {self.gives.file}"] if self.gives else []
        return " ".join(["hf-tools run", self.task, *words, *out])

    def wrong(self, message: str) -> NoReturn:
        """End with a usage error: the usage, what is wrong, an example."""
        self.parser.error(f"{message}\nexample: {self.example}")

    def read(self, argv: Sequence[str]) -> Line:
        """What a command line says; ends with exit code 2 where it is wrong."""
        head, tail = _split(argv)
        own, rest = self.parser.parse_known_args(head)
        for word in rest:
            if _is_option(word):
                self._unknown(word)
        line = Line(own)
        for flag in self.flags:
            self._take(flag, line)
        self._distribute([*rest, *tail], line)
        line.missing = [flag for flag in self.inputs if flag.required and flag.name not in line.given]
        return line

    def _take(self, flag: Flag, line: Line) -> None:
        value = getattr(line.own, flag.name, None)
        if flag.kind in ("int", "float", "bool") and value is not None:
            line.typed[flag.name] = value
        elif value is not None:
            line.given[flag.name] = value if isinstance(value, list) else [value]

    def _distribute(self, words: list[str], line: Line) -> None:
        """Give each input that was not named its place; the last takes what is left, if it can take several."""
        free = [flag for flag in self.inputs if flag.name not in line.given]
        for place, flag in enumerate(free):
            count = len(words) if flag.many and place == len(free) - 1 else 1
            if words:
                line.given[flag.name], words = words[:count], words[count:]
        if words:
            self.wrong(f"{len(words)} too many: {words[0]!r}; a text of several words needs quotes around it")

    def _unknown(self, word: str) -> NoReturn:
        name = word.partition("=")[0]
        known = [option for action in self.parser._actions for option in action.option_strings]
        near = difflib.get_close_matches(name.replace("_", "-"), known, 1)
        self.wrong(f"no flag {name}" + (f"; did you mean {near[0]}?" if near else ""))

    def _parser(self) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(
            prog=f"hf-tools run {self.task}",
            usage=" ".join([f"hf-tools run {self.task} [options]", *map(_usage, self.inputs)]),
            description=" ".join((forms(self.task)[0].__doc__ or "").split()),
            epilog=f"example: {self.example}\n\n{HOW}",
            formatter_class=_Help,
            allow_abbrev=False,
        )
        inputs = parser.add_argument_group("inputs, by position or by name")
        others = parser.add_argument_group("parameters; what is left out is not sent")
        asked = parser.add_argument_group("who is asked")
        for flag in self.flags:
            _add(asked if flag.name == "model" else inputs if flag.positional else others, flag)
        if self.task == "chat_completion":
            inputs.add_argument("--system", metavar="TEXT", help="what the model is told before the conversation")
        _add_asked(asked)
        _add_output(parser.add_argument_group("output"), self.gives, streams(self.task))
        return parser


class _Help(argparse.HelpFormatter):
    """Help whose epilog keeps its lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        return "\n\n".join(fill(part, width, indent) for part in text.split("\n\n"))


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before and after `--`, behind which nothing is a flag."""
    place = argv.index("--") if "--" in argv else len(argv)
    return [*argv[:place]], [*argv[place + 1 :]]


def _is_option(word: str) -> bool:
    """As argparse sees it: a text with a blank, a number and `-` are none."""
    return word.startswith("-") and word != "-" and " " not in word and not re.fullmatch(r"-\d+|-\d*\.\d+", word)


def _shown(flag: Flag, inputs: Sequence[Flag]) -> bool:
    """Whether an example has it: what is required, and an input of a task that requires none."""
    return flag.required or not any(each.required for each in inputs)


def _usage(flag: Flag) -> str:
    word = f"{flag.name.upper()} ..." if flag.many else flag.name.upper()
    return word if flag.required else f"[{word}]"


def _add(group: Any, flag: Flag) -> None:
    about = flag.about.replace("%", "%%")
    settings: dict[str, Any] = {"dest": flag.name, "default": None, "help": about}
    if flag.kind == "bool":
        settings["action"] = argparse.BooleanOptionalAction
    elif flag.kind in ("int", "float"):
        settings |= {"type": int if flag.kind == "int" else float, "metavar": METAVARS[flag.kind]}
    elif flag.kind == "choice":
        settings["choices"] = flag.choices
    else:
        word = "MODEL" if flag.name == "model" else METAVARS.get(flag.kind, "TEXT")
        settings |= {"metavar": word, "action": "append" if flag.many else "store"}
    group.add_argument(flag.option, **settings)


def _add_asked(group: Any) -> None:
    group.add_argument("--provider", metavar="NAME", help="auto, hf-inference, local or an Inference Provider")
    group.add_argument("--base-url", metavar="URL", help="an endpoint or a server of your own, instead of a provider")
    group.add_argument("--token-env", metavar="NAME", help="the environment variable that holds the token to use")
    group.add_argument("--timeout", metavar="SECONDS", type=float, help="of the whole call; default: 120, media 600")
    group.add_argument("--bill-to", metavar="ORG", help="the organization that pays")


def _add_output(group: Any, media: Gives | None, streamed: bool) -> None:
    group.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    if media:
        group.add_argument("-o", "--output", metavar="FILE", help=media.help)
    if streamed:
        group.add_argument(
            "--stream",
            action=argparse.BooleanOptionalAction,
            help="print the text as it comes; the default without --json",
        )
