"""Puts Great Expectations before a partition's staged files: a database that lives for one audit, and a question.

What does not belong here: which questions are asked, and what follows from the answers.
"""

import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from sqlalchemy.dialects import postgresql

from include.errors import AuditFailed
from include.problems.schema import Problem
from include.quality.duckdb_dialect import database_url
from include.quality.gx_context import ExpectationSuiteValidationResult, gx, shared_context

_VIEW = "staged"

# Great Expectations finds a source by its name in the one context of the process: threads must not ask at once.
_ASKING = threading.Lock()


@dataclass(frozen=True)
class Staged:
    """A partition that can be asked about.

    Attributes:
        url: of the database that holds it as a view.
        missing: declared columns that the files lack; there is no view then.
        n_rows: rows of all files together.
    """

    url: str
    missing: Sequence[str]
    n_rows: int


@contextmanager
def open_staged(problem: Problem, files: Sequence[Path], added: Sequence[str] = ()) -> Iterator[Staged]:
    """Open a database of its own for one audit, with the partition as its view.

    Args:
        added: columns of ingest's own that are to be seen, too; most expectations are about the declared ones alone.

    Raises:
        AuditFailed: a file cannot be read as Parquet.
    """
    name = f":memory:audit_{uuid.uuid4().hex}"  # a name, so that Great Expectations' own connection sees the view
    with duckdb.connect(name) as connection:
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        connection.execute("SET GLOBAL autoinstall_known_extensions = false")  # an audit never reaches the network
        try:
            # Its columns are those in the files; a folder named month=2013-01 must not add one.
            rows = connection.read_parquet([str(file) for file in files], hive_partitioning=False)
            missing = sorted(set(problem.source.stored) - set(rows.columns))
            if not missing:
                rows.project(_projection(problem, added)).create_view(_VIEW)
            n_rows = rows.aggregate("count(*)").fetchall()[0][0]
        except duckdb.Error as error:
            first_line = str(error).splitlines()[0][:300]
            raise AuditFailed(
                f"{len(files)} staged file(s) cannot be read as one partition: {first_line} "
                "Clear the task stage_partition of this run; it writes them again."
            ) from error
        yield Staged(database_url(name), missing, n_rows)


def _projection(problem: Problem, added: Sequence[str]) -> str:
    """Select the problem's own columns, as its file declares them; times become moments in UTC."""
    columns = problem.source.stored.items()
    declared = [
        f'"{name}"::TIMESTAMPTZ AS "{name}"' if column.type == "timestamp" else f'"{name}"' for name, column in columns
    ]
    return ", ".join([*declared, *(f'"{name}"' for name in added)])


def ask(suite: gx.ExpectationSuite, url: str, result_format: Mapping[str, object]) -> ExpectationSuiteValidationResult:
    """Run a suite on the view of a database; threads of one process take turns.

    Args:
        result_format: how much Great Expectations is to tell, in its own words.

    Returns:
        its ExpectationSuiteValidationResult.
    """
    with _ASKING:
        return _ask_alone(suite, url, result_format)


def _ask_alone(
    suite: gx.ExpectationSuite, url: str, result_format: Mapping[str, object]
) -> ExpectationSuiteValidationResult:
    """Put the partition's source in the place of the last one's, and ask."""
    source = shared_context().data_sources.add_or_update_sql(name="audit", connection_string=url)
    engine = source.get_execution_engine()
    # Tells it to write PostgreSQL's expressions; the dialect turns them into DuckDB's where those differ.
    engine.dialect_module = postgresql
    try:
        asset = source.add_table_asset(name=_VIEW, table_name=_VIEW)
        batch = asset.add_batch_definition_whole_table(name="partition").get_batch()
        return batch.validate(suite, result_format=dict(result_format))
    finally:
        engine.close()
        source.get_engine().dispose()
