"""Functions and files stay short: what grows beyond the limits is divided, or gives its reason here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FUNCTION_LINES = 30
FILE_LINES = 300
EXCEPTIONS: dict[str, str] = {}
"""What may be longer, and why: `path` or `path::function` (dotted where nested) to the reason."""


def sources() -> list[Path]:
    return [path for folder in ("hf_tools", "integrations") for path in sorted((ROOT / folder).rglob("*.py"))]


def functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Dotted name and number of lines of each function, docstring included, decorators not."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from functions(child, prefix)
            continue
        name = prefix + child.name
        if not isinstance(child, ast.ClassDef):
            assert child.end_lineno is not None
            yield name, child.end_lineno - child.lineno + 1
        yield from functions(child, name + ".")


def too_long(path: Path) -> dict[str, str]:
    """What is above the limits in one file: key as in EXCEPTIONS, to how long it is."""
    key = path.relative_to(ROOT).as_posix()
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    found = {key: f"{lines} lines (limit {FILE_LINES})"} if lines > FILE_LINES else {}
    for name, length in functions(ast.parse(text)):
        if length > FUNCTION_LINES:
            found[f"{key}::{name}"] = f"{length} lines (limit {FUNCTION_LINES})"
    return found


def test_there_are_sources() -> None:
    assert ROOT / "hf_tools" / "errors.py" in sources()


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_functions_and_files_are_short(path: Path) -> None:
    assert {key: length for key, length in too_long(path).items() if key not in EXCEPTIONS} == {}


def test_every_exception_is_needed_and_has_a_reason() -> None:
    needed = {key for path in sources() for key in too_long(path)}
    assert EXCEPTIONS.keys() <= needed
    assert all(EXCEPTIONS.values())


def test_lengths_are_measured_as_documented() -> None:
    tree = ast.parse(
        "@a\n@b\ndef f():\n  '''d'''\n  if x:\n    async def g():\n      pass\n\nclass C:\n  def m(self): ...\n"
    )
    assert dict(functions(tree)) == {"f": 5, "f.g": 2, "C.m": 1}
