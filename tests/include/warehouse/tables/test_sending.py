from collections.abc import Callable

import pytest
from sqlalchemy import Table

from include.warehouse.tables.sending import SEND_BATCH, SEND_COUNT, SEND_LIST

GRAINS = [
    (SEND_LIST, {"problem", "experiment", "unit"}),
    (SEND_BATCH, {"problem", "experiment", "batch"}),
    (SEND_COUNT, {"problem", "experiment", "log", "partition_key", "reason"}),
]


@pytest.mark.parametrize(("table", "grain"), GRAINS, ids=lambda value: getattr(value, "name", ""))
def test_a_row_is_told_from_others_by_its_grain(
    grain_of: Callable[[Table], set[str]], table: Table, grain: set[str]
) -> None:
    assert grain_of(table) == grain
