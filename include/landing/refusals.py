"""Opens refused partitions again when the problem's file asks something else of them than it did.

Once for each set of rules: what is refused by these, too, stays refused until they change again, or more of it lands.
"""

from sqlalchemy import Connection, select, update

from include.names import Coverage, Stage
from include.partition_keys import sort_key
from include.warehouse.coverage import mark
from include.warehouse.tables.quality import PARTITION_AUDIT
from include.warehouse.tables.runs import COVERAGE

REOPENED = "refused by other rules than the problem's file has now"


def reopen_refused(connection: Connection, problem: str, rules: str, run_id: str) -> list[str]:
    """Let partitions wait for ingest that were refused by other rules than those of today.

    Where nobody wrote down by which rules a partition was refused, they are taken for today's.

    Args:
        rules: hash of today's, from `hash_ingest_rules`.

    Returns:
        the partitions, oldest first.
    """
    audit = PARTITION_AUDIT.c
    is_refused = (audit.problem == problem, audit.verdict == "refused", audit.n_in > audit.n_withdrawn)
    is_unknown = audit.rules_sha256.is_(None)
    connection.execute(update(PARTITION_AUDIT).where(*is_refused, is_unknown).values(rules_sha256=rules))
    settled = select(COVERAGE.c.partition_key).where(
        COVERAGE.c.problem == problem,
        COVERAGE.c.stage == str(Stage.INGEST),
        COVERAGE.c.status == str(Coverage.REFUSED),
    )
    by_others = select(audit.partition_key).where(*is_refused, audit.rules_sha256 != rules)
    keys = sorted(connection.scalars(by_others.where(audit.partition_key.in_(settled))), key=sort_key)
    for key in keys:
        mark(connection, problem, Stage.INGEST, key, Coverage.WAITING, detail=REOPENED, run_id=run_id)
    return keys
