"""Decides what becomes of an audited partition, and writes it down. The lake's commit itself is in `writing.py`."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypedDict

from sqlalchemy import Connection, RowMapping, select

from include.errors import AuditFailed, CountsDoNotAddUp
from include.lake.catalog import OneCommit, arrow_schema, find_table
from include.lake.contracts import StagedPartition, StagedRows, Standing
from include.lake.manifest import PATH_PROPERTY
from include.lake.reading import combine_hashes, hash_files, open_files
from include.lake.replay.record import published_replays
from include.lake.row_expressions import QUARANTINE_SCHEMA, events_schema
from include.lake.sources import find_feeds, hash_feeds
from include.lake.writing import publish_each, publish_partitions
from include.names import (
    LINE_NUMBER,
    OBJECT_KEY,
    PARTITION_KEY,
    Coverage,
    Stage,
    events_table,
    predictions_table,
    quarantine_table,
    ranking_table,
)
from include.problems.schema import Problem
from include.quality.contracts import Audited
from include.warehouse import withdrawals
from include.warehouse.coverage import mark
from include.warehouse.erasure import read_subjects
from include.warehouse.loading import replace_rows, upsert_rows
from include.warehouse.tables.quality import PARTITION_AUDIT, REJECTED_RECORD
from include.warehouse.tables.runs import COVERAGE

PUBLISHED, WITH_WARNINGS, REFUSED = "published", "published_with_warnings", "refused"
WITHDRAWN = "withdrawn"  # everything that landed for the partition was


class ReasonCount(TypedDict):
    """How many rows of a partition were quarantined for one reason; columns of `core.rejected_record`.

    Attributes:
        reason: the sentence they are counted by.
        n_rows: how many.
        example: place of the first one, object key and line number.
    """

    reason: str
    n_rows: int
    example: str


def is_behind(connection: Connection, key: Mapping[str, str], landed_sha256: str) -> bool:
    """Say whether landing has something else for the partition than when it was staged."""
    feeds = find_feeds(connection, key["problem"], key["partition_key"])
    return bool(hash_feeds(feeds) != landed_sha256)


def read_standing(connection: Connection, key: Mapping[str, str]) -> Standing:
    """Read what stands now of a partition, of its replays and of who was erased, to compare it with later.

    Args:
        key: `problem` and `partition_key`.
    """
    audit = read_audit(connection, key)
    audited = hashlib.sha256(repr(sorted(audit.items())).encode()).hexdigest() if audit is not None else ""
    subjects = repr(sorted(sorted(subject.items()) for subject in read_subjects(connection, key["problem"])))
    replays = published_replays(connection, key["problem"], key["partition_key"])
    withdrawn = tuple(withdrawals.find_withdrawn(connection, key["problem"], key["partition_key"]))
    return Standing(audited, tuple(replays), hashlib.sha256(subjects.encode()).hexdigest(), withdrawn)


def why_outdated(
    connection: Connection, key: Mapping[str, str], staged: StagedPartition, now: Standing, run_id: str
) -> str | None:
    """Say why publishing would take back what was written since it was staged; None when it would not.

    Args:
        now: what stands now.

    Returns:
        that another run has published since, while landing has something else than what was staged; or that somebody
        was erased, or an object withdrawn, since.
    """
    before, audit = staged.standing, read_audit(connection, key)
    is_anothers = audit is not None and audit["run_id"] != run_id and now.audited != before.audited
    if is_anothers and is_behind(connection, key, staged.landed_sha256):
        return "a later run has published more of this partition"
    if now.erased != before.erased:
        return "somebody was erased since it was staged; `land` announces it again"
    if since := sorted(set(now.withdrawn) - set(before.withdrawn)):
        return f"{since[0]} was withdrawn since it was staged; the partition is ingested anew"
    return None


def as_audited(rows: StagedRows, audit: Audited) -> StagedRows:
    """Say what is staged once the audit has moved rows to quarantine."""
    left = audit.left
    if left is None:
        return rows
    return replace(
        rows,
        staged=left.staged,
        quarantined=left.quarantined,
        n_staged=left.n_staged,
        n_quarantined=left.n_quarantined,
    )


def require_counts(problem: str, partition_key: str, rows: StagedRows) -> None:
    """Check that no row was lost or doubled between landing and the staged files.

    Raises:
        CountsDoNotAddUp: rows in differ from staged + quarantined + duplicates.
    """
    n_out = rows.n_staged + rows.n_quarantined + rows.n_duplicate
    if rows.n_in != n_out:
        raise CountsDoNotAddUp(
            f"{problem} {partition_key}: {rows.n_in} rows came in, but {n_out} are accounted for "
            f"({rows.n_staged} staged + {rows.n_quarantined} quarantined + "
            f"{rows.n_duplicate} duplicates). Nothing was published. "
            "Clear `stage_partition`; if it happens again, it is a fault of Mulgil."
        )


def require_audited(problem: str, partition_key: str, rows: StagedRows, audit: Audited) -> None:
    """Check that the staged files are, byte for byte, those that were audited.

    Raises:
        AuditFailed: they differ, in bytes or in rows.
        StagedFileGone: one is gone.
    """
    found = hash_files(rows.staged)
    if found != audit.files_sha256 or audit.n_rows != rows.n_staged:
        raise AuditFailed(
            f"{problem} {partition_key}: the {len(rows.staged)} staged files ({rows.n_staged} rows, hash "
            f"{found[:12]}) are not those that were audited ({audit.n_rows} rows, hash "
            f"{audit.files_sha256[:12]}). Nothing was published; clear `stage_partition` and what follows it."
        )


def count_reasons(quarantined: Sequence[str]) -> dict[str, list[ReasonCount]]:
    """Count quarantined rows by partition and reason, the most frequent first, each with the place of its first row.

    Args:
        quarantined: files of quarantined rows, relative to the lake.

    Returns:
        for each partition that has some, `reason`, `n_rows` and `example` of each reason.
    """
    if not quarantined:
        return {}
    rows = open_files(quarantined, QUARANTINE_SCHEMA)
    place = rows[OBJECT_KEY] + ":" + rows[LINE_NUMBER].cast("string")
    counted = rows.group_by(PARTITION_KEY, "reason").aggregate(
        n_rows=rows.count(), example=place.first(order_by=[rows[OBJECT_KEY], rows[LINE_NUMBER]])
    )
    found: dict[str, list[ReasonCount]] = {}
    for row in sorted(counted.to_pyarrow().to_pylist(), key=lambda row: (-row["n_rows"], row["reason"])):
        found.setdefault(row.pop(PARTITION_KEY), []).append(row)
    return found


def decide(
    rows: StagedRows, audit: Audited, reasons: Sequence[ReasonCount], n_withdrawn: int = 0
) -> tuple[str, str | None]:
    """Decide what becomes of a partition.

    Args:
        reasons: from `count_reasons`.
        n_withdrawn: records of withdrawn objects.

    Returns:
        published, published_with_warnings, refused or withdrawn; and the first reason for a refusal, a warning or a
        quarantine.
    """
    if n_withdrawn and not rows.n_in:
        return WITHDRAWN, f"all {n_withdrawn} records are of withdrawn objects"
    most = f"{reasons[0]['n_rows']} of {rows.n_in} rows: {reasons[0]['reason']}" if reasons else None
    if not rows.n_staged:
        return REFUSED, f"no row left ({most})" if most else "no row left: landing has none for this partition"
    if audit.verdict == "stop":
        return REFUSED, audit.first_reason
    if audit.verdict == "warn":
        return WITH_WARNINGS, audit.first_reason
    return PUBLISHED, most


@dataclass(frozen=True)
class Decided:
    """An audited partition, and what is to become of it.

    Attributes:
        rows: after its audit.
        audit: what it said.
        manifest, landed_sha256: of its staging.
        verdict, first_reason: from `decide`.
        reasons: from `count_reasons`.
        n_withdrawn: records of withdrawn objects, which were not read.
        rules_sha256: hash of the rules that it was read by; empty where nobody says.
        must_leave: whether the lake may still have rows of what was withdrawn.
    """

    rows: StagedRows
    audit: Audited
    manifest: Mapping[str, object]
    landed_sha256: str
    verdict: str
    first_reason: str | None
    reasons: Sequence[ReasonCount]
    n_withdrawn: int = 0
    rules_sha256: str = ""
    must_leave: bool = False

    @property
    def keeps_lake(self) -> bool:
        """Whether the lake keeps what it had: a refusal leaves it as it was, unless rows in it must go."""
        return self.verdict == REFUSED and self.rows.n_in > 0 and not self.must_leave

    @property
    def published_files(self) -> tuple[str, ...]:
        """The files that the partition consists of from now on."""
        return () if self.verdict == REFUSED else self.rows.staged


def describe_snapshot(run_id: str, made_of: Mapping[str, tuple[Mapping[str, object], Audited]]) -> dict[str, str]:
    """Say, for whoever reads the table's history, what a snapshot was made of: which objects, and which audited files.

    Args:
        made_of: partition to its manifest, from `manifest.write_manifest`, and its audit. What does not fit of a
            manifest is named by its path and its hash.

    Returns:
        `mulgil.run_id`, `mulgil.files` (path to sha256, of all partitions) and `mulgil.files_sha256` (over those). Of a
        partition alone its manifest: `mulgil.manifest` or `mulgil.manifest_path` and `..._sha256`, and how many objects
        it names; of several `mulgil.manifests`, by partition, and `mulgil.manifest_path` names all files of them.
    """
    hashes = {path: sha256 for _, audit in made_of.values() for path, sha256 in audit.files.items()}
    manifests = {key: dict(manifest) for key, (manifest, _) in made_of.items()}
    if len(made_of) == 1:
        [(manifest, audit)] = made_of.values()
        properties = {f"mulgil.manifest_{name}": str(value) for name, value in manifest.items() if name != "objects"}
        if "objects" in manifest:
            properties["mulgil.manifest"] = json.dumps(manifest["objects"])
        combined = audit.files_sha256
    else:
        properties = {"mulgil.manifests": json.dumps(manifests)}
        if kept := [str(manifest["path"]) for manifest in manifests.values() if "path" in manifest]:
            properties[PATH_PROPERTY] = ",".join(kept)
        combined = combine_hashes(hashes)
    files = {"mulgil.files": json.dumps(hashes), "mulgil.files_sha256": combined}
    return {"mulgil.run_id": run_id, **files, **properties}


def commit_files(within: OneCommit, problem: Problem, decided: Mapping[str, Decided], run_id: str) -> dict[str, str]:
    """Put quarantined rows into the quarantine table, and staged files into the events table, one commit each.

    Args:
        within: the transaction that the counts are written in, too.
        decided: by partition.

    Returns:
        for each partition the snapshot that holds its rows; none for a refused one, which keeps what the lake had of
        it. Only where landing has no record of it any more, or some of its rows were withdrawn, its rows are taken out.
        What a model said of a partition that has no row any more goes, too.
    """
    name, made_of = problem.name, {key: (one.manifest, one.audit) for key, one in decided.items()}
    quarantined = {key: one.rows.quarantined for key, one in decided.items()}
    properties = describe_snapshot(run_id, made_of)
    publish_each(quarantine_table(name), quarantined, QUARANTINE_SCHEMA, properties, within)
    staged = {key: one.published_files for key, one in decided.items() if not one.keeps_lake}
    if not staged:
        return {}
    properties = describe_snapshot(run_id, {key: made_of[key] for key in staged})
    snapshots = publish_each(events_table(name), staged, events_schema(problem.source), properties, within)
    emptied = [key for key, paths in staged.items() if not paths]
    for table_name in (predictions_table(name), ranking_table(name)):
        table = find_table(table_name) if emptied else None
        if table is not None:
            said = {"mulgil.run_id": run_id, "mulgil.change": "withdrawal"}
            publish_partitions(table_name, emptied, [], arrow_schema(table), said, within)
    withdrawals.forget_partitions(within.connection, name, emptied)
    return snapshots


def read_audit(connection: Connection, key: Mapping[str, str]) -> RowMapping | None:
    """Read what became of a partition last; None before its first audit."""
    where = (PARTITION_AUDIT.c.problem == key["problem"], PARTITION_AUDIT.c.partition_key == key["partition_key"])
    return connection.execute(select(PARTITION_AUDIT).where(*where)).mappings().one_or_none()


def store_outcome(
    connection: Connection, key: Mapping[str, str], decided: Decided, counts: Mapping[str, object], run_id: str
) -> None:
    """Write the partition's counts, its verdict, its reasons and how far it came.

    A partition that more has landed for since it was staged keeps waiting, so that `land` notices when the run that is
    to ingest the rest is lost.

    Args:
        key: `problem` and `partition_key`.
        counts: `n_in`, `n_published`, `n_quarantined`, `n_duplicate`, `n_refused`, `n_withdrawn` and `snapshot_id`.
    """
    now = datetime.now(UTC)
    n_in_lake = counts["n_published"]
    if decided.keeps_lake:
        # A refusal leaves the lake as it was: rows that were audited and published before are still what it holds.
        n_in_lake = (read_audit(connection, key) or {"n_in_lake": 0})["n_in_lake"]
    row = {
        **key,
        **counts,
        "verdict": decided.verdict,
        "first_reason": decided.first_reason,
        "run_id": run_id,
        "files": json.dumps(dict(decided.audit.files)),
        "files_sha256": decided.audit.files_sha256,
        "landed_sha256": decided.landed_sha256,
        "rules_sha256": decided.rules_sha256 or None,
        "n_in_lake": n_in_lake,
        "finished_at_utc": now,
    }
    upsert_rows(connection, PARTITION_AUDIT, [row])
    replace_rows(connection, REJECTED_RECORD, key, [{**key, **row} for row in decided.reasons])
    # Landing marks this row last: once we hold it, either all of what landed is seen below, or it is marked after us.
    ours = (COVERAGE.c.problem == key["problem"], COVERAGE.c.partition_key == key["partition_key"])
    connection.execute(select(COVERAGE.c.status).where(*ours, COVERAGE.c.stage == str(Stage.INGEST)).with_for_update())
    if is_behind(connection, key, decided.landed_sha256):
        return
    withdrawals.note_left(connection, key["problem"], key["partition_key"], now)
    status = Coverage.REFUSED if decided.verdict in (REFUSED, WITHDRAWN) else Coverage.DONE
    mark(
        connection,
        key["problem"],
        Stage.INGEST,
        key["partition_key"],
        status,
        detail=decided.first_reason,
        run_id=run_id,
    )
