"""A model of a quantity has one set of figures for each partition that it scored."""

from collections.abc import Callable

from sqlalchemy import Table

from include.warehouse.tables.quantities import QUANTITY_QUALITY


def test_a_row_is_told_from_others_by_partition_and_model(grain_of: Callable[[Table], set[str]]) -> None:
    assert grain_of(QUANTITY_QUALITY) == {"problem", "partition_key", "model_version"}
