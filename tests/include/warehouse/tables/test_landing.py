"""What landed is kept once for each object, and once for each partition that the object has rows of."""

from collections.abc import Callable

import pytest
from sqlalchemy import Table

from include.warehouse.tables.landing import LANDING_OBJECT, LANDING_PARTITION

GRAINS = [
    (LANDING_OBJECT, {"problem", "object_key"}),
    (LANDING_PARTITION, {"problem", "partition_key", "object_key"}),
]


@pytest.mark.parametrize(("table", "grain"), GRAINS, ids=lambda value: getattr(value, "name", ""))
def test_a_row_is_told_from_others_by_its_grain(
    grain_of: Callable[[Table], set[str]], table: Table, grain: set[str]
) -> None:
    assert grain_of(table) == grain
