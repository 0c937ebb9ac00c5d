"""Steps as DAG files name them: known by their source, imported when a task runs one.

Not a DAG file (`.airflowignore` lists it). Every task and the DAG processor read the DAG files again and again; what a
step needs is imported by the task that runs it, so that a `steps.py` may import what it needs at its top.
"""

import ast
from collections.abc import Callable
from functools import cache
from importlib import import_module
from inspect import Parameter, Signature
from typing import Any

from include.settings import REPOSITORY

Step = Callable[..., Any]


class Steps:
    """The steps of one room, by name.

    Args:
        room: folder below `include`.
    """

    def __init__(self, room: str) -> None:
        self._room = room

    def __getattr__(self, name: str) -> Step:
        """Give a step.

        Raises:
            AttributeError: the room has none of that name; Airflow shows it as an import error of the DAG file.
        """
        known = _read_steps(self._room)
        if name not in known:
            raise AttributeError(f"include/{self._room}/steps.py has no step {name!r}; it has {', '.join(known)}.")
        return known[name]


@cache
def _read_steps(room: str) -> dict[str, Step]:
    """Read the public functions of a room's steps.py without running it."""
    source = (REPOSITORY / "include" / room / "steps.py").read_text(encoding="utf-8")
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return {node.name: _late(f"include.{room}.steps", node) for node in functions if not node.name.startswith("_")}


def _late(module: str, node: ast.FunctionDef) -> Step:
    """Make a function that looks like a step, and imports it when it is called."""

    def call(**arguments: Any) -> Any:
        return getattr(import_module(module), node.name)(**arguments)

    call.__name__ = call.__qualname__ = node.name
    call.__module__ = module
    call.__doc__ = ast.get_docstring(node)
    names = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
    call.__signature__ = Signature([Parameter(name, Parameter.KEYWORD_ONLY) for name in names])  # type: ignore[attr-defined]
    return call
