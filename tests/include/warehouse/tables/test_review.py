"""What people were asked and said is kept once for each batch, item and person."""

from collections.abc import Callable

import pytest
from sqlalchemy import Table

from include.warehouse.tables.review import AGREEMENT, LABEL, LABEL_FILE, REVIEW_BATCH, REVIEW_ESTIMATE, REVIEW_ITEM

GRAINS = [
    (REVIEW_BATCH, {"problem", "batch_id"}),
    (REVIEW_ITEM, {"problem", "batch_id", "item_id"}),
    (LABEL, {"problem", "batch_id", "item_id", "labelled_by"}),
    (AGREEMENT, {"problem", "scope", "subject", "statistic"}),
    (REVIEW_ESTIMATE, {"problem", "batch_id", "quantity"}),
    (LABEL_FILE, {"problem", "object_key"}),
]


@pytest.mark.parametrize(("table", "grain"), GRAINS, ids=lambda value: getattr(value, "name", ""))
def test_a_row_is_told_from_others_by_its_grain(
    grain_of: Callable[[Table], set[str]], table: Table, grain: set[str]
) -> None:
    assert grain_of(table) == grain
