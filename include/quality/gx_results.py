"""Reads Great Expectations' results: its many shapes in, one plain row of ours out.

No value of a column with personal data leaves this file. What does not belong here: what follows from an answer
(`verdicts.py`).
"""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from include.problems.expectation_rules import columns_named
from include.problems.schema import Problem
from include.problems.sections.quality import Expectation
from include.quality.verdicts import CheckResult

if TYPE_CHECKING:
    from include.quality.gx_context import ExpectationValidationResult

# Of personal data, only these observed values are numbers about it rather than values of it.
_HARMLESS = {
    "ExpectColumnProportionOfNonNullValuesToBeBetween",
    "ExpectColumnProportionOfUniqueValuesToBeBetween",
    "ExpectColumnUniqueValueCountToBeBetween",
}
_LONGEST_ERROR = 400  # characters; what follows in DuckDB's messages is a list of candidate functions


def read_answer(problem: Problem, check_index: int, answer: "ExpectationValidationResult", n_rows: int) -> CheckResult:
    """Read one ExpectationValidationResult.

    Args:
        check_index: position of the expectation in the problem file.
        answer: what Great Expectations returned for it.
        n_rows: rows of the whole partition; a row-by-row expectation is asked of fewer when values are missing.
    """
    expectation = _expectation(problem, check_index)
    found = answer.result or {}
    n_missing = found.get("missing_count") or 0
    n_unexpected = found.get("unexpected_count")
    if expectation.expect == "UnexpectedRowsExpectation":
        n_unexpected = found.get("observed_value")
    return _row(
        expectation,
        check_index,
        is_success=bool(answer.success),  # a numpy.bool from the quantile expectation
        observed=_observed(problem, expectation, found),
        n_unexpected=None if n_unexpected is None else int(n_unexpected),
        n_rows=int(found.get("element_count", n_rows)) - int(n_missing),
        error=_error(problem, expectation, answer.exception_info or {}),
    )


def unanswered(problem: Problem, check_index: int, n_rows: int, reason: str) -> CheckResult:
    """Write the row of an expectation that was never asked."""
    return _row(
        _expectation(problem, check_index),
        check_index,
        is_success=False,
        observed=None,
        n_unexpected=None,
        n_rows=n_rows,
        error=reason,
    )


def _expectation(problem: Problem, check_index: int) -> Expectation:
    assert problem.quality is not None  # noqa: S101 - an index exists only where a section does
    return problem.quality.expectations[check_index]


def _row(
    expectation: Expectation,
    check_index: int,
    *,
    error: str | None,
    is_success: bool,
    observed: str | None,
    n_unexpected: int | None,
    n_rows: int,
) -> CheckResult:
    """Put what was asked and what was seen into one row."""
    return CheckResult(
        check_index=check_index,
        expectation=expectation.expect,
        column_name=expectation.column,
        severity=expectation.severity,
        is_success=is_success and error is None,
        bound=json.dumps(expectation.arguments, default=str, sort_keys=True),
        observed=observed,
        n_unexpected=n_unexpected,
        n_rows=n_rows,
        error=error,
    )


def _observed(problem: Problem, expectation: Expectation, found: Mapping[str, object]) -> str | None:
    """Write what was seen as text: a plain number as it is, anything else as JSON."""
    value = found.get("observed_value")
    if value is None:
        return None
    if is_personal(problem, expectation) and expectation.expect not in _HARMLESS | {"UnexpectedRowsExpectation"}:
        return "withheld: personal data"
    return value if isinstance(value, str) else json.dumps(value, default=_plain)


def _plain(value: object) -> object:
    """Turn numpy's scalars into Python's, and anything else into text."""
    return value.item() if hasattr(value, "item") else str(value)


def _error(problem: Problem, expectation: Expectation, information: Mapping[str, Any]) -> str | None:
    """Say why Great Expectations could not answer; None when it could.

    It reports an exception either directly or under the names of the metrics that failed.
    """
    reports = [information] if "raised_exception" in information else list(information.values())
    raised = [report for report in reports if report.get("raised_exception")]
    if not raised:
        return None
    message = " ".join(str(raised[0].get("exception_message") or "no message").split())
    if is_personal(problem, expectation) and "does not exist" not in message:
        kind = re.search(r"_duckdb\.(\w+)", message)
        return f"{kind[1] if kind else 'an error'}, whose words are withheld because the column holds personal data"
    return message.removeprefix("Error: ")[:_LONGEST_ERROR]


def is_personal(problem: Problem, expectation: Expectation) -> bool:
    """Say whether an answer could carry a value of a column with personal data."""
    columns = problem.source.stored
    if expectation.expect == "UnexpectedRowsExpectation":
        return any(column.pii != "none" for column in columns.values())
    named = [expectation.column, *(name for _, name in columns_named(expectation.arguments))]
    return any(columns[name].pii != "none" for name in named if name in columns)
