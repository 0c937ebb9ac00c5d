"""Queries of the alerts page: what is open, what became of alerts, and what waits in which stage.

What does not belong here: queries of the other pages (`queries.py`), and writing (`include/monitoring`).
"""

from typing import Any

from sqlalchemy import Connection, text

Row = dict[str, Any]
MOST_EVENTS = 200


def alerts_of(connection: Connection, problem: str) -> list[Row]:
    """List a problem's open alerts: escalated ones first, snoozed ones last, then by cause."""
    query = """
        SELECT
            alert_id,
            partition_key,
            since_partition_key,
            n_partitions,
            action,
            state,
            snoozed_until_utc,
            value,
            n_findings,
            n_watched,
            findings,
            message
        FROM bi.alert_open
        WHERE problem = :problem
        ORDER BY
            CASE state WHEN 'escalated' THEN 0 WHEN 'open' THEN 1 ELSE 2 END,
            alert_id
    """
    return [dict(row) for row in connection.execute(text(query), {"problem": problem}).mappings()]


def alert_history(connection: Connection, problem: str) -> list[Row]:
    """List what happened to a problem's alerts, the newest first."""
    query = """
        SELECT
            alert_id,
            event,
            partition_key,
            is_by_person,
            actor,
            reason,
            until_utc,
            happened_at_utc,
            n_messages,
            n_told,
            n_given_up,
            message_error
        FROM bi.alert_history
        WHERE problem = :problem
        ORDER BY
            happened_at_utc DESC,
            alert_id,
            event_number DESC
        LIMIT :most
    """
    found = connection.execute(text(query), {"problem": problem, "most": MOST_EVENTS}).mappings()
    return [dict(row) for row in found]


def oldest_waiting(connection: Connection, problem: str) -> list[Row]:
    """List the oldest partition that waits in each stage of a problem and of its other logs."""
    query = """
        SELECT
            dag_id,
            partition_key,
            status,
            detail,
            since_utc,
            n_waiting,
            n_failed
        FROM bi.oldest_waiting
        WHERE SPLIT_PART(problem, '.', 1) = :problem
        ORDER BY
            dag_id
    """
    return [dict(row) for row in connection.execute(text(query), {"problem": problem}).mappings()]
