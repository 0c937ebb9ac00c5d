"""Keeps what windows counted, for the next one to go on from.

What belongs here: the table `core.experiment_running_sum`. What does not: whether sums may be gone on from
(`running_sums.py`).
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select

from include.experiments.design import Design
from include.experiments.running_sums import Base, RunningSums, from_document, name_state, to_document
from include.experiments.waves import WaveRange
from include.lake.reading import list_files
from include.names import events_table
from include.partition_keys import partition_bounds
from include.warehouse.loading import replace_rows
from include.warehouse.tables.experiments import EXPERIMENT_RUNNING_SUM


def find_base(
    connection: Connection,
    problem: str,
    experiment: str,
    partition_key: str,
    partitions: Sequence[str],
    design: Design,
    *,
    grain: str,
    decided_at: datetime | None,
    waves: Sequence[WaveRange],
) -> Base | None:
    """Find the window before one, where its sums still rest on what is there now.

    Args:
        partition_key: the window that is to be counted.
        partitions: whose rows it reads.
        design: who is counted.
        grain: hour, day or month.
        decided_at, waves: in force now.

    Returns:
        None where there is no such window, or a partition of it was replaced, erased or withdrawn since, or another
        plan, decision or wave is in force: then everything is to be counted.
    """
    kept = EXPERIMENT_RUNNING_SUM.c
    query = (
        select(EXPERIMENT_RUNNING_SUM)
        .where(kept.problem == problem, kept.experiment == experiment, kept.partition_key < partition_key)
        .order_by(kept.partition_key.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    past, as_of = (
        [key for key in partitions if key <= row["partition_key"]],
        partition_bounds(row["partition_key"], grain)[1],
    )
    files = list_files(events_table(problem), past)
    state = name_state(design, files, as_of=as_of, decided_at=decided_at, waves=waves)
    return Base(from_document(row["running"]), past, as_of) if state == row["state"] else None


def write_running(
    connection: Connection, problem: str, experiment: str, partition_key: str, running: RunningSums, state: str
) -> None:
    """Keep what a window counted, and forget all but the one before it, in the caller's transaction."""
    kept = EXPERIMENT_RUNNING_SUM.c
    where = {"problem": problem, "experiment": experiment, "partition_key": partition_key}
    replace_rows(connection, EXPERIMENT_RUNNING_SUM, where, [where | {"state": state, "running": to_document(running)}])
    is_its = (kept.problem == problem) & (kept.experiment == experiment)
    newest = (
        select(kept.partition_key)
        .where(is_its, kept.partition_key <= partition_key)
        .order_by(kept.partition_key.desc())
        .limit(2)
    )
    older = kept.partition_key < partition_key
    connection.execute(delete(EXPERIMENT_RUNNING_SUM).where(is_its, older, kept.partition_key.not_in(newest)))
