"""What Airflow runs to audit a partition: one function for each task."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from include.names import Stage
from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.steps import step
from include.warehouse.tables.quality import DATA_DOCS, QUALITY_RESULT


@step(Stage.INGEST)
def audit_partition(
    *,
    problem: str,
    partition_key: str,
    staged: dict[str, Any],
    run_id: str = "by-hand",
) -> dict[str, Any]:
    """Audit the staged files of one partition, and store an answer for each expectation.

    Rows that an expectation with `rows: quarantine` names are moved out of the staged files, and the rest is audited
    anew: what is published was audited as it is.

    Args:
        staged: what `stage_partition` returned; its `staged` lists Parquet files relative to the lake.

    Returns:
        `verdict` (pass, warn or stop), `first_reason`, `n_warnings`, `files` (path to SHA-256), `files_sha256` and
        `n_rows`; and where rows were kept apart `apart`: what `staged` lists and counts from then on. A stop raises
        nothing: publishing refuses the partition, once its counts are stored.

    Raises:
        AuditFailed: a file is gone or unreadable; staging again may mend that.
        CountsDoNotAddUp: a row was lost while rows were kept apart.
    """
    outcome, results, html = _decide(problem, partition_key, staged)
    key = {"problem": problem, "partition_key": partition_key}
    page = {**key, "run_id": run_id, "html": html, "built_at_utc": datetime.now(UTC)}
    with open_warehouse().begin() as connection:
        replace_rows(connection, QUALITY_RESULT, key, results)
        replace_rows(connection, DATA_DOCS, key, [page])
    return outcome


@step(Stage.INGEST)
def audit_replay(
    *,
    problem: str,
    partition_key: str,
    staged: dict[str, Any],
    run_id: str = "by-hand",  # noqa: ARG001 - @step records it
) -> dict[str, Any]:
    """Audit what a partition would be with rows of its quarantine; what is stored of its audit stays until it is.

    Args:
        staged: what `stage_replay` returned.

    Returns, Raises: as `audit_partition`; and, to be published with the rows, `results` (rows of `core.quality_result`)
        and `html` (the page).
    """
    outcome, results, html = _decide(problem, partition_key, staged)
    return {**outcome, "results": results, "html": html}


def _decide(
    problem: str, partition_key: str, staged: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
    """Audit staged files, and say what follows.

    Returns:
        what `audit_partition` returns, the rows of `core.quality_result`, and the page about it.
    """
    # Great Expectations takes seconds to import, and DAG files import this module.
    from include.quality.data_docs import render_audit
    from include.quality.staged_files import combine_hashes
    from include.quality.verdicts import decide_verdict, warn_of_unknown_fields

    audit, hashes, apart = _audit(load_problem(problem), partition_key, staged)
    unknown = warn_of_unknown_fields(staged.get("unknown_fields") or {}, len(audit.results), audit.n_rows)
    audit = replace(audit, results=[*audit.results, *unknown])
    verdict, first_reason, n_warnings = decide_verdict(audit)
    outcome = {
        "verdict": verdict,
        "first_reason": first_reason,
        "n_warnings": n_warnings,
        "files": hashes,
        "files_sha256": combine_hashes(hashes),
        "n_rows": audit.n_rows,
        **({"apart": apart} if apart else {}),
    }
    key = {"problem": problem, "partition_key": partition_key}
    return outcome, [key | result.row() for result in audit.results], render_audit(audit)


def _audit(definition: Problem, partition_key: str, staged: dict[str, Any]) -> tuple[Any, dict[str, str], Any]:
    """Audit staged files; where rows are to be kept apart, audit what is left of them.

    Returns:
        the audit, the hashes of the files that it is about, and what `staged` says from then on (None: what it did).
    """
    from include.lake.writing import set_rows_apart
    from include.quality.naming_rows import rows_to_quarantine
    from include.quality.verdicts import note_quarantined

    audit, hashes, (faults, refusal) = _look_at(definition, staged["staged"], rows_to_quarantine)
    if refusal is not None:
        return replace(audit, refusal=refusal), hashes, None
    if not faults:
        return audit, hashes, None
    moved = set_rows_apart(definition, partition_key, staged["staged"], audit.n_rows, faults)
    audit, hashes, _ = _look_at(definition, moved["staged"], lambda *_: None)
    apart = {
        "staged": moved["staged"],
        "rejected": [*staged["rejected"], *moved["apart"]],
        "n_staged": moved["n_staged"],
        "n_rejected": staged["n_rejected"] + moved["n_apart"],
    }
    return note_quarantined(audit, {fault.check_index: fault.places.num_rows for fault in faults}), hashes, apart


def _look_at(definition: Problem, paths: Sequence[str], then: Callable[..., Any]) -> tuple[Any, dict[str, str], Any]:
    """Hash files, audit them, and ask `then` about the audit while they are at hand."""
    from include.quality.auditing import audit_files
    from include.quality.staged_files import local_copies, sha256_of

    with local_copies(read_settings(), paths) as copies:
        # Hashed before they are read: whatever changes later is not what was audited, and publishing notices.
        hashes = {path: sha256_of(file) for path, file in copies.items()}
        files = list(copies.values())
        audit = audit_files(definition, files)
        return audit, hashes, then(definition, audit, files)
