"""Replays quarantined rows, and merges those that can be used by now with what the partition has.

What belongs here: from the quarantine of one partition to new files, and their one commit. What does not: reading
objects (`sources.py`), what becomes of a record (`row_expressions.py`), who asked for it (`replay/record.py`).
"""

from collections.abc import Mapping, Sequence

import ibis
from sqlalchemy import Connection, select

from include.engine.formats.object_records import Records
from include.engine.session import open_engine
from include.errors import CountsDoNotAddUp, LakeConflict
from include.lake import files
from include.lake.catalog import OneCommit, find_table, table_lock
from include.lake.compiled_query import Sorting, rows_of
from include.lake.contracts import Basis, StagedReplay, StagedRows
from include.lake.partition_staging import count_unknown, drop_duplicates
from include.lake.publishing import REFUSED, Decided, commit_files, read_audit, store_outcome
from include.lake.reading import open_files, open_rows, planned_files
from include.lake.row_expressions import accepted_rows, events_schema, quarantined_rows, select_strays, stray_rows
from include.lake.sources import chosen_records, find_feeds, hash_feeds
from include.names import LINE_NUMBER, OBJECT_KEY, Stage, events_table, quarantine_table
from include.problems.schema import Problem
from include.warehouse.coverage import SETTLED, read_statuses
from include.warehouse.tables.landing import LANDING_OBJECT

_PLACE = [OBJECT_KEY, LINE_NUMBER]


def find_basis(connection: Connection, problem: str, partition_key: str) -> tuple[Basis | None, str]:
    """Say what a replay of a partition would start from; None, with a sentence, where there is nothing to replay."""
    key = {"problem": problem, "partition_key": partition_key}
    audit = read_audit(connection, key)
    status = read_statuses(connection, problem, Stage.INGEST).get(partition_key)
    if audit is None:
        return None, f"{partition_key} was never ingested, so nothing of it is in quarantine"
    landed = hash_feeds(find_feeds(connection, problem, partition_key))
    if status not in SETTLED or landed != audit["landed_sha256"]:
        return None, f"{partition_key} waits for its ingest, which reads all of its rows"
    is_refused = audit["verdict"] == REFUSED
    if is_refused and audit["n_quarantined"] + audit["n_duplicate"] + audit["n_withdrawn"] < audit["n_in"]:
        return None, f"{partition_key} was refused as a whole; clear its ingest run, which reads all of its rows"
    basis = Basis(
        () if is_refused else _live_files(events_table(problem), partition_key),
        _live_files(quarantine_table(problem), partition_key),
        landed,
        is_refused,
    )
    return (basis, "") if basis.quarantine else (None, f"no row of {partition_key} is in quarantine")


def _live_files(table_name: str, partition_key: str) -> tuple[str, ...]:
    """Name the files that make up a partition now."""
    table = find_table(table_name)
    return tuple(planned_files(table, [partition_key])) if table is not None else ()


def read_places(problem: str, partition_key: str) -> dict[str, list[int]]:
    """Read which lines of which object are in quarantine."""
    places: dict[str, list[int]] = {}
    rows = open_rows(quarantine_table(problem), [partition_key]).select(*_PLACE).to_pyarrow()
    for key, number in zip(rows[OBJECT_KEY].to_pylist(), rows[LINE_NUMBER].to_pylist(), strict=True):
        places.setdefault(key, []).append(number)
    return places


def run_again(
    sorting: Sorting, base: Sequence[str], places: Mapping[str, Sequence[int]]
) -> tuple[StagedRows, int, int]:
    """Sort out just the records at some places, and merge those that can be used with the rows that are there.

    The outcome is what an ingest of the whole partition would leave: rows in the order of their places, and of two rows
    of one name the one that arrived first.

    Args:
        base: files of the rows that are there, relative to the lake.

    Returns:
        what became of the rows there and the records read again, and how many there were of either; a duplicate is a
        row that another of its name displaced.

    Raises:
        CountsDoNotAddUp: a record was not found again.
    """
    engine, schema = open_engine(), events_schema(sorting.source)
    records = chosen_records(sorting.objects, sorting.source, places, sorting.given_up, sorting.times)
    n_tried = sum(len(lines) for lines in places.values())
    n_base = int(open_files(base, schema).count().to_pyarrow().as_py())
    [key] = sorting.partition_keys
    folder = files.partition_folder(events_table(sorting.problem), key)
    fresh, n_fresh = files.write_files(engine, rows_of(engine, records, sorting, accepted_rows), folder)
    staged, n_duplicate = list(base), 0
    if n_fresh:
        both = open_files([*base, *fresh], schema).order_by(_PLACE)
        merged, _ = files.write_files(engine, both, folder, _PLACE)
        kept, dropped = drop_duplicates(engine, sorting.problem, sorting.source, {key: merged})
        staged, n_duplicate = kept[key], dropped[key]
    quarantined, n_quarantined = _quarantine_again(engine, records, sorting)
    if n_fresh + n_quarantined != n_tried:
        raise CountsDoNotAddUp(
            f"{sorting.problem} {key}: {n_tried} rows are in quarantine, and "
            f"{n_fresh + n_quarantined} were found again in landing. Nothing was changed. "
            "Clear the partition's ingest run: it reads all anew."
        )
    rows = StagedRows(
        staged=tuple(staged),
        quarantined=tuple(quarantined),
        n_in=n_base + n_tried,
        n_staged=n_base + n_fresh - n_duplicate,
        n_quarantined=n_quarantined,
        n_duplicate=n_duplicate,
        unknown_fields=count_unknown(staged).get(key, {}),
    )
    return rows, n_base, n_tried


def _quarantine_again(engine: ibis.BaseBackend, records: Records, sorting: Sorting) -> tuple[list[str], int]:
    """Write what still cannot be used, and what is of another partition by now."""
    [key] = sorting.partition_keys
    folder = files.partition_folder(quarantine_table(sorting.problem), key)
    still = rows_of(engine, records, sorting, quarantined_rows)
    strays = rows_of(engine, records, sorting, stray_rows, select_strays)
    written = [files.write_files(engine, rows, folder, _PLACE) for rows in (still, strays)]
    return [path for paths, _ in written for path in paths], sum(n_rows for _, n_rows in written)


def count_moves(rows: StagedRows, n_base: int) -> dict[str, int]:
    """Say what became of the rows that were replayed; together they are `n_tried`.

    Args:
        rows: after their audit. Where a rule has become stricter it may quarantine rows of the base, too.
        n_base: rows that were there.
    """
    return {
        "n_published": rows.n_staged - n_base,
        "n_quarantined": rows.n_quarantined,
        "n_duplicate": rows.n_duplicate,
    }


def count_records(connection: Connection, problem: str) -> dict[str, int]:
    """Read how many records each landing object holds, whatever partition they belong to."""
    query = select(LANDING_OBJECT.c.object_key, LANDING_OBJECT.c.n_rows).where(LANDING_OBJECT.c.problem == problem)
    return {row.object_key: row.n_rows for row in connection.execute(query)}


def require_still_staged(problem: str, partition_key: str, rows: StagedRows) -> None:
    """Check that the merged files are there: an ingest that stages the partition anew clears away what it finds.

    Raises:
        LakeConflict: they are not; the replay is to start over.
    """
    tables = (events_table(problem), quarantine_table(problem))
    here = {path for name in tables for path in files.list_folder(files.partition_folder(name, partition_key))}
    staged = [*rows.staged, *rows.quarantined]
    gone = [path for path in staged if path not in here]
    if gone:
        raise LakeConflict(
            f"{len(gone)} of {len(staged)} files of {problem} {partition_key} were cleared away while its "
            "rows were replayed: its ingest has begun anew. This run changed nothing; it starts over when it "
            "is tried again."
        )


def require_same_basis(commit: OneCommit, problem: str, partition_key: str, staged: StagedReplay) -> None:
    """Hold both tables until the commit, and check that nobody has changed the partition since it was staged.

    Raises:
        LakeConflict: somebody has; the replay is to start over.
    """
    # In the order in which an ingest takes them: two that hold one each and want the other's would wait for ever.
    for table_name in (quarantine_table(problem), events_table(problem)):
        with table_lock(table_name, commit):
            pass
    basis, reason = find_basis(commit.connection, problem, partition_key)
    if basis is None or basis != staged.basis:
        raise LakeConflict(
            f"{problem} {partition_key} was changed while its rows were replayed"
            f"{': ' + reason if reason else ''}. This run changed nothing; it starts over when it is tried again."
        )


def publish_again(commit: OneCommit, problem: Problem, partition_key: str, decided: Decided, run_id: str) -> None:
    """Commit the merged rows, what is still in quarantine, and the partition's new counts.

    Raises:
        CountsDoNotAddUp: the partition's rows in differ from what it would have from then on.
    """
    key, rows = {"problem": problem.name, "partition_key": partition_key}, decided.rows
    before = read_audit(commit.connection, key) or {"n_in": 0, "n_duplicate": 0, "n_withdrawn": 0}
    counts = {
        "n_in": before["n_in"],
        "n_published": rows.n_staged,
        "n_quarantined": rows.n_quarantined,
        "n_duplicate": before["n_duplicate"] + rows.n_duplicate,
        "n_refused": 0,
        "n_withdrawn": before["n_withdrawn"],
    }
    n_out = sum(counts[f"n_{name}"] for name in ("published", "quarantined", "duplicate", "withdrawn"))
    if n_out != counts["n_in"]:
        raise CountsDoNotAddUp(
            f"{problem.name} {partition_key}: {counts['n_in']} rows came in, and {n_out} would be accounted for after "
            "the replay. Nothing was changed. Clear the partition's ingest run: it reads all anew."
        )
    snapshots = commit_files(commit, problem, {partition_key: decided}, run_id)
    store_outcome(commit.connection, key, decided, {**counts, "snapshot_id": snapshots.get(partition_key)}, run_id)
