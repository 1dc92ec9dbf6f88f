"""Imports go one way, and importing the core loads nothing optional."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = {
    "errors": 0,
    "loose": 0,
    "docstrings": 0,
    "version": 0,
    "media": 1,
    "refusals": 2,
    "task": 2,
    "answer": 2,
    "inputs": 2,
    "wire": 3,
    "sse": 3,
    "urls": 3,
    "tasks": 4,
    "auth": 5,
    "options": 5,
    "providers": 5,
    "retry": 5,
    "steps": 5,
    "response": 5,
    "replies": 6,
    "downloads": 6,
    "endpoints": 6,
    "mapping": 6,
    "choice": 6,
    "jobs": 6,
    "exchange": 6,
    "_http": 7,
    "streams": 7,
    "methods": 7,
    "catalogue": 7,
    "settings": 7,
    "serving": 7,
    "client": 7,
    "__init__": 8,
    "local": 9,
    "cli": 9,
    "demo": 9,
    "__main__": 9,
    "langchain_hf_tools": 10,
}
"""Modules and packages under hf_tools and packages of integrations/: each imports from its own layer and lower ones."""

LAZY = {
    "_http": {"local"},  # the embedded backend is a transport that provider="local" asks for
    "client": {"local"},
    "demo": {"langchain_hf_tools"},  # the demo runs a tool through its schema
    "cli": {"langchain_hf_tools"},
}
"""Imports of a higher layer that are allowed inside a function."""

BASE = {"httpcore", "httpx", "pydantic", "pydantic_core", "typing_extensions"}
"""What the core may import of others while it is imported."""

INSIDE = (
    "__init__", "aio", "awaiting", "deadlines", "direct", "faults", "guarded", "network", "shards", "shared", "sync",
    "unpacking",
)  # fmt: skip
HTTPX = {"hf_tools._http", *(f"hf_tools._http.{part}" for part in INSIDE), "hf_tools.local.transports"}
"""The only modules that import httpx, but for annotations."""


class Import(NamedTuple):
    """One import: the module (absolute), where it stands, and whether it runs on import, on a call or never."""

    target: str
    line: int
    when: str


def module_name(path: Path) -> str:
    """The dotted name under which a source file is imported; `__init__` is kept."""
    base = ROOT / "integrations" if ROOT / "integrations" in path.parents else ROOT
    return ".".join(path.relative_to(base).with_suffix("").parts)


MODULES = {
    module_name(path): path for folder in ("hf_tools", "integrations") for path in sorted((ROOT / folder).rglob("*.py"))
}


def targets(node: ast.Import | ast.ImportFrom, module: str) -> list[str]:
    """The absolute names that an import statement reaches for; `from package import module` names the module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    package = module.split(".")[: -node.level] if node.level else []
    origin = ".".join([*package, node.module] if node.module else package)
    return [f"{origin}.{alias.name}" if is_module(f"{origin}.{alias.name}") else origin for alias in node.names]


def is_module(name: str) -> bool:
    return name in MODULES or f"{name}.__init__" in MODULES


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def imports(node: ast.AST, module: str, when: str = "import") -> Iterator[Import]:
    """Every import below a node; `when` is "import", "call" (inside a function) or "never" (under TYPE_CHECKING)."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from (Import(target, node.lineno, when) for target in targets(node, module))
        return
    if is_type_checking(node):
        assert isinstance(node, ast.If)
        for statement in node.body:
            yield from imports(statement, module, "never")
        for statement in node.orelse:
            yield from imports(statement, module, when)
        return
    inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from imports(child, module, "call" if inside and when == "import" else when)


def unit(name: str) -> str | None:
    """The key of a module in LAYERS: `tasks` for hf_tools.tasks.text; None for what is not of this project."""
    top, *rest = name.split(".")
    if top == "hf_tools":
        return rest[0] if rest else "__init__"
    return top if (ROOT / "integrations" / top).is_dir() else None


def imports_of(module: str) -> list[Import]:
    return list(imports(ast.parse(MODULES[module].read_text(encoding="utf-8")), module))


def core(module: str) -> bool:
    return LAYERS[unit(module) or "__init__"] <= LAYERS["__init__"]


def test_every_module_has_a_layer() -> None:
    assert "hf_tools.errors" in MODULES
    unknown = {unit(module) for module in MODULES} - LAYERS.keys()
    assert not unknown, f"give it a layer in {Path(__file__).name}: {sorted(map(str, unknown))}"


@pytest.mark.parametrize("module", MODULES)
def test_imports_only_its_own_layer_and_lower_ones(module: str) -> None:
    own = unit(module)
    assert own in LAYERS, f"give it a layer: {own}"
    wrong: list[str] = []
    for found in imports_of(module):
        other = unit(found.target)
        if other is None or (found.when == "call" and other in LAZY.get(own, ())):
            continue
        assert other in LAYERS, f"give it a layer: {other}"
        if LAYERS[other] > LAYERS[own]:
            wrong.append(f"line {found.line}: {own} (layer {LAYERS[own]}) imports {other} (layer {LAYERS[other]})")
    assert wrong == []


@pytest.mark.parametrize("module", [name for name in MODULES if unit(name) in LAYERS and core(name)])
def test_core_imports_nothing_optional_on_import(module: str) -> None:
    found = [(each.target.split(".")[0], each.line) for each in imports_of(module) if each.when == "import"]
    allowed = BASE | {"hf_tools"} | sys.stdlib_module_names
    assert [(name, line) for name, line in found if name not in allowed] == []


@pytest.mark.parametrize("module", [name for name in MODULES if name not in HTTPX and name.startswith("hf_tools.")])
def test_only_one_module_imports_httpx(module: str) -> None:
    found = [(each.target, each.line) for each in imports_of(module) if each.when != "never"]
    assert [(name, line) for name, line in found if name.split(".")[0] in {"httpx", "httpcore"}] == []


def test_imports_are_read_as_documented() -> None:
    code = (
        "import a.b\nif TYPE_CHECKING:\n  import c\nelse:\n  import d\n"
        "async def f():\n  from .. import errors\n  from ..errors import HfError\n"
        "class C:\n  from .chat import ChatCompletion\n  from hf_tools import HfInference, errors\n"
    )
    found = list(imports(ast.parse(code), "hf_tools.tasks.text"))
    assert [(each.target, each.when) for each in found] == [
        ("a.b", "import"),
        ("c", "never"),
        ("d", "import"),
        ("hf_tools.errors", "call"),
        ("hf_tools.errors", "call"),
        ("hf_tools.tasks.chat", "import"),
        ("hf_tools", "import"),
        ("hf_tools.errors", "import"),
    ]


@pytest.mark.parametrize("statement", ["import hf_tools", "from hf_tools import *", "from hf_tools import HfInference"])
def test_importing_the_core_loads_nothing_optional(statement: str) -> None:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    optional = ("langchain", "xllamacpp", "onnxruntime", "tokenizers", "PIL", "numpy", "hf_tools.local")
    assert [name for name in done.stdout.split() if name.startswith(optional)] == []
