"""Lets Ibis 12 run on DuckDB 2, pandas 3, a newer sqlglot, and a PyArrow that needs no hotfix.

Remove this file when Ibis calls `to_arrow_table` by itself and drops `pyarrow_hotfix`.
"""

import importlib.util
import sys
import warnings
from types import ModuleType
from typing import Any

import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.duckdb import Backend
from sqlglot import generator
from sqlglot.generator import Generator


def stand_in_for_hotfix() -> None:
    """Give Ibis the empty module `pyarrow_hotfix` where it is not installed.

    Ibis imports it for its effect on PyArrow before 14.0.1 (CVE-2023-47248); on every later one it has none.
    """
    if "pyarrow_hotfix" not in sys.modules and importlib.util.find_spec("pyarrow_hotfix") is None:
        sys.modules["pyarrow_hotfix"] = ModuleType("pyarrow_hotfix", "Nothing: this PyArrow needs no hotfix.")


def mend_drop() -> None:
    """Let sqlglot 30 read the DROP statements of Ibis 12, which names what is dropped by the older key `this`."""
    written_before = Generator.drop_sql
    if getattr(written_before, "is_mended", False):
        return

    def drop_sql(self: Generator, expression: sge.Drop) -> str:
        dropped = expression.args.pop("this", None)
        if dropped is not None:
            expression.set("tables", [sg.to_table(dropped) if isinstance(dropped, str) else dropped])
        return written_before(self, expression)

    drop_sql.is_mended = True  # type: ignore[attr-defined]
    Generator.drop_sql = drop_sql  # type: ignore[method-assign]
    # What wrote SQL before this remembers the method that it used.
    generator._DISPATCH_CACHE.clear()


class DuckDBBackend(Backend):  # type: ignore[misc] # Ibis has no types
    """Ibis's DuckDB backend, mended for DuckDB 2 and pandas 3."""

    def do_connect(self, *args: Any, **kwargs: Any) -> None:
        """Open the connection."""
        super().do_connect(*args, **kwargs)
        self.con: Any = WithOldNames(self.con)

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Run an expression and give its rows to pandas; Ibis looks at an option that pandas 3 deprecates."""
        from pandas.errors import Pandas4Warning  # as late as Ibis: who never asks for pandas need not load it

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pandas4Warning)
            return super().execute(*args, **kwargs)

    def to_pyarrow_batches(self, expr: Any, /, *, params: Any = None, limit: Any = None, **kwargs: Any) -> Any:
        """Stream an expression's rows; Ibis would hold them all as the one pending result of the connection."""
        relation = self._to_duckdb_relation(expr, params=params, limit=limit)
        return relation.to_arrow_reader(kwargs.get("chunk_size", 1_000_000))


class WithOldNames:
    """A DuckDB connection, or a result of one, that also answers to the names of DuckDB 1."""

    def __init__(self, held: Any) -> None:
        self._held = held

    def __getattr__(self, name: str) -> Any:
        """Give everything else as it is."""
        return getattr(self._held, name)

    def sql(self, *args: Any, **kwargs: Any) -> "WithOldNames":
        """Make a relation."""
        return WithOldNames(self._held.sql(*args, **kwargs))

    def execute(self, *args: Any, **kwargs: Any) -> "WithOldNames":
        """Run a query."""
        return WithOldNames(self._held.execute(*args, **kwargs))

    def fetch_arrow_table(self) -> Any:
        """Fetch all rows; `to_arrow_table` in DuckDB 2."""
        with warnings.catch_warnings():
            # It warns of a second copy of the rows; Ibis reads only names and types this way.
            warnings.simplefilter("ignore", UserWarning)
            return self._held.to_arrow_table()
