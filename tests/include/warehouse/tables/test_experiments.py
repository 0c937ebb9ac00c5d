"""What an experiment measured, excluded and decided is kept once for each partition."""

from collections.abc import Callable

import pytest
from sqlalchemy import Table

from include.warehouse.tables.experiments import (
    ALLOCATION,
    EXPERIMENT_CHECK,
    EXPERIMENT_DECISION,
    EXPERIMENT_EXCLUSION,
    EXPERIMENT_LIFT,
    EXPERIMENT_METRIC,
    EXPERIMENT_PLAN,
    EXPERIMENT_RUNNING_SUM,
    EXPERIMENT_VARIANT,
    OFF_POLICY_ESTIMATE,
    VARIANT_SUM,
)

GRAINS = [
    (VARIANT_SUM, {"problem", "experiment", "partition_key", "phase", "variant"}),
    (EXPERIMENT_EXCLUSION, {"problem", "experiment", "partition_key", "reason", "variant", "seen_on"}),
    (ALLOCATION, {"problem", "experiment", "partition_key", "place"}),
    (EXPERIMENT_CHECK, {"problem", "experiment", "partition_key", "check_name"}),
    (EXPERIMENT_DECISION, {"problem", "experiment", "partition_key"}),
    (EXPERIMENT_VARIANT, {"problem", "experiment", "partition_key", "variant"}),
    (EXPERIMENT_METRIC, {"problem", "experiment", "partition_key", "metric", "role", "variant"}),
    (EXPERIMENT_PLAN, {"problem", "experiment", "version"}),
    (EXPERIMENT_RUNNING_SUM, {"problem", "experiment", "partition_key"}),
    (EXPERIMENT_LIFT, {"problem", "experiment", "partition_key", "kind"}),
    (OFF_POLICY_ESTIMATE, {"problem", "experiment", "policy", "estimator"}),
]


@pytest.mark.parametrize(("table", "grain"), GRAINS, ids=lambda value: getattr(value, "name", ""))
def test_a_row_is_told_from_others_by_its_grain(
    grain_of: Callable[[Table], set[str]], table: Table, grain: set[str]
) -> None:
    assert grain_of(table) == grain
