"""The flags of every task: they are derived from its class, and help shows all of them."""

from __future__ import annotations

import inspect
import re
import shlex
from typing import Any

import pytest

from hf_tools.catalogue import catalogue, other_form, streams
from hf_tools.cli import main
from hf_tools.cli.flags import flags_of
from hf_tools.cli.parsing import Command
from hf_tools.cli.saving import gives
from hf_tools.task import build

TASKS = dict(catalogue())
Capture = pytest.CaptureFixture[str]


MISSING = "run: the task is missing: it comes first. Write `hf-tools run TASK`; see run --help"


def ends(argv: list[str], capsys: Capture) -> tuple[int, str, str]:
    """The exit code of a command line that ends as argparse does, and what it printed."""
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert isinstance(ended.value.code, int)
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def fields(name: str) -> dict[str, str]:
    """Each parameter of a task's forms with its description, read from the classes themselves."""
    found: dict[str, str] = {}
    forms: list[Any] = [other_form(name), TASKS[name]]
    for form in [each for each in forms if each]:
        build(form)
        found |= {each: form.__pydantic_fields__[each].description for each in inspect.signature(form).parameters}
    return found


@pytest.mark.parametrize("name", TASKS)
def test_help_lists_every_parameter_with_its_description(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    code, out, err = ends(["run", name.replace("_", "-"), "--help"], capsys)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    for field, about in fields(name).items():
        option = f"--{field.replace('_', '-')}"
        own = [number for number, line in enumerate(lines) if re.match(rf"  {option}[ ,]", line)]
        assert len(own) == 1, option
        assert " ".join(about.split()) in " ".join(" ".join(lines[own[0] : own[0] + 2]).split())
    assert " ".join((TASKS[name].__doc__ or "").split()) in out


@pytest.mark.parametrize("name", TASKS)
def test_help_has_the_options_that_the_task_can_use(name: str, capsys: Capture) -> None:
    _, out, _ = ends(["run", name, "--help"], capsys)
    common = ["--model MODEL", "--provider", "--base-url", "--token-env", "--timeout", "--bill-to", "--json"]
    assert [option for option in common if option not in out] == []
    assert ("--no-stream" in out) is streams(name)
    assert ("--output FILE" in out) is (gives(TASKS[name]) is not None)
    assert ("--system" in out) is (name == "chat_completion")


@pytest.mark.parametrize("name", TASKS)
def test_the_example_of_every_task_is_a_command_line_that_it_takes(name: str) -> None:
    command = Command(name)
    words = shlex.split(command.example)
    assert words[:3] == ["hf-tools", "run", name]
    assert command.read(words[3:]).missing == []


def test_which_tasks_give_media() -> None:
    found = {name: gives(form) for name, form in TASKS.items()}
    made = {name: (each.kind, each.several, each.labelled) for name, each in found.items() if each}
    assert made == {
        "audio_to_audio": ("audio", True, False),
        "text_to_speech": ("audio", False, False),
        "text_to_audio": ("audio", False, False),
        "image_segmentation": ("image", True, True),
        "image_to_image": ("image", False, False),
        "text_to_image": ("image", False, False),
        "depth_estimation": ("image", False, False),
        "text_to_video": ("video", False, False),
        "image_to_video": ("video", False, False),
        "image_text_to_image": ("image", False, False),
        "image_text_to_video": ("video", False, False),
    }


@pytest.mark.parametrize(
    ("task", "field", "kind", "choices"),
    [
        ("summarization", "text", "text", ()),
        ("text_classification", "text", "texts", ()),
        ("text_ranking", "texts", "list", ()),
        ("zero_shot_classification", "candidate_labels", "labels", ()),
        ("zero_shot_image_classification", "candidate_labels", "labels", ()),
        ("sentence_similarity", "sentence", "text", ()),
        ("feature_extraction", "text", "texts", ()),
        ("chat_completion", "messages", "messages", ()),
        ("chat_completion", "tool_choice", "word", ()),
        ("chat_completion", "tools", "json", ()),
        ("chat_completion", "logit_bias", "json", ()),
        ("chat_completion", "stop", "texts", ()),
        ("text_generation", "stop", "list", ()),
        ("text_generation", "details", "bool", ()),
        ("image_to_image", "image", "media", ()),
        ("image_text_to_image", "image", "media", ()),
        ("image_to_image", "target_size", "json", ()),
        ("document_question_answering", "word_boxes", "json", ()),
        ("tabular_regression", "table", "table", ()),
        ("question_answering", "top_k", "int", ()),
        ("text_to_video", "num_frames", "float", ()),
        ("feature_extraction", "truncation_direction", "choice", ("left", "right")),
        ("automatic_speech_recognition", "return_timestamps", "choice", ("true", "false", "word", "char")),
        ("text_to_speech", "early_stopping", "choice", ("true", "false", "never")),
    ],
)
def test_the_type_of_a_field_tells_how_it_is_written(task: str, field: str, kind: str, choices: Any) -> None:
    found = {flag.name: flag for flag in flags_of(task)}[field]
    assert (found.kind, found.choices) == (kind, choices)


def test_run_help_lists_every_task(capsys: Capture) -> None:
    helped(["--help"])
    out, err = capsys.readouterr()
    assert err == ""
    assert re.findall(r"^  ([a-z_]+)$", out, re.MULTILINE) == list(TASKS)
    assert max(map(len, out.splitlines())) <= 120
    helped(["-h"])
    assert capsys.readouterr().out == out


def helped(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", *words])
    assert ended.value.code == 0


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "run: the task is missing: it comes first. Write `hf-tools run TASK`; see run --help"),
        (
            ["--json", "summarization"],
            "run: the task is missing: it comes first. Write `hf-tools run TASK`; see run --help",
        ),
        (["sumarization"], "no task 'sumarization'. Did you mean summarization?"),
        (["mind-reading-x"], "no task 'mind-reading-x'. `hf-tools tasks` lists them"),
        (["request"], "no task 'request'. `hf-tools tasks` lists them"),
        (["run"], "no task 'run'. `hf-tools tasks` lists them"),
    ],
)
def test_a_task_that_is_none_is_refused(argv: list[str], said: str, capsys: Capture) -> None:
    assert main(["run", *argv]) == 2
    assert capsys.readouterr() == ("", f"error: {said}\n")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["summarization"], "TEXT is missing"),
        (["question_answering", "Who?"], "CONTEXT is missing"),
        (["question-answering"], "QUESTION and CONTEXT are missing"),
        (["sentence_similarity", "a"], "OTHER_SENTENCES is missing"),
        (["summarization", "two", "words"], "1 too many: 'words'; a text of several words needs quotes around it"),
        (["summarization", "a", "--max-lenght", "3"], "no flag --max-lenght; did you mean --max-length?"),
        (["summarization", "a", "--max_length=3"], "no flag --max_length; did you mean --max-length?"),
        (["summarization", "a", "--qqqqqqqq"], "no flag --qqqqqqqq"),
        (["summarization", "a", "--max", "3"], "no flag --max"),
        (["summarization", "a", "--max-length", "x"], "argument --max-length: invalid int value: 'x'"),
        (["summarization", "a", "--top-p", "x"], "argument --top-p: invalid float value: 'x'"),
        (
            ["summarization", "a", "--token-env", "NO_SUCH"],
            "--token-env: the environment has no NO_SUCH, or it is empty",
        ),
    ],
)
def test_wrong_usage_says_what_is_wrong(argv: list[str], said: str, capsys: Capture) -> None:
    code, out, err = ends(["run", *argv], capsys)
    task = argv[0].replace("-", "_")
    assert (code, out) == (2, "")
    assert err.startswith(f"usage: hf-tools run {task} [options] ")
    assert f"\nhf-tools run {task}: error: {said}" in err


def test_a_missing_input_comes_with_an_example(capsys: Capture) -> None:
    _, _, err = ends(["run", "zero_shot_classification", "--multi-label"], capsys)
    assert err == (
        "usage: hf-tools run zero_shot_classification [options] TEXT ... CANDIDATE_LABELS ...\n"
        "hf-tools run zero_shot_classification: error: TEXT and CANDIDATE_LABELS are missing\n"
        'example: hf-tools run zero_shot_classification "It was a bright day" travel cooking\n'
    )


def test_a_choice_that_is_none_names_the_known_ones(capsys: Capture) -> None:
    _, _, err = ends(["run", "feature_extraction", "a", "--truncation-direction", "up"], capsys)
    assert re.search(r"argument --truncation-direction: invalid choice: 'up' \(choose from '?left'?, '?right'?\)", err)


def test_the_last_input_takes_what_is_left() -> None:
    given = Command("zero_shot_classification").read(["text", "a", "--multi-label", "b"]).given
    assert given == {"text": ["text"], "candidate_labels": ["a", "b"]}
    named = Command("zero_shot_classification").read(["--text", "one", "a", "--text=two", "b"]).given
    assert named == {"text": ["one", "two"], "candidate_labels": ["a", "b"]}


def test_behind_two_dashes_nothing_is_a_flag() -> None:
    assert Command("text_ranking").read(["--top-n", "1", "--", "-q", "--top-n"]).given == {
        "query": ["-q"],
        "texts": ["--top-n"],
    }
    line = Command("text_ranking").read(["-1", "- a", "-", "--top-n", "-1"])
    assert (line.given, line.typed) == ({"query": ["-1"], "texts": ["- a", "-"]}, {"top_n": -1})
