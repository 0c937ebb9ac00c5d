"""What Airflow runs to audit a partition: one function for each task."""

from dataclasses import asdict
from typing import Any

from include.names import Stage
from include.problems.reading import load_problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.steps import step
from include.warehouse.tables.quality import QUALITY_RESULT


@step(Stage.INGEST)
def audit_partition(
    *,
    problem: str,
    partition_key: str,
    staged: dict[str, Any],
    run_id: str = "by-hand",  # noqa: ARG001 - @step records it
) -> dict[str, Any]:
    """Audit the staged files of one partition, and store an answer for each expectation.

    Args:
        staged: what `stage_partition` returned; its `staged` lists Parquet files relative to the lake.

    Returns:
        `verdict` (pass, warn or stop), `first_reason`, `n_warnings`, `files` (path to SHA-256), `files_sha256` and
        `n_rows`. A stop raises nothing: publishing refuses the partition, once its counts are stored.

    Raises:
        AuditFailed: a file is gone or unreadable; staging again may mend that.
    """
    # Great Expectations takes seconds to import, and DAG files import this module.
    from include.quality.auditing import audit_files
    from include.quality.staged_files import combine_hashes, local_copies, sha256_of
    from include.quality.verdicts import decide_verdict

    definition = load_problem(problem)
    with local_copies(read_settings(), staged["staged"]) as copies:
        # Hashed before they are read: whatever changes later is not what was audited, and publishing notices.
        hashes = {path: sha256_of(file) for path, file in copies.items()}
        audit = audit_files(definition, list(copies.values()))
    verdict, first_reason, n_warnings = decide_verdict(audit)
    key = {"problem": problem, "partition_key": partition_key}
    with open_warehouse().begin() as connection:
        replace_rows(connection, QUALITY_RESULT, key, [key | asdict(result) for result in audit.results])
    return {
        "verdict": verdict,
        "first_reason": first_reason,
        "n_warnings": n_warnings,
        "files": hashes,
        "files_sha256": combine_hashes(hashes),
        "n_rows": audit.n_rows,
    }
