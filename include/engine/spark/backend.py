"""Lets Ibis 12 run on Spark 4 and pandas 3, and mean there what it means on DuckDB.

What relates rows (filters, joins, groups, windows) is Spark's own. What reads a text (patterns, times, numbers, letters
of every script) is asked of the embedded engine inside Spark's workers: see docs/decisions/two-engines-one-meaning.md.
"""

import hashlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import NULL
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from pandas.errors import Pandas4Warning

from include.engine.duckdb_functions import ROWS, VALUE, column_function

with warnings.catch_warnings():
    # PySpark 4.3 does not promise to work with pandas 3; rows go through Arrow here, never through pandas.
    warnings.simplefilter("ignore", FutureWarning)
    from ibis.backends.pyspark import Backend
    from ibis.backends.pyspark.datatypes import PySparkSchema, PySparkType
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

# Ibis looks at it for every number that is no whole one, and only its own way to connect would set it.
ibis.options.pyspark = Backend.Options(treat_nan_as_null=False)


# Goes through a part of the rows: batches in, batches out.
OverBatches = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Embedded:
    """One operation as a function of the embedded engine.

    Attributes:
        name: what Spark's SQL calls it; the same operation has the same name.
        arguments: names of the operation's arguments that are columns.
        function: computes it.
    """

    name: str
    arguments: tuple[str, ...]
    function: Callable[..., Any]


@lru_cache(maxsize=1_000)
def embed(op: ops.Value) -> Embedded:
    """Write an operation as a function of its columns; what is constant stays in its text."""
    values = dict(zip(op.argnames, op.args, strict=True))
    first = op.argnames[0]
    held = [
        name
        for name, value in values.items()
        if name == first or (isinstance(value, ops.Value) and not _is_constant(op, name, value))
    ]
    columns = {f"a{i}": values[name].dtype for i, name in enumerate(held)}
    rows = ibis.table(columns, name=ROWS)
    replaced = {name: rows[column].op() for name, column in zip(held, columns, strict=True)}
    query = str(ibis.to_sql(rows.select(**{VALUE: op.copy(**replaced).to_expr()}), dialect="duckdb"))
    digest = hashlib.sha256(f"{columns} {query}".encode()).hexdigest()
    return Embedded(f"embedded_{digest[:24]}", tuple(held), column_function(query, list(columns)))


def _is_constant(op: ops.Value, name: str, value: object) -> bool:
    """Say whether an argument is no column: a literal, or what a lambda is made of."""
    return isinstance(value, ops.Literal) or (isinstance(op, ops.ArrayMap) and name != "arg")


def is_embedded(op: ops.Node) -> bool:
    """Say whether an operation reads or writes a text in a way in which engines differ."""
    if isinstance(op, ops.Cast | ops.TryCast):
        before, after = op.arg.dtype, op.to
        is_reading = before.is_string() and not after.is_string()
        is_writing = after.is_string() and (before.is_floating() or before.is_temporal())
        return bool(is_reading or is_writing)
    return isinstance(
        op, ops.RegexSearch | ops.RegexReplace | ops.RegexExtract | ops.Lowercase | ops.Uppercase | ops.ArrayMap
    )


class Compiler(PySparkCompiler):  # type: ignore[misc] # Ibis has no types
    """Ibis's Spark SQL, with the meaning of DuckDB's."""

    __slots__ = ()

    def _embedded(self, op: Any, **arguments: Any) -> Any:
        """Call a function of the embedded engine."""
        found = embed(op)
        return self.f.anon[found.name](*(arguments[name] for name in found.arguments))

    visit_RegexSearch = visit_RegexReplace = visit_RegexExtract = _embedded  # noqa: N815 - Ibis calls them so
    visit_Lowercase = visit_Uppercase = visit_ArrayMap = _embedded  # noqa: N815

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:  # noqa: N802
        """Cast; a double becomes the nearest whole number, as on DuckDB, where Spark would cut it off."""
        if is_embedded(op):
            return self._embedded(op, arg=arg)
        if op.arg.dtype.is_floating() and to.is_integer():
            arg = self.f.anon.rint(arg)
        return super().visit_Cast(op, arg=arg, to=to)

    def visit_TryCast(self, op: Any, *, arg: Any, to: Any) -> Any:  # noqa: N802
        """Cast what can be cast."""
        return self._embedded(op, arg=arg) if is_embedded(op) else super().visit_TryCast(op, arg=arg, to=to)

    def visit_IsNull(self, _op: ops.Value, *, arg: sge.Expression) -> sge.Expression:  # noqa: N802
        """Say whether nothing is there; NaN is something."""
        return arg.is_(NULL)

    def visit_NotNull(self, _op: ops.Value, *, arg: sge.Expression) -> sge.Expression:  # noqa: N802
        """Say whether something is there."""
        return arg.is_(sg.not_(NULL))

    def visit_IsInf(self, _op: ops.Value, *, arg: sge.Expression) -> sge.Expression:  # noqa: N802
        """Say whether a number is beyond all numbers; Ibis compares two pieces of text here, and says never."""
        is_infinite: sge.Expression = self.f.anon.abs(arg).eq(self.POS_INF)
        return is_infinite

    def visit_Hash(self, _op: ops.Value, *, arg: sge.Expression) -> sge.Expression:  # noqa: N802
        """Hash to 64 bits; it differs from DuckDB's, and is for grouping only."""
        hashed: sge.Expression = self.f.anon.xxhash64(arg)
        return hashed

    def visit_First(self, op: Any, *, arg: Any, where: Any, order_by: Any, include_null: bool) -> Any:  # noqa: N802
        """Take the first value by an ascending order, which Spark calls the one with the least."""
        if not order_by:
            return super().visit_First(op, arg=arg, where=where, order_by=order_by, include_null=include_null)
        is_there = arg.is_(sg.not_(NULL))
        where = is_there if where is None else sg.and_(where, is_there)
        least = self.f.anon.min_by(arg, self.f.struct(*(key.this for key in order_by)))
        return sg.exp.Filter(this=least, expression=sg.exp.Where(this=where))


class SparkBackend(Backend):  # type: ignore[misc]
    """Ibis's Spark backend: rows come and go as Arrow, and functions of the embedded engine are known to it."""

    compiler = Compiler()

    def to_spark(self, rows: ibis.Table) -> DataFrame:
        """Give an expression's rows as a Spark data frame; nothing is computed yet."""
        self._run_pre_execute_hooks(rows)
        frame: DataFrame = self._session.sql(self.compile(rows))
        return frame

    @property
    def session(self) -> SparkSession:
        """Give Spark's own session."""
        session: SparkSession = self._session
        return session

    def map_batches(self, rows: ibis.Table, function: OverBatches, schema: ibis.Schema) -> ibis.Table:
        """Hand rows to a function in Python, batch by batch, in the workers that hold them.

        Args:
            function: takes and gives an iterator of Arrow batches; it travels to the workers.
            schema: Ibis's, of what it gives.
        """
        return self.map_frame(self.to_spark(rows), function, schema)

    def map_frame(self, frame: DataFrame, function: OverBatches, schema: ibis.Schema) -> ibis.Table:
        """As `map_batches`, of a Spark data frame."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # as above
            mapped = frame.mapInArrow(function, PySparkSchema.from_ibis(schema))
        return self.relation(mapped, schema)

    def relation(self, frame: DataFrame, schema: ibis.Schema) -> ibis.Table:
        """Give a Spark data frame as a relation.

        Args:
            schema: Ibis's; Spark knows no zones of times, all are UTC.
        """
        name = ibis.util.gen_name("frame")
        frame.createOrReplaceTempView(name)
        return ops.DatabaseTable(name=name, schema=schema, source=self, namespace=ops.Namespace()).to_expr()

    def to_pyarrow(self, expr: Any, /, *, params: Any = None, limit: Any = None, **_more: Any) -> Any:
        """Run an expression; Ibis would take the rows through pandas."""
        table = expr.as_table()
        self._run_pre_execute_hooks(table)
        rows = self._session.sql(self.compile(table, params=params, limit=limit)).toArrow()
        return expr.__pyarrow_result__(rows.cast(table.schema().to_pyarrow()))

    def execute(self, expr: Any, /, *, params: Any = None, limit: Any = None, **_more: Any) -> Any:
        """Run an expression and give its rows to pandas; Ibis looks at an option that pandas 3 deprecates."""
        rows = self.to_pyarrow(expr.as_table(), params=params, limit=limit).to_pandas()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pandas4Warning)
            return expr.__pandas_result__(rows)

    def _register_udfs(self, expr: ir.Expr) -> None:
        """Make the functions that an expression calls known to Spark."""
        from pyspark.sql.pandas.functions import arrow_udf

        make: Callable[..., object] = (
            arrow_udf  # its types count arguments up to ten; these functions take as many as they have columns
        )
        known = self.__dict__.setdefault("_known", set())
        for op in expr.op().find(ops.Value):
            if is_embedded(op) and (found := embed(op)).name not in known:
                kind = PySparkType.from_ibis(op.dtype)
                self._session.udf.register(found.name, make(found.function, kind))
                known.add(found.name)


def spark_schema(schema: pa.Schema) -> StructType:
    """Write Arrow's schema in Spark's types."""
    written: StructType = PySparkSchema.from_ibis(ibis.Schema.from_pyarrow(schema))
    return written
