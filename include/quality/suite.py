"""Turns the quality section of a problem file into Great Expectations' own objects, by their own names.

What belongs here: translation. What does not: rules about the file (`include/problems`), running (`audit.py`).
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from include.problems.schema import Problem
from include.problems.sections.quality import Expectation
from include.quality.gx_context import ExpectationValidationResult, gx, gxe

# Great Expectations has three severities of its own; ours are two, because a partition is published or it is not.
_SEVERITY = {"stop": "critical", "warn": "warning"}
CHECK_INDEX = "check_index"


def build_suite(problem: Problem) -> gx.ExpectationSuite:
    """Write a problem's expectations as a suite.

    Returns:
        one expectation for each in the file; its `meta` carries the position, because results come back in
        another order.

    Raises:
        pydantic's ValidationError: an argument is of a kind that Great Expectations refuses.
    """
    return suite_of(problem, range(len(problem.quality.expectations) if problem.quality else 0))


def suite_of(problem: Problem, indexes: Iterable[int]) -> gx.ExpectationSuite:
    """Write some of a problem's expectations as a suite, by their positions in its file."""
    expectations = problem.quality.expectations if problem.quality else []
    built = [build_expectation(index, expectations[index]) for index in indexes]
    return gx.ExpectationSuite(name=problem.name, expectations=built, notes=_notes_of(problem))


def build_expectation(check_index: int, expectation: Expectation) -> Any:
    """Write one expectation as Great Expectations' own object."""
    kind = getattr(gxe, expectation.expect)
    about = {} if expectation.column is None else {"column": expectation.column}
    arguments = {name: _in_utc(value) for name, value in expectation.arguments.items()}
    return kind(**about, **arguments, severity=_SEVERITY[expectation.severity], meta={CHECK_INDEX: check_index})


def _notes_of(problem: Problem) -> list[str] | None:
    """Say what no expectation can: rows that are named by their place may stand twice, and nobody would know."""
    if "_object" not in problem.source.key:
        return None
    return [
        "Rows have no id of their own. They are named by the object they came in and their place in it: the same "
        "object again gives the same rows, and the same record in two objects is two rows."
    ]


def check_index_of(answer: ExpectationValidationResult) -> int:
    """Say which expectation of the problem file an answer is about, by its position there."""
    asked = answer.expectation_config
    assert asked is not None  # noqa: S101 - an answer carries what was asked, and that its position
    return int((asked.meta or {})[CHECK_INDEX])


def _in_utc(value: object) -> object:
    """Give a time without a zone the one that every time in the lake has; a date is its midnight."""
    if isinstance(value, list):
        return [_in_utc(item) for item in value]
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else value
