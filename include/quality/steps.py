"""What Airflow runs to audit a partition: one function for each task."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from include.handover import XCom
from include.lake.contracts import Group, StagedRows
from include.names import Stage
from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.quality.contracts import Audited, AuditedReplay, LeftRows
from include.settings import read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.steps import Outcome, run_each, step
from include.warehouse.tables.quality import DATA_DOCS, QUALITY_RESULT

if TYPE_CHECKING:
    from pathlib import Path

    from include.quality.verdicts import Audit

    Look = Callable[[Problem, Audit, list[Path]], "Found"]

Found = TypeVar("Found")


@step(Stage.INGEST)
def audit_partition(
    *,
    problem: str,
    partition_key: str,
    staged: XCom,
    run_id: str = "by-hand",
) -> Outcome:
    """Audit the staged files of one partition, and store an answer for each expectation.

    Rows that an expectation with `rows: quarantine` names are moved out of the staged files, and the rest is audited
    anew: what is published was audited as it is.

    Args:
        staged: what `stage_partition` returned.

    Returns:
        an `Audited`. A stop raises nothing: publishing refuses the partition, once its counts are stored.

    Raises:
        AuditFailed: a file is gone or unreadable; staging again may mend that.
        CountsDoNotAddUp: a row was lost while rows went to quarantine.
    """
    audited = _decide(problem, partition_key, StagedRows.from_xcom(staged))
    key = {"problem": problem, "partition_key": partition_key}
    page = {**key, "run_id": run_id, "html": audited.html, "built_at_utc": datetime.now(UTC)}
    with open_warehouse().begin() as connection:
        replace_rows(connection, QUALITY_RESULT, key, audited.results)
        replace_rows(connection, DATA_DOCS, key, [page])
    return audited.audit.to_xcom()


@step(Stage.INGEST, is_for_group=True)
def audit_group(*, problem: str, partition_key: str, staged: XCom, run_id: str = "by-hand") -> Outcome:  # noqa: ARG001
    """Audit the staged partitions of a group, one after the other; one that cannot be audited stops no other.

    Args:
        staged: what `stage_group` returned.

    Returns:
        a `Group` of what `audit_partition` returns.

    Raises:
        as `audit_partition`, where none of them could be audited.
    """
    handed = Group.from_xcom(staged).done
    about = {"problem": problem, "run_id": run_id}
    done, failed = run_each(list(handed), lambda key: audit_partition(partition_key=key, staged=handed[key], **about))
    return Group(done, failed).to_xcom()


@step(Stage.INGEST)
def audit_replay(
    *,
    problem: str,
    partition_key: str,
    staged: XCom,
    run_id: str = "by-hand",  # noqa: ARG001 - @step records it
) -> Outcome:
    """Audit what a partition would be with rows of its quarantine; what is stored of its audit stays until it is.

    Args:
        staged: what `stage_replay` returned.

    Returns:
        an `AuditedReplay`.

    Raises:
        AuditFailed, CountsDoNotAddUp: as `audit_partition`.
    """
    return _decide(problem, partition_key, StagedRows.from_xcom(staged)).to_xcom()


def _decide(problem: str, partition_key: str, staged: StagedRows) -> AuditedReplay:
    """Audit staged files, and say what follows."""
    # Great Expectations takes seconds to import, and DAG files import this module.
    from include.quality.data_docs import render_audit
    from include.quality.staged_files import combine_hashes
    from include.quality.verdicts import decide_verdict, warn_of_unknown_fields

    audit, hashes, left = _audit(load_problem(problem), partition_key, staged)
    unknown = warn_of_unknown_fields(staged.unknown_fields, len(audit.results), audit.n_rows)
    audit = replace(audit, results=[*audit.results, *unknown])
    verdict, first_reason, n_warnings = decide_verdict(audit)
    outcome = Audited(verdict, first_reason, n_warnings, hashes, combine_hashes(hashes), audit.n_rows, left)
    key = {"problem": problem, "partition_key": partition_key}
    return AuditedReplay(outcome, [key | result.row() for result in audit.results], render_audit(audit))


def _audit(
    definition: Problem, partition_key: str, staged: StagedRows
) -> tuple["Audit", dict[str, str], LeftRows | None]:
    """Audit staged files; where rows are to be quarantined, audit what is left of them.

    Returns:
        the audit, the hashes of the files that it is about, and what `staged` says from then on (None: what it did).
    """
    from include.lake.writing import quarantine_rows
    from include.quality.failing_rows import rows_to_quarantine
    from include.quality.verdicts import note_quarantined

    audit, hashes, (faults, refusal) = _look_at(definition, staged.staged, rows_to_quarantine)
    if refusal is not None:
        return replace(audit, refusal=refusal), hashes, None
    if not faults:
        return audit, hashes, None
    moved = quarantine_rows(definition, partition_key, staged.staged, audit.n_rows, faults)
    audit, hashes, _ = _look_at(definition, moved.staged, lambda *_: None)
    quarantined = (*staged.quarantined, *moved.quarantined)
    left = replace(moved, quarantined=quarantined, n_quarantined=staged.n_quarantined + moved.n_quarantined)
    return note_quarantined(audit, {fault.check_index: fault.places.num_rows for fault in faults}), hashes, left


def _look_at(definition: Problem, paths: Sequence[str], then: "Look[Found]") -> "tuple[Audit, dict[str, str], Found]":
    """Hash files, audit them, and ask `then` about the audit while they are at hand."""
    from include.quality.audit import audit_files
    from include.quality.staged_files import local_copies, sha256_of

    with local_copies(read_settings(), paths) as copies:
        # Hashed before they are read: whatever changes later is not what was audited, and publishing notices.
        hashes = {path: sha256_of(file) for path, file in copies.items()}
        files = list(copies.values())
        audit = audit_files(definition, files)
        return audit, hashes, then(definition, audit, files)
