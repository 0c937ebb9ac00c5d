"""Curves are those of the distributions they are named after, and their area is what SciPy says."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from experiment_card.densities import Known, lay_out, read_known


@pytest.mark.parametrize(("n", "k"), [(1, 0), (40, 40), (3_000, 279), (1_000_000, 25)])
def test_a_rate_is_known_as_scipys_beta_says(n: int, k: int) -> None:
    other = stats.beta(1 + k, 1 + n - k)
    known = Known(other.mean(), *other.interval(0.95), n, k)
    assert known.deviation == pytest.approx(other.std())
    places = np.clip(other.mean() + np.linspace(-3, 3, 13) * other.std(), 1e-12, 1 - 1e-12)
    assert [known.height(x) for x in places] == pytest.approx(other.pdf(places), rel=1e-6)
    assert [known.height(x) for x in (0.0, 1.0)] == pytest.approx(other.pdf([0.0, 1.0]), rel=1e-6)
    assert (known.height(-0.5), known.height(1.5)) == (0.0, 0.0)


def test_a_mean_is_known_as_scipys_normal_says() -> None:
    other = stats.norm(12.5, 0.75)
    known = Known(12.5, *other.interval(0.95))
    places = np.linspace(10, 15, 11)
    assert [known.height(x) for x in places] == pytest.approx(other.pdf(places))


def test_all_curves_share_places_that_hold_each_of_them() -> None:
    few, many = Known(0.5, 0.35, 0.65, 40, 20), Known(0.1, 0.09, 0.11, 3_000, 300)
    places = lay_out([few, many])
    assert (places[0], places[-1]) == pytest.approx((0.1 - 4 * many.deviation, 0.5 + 4 * few.deviation))
    for one in (few, Known(1.0, 0.5, 1.5)):
        own = lay_out([one])
        assert np.trapezoid([one.height(x) for x in own], own) == pytest.approx(1.0, abs=2e-3)
    assert lay_out([]) == []


def test_what_no_version_of_ours_wrote_is_left_out() -> None:
    good: dict[str, Any] = {"n_mature": 10, "n_rewarded": 4, "mean_ratio": 0.4, "low": 0.2, "high": 0.7}
    bad = [good | {"n_rewarded": 11}, good | {"low": None}, good | {"mean_ratio": float("nan")}, "b", {}]
    assert set(read_known(dict(enumerate([good, *bad])), is_rate=True)) == {"0"}
    assert [read_known(document, is_rate=True) for document in (None, [], ["a"], 1)] == [{}] * 4


def test_a_metrics_mean_is_known_whatever_the_rewards_of_its_units() -> None:
    later: dict[str, Any] = {"n_mature": 300, "n_rewarded": 400, "mean_ratio": 2.0, "low": 1.5, "high": 2.5}
    assert read_known({"a": later}, is_rate=False) == {"a": Known(2.0, 1.5, 2.5)}
    assert read_known({"a": later}, is_rate=True) == {}


def test_a_metric_that_never_varied_has_no_curve() -> None:
    flat = {"n_mature": 10, "n_rewarded": 0, "mean_ratio": 0.0, "low": 0.0, "high": 0.0}
    assert read_known({"a": flat}, is_rate=False) == {}
    assert read_known({"a": flat}, is_rate=True)["a"].deviation > 0
