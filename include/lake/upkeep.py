"""Keeps tables small and quick: few files a partition, little history, no rows beyond their time.

What belongs here: what is done to which table. What does not: how snapshots and files are removed
(`garbage_collection.py`).
"""

from collections import Counter
from datetime import datetime, timedelta

import pyarrow.dataset
from sqlalchemy import select, update

from include.errors import CountsDoNotAddUp
from include.lake import files
from include.lake.catalog import arrow_schema, find_table, load_table
from include.lake.garbage_collection import expire_snapshots, remove_orphans
from include.lake.reading import list_partitions, planned_files
from include.lake.writing import publish_partitions
from include.names import events_table, predictions_table, quarantine_table, ranking_table
from include.partition_keys import partition_bounds
from include.problems.schema import Problem
from include.warehouse.database import open_warehouse
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.quality import PARTITION_AUDIT

# Beyond this, a file is large enough to be read on its own.
SMALL_BYTES = 64 << 20
# No step runs for so long: what is older and unknown to every snapshot was left by one that was killed.
ORPHAN_AFTER = timedelta(days=1)


def compact(table_name: str) -> int:
    """Write the small files of each partition as one file, all partitions in one commit; the rows stay as they are.

    Returns:
        how many files went.

    Raises:
        LakeConflict: somebody published to one of the partitions meanwhile; their rows stay.
        CountsDoNotAddUp: a row would be lost or doubled.
    """
    table = load_table(table_name)
    held: dict[str, list[int]] = {}
    n_rows = Counter[str]()
    for task in table.scan().plan_files():
        held.setdefault(str(task.file.partition[0]), []).append(task.file.file_size_in_bytes)
        n_rows[str(task.file.partition[0])] += task.file.record_count
    crowded = [key for key, sizes in sorted(held.items()) if len(sizes) > 1 + sum(sizes) // SMALL_BYTES]
    if not crowded:
        return 0
    schema, replaced, paths = arrow_schema(table), [], []
    for key in crowded:
        small = planned_files(table, [key])
        replaced += small
        # Read and written as they come, here and not on the engine: Spark would make several files again.
        rows = pyarrow.dataset.dataset(small, schema=schema, filesystem=files.open_files(), format="parquet")
        path, n_written = files.write_parquet(files.partition_folder(table_name, key), schema, rows.to_batches())
        if n_written != n_rows[key]:
            raise CountsDoNotAddUp(
                f"{table_name} {key}: its {len(small)} files hold {n_rows[key]} rows, and {n_written} were written as "
                "one. Nothing was changed. Clear the task; if it happens again, it is a fault of Mulgil."
            )
        paths.append(path)
    publish_partitions(table_name, crowded, paths, schema, {"mulgil.change": "compaction"}, instead_of=replaced)
    return len(replaced) - len(paths)


def remove_outlived(table_name: str, keep: timedelta | None, grain: str, now: datetime) -> list[str]:
    """Take out the partitions that ended longer ago than they are kept, in one commit.

    Args:
        keep: None keeps all.

    Returns:
        their keys.
    """
    if keep is None:
        return []
    outlived = [key for key in list_partitions(table_name) if _is_over(key, keep, grain, now)]
    if outlived:
        schema = arrow_schema(load_table(table_name))
        publish_partitions(table_name, outlived, [], schema, {"mulgil.change": "retention"})
    return outlived


def _is_over(partition_key: str, keep: timedelta, grain: str, now: datetime) -> bool:
    """Say whether a partition ended longer ago than it is kept."""
    return partition_bounds(partition_key, grain)[1] < now - keep


def _note_outlived(problem: Problem, now: datetime) -> None:
    """Write that the lake has no row of outlived partitions any more; what their audits counted stays.

    It asks the lake and not the run: one that was killed after its commit could not write it.
    """
    keep, audit = problem.upkeep.events, PARTITION_AUDIT.c
    if keep is None:
        return
    ours = (audit.problem == problem.name, audit.n_in_lake > 0)
    with open_warehouse().begin() as connection:
        # Locked before the lake is asked: whoever publishes meanwhile writes their count after ours.
        audited = connection.scalars(select(audit.partition_key).where(*ours).with_for_update()).all()
        held = set(list_partitions(events_table(problem.name)))
        gone = [key for key in audited if key not in held and _is_over(key, keep, problem.source.grain, now)]
        connection.execute(
            update(PARTITION_AUDIT).where(*ours, is_one_of(audit.partition_key, gone)).values(n_in_lake=0)
        )


def keep_up_tables(problem: Problem, now: datetime) -> dict[str, int]:
    """Do for each table of a problem what is to be done.

    Returns:
        `n_compacted`, `n_outlived`, `n_snapshots` and `n_files`, as `steps.keep_up` describes them.

    Raises:
        LakeConflict: somebody published to a partition meanwhile; their rows stay.
        CountsDoNotAddUp: a row would be lost or doubled.
    """
    done = dict.fromkeys(("n_compacted", "n_outlived", "n_snapshots", "n_files"), 0)
    for name, period in (
        (events_table(problem.name), problem.upkeep.events),
        (quarantine_table(problem.name), problem.upkeep.quarantine),
        (predictions_table(problem.name), problem.upkeep.predictions),
        (ranking_table(problem.name), problem.upkeep.predictions),
    ):
        if find_table(name) is None:
            continue
        outlived = remove_outlived(name, period, problem.source.grain, now)
        if name == events_table(problem.name):
            _note_outlived(problem, now)
        done["n_outlived"] += len(outlived)
        done["n_compacted"] += compact(name)
        kept_since = now - problem.upkeep.snapshots
        done["n_snapshots"] += len(expire_snapshots(name, named_by=problem.name, superseded_before=kept_since))
        done["n_files"] += remove_orphans(name, now - ORPHAN_AFTER)
    return done
