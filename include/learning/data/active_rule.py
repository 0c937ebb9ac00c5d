"""Which rule stands for "no model": the one in the problem's file, until a person approves one that was mined.

What belongs here: reading and writing the history of rules. What does not: finding them (`rules/mining.py`).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from include.errors import BadProblem
from include.learning.errors import BadRule
from include.problems.schema import Problem
from include.warehouse.tables.explaining import RULE_VERSION

PROPOSED, APPROVED, REFUSED = "proposed", "approved", "refused"


def predicate_in_force(connection: Connection, problem: Problem) -> str:
    """Give the SQL predicate of the rule baseline: the newest approved rule, else the one in the problem's file.

    Raises:
        BadProblem: the problem has no baseline.
    """
    if problem.baseline is None:
        raise BadProblem(f"{problem.name}: there is no section baseline, so there is no rule.")
    newest = connection.scalar(
        select(RULE_VERSION.c.positive_when)
        .where(RULE_VERSION.c.problem == problem.name, RULE_VERSION.c.status == APPROVED)
        .order_by(RULE_VERSION.c.decided_at_utc.desc(), RULE_VERSION.c.rule_version.desc())
        .limit(1)
    )
    return str(newest) if newest is not None else problem.baseline.positive_when


def name_proposal(connection: Connection, problem: str, run_id: str) -> str:
    """Name a run's proposal: the name it had, where the run is repeated before anybody decided; else the next one."""
    where = RULE_VERSION.c.problem == problem
    own = connection.scalar(
        select(RULE_VERSION.c.rule_version).where(
            where, RULE_VERSION.c.proposed_by == run_id, RULE_VERSION.c.status == PROPOSED
        )
    )
    if own is not None:
        return str(own)
    number = connection.scalar(select(func.count()).select_from(RULE_VERSION).where(where)) or 0
    return f"rule-{number + 1:03d}"


def decide(
    connection: Connection, problem: str, rule_version: str, *, is_approved: bool, actor: str, now: datetime
) -> str:
    """Write down what a person decided about a proposed rule; what was decided before stays as it is.

    Returns:
        the rule's status.

    Raises:
        BadRule: there is no such rule.
    """
    where = (RULE_VERSION.c.problem == problem, RULE_VERSION.c.rule_version == rule_version)
    wanted = APPROVED if is_approved else REFUSED
    values: dict[str, Any] = {"status": wanted, "decided_at_utc": now, "decided_by": actor}
    connection.execute(update(RULE_VERSION).where(*where, RULE_VERSION.c.status == PROPOSED).values(values))
    status = connection.scalar(select(RULE_VERSION.c.status).where(*where))
    if status is None:
        raise BadRule(f"{problem} has no rule {rule_version!r}; bi.keyword_rule lists those there are.")
    return str(status)
