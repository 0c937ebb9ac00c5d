"""Keeps who was erased, and removes what the warehouse holds of their rows.

What belongs here: tables. What does not: the lake (`include/lake/erasure/erase.py`).
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, Text, and_, cast, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB

from include.names import owner_of_log
from include.warehouse.loading import upsert_rows
from include.warehouse.predicates import is_one_of
from include.warehouse.tables import METADATA
from include.warehouse.tables.erasure import ERASED_SUBJECT
from include.warehouse.tables.learning import MODEL_LOG, MODEL_VERSION
from include.warehouse.tables.sending import SEND_LIST

# Whatever names a row of the lake calls it so: a table that is added tomorrow is cleaned, too.
_ITEM = "item_id"


def note_subject(
    connection: Connection,
    problem: str,
    hashes: Mapping[str, str],
    *,
    reason: str,
    actor: str,
    run_id: str,
    now: datetime,
) -> None:
    """Write that a subject is erased, from now on; who is there already keeps the first reason, time and id.

    Args:
        hashes: id of a key to the subject's hash, the newest key first.
    """
    columns = (ERASED_SUBJECT.c.subject_hash, ERASED_SUBJECT.c.subject_id)
    found = select(*columns).where(*_ours(hashes, problem)).order_by(ERASED_SUBJECT.c.asked_at_utc, *columns)
    known = {row.subject_hash: row.subject_id for row in connection.execute(found)}
    subject_id = next(iter([*known.values(), *hashes.values()]))
    shared: dict[str, object] = {"problem": problem, "subject_id": subject_id, "reason": reason, "actor": actor}
    shared |= {"run_id": run_id, "n_rows": 0, "asked_at_utc": now, "proven_at_utc": None}
    rows = [{**shared, "key_id": name, "subject_hash": value} for name, value in hashes.items() if value not in known]
    upsert_rows(connection, ERASED_SUBJECT, rows)
    # Hashes that were written without knowing of each other become one subject here.
    connection.execute(update(ERASED_SUBJECT).where(*_ours(hashes, problem)).values(subject_id=subject_id))


def read_subjects(connection: Connection, problem: str) -> list[dict[str, str]]:
    """Read the erased subjects of a problem, each as id of a key to hash."""
    columns = (ERASED_SUBJECT.c.subject_id, ERASED_SUBJECT.c.key_id, ERASED_SUBJECT.c.subject_hash)
    query = select(*columns).where(ERASED_SUBJECT.c.problem == problem).order_by(*columns)
    subjects: dict[str, dict[str, str]] = {}
    for subject_id, key_id, subject_hash in connection.execute(query):
        subjects.setdefault(subject_id, {})[key_id] = subject_hash
    return list(subjects.values())


def asked_at(connection: Connection, problem: str, hashes: Mapping[str, str]) -> datetime:
    """Read when a subject's erasure was asked for."""
    query = select(func.min(ERASED_SUBJECT.c.asked_at_utc)).where(*_ours(hashes, problem))
    found: datetime = connection.execute(query).scalar_one()
    return found


def erased_since(connection: Connection, problem: str, moment: datetime) -> bool:
    """Say whether somebody was erased after a moment."""
    newest = select(func.max(ERASED_SUBJECT.c.asked_at_utc)).where(ERASED_SUBJECT.c.problem == problem)
    found = connection.scalar(newest)
    return found is not None and found > moment


def count_removed(connection: Connection, problem: str, hashes: Mapping[str, str], n_rows: int) -> None:
    """Add to how many rows of a subject were removed."""
    ours = _ours(hashes, problem)
    connection.execute(update(ERASED_SUBJECT).where(*ours).values(n_rows=ERASED_SUBJECT.c.n_rows + n_rows))


def note_proof(connection: Connection, problem: str, hashes: Mapping[str, str], now: datetime) -> None:
    """Write that nothing is left of a subject."""
    connection.execute(update(ERASED_SUBJECT).where(*_ours(hashes, problem)).values(proven_at_utc=now))


def remove_items(connection: Connection, problem: str, item_ids: Collection[str]) -> int:
    """Remove every row about given rows of the lake: questions, answers, what was shown, explanations, suspicions.

    Returns:
        how many were removed.
    """
    chosen = ((table, _about(table, problem, item_ids)) for table in _tables_of_items())
    return sum(connection.execute(delete(table).where(*ours)).rowcount for table, ours in chosen) if item_ids else 0


def remove_listed(connection: Connection, log: str, hashes: Collection[str]) -> int:
    """Remove a person from the lists of a log's problem by their hash: the row that listed them may be gone since.

    Returns:
        how many rows were removed.
    """
    ours = (SEND_LIST.c.problem == owner_of_log(log), is_one_of(SEND_LIST.c.unit, hashes))
    return connection.execute(delete(SEND_LIST).where(*ours)).rowcount


def mark_models(connection: Connection, problem: str, snapshot_ids: Collection[str], now: datetime) -> int:
    """Mark the models whose training rows cannot be read again, because their snapshot was removed.

    Returns:
        how many were marked now.
    """
    owner = owner_of_log(problem)
    joined = select(MODEL_LOG.c.model_version).where(
        MODEL_LOG.c.problem == owner, is_one_of(MODEL_LOG.c.snapshot_id, snapshot_ids)
    )
    has_read = or_(is_one_of(MODEL_VERSION.c.snapshot_id, snapshot_ids), MODEL_VERSION.c.model_version.in_(joined))
    ours = (MODEL_VERSION.c.problem == owner, has_read)
    marked = update(MODEL_VERSION).where(*ours, MODEL_VERSION.c.rows_erased_at_utc.is_(None))
    return connection.execute(marked.values(rows_erased_at_utc=now)).rowcount


def find_left(
    connection: Connection, problem: str, item_ids: Collection[str], hashes: Collection[str]
) -> dict[str, int]:
    """Look for what is left of a subject: rows about its rows, and its hash in any text or document.

    Returns:
        table to how many rows; none where nothing is left.
    """
    left: dict[str, int] = {}
    for table in _tables_of_items():
        left[table.name] = (
            connection.scalar(select(func.count()).select_from(table).where(*_about(table, problem, item_ids))) or 0
        )
    for table in METADATA.sorted_tables:
        texts = [cast(column, Text) for column in table.columns if isinstance(column.type, Text | JSONB)]
        if table is not ERASED_SUBJECT and texts:
            holds = or_(*(text.contains(value) for text in texts for value in hashes))
            if table is SEND_LIST:  # another problem's lists are cleaned when it erases them
                holds = and_(holds, SEND_LIST.c.problem == owner_of_log(problem))
            n_rows = connection.scalar(select(func.count()).select_from(table).where(holds)) or 0
            left[table.name] = max(left.get(table.name, 0), n_rows)
    return {name: n_rows for name, n_rows in left.items() if n_rows}


def _tables_of_items() -> Iterator[Table]:
    """Give the tables that are about rows of the lake."""
    return (table for table in METADATA.sorted_tables if _ITEM in table.columns)


def _about(table: Table, problem: str, item_ids: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    """Select what a table holds about given rows of the lake; one that names their log may be another problem's."""
    owner = table.c.log if "log" in table.columns else table.c.problem
    return (owner == problem, is_one_of(table.c[_ITEM], sorted(item_ids)))


def _ours(hashes: Mapping[str, str], problem: str) -> tuple[ColumnElement[bool], ...]:
    """Select the rows of one subject."""
    return (ERASED_SUBJECT.c.problem == problem, is_one_of(ERASED_SUBJECT.c.subject_hash, hashes.values()))
