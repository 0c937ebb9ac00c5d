"""Queries of the front page of Reports: each answers one question about all problems at once.

What belongs here: SQL about many problems, a few columns each. What does not: one problem's tables (`queries.py`).
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select, text

from include.warehouse.predicates import is_one_of
from include.warehouse.tables.experiments import EXPERIMENT_QUESTION

Row = dict[str, Any]


def arrivals(connection: Connection, problems: Sequence[str]) -> list[Row]:
    """Say of each problem which partition is its newest, what became of that, and which is the newest published one."""
    query = """
        SELECT
            problem,
            MAX(partition_key) AS newest_key,
            (ARRAY_AGG(verdict ORDER BY partition_key DESC))[1] AS newest_verdict,
            MAX(partition_key) FILTER (WHERE verdict LIKE 'published%') AS published_key,
            COUNT(*) AS n_partitions,
            COUNT(*) FILTER (WHERE verdict LIKE 'published%') AS n_published
        FROM bi.data_completeness
        WHERE problem = ANY(:problems)
        GROUP BY problem
    """
    return _rows(connection, query, problems)


def waiting(connection: Connection, problems: Sequence[str]) -> list[Row]:
    """Name of each problem, its other logs counted in, the partition that has waited longest in any stage.

    A round of review that waits for people is no partition that waits, unless its stage has failed.
    """
    query = """
        WITH waits AS (
            SELECT
                SPLIT_PART(problem, '.', 1) AS owner,
                dag_id,
                partition_key,
                since_utc,
                n_waiting,
                n_failed
            FROM bi.oldest_waiting
            WHERE SPLIT_PART(problem, '.', 1) = ANY(:problems)
                AND (stage <> 'review' OR n_failed > 0)
        )
        SELECT DISTINCT ON (owner)
            owner AS problem,
            dag_id,
            partition_key,
            since_utc,
            SUM(n_waiting) OVER (PARTITION BY owner) AS n_waiting,
            SUM(n_failed) OVER (PARTITION BY owner) AS n_failed
        FROM waits
        ORDER BY
            owner,
            since_utc,
            dag_id
    """
    return _rows(connection, query, problems)


def honesty(connection: Connection, problems: Sequence[str]) -> list[Row]:
    """Compare expected and happened in each problem's newest month with 100 known rows; in its newest where none has.

    Returns:
        one for each problem with labels: the month's shares (0..1), and of the month's partitions n_compared with
        what a faultless model shows, and n_beyond that are further off than one such model in a thousand.
    """
    query = """
        WITH newest AS (
            SELECT DISTINCT ON (problem)
                problem,
                month,
                model_version,
                n_labelled,
                mean_predicted_ratio,
                observed_ratio
            FROM bi.calibration_monthly
            WHERE problem = ANY(:problems)
            ORDER BY
                problem,
                n_labelled >= 100 DESC,
                month DESC,
                model_version DESC
        )
        SELECT
            newest.*,
            COUNT(*) FILTER (WHERE part.ece_ratio IS NOT NULL AND part.ece_chance_ratio IS NOT NULL) AS n_compared,
            COUNT(*) FILTER (WHERE part.ece_ratio > part.ece_chance_ratio) AS n_beyond
        FROM newest
        LEFT JOIN bi.calibration_by_partition AS part
            ON part.problem = newest.problem
            AND part.model_version = newest.model_version
            AND LEFT(part.partition_key, 7) = newest.month
        GROUP BY
            newest.problem,
            newest.month,
            newest.model_version,
            newest.n_labelled,
            newest.mean_predicted_ratio,
            newest.observed_ratio
    """
    return _rows(connection, query, problems)


def class_honesty(connection: Connection, problems: Sequence[str]) -> list[Row]:
    """Name of each problem with several classes the one that is furthest off, in the newest partition with labels.

    Returns:
        that class with its shares (0..1), and of the n_classes of the partition n_compared with what a faultless model
        shows, and n_beyond that are further off than one such model in a thousand.
    """
    query = """
        WITH placed AS (
            SELECT
                *,
                RANK() OVER (PARTITION BY problem ORDER BY partition_key DESC, model_version DESC) AS age_rank
            FROM bi.class_calibration
            WHERE problem = ANY(:problems)
                AND n_labelled > 0
        )
        SELECT DISTINCT ON (problem)
            problem,
            partition_key,
            class_name,
            mean_predicted_ratio,
            positive_ratio,
            n_labelled,
            COUNT(*) OVER (PARTITION BY problem) AS n_classes,
            COUNT(*) FILTER (WHERE ece_ratio IS NOT NULL AND ece_chance_ratio IS NOT NULL)
                OVER (PARTITION BY problem) AS n_compared,
            COUNT(*) FILTER (WHERE ece_ratio > ece_chance_ratio) OVER (PARTITION BY problem) AS n_beyond
        FROM placed
        WHERE age_rank = 1
        ORDER BY
            problem,
            ABS(mean_predicted_ratio - positive_ratio) DESC NULLS LAST,
            class_name
    """
    return _rows(connection, query, problems)


def quantities(connection: Connection, problems: Sequence[str]) -> list[Row]:
    """Say of each problem with a quantity whether its intervals held in its newest month, and what it earned."""
    query = """
        SELECT DISTINCT ON (problem)
            problem,
            month,
            n_labelled,
            stated_ratio,
            coverage_ratio,
            coverage_low,
            coverage_high,
            profit_gain
        FROM bi.quantity_monthly
        WHERE problem = ANY(:problems)
        ORDER BY
            problem,
            month DESC
    """
    return _rows(connection, query, problems)


def alerts(connection: Connection, problems: Sequence[str]) -> list[Row]:
    """List the open alerts of each problem, the worst first: escalated, then open, then snoozed, by their excess.

    Intervals can hold too seldom as well as too often: of them the misses count, too, against those that were stated.
    """
    query = """
        SELECT
            problem,
            alert_id,
            partition_key,
            value,
            state
        FROM bi.alert_open
        WHERE problem = ANY(:problems)
        ORDER BY
            problem,
            CASE state WHEN 'escalated' THEN 0 WHEN 'open' THEN 1 ELSE 2 END,
            -- Exact numbers: whatever the two are, their ratio neither overflows nor divides by the bound 0.
            GREATEST(
                CASE WHEN bound <> 0 THEN value::NUMERIC / bound::NUMERIC END,
                CASE
                    WHEN metric = 'coverage_ratio' AND bound < 1 THEN (1 - value::NUMERIC) / (1 - bound::NUMERIC)
                END
            ) DESC NULLS FIRST,
            alert_id
    """
    return _rows(connection, query, problems)


def profits(connection: Connection, problems: Sequence[str]) -> list[Row]:
    """Read what the newest scored partition of each problem is expected to earn, and what the newest known one earned.

    Where several models scored a partition, the newest of them speaks.

    Returns:
        expected_key with estimate, low and high, and realised_key with actual and the n_labelled rows it rests on,
        each of them a row in the problem's money; the side without a partition is missing.
    """
    query = """
        WITH told AS (
            SELECT DISTINCT ON (problem, partition_key) *
            FROM bi.performance_estimate
            WHERE problem = ANY(:problems)
                AND metric = 'profit'
            ORDER BY
                problem,
                partition_key,
                model_version DESC
        ),
        expected AS (
            SELECT DISTINCT ON (problem) *
            FROM told
            WHERE estimate IS NOT NULL
            ORDER BY problem, partition_key DESC
        ),
        realised AS (
            SELECT DISTINCT ON (problem) *
            FROM told
            WHERE actual IS NOT NULL
            ORDER BY problem, partition_key DESC
        )
        SELECT
            problem,
            expected.partition_key AS expected_key,
            expected.estimate,
            expected.low,
            expected.high,
            realised.partition_key AS realised_key,
            realised.actual,
            realised.n_labelled,
            realised.is_covered
        FROM expected
        FULL JOIN realised USING (problem)
    """
    return _rows(connection, query, problems)


def experiments(connection: Connection, problems: Sequence[str]) -> list[Row]:
    """Say of each experiment what is decided, what was promised of it, and what it really added."""
    query = """
        SELECT
            problem,
            experiment,
            decision,
            phase,
            winner,
            variant_in_force,
            promised_lift_ratio,
            realised_lift_ratio,
            realised_low,
            realised_high
        FROM bi.experiment_result
        WHERE problem = ANY(:problems)
        ORDER BY
            problem,
            experiment
    """
    return _rows(connection, query, problems)


def open_batches(connection: Connection, problems: Sequence[str]) -> list[Row]:
    """Count of each problem the open batches, the items in them that want another answer, and when they are due."""
    query = """
        SELECT
            problem,
            COUNT(*) AS n_batches,
            SUM(n_waiting) AS n_waiting,
            MIN(due_at_utc) AS due_at_utc,
            BOOL_OR(hours_overdue > 0) AS is_overdue
        FROM bi.review_queue_health
        WHERE problem = ANY(:problems)
            AND status = 'open'
        GROUP BY problem
    """
    return _rows(connection, query, problems)


def approvals(connection: Connection, problems: Sequence[str]) -> list[Row]:
    """List what waits for a decision: versions for their approval, and answers that a lead has to look at.

    Returns:
        kind `version` with its name, or `answers` with n_labels of them, and since when.
    """
    query = """
        SELECT
            problem,
            'version' AS kind,
            model_version AS name,
            event_at_utc AS since_utc,
            NULL::BIGINT AS n_labels
        FROM bi.model_card
        WHERE problem = ANY(:problems)
            AND status = 'awaiting_approval'
        UNION ALL
        SELECT
            problem,
            'answers' AS kind,
            '' AS name,
            MIN(flagged_at_utc) AS since_utc,
            SUM(n_labels) AS n_labels
        FROM bi.label_flag
        WHERE problem = ANY(:problems)
            AND status = 'waiting'
        GROUP BY problem
        ORDER BY
            problem,
            kind DESC,
            name
    """
    return _rows(connection, query, problems)


def ties(connection: Connection, problems: Sequence[str]) -> list[Row]:
    """List the experiments whose tie an approver is being asked about, and until when there is time to answer."""
    q = EXPERIMENT_QUESTION.c
    query = (
        select(q.problem, q.experiment, func.max(q.answer_by_utc).label("until_utc"))
        .where(is_one_of(q.problem, problems), q.is_approved.is_(None), q.answer_by_utc > func.now())
        .group_by(q.problem, q.experiment)
        .order_by(q.problem, q.experiment)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _rows(connection: Connection, query: str, problems: Sequence[str]) -> list[Row]:
    """Run a query about some problems."""
    return [dict(row) for row in connection.execute(text(query), {"problems": list(problems)}).mappings()]
