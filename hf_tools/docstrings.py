"""Attribute docstrings of a class, read from its module's source.

Python keeps no attribute docstrings, and pydantic finds those of a class that is made late only from Python 3.13 on.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise


def attribute_docstrings(cls: type) -> Mapping[str, str]:
    """The docstrings of a module-level class's own attributes, by name; empty where there is no source."""
    return _module(cls.__module__).get(cls.__qualname__, {})


@functools.cache
def _module(name: str) -> Mapping[str, Mapping[str, str]]:
    try:
        tree = ast.parse(inspect.getsource(sys.modules[name]))
    except (OSError, TypeError, KeyError, SyntaxError):
        return {}
    return {node.name: dict(_attributes(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _attributes(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for first, then in pairwise(node.body):
        if not (isinstance(first, ast.AnnAssign) and isinstance(first.target, ast.Name) and isinstance(then, ast.Expr)):
            continue
        if isinstance(then.value, ast.Constant) and isinstance(then.value.value, str):
            yield first.target.id, inspect.cleandoc(then.value.value)
