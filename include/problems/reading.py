"""Reads problem files, and turns what pydantic says into a sentence that names file, field and remedy.

What does not belong here: the rules themselves (`schema.py`).
"""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from include.errors import BadProblem
from include.problems.schema import Problem
from include.settings import read_settings

# libyaml reads ten times faster, and every DAG file reads every problem file.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_problem(name: str, folder: Path | None = None) -> Problem:
    """Read one problem by its name.

    Raises:
        BadProblem: no such file, or the file breaks a rule.
    """
    folder = folder or read_settings().problems_dir
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none at all"
        raise BadProblem(f"There is no problem {name!r}: {path} does not exist. Known problems: {known}.")
    return read_problem_file(path)


def load_problems(folder: Path | None = None) -> tuple[list[Problem], list[BadProblem]]:
    """Read every problem file; a broken one is returned as its error, and never stops the others.

    Returns:
        the good problems in the order of their names, and one error for each broken file.
    """
    folder = folder or read_settings().problems_dir
    problems: list[Problem] = []
    errors: list[BadProblem] = []
    for path in sorted(folder.glob("*.y*ml")):
        try:
            problems.append(read_problem_file(path))
        except BadProblem as error:
            errors.append(error)
    return problems, errors


def read_problem_file(path: Path) -> Problem:
    """Read one problem file.

    Raises:
        BadProblem: it is not YAML, breaks a rule of the schema, or its name is not its file's name.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader, in C where there is one
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadProblem(f"{path.name}: not readable as YAML. {' '.join(str(error).split())}") from error
    if not isinstance(raw, dict):
        raise BadProblem(f"{path.name}: holds {type(raw).__name__}, not the fields of a problem.")
    try:
        problem = Problem.model_validate(raw)
    except ValidationError as error:
        raise BadProblem(_explain(path, error)) from error
    # Two files with one name would share DAG ids, tables and warehouse rows; the file name is unique by itself.
    if path.suffix != ".yaml" or problem.name != path.stem:
        raise BadProblem(
            f"{path.name}: field name: is {problem.name!r}, but a problem is named after its file. "
            f"Rename the file to {problem.name}.yaml or the problem to {path.stem!r}; two problems never share a name."
        )
    return problem


def _explain(path: Path, error: ValidationError) -> str:
    """Say for every broken field where it is, what it holds and what was allowed."""
    lines = [f"{path.name}: {error.error_count()} field(s) cannot be used."]
    for item in error.errors(include_url=False):
        field = ".".join(str(part) for part in item["loc"]) or "(whole file)"
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown key; remove it, or look for a typing mistake"
        held = (
            ""
            if item["type"] in {"missing", "extra_forbidden", "value_error"}
            else f" (it holds {item['input']!r:.80})"
        )
        lines.append(f"  field {field}: {message}{held}")
    return "\n".join(lines)
