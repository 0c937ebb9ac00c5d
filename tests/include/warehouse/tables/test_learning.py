"""What was fitted, judged and promoted is kept once for each version."""

from collections.abc import Callable

import pytest
from sqlalchemy import Table

from include.warehouse.tables.learning import (
    CALIBRATION_GAIN,
    GATE_CHECK,
    LEARNING_CURVE,
    MODEL_CHOICE,
    MODEL_EVENT,
    MODEL_METRIC,
    MODEL_VERSION,
    SCORECARD_TERM,
    SCORED_PARTITION,
)

GRAINS = [
    (MODEL_VERSION, {"problem", "model_version"}),
    (MODEL_EVENT, {"problem", "model_version", "event", "event_at_utc"}),
    (MODEL_METRIC, {"problem", "model_version", "candidate", "metric"}),
    (GATE_CHECK, {"problem", "model_version", "check_name"}),
    (LEARNING_CURVE, {"problem", "model_version", "arm", "metric"}),
    (SCORED_PARTITION, {"problem", "partition_key"}),
    (MODEL_CHOICE, {"problem", "model_version", "candidate", "calibration"}),
    (SCORECARD_TERM, {"problem", "model_version", "feature", "term"}),
    (CALIBRATION_GAIN, {"problem", "partition_key", "model_version"}),
]


@pytest.mark.parametrize(("table", "grain"), GRAINS, ids=lambda value: getattr(value, "name", ""))
def test_a_row_is_told_from_others_by_its_grain(
    grain_of: Callable[[Table], set[str]], table: Table, grain: set[str]
) -> None:
    assert grain_of(table) == grain
