import numpy as np
import pytest

from include.experiments.assignment import HashRange
from include.experiments.outbox.choosing import choose_units

HALVES = [HashRange("old", 0.0, 0.5), HashRange("new", 0.5, 1.0)]


def choose(units, reasons=None, **changes):
    asked = {"salt": "june", "ranges": HALVES, "listed": {}, "idle": None, "held_variant": None} | changes
    texts = np.array(units, dtype=object)
    why = np.array(reasons or [None] * len(units), dtype=object)
    return choose_units(texts, why, **asked)


def test_each_row_has_one_reason_and_all_of_them_sum_to_the_rows():
    units = ["a", "b", "a", None, "", "x" * 1_025, "c", "d", "e"]
    found = choose(units, [None] * 8 + ["unit_not_eligible"], listed={"c": True, "d": False})
    assert found.places.tolist() == [0, 1]
    assert found.counts == {
        "listed": 3,
        "already_listed": 1,
        "unit_twice_in_audience": 1,
        "unit_missing": 2,
        "unit_too_long": 1,
        "unit_not_eligible": 1,
    }
    assert sum(found.counts.values()) == len(units)


def test_nobody_at_all_is_listed_of_an_empty_audience():
    found = choose([])
    assert (found.places.tolist(), found.variants.tolist(), found.counts) == ([], [], {})


def test_an_experiment_that_rests_lists_nobody_and_counts_each_row():
    found = choose(["a", "b", "b", "c"], idle="paused", listed={"c": True})
    counts = {"experiment_paused": 2, "unit_twice_in_audience": 1, "listed": 1}
    assert (found.places.tolist(), found.counts) == ([], counts)


def test_who_would_keep_the_control_is_held_back_only_where_there_is_a_holdback():
    units = [f"p{number}" for number in range(100)]
    all_of_them, found = choose(units), choose(units, held_variant="old")
    assert all_of_them.counts == {"listed": 100}
    n_old = int((all_of_them.variants == "old").sum())
    assert found.counts == {"listed": 100 - n_old, "unit_held_back": n_old}
    assert set(found.variants) == {"new"}


def test_a_place_in_no_range_is_counted_and_not_listed():
    found = choose([f"p{number}" for number in range(50)], ranges=[HashRange("new", 0.5, 1.0)])
    assert found.counts["unit_in_no_range"] + found.counts["listed"] == 50
    assert found.counts["unit_in_no_range"] > 10


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_the_order_of_rows_gives_nobody_another_variant(order):
    units = [f"p{number}" for number in range(40)][order]
    found = choose(units)
    assert dict(zip(units, found.variants, strict=True)) == dict(
        zip(sorted(units), choose(sorted(units)).variants, strict=True)
    )
