"""Asks a question over several relations at once in DuckDB's SQL, whatever engine holds them.

For what looks from one row at others: joins as of a time, and windows. On DuckDB the question becomes part of the
larger one; Spark would need another dialect, so there the rows are brought to the embedded engine, and their answer
back: the same rows, from one process.
"""

from collections.abc import Mapping

import duckdb
import ibis

from include.engine.relations import relation_of_arrow
from include.engine.session import is_spark


def select_joined(relations: Mapping[str, ibis.Table], query: str, columns: Mapping[str, object]) -> ibis.Table:
    """Ask about several relations.

    Args:
        relations: by the name that the query reads each from; one at least, all of one engine.
        query: DuckDB's SQL, which may begin with a comma and further WITH parts.
        columns: what it gives, each with its type.
    """
    schema = ibis.schema(dict(columns))
    engine = next(iter(relations.values())).get_backend()
    if is_spark(engine):
        with duckdb.connect() as own:
            own.execute("SET TimeZone = 'UTC'")
            for name, rows in relations.items():
                own.register(f"held_{name}", rows.to_pyarrow())
            held = ", ".join(f'"{name}" AS (FROM "held_{name}")' for name in relations)
            answer = own.sql(f"WITH {held} {query}").to_arrow_table()
        return relation_of_arrow(engine, answer.cast(schema.to_pyarrow()))
    held = ", ".join(f'"{name}" AS ({ibis.to_sql(rows, dialect="duckdb")})' for name, rows in relations.items())
    return engine.sql(f"WITH {held} {query}", schema=schema)
