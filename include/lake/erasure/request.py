"""Carries out a request to erase a person from one log, lake and warehouse together, and proves that it was done.

A problem may have several logs; the steps go through all of them. What does not belong here: how the lake's rows,
snapshots and files go (`erase.py`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from include.engine.session import open_engine
from include.errors import NotErased
from include.lake.erasure.contracts import ErasedSubject, ProvenErased
from include.lake.erasure.erase import affected_partitions, erase_partition, find_left, forget_history, trace
from include.names import Stage
from include.warehouse import erasure
from include.warehouse.coverage import read_statuses
from include.warehouse.database import open_warehouse
from include.warehouse.locks import lock_until_commit


def erase_from_log(log: str, hashes: Mapping[str, str], request: Mapping[str, str]) -> ErasedSubject:
    """Remove a person's rows of one log from the lake and the warehouse, and keep ingest from bringing them back.

    Args:
        log: a problem's name, or that of one of its other logs.
        hashes: id of a key to the person's hash.
        request: `reason`, `actor` and `run_id`.

    Raises:
        BadSettings: the house has none of the keys.
    """
    now, warehouse = datetime.now(UTC), open_warehouse()
    with warehouse.begin() as connection:
        erasure.note_subject(connection, log, hashes, **request, now=now)
        landed = read_statuses(connection, log, Stage.LAND)
    for key in landed:
        # Whoever began without knowing of the subject is waited for; whoever begins after us leaves it out.
        with warehouse.begin() as connection:
            lock_until_commit(connection, log, Stage.INGEST, key)
    barrier = datetime.now(UTC)
    traces = trace(log, hashes)
    with warehouse.begin() as connection:
        n_items = erasure.remove_items(connection, log, traces.row_keys)
        n_items += erasure.remove_listed(connection, log, list(hashes.values()))
    n_rows, partitions = 0, affected_partitions(traces)
    for key in partitions:
        with warehouse.begin() as connection:
            lock_until_commit(connection, log, Stage.INGEST, key)
            n_rows += erase_partition(open_engine(), connection, traces, key, request["run_id"])
    expired, n_files = forget_history(traces, barrier)
    with warehouse.begin() as connection:
        erasure.count_removed(connection, log, hashes, n_rows)
        n_models = erasure.mark_models(connection, log, expired, now)
    return ErasedSubject(
        n_rows=n_rows,
        n_items=n_items,
        n_partitions=len(partitions),
        n_snapshots=len(expired),
        n_files=n_files,
        n_models=n_models,
        landing_objects=tuple(sorted({place.rpartition(":")[0] for place in traces.places})),
        n_unread=len(traces.unread),
    )


def prove_in_log(log: str, hashes: Mapping[str, str]) -> ProvenErased:
    """Look for an erased person in every snapshot and file of one log, and in every table of the warehouse.

    Args:
        log, hashes: as for `erase_from_log`.

    Raises:
        NotErased: something was found; the message says where, and how much.
    """
    now = datetime.now(UTC)
    traces = trace(log, hashes)
    with open_warehouse().begin() as connection:
        left = find_left(traces, erasure.asked_at(connection, log, hashes))
        left |= erasure.find_left(connection, log, traces.row_keys, list(hashes.values()))
        if not left:
            erasure.note_proof(connection, log, hashes, now)
    if left:
        found = ", ".join(f"{count} in {name}" for name, count in sorted(left.items()))
        raise NotErased(
            f"Of the subject, this was found: {found}. Somebody wrote it while it was erased: clear both tasks."
        )
    return ProvenErased(len(traces.places), len(traces.tables))
