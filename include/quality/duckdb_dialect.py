"""SQLAlchemy's way into DuckDB, as far as Great Expectations needs one: it reads, it never writes.

Ours and small, because the public dialect (duckdb-engine) fails with Great Expectations 1.24 and SQLAlchemy 2.1: rows
are gone once the connection is back in its pool, and it asks for catalogues (`pg_collation`) that DuckDB does not have.

What does not belong here: anything about quality. URL: `duckdb:///:memory:some_name`; every connection to one name
inside one process sees the same database.
"""

# ruff: noqa: ARG002 - SQLAlchemy decides what it hands to a dialect

from collections.abc import Sequence
from typing import Any

import duckdb
from sqlalchemy import types
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect, PGIdentifierPreparer
from sqlalchemy.engine import URL, Connection, reflection
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedPrimaryKeyConstraint
from sqlalchemy.exc import NoSuchTableError

# What ingest writes, and what DuckDB derives from it; any other type is compared by no expectation, so text will do.
_TYPES: dict[str, type[types.TypeEngine[Any]]] = {
    "VARCHAR": types.VARCHAR,
    "BIGINT": types.BIGINT,
    "INTEGER": types.INTEGER,
    "SMALLINT": types.SMALLINT,
    "DOUBLE": types.DOUBLE_PRECISION,
    "FLOAT": types.REAL,
    "BOOLEAN": types.BOOLEAN,
    "DATE": types.DATE,
    "TIMESTAMP": types.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": types.TIMESTAMP,
}
Row = tuple[object, ...]


class BufferedCursor:
    """A cursor that holds its rows from `execute` on: Great Expectations reads them after it closed the connection."""

    arraysize = 1

    def __init__(self, connection: "duckdb.DuckDBPyConnection") -> None:
        self._connection = connection
        self._rows: list[Row] = []
        self.description: Sequence[object] | None = None
        self.rowcount = -1

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> None:
        """Run one statement and fetch every row of its answer."""
        result = self._connection.execute(statement, list(parameters))
        self.description = result.description
        self._rows = result.fetchall() if result.description else []
        self.rowcount = len(self._rows)

    def fetchone(self) -> Row | None:
        """Give the next row, or None when there are no more."""
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """Give the next `size` rows."""
        size = self.arraysize if size is None else size
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[Row]:
        """Give all rows that were not given yet."""
        taken, self._rows = self._rows, []
        return taken

    def close(self) -> None:
        """Forget nothing: the rows are read after this."""


class ReadConnection:
    """A DuckDB connection in the shape that SQLAlchemy's pool expects; nothing is written, nothing rolled back."""

    def __init__(self, database: str) -> None:
        self._connection = duckdb.connect(database)

    def cursor(self) -> BufferedCursor:
        """Open a cursor on this very connection."""
        return BufferedCursor(self._connection)

    def commit(self) -> None:
        """Do nothing: DuckDB commits each statement by itself."""

    def rollback(self) -> None:
        """Do nothing: DuckDB refuses a rollback outside of a transaction."""

    def close(self) -> None:
        """Leave the database; the last one to leave an in-memory database ends it."""
        self._connection.close()


class DuckDBAPI:
    """The part of a DB-API module that SQLAlchemy asks for."""

    paramstyle = "qmark"
    apilevel = "2.0"
    threadsafety = 1
    version = duckdb.__version__
    Error = duckdb.Error
    DatabaseError = duckdb.DatabaseError
    OperationalError = duckdb.OperationalError
    ProgrammingError = duckdb.ProgrammingError
    IntegrityError = duckdb.IntegrityError
    DataError = duckdb.DataError
    InternalError = duckdb.InternalError
    InterfaceError = duckdb.Error
    NotSupportedError = duckdb.NotSupportedError

    @staticmethod
    def connect(database: str) -> ReadConnection:
        """Open one connection."""
        return ReadConnection(database)


class DuckDBCompiler(PGCompiler):
    """PostgreSQL's SQL, where DuckDB's differs put right."""

    def visit_custom_op_binary(self, element: Any, operator: Any, **kw: Any) -> str:
        """Write a regular expression as a search.

        DuckDB's own `~` matches the whole value, PostgreSQL's finds the pattern anywhere in it: the same text would
        silently give another answer.
        """
        if operator.opstring not in {"~", "!~"}:
            return str(super().visit_custom_op_binary(element, operator, **kw))  # type: ignore[no-untyped-call]
        found = f"regexp_matches({self.process(element.left, **kw)}, {self.process(element.right, **kw)})"
        return found if operator.opstring == "~" else f"NOT {found}"


class DuckDBPreparer(PGIdentifierPreparer):
    """Quotes every name: `at`, `pivot` or `qualify` are words of DuckDB's grammar, and a log may call a column so."""

    def _requires_quotes(self, value: str) -> bool:
        return True


class DuckDBDialect(PGDialect):
    """PostgreSQL's dialect without PostgreSQL's catalogues."""

    name = "duckdb"
    driver = "duckdb"
    default_paramstyle = "qmark"
    statement_compiler = DuckDBCompiler
    preparer = DuckDBPreparer
    supports_statement_cache = True
    supports_server_side_cursors = False

    @classmethod
    def import_dbapi(cls) -> Any:
        """Hand SQLAlchemy the driver."""
        return DuckDBAPI

    def create_connect_args(self, url: URL) -> tuple[list[str], dict[str, object]]:
        """Read the database's name from the URL."""
        return [url.database or ":memory:"], {}

    def initialize(self, connection: Connection) -> None:
        """Ask the server nothing: there is none, and its version is the module's."""
        self.server_version_info = (16,)  # the PostgreSQL whose SQL is written
        self.default_schema_name = "main"

    def on_connect(self) -> None:
        """Set nothing up: what an audit needs is a setting of its database, not of one connection."""

    def do_ping(self, dbapi_connection: object) -> bool:
        """Say that a database inside this process is there."""
        return True

    @reflection.cache
    def get_columns(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: object
    ) -> list[ReflectedColumn]:
        """List a table's or view's columns in their order.

        Raises:
            NoSuchTableError: there is none of that name.
        """
        rows = connection.exec_driver_sql(
            "SELECT column_name, data_type, is_nullable FROM duckdb_columns() "
            "WHERE table_name = ? AND schema_name = ? ORDER BY column_index",
            (str(table_name), schema or "main"),
        ).fetchall()
        if not rows:
            raise NoSuchTableError(table_name)
        return [
            {"name": name, "type": _TYPES.get(data_type, types.VARCHAR)(), "nullable": nullable, "default": None}
            for name, data_type, nullable in rows
        ]

    @reflection.cache
    def get_pk_constraint(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: object
    ) -> ReflectedPrimaryKeyConstraint:
        """Say that there is no primary key: a file has none."""
        return {"constrained_columns": [], "name": None}

    @reflection.cache
    def get_table_names(self, connection: Connection, schema: str | None = None, **kw: object) -> list[str]:
        """List the tables."""
        return self._names(connection, "SELECT table_name FROM duckdb_tables() WHERE schema_name = ?", schema)

    @reflection.cache
    def get_view_names(self, connection: Connection, schema: str | None = None, **kw: object) -> list[str]:
        """List the views that are not DuckDB's own."""
        query = "SELECT view_name FROM duckdb_views() WHERE schema_name = ? AND NOT internal"
        return self._names(connection, query, schema)

    def has_table(self, connection: Connection, table_name: str, schema: str | None = None, **kw: object) -> bool:
        """Say whether a table or view of this name is there."""
        return table_name in {*self.get_table_names(connection, schema), *self.get_view_names(connection, schema)}

    @staticmethod
    def _names(connection: Connection, query: str, schema: str | None) -> list[str]:
        return [row[0] for row in connection.exec_driver_sql(query, (schema or "main",)).fetchall()]


def database_url(name: str) -> str:
    """Write the URL of a database of this process, such as `:memory:audit`."""
    return str(URL.create(DuckDBDialect.name, database=name))


registry.register(DuckDBDialect.name, __name__, "DuckDBDialect")
