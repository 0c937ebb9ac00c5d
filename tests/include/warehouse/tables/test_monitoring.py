"""What was measured of a partition is kept once for each version, feature and alert."""

from collections.abc import Callable

import pytest
from sqlalchemy import Table

from include.warehouse.tables.monitoring import (
    ALERT,
    ALERT_EVENT,
    CALIBRATION_BIN,
    CALIBRATION_CURVE,
    CALIBRATION_SUMMARY,
    FEATURE_DRIFT,
    PROBLEM,
)

GRAINS = [
    (PROBLEM, {"problem"}),
    (CALIBRATION_BIN, {"problem", "partition_key", "model_version", "bin_index"}),
    (CALIBRATION_CURVE, {"problem", "partition_key", "model_version", "point_index"}),
    (CALIBRATION_SUMMARY, {"problem", "partition_key", "model_version"}),
    (FEATURE_DRIFT, {"problem", "partition_key", "feature"}),
    (ALERT, {"problem", "partition_key", "alert_id"}),
    (ALERT_EVENT, {"problem", "alert_id", "event_number"}),
]


@pytest.mark.parametrize(("table", "grain"), GRAINS, ids=lambda value: getattr(value, "name", ""))
def test_a_row_is_told_from_others_by_its_grain(
    grain_of: Callable[[Table], set[str]], table: Table, grain: set[str]
) -> None:
    assert grain_of(table) == grain
