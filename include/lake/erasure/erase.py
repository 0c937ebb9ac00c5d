"""Finds what the lake holds of a person, and takes it out: rows, and every snapshot and file that still has them.

What a person's rows are is asked of the raw logs, which alone have the values as they stood; rows whose log is gone
are found by the hashes that stand in the lake. Landing itself is never changed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from sqlalchemy import Connection, select, update

from include.engine.formats.fields import wanted_of
from include.engine.formats.object_records import Records
from include.engine.relations import fit_columns, relation_of_arrow, relation_of_records
from include.engine.session import open_engine
from include.engine.text_types import TYPED_PREFIX, type_columns
from include.engine.timed_fields import read_fields
from include.errors import BadLanding
from include.lake import files
from include.lake.catalog import arrow_schema, find_table, load_table, table_lock
from include.lake.erasure.subjects import ERASED, Erased, by_secret, is_erased, subject_columns, subject_name
from include.lake.garbage_collection import expire_snapshots, find_orphans, remove_orphans
from include.lake.masking import hash_identifier, mask
from include.lake.publishing import REFUSED, count_reasons
from include.lake.reading import open_files, open_rows, planned_files
from include.lake.row_expressions import QUARANTINE_SCHEMA
from include.lake.row_keys import PLACES, row_key
from include.lake.sources import Feed, all_feeds, fetch_feeds, given_up, times_of
from include.lake.writing import publish_partitions
from include.names import (
    LINE_NUMBER,
    OBJECT_KEY,
    PARTITION_KEY,
    ROW_KEY,
    events_table,
    predictions_table,
    quarantine_table,
    ranking_table,
)
from include.problems.reading import load_problem
from include.problems.sections.source import Source
from include.settings import Settings, read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.tables.quality import PARTITION_AUDIT, REJECTED_RECORD


@dataclass(frozen=True)
class Traces:
    """What is known of a person's rows.

    Attributes:
        problem: whose rows.
        source: its declared columns.
        hashes: secret of a key to the person's hash.
        places: object key and line number, joined by a colon, of each of their records.
        row_keys: names of their rows in the lake.
        unread: objects of landing that are gone, or are not what was counted.
    """

    problem: str
    source: Source
    hashes: Erased
    places: Collection[str]
    row_keys: Collection[str]
    unread: Sequence[str]

    @property
    def tables(self) -> list[str]:
        """Name the lake tables that may hold something of them, where they exist."""
        names = (events_table, quarantine_table, predictions_table, ranking_table)
        return [name(self.problem) for name in names if find_table(name(self.problem)) is not None]


def trace(problem: str, hashes: Mapping[str, str]) -> Traces:
    """Look for a person in everything that landed for a problem, and in its lake.

    Args:
        hashes: id of a key to the person's hash.

    Raises:
        BadSettings: the house has none of the keys.
    """
    settings = read_settings()
    with open_warehouse().begin() as connection:
        feeds = all_feeds(connection, problem)
    secrets = by_secret([hashes], settings.pii_keys)
    return find_traces(open_engine(), settings, problem, load_problem(problem).source, feeds, secrets)


def find_traces(
    engine: ibis.BaseBackend, settings: Settings, problem: str, source: Source, feeds: Sequence[Feed], hashes: Erased
) -> Traces:
    """Look for a person in everything that landed, and in the lake.

    Args:
        feeds: all objects of the problem, one entry each.
    """
    places, candidates, unread = set(), set(), []
    for feed in feeds:
        try:
            with fetch_feeds(settings, [feed]) as objects:
                records = Records(
                    objects,
                    source.format,
                    wanted=wanted_of(source),
                    given_up=given_up([feed]),
                    times=times_of(source, [feed]),
                )
                found = _theirs_in_log(relation_of_records(engine, records), source, hashes).to_pylist()
        except BadLanding:
            unread.append(feed.object_key)
            continue
        places |= {f"{row.pop(OBJECT_KEY)}:{row.pop(LINE_NUMBER)}" for row in found}
        candidates |= {name for row in found for name in row.values() if name is not None}
    traces = Traces(problem, source, hashes, places, (), unread)
    return Traces(problem, source, hashes, places, _row_keys(traces, candidates), unread)


def _theirs_in_log(records: ibis.Table, source: Source, hashes: Erased) -> pa.Table:
    """Select a person's raw records: their places, and how the lake names their rows, by every key."""
    columns = [name for name in source.key if name not in PLACES]
    rows = type_columns(read_fields(records, source), source.columns, columns)
    theirs = rows.filter(is_erased(rows, subject_columns(source), hashes))
    names = {f"by_key_{i}": _row_key(theirs, source, key) for i, key in enumerate(hashes)}
    places = theirs.select(OBJECT_KEY, LINE_NUMBER, **names).to_pyarrow()
    return places.replace_schema_metadata(None)


def _row_key(rows: ibis.Table, source: Source, pii_key: str) -> ir.StringValue:
    """Name rows as the lake does, with identifiers hashed by one key."""
    return row_key([_key_part(rows, source, name, pii_key) for name in source.key])


def _key_part(rows: ibis.Table, source: Source, name: str, pii_key: str) -> ir.Value:
    """Write one part of a row's name."""
    if name in PLACES:
        return rows[PLACES[name]].cast("string")
    is_hashed = source.columns[name].pii != "none"
    return (mask(rows[name], "identifier", pii_key) if is_hashed else rows[f"{TYPED_PREFIX}{name}"]).cast("string")


def _row_keys(traces: Traces, candidates: set[str]) -> set[str]:
    """Choose the names that are the person's: of two rows of one name only the first was kept, maybe another's."""
    if find_table(events_table(traces.problem)) is None:
        return candidates
    rows = open_rows(events_table(traces.problem))
    names = rows.select(ROW_KEY, is_theirs=is_theirs(rows, traces))
    found = names.filter(names.is_theirs | names[ROW_KEY].isin(sorted(candidates))).to_pyarrow().to_pylist()
    others = {row[ROW_KEY] for row in found if not row["is_theirs"]}
    return (candidates | {row[ROW_KEY] for row in found if row["is_theirs"]}) - others


def is_theirs(rows: ibis.Table, traces: Traces) -> ir.BooleanValue:
    """Say which rows of a lake table are a person's.

    Args:
        rows: of the events, the quarantine or the predictions table.
    """
    if OBJECT_KEY not in rows.columns:
        return rows[ROW_KEY].isin(sorted(traces.row_keys))
    place = rows[OBJECT_KEY] + ":" + rows[LINE_NUMBER].cast("string")
    found = place.isin(sorted(traces.places))
    for key, hashes in traces.hashes.items():
        for name in subject_columns(traces.source):
            if name not in rows.columns:
                continue
            pii, held = traces.source.columns[name].pii, rows[name].cast("string")
            value = held if pii == "identifier" else hash_identifier(subject_name(held), key)
            found |= value.isin(sorted(hashes)).fill_null(False) if pii != "contact" else False
        if "record" in rows.columns:
            for value in sorted(hashes):
                found |= rows.record.contains(value).fill_null(False)
    return found


def affected_partitions(traces: Traces) -> list[str]:
    """Name the partitions that hold something of a person, or the marks of it that an earlier run left."""
    keys: set[str] = set()
    for name in traces.tables:
        rows = open_rows(name)
        is_marked = rows.reason == ERASED if "reason" in rows.columns else ibis.literal(False)
        found = rows.filter(is_theirs(rows, traces) | is_marked).select(PARTITION_KEY).distinct()
        keys |= set(found.to_pyarrow()[PARTITION_KEY].to_pylist())
    return sorted(keys)


def erase_partition(
    engine: ibis.BaseBackend, connection: Connection, traces: Traces, partition_key: str, run_id: str
) -> int:
    """Take a person's rows out of one partition; the quarantine keeps their places, so that the counts still add up.

    The events go last: where their log is gone, they alone say which rows of the other tables are the person's.

    Returns:
        how many published rows were removed.

    Raises:
        LakeConflict: somebody published to the partition meanwhile; run it again.
    """
    properties = {"mulgil.run_id": run_id, "mulgil.change": "erasure"}
    key = {"problem": traces.problem, "partition_key": partition_key}
    audit = tuple(PARTITION_AUDIT.c[name] == value for name, value in key.items())
    is_refused = connection.scalar(select(PARTITION_AUDIT.c.verdict).where(*audit)) == REFUSED
    quarantine, events = quarantine_table(traces.problem), events_table(traces.problem)
    marks = _marks(engine, traces, partition_key, is_refused=is_refused)
    n_rows, n_counted = 0, 0
    for name in reversed(traces.tables):
        held = planned_files(load_table(name), [partition_key])
        rows = open_files(held, arrow_schema(load_table(name)))
        kept = rows.filter(~is_theirs(rows, traces))
        if name == quarantine:
            kept = _together(kept, marks)
            n_counted += _count(kept)
        elif name == events:
            n_kept = _count(kept)
            n_rows = _count(rows) - n_kept
            n_counted += 0 if is_refused else n_kept
        _replace(engine, name, partition_key, held, kept, properties)
    _count_again(connection, traces, key, n_counted, is_refused=is_refused)
    return n_rows


def _marks(engine: ibis.BaseBackend, traces: Traces, partition_key: str, *, is_refused: bool) -> ibis.Table:
    """Write what the quarantine keeps of a person's rows: where they were, and why they are not there."""
    places: dict[tuple[str, int], dict[str, object]] = {}
    for name in traces.tables:
        if name in (predictions_table(traces.problem), ranking_table(traces.problem)) or (
            is_refused and name == events_table(traces.problem)
        ):
            continue  # a refused partition's counts are not about the rows that it had before
        rows = open_rows(name, [partition_key])
        theirs = fit_columns(rows.filter(is_theirs(rows, traces)), QUARANTINE_SCHEMA).to_pyarrow().to_pylist()
        places |= {(row[OBJECT_KEY], row[LINE_NUMBER]): row for row in theirs}
    gone = dict.fromkeys(("record", "field", "detail", ROW_KEY, "_unknown_fields"), None) | {"reason": ERASED}
    marks = [row | gone for row in places.values()]
    return relation_of_arrow(engine, pa.Table.from_pylist(marks, QUARANTINE_SCHEMA))


def _replace(
    engine: ibis.BaseBackend,
    table_name: str,
    partition_key: str,
    held: Sequence[str],
    rows: ibis.Table,
    properties: Mapping[str, str],
) -> None:
    """Make rows the whole of a partition, in the order of their places.

    Raises:
        LakeConflict: the partition is not `held` any more; ingest waits for us, but scoring does not.
    """
    schema = arrow_schema(load_table(table_name))
    rows = fit_columns(rows, schema)
    if OBJECT_KEY in rows.columns:
        rows = rows.order_by([OBJECT_KEY, LINE_NUMBER])
    folder = files.partition_folder(table_name, partition_key)
    paths, _ = files.write_files(engine, rows, folder)
    publish_partitions(table_name, [partition_key], paths, schema, properties, instead_of=held)


def _together(kept: ibis.Table, marks: ibis.Table) -> ibis.Table:
    """Put rows that stay and marks of rows that went into one relation, one row a place.

    A run that was killed between the quarantine and the events left marks that nobody can tell are the person's.
    """
    rows, marks = fit_columns(kept, QUARANTINE_SCHEMA), fit_columns(marks, QUARANTINE_SCHEMA)
    return rows.anti_join(marks, [OBJECT_KEY, LINE_NUMBER]).union(marks)


def _count_again(
    connection: Connection, traces: Traces, key: Mapping[str, str], n_counted: int, *, is_refused: bool
) -> None:
    """Count what a partition is made of now, and by which reasons.

    Args:
        n_counted: rows and marks that were to be written, of those that the audit's counts are about.
    """
    ours = tuple(PARTITION_AUDIT.c[name] == value for name, value in key.items())
    n_in_lake = _count(open_rows(events_table(traces.problem), [key["partition_key"]]))
    counts = {"n_in_lake": n_in_lake}
    # Each row that went left a mark. Where there are fewer than the audit counted, retention took rows out before,
    # whatever the problem file says today: the counts are history, and the lake cannot be counted against them.
    audited = select(PARTITION_AUDIT.c.n_published + PARTITION_AUDIT.c.n_quarantined).where(*ours)
    if n_counted >= (connection.scalar(audited) or 0):
        quarantined = planned_files(load_table(quarantine_table(traces.problem)), [key["partition_key"]])
        reasons = count_reasons(quarantined).get(key["partition_key"], [])
        replace_rows(connection, REJECTED_RECORD, key, [{**key, **row} for row in reasons])
        counts["n_quarantined"] = sum(row["n_rows"] for row in reasons)
        if not is_refused:
            counts["n_published"] = n_in_lake
    connection.execute(update(PARTITION_AUDIT).where(*ours).values(counts))


def forget_history(traces: Traces, before: datetime) -> tuple[list[str], int]:
    """Remove every older snapshot of a person's tables, and the files that only those needed.

    Args:
        before: younger files are not touched; ingest has left the person out since.

    Returns:
        the ids of the snapshots, and how many files were removed.
    """
    expired = [snapshot_id for name in traces.tables for snapshot_id in expire_snapshots(name)]
    n_files = sum(remove_orphans(name, before, with_young_metadata=True) for name in traces.tables)
    return expired, n_files


def find_left(traces: Traces, before: datetime) -> dict[str, int]:
    """Look through all snapshots of the lake for what is left of a person.

    Args:
        before: as in `forget_history`.

    Returns:
        table to how many rows or files; none where nothing is left.
    """
    left: dict[str, int] = {}
    for name in traces.tables:
        for snapshot in load_table(name).snapshots():
            rows = open_rows(name, snapshot_id=str(snapshot.snapshot_id))
            theirs = rows.filter(is_theirs(rows, traces))
            if "reason" in rows.columns:
                theirs = theirs.filter((theirs.reason != ERASED) | theirs.record.notnull() | theirs[ROW_KEY].notnull())
            left[name] = left.get(name, 0) + _count(theirs)
        with table_lock(name):
            left[f"files of {name}"] = len(find_orphans(name, before, with_young_metadata=True))
    return {name: count for name, count in left.items() if count}


def _count(rows: ibis.Table) -> int:
    """Count rows."""
    return int(rows.count().to_pyarrow().as_py())
