"""Turns the quality section of a problem file into Great Expectations' own objects, by their own names.

What belongs here: translation. What does not: rules about the file (`include/problems`), running (`auditing.py`).
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from include.problems.schema import Problem
from include.problems.sections.quality import Expectation
from include.quality.library import gx, gxe

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
    return gx.ExpectationSuite(name=problem.name, expectations=built)


def build_expectation(check_index: int, expectation: Expectation) -> Any:
    """Write one expectation as Great Expectations' own object."""
    kind = getattr(gxe, expectation.expect)
    about = {} if expectation.column is None else {"column": expectation.column}
    arguments = {name: _in_utc(value) for name, value in expectation.arguments.items()}
    return kind(**about, **arguments, severity=_SEVERITY[expectation.severity], meta={CHECK_INDEX: check_index})


def _in_utc(value: Any) -> Any:
    """Give a time without a zone the one that every time in the lake has; a date is its midnight."""
    if isinstance(value, list):
        return [_in_utc(item) for item in value]
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else value
