"""Reads problem files, and turns what pydantic says into a sentence that names file, field and remedy.

What does not belong here: the rules themselves (`schema.py`).
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from include.errors import BadProblem
from include.problems.schema import Problem
from include.problems.sections.base import PATTERNS, BadField
from include.settings import read_settings

# libyaml reads ten times faster, and every DAG file reads every problem file.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# pydantic says what it wanted; these say what to do about it.
_REMEDIES = {
    "extra_forbidden": "unknown key; remove it, or look for a typing mistake",
    "missing": "is missing; write it",
    "model_type": "must be a section of its own, with the keys below it",
    "model_attributes_type": "must be a section of its own, with the keys below it",
    "dict_type": "must be a mapping: keys below it, each with its value",
    "list_type": "must be a list: [a, b], or one - a line",
    "timezone_aware": "a time without its zone means another moment to everybody; write 2013-01-31T00:00:00Z",
}

# What pydantic adds to the place of an error that is no key of the file.
_NO_PLACES = {"[key]", "[name]", "[rule]"}


# To YAML `on`, `yes` and `no` are truths; as keys they are names, of fields and of classes.
_TRUTH, _TEXT = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:str"


class _Loader(_SafeLoader):  # type: ignore[misc]
    """A safe loader that refuses a key written twice; YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        """Read one mapping.

        Raises:
            ConstructorError: a key stands there twice.
        """
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.tag == _TRUTH:
                key.tag = _TEXT
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands there twice", key.start_mark)
            seen.add(key.value)
        mapping: dict[Hashable, object] = super().construct_mapping(node, deep)
        return mapping


def load_problem(name: str, folder: Path | None = None) -> Problem:
    """Read one problem by its name, or one of its other logs by the name that `names.log_name` gives it.

    Raises:
        BadProblem: no such file, the file breaks a rule, or it names no such log.
    """
    folder = folder or read_settings().problems_dir
    name, _, log = name.partition(".")
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none at all"
        raise BadProblem(f"There is no problem {name!r}: {path} does not exist. Known problems: {known}.")
    problem = read_problem_file(path)
    if log and log not in problem.sources:
        known = ", ".join(problem.sources) or "none at all"
        raise BadProblem(f"{name}: there is no log {log!r} in sources; known are: {known}.")
    return problem.log(log) if log else problem


def load_problems(folder: Path | None = None, only: str | None = None) -> tuple[list[Problem], list[BadProblem]]:
    """Read every problem file; a broken one is returned as its error, and never stops the others.

    Args:
        only: name of the one problem that is wanted: a task starts anew each time, and needs no other's file.

    Returns:
        the good problems in the order of their names, and one error for each broken file.
    """
    folder = folder or read_settings().problems_dir
    problems: list[Problem] = []
    errors: list[BadProblem] = []
    for path in sorted(folder.glob("*.y*ml" if only is None else f"{only}.y*ml")):
        try:
            problems.append(require_sound_sql(read_problem_file(path)))
        except BadProblem as error:
            errors.append(error)
    return problems, errors


def require_sound_sql(problem: Problem) -> Problem:
    """Refuse a problem whose SQL is not about its columns, or gives something else than its field needs.

    Raises:
        BadProblem: it names each field, and the nearest right name.
    """
    from include.problems.sql_binding import require_bound

    complaints = require_bound(problem, read_settings().home / "cache" / "bound_sql")
    if complaints:
        lines = [
            f"{problem.name}.yaml: {len(complaints)} field(s) cannot be used.",
            *(f"  {said}" for said in complaints),
        ]
        raise BadProblem("\n".join(lines))
    return problem


def read_problem_file(path: Path) -> Problem:
    """Read one problem file.

    Raises:
        BadProblem: it is not YAML, breaks a rule of the schema, or its name is not its file's name.
    """
    raw = _read_yaml(path)
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


def _read_yaml(path: Path) -> dict[object, object]:
    """Read the file as one mapping.

    Raises:
        BadProblem: it cannot be read, is no YAML, is empty, or holds something else than fields.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - safe, and in C where it can
    except OSError as error:
        raise BadProblem(
            f"{path.name}: cannot be read: {error.strerror}. Check that it is a file and its rights."
        ) from error
    # A date that no calendar has is a ValueError, and without libyaml a nest without end is a RecursionError.
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        detail = " ".join(str(error).replace('in "<unicode string>", ', "").split())
        raise BadProblem(f"{path.name}: not readable as YAML. {detail}. Mend that place.") from error
    if raw is None:
        raise BadProblem(f"{path.name}: is empty. Write a problem into it, or remove the file.")
    if not isinstance(raw, dict):
        raise BadProblem(
            f"{path.name}: holds one {type(raw).__name__}, not the fields of a problem, such as name: and source:."
        )
    return raw


def _explain(path: Path, error: ValidationError) -> str:
    """Say for every broken field where it is, what it holds and what was allowed."""
    lines = [f"{path.name}: {error.error_count()} field(s) cannot be used."]
    for item in error.errors(include_url=False):
        places = [str(part) for part in item["loc"] if part not in _NO_PLACES]
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, BadField):
            places.append(cause.field)
        message = _REMEDIES.get(item["type"], item["msg"].removeprefix("Value error, "))
        if item["type"] == "string_pattern_mismatch":
            message = PATTERNS.get(item["ctx"]["pattern"], message)
        if item["type"] == "string_type":
            message += "; put it in quotes"
        lines.append(f"  field {'.'.join(places) or '(whole file)'}: {message}{_held(item)}")
    return "\n".join(lines)


def _held(item: ErrorDetails) -> str:
    """Say what the field holds, where the message does not."""
    if item["type"] in {"missing", "extra_forbidden", "value_error"}:
        return ""
    return f" (it holds {item['input']!r:.80})"
