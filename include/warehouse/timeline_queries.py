"""Queries of a problem's time line: what happened to its versions, alerts, batches, experiments and data.

What belongs here: one function for each kind of event, all with the same columns. What does not: putting them in order
(`plugins/reports/timeline.py`), and what is true now (the other queries).
"""

from typing import Any

from sqlalchemy import Connection, Executable, String, and_, case, cast, func, literal, null, select, text

from include.warehouse.tables.experiments import EXPERIMENT_DECISION, EXPERIMENT_QUESTION
from include.warehouse.tables.learning import MODEL_EVENT

Row = dict[str, Any]


def version_events(connection: Connection, problem: str, most: int) -> list[Row]:
    """List the newest promotions and refusals of model versions, and their waits for approval.

    Returns:
        happened_at_utc, event, subject, partition_key, actor, reason and n_affected, as all queries here; None where
        an event has none. The subject is the version, partition_key the first partition it scores.
    """
    e = MODEL_EVENT.c
    query = (
        select(
            e.event_at_utc.label("happened_at_utc"),
            e.event,
            e.model_version.label("subject"),
            func.nullif(e.serves_from, "").label("partition_key"),
            e.actor,
            e.reason,
            null().label("n_affected"),
        )
        .where(e.problem == problem)
        .order_by(e.event_at_utc.desc(), e.model_version, e.event)
        .limit(most)
    )
    return _selected(connection, query)


def alert_events(connection: Connection, problem: str, most: int) -> list[Row]:
    """List what happened to alerts last; the subject is the cause, as `bi.alert_open` names it."""
    query = """
        SELECT
            happened_at_utc,
            event,
            alert_id AS subject,
            partition_key,
            actor,
            reason,
            NULL AS n_affected
        FROM bi.alert_history
        WHERE problem = :problem
        ORDER BY
            happened_at_utc DESC,
            alert_id,
            event_number DESC
        LIMIT :most
    """
    return _told(connection, query, problem, most)


def batch_events(connection: Connection, problem: str, most: int) -> list[Row]:
    """List the batches that came onto the desk or were finished last; n_affected is how many items they have."""
    query = """
        SELECT
            moment.happened_at_utc,
            moment.event,
            batch.batch_id AS subject,
            NULL AS partition_key,
            NULL AS actor,
            NULL AS reason,
            batch.n_items AS n_affected
        FROM bi.review_queue_health AS batch
        CROSS JOIN LATERAL (
            VALUES
            (batch.chosen_at_utc, 'opened'),
            (batch.answered_at_utc, 'finished')
        ) AS moment (happened_at_utc, event)
        WHERE batch.problem = :problem
            AND moment.happened_at_utc IS NOT NULL
        ORDER BY
            moment.happened_at_utc DESC,
            batch.batch_id,
            moment.event
        LIMIT :most
    """
    return _told(connection, query, problem, most)


def decision_events(connection: Connection, problem: str, most: int) -> list[Row]:
    """List the last windows after which an experiment's decision was another one than after the window before.

    The event is the outcome, and the subject the experiment.
    """
    d = EXPERIMENT_DECISION.c
    made = func.jsonb_build_array(d.outcome, d.variant, d.is_final, d.plan_sha256)
    before = func.lag(made).over(partition_by=d.experiment, order_by=d.partition_key)
    told = select(EXPERIMENT_DECISION, before.is_distinct_from(made).label("is_new")).where(d.problem == problem)
    new = told.subquery().c
    query = (
        select(
            new.decided_at_utc.label("happened_at_utc"),
            new.outcome.label("event"),
            new.experiment.label("subject"),
            new.partition_key,
            cast(null(), String).label("actor"),
            new.reason,
            null().label("n_affected"),
        )
        .where(new.is_new)
        .order_by(new.decided_at_utc.desc(), new.experiment, new.partition_key.desc())
        .limit(most)
    )
    return _selected(connection, query)


def question_events(connection: Connection, problem: str, most: int) -> list[Row]:
    """List the last ties that an approver was asked about, and the answers; the subject is the experiment.

    The event is `asked`, `approved` or `declined`; the actor of an answer whose time ran out is the run.
    """
    q = EXPERIMENT_QUESTION.c
    nobody, no_count = cast(null(), String), null().label("n_affected")
    key = (q.experiment.label("subject"), q.partition_key)
    asked = select(
        q.asked_at_utc.label("happened_at_utc"),
        literal("asked").label("event"),
        *key,
        nobody.label("actor"),
        nobody.label("reason"),
        no_count,
    ).where(q.problem == problem)
    outcome = case((q.is_approved, "approved"), else_="declined")
    answered = select(
        q.answered_at_utc,
        outcome,
        *key,
        q.answered_by,
        q.reason,
        no_count,
    ).where(and_(q.problem == problem, q.answered_at_utc.is_not(None), q.is_approved.is_not(None)))
    both = asked.union_all(answered).subquery()
    order = (both.c.happened_at_utc.desc(), both.c.subject, both.c.event)
    return _selected(connection, select(both).order_by(*order).limit(most))


def withdrawal_events(connection: Connection, problem: str, most: int) -> list[Row]:
    """List the objects that were withdrawn or let in again last, of the problem's other logs too.

    The subject is the object, n_affected its records; partition_key, after the name of another log, is missing where it
    fed several partitions.
    """
    query = """
        SELECT
            moment.happened_at_utc,
            moment.event,
            gone.object_key AS subject,
            CASE
                WHEN COUNT(DISTINCT gone.partition_key) = 1
                    THEN CONCAT_WS(' ', NULLIF(SPLIT_PART(gone.problem, '.', 2), ''), MIN(gone.partition_key))
            END AS partition_key,
            moment.actor,
            moment.reason,
            SUM(gone.n_rows) AS n_affected
        FROM bi.withdrawal_history AS gone
        CROSS JOIN LATERAL (
            VALUES
            (gone.withdrawn_at_utc, 'withdrawn', gone.actor, gone.reason),
            (gone.restored_at_utc, 'restored', gone.restored_by, gone.restored_reason)
        ) AS moment (happened_at_utc, event, actor, reason)
        WHERE SPLIT_PART(gone.problem, '.', 1) = :problem
            AND moment.happened_at_utc IS NOT NULL
        GROUP BY
            gone.problem,
            moment.happened_at_utc,
            moment.event,
            gone.object_key,
            moment.actor,
            moment.reason
        ORDER BY
            moment.happened_at_utc DESC,
            gone.object_key,
            moment.event
        LIMIT :most
    """
    return _told(connection, query, problem, most)


def erasure_events(connection: Connection, problem: str, most: int) -> list[Row]:
    """List the erasures that were asked for or proven last; n_affected is the rows that were removed.

    Why a person asked may say who it was, so that no reason is given here.
    """
    query = """
        SELECT
            moment.happened_at_utc,
            moment.event,
            NULL AS subject,
            NULL AS partition_key,
            CASE WHEN moment.event = 'asked' THEN erased.actor END AS actor,
            NULL AS reason,
            erased.n_rows AS n_affected
        FROM bi.erasure_history AS erased
        CROSS JOIN LATERAL (
            VALUES
            (erased.asked_at_utc, 'asked'),
            (erased.proven_at_utc, 'proven')
        ) AS moment (happened_at_utc, event)
        WHERE SPLIT_PART(erased.problem, '.', 1) = :problem
            AND moment.happened_at_utc IS NOT NULL
        ORDER BY
            moment.happened_at_utc DESC,
            moment.event
        LIMIT :most
    """
    return _told(connection, query, problem, most)


def audited_keys(connection: Connection, problem: str) -> frozenset[str]:
    """Name the partitions that have a page of Data Docs, so that a link to one leads somewhere."""
    query = """
        SELECT partition_key
        FROM bi.data_docs
        WHERE problem = :problem
    """
    return frozenset(connection.execute(text(query), {"problem": problem}).scalars())


def _told(connection: Connection, query: str, problem: str, most: int) -> list[Row]:
    """Run a query about one problem."""
    found = connection.execute(text(query), {"problem": problem, "most": most})
    return [dict(row) for row in found.mappings()]


def _selected(connection: Connection, query: Executable) -> list[Row]:
    """Ask a query that names tables."""
    return [dict(row) for row in connection.execute(query).mappings()]
