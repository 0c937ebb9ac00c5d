"""Withdraws objects of landing, and lets them in again; what they fed waits for ingest from then on.

Bytes are withdrawn, not names: the same bytes stay out when they land again, also under another name, until somebody
lets them in; other bytes in their place are another object. What does not belong here: leaving them out
(`include/lake/sources.py`).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, func, or_, select, tuple_, update

from include.errors import BadForm
from include.names import Coverage, Stage
from include.partition_keys import sort_key
from include.problems.sections.source import Source
from include.warehouse.coverage import mark
from include.warehouse.loading import upsert_rows
from include.warehouse.locks import lock_until_commit
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.landing import LANDING_OBJECT, LANDING_PARTITION, WITHDRAWAL
from include.warehouse.tables.runs import COVERAGE
from include.warehouse.withdrawals import is_withdrawn

_STANDS = WITHDRAWAL.c.restored_at_utc.is_(None)
_SHOWN = 3


@dataclass(frozen=True)
class Asked:
    """Who wants objects withdrawn or let in again, why, in which run, and when."""

    actor: str
    reason: str
    run_id: str
    now: datetime


def hold_withdrawals(connection: Connection, problem: str) -> None:
    """Keep everybody else from withdrawing objects of this problem, or letting them in, until the transaction ends."""
    lock_until_commit(connection, problem, Stage.LAND, "withdrawal")


def is_named_by_object(source: Source) -> bool:
    """Say whether an object's name or arrival is part of what its rows say: the same bytes elsewhere are other rows."""
    rule = source.event_time_rule
    return "_object" in source.key or (rule is not None and rule.from_what is not None)


def find_named(connection: Connection, problem: str, named: Sequence[str]) -> list[str]:
    """Find the objects that a form names; `*` in a name stands for any characters where no object is called so.

    Raises:
        BadForm: a name fits no object that `land` has read.
    """
    every = list(connection.scalars(select(LANDING_OBJECT.c.object_key).where(LANDING_OBJECT.c.problem == problem)))
    known, found, unknown = set(every), set[str](), []
    for name in named:
        pattern = re.compile(".*".join(re.escape(part) for part in name.split("*")), re.DOTALL)
        fitting = {name} & known or ({key for key in every if pattern.fullmatch(key)} if "*" in name else set())
        found |= fitting
        unknown += [] if fitting else [name]
    if unknown:
        near = get_close_matches(unknown[0], every, 1, 0.3)
        raise BadForm(
            f"{len(unknown)} of the {len(named)} names fit no object that `land` has read for {problem}; the first is "
            f"{unknown[0]!r}{f', is it {near[0]!r}?' if near else ''} Nothing was changed. A name is the path below "
            "the landing URL, as in bi.quarantine_by_reason; * stands for any characters."
        )
    return sorted(found)


def withdraw(connection: Connection, problem: str, source: Source, keys: Collection[str], asked: Asked) -> list[str]:
    """Withdraw objects, and every other object of the same bytes; what is withdrawn already stays as it is.

    Returns:
        the objects that are withdrawn now and were not before.
    """
    named = _read_objects(connection, problem, LANDING_OBJECT.c.object_key, keys)
    bytes_of = {row["fingerprint"]: row["object_key"] for row in reversed(named)}
    alike = (
        [] if is_named_by_object(source) else _read_objects(connection, problem, LANDING_OBJECT.c.fingerprint, bytes_of)
    )
    chosen = {row["object_key"]: row for row in [*alike, *named]}
    for row in chosen.values():
        first = None if row["object_key"] in keys else bytes_of[row["fingerprint"]]
        _note(connection, problem, row, asked, first)
    _let_wait(connection, problem, chosen, f"{len(chosen)} objects were withdrawn by {asked.actor}", asked.run_id)
    return sorted(chosen)


def withdraw_again(
    connection: Connection, problem: str, source: Source, read: Collection[str], now: datetime, run_id: str
) -> dict[str, str]:
    """Keep bytes out that were withdrawn before, under whatever name they have landed again.

    Args:
        read: objects that were read now; their partitions wait for ingest already.

    Returns:
        those of them that are withdrawn, each with a sentence that says by whom, and why.
    """
    if not is_named_by_object(source):
        stands = select(WITHDRAWAL).where(WITHDRAWAL.c.problem == problem, _STANDS)
        newest_first = connection.execute(stands.order_by(WITHDRAWAL.c.withdrawn_at_utc.desc())).mappings()
        before = {row["fingerprint"]: row for row in newest_first}
        for row in _read_objects(connection, problem, LANDING_OBJECT.c.fingerprint, before):
            first = before[row["fingerprint"]]
            asked = Asked(first["actor"], first["reason"], run_id, now)
            _note(connection, problem, row, asked, first["same_bytes_as"] or first["object_key"])
    query = (
        select(LANDING_OBJECT.c.object_key, func.min(WITHDRAWAL.c.actor), func.min(WITHDRAWAL.c.reason))
        .join(WITHDRAWAL, _is_of_object())
        .where(LANDING_OBJECT.c.problem == problem, _STANDS, is_one_of(LANDING_OBJECT.c.object_key, read))
        .group_by(LANDING_OBJECT.c.object_key)
    )
    said = "these bytes were withdrawn by {} ({}) and are not read; `withdraw` lets them in again"
    return {key: said.format(actor, reason) for key, actor, reason in connection.execute(query)}


def restore(connection: Connection, problem: str, source: Source, keys: Collection[str], asked: Asked) -> list[str]:
    """Let withdrawn objects in again, and every other object of the same bytes.

    Returns:
        the objects that are let in now.
    """
    ours = (WITHDRAWAL.c.problem == problem, _STANDS)
    named = set(
        connection.scalars(select(WITHDRAWAL.c.fingerprint).where(*ours, is_one_of(WITHDRAWAL.c.object_key, keys)))
    )
    is_theirs = is_one_of(WITHDRAWAL.c.object_key, keys)
    if not is_named_by_object(source):
        is_theirs = or_(is_theirs, is_one_of(WITHDRAWAL.c.fingerprint, named))
    values = {"restored_run_id": asked.run_id, "restored_by": asked.actor, "restored_reason": asked.reason}
    restored = sorted(set(connection.scalars(select(WITHDRAWAL.c.object_key).where(*ours, is_theirs))))
    sentence = f"{len(restored)} objects were let in again by {asked.actor}"
    # First: an ingest, too, holds its partition's coverage before it writes to withdrawals. Landing waits for us.
    _let_wait(connection, problem, restored, sentence, asked.run_id)
    connection.execute(update(WITHDRAWAL).where(*ours, is_theirs).values(**values, restored_at_utc=asked.now))
    return restored


def was_done(connection: Connection, problem: str, run_id: str) -> bool:
    """Say whether a run has withdrawn objects, or let them in, before: repeated, it may not act on other bytes."""
    is_its = or_(WITHDRAWAL.c.run_id == run_id, WITHDRAWAL.c.restored_run_id == run_id)
    query = select(WITHDRAWAL.c.run_id).where(WITHDRAWAL.c.problem == problem, is_its).limit(1)
    return connection.execute(query).first() is not None


def waiting_for(connection: Connection, problem: str, run_id: str) -> list[str]:
    """Name the partitions that wait for ingest because of a run, oldest first."""
    query = select(COVERAGE.c.partition_key).where(
        COVERAGE.c.problem == problem,
        COVERAGE.c.stage == str(Stage.INGEST),
        COVERAGE.c.status == str(Coverage.WAITING),
        COVERAGE.c.run_id == run_id,
    )
    return sorted(connection.scalars(query), key=sort_key)


def count_records(connection: Connection, problem: str, keys: Collection[str]) -> tuple[int, list[str]]:
    """Count the records of objects, and name the partitions that they feed, oldest first."""
    query = select(LANDING_PARTITION.c.partition_key, func.sum(LANDING_PARTITION.c.n_rows)).where(
        LANDING_PARTITION.c.problem == problem, is_one_of(LANDING_PARTITION.c.object_key, keys)
    )
    fed = dict(connection.execute(query.group_by(LANDING_PARTITION.c.partition_key)).all())
    return int(sum(fed.values())), sorted(fed, key=sort_key)


def _read_objects(
    connection: Connection, problem: str, column: Column[str], values: Collection[str]
) -> list[RowMapping]:
    """Read objects that are not withdrawn, by their keys or their bytes."""
    columns = (LANDING_OBJECT.c.object_key, LANDING_OBJECT.c.fingerprint, LANDING_OBJECT.c.home_partition)
    query = select(*columns).where(LANDING_OBJECT.c.problem == problem, ~is_withdrawn())
    return list(
        connection.execute(query.where(is_one_of(column, values)).order_by(LANDING_OBJECT.c.object_key)).mappings()
    )


def _note(connection: Connection, problem: str, row: RowMapping, asked: Asked, same_bytes_as: str | None) -> None:
    """Write that an object is withdrawn, a row for each partition that it feeds; of none, for its home partition."""
    query = select(LANDING_PARTITION.c.partition_key, LANDING_PARTITION.c.n_rows).where(
        LANDING_PARTITION.c.problem == problem, LANDING_PARTITION.c.object_key == row["object_key"]
    )
    fed = dict(connection.execute(query).all()) or {row["home_partition"]: 0}
    shared: Mapping[str, object] = {
        "problem": problem,
        "object_key": row["object_key"],
        "fingerprint": row["fingerprint"],
        "same_bytes_as": same_bytes_as,
        "run_id": asked.run_id,
        "actor": asked.actor,
        "reason": asked.reason,
        "withdrawn_at_utc": asked.now,
        **dict.fromkeys(("left_at_utc", "restored_run_id", "restored_by", "restored_reason", "restored_at_utc")),
    }
    upsert_rows(connection, WITHDRAWAL, [{**shared, "partition_key": key, "n_rows": n} for key, n in fed.items()])


def _let_wait(connection: Connection, problem: str, keys: Collection[str], sentence: str, run_id: str) -> None:
    """Let the partitions that objects feed wait for their ingest."""
    for key in count_records(connection, problem, keys)[1]:
        # Last in the transaction, as landing does: an ingest that publishes now sees it, or is marked after.
        mark(connection, problem, Stage.INGEST, key, Coverage.WAITING, detail=sentence, run_id=run_id)


def _is_of_object() -> ColumnElement[bool]:
    """Join withdrawals with the objects that have their bytes."""
    same = tuple_(WITHDRAWAL.c.problem, WITHDRAWAL.c.object_key, WITHDRAWAL.c.fingerprint)
    return same == tuple_(LANDING_OBJECT.c.problem, LANDING_OBJECT.c.object_key, LANDING_OBJECT.c.fingerprint)
