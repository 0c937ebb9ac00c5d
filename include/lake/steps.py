"""What Airflow runs to ingest a partition, or to replay its quarantine: stage, (in the quality room) audit, publish."""

from datetime import UTC, datetime
from functools import partial

from include.errors import BadForm, PartitionRefused
from include.handover import XCom
from include.lake.contracts import (
    Group,
    NothingToReplay,
    Published,
    PublishedGroup,
    Replayed,
    Settled,
    StagedPartition,
    StagedReplay,
)
from include.names import Stage, events_table
from include.problems.reading import load_problem
from include.quality.contracts import Audited, AuditedReplay
from include.settings import read_settings
from include.warehouse.coverage import read_group, read_statuses, settled_by
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.steps import GroupStep, Outcome, run_together, step
from include.warehouse.tables.quality import DATA_DOCS, QUALITY_RESULT

SHORTEST_REASON = 5  # letters


@step(Stage.INGEST)
def stage_partition(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Read one partition from landing, type and mask it, and write the files that are to be audited.

    Returns:
        a `StagedPartition`.

    Raises:
        UnknownPartitionKey: the key does not fit the problem's grain.
        BadLanding: an object that feeds the partition is gone, or was replaced since landing counted it.
        BadSettings: identifiers are to be hashed, and there is no key; or the key of an erased subject is not there.
    """
    from include.lake.group_ingest import stage_together

    return stage_together(problem, [partition_key], run_id)[partition_key].to_xcom()


@step(Stage.INGEST, is_for_group=True)
def stage_group(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Stage a partition and those that its run takes along; one that cannot be staged stops no other.

    Returns:
        a `Group` of what `stage_partition` returns.

    Raises:
        as `stage_partition`, where none of them could be staged.
    """
    from include.lake.group_ingest import stage_together

    with open_warehouse().connect() as connection:
        keys = read_group(connection, problem, partition_key, run_id)

    def together() -> dict[str, Outcome]:
        return {key: staged.to_xcom() for key, staged in stage_together(problem, keys, run_id).items()}

    ours = GroupStep("stage_partition", Stage.INGEST, problem, run_id)
    alone = partial(stage_partition, problem=problem, run_id=run_id)
    return Group(*run_together(ours, keys, together, lambda key: alone(partition_key=key))).to_xcom()


@step(Stage.INGEST)
def publish_partition(
    *, problem: str, partition_key: str, staged: XCom, audit: XCom, run_id: str = "by-hand"
) -> Outcome:
    """Publish exactly the audited files, or refuse them; lake, quarantine and counts change in one commit, or none.

    Args:
        staged: what `stage_partition` returned.
        audit: what `audit_partition` returned.

    Returns:
        a `Published`. The verdict `outdated` means that more has landed, and another run has published it since this
        one was staged, or that somebody was erased since: nothing is changed then.

    Raises:
        PartitionRefused: a `stop` expectation did not hold, or no row is left; the lake keeps what it had.
        CountsDoNotAddUp: a row was lost or doubled.
        AuditFailed: the files are not those that were audited.
        LakeConflict: a replay has published since this one was staged.
        BadHandover: it was staged by an older version of Mulgil.
    """
    from include.lake.group_ingest import publish_together

    read, audited = StagedPartition.from_xcom(staged), Audited.from_xcom(audit)
    outcome = publish_together(problem, {partition_key: read}, {partition_key: audited}, run_id)[partition_key]
    if outcome.is_refused:
        raise PartitionRefused(f"{problem} {partition_key} was not published: {outcome.first_reason}")
    return outcome.published.to_xcom()


@step(Stage.INGEST, is_for_group=True)
def publish_group(*, problem: str, partition_key: str, staged: XCom, audit: XCom, run_id: str = "by-hand") -> Outcome:
    """Publish the audited partitions of a group in one commit; one that is refused or broken stops no other.

    Args:
        staged: what `stage_group` returned.
        audit: what `audit_group` returned.

    Returns:
        a `PublishedGroup`.

    Raises:
        PartitionRefused: some are refused, or were not staged or audited; the others are published.
        as `publish_partition`: where the partition is alone.
    """
    from include.lake.group_ingest import publish_together

    handed, audits = Group.from_xcom(staged), Group.from_xcom(audit)
    read = {key: StagedPartition.from_xcom(handed.done[key]) for key in audits.done}
    audited = {key: Audited.from_xcom(outcome) for key, outcome in audits.done.items()}
    refused: dict[str, str] = {}

    def together() -> dict[str, Outcome]:
        found = publish_together(problem, read, audited, run_id)
        refused.update({key: str(one.first_reason) for key, one in found.items() if one.is_refused})
        return {key: one.published.to_xcom() for key, one in found.items()}

    def alone(key: str) -> Outcome:
        about = {"problem": problem, "partition_key": key, "run_id": run_id}
        return publish_partition(staged=handed.done[key], audit=audits.done[key], **about)

    done, failed = run_together(
        GroupStep("publish_partition", Stage.INGEST, problem, run_id), list(read), together, alone
    )
    left = {**handed.failed, **audits.failed, **failed, **refused}
    if left:
        n_all, (key, reason) = len(handed.done) + len(handed.failed), sorted(left.items())[0]
        raise PartitionRefused(
            f"{problem} {partition_key}: {len(left)} of {n_all} partitions of this run were not published, the first "
            f"is {key}: {reason}. The others are. Mend that, then clear the run: it takes up only what is left."
        )
    return PublishedGroup({key: Published.from_xcom(outcome) for key, outcome in done.items()}).to_xcom()


@step(Stage.INGEST)
def announce_settled(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Name the partitions that a run published or refused before it broke off, so that what waits for them goes on.

    Returns:
        a `Settled`: those of them that are settled; none where the run broke off before.
    """
    with open_warehouse().connect() as connection:
        keys = settled_by(connection, problem, Stage.INGEST, run_id)
        status = read_statuses(connection, problem, Stage.INGEST).get(partition_key)
    return Settled(
        tuple(keys), f"ingest of {partition_key} is {status or 'unknown'}, not settled by this run"
    ).to_xcom()


@step(Stage.INGEST)
def choose_quarantined(
    *, problem: str, partitions: list[str] | None = None, reason: str, actor: str, run_id: str = "by-hand"
) -> Outcome:
    """Name the partitions whose quarantined rows are to be replayed, and write down who wants it, and why.

    Args:
        partitions: keys; all that have rows in quarantine when none is named.
        reason: in one sentence; it stays in the history.

    Returns:
        `partitions`: those that can be replayed, oldest first; why the others cannot stands in `core.replay`.

    Raises:
        BadForm: no reason is given.
        UnknownPartitionKey: a key does not fit the problem's grain.
    """
    from include.lake.replay import merge, record
    from include.partition_keys import require_partition_key

    source, now = load_problem(problem).source, datetime.now(UTC)
    if len(reason.strip()) < SHORTEST_REASON:
        raise BadForm(f"A replay needs a reason of {SHORTEST_REASON} letters or more: it stays in the history.")
    for partition_key in partitions or []:
        require_partition_key(partition_key, source.grain)
    chosen = []
    with open_warehouse().begin() as connection:
        n_in_quarantine = record.count_quarantined(connection, problem)
        for partition_key in sorted(set(partitions or n_in_quarantine)):
            basis, why_not = merge.find_basis(connection, problem, partition_key)
            chosen += [partition_key] if basis is not None else []
            n_tried = n_in_quarantine.get(partition_key, 0)
            key = {"problem": problem, "partition_key": partition_key, "run_id": run_id}
            asked = {"actor": actor, "reason": reason.strip()}
            record.record_request(connection, key, n_tried, asked, why_not if basis is None else None, now)
    return {"partitions": chosen, "n_rows": sum(n_in_quarantine.get(key, 0) for key in chosen)}


@step(Stage.INGEST)
def stage_replay(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Replay the quarantined rows of one partition, and write the files that it is to consist of.

    Returns:
        a `StagedReplay`; or, where there is nothing to do, a `NothingToReplay`.

    Raises:
        BadForm: the run was not asked to.
        BadLanding: an object is gone, or was replaced since landing counted it.
        CountsDoNotAddUp: a quarantined row was not found again.
    """
    from include.lake.compiled_query import Sorting
    from include.lake.erasure.subjects import by_secret
    from include.lake.manifest import write_manifest
    from include.lake.replay import merge, record
    from include.lake.sources import fetch_feeds, find_feeds, given_up, times_of
    from include.warehouse.erasure import read_subjects

    settings, source, now = read_settings(), load_problem(problem).source, datetime.now(UTC)
    key = {"problem": problem, "partition_key": partition_key, "run_id": run_id}
    with open_warehouse().begin() as connection:
        if record.read_request(connection, key)["verdict"] in record.PUBLISHING:
            return NothingToReplay(f"{partition_key} was published by this run before").to_xcom()
        basis, why_not = merge.find_basis(connection, problem, partition_key)
        if basis is None:
            nothing = {"verdict": record.NOTHING, "first_reason": why_not}
            record.record_outcome(connection, key, nothing, now)
            return NothingToReplay(why_not).to_xcom()
        feeds = find_feeds(connection, problem, partition_key)
        erased = by_secret(read_subjects(connection, problem), settings.pii_keys)
        n_records = merge.count_records(connection, problem)
    places = merge.read_places(problem, partition_key)
    homes = {feed.object_key: partition_key for feed in feeds if feed.is_home}
    with fetch_feeds(settings, [feed for feed in feeds if feed.object_key in places]) as objects:
        sorting = Sorting(
            problem,
            [partition_key],
            source,
            objects,
            homes,
            given_up(feeds),
            settings.pii_key,
            erased,
            times_of(source, feeds),
        )
        rows, n_base, n_tried = merge.run_again(sorting, basis.events, places)
    manifest = write_manifest(events_table(problem), partition_key, feeds, n_records)
    return StagedReplay(rows, manifest, basis, n_base, n_tried).to_xcom()


@step(Stage.INGEST)
def publish_replay(*, problem: str, partition_key: str, staged: XCom, audit: XCom, run_id: str = "by-hand") -> Outcome:
    """Publish exactly the audited files in place of the partition's; lake, quarantine and counts change in one commit.

    Args:
        staged: what `stage_replay` returned.
        audit: what `audit_replay` returned.

    Returns:
        a `Replayed`.

    Raises:
        PartitionRefused: a `stop` expectation did not hold with these rows; nothing was changed.
        LakeConflict: the partition was changed meanwhile; nothing was changed, and the replay is to start over.
        CountsDoNotAddUp: a row was lost or doubled.
        AuditFailed: the files are not those that were audited.
    """
    from include.lake import publishing
    from include.lake.catalog import one_commit
    from include.lake.replay import merge, record

    definition, now = load_problem(problem), datetime.now(UTC)
    key = {"problem": problem, "partition_key": partition_key}
    merged, audited = StagedReplay.from_xcom(staged), AuditedReplay.from_xcom(audit)
    rows = publishing.as_audited(merged.rows, audited.audit)
    merge.require_still_staged(problem, partition_key, rows)
    publishing.require_counts(problem, partition_key, rows)
    publishing.require_audited(problem, partition_key, rows, audited.audit)
    reasons = publishing.count_reasons(rows.quarantined).get(partition_key, [])
    verdict, first_reason = publishing.decide(rows, audited.audit, reasons)
    outcome = {"verdict": verdict, "first_reason": first_reason}
    if verdict == publishing.REFUSED:
        with open_warehouse().begin() as connection:
            record.record_outcome(connection, {**key, "run_id": run_id}, outcome, now)
        raise PartitionRefused(f"{problem} {partition_key} stays as it is: {first_reason}")
    counts, landed = merge.count_moves(rows, merged.n_base), merged.basis.landed_sha256
    decided = publishing.Decided(rows, audited.audit, merged.manifest, landed, verdict, first_reason, reasons)
    with one_commit() as commit:
        merge.require_same_basis(commit, problem, partition_key, merged)
        merge.publish_again(commit, definition, partition_key, decided, run_id)
        replace_rows(commit.connection, QUALITY_RESULT, key, audited.results)
        page = {**key, "run_id": run_id, "html": audited.html, "built_at_utc": now}
        replace_rows(commit.connection, DATA_DOCS, key, [page])
        record.record_outcome(commit.connection, {**key, "run_id": run_id}, {**outcome, **counts}, now)
    return Replayed(verdict, **counts).to_xcom()


@step(Stage.INGEST)
def list_replayed(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Name the partitions that a replay has published, so that what reads them is told.

    Returns:
        a `Settled`.
    """
    from include.lake.replay.record import note_announced

    with open_warehouse().begin() as connection:
        keys = note_announced(connection, problem, run_id, datetime.now(UTC))
    return Settled(tuple(keys), "nothing was published").to_xcom()


@step(Stage.LABELS)
def match_labels(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:  # noqa: ARG001
    """Count what a partition of a label log has to do with the rows it is about, and name what it re-opens.

    Args:
        problem: the label log, by the name that its stages have.
        partition_key: of the label log.

    Returns:
        a `MatchedLabels`.

    Raises:
        NoLabelMatches: not one of its rows names a row of the problem, though rows of its time are there.
    """
    from include.lake.joins.find_matches import match_partition

    return match_partition(problem, partition_key, datetime.now(UTC)).to_xcom()


@step(Stage.UPKEEP)
def erase_subject(*, problem: str, subject: str, reason: str, actor: str, run_id: str = "by-hand") -> Outcome:
    """Remove a person's rows of all logs of a problem, and keep ingest from bringing them back.

    Args:
        subject: the token that `scripts.subject_token` prints; never the person's own name.
        reason: why, in one sentence, without the person's name.
        actor: who asked for it.

    Returns:
        an `ErasedSubject`.

    Raises:
        BadSubject: the subject is no token.
        BadSettings: the house has none of its keys.
    """
    from include.lake.erasure.contracts import ErasedSubject
    from include.lake.erasure.request import erase_from_log
    from include.lake.erasure.subjects import read_token

    request = {"reason": reason, "actor": actor, "run_id": run_id}
    logs = [problem, *(log.name for log in load_problem(problem).logs)]
    erased = [erase_from_log(log, read_token(subject), request) for log in logs]
    return ErasedSubject.together(erased).to_xcom()


@step(Stage.UPKEEP)
def prove_erased(
    *,
    problem: str,
    subject: str,
    reason: str,  # noqa: ARG001 - a field of the form, as the next two
    actor: str,  # noqa: ARG001
    run_id: str = "by-hand",  # noqa: ARG001
) -> Outcome:
    """Look for an erased person in every snapshot and file of the lake, and in every table of the warehouse.

    Args:
        subject, reason, actor: as for `erase_subject`.

    Returns:
        a `ProvenErased`.

    Raises:
        NotErased: something was found; the message says where, and how much.
    """
    from include.lake.erasure.contracts import ProvenErased
    from include.lake.erasure.request import prove_in_log
    from include.lake.erasure.subjects import read_token

    logs = [problem, *(log.name for log in load_problem(problem).logs)]
    proven = [prove_in_log(log, read_token(subject)) for log in logs]
    return ProvenErased(sum(log.n_places for log in proven), sum(log.n_tables for log in proven)).to_xcom()


@step(Stage.UPKEEP)
def keep_up(*, problem: str, run_id: str = "by-hand") -> Outcome:  # noqa: ARG001 - the record has it
    """Write small files together, and let go of old snapshots, lost files and rows that have outlived their time.

    Returns:
        `n_compacted`: files that went into others; `n_outlived`: partitions removed; `n_snapshots` and `n_files`:
        snapshots and files removed. All are 0 on most days.
    """
    from include.lake.upkeep import keep_up_tables

    return keep_up_tables(load_problem(problem), datetime.now(UTC))
