"""How far a partition came is kept once for each stage."""

from collections.abc import Callable

import pytest
from sqlalchemy import Table

from include.warehouse.tables.runs import COVERAGE, LOST_EVENT, RUN_STEP

GRAINS = [
    (COVERAGE, {"problem", "stage", "partition_key"}),
    (LOST_EVENT, {"problem", "stage", "partition_key"}),
    (RUN_STEP, {"problem", "stage", "step", "partition_key", "run_id"}),
]


@pytest.mark.parametrize(("table", "grain"), GRAINS, ids=lambda value: getattr(value, "name", ""))
def test_a_row_is_told_from_others_by_its_grain(
    grain_of: Callable[[Table], set[str]], table: Table, grain: set[str]
) -> None:
    assert grain_of(table) == grain
