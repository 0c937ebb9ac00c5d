"""Runs rows that were kept apart through again, and merges those that fit by now with what the partition has.

What belongs here: from the quarantine of one partition to new files, and their one commit. What does not: reading
objects (`landed.py`), what becomes of a record (`staging.py`), who asked for it (`replay_record.py`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from include.engine.reading import Records
from include.engine.session import open_engine
from include.errors import CountsDoNotAddUp, LakeConflict
from include.lake import files
from include.lake.catalog import OneCommit, find_table, table_lock
from include.lake.landed import chosen_records, find_feeds, hash_feeds
from include.lake.publishing import REFUSED, commit_files, read_audit, store_outcome
from include.lake.reading import open_files, open_rows, planned_files
from include.lake.sorting_out import Sorting, count_unknown, drop_duplicates, rows_of
from include.lake.staging import accepted_rows, events_schema, rejected_rows, select_strays, stray_rows
from include.names import LINE_NUMBER, OBJECT_KEY, Stage, events_table, quarantine_table
from include.problems.schema import Problem
from include.warehouse.coverage import SETTLED, read_statuses
from include.warehouse.tables.landing import LANDING_OBJECT

_PLACE = [OBJECT_KEY, LINE_NUMBER]


@dataclass(frozen=True)
class Basis:
    """What a replay starts from; where it is another by the time it is to publish, the replay starts over.

    Attributes:
        events, quarantine: files that make up the partition in either table.
        landed_sha256: what landing had when the partition was ingested.
        is_refused: whether all its rows are kept apart; what the lake has of it is of an earlier landing then.
    """

    events: list[str]
    quarantine: list[str]
    landed_sha256: str
    is_refused: bool


def find_basis(connection: Connection, problem: str, partition_key: str) -> tuple[Basis | None, str]:
    """Say what a replay of a partition would start from; None, with a sentence, where there is nothing to replay."""
    key = {"problem": problem, "partition_key": partition_key}
    audit = read_audit(connection, key)
    status = read_statuses(connection, problem, Stage.INGEST).get(partition_key)
    if audit is None:
        return None, f"{partition_key} was never ingested, so nothing of it is kept apart"
    landed = hash_feeds(find_feeds(connection, problem, partition_key))
    if status not in SETTLED or landed != audit["landed_sha256"]:
        return None, f"{partition_key} waits for its ingest, which runs all of its rows through"
    is_refused = audit["verdict"] == REFUSED
    if is_refused and audit["n_quarantined"] + audit["n_duplicate"] < audit["n_in"]:
        return None, f"{partition_key} was refused as a whole; clear its ingest run, which runs all of its rows through"
    basis = Basis(
        [] if is_refused else _live_files(events_table(problem), partition_key),
        _live_files(quarantine_table(problem), partition_key),
        landed,
        is_refused,
    )
    return (basis, "") if basis.quarantine else (None, f"no row of {partition_key} is kept apart")


def _live_files(table_name: str, partition_key: str) -> list[str]:
    """Name the files that make up a partition now."""
    table = find_table(table_name)
    return planned_files(table, [partition_key]) if table is not None else []


def read_places(problem: str, partition_key: str) -> dict[str, list[int]]:
    """Read which lines of which object are kept apart."""
    places: dict[str, list[int]] = {}
    rows = open_rows(quarantine_table(problem), [partition_key]).select(*_PLACE).to_pyarrow()
    for key, number in zip(rows[OBJECT_KEY].to_pylist(), rows[LINE_NUMBER].to_pylist(), strict=True):
        places.setdefault(key, []).append(number)
    return places


def run_again(sorting: Sorting, base: Sequence[str], places: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Sort out just the records at some places, and merge those that can be used with the rows that are there.

    The outcome is what an ingest of the whole partition would leave: rows in the order of their places, and of two rows
    of one name the one that arrived first.

    Args:
        base: files of the rows that are there, relative to the lake.

    Returns:
        `staged`, `rejected`, `n_staged`, `n_rejected`, `n_duplicate` (rows that another row of their name displaced),
        `n_in` (rows there and records read again), `n_base` and `n_tried` (of these), `unknown_fields`.

    Raises:
        CountsDoNotAddUp: a record was not found again.
    """
    engine, schema = open_engine(), events_schema(sorting.source)
    records = chosen_records(sorting.objects, sorting.source.format, places, sorting.given_up)
    n_tried = sum(len(lines) for lines in places.values())
    n_base = int(open_files(base, schema).count().to_pyarrow().as_py())
    folder = files.partition_folder(events_table(sorting.problem), sorting.partition_key)
    fresh, n_fresh = files.write_files(engine, rows_of(engine, records, sorting, accepted_rows), folder)
    staged, n_duplicate = list(base), 0
    if n_fresh:
        both = open_files([*base, *fresh], schema).order_by(_PLACE)
        merged, _ = files.write_files(engine, both, folder, _PLACE)
        staged, n_duplicate = drop_duplicates(engine, merged, folder, sorting.source)
    rejected, n_rejected = _keep_apart_again(engine, records, sorting)
    if n_fresh + n_rejected != n_tried:
        raise CountsDoNotAddUp(
            f"{sorting.problem} {sorting.partition_key}: {n_tried} rows are kept apart, and {n_fresh + n_rejected} "
            "were found again in landing. Nothing was changed. Clear the partition's ingest run: it reads all anew."
        )
    return {
        "staged": staged,
        "rejected": rejected,
        "n_staged": n_base + n_fresh - n_duplicate,
        "n_rejected": n_rejected,
        "n_duplicate": n_duplicate,
        "n_in": n_base + n_tried,
        "n_base": n_base,
        "n_tried": n_tried,
        "unknown_fields": count_unknown(staged),
    }


def _keep_apart_again(engine: Any, records: Records, sorting: Sorting) -> tuple[list[str], int]:
    """Write what still cannot be used, and what is of another partition by now."""
    folder = files.partition_folder(quarantine_table(sorting.problem), sorting.partition_key)
    still = rows_of(engine, records, sorting, rejected_rows)
    strays = rows_of(engine, records, sorting, stray_rows, select_strays)
    written = [files.write_files(engine, rows, folder, _PLACE) for rows in (still, strays)]
    return [path for paths, _ in written for path in paths], sum(n_rows for _, n_rows in written)


def count_moves(staged: Mapping[str, Any]) -> dict[str, int]:
    """Say what became of the rows that were run through again; together they are `n_tried`.

    Args:
        staged: after its audit. Where a rule has become stricter it may keep rows of the base apart, too.
    """
    return {
        "n_published": staged["n_staged"] - staged["n_base"],
        "n_quarantined": staged["n_rejected"],
        "n_duplicate": staged["n_duplicate"],
    }


def count_records(connection: Connection, problem: str) -> dict[str, int]:
    """Read how many records each landing object holds, whatever partition they belong to."""
    query = select(LANDING_OBJECT.c.object_key, LANDING_OBJECT.c.n_rows).where(LANDING_OBJECT.c.problem == problem)
    return {row.object_key: row.n_rows for row in connection.execute(query)}


def require_still_staged(problem: str, partition_key: str, staged: Mapping[str, Any]) -> None:
    """Check that the merged files are there: an ingest that stages the partition anew clears away what it finds.

    Raises:
        LakeConflict: they are not; the replay is to start over.
    """
    here = set(files.list_folder(files.partition_folder(events_table(problem), partition_key)))
    gone = [path for path in staged["staged"] if path not in here]
    if gone:
        raise LakeConflict(
            f"{len(gone)} of {len(staged['staged'])} files of {problem} {partition_key} were cleared away while its "
            "rows were run through again: its ingest has begun anew. This run changed nothing; it starts over when it "
            "is tried again."
        )


def require_same_basis(commit: OneCommit, problem: str, partition_key: str, staged: Mapping[str, Any]) -> None:
    """Hold both tables until the commit, and check that nobody has changed the partition since it was staged.

    Raises:
        LakeConflict: somebody has; the replay is to start over.
    """
    # In the order in which an ingest takes them: two that hold one each and want the other's would wait for ever.
    for table_name in (quarantine_table(problem), events_table(problem)):
        with table_lock(table_name, commit):
            pass
    basis, reason = find_basis(commit.connection, problem, partition_key)
    if basis is None or asdict(basis) != staged["basis"]:
        raise LakeConflict(
            f"{problem} {partition_key} was changed while its rows were run through again"
            f"{': ' + reason if reason else ''}. This run changed nothing; it starts over when it is tried again."
        )


def publish_again(
    commit: OneCommit,
    problem: Problem,
    partition_key: str,
    staged: Mapping[str, Any],
    outcome: Mapping[str, Any],
    reasons: Sequence[Mapping[str, Any]],
    properties: Mapping[str, str],
    now: datetime,
) -> None:
    """Commit the merged rows, what is still kept apart, and the partition's new counts.

    Args:
        staged: after its audit.
        outcome: `verdict`, `first_reason`, `run_id`, `files`, `files_sha256`.

    Raises:
        CountsDoNotAddUp: the partition's rows in differ from what it would have from then on.
    """
    key = {"problem": problem.name, "partition_key": partition_key}
    before = read_audit(commit.connection, key) or {"n_in": 0, "n_duplicate": 0}
    counts = {
        "n_in": before["n_in"],
        "n_published": staged["n_staged"],
        "n_quarantined": staged["n_rejected"],
        "n_duplicate": before["n_duplicate"] + staged["n_duplicate"],
        "n_refused": 0,
    }
    n_out = counts["n_published"] + counts["n_quarantined"] + counts["n_duplicate"]
    if n_out != counts["n_in"]:
        raise CountsDoNotAddUp(
            f"{problem.name} {partition_key}: {counts['n_in']} rows came in, and {n_out} would be accounted for after "
            "the replay. Nothing was changed. Clear the partition's ingest run: it reads all anew."
        )
    snapshot_id = commit_files(commit, problem, partition_key, staged, str(outcome["verdict"]), properties)
    row = {**outcome, **counts, "files": json.dumps(outcome["files"]), "snapshot_id": snapshot_id}
    store_outcome(commit.connection, key, staged, row, reasons, now)
