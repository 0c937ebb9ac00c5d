from typing import Any

import pytest
from sqlalchemy import Connection, insert

from include.warehouse.estimate_queries import audited_estimates, newest_estimates
from include.warehouse.tables.monitoring import PERFORMANCE_ESTIMATE
from tests.include.warehouse.edge_rows import PROBLEM


@pytest.mark.parametrize("problem", [PROBLEM, "nobody"])
def test_estimates_are_read_whatever_the_rows_are(connection: Any, problem: str) -> None:
    assert bool(newest_estimates(connection, problem)) == (problem == PROBLEM)
    assert audited_estimates(connection, "nobody") == []


def test_the_newest_model_speaks_for_a_partition_and_the_newest_partitions_are_shown(connection: Connection) -> None:
    known = {"n_rows": 9, "n_labelled": 9, "labelled_standard_error": 0.01, "standard_error": 0.01}
    for month in range(14):
        for version, metric in (("v1", "positive_ratio"), ("v2", "positive_ratio"), ("v2", "profit")):
            value = month + (0.5 if version == "v2" else 0.0) + (100 if metric == "profit" else 0)
            key = {"problem": "p", "partition_key": f"{month:02}", "model_version": version, "metric": metric}
            about = {"label_arm": "random", "estimate": value, "labelled_estimate": value, "actual": value}
            connection.execute(insert(PERFORMANCE_ESTIMATE).values(key | known | about))
    rows = newest_estimates(connection, "p")
    assert [row["partition_key"] for row in rows] == [f"{month:02}" for month in range(2, 14)]
    assert (rows[-1]["share"], rows[-1]["profit"], rows[-1]["share_is_covered"]) == (13.5, 113.5, True)
    # The first two of fourteen partitions have fewer than three audits each; two models audit a partition twice.
    assert [(row["metric"], row["n_audited"], row["n_covered"]) for row in audited_estimates(connection, "p")] == [
        ("positive_ratio", 24, 24),
        ("profit", 11, 11),
    ]
