"""Decides what becomes of an audited partition, and writes it down. The lake's commit itself is in `writing.py`."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from include.errors import AuditFailed, CountsDoNotAddUp
from include.lake.catalog import OneCommit
from include.lake.landed import find_feeds, hash_feeds
from include.lake.reading import hash_files, open_files
from include.lake.staging import QUARANTINE_SCHEMA, events_schema
from include.lake.writing import publish_files
from include.names import LINE_NUMBER, OBJECT_KEY, Coverage, Stage, events_table, quarantine_table
from include.problems.schema import Problem
from include.warehouse.coverage import mark
from include.warehouse.loading import replace_rows, upsert_rows
from include.warehouse.tables.quality import PARTITION_AUDIT, REJECTED_RECORD
from include.warehouse.tables.runs import COVERAGE

PUBLISHED, WITH_WARNINGS, REFUSED = "published", "published_with_warnings", "refused"
OUTDATED = "outdated"


def is_behind(connection: Connection, key: Mapping[str, str], staged: Mapping[str, Any]) -> bool:
    """Say whether landing has something else for the partition than when it was staged."""
    feeds = find_feeds(connection, key["problem"], key["partition_key"])
    return bool(hash_feeds(feeds) != staged["landed_sha256"])


def is_outdated(connection: Connection, key: Mapping[str, str], staged: Mapping[str, Any], run_id: str) -> bool:
    """Say whether publishing would take back what another run has published since: one that was cleared, say."""
    later = select(PARTITION_AUDIT.c.run_id).where(
        PARTITION_AUDIT.c.problem == key["problem"],
        PARTITION_AUDIT.c.partition_key == key["partition_key"],
        PARTITION_AUDIT.c.run_id != run_id,
        PARTITION_AUDIT.c.finished_at_utc > datetime.fromisoformat(staged["staged_at_utc"]),
    )
    return connection.scalar(later) is not None and is_behind(connection, key, staged)


def as_audited(staged: Mapping[str, Any], audit: Mapping[str, Any]) -> dict[str, Any]:
    """Say what is staged once the audit has kept rows apart."""
    return {**staged, **audit.get("apart", {})}


def require_counts(problem: str, partition_key: str, staged: Mapping[str, Any]) -> None:
    """Check that no row was lost or doubled between landing and the staged files.

    Raises:
        CountsDoNotAddUp: rows in differ from staged + rejected + duplicates.
    """
    n_out = staged["n_staged"] + staged["n_rejected"] + staged["n_duplicate"]
    if staged["n_in"] != n_out:
        raise CountsDoNotAddUp(
            f"{problem} {partition_key}: {staged['n_in']} rows came in, but {n_out} are accounted for "
            f"({staged['n_staged']} staged + {staged['n_rejected']} rejected + {staged['n_duplicate']} duplicates). "
            "Nothing was published. Clear `stage_partition`; if it happens again, it is a fault of Mulgil."
        )


def require_audited(problem: str, partition_key: str, staged: Mapping[str, Any], audit: Mapping[str, Any]) -> None:
    """Check that the staged files are, byte for byte, those that were audited.

    Raises:
        AuditFailed: they differ, in bytes or in rows.
        BadPartition: one is gone.
    """
    found = hash_files(staged["staged"])
    if found != audit["files_sha256"] or audit["n_rows"] != staged["n_staged"]:
        raise AuditFailed(
            f"{problem} {partition_key}: the {len(staged['staged'])} staged files ({staged['n_staged']} rows, hash "
            f"{found[:12]}) are not those that were audited ({audit['n_rows']} rows, hash "
            f"{str(audit['files_sha256'])[:12]}). Nothing was published; clear `stage_partition` and what follows it."
        )


def count_reasons(rejected: Sequence[str]) -> list[dict[str, Any]]:
    """Count rejected rows by reason, the most frequent first, each with the place of its first row.

    Args:
        rejected: files of quarantined rows, relative to the lake.
    """
    rows = open_files(rejected, QUARANTINE_SCHEMA)
    place = rows[OBJECT_KEY] + ":" + rows[LINE_NUMBER].cast("string")
    counted = rows.group_by("reason").aggregate(
        n_rows=rows.count(), example=place.first(order_by=[rows[OBJECT_KEY], rows[LINE_NUMBER]])
    )
    found: list[dict[str, Any]] = counted.to_pyarrow().to_pylist()
    return sorted(found, key=lambda row: (-row["n_rows"], row["reason"]))


def decide(
    staged: Mapping[str, Any], audit: Mapping[str, Any], reasons: Sequence[Mapping[str, Any]]
) -> tuple[str, str | None]:
    """Decide what becomes of a partition.

    Args:
        reasons: from `count_reasons`.

    Returns:
        published, published_with_warnings or refused; and the first reason for a refusal, a warning or a quarantine.
    """
    most = f"{reasons[0]['n_rows']} of {staged['n_in']} rows: {reasons[0]['reason']}" if reasons else None
    if not staged["n_staged"]:
        return REFUSED, f"no row left ({most})" if most else "no row left: landing has none for this partition"
    if audit["verdict"] == "stop":
        return REFUSED, audit["first_reason"]
    if audit["verdict"] == "warn":
        return WITH_WARNINGS, audit["first_reason"]
    return PUBLISHED, most


def describe_snapshot(run_id: str, manifest: Mapping[str, Any], audit: Mapping[str, Any]) -> dict[str, str]:
    """Say, for whoever reads the table's history, what a snapshot was made of: which objects, and which audited files.

    Args:
        manifest: from `manifest.write_manifest`; what does not fit is named by its path and its hash.
        audit: what `audit_partition` returned.
    """
    properties = {f"mulgil.manifest_{name}": str(value) for name, value in manifest.items() if name != "objects"}
    if "objects" in manifest:
        properties["mulgil.manifest"] = json.dumps(manifest["objects"])
    files = {"mulgil.files": json.dumps(audit["files"]), "mulgil.files_sha256": str(audit["files_sha256"])}
    return {"mulgil.run_id": run_id, **files, **properties}


def commit_files(
    within: OneCommit,
    problem: Problem,
    partition_key: str,
    staged: Mapping[str, Any],
    verdict: str,
    properties: Mapping[str, str],
) -> str | None:
    """Put the rejected rows into the quarantine table, and the staged files into the events table.

    Args:
        within: the transaction that the counts are written in, too.

    Returns:
        the snapshot that holds the rows; None for a refused partition, which keeps what the lake had of it. Only where
        landing has no record of it any more, its rows are taken out.
    """
    rejected, name = staged["rejected"], problem.name
    publish_files(quarantine_table(name), partition_key, rejected, QUARANTINE_SCHEMA, properties, within)
    if verdict == REFUSED and staged["n_in"]:
        return None
    schema = events_schema(problem.source)
    return publish_files(events_table(name), partition_key, staged["staged"], schema, properties, within)


def read_audit(connection: Connection, key: Mapping[str, str]) -> dict[str, Any] | None:
    """Read what became of a partition last; None before its first audit."""
    where = (PARTITION_AUDIT.c.problem == key["problem"], PARTITION_AUDIT.c.partition_key == key["partition_key"])
    row = connection.execute(select(PARTITION_AUDIT).where(*where)).mappings().one_or_none()
    return dict(row) if row is not None else None


def store_outcome(
    connection: Connection,
    key: Mapping[str, str],
    staged: Mapping[str, Any],
    outcome: Mapping[str, Any],
    reasons: Sequence[Mapping[str, Any]],
    now: datetime,
) -> None:
    """Write the partition's counts, its verdict, its reasons and how far it came.

    A partition that more has landed for since it was staged keeps waiting, so that `land` notices when the run that is
    to ingest the rest is lost.

    Args:
        key: `problem` and `partition_key`.
        outcome: the other columns of `core.partition_audit`, but for the time and what the lake holds.
    """
    n_in_lake = outcome["n_published"]
    if outcome["verdict"] == REFUSED and staged["n_in"]:
        # A refusal leaves the lake as it was: rows that were audited and published before are still what it holds.
        n_in_lake = (read_audit(connection, key) or {"n_in_lake": 0})["n_in_lake"]
    row = {**key, **outcome, "landed_sha256": staged["landed_sha256"], "n_in_lake": n_in_lake, "finished_at_utc": now}
    upsert_rows(connection, PARTITION_AUDIT, [row])
    replace_rows(connection, REJECTED_RECORD, key, [{**key, **row} for row in reasons])
    # Landing marks this row last: once we hold it, either all of what landed is seen below, or it is marked after us.
    ours = (COVERAGE.c.problem == key["problem"], COVERAGE.c.partition_key == key["partition_key"])
    connection.execute(select(COVERAGE.c.status).where(*ours, COVERAGE.c.stage == str(Stage.INGEST)).with_for_update())
    if is_behind(connection, key, staged):
        return
    status = Coverage.REFUSED if outcome["verdict"] == REFUSED else Coverage.DONE
    mark(
        connection,
        key["problem"],
        Stage.INGEST,
        key["partition_key"],
        status,
        detail=outcome["first_reason"],
        run_id=outcome["run_id"],
    )
