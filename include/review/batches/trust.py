"""Answers that nobody relies on until a lead has looked: nobody seems to have read the items.

What belongs here: the rule, `core.label_flag`, and which labels count. What does not: how well people answer
(`metrics/`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, delete, func, select, update

from include.errors import MulgilError
from include.partition_keys import sort_key
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.monitoring import ALERT
from include.warehouse.tables.review import LABEL, LABEL_FLAG
from include.warehouse.trusted_labels import Trust
from include.warehouse.withdrawn_labels import mark_models

# So many answers in a row in so short a time: half a second each, for reading, deciding and pressing a key.
N_IN_A_ROW = 10
SHORTEST = timedelta(seconds=5)
UNREAD = "as if nobody read the items"
ALERT_ID = "review_unread"


def flag_fast_answers(connection: Connection, problem: str, batch_id: str, now: datetime) -> list[str]:
    """Flag whoever answered a batch at the desk at the speed of a machine; what a lead decided about them stands.

    Answers of files have one time for all, and recorded truth reads nothing: neither is judged.

    Returns:
        the people flagged now, by name.
    """
    since = LABEL.c.labelled_at_utc - func.lag(LABEL.c.labelled_at_utc, N_IN_A_ROW - 1).over(
        partition_by=LABEL.c.labelled_by, order_by=LABEL.c.labelled_at_utc
    )
    timed = (
        select(LABEL.c.labelled_by, since.label("since"))
        .where(LABEL.c.problem == problem, LABEL.c.batch_id == batch_id)
        .where(LABEL.c.duration_ms.is_not(None), ~LABEL.c.is_demo)
        .subquery()
    )
    query = (
        select(timed.c.labelled_by, func.count().label("n_labels"), func.min(timed.c.since).label("fastest"))
        .group_by(timed.c.labelled_by)
        .having(func.min(timed.c.since) < SHORTEST)
        .order_by(timed.c.labelled_by)
    )
    decided = {row["labelled_by"] for row in read_flags(connection, problem) if row["batch_id"] == batch_id}
    rows = [
        {
            "problem": problem,
            "batch_id": batch_id,
            "labelled_by": row.labelled_by,
            "n_labels": row.n_labels,
            "reason": f"{N_IN_A_ROW} answers in a row took {row.fastest.total_seconds():.1f} s; "
            f"nobody reads {N_IN_A_ROW} items in {SHORTEST.total_seconds():.0f} s",
            "flagged_at_utc": now,
            "status": Trust.WAITING,
            "decided_by": None,
            "decided_at_utc": None,
        }
        for row in connection.execute(query)
        if row.labelled_by not in decided
    ]
    upsert_rows(connection, LABEL_FLAG, rows)
    return [row["labelled_by"] for row in rows]


def flag_unread_answers(connection: Connection, problem: str, reasons: Mapping[str, str], now: datetime) -> list[str]:
    """Flag all answers of people who seem not to look at the items, and tell the problem's lead.

    Whom a lead has looked at for this before is left alone: their word stands.

    Args:
        reasons: person to what their answers are like.

    Returns:
        the people flagged now, by name.
    """
    flags = read_flags(connection, problem)
    judged = {row["labelled_by"] for row in flags if row["reason"].startswith(UNREAD)}
    query = (
        select(LABEL.c.labelled_by, LABEL.c.batch_id, func.count().label("n_labels"))
        .where(LABEL.c.problem == problem, LABEL.c.labelled_by.in_(sorted(reasons.keys() - judged)), ~LABEL.c.is_demo)
        .group_by(LABEL.c.labelled_by, LABEL.c.batch_id)
    )
    decided = {(row["batch_id"], row["labelled_by"]) for row in flags}
    found = [row for row in connection.execute(query) if (row.batch_id, row.labelled_by) not in decided]
    rows = [
        {
            "problem": problem,
            "batch_id": row.batch_id,
            "labelled_by": row.labelled_by,
            "n_labels": row.n_labels,
            "reason": f"{UNREAD}: {reasons[row.labelled_by]}",
            "flagged_at_utc": now,
            "status": Trust.WAITING,
            "decided_by": None,
            "decided_at_utc": None,
        }
        for row in found
    ]
    upsert_rows(connection, LABEL_FLAG, rows)
    _tell_of_unread(connection, problem)
    return sorted({row.labelled_by for row in found})


def _tell_of_unread(connection: Connection, problem: str) -> None:
    """Keep one alert for each person whose unread answers wait for a lead."""
    connection.execute(delete(ALERT).where(ALERT.c.problem == problem, ALERT.c.alert_id.startswith(ALERT_ID)))
    waiting: dict[str, list[RowMapping]] = {}
    for row in read_flags(connection, problem):
        if row["status"] == Trust.WAITING and row["reason"].startswith(UNREAD):
            waiting.setdefault(row["labelled_by"], []).append(row)
    alerts = [
        {
            "problem": problem,
            "partition_key": max((row["batch_id"] for row in rows), key=sort_key),
            "alert_id": f"{ALERT_ID} {person}",
            "metric": "n_labels",
            "subject": person,
            "value": float(sum(row["n_labels"] for row in rows)),
            "bound": 0.0,
            "action": "review",
            "message": f"{person}: {rows[0]['reason']}. {sum(row['n_labels'] for row in rows)} answers teach nothing "
            "until a lead accepts or withdraws them at the desk.",
            "opened_at_utc": min(row["flagged_at_utc"] for row in rows),
        }
        for person, rows in sorted(waiting.items())
    ]
    upsert_rows(connection, ALERT, alerts)


def read_flags(connection: Connection, problem: str) -> list[RowMapping]:
    """Read every flag of a problem, those that wait for a lead first, then the newest."""
    query = (
        select(LABEL_FLAG)
        .where(LABEL_FLAG.c.problem == problem)
        .order_by(
            LABEL_FLAG.c.status != Trust.WAITING,
            LABEL_FLAG.c.flagged_at_utc.desc(),
            LABEL_FLAG.c.batch_id,
            LABEL_FLAG.c.labelled_by,
        )
    )
    return list(connection.execute(query).mappings())


def decide_flag(
    connection: Connection,
    problem: str,
    batch_id: str,
    labelled_by: str,
    *,
    is_accepted: bool,
    decided_by: str,
    now: datetime,
) -> None:
    """Write down what a lead thinks of flagged answers; the last word counts.

    Accepted answers teach the next model; withdrawn ones count as never given, and their items can be asked again.

    Raises:
        MulgilError: nothing of this person in this batch was flagged, or it is the lead's own answers.
    """
    if decided_by == labelled_by:
        raise MulgilError(f"The answers of {labelled_by} in {batch_id} wait for another lead than {labelled_by}.")
    changed = connection.execute(
        update(LABEL_FLAG)
        .where(
            LABEL_FLAG.c.problem == problem,
            LABEL_FLAG.c.batch_id == batch_id,
            LABEL_FLAG.c.labelled_by == labelled_by,
        )
        .values(status=Trust.ACCEPTED if is_accepted else Trust.WITHDRAWN, decided_by=decided_by, decided_at_utc=now)
    )
    if not changed.rowcount:
        raise MulgilError(f"0 answers of {labelled_by!r} in {batch_id} of {problem} were flagged; reload the list.")
    _tell_of_unread(connection, problem)
    mark_models(connection, problem)
