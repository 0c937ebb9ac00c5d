"""A class has one figure for each of what it is asked, and a row is filled in once."""

from collections.abc import Callable

import pytest
from sqlalchemy import Table

from include.warehouse.tables.classes import CLASS_CALIBRATION, CLASS_METRIC, CONFUSION, FILLED_LABEL

GRAINS = [
    (CLASS_METRIC, {"problem", "model_version", "candidate", "class_name", "metric"}),
    (CONFUSION, {"problem", "model_version", "true_class", "said_class"}),
    (CLASS_CALIBRATION, {"problem", "partition_key", "model_version", "class_name"}),
    (FILLED_LABEL, {"problem", "partition_key", "item_id"}),
]


@pytest.mark.parametrize(("table", "grain"), GRAINS, ids=lambda value: getattr(value, "name", ""))
def test_a_row_is_told_from_others_by_its_grain(
    grain_of: Callable[[Table], set[str]], table: Table, grain: set[str]
) -> None:
    assert grain_of(table) == grain
