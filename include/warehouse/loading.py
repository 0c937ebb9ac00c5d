"""Writes rows: a partition is replaced whole, in one transaction, so that every step may run twice."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Table, delete, insert
from sqlalchemy.dialects.postgresql import insert as upsert


def replace_rows(
    connection: Connection, table: Table, where: Mapping[str, object], rows: Sequence[Mapping[str, object]]
) -> int:
    """Delete what `where` selects and insert `rows`, inside the caller's transaction.

    Args:
        where: column names to values, joined by AND; at least one.
        rows: each has the columns of `where` too, with the same values.

    Returns:
        how many rows stand there now.

    Raises:
        ValueError: `where` is empty, or a row lies outside of it: it would be doubled by the next run.
    """
    if not where:
        raise ValueError(f"replace_rows({table.name}) without a condition would empty the table")
    outside = [row for row in rows if any(row.get(name) != value for name, value in where.items())]
    if outside:
        raise ValueError(
            f"{len(outside)} of {len(rows)} rows for {table.name} lie outside {dict(where)}; first: {dict(outside[0])}"
        )
    connection.execute(delete(table).where(*(table.c[name] == value for name, value in where.items())))
    if rows:
        connection.execute(insert(table), [dict(row) for row in rows])
    return len(rows)


def upsert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> int:
    """Insert rows, or overwrite those that have the same primary key, inside the caller's transaction.

    Returns:
        how many rows were written.
    """
    if not rows:
        return 0
    keys = [column.name for column in table.primary_key]
    statement = upsert(table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    statement = (
        statement.on_conflict_do_update(index_elements=keys, set_=changed)
        if changed
        else statement.on_conflict_do_nothing(index_elements=keys)
    )
    connection.execute(statement, [dict(row) for row in rows])
    return len(rows)
