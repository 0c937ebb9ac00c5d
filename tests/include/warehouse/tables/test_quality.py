"""What became of a partition's rows is kept once, and its counts add up."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Table

from include.warehouse.tables.quality import DATA_DOCS, PARTITION_AUDIT, QUALITY_RESULT, REJECTED_RECORD, REPLAY

GRAINS = [
    (PARTITION_AUDIT, {"problem", "partition_key"}),
    (QUALITY_RESULT, {"problem", "partition_key", "check_index"}),
    (REJECTED_RECORD, {"problem", "partition_key", "reason"}),
    (REPLAY, {"problem", "partition_key", "run_id"}),
    (DATA_DOCS, {"problem", "partition_key"}),
]


@pytest.mark.parametrize(("table", "grain"), GRAINS, ids=lambda value: getattr(value, "name", ""))
def test_a_row_is_told_from_others_by_its_grain(
    grain_of: Callable[[Table], set[str]], table: Table, grain: set[str]
) -> None:
    assert grain_of(table) == grain


@pytest.mark.parametrize(
    ("counts", "is_taken"),
    [
        ({"n_in": 4, "n_published": 1, "n_quarantined": 2, "n_duplicate": 1}, True),
        ({"n_in": 5, "n_published": 1, "n_quarantined": 2, "n_duplicate": 1}, False),
        ({"n_in": 4, "n_refused": 4, "verdict": "refused"}, True),
        ({"n_in": 4, "n_withdrawn": 3, "n_published": 1}, True),
        ({"n_in": 4, "n_withdrawn": 3, "n_published": 4}, False),
        ({"n_in": 4, "n_refused": 4, "verdict": "published"}, False),
        ({"n_in": 4, "n_refused": 3, "n_published": 1, "verdict": "refused"}, False),
    ],
)
def test_counts_that_do_not_add_up_are_refused(put: Any, counts: dict[str, Any], is_taken: bool) -> None:
    assert put(PARTITION_AUDIT, **counts) is is_taken
