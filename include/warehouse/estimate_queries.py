"""What the pages ask about figures that are expected before labels come.

What belongs here: SQL over `bi.performance_estimate`. What does not: drawing (`plugins/`), other views (`queries.py`).
"""

from sqlalchemy import Connection, text

from include.warehouse.queries import Row


def newest_estimates(connection: Connection, problem: str) -> list[Row]:
    """Read the expected and, where labels came, actual figures of the newest twelve partitions, oldest first.

    Where several models scored a partition, the newest of them speaks.

    Returns:
        one for each partition: for `share` (of positives, 0..1) and `profit` (a row, in the problem's unit) the
        estimate, `_low`, `_high`, `_actual` and `_is_covered`; missing where the view has none.
    """
    query = """
        WITH placed AS (
            SELECT
                *,
                DENSE_RANK() OVER (ORDER BY partition_key DESC) AS place
            FROM bi.performance_estimate
            WHERE problem = :problem
                AND metric IN ('positive_ratio', 'profit')
        ),
        newest AS (
            SELECT DISTINCT ON (partition_key, metric) *
            FROM placed
            WHERE place <= 12
            ORDER BY
                partition_key,
                metric,
                model_version DESC
        )
        SELECT
            partition_key,
            MAX(n_rows) AS n_rows,
            MAX(n_labelled) AS n_labelled,
            MAX(n_audited) AS n_audited,
            MAX(estimate) FILTER (WHERE metric = 'positive_ratio') AS share,
            MAX(low) FILTER (WHERE metric = 'positive_ratio') AS share_low,
            MAX(high) FILTER (WHERE metric = 'positive_ratio') AS share_high,
            MAX(actual) FILTER (WHERE metric = 'positive_ratio') AS share_actual,
            BOOL_AND(is_covered) FILTER (WHERE metric = 'positive_ratio') AS share_is_covered,
            MAX(estimate) FILTER (WHERE metric = 'profit') AS profit,
            MAX(low) FILTER (WHERE metric = 'profit') AS profit_low,
            MAX(high) FILTER (WHERE metric = 'profit') AS profit_high,
            MAX(actual) FILTER (WHERE metric = 'profit') AS profit_actual,
            BOOL_AND(is_covered) FILTER (WHERE metric = 'profit') AS profit_is_covered
        FROM newest
        GROUP BY partition_key
        ORDER BY partition_key
        """
    return [dict(row) for row in connection.execute(text(query), {"problem": problem}).mappings()]


def audited_estimates(connection: Connection, problem: str) -> list[Row]:
    """Count how often a model's word about a partition came out as expected, where labels have come since.

    Returns:
        metric, `n_audited` and `n_covered`; none while no interval was held against a label.
    """
    query = """
        SELECT
            metric,
            COUNT(*) AS n_audited,
            COUNT(*) FILTER (WHERE is_covered) AS n_covered
        FROM bi.performance_estimate
        WHERE problem = :problem
            AND is_covered IS NOT NULL
        GROUP BY metric
        ORDER BY metric
        """
    return [dict(row) for row in connection.execute(text(query), {"problem": problem}).mappings()]
