"""Stages and publishes several partitions of a problem at once: what they share is read, compiled and committed once.

A partition alone is a group of one. What does not belong here: which partitions go together (`landing/groups.py`), and
what is done when one of them breaks off what is done for all (`steps.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from include.engine.session import open_engine
from include.lake import publishing
from include.lake.catalog import one_commit
from include.lake.compiled_query import Sorting
from include.lake.contracts import OUTDATED, Published, StagedPartition
from include.lake.erasure.subjects import by_secret
from include.lake.garbage_collection import remove_earlier_attempts
from include.lake.manifest import write_manifest
from include.lake.partition_staging import sort_out
from include.lake.publishing import REFUSED, Decided, ReasonCount
from include.lake.replay.record import require_none_since
from include.lake.sources import fetch_feeds, find_feeds, given_up, has_landed, hash_feeds, join_feeds, times_of
from include.names import Stage, events_table, quarantine_table
from include.partition_keys import require_partition_key
from include.problems.ingest_rules import hash_ingest_rules
from include.problems.reading import load_problem
from include.quality.contracts import Audited
from include.settings import read_settings
from include.warehouse import withdrawals
from include.warehouse.coverage import mark_running
from include.warehouse.database import open_warehouse
from include.warehouse.erasure import read_subjects


def stage_together(problem: str, partition_keys: Sequence[str], run_id: str) -> dict[str, StagedPartition]:
    """Read partitions from landing, each object once, type and mask them, and write the files that are to be audited.

    Raises:
        UnknownPartitionKey, BadLanding, BadSettings, CountsDoNotAddUp: as the step `stage_partition`, about any of
            the partitions; nothing is staged then.
    """
    settings, definition = read_settings(), load_problem(problem)
    source, rules = definition.source, hash_ingest_rules(definition)
    feeds, standing, n_withdrawn = {}, {}, {}
    with open_warehouse().begin() as connection:
        for key in partition_keys:
            # What landed once may be named by another grain: its rows must go when the problem's file changes.
            if not has_landed(connection, problem, key):
                require_partition_key(key, source.grain)
            mark_running(connection, problem, Stage.INGEST, key, run_id)
            standing[key] = publishing.read_standing(connection, {"problem": problem, "partition_key": key})
            feeds[key] = find_feeds(connection, problem, key)
            n_withdrawn[key] = sum(withdrawals.find_withdrawn(connection, problem, key).values())
        erased = by_secret(read_subjects(connection, problem), settings.pii_keys)
    homes = {feed.object_key: key for key, fed in feeds.items() for feed in fed if feed.is_home}
    every = join_feeds(feeds.values())
    with fetch_feeds(settings, every) as objects:
        sorting = Sorting(
            problem,
            partition_keys,
            source,
            objects,
            homes,
            given_up(every),
            settings.pii_key,
            erased,
            times_of(source, every),
        )
        rows, n_records = sort_out(open_engine(), sorting)
    staged = {}
    for key in partition_keys:
        remove_earlier_attempts(events_table(problem), key, rows[key].staged)
        remove_earlier_attempts(quarantine_table(problem), key, rows[key].quarantined)
        manifest = write_manifest(events_table(problem), key, feeds[key], n_records)
        staged[key] = StagedPartition(
            rows[key], manifest, hash_feeds(feeds[key]), standing[key], n_withdrawn[key], rules
        )
    return staged


@dataclass(frozen=True)
class Outcome:
    """What became of one partition that was to be published, and why, where somebody wants to know."""

    published: Published
    first_reason: str | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the lake keeps what it had."""
        return self.published.verdict == REFUSED


def publish_together(
    problem: str, staged: Mapping[str, StagedPartition], audits: Mapping[str, Audited], run_id: str
) -> dict[str, Outcome]:
    """Publish exactly the audited files of partitions, or refuse some; lake and counts change in one commit.

    Args:
        staged, audits: by partition; of the same ones.

    Raises:
        CountsDoNotAddUp, AuditFailed, LakeConflict: as the step `publish_partition`, about any of the partitions;
            nothing is changed then.
    """
    outcomes, decided = {}, {}
    for key, one in staged.items():
        if reason := _look_around(problem, key, one, run_id):
            outcomes[key] = Outcome(Published(OUTDATED, reason=reason))
    # Files of what is outdated may be gone.
    current = {key: one for key, one in staged.items() if key not in outcomes}
    reasons = publishing.count_reasons(
        [path for key, one in current.items() for path in publishing.as_audited(one.rows, audits[key]).quarantined]
    )
    for key, one in current.items():
        decided[key] = _decide(problem, key, one, audits[key], reasons.get(key, []))
    if decided:
        with one_commit() as commit:
            for key in decided:
                are_there = withdrawals.are_still_there(commit.connection, problem, key)
                decided[key] = replace(decided[key], must_leave=are_there)
            snapshots = publishing.commit_files(commit, load_problem(problem), decided, run_id)
            for key, settled in decided.items():
                published = _count(settled, snapshots.get(key))
                counts = {**published.counts(), "n_in": settled.rows.n_in + settled.n_withdrawn}
                where = {"problem": problem, "partition_key": key}
                publishing.store_outcome(commit.connection, where, settled, counts, run_id)
                outcomes[key] = Outcome(published, settled.first_reason)
    return {key: outcomes[key] for key in staged}


def _look_around(problem: str, key: str, staged: StagedPartition, run_id: str) -> str | None:
    """Say why publishing a partition would take something back; None when it would not.

    Raises:
        LakeConflict: a replay has published since it was staged.
    """
    where = {"problem": problem, "partition_key": key}
    with open_warehouse().begin() as connection:
        standing = publishing.read_standing(connection, where)
        if reason := publishing.why_outdated(connection, where, staged, standing, run_id):
            return reason
    require_none_since(problem, key, staged.standing.replays, standing.replays)
    return None


def _decide(problem: str, key: str, staged: StagedPartition, audit: Audited, reasons: Sequence[ReasonCount]) -> Decided:
    """Check that what was staged is what was audited, and that no row is lost; decide what becomes of it.

    Raises:
        CountsDoNotAddUp, AuditFailed: as `publish_together`.
    """
    rows = publishing.as_audited(staged.rows, audit)
    publishing.require_counts(problem, key, rows)
    publishing.require_audited(problem, key, rows, audit)
    verdict, first_reason = publishing.decide(rows, audit, reasons, staged.n_withdrawn)
    return Decided(
        rows,
        audit,
        staged.manifest,
        staged.landed_sha256,
        verdict,
        first_reason,
        reasons,
        staged.n_withdrawn,
        staged.rules_sha256,
    )


def _count(decided: Decided, snapshot_id: str | None) -> Published:
    """Say what became of each row."""
    is_refused, rows = decided.verdict == REFUSED, decided.rows
    return Published(
        decided.verdict,
        n_published=0 if is_refused else rows.n_staged,
        n_quarantined=rows.n_quarantined,
        n_duplicate=rows.n_duplicate,
        n_refused=rows.n_staged if is_refused else 0,
        n_withdrawn=decided.n_withdrawn,
        snapshot_id=snapshot_id,
    )
