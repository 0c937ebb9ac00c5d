import pytest


@pytest.mark.parametrize(
    ("n_effective", "low", "high", "is_supported"),
    [(100.0, 0.9, 1.1, True), (99.9, 0.9, 1.1, False), (300.0, 1.01, 1.2, False), (300.0, 0.7, 0.99, False)],
)
def test_an_estimate_is_supported_by_enough_units_and_true_propensities(
    fill, read, n_effective, low, high, is_supported
):
    weights = {"n_effective_units": n_effective, "low_mean_weight": low, "high_mean_weight": high}
    fill("off_policy_estimate", {"policy": "large", "n_units": 400} | weights)
    columns = ("policy", "n_effective_ratio", "is_supported")
    assert read("off_policy_estimate", *columns) == [("large", n_effective / 400, is_supported)]
