from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy.stats import ttest_ind

from include.experiments.metrics.comparison import compare_metric
from include.experiments.metrics.log import read_metric_sums, sum_log
from include.stats.ratio_sums import RatioSums
from tests.include.experiments.conftest import PROBLEM
from tests.include.experiments.factories import START, came, invited, make_design
from tests.include.experiments.metrics.factories import HITS, make_log, make_measure, make_metric, paid


def test_partitions_that_are_not_asked_say_nothing(outreach):
    outreach.publish(invited("a", 1, "large"), invited("b", 2), came("a", 25))
    metric, as_of = make_metric(kind="binary", numerator=HITS), START + timedelta(days=9)
    for days, hits in ((["2004-11-01"], 0), (["2004-11-01", "2004-11-02"], 1)):
        [found] = read_metric_sums(PROBLEM, days, make_design(), [metric], as_of=as_of)
        assert (found["large"].sums.sum_y, found["none"].sums.sum_y, found["none"].n_mature) == (hits, 0, 1)


BEFORE = make_measure(start=-timedelta(days=3), end=timedelta(0))


def test_what_counts_before_is_what_came_in_time_before_the_exposure(mulgil_home):
    rows = [paid("a", -73, 1000.0), paid("a", -72, 1.0), paid("a", -1, 2.0), paid("a", 0, 500.0), paid("a", 1, 7.0)]
    log = make_log(*rows, invited("a", 0), invited("b", 0), paid("c", -1, 9.0))
    [found] = sum_log(log, make_design(), [make_metric()], as_of=START + timedelta(days=9), covariate=BEFORE)
    assert found["none"].beside == RatioSums(2, 507.0, 3.0, 507.0**2, 9.0, 3.0 * 507.0)
    assert (found["none"].sums.sum_y, found["none"].n_mature, found["large"].beside.n) == (507.0, 2, 0)


def test_rows_of_a_covariate_without_a_number_are_told(mulgil_home):
    log = make_log(paid("a", -1, None), paid("a", -2, 3.0), invited("a", 0), paid("a", 1, None), invited("b", 0))
    for covariate, n_unread in ((None, 1), (BEFORE, 2)):
        [found] = sum_log(log, make_design(), [make_metric()], as_of=START + timedelta(days=9), covariate=covariate)
        assert (found["none"].n_unread, found["large"].n_unread) == (n_unread, 0)


def test_a_covariate_changes_no_sum_of_a_metric_and_ratios_have_none(mulgil_home):
    rng, rows = np.random.default_rng(4), []
    for unit in (f"u{number}" for number in range(60)):
        rows += [invited(unit, 1), paid(unit, -float(rng.integers(1, 90)), 5.0), paid(unit, 2, float(rng.integers(9)))]
    ratio = make_metric(kind="ratio", denominator=HITS)
    metrics, as_of = [make_metric(), ratio, make_metric(kind="binary", numerator=HITS)], START + timedelta(days=9)
    plain = sum_log(make_log(*rows), make_design(), metrics, as_of=as_of)
    found = sum_log(make_log(*rows), make_design(), metrics, as_of=as_of, covariate=BEFORE)
    assert [{name: replace(one, beside=None) for name, one in part.items()} for part in found] == plain
    assert [part["none"].beside is None for part in found] == [False, True, False]
    assert found[2]["none"].beside.sum_m == found[0]["none"].beside.sum_m > 0


def test_sums_of_the_engine_adjust_as_the_rows_do(mulgil_home):
    rng, rows, y, x, arm = np.random.default_rng(8), [], [], [], []
    for number in range(200):
        variant, before = ("none", "large")[number % 2], float(rng.integers(0, 50))
        after = before + float(rng.integers(0, 20)) + 3 * (number % 2)
        unit = f"u{number}"
        rows += [invited(unit, 1, variant), paid(unit, -5, before), paid(unit, 2, after)]
        y, x, arm = [*y, after], [*x, before], [*arm, number % 2]
    [sums] = sum_log(make_log(*rows), make_design(), [make_metric()], as_of=START + timedelta(days=9), covariate=BEFORE)
    seen = compare_metric(make_metric(), sums, "none", 0.95, has_covariate=True)["large"].adjustment
    design = np.column_stack([np.ones(200), arm, x])
    _, lift, weight = np.linalg.lstsq(design, np.array(y), rcond=None)[0]
    left = np.array(y) - weight * np.array(x)
    ends = ttest_ind(left[1::2], left[::2], equal_var=False).confidence_interval(0.95)
    assert (seen.weight, seen.lift) == (pytest.approx(weight, rel=1e-6), pytest.approx(lift, rel=1e-6))
    assert (seen.low, seen.high) == pytest.approx(tuple(ends), rel=1e-6)
