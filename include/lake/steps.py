"""What Airflow runs to ingest a partition, or to replay its quarantine: stage, (in the quality room) audit, publish."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from include.errors import BadForm, PartitionRefused
from include.names import Coverage, Stage, events_table, quarantine_table
from include.problems.reading import load_problem
from include.settings import read_settings
from include.warehouse.coverage import mark_running, read_statuses
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.steps import step
from include.warehouse.tables.quality import DATA_DOCS, QUALITY_RESULT

SHORTEST_REASON = 5  # letters


@step(Stage.INGEST)
def stage_partition(*, problem: str, partition_key: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Read one partition from landing, type and mask it, and write the files that are to be audited.

    Returns:
        `staged` and `rejected`: Parquet files relative to the lake; `n_in`, `n_staged`, `n_rejected`, `n_duplicate`;
        `unknown_fields`: masked name of a field that the problem does not declare to how many staged rows have it;
        `manifest`: what was read, as `manifest.write_manifest` gives it; `landed_sha256` and `staged_at_utc`: what
        landing had, and when.

    Raises:
        BadPartition: the key does not fit the problem's grain.
        BadLanding: an object that feeds the partition is gone, or was replaced since landing counted it.
        BadSettings: identifiers are to be hashed, and there is no key; or the key of an erased subject is not there.
    """
    from include.engine.placing import require_partition_key
    from include.engine.session import open_engine
    from include.lake.landed import fetch_feeds, find_feeds, given_up, has_landed, hash_feeds
    from include.lake.leftovers import remove_leftovers
    from include.lake.manifest import write_manifest
    from include.lake.sorting_out import Sorting, sort_out
    from include.lake.subjects import by_secret
    from include.warehouse.erasure import read_subjects

    settings, source, now = read_settings(), load_problem(problem).source, datetime.now(UTC)
    with open_warehouse().begin() as connection:
        # What landed once may be named by another grain: its rows must go when the problem's file changes.
        if not has_landed(connection, problem, partition_key):
            require_partition_key(partition_key, source.grain)
        mark_running(connection, problem, Stage.INGEST, partition_key, run_id)
        feeds = find_feeds(connection, problem, partition_key)
        erased = by_secret(read_subjects(connection, problem), settings.pii_keys)
    homes = [feed.object_key for feed in feeds if feed.is_home]
    with fetch_feeds(settings, feeds) as objects:
        sorting = Sorting(problem, partition_key, source, objects, homes, given_up(feeds), settings.pii_key, erased)
        outcome = sort_out(open_engine(), sorting)
    n_records = outcome.pop("records")
    remove_leftovers(events_table(problem), partition_key, outcome["staged"])
    remove_leftovers(quarantine_table(problem), partition_key, outcome["rejected"])
    basis = {"landed_sha256": hash_feeds(feeds), "staged_at_utc": now.isoformat()}
    manifest = write_manifest(events_table(problem), partition_key, feeds, n_records)
    return {**outcome, **basis, "manifest": manifest, "n_rows": outcome["n_in"]}


@step(Stage.INGEST)
def publish_partition(
    *, problem: str, partition_key: str, staged: dict[str, Any], audit: dict[str, Any], run_id: str = "by-hand"
) -> dict[str, Any]:
    """Publish exactly the audited files, or refuse them; lake, quarantine and counts change in one commit, or none.

    Args:
        staged: what `stage_partition` returned.
        audit: what `audit_partition` returned.

    Returns:
        `verdict`, `snapshot_id`, `n_published`, `n_quarantined`, `n_duplicate` and `n_refused`. The verdict `outdated`
        means that more has landed, and another run has published it since this one was staged, or that somebody was
        erased since: nothing is changed then.

    Raises:
        PartitionRefused: a `stop` expectation did not hold, or no row is left; the lake keeps what it had.
        CountsDoNotAddUp: a row was lost or doubled.
        AuditFailed: the files are not those that were audited.
        LakeConflict: a replay has published since this one was staged.
    """
    from include.lake import publishing
    from include.lake.catalog import one_commit
    from include.lake.replay_record import require_none_since
    from include.warehouse.erasure import erased_since

    key, now = {"problem": problem, "partition_key": partition_key}, datetime.now(UTC)
    with open_warehouse().begin() as connection:
        if publishing.is_outdated(connection, key, staged, run_id):
            reason = "a later run has published more of this partition"
            return {"verdict": publishing.OUTDATED, "n_rows": 0, "reason": reason}
        if erased_since(connection, problem, datetime.fromisoformat(staged["staged_at_utc"])):
            reason = "somebody was erased since it was staged; `land` announces it again"
            return {"verdict": publishing.OUTDATED, "n_rows": 0, "reason": reason}
        require_none_since(connection, problem, partition_key, datetime.fromisoformat(staged["staged_at_utc"]))
    staged = publishing.as_audited(staged, audit)
    publishing.require_counts(problem, partition_key, staged)
    publishing.require_audited(problem, partition_key, staged, audit)
    reasons = publishing.count_reasons(staged["rejected"])
    verdict, first_reason = publishing.decide(staged, audit, reasons)
    properties = publishing.describe_snapshot(run_id, staged["manifest"], audit)
    with one_commit() as commit:
        definition = load_problem(problem)
        outcome = {
            "verdict": verdict,
            "snapshot_id": publishing.commit_files(commit, definition, partition_key, staged, verdict, properties),
            "n_published": 0 if verdict == publishing.REFUSED else staged["n_staged"],
            "n_quarantined": staged["n_rejected"],
            "n_duplicate": staged["n_duplicate"],
            "n_refused": staged["n_staged"] if verdict == publishing.REFUSED else 0,
        }
        audited = {"files_sha256": audit["files_sha256"], "files": json.dumps(audit["files"])}
        row = {**outcome, **audited, "n_in": staged["n_in"], "first_reason": first_reason, "run_id": run_id}
        publishing.store_outcome(commit.connection, key, staged, row, reasons, now)
    if verdict == publishing.REFUSED:
        raise PartitionRefused(f"{problem} {partition_key} was not published: {first_reason}")
    return {**outcome, "n_rows": outcome["n_published"]}


@step(Stage.INGEST)
def announce_refused(*, problem: str, partition_key: str, run_id: str = "by-hand") -> dict[str, Any]:  # noqa: ARG001
    """Name a partition that was refused, so that what waits for the partitions before it to be settled goes on.

    Returns:
        `keys`: the partition, where it is settled by a refusal; none where its ingest broke off for another reason.
    """
    with open_warehouse().connect() as connection:
        status = read_statuses(connection, problem, Stage.INGEST).get(partition_key)
    if status == Coverage.REFUSED:
        return {"keys": [partition_key], "n_rows": 0}
    return {"keys": [], "reason": f"ingest of {partition_key} is {status or 'unknown'}, not refused", "n_rows": 0}


@step(Stage.INGEST)
def choose_quarantined(
    *, problem: str, partitions: list[str] | None = None, reason: str, actor: str, run_id: str = "by-hand"
) -> dict[str, Any]:
    """Name the partitions whose quarantined rows are to be run through again, and write down who wants it, and why.

    Args:
        partitions: keys; all that have rows in quarantine when none is named.
        reason: in one sentence; it stays in the history.

    Returns:
        `partitions`: those that can be replayed, oldest first; why the others cannot stands in `core.replay`.

    Raises:
        BadForm: no reason is given.
        BadPartition: a key does not fit the problem's grain.
    """
    from include.engine.placing import require_partition_key
    from include.lake import replay_record, replaying

    source, now = load_problem(problem).source, datetime.now(UTC)
    if len(reason.strip()) < SHORTEST_REASON:
        raise BadForm(f"A replay needs a reason of {SHORTEST_REASON} letters or more: it stays in the history.")
    for partition_key in partitions or []:
        require_partition_key(partition_key, source.grain)
    chosen = []
    with open_warehouse().begin() as connection:
        kept_apart = replay_record.count_kept_apart(connection, problem)
        for partition_key in sorted(set(partitions or kept_apart)):
            basis, why_not = replaying.find_basis(connection, problem, partition_key)
            chosen += [partition_key] if basis is not None else []
            n_tried = kept_apart.get(partition_key, 0)
            key = {"problem": problem, "partition_key": partition_key, "run_id": run_id}
            asked = {"actor": actor, "reason": reason.strip()}
            replay_record.record_request(connection, key, n_tried, asked, why_not if basis is None else None, now)
    return {"partitions": chosen, "n_rows": sum(kept_apart.get(key, 0) for key in chosen)}


@step(Stage.INGEST)
def stage_replay(*, problem: str, partition_key: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Run the quarantined rows of one partition through again, and write the files that it is to consist of.

    Returns:
        as `stage_partition`, and `n_base`, `n_tried` and `basis`, as `replaying` describes them; or, where there is
        nothing to do, `is_over` and `reason`.

    Raises:
        BadForm: the run was not asked to.
        BadLanding: an object is gone, or was replaced since landing counted it.
        CountsDoNotAddUp: a quarantined row was not found again.
    """
    from include.lake import replay_record, replaying
    from include.lake.landed import fetch_feeds, find_feeds, given_up
    from include.lake.manifest import write_manifest
    from include.lake.sorting_out import Sorting
    from include.lake.subjects import by_secret
    from include.warehouse.erasure import read_subjects

    settings, source, now = read_settings(), load_problem(problem).source, datetime.now(UTC)
    key = {"problem": problem, "partition_key": partition_key, "run_id": run_id}
    with open_warehouse().begin() as connection:
        if replay_record.read_request(connection, key)["verdict"] in replay_record.PUBLISHING:
            return {"is_over": True, "reason": f"{partition_key} was published by this run before", "n_rows": 0}
        basis, why_not = replaying.find_basis(connection, problem, partition_key)
        if basis is None:
            nothing = {"verdict": replay_record.NOTHING, "first_reason": why_not}
            replay_record.record_outcome(connection, key, nothing, now)
            return {"is_over": True, "reason": why_not, "n_rows": 0}
        feeds = find_feeds(connection, problem, partition_key)
        erased = by_secret(read_subjects(connection, problem), settings.pii_keys)
        n_records = replaying.count_records(connection, problem)
    places = replaying.read_places(problem, partition_key)
    homes = [feed.object_key for feed in feeds if feed.is_home]
    with fetch_feeds(settings, [feed for feed in feeds if feed.object_key in places]) as objects:
        sorting = Sorting(problem, partition_key, source, objects, homes, given_up(feeds), settings.pii_key, erased)
        outcome = replaying.run_again(sorting, basis.events, places)
    described = {"basis": asdict(basis), "landed_sha256": basis.landed_sha256, "staged_at_utc": now.isoformat()}
    manifest = write_manifest(events_table(problem), partition_key, feeds, n_records)
    return {**outcome, **described, "manifest": manifest, "n_rows": outcome["n_tried"]}


@step(Stage.INGEST)
def publish_replay(
    *, problem: str, partition_key: str, staged: dict[str, Any], audit: dict[str, Any], run_id: str = "by-hand"
) -> dict[str, Any]:
    """Publish exactly the audited files in place of the partition's; lake, quarantine and counts change in one commit.

    Args:
        staged: what `stage_replay` returned.
        audit: what `audit_replay` returned.

    Returns:
        `verdict`, and of the rows that were run through again `n_published`, `n_quarantined` and `n_duplicate`.

    Raises:
        PartitionRefused: a `stop` expectation did not hold with these rows; nothing was changed.
        LakeConflict: the partition was changed meanwhile; nothing was changed, and the replay is to start over.
        CountsDoNotAddUp: a row was lost or doubled.
        AuditFailed: the files are not those that were audited.
    """
    from include.lake import publishing, replay_record, replaying
    from include.lake.catalog import one_commit

    definition, now = load_problem(problem), datetime.now(UTC)
    key = {"problem": problem, "partition_key": partition_key}
    staged = publishing.as_audited(staged, audit)
    replaying.require_still_staged(problem, partition_key, staged)
    publishing.require_counts(problem, partition_key, staged)
    publishing.require_audited(problem, partition_key, staged, audit)
    reasons = publishing.count_reasons(staged["rejected"])
    verdict, first_reason = publishing.decide(staged, audit, reasons)
    outcome = {"verdict": verdict, "first_reason": first_reason}
    if verdict == publishing.REFUSED:
        with open_warehouse().begin() as connection:
            replay_record.record_outcome(connection, {**key, "run_id": run_id}, outcome, now)
        raise PartitionRefused(f"{problem} {partition_key} stays as it is: {first_reason}")
    counts = replaying.count_moves(staged)
    properties = publishing.describe_snapshot(run_id, staged["manifest"], audit)
    row = {**outcome, "run_id": run_id, "files": audit["files"], "files_sha256": audit["files_sha256"]}
    with one_commit() as commit:
        replaying.require_same_basis(commit, problem, partition_key, staged)
        replaying.publish_again(commit, definition, partition_key, staged, row, reasons, properties, now)
        replace_rows(commit.connection, QUALITY_RESULT, key, audit["results"])
        page = {**key, "run_id": run_id, "html": audit["html"], "built_at_utc": now}
        replace_rows(commit.connection, DATA_DOCS, key, [page])
        replay_record.record_outcome(commit.connection, {**key, "run_id": run_id}, {**outcome, **counts}, now)
    return {"verdict": verdict, **counts, "n_rows": counts["n_published"]}


@step(Stage.INGEST)
def list_replayed(*, problem: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Name the partitions that a replay has published, so that what reads them is told.

    Returns:
        `keys`, oldest first.
    """
    from include.lake.replay_record import note_announced

    with open_warehouse().begin() as connection:
        keys = note_announced(connection, problem, run_id, datetime.now(UTC))
    return {"keys": keys, "reason": "nothing was published", "n_rows": 0}


@step(Stage.UPKEEP)
def erase_subject(*, problem: str, subject: str, reason: str, actor: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Remove a person's rows from the lake and the warehouse, and keep ingest from bringing them back.

    Args:
        subject: the token that `scripts.subject_token` prints; never the person's own name.
        reason: why, in one sentence, without the person's name.
        actor: who asked for it.

    Returns:
        `n_rows`: published rows removed; `n_items`: rows of the warehouse; `n_snapshots`, `n_files`, `n_models`:
        snapshots and files removed, and models marked; `n_partitions`; `landing_objects`: those that still have the
        person's records, which Mulgil never changes; `n_unread`: objects of landing that could not be read any more.

    Raises:
        BadSubject: the subject is no token.
        BadSettings: the house has none of its keys.
    """
    from include.engine.session import open_engine
    from include.lake.erasing import affected_partitions, erase_partition, forget_history, trace
    from include.lake.subjects import read_token
    from include.warehouse.coverage import read_statuses
    from include.warehouse.erasure import count_removed, mark_models, note_subject, remove_items
    from include.warehouse.locks import lock_until_commit

    hashes, now, warehouse = read_token(subject), datetime.now(UTC), open_warehouse()
    with warehouse.begin() as connection:
        note_subject(connection, problem, hashes, reason=reason, actor=actor, run_id=run_id, now=now)
        landed = read_statuses(connection, problem, Stage.LAND)
    for key in landed:
        # Whoever began without knowing of the subject is waited for; whoever begins after us leaves it out.
        with warehouse.begin() as connection:
            lock_until_commit(connection, problem, Stage.INGEST, key)
    barrier = datetime.now(UTC)
    traces = trace(problem, hashes)
    with warehouse.begin() as connection:
        n_items = remove_items(connection, problem, traces.row_keys)
    n_rows, partitions = 0, affected_partitions(traces)
    for key in partitions:
        with warehouse.begin() as connection:
            lock_until_commit(connection, problem, Stage.INGEST, key)
            n_rows += erase_partition(open_engine(), connection, traces, key, run_id)
    expired, n_files = forget_history(traces, barrier)
    with warehouse.begin() as connection:
        count_removed(connection, problem, hashes, n_rows)
        n_models = mark_models(connection, problem, expired, now)
    return {
        "n_rows": n_rows,
        "n_items": n_items,
        "n_partitions": len(partitions),
        "n_snapshots": len(expired),
        "n_files": n_files,
        "n_models": n_models,
        "landing_objects": sorted({place.rpartition(":")[0] for place in traces.places}),
        "n_unread": len(traces.unread),
    }


@step(Stage.UPKEEP)
def prove_erased(
    *,
    problem: str,
    subject: str,
    reason: str,  # noqa: ARG001 - a field of the form, as the next two
    actor: str,  # noqa: ARG001
    run_id: str = "by-hand",  # noqa: ARG001
) -> dict[str, Any]:
    """Look for an erased person in every snapshot and file of the lake, and in every table of the warehouse.

    Args:
        subject, reason, actor: as for `erase_subject`.

    Returns:
        `n_rows`: 0, and how much was looked through: `n_places`, `n_tables`.

    Raises:
        NotErased: something was found; the message says where, and how much.
    """
    from include.errors import NotErased
    from include.lake.erasing import find_left, trace
    from include.lake.subjects import read_token
    from include.warehouse import erasure

    hashes, now = read_token(subject), datetime.now(UTC)
    traces = trace(problem, hashes)
    with open_warehouse().begin() as connection:
        asked_at = erasure.asked_at(connection, problem, hashes)
        left = find_left(traces, asked_at)
        left |= erasure.find_left(connection, problem, traces.row_keys, list(hashes.values()))
        if not left:
            erasure.note_proof(connection, problem, hashes, now)
    if left:
        found = ", ".join(f"{count} in {name}" for name, count in sorted(left.items()))
        raise NotErased(
            f"Of the subject, this was found: {found}. Somebody wrote it while it was erased: clear both tasks."
        )
    return {"n_rows": 0, "n_places": len(traces.places), "n_tables": len(traces.tables)}


@step(Stage.UPKEEP)
def keep_up(*, problem: str, run_id: str = "by-hand") -> dict[str, Any]:  # noqa: ARG001 - the record has it
    """Write small files together, and let go of old snapshots, lost files and rows that have outlived their time.

    Returns:
        `n_compacted`: files that went into others; `n_outlived`: partitions removed; `n_snapshots` and `n_files`:
        snapshots and files removed. All are 0 on most days.
    """
    from include.lake.upkeep import keep_up_tables, needed_snapshots

    with open_warehouse().begin() as connection:
        needed = needed_snapshots(connection, problem)
    return keep_up_tables(load_problem(problem), needed, datetime.now(UTC))
