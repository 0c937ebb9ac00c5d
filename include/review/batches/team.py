"""Who answers for a problem these days.

What belongs here: the people, from what they answered. What does not: who may answer (`desk/permissions.py`).
"""

from sqlalchemy import Connection, select

from include.names import Arm
from include.problems.schema import Problem
from include.review.batches.late_answers import LATE
from include.warehouse.tables.review import LABEL, REVIEW_BATCH
from include.warehouse.trusted_labels import is_given

LEAD_SKILL = "lead"  # whom escalated items are brought to
N_ROUNDS = 3  # who has answered nothing in so many finished rounds is not waited for


def read_team(connection: Connection, problem: str) -> set[str]:
    """Name everybody who answered in one of the newest rounds, but recorded truth and who is imported or blocked."""
    newest = (
        select(REVIEW_BATCH.c.batch_id)
        .where(REVIEW_BATCH.c.problem == problem, REVIEW_BATCH.c.opened_by != LATE)
        .order_by(REVIEW_BATCH.c.round_number.desc())
        .limit(N_ROUNDS)
    )
    query = select(LABEL.c.labelled_by).where(
        LABEL.c.problem == problem,
        ~LABEL.c.is_demo,
        LABEL.c.batch_id.in_(newest),
        LABEL.c.arm != Arm.IMPORTED,
        is_given(),
    )
    return set(connection.scalars(query.distinct()))


def name_leads(problem: Problem) -> frozenset[str]:
    """Name who the problem's file says has the last word; roles among them name nobody who answers."""
    leads = problem.review.leads if problem.review else []
    return frozenset([problem.owner, problem.escalation, *leads])
