"""Finds the very rows that break an expectation, as Great Expectations itself names them.

What does not belong here: moving them (`include/lake/quarantine.py`).
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from include.lake.writing import Fault
from include.names import LINE_NUMBER, OBJECT_KEY
from include.problems.schema import Problem
from include.quality.gx_results import is_personal
from include.quality.gx_validation import ask, open_staged
from include.quality.suite import check_index_of, suite_of
from include.quality.verdicts import Audit, CheckResult, explain, explain_row

# Each named row passes through Python: beyond so many, a share of a huge partition would fill the memory.
MOST_ROWS = 200_000
_PLACE = [OBJECT_KEY, LINE_NUMBER]


def rows_to_quarantine(problem: Problem, audit: Audit, files: Sequence[Path]) -> tuple[list[Fault], str | None]:
    """Name the rows that are to be quarantined, each once, by the first expectation that it breaks.

    Args:
        audit: of these very files.

    Returns:
        a fault for each expectation that names rows, none where nothing is to be quarantined; and why the partition is
        refused instead: they are too many, or not as many as were counted.
    """
    broken = _broken(problem, audit)
    if not broken or problem.quality is None:
        return [], None
    most = min(int(problem.quality.quarantine_at_most * audit.n_rows), MOST_ROWS)
    allowed = f"of {audit.n_rows:,} rows may go to quarantine (quality.quarantine_at_most), so it is refused whole"
    for result in broken:
        if (result.n_unexpected or 0) > most:
            return [], f"{explain(result)}; at most {most:,} {allowed}"
    try:
        named = _ask_for_rows(problem, broken, files, most)
    except Exception as error:  # fails closed, whatever broke
        return [], f"Great Expectations broke down naming rows, so nothing is quarantined: {type(error).__name__}"
    for result in broken:
        if len(named[result.check_index]) != result.n_unexpected:
            counted = f"counted {result.n_unexpected} rows and named {len(named[result.check_index])}"
            return [], f"{explain(result)}; Great Expectations {counted}, so nothing is quarantined"
    faults = _first_faults(problem, broken, named)
    n_named = sum(fault.places.num_rows for fault in faults)
    return (
        (faults, None) if n_named <= most else ([], f"{n_named:,} rows break expectations; at most {most:,} {allowed}")
    )


def _broken(problem: Problem, audit: Audit) -> list[CheckResult]:
    """Choose the answers that call for rows to be quarantined; none where a question went unanswered."""
    if audit.refusal is not None or problem.quality is None or any(result.error for result in audit.results):
        return []
    wanted = [expectation.rows == "quarantine" for expectation in problem.quality.expectations]
    return [result for result in audit.results if not result.is_success and wanted[result.check_index]]


def _ask_for_rows(
    problem: Problem, broken: Sequence[CheckResult], files: Sequence[Path], most: int
) -> dict[int, list[tuple[str, int]]]:
    """Ask only what was broken, and for the places of the rows: object and line, no values.

    Returns:
        position of the expectation to the places it named, each once.
    """
    indexes = [result.check_index for result in broken]
    asked_for = {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": _PLACE,
        "partial_unexpected_count": most + 1,
        "exclude_unexpected_values": True,
    }
    with open_staged(problem, files, added=_PLACE) as staged:
        answers = ask(suite_of(problem, indexes), staged.url, asked_for).results
    named: dict[int, list[tuple[str, int]]] = {index: [] for index in indexes}
    for answer in answers:
        # Without the values it gives one entry, whose columns are lists.
        columns = (answer.result or {}).get("unexpected_index_list") or []
        places = [place for found in columns for place in zip(found[OBJECT_KEY], found[LINE_NUMBER], strict=True)]
        named[check_index_of(answer)] = list(dict.fromkeys((key, int(n)) for key, n in places))
    return named


def _first_faults(
    problem: Problem, broken: Sequence[CheckResult], named: dict[int, list[tuple[str, int]]]
) -> list[Fault]:
    """Give each row to the first expectation that names it."""
    taken: set[tuple[str, int]] = set()
    faults = []
    for result in broken:
        expectation = problem.quality.expectations[result.check_index] if problem.quality else None
        places = [place for place in named[result.check_index] if place not in taken]
        taken.update(places)
        if expectation is None or not places:
            continue
        faults.append(
            Fault(
                check_index=result.check_index,
                reason=explain_row(expectation.expect, expectation.column, expectation.arguments)[:200],
                field=expectation.column,
                is_shown=expectation.column is not None and not is_personal(problem, expectation),
                places=pa.table(
                    {OBJECT_KEY: [key for key, _ in places], LINE_NUMBER: pa.array([n for _, n in places], pa.int64())}
                ),
            )
        )
    return faults
