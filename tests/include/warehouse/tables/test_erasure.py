"""An erased subject is known once for each key that hashed it."""

from collections.abc import Callable

import pytest
from sqlalchemy import Table

from include.warehouse.tables.erasure import ERASED_SUBJECT

GRAINS = [
    (ERASED_SUBJECT, {"problem", "subject_hash", "key_id"}),
]


@pytest.mark.parametrize(("table", "grain"), GRAINS, ids=lambda value: getattr(value, "name", ""))
def test_a_row_is_told_from_others_by_its_grain(
    grain_of: Callable[[Table], set[str]], table: Table, grain: set[str]
) -> None:
    assert grain_of(table) == grain
