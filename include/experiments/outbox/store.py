"""Remembers who was listed, in which file, and how many were not.

What belongs here: the tables of `warehouse/tables/sending.py`. What does not: files (`files.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Text, and_, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from include.experiments.outbox.standing import Standing
from include.warehouse.loading import replace_rows
from include.warehouse.locks import lock_until_commit
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.sending import SEND_BATCH, SEND_COUNT, SEND_LIST


def hold_outbox(connection: Connection, problem: str, experiment: str) -> None:
    """Keep everybody else who would list units of an experiment waiting until the transaction ends."""
    lock_until_commit(connection, "outbox", problem, experiment)


def find_listed(
    connection: Connection, problem: str, experiment: str, units: Iterable[str]
) -> dict[str, tuple[str, str]]:
    """Say which of some units, as the lake holds them, were listed, and by which log and partition of an audience."""
    known = SEND_LIST.c
    query = select(known.unit, known.log, known.partition_key).where(
        known.problem == problem, known.experiment == experiment, is_one_of(known.unit, units)
    )
    return {unit: (log, key) for unit, log, key in connection.execute(query)}


def add_batch(
    connection: Connection,
    problem: str,
    experiment: str,
    source: tuple[str, str],
    standing: Standing,
    chosen: tuple[Sequence[str], Sequence[str], Sequence[str]],
    *,
    now: datetime,
) -> int:
    """Remember units as listed, and a file of them that is to be written, in the caller's transaction.

    Args:
        source: log and partition of the audience.
        standing: what their variants follow from.
        chosen: units as the lake holds them, keys of their rows, and variants; as many of each, at least one.
        now: UTC.

    Returns:
        the number of the file, from 1.

    Raises:
        IntegrityError: one of the units is listed already; nothing is remembered.
    """
    own = and_(SEND_BATCH.c.problem == problem, SEND_BATCH.c.experiment == experiment)
    batch = (connection.scalar(select(func.max(SEND_BATCH.c.batch)).where(own)) or 0) + 1
    log, key = source
    shared = {"problem": problem, "experiment": experiment, "batch": batch, "log": log, "partition_key": key}
    shared |= {"chosen_at_utc": now}
    file = {"n_units": len(chosen[0]), "file": f"{problem}/{experiment}/{batch:06d}.jsonl", "written_at_utc": None}
    connection.execute(insert(SEND_BATCH).values(shared | file))
    about = {name: getattr(standing, name) for name in ("phase", "window_key", "plan_sha256", "plan_version")}
    fixed = {name: literal(value, SEND_LIST.c[name].type) for name, value in (shared | about).items()}
    # As three arrays: a statement for each of some hundred thousand people would take minutes.
    arrays = (literal(list(values), ARRAY(Text)) for values in chosen)
    rows = func.unnest(*arrays).table_valued("unit", "item_id", "variant").render_derived()
    each = {name: rows.c[name] for name in ("unit", "item_id", "variant")}
    values = {**fixed, **each}
    connection.execute(insert(SEND_LIST).from_select(list(values), select(*values.values())))
    return batch


def write_counts(
    connection: Connection,
    problem: str,
    experiment: str,
    source: tuple[str, str],
    counts: Mapping[str, int],
    *,
    now: datetime,
) -> None:
    """Replace what became of the rows of a partition of an audience, in the caller's transaction."""
    where = {"problem": problem, "experiment": experiment, "log": source[0], "partition_key": source[1]}
    rows = [where | {"reason": reason, "n_rows": n, "counted_at_utc": now} for reason, n in counts.items()]
    replace_rows(connection, SEND_COUNT, where, rows)


def read_unwritten(connection: Connection, problem: str, experiment: str) -> list[dict[str, object]]:
    """Read the files that are to be written, the oldest first: rows of `core.send_batch`."""
    files = SEND_BATCH.c
    query = select(SEND_BATCH).where(
        files.problem == problem, files.experiment == experiment, files.written_at_utc.is_(None)
    )
    return [dict(row) for row in connection.execute(query.order_by(files.batch)).mappings()]


def read_batch(connection: Connection, problem: str, experiment: str, batch: int) -> list[dict[str, object]]:
    """Read the units of a file, in an order that is always the same: rows of `core.send_list`."""
    listed = SEND_LIST.c
    query = select(SEND_LIST).where(listed.problem == problem, listed.experiment == experiment, listed.batch == batch)
    return [dict(row) for row in connection.execute(query.order_by(listed.unit)).mappings()]


def mark_written(connection: Connection, problem: str, experiment: str, batch: int, now: datetime) -> None:
    """Write down that a file is there: it is the mailer's from now on, who may move or remove it."""
    files = SEND_BATCH.c
    own = (files.problem == problem, files.experiment == experiment, files.batch == batch)
    connection.execute(update(SEND_BATCH).where(*own).values(written_at_utc=now))
