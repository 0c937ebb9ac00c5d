"""What a model is like is kept once for each version and question."""

from collections.abc import Callable

import pytest
from sqlalchemy import Table

from include.warehouse.tables.explaining import (
    FAIRNESS_METRIC,
    FEATURE_IMPORTANCE,
    FEATURE_RANGE,
    HELDOUT_BIN,
    KEYWORD_RULE,
    LOCAL_EXPLANATION,
    MODEL_NOTE,
    PARTIAL_DEPENDENCE,
    RULE_VERSION,
    SUSPECTED_LABEL,
    WEAK_SEGMENT,
)

GRAINS = [
    (FEATURE_IMPORTANCE, {"problem", "model_version", "method", "feature"}),
    (PARTIAL_DEPENDENCE, {"problem", "model_version", "feature", "position"}),
    (LOCAL_EXPLANATION, {"problem", "batch_id", "item_id", "rank"}),
    (HELDOUT_BIN, {"problem", "model_version", "bin_index"}),
    (FAIRNESS_METRIC, {"problem", "model_version", "group_name", "group_value", "metric"}),
    (WEAK_SEGMENT, {"problem", "model_version", "feature", "segment"}),
    (SUSPECTED_LABEL, {"problem", "model_version", "item_id"}),
    (FEATURE_RANGE, {"problem", "model_version", "feature"}),
    (MODEL_NOTE, {"problem", "model_version", "topic"}),
    (RULE_VERSION, {"problem", "rule_version"}),
    (KEYWORD_RULE, {"problem", "rule_version", "keyword"}),
]


@pytest.mark.parametrize(("table", "grain"), GRAINS, ids=lambda value: getattr(value, "name", ""))
def test_a_row_is_told_from_others_by_its_grain(
    grain_of: Callable[[Table], set[str]], table: Table, grain: set[str]
) -> None:
    assert grain_of(table) == grain
