"""Asks Great Expectations about staged files; a question that cannot be answered never looks like a yes.

The files are read by DuckDB through a view in a database that lives for one audit. What does not belong here: what the
answers lead to (`verdicts.py`).
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy.dialects import postgresql

from include.errors import AuditFailed
from include.problems.schema import Problem
from include.quality.answers import read_answer, unanswered
from include.quality.duckdb_dialect import database_url
from include.quality.library import open_context
from include.quality.suite import CHECK_INDEX, build_suite
from include.quality.verdicts import Audit, CheckResult

_VIEW = "staged"
# Counts, and no values: not one row of the partition reaches a log, a table or a screen.
_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}


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
        return _refuse(problem, 0, "0 rows are staged, so there is nothing to publish.")
    with _database(problem, files) as (url, missing, n_rows):
        if missing:
            count = f"{len(missing)} of {len(problem.source.columns)}"
            return _refuse(problem, n_rows, f"the staged files lack {count} columns: {', '.join(missing)}.")
        if n_rows == 0:
            return _refuse(problem, 0, "0 rows are staged, so there is nothing to publish.")
        if problem.quality is None:
            return Audit(n_rows, ())
        try:
            answers = _ask(problem, url)
        except Exception as error:  # fails closed, whatever broke
            text = " ".join(f"{type(error).__name__}: {error}".split())[:400]
            return _refuse(problem, n_rows, f"Great Expectations broke down, so nothing is known: {text}")
    return Audit(n_rows, _in_file_order(problem, answers, n_rows))


@contextmanager
def _database(problem: Problem, files: Sequence[Path]) -> Iterator[tuple[str, list[str], int]]:
    """Open a database of its own for one audit, with the partition as its view.

    Gives the database's URL, the columns that the files lack, and the number of rows.
    """
    name = f":memory:audit_{uuid.uuid4().hex}"  # a name, so that Great Expectations' own connection sees the view
    with duckdb.connect(name) as connection:
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        connection.execute("SET GLOBAL autoinstall_known_extensions = false")  # an audit never reaches the network
        try:
            # Its columns are those in the files; a folder named month=2013-01 must not add one.
            rows = connection.read_parquet([str(file) for file in files], hive_partitioning=False)
            missing = sorted(set(problem.source.columns) - set(rows.columns))
            if not missing:
                rows.project(_projection(problem)).create_view(_VIEW)
            n_rows = rows.aggregate("count(*)").fetchall()[0][0]
        except duckdb.Error as error:
            first_line = str(error).splitlines()[0][:300]
            raise AuditFailed(
                f"{len(files)} staged file(s) cannot be read as one partition: {first_line} "
                "Clear the task stage_partition of this run; it writes them again."
            ) from error
        yield database_url(name), missing, n_rows


def _projection(problem: Problem) -> str:
    """Select the problem's own columns, as its file declares them; times become moments in UTC."""
    columns = problem.source.columns.items()
    return ", ".join(
        f'"{name}"::TIMESTAMPTZ AS "{name}"' if column.type == "timestamp" else f'"{name}"' for name, column in columns
    )


def _ask(problem: Problem, url: str) -> list[Any]:
    """Run the suite and give Great Expectations' results, in its order."""
    source = open_context().data_sources.add_sql(name="audit", connection_string=url)
    engine = source.get_execution_engine()
    # Tells it to write PostgreSQL's expressions; the dialect turns them into DuckDB's where those differ.
    engine.dialect_module = postgresql
    try:
        asset = source.add_table_asset(name=_VIEW, table_name=_VIEW)
        batch = asset.add_batch_definition_whole_table(name="partition").get_batch()
        return list(batch.validate(build_suite(problem), result_format=_COUNTS_ONLY).results)
    finally:
        engine.close()
        source.get_engine().dispose()


def _in_file_order(problem: Problem, answers: Sequence[Any], n_rows: int) -> list[CheckResult]:
    """Put the answers into the file's order, and name each expectation that got none."""
    found = {answer.expectation_config.meta[CHECK_INDEX]: answer for answer in answers}
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
