from datetime import timedelta

import numpy as np
import pytest

from include.experiments.metrics.log import sum_log
from include.experiments.metrics.values import measures_of
from include.stats.ratio_sums import RatioSums
from tests.include.experiments.factories import START, invited, make_design
from tests.include.experiments.metrics.factories import HITS, make_log, make_measure, make_metric, paid

LATER = START + timedelta(days=30)
PEOPLE = [invited("a", 1, "large"), invited("b", 2, "large"), invited("c", 3, "none")]


def measure(*rows, metric=None, as_of=LATER, **design):
    [found] = sum_log(make_log(*PEOPLE, *rows), make_design(**design), [metric or make_metric()], as_of=as_of)
    return found


def test_money_inside_the_window_counts_and_no_other():
    rows = [paid("a", 0.5, 7), paid("a", 1, 1.5), paid("a", 48.9, 2.25), paid("a", 49, 100), paid("nobody", 5, 9)]
    found = measure(*rows)
    assert found["large"].sums == RatioSums(2, 3.75, 2, 3.75**2, 2, 3.75)
    assert (found["none"].n_mature, found["none"].sums.sum_y) == (1, 0)


def test_back_on_day_seven_is_neither_day_six_nor_day_eight():
    day = make_measure(value=None, is_binary=True, start=timedelta(days=7), end=timedelta(days=8))
    metric = make_metric(kind="binary", numerator=day)
    rows = [
        paid("a", 1 + 7 * 24 - 0.1, 1),
        paid("b", 2 + 7 * 24, 1),
        paid("b", 3 + 7 * 24, 1),
        paid("c", 3 + 8 * 24, 1),
    ]
    found = measure(*rows, metric=metric)
    assert (found["large"].sums.sum_y, found["none"].sums.sum_y) == (1, 0)


def test_a_unit_whose_time_is_not_up_counts_nowhere():
    found = measure(paid("a", 2, 5), as_of=START + timedelta(hours=49, minutes=30))
    assert (found["large"].n_mature, found["large"].sums.sum_y, found["none"].sums) == (
        1,
        5,
        RatioSums(0, 0, 0, 0, 0, 0),
    )


def test_rows_without_a_number_count_as_nothing_and_are_told():
    rows = [paid("a", 2, value) for value in (None, float("nan"), float("inf"), 1e11, 4)]
    found = measure(*rows)["large"]
    assert (found.sums.sum_y, found.n_unread) == (4, 4)


def test_a_cap_cuts_the_unit_and_not_the_row():
    metric = make_metric(numerator=make_measure(cap=5))
    assert measure(paid("a", 2, 3), paid("a", 3, 3), paid("b", 3, 4), metric=metric)["large"].sums.sum_y == 9


def test_a_quantile_is_that_of_all_units_whatever_their_variant():
    metric = make_metric(numerator=make_measure(quantile=0.75))
    found = measure(paid("a", 2, 100), paid("b", 3, 10), paid("c", 4, 40), metric=metric)
    assert (found["large"].sums.sum_y, found["none"].sums.sum_y) == (80, 40)  # 70 lies between 40 and 100


def test_a_ratio_sums_what_it_is_measured_by():
    metric = make_metric(kind="ratio", denominator=make_measure(value=None))
    found = measure(paid("a", 2, 3), paid("a", 3, 3), paid("b", 3, 4), metric=metric)["large"]
    assert found.sums == RatioSums(2, 10, 3, 36 + 16, 4 + 1, 12 + 4)


def test_clusters_are_drawn_and_units_are_counted():
    rows = [paid("a", 2, 3), paid("b", 3, 4)]
    found = measure(*rows, cluster="variant")["large"]
    assert (found.n_mature, found.sums) == (2, RatioSums(1, 7, 2, 49, 4, 14))


def test_units_of_two_variants_and_of_the_rest_are_left_out():
    found = measure(invited("a", 4, "none"), invited("late", 97, "large"), paid("a", 5, 9), paid("late", 98, 9))
    assert (found["large"].n_mature, found["large"].sums.sum_y, found["none"].sums.sum_y) == (1, 0, 0)


def test_sums_are_the_same_in_whatever_order_rows_come():
    rng = np.random.default_rng(5)
    rows = [paid("abc"[i % 3], 4 + i / 100, x) for i, x in enumerate(10.0 ** rng.uniform(-3, 9, 300))]
    first = measure(*rows)
    rng.shuffle(rows)
    assert measure(*rows) == first


def test_what_two_metrics_add_up_is_added_up_once():
    ratio = make_metric(kind="ratio", denominator=HITS)
    assert measures_of([make_metric(), ratio]) == [make_measure(), HITS]


@pytest.mark.parametrize("metric", [make_metric(), make_metric(kind="binary", numerator=HITS)])
def test_a_log_without_any_event_of_it_is_all_zeros(metric):
    found = measure(metric=metric)
    assert {name: (one.n_mature, one.sums.sum_y) for name, one in found.items()} == {"large": (2, 0), "none": (1, 0)}
