"""What the model card asks the warehouse: one function for each part of the page, each a query on `bi` views.

What belongs here: choosing rows and columns for people to look at. What does not: arithmetic, which lives in the views.
"""

from typing import Any

from sqlalchemy import Connection, text

Row = dict[str, Any]


def list_versions(connection: Connection, problem: str) -> list[Row]:
    """List every version of a problem, the newest training first, with what it earned on its held-out rows."""
    return _rows(
        connection,
        """
        SELECT
            card.model_version,
            card.model_name,
            card.status,
            card.trained_through,
            card.trained_at_utc,
            card.is_in_production,
            card.reason,
            comparison.expected_profit,
            comparison.expected_profit_low,
            comparison.expected_profit_high,
            comparison.n_rows
        FROM bi.model_card AS card
        LEFT JOIN bi.model_comparison AS comparison
            ON comparison.problem = card.problem
            AND comparison.model_version = card.model_version
            AND comparison.candidate = card.model_name
        WHERE card.problem = :problem
        ORDER BY
            card.model_version DESC
        """,
        problem=problem,
    )


def list_rules(connection: Connection, problem: str) -> list[Row]:
    """List every rule that was mined from labels, the newest first, with how good all its keywords together were."""
    return _rows(
        connection,
        """
        SELECT
            rule_version,
            status,
            decided_by,
            decided_at_utc,
            positive_when,
            is_in_force,
            n_hits,
            n_rows,
            precision_ratio,
            precision_low,
            precision_high,
            coverage_ratio,
            coverage_low,
            coverage_high,
            (
                SELECT STRING_AGG(word.keyword, ', ' ORDER BY word.rank)
                FROM bi.keyword_rule AS word
                WHERE word.problem = rule.problem
                    AND word.rule_version = rule.rule_version
                    AND word.rank > 0
                    AND word.is_chosen
            ) AS words
        FROM bi.keyword_rule AS rule
        WHERE problem = :problem
            AND COALESCE(rank, 0) = 0
        ORDER BY
            rule_version DESC
        """,
        problem=problem,
    )


def find_version(connection: Connection, problem: str, version: str) -> Row | None:
    """Read the facts about one version, or None when there is no such one."""
    found = _of_version(connection, "SELECT * FROM bi.model_card", problem, version)
    return found[0] if found else None


def read_part(connection: Connection, part: str, problem: str, version: str) -> list[Row]:
    """Read one list of a version's card.

    Args:
        part: one of `CARD_PARTS`.
    """
    query, order = _LISTS[part]
    return _of_version(connection, query, problem, version, order)


def read_ranges(connection: Connection, problem: str, version: str) -> list[Row]:
    """Read what each feature of a version looks like: numbers first, then categories, then texts."""
    query = "SELECT * FROM bi.feature_range"
    return _of_version(
        connection, query, problem, version, "ARRAY_POSITION(ARRAY['number', 'category', 'text'], kind), feature"
    )


# A view each, and the order in which people read it.
_LISTS = {
    "comparison": ("SELECT * FROM bi.model_comparison", "expected_profit DESC NULLS LAST, candidate"),
    "choices": ("SELECT * FROM bi.model_choice", "COALESCE(log_loss_nats, cost), candidate, calibration"),
    "checks": ("SELECT * FROM bi.gate_check", "is_pass, check_name"),
    "bins": ("SELECT * FROM bi.heldout_reliability", "bin_index"),
    "importance": ("SELECT * FROM bi.feature_importance", "method, rank, feature"),
    "agreement": ("SELECT * FROM bi.importance_agreement", "rank_correlation NULLS LAST, method, other_method"),
    "curves": ("SELECT * FROM bi.partial_dependence", "feature, position"),
    "groups": ("SELECT * FROM bi.fairness_by_group", "group_name, metric, group_value"),
    "segments": ("SELECT * FROM bi.weak_segment", "excess_nats DESC, feature, segment"),
    "suspects": ("SELECT * FROM bi.suspected_label", "rank"),
    "by_class": ("SELECT * FROM bi.class_metric", "candidate, class_name"),
    "confusion": ("SELECT * FROM bi.confusion", "true_class, is_right DESC, n_rows DESC, said_class"),
    "notes": ("SELECT * FROM bi.model_note", "topic"),
}
CARD_PARTS = tuple(_LISTS)


def _of_version(
    connection: Connection, query: str, problem: str, version: str, order: str = "model_version"
) -> list[Row]:
    """Read the rows of one version."""
    where = "WHERE problem = :problem AND model_version = :version"
    return _rows(connection, f"{query} {where} ORDER BY {order}", problem=problem, version=version)


def _rows(connection: Connection, query: str, **values: str) -> list[Row]:
    """Run a query."""
    return [dict(row) for row in connection.execute(text(query), values).mappings()]
