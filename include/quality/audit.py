"""Asks Great Expectations about staged files; a question that cannot be answered never looks like a yes.

What does not belong here: how it is asked (`gx_validation.py`), and what the answers lead to (`verdicts.py`).
"""

from collections.abc import Sequence
from pathlib import Path

from include.problems.schema import Problem
from include.quality.gx_context import ExpectationValidationResult
from include.quality.gx_results import read_answer, unanswered
from include.quality.gx_validation import ask, open_staged
from include.quality.suite import build_suite, check_index_of
from include.quality.verdicts import Audit, CheckResult

# Counts, and no values: not one row of the partition reaches a log, a table or a screen.
_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}
_NOTHING_STAGED = "0 rows are staged, so there is nothing to publish."


def audit_files(problem: Problem, files: Sequence[Path]) -> Audit:
    """Ask every expectation of a problem about one partition.

    Args:
        files: the partition's staged Parquet files; together they are the partition.

    Returns:
        an answer for each expectation. No rows, a missing column, or an exception of Great Expectations is a refusal.

    Raises:
        AuditFailed: a file cannot be read as Parquet; staging it again may mend that, so it is no verdict.
    """
    if not files:
        return _refuse(problem, 0, _NOTHING_STAGED)
    with open_staged(problem, files) as staged:
        n_rows = staged.n_rows
        if staged.missing:
            count = f"{len(staged.missing)} of {len(problem.source.stored)}"
            return _refuse(problem, n_rows, f"the staged files lack {count} columns: {', '.join(staged.missing)}.")
        if n_rows == 0:
            return _refuse(problem, 0, _NOTHING_STAGED)
        if problem.quality is None:
            return Audit(n_rows, ())
        try:
            validation = ask(build_suite(problem), staged.url, _COUNTS_ONLY)
            results = _in_file_order(problem, list(validation.results), n_rows)
        except Exception as error:  # fails closed, whatever broke
            text = " ".join(f"{type(error).__name__}: {error}".split())[:400]
            return _refuse(problem, n_rows, f"Great Expectations broke down, so nothing is known: {text}")
    return Audit(n_rows, results, validation=validation)


def _in_file_order(problem: Problem, answers: Sequence[ExpectationValidationResult], n_rows: int) -> list[CheckResult]:
    """Put the answers into the file's order, and name each expectation that got none."""
    found = {check_index_of(answer): answer for answer in answers}
    indexes = range(len(problem.quality.expectations) if problem.quality else 0)
    return [
        read_answer(problem, index, found[index], n_rows)
        if index in found
        else unanswered(problem, index, n_rows, "Great Expectations gave no answer")
        for index in indexes
    ]


def _refuse(problem: Problem, n_rows: int, reason: str) -> Audit:
    """Refuse a partition as a whole; every expectation is marked as unanswered."""
    n_expectations = len(problem.quality.expectations) if problem.quality else 0
    return Audit(n_rows, [unanswered(problem, index, n_rows, reason) for index in range(n_expectations)], reason)
