"""The command `run`: one task, its answer on stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from hf_tools.cli.flags import task_named
from hf_tools.cli.lists import filled, task_rows
from hf_tools.cli.parsing import Command, Line
from hf_tools.cli.printing import as_json, calls_of, readable, say
from hf_tools.cli.reading import STDIN, Reader, Stdin
from hf_tools.cli.saving import Saver, media_of, mistake
from hf_tools.client import HfInference
from hf_tools.errors import InputError, shown
from hf_tools.options import Options

USAGE = """\
usage: hf-tools run TASK [options] INPUT ...

Run a task: text, pictures, sounds, films and tables in, the answer on stdout. `hf-tools run TASK --help` shows
the inputs and all parameters of a task. Hyphens in its name are as good as underscores.

examples:
  hf-tools run chat_completion "What is a quay?"
  cat article.txt | hf-tools run summarization --max-length 60
  hf-tools run object_detection street.jpg --json
  hf-tools run text_to_image "A lighthouse at dusk" -o lighthouse.png

tasks:
"""


def run(argv: list[str]) -> int:
    """Run the task that the command line names; returns the exit code, raises HfError.

    `--help` and wrong usage end as argparse does, with SystemExit (0 and 2).
    """
    if argv[:1] in (["-h"], ["--help"]):
        say(USAGE + "".join(f"  {row['name']}\n{filled(row['summary'])}\n" for row in task_rows()))
        raise SystemExit(0)
    if not argv or argv[0].startswith("-"):
        raise InputError("run: the task is missing: it comes first", hint="Write `hf-tools run TASK`; see run --help")
    command = Command(task_named(argv[0]))
    line = command.read(argv[1:])
    if command.gives and (wrong := mistake(command.gives, line.own.output, line.own.json)):
        command.wrong(wrong)
    arguments = _arguments(command, line)
    with _client(command, line.own) as hf:
        answer, told = _asked(hf, command, line, arguments)
    _print(command, line.own, answer, told)
    return 0


def _arguments(command: Command, line: Line) -> dict[str, Any]:
    """The arguments of the method."""
    reader = Reader(Stdin())
    if line.missing:
        line.given[_from_stdin(command, line, reader.stdin)] = [STDIN]
    found = dict(line.typed)
    for flag in command.flags:
        if flag.name in line.given:
            found[flag.name] = reader.value(flag, line.given[flag.name])
    if getattr(line.own, "system", None) is not None:
        system = {"role": "system", "content": reader.text(line.own.system)}
        found["messages"] = [system, *found["messages"]]
    return found


def _from_stdin(command: Command, line: Line, stdin: Stdin) -> str:
    """The one input that is missing, for which standard input stands; ends with a usage error where it cannot."""
    names = " and ".join(flag.name.upper() for flag in line.missing)
    if len(line.missing) > 1:
        command.wrong(f"{names} are missing")
    if any(STDIN in given for given in line.given.values()) or not stdin.waiting:
        command.wrong(f"{names} is missing")
    if not stdin.fetched().strip():
        command.wrong(f"{names} is missing, and standard input is empty")
    return line.missing[0].name


def _client(command: Command, own: Any) -> HfInference:
    token = None
    if own.token_env is not None:
        token = os.environ.get(own.token_env, "").strip()
        if not token:
            command.wrong(f"--token-env: the environment has no {shown(own.token_env, 60)}, or it is empty")
    options = Options(bill_to=own.bill_to, timeout=own.timeout, on_progress=_progress())
    return HfInference(token, provider=own.provider or "auto", base_url=own.base_url, options=options)


def _progress() -> Callable[[Any], None]:
    """Tells on stderr how far a long job is, whenever that has changed."""
    last: list[str] = []

    def tell(handle: Any) -> None:
        place = f", {handle.queue_position} before it" if handle.queue_position is not None else ""
        told = shown(f"{handle.provider}: {handle.state}{place}")
        if last != [told]:
            last[:] = [told]
            sys.stderr.write(f"{told}\n")

    return tell


def _asked(hf: HfInference, command: Command, line: Line, arguments: dict[str, Any]) -> tuple[Any, bool]:
    """The answer, and whether its text has been printed as it came."""
    wish = getattr(line.own, "stream", False)
    alone = all(arguments.get(name) in (None, 1) for name in ("n", "num_return_sequences", "best_of"))
    unasked = wish is None and not line.own.json and alone and not arguments.get("decoder_input_details")
    if wish or unasked:
        stream = getattr(hf, f"{command.task}_stream")(**arguments)
        try:
            return (stream.read(), False) if line.own.json or not alone else _told(stream)
        except InputError as error:
            if wish or "cannot carry a stream" not in error.message:
                raise
    return getattr(hf, command.task)(**arguments), False


def _told(stream: Any) -> tuple[Any, bool]:
    """Print the text of a stream as it comes; the whole answer, and whether there was any text."""
    last = ""
    try:
        with stream:
            for part in stream:
                if part.text and part.index == 0:
                    last = part.text  # before it is printed: an interrupt may come right after
                    say(part.text)
    finally:
        if last and not last.endswith("\n"):
            say("\n")
    return stream.final, bool(last)


def _print(command: Command, own: Any, answer: Any, told: bool) -> None:
    output = getattr(own, "output", None)
    gives = command.gives
    needed = gives and (own.json or output is not None or not gives.labelled)
    media = [*media_of(answer)] if needed else []
    saver = Saver(output, len(media))
    if own.json:
        say(as_json(answer, saver) + "\n")
    elif told:
        say("".join(f"{call}\n" for call in calls_of(answer)))
    elif media and gives and not gives.labelled:
        for each in media:
            if saver.save(each) is None:
                sys.stdout.buffer.write(each.data)
    elif text := readable(answer, saver):
        say(text + "\n")
