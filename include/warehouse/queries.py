"""What pages ask the warehouse: one function for each table or picture, each a query on a `bi` view.

What belongs here: choosing rows and columns for people to look at. What does not: arithmetic, which lives in the views.
"""

from typing import Any

from sqlalchemy import Connection, text

Row = dict[str, Any]


def completeness_totals(connection: Connection, problem: str) -> Row:
    """Add up what landed and what became of it."""
    return _rows(
        connection,
        """
        SELECT
            COALESCE(SUM(n_in), 0) AS n_in,
            COALESCE(SUM(n_published), 0) AS n_published,
            COALESCE(SUM(n_quarantined), 0) AS n_quarantined,
            COALESCE(SUM(n_duplicate), 0) AS n_duplicate,
            COUNT(*) AS n_partitions,
            COUNT(*) FILTER (WHERE verdict LIKE 'published%') AS n_partitions_published
        FROM bi.data_completeness
        WHERE problem = :problem
        """,
        problem,
    )[0]


def completeness_by_partition(connection: Connection, problem: str) -> list[Row]:
    """List every partition, newest first."""
    return _rows(
        connection,
        """
        SELECT
            partition_key,
            n_in,
            n_published,
            n_quarantined,
            n_duplicate,
            verdict,
            first_reason
        FROM bi.data_completeness
        WHERE problem = :problem
        ORDER BY partition_key DESC
        """,
        problem,
    )


def data_docs_of(connection: Connection, problem: str, partition_key: str) -> Row | None:
    """Read Great Expectations' page about one partition; None before its first audit."""
    query = """
        SELECT
            html,
            built_at_utc
        FROM bi.data_docs_page
        WHERE problem = :problem
            AND partition_key = :partition_key
    """
    found = connection.execute(text(query), {"problem": problem, "partition_key": partition_key}).mappings().first()
    return dict(found) if found is not None else None


def model_in_production(connection: Connection, problem: str) -> Row | None:
    """Name the model that serves now, and who put it there."""
    rows = _rows(
        connection,
        """
        SELECT
            model_version,
            promoted_by,
            reason,
            promoted_at_utc
        FROM bi.model_in_production
        WHERE problem = :problem
            AND is_in_production
        """,
        problem,
    )
    return rows[0] if rows else None


def model_comparison(connection: Connection, problem: str) -> list[Row]:
    """Compare the candidates of the version in production on the same held-out rows, best earner first."""
    return _rows(
        connection,
        """
        SELECT
            comparison.candidate,
            comparison.expected_profit,
            comparison.expected_profit_low,
            comparison.expected_profit_high,
            comparison.auc_ratio,
            comparison.brier_score,
            comparison.ece_ratio,
            comparison.mae,
            comparison.coverage_ratio,
            comparison.n_rows
        FROM bi.model_comparison AS comparison
        INNER JOIN bi.model_in_production AS serving
            ON serving.problem = comparison.problem
            AND serving.model_version = comparison.model_version
            AND serving.is_in_production
        WHERE comparison.problem = :problem
        ORDER BY comparison.expected_profit DESC NULLS LAST
        """,
        problem,
    )


def newest_curve(connection: Connection, problem: str) -> list[Row]:
    """Read the calibration curve of the newest partition that has 100 labels with the parts of its Brier score."""
    return _rows(
        connection,
        """
        WITH newest AS (
            SELECT *
            FROM bi.calibration_by_partition
            WHERE problem = :problem
                AND n_labelled >= 100
            ORDER BY
                partition_key DESC,
                model_version DESC
            LIMIT 1
        )
        SELECT
            curve.*,
            newest.brier_score,
            newest.miscalibration_brier,
            newest.discrimination_brier,
            newest.uncertainty_brier
        FROM newest
        INNER JOIN bi.calibration_curve AS curve USING (problem, partition_key, model_version)
        ORDER BY curve.point_index
        """,
        problem,
    )


def newest_reliability(connection: Connection, problem: str) -> list[Row]:
    """Read the reliability bins of the newest month that has 100 labels, or nothing."""
    return _rows(
        connection,
        """
        WITH newest AS (
            SELECT
                month,
                model_version
            FROM bi.calibration_monthly
            WHERE problem = :problem
                AND n_labelled >= 100
            ORDER BY
                month DESC,
                model_version DESC
            LIMIT 1
        )
        SELECT
            bin.month,
            bin.bin_low,
            bin.bin_high,
            bin.mean_predicted_ratio,
            bin.observed_ratio,
            bin.low,
            bin.high,
            bin.n_rows
        FROM bi.calibration_bin AS bin
        INNER JOIN newest
            ON newest.month = bin.month
            AND newest.model_version = bin.model_version
        WHERE bin.problem = :problem
        ORDER BY bin.bin_index
        """,
        problem,
    )


def calibration_by_month(connection: Connection, problem: str) -> list[Row]:
    """Compare what the models expected with what happened, month by month, all models of a month together."""
    return _rows(
        connection,
        """
        SELECT
            month,
            SUM(n_labelled) AS n_labelled,
            SUM(n_labelled * mean_predicted_ratio) / NULLIF(SUM(n_labelled), 0) AS mean_predicted_ratio,
            SUM(n_labelled * observed_ratio) / NULLIF(SUM(n_labelled), 0) AS observed_ratio,
            CASE WHEN COUNT(*) = 1 THEN MIN(ece_ratio) END AS ece_ratio,
            SUM(n_labelled * brier_score) / NULLIF(SUM(n_labelled), 0) AS brier_score
        FROM bi.calibration_monthly
        WHERE problem = :problem
        GROUP BY month
        ORDER BY month
        """,
        problem,
    )


def newest_classes(connection: Connection, problem: str) -> list[Row]:
    """Read how often each class was expected and how often it happened, in the newest partition with labels."""
    return _rows(
        connection,
        """
        SELECT
            partition_key,
            class_name,
            mean_predicted_ratio,
            positive_ratio,
            n_labelled
        FROM (
            SELECT
                *,
                RANK() OVER (ORDER BY partition_key DESC, model_version DESC) AS age_rank
            FROM bi.class_calibration
            WHERE problem = :problem
                AND n_labelled > 0
        ) AS measured
        WHERE age_rank = 1
        ORDER BY class_name
        """,
        problem=problem,
    )


def quantity_by_month(connection: Connection, problem: str) -> list[Row]:
    """Say of a quantity, month by month, how far it was off, how often its interval held, and what it earned."""
    return _rows(
        connection,
        """
        SELECT
            month,
            unit,
            n_labelled,
            mae,
            rmse,
            stated_ratio,
            coverage_ratio,
            coverage_low,
            coverage_high,
            mean_width,
            profit_gain
        FROM bi.quantity_monthly
        WHERE problem = :problem
        ORDER BY month
        """,
        problem,
    )


def honesty(connection: Connection, problem: str) -> Row | None:
    """Compare expected and happened in the newest month with 100 known rows; over all months where none has so many."""
    rows = _rows(
        connection,
        """
        WITH windows AS (
            SELECT
                month AS time_window,
                1 AS preference,
                model_version,
                n_labelled,
                mean_predicted_ratio,
                observed_ratio
            FROM bi.calibration_monthly
            WHERE problem = :problem
                AND n_labelled >= 100
            UNION ALL
            SELECT
                'all months',
                2,
                '',
                SUM(n_labelled),
                SUM(n_labelled * mean_predicted_ratio) / SUM(n_labelled),
                SUM(n_labelled * observed_ratio) / SUM(n_labelled)
            FROM bi.calibration_monthly
            WHERE problem = :problem
            HAVING SUM(n_labelled) > 0
        )
        SELECT *
        FROM windows
        ORDER BY
            preference,
            time_window DESC,
            model_version DESC
        LIMIT 1
        """,
        problem,
    )
    return rows[0] if rows else None


def largest_drift(connection: Connection, problem: str) -> list[Row]:
    """List each feature at the partition where it moved most, the largest first."""
    return _rows(
        connection,
        """
        WITH ranked AS (
            SELECT
                drift.*,
                ROW_NUMBER() OVER (PARTITION BY feature ORDER BY psi_ratio DESC) AS place
            FROM bi.drift_by_feature AS drift
            WHERE problem = :problem
                AND verdict <> 'too_few_rows'
        )
        SELECT
            feature,
            partition_key,
            n_rows,
            psi_ratio,
            js_ratio,
            verdict
        FROM ranked
        WHERE place = 1
        ORDER BY psi_ratio DESC
        LIMIT 8
        """,
        problem,
    )


def review_rounds(connection: Connection, problem: str) -> list[Row]:
    """List the rounds of labels, and what each arm's labels were good for."""
    return _rows(
        connection,
        """
        SELECT
            round_number,
            status,
            n_labels_all,
            n_labels_random,
            n_labels_demo,
            positive_per_100_chosen,
            positive_per_100_random,
            auc_all_ratio,
            auc_random_ratio,
            auc_gained,
            auc_gained_low,
            auc_gained_high,
            n_labels_compared
        FROM bi.review_efficiency
        WHERE problem = :problem
        ORDER BY round_number
        """,
        problem,
    )


def refused_label_lines(connection: Connection, problem: str) -> list[Row]:
    """List the files of labels that have lines which were not taken, and why, the newest file first."""
    return _rows(
        connection,
        """
        SELECT
            object_key,
            reason,
            n_lines,
            first_line,
            n_stored,
            n_rejected,
            imported_at_utc
        FROM bi.label_file_refusal
        WHERE problem = :problem
        ORDER BY
            imported_at_utc DESC,
            object_key,
            n_lines DESC,
            reason
        LIMIT 50
        """,
        problem,
    )


def open_alerts(connection: Connection, problem: str) -> list[Row]:
    """List the alerts that the newest partitions still show, the largest excess first."""
    return _rows(
        connection,
        """
        SELECT
            partition_key,
            since_partition_key,
            subject,
            message
        FROM bi.alert_open
        WHERE problem = :problem
        ORDER BY
            -- Exact numbers: whatever the two are, their ratio neither overflows nor divides by the bound 0.
            CASE WHEN bound <> 0 THEN value::NUMERIC / bound::NUMERIC END DESC NULLS FIRST,
            alert_id
        """,
        problem,
    )


def _rows(connection: Connection, query: str, problem: str) -> list[Row]:
    """Run a query about one problem."""
    return [dict(row) for row in connection.execute(text(query), {"problem": problem}).mappings()]
