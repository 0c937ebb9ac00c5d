import numpy as np
import pandas as pd
import pytest

from include.learning import gating, metrics
from include.problems.sections.learning import Protected

ZEROS = np.zeros(400)


def make_weights(n_rows: int = 400) -> np.ndarray:
    return metrics.draw_weights(n_rows, 200, np.random.default_rng(1))


def make_profit(mean: float, spread: float = 1.0) -> np.ndarray:
    noise = np.random.default_rng(2).normal(size=400)
    return mean + spread * (noise - noise.mean())


def test_a_clear_gain_passes_and_says_its_numbers():
    check = gating.check_earns_more("dummy", make_profit(1.0), ZEROS, make_weights(), "cents")
    assert check.is_pass
    assert check.check_name == "earns_more_than_dummy"
    assert "earns 1.000 cents a row, dummy 0.000: +1.000" in check.detail


def test_a_gain_that_may_be_luck_does_not_pass():
    check = gating.check_earns_more("dummy", make_profit(0.05), ZEROS, make_weights(), "cents")
    assert not check.is_pass
    assert check.value is not None
    assert check.value < 0 == check.bound


def test_earning_the_same_on_every_row_is_not_more():
    assert not gating.check_earns_more("dummy", ZEROS, ZEROS, make_weights(), "cents").is_pass


def test_beside_a_champion_the_mean_over_a_baseline_decides_and_its_interval_is_shown():
    profit, weights = make_profit(0.05), make_weights()
    first = gating.check_earns_more("dummy", profit, ZEROS, weights, "cents")
    later = gating.check_earns_more("dummy", profit, ZEROS, weights, "cents", is_first=False)
    assert (first.is_pass, later.is_pass) == (False, True)
    assert later.value == pytest.approx(0.05)
    assert "95 % interval -0.0" in later.detail
    assert not gating.check_earns_more("dummy", make_profit(-0.01), ZEROS, weights, "cents", is_first=False).is_pass


def test_a_champion_gives_way_to_who_earns_more_and_to_nobody_else():
    weights = make_weights()
    for mean, is_pass in ((0.05, True), (-0.05, False), (-1.0, False)):
        check = gating.check_earns_more_than_champion(make_profit(mean), ZEROS, weights, "cents", "v1", -1.0)
        assert check.is_pass is is_pass
        assert "v1" in check.detail


def test_where_both_earn_the_same_the_less_surprised_one_serves():
    for surprise, is_pass in ((-0.01, True), (0.0, False), (0.01, False)):
        check = gating.check_earns_more_than_champion(ZEROS, ZEROS, make_weights(), "cents", "v1", surprise)
        assert check.is_pass is is_pass


def test_swapping_model_and_champion_mirrors_the_difference():
    weights, profit = make_weights(), make_profit(0.3)
    ours = gating.check_earns_more_than_champion(profit, ZEROS, weights, "cents", "v1", 0.0)
    theirs = gating.check_earns_more("v1", ZEROS, profit, weights, "cents", is_first=False)
    assert ours.value == pytest.approx(-(theirs.value or 0))


def test_without_a_champion_the_sentence_says_why():
    assert "No model serves yet" in gating.check_without_champion().detail
    assert gating.check_without_champion().is_pass


def make_outcomes(shift: float, n_rows: int = 5_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    p = rng.uniform(0.2, 0.7, n_rows)
    return rng.random(n_rows) < p + shift, p


def test_calibrated_probabilities_pass_and_shifted_ones_do_not():
    for shift, is_pass in ((0.0, True), (0.1, False), (-0.1, False)):
        check = gating.check_calibrated(*make_outcomes(shift), 0.05, np.random.default_rng(0))
        assert check.is_pass is is_pass


def test_the_bound_decides():
    assert gating.check_calibrated(*make_outcomes(0.1), 0.15, np.random.default_rng(0)).is_pass


def test_few_rows_are_not_blamed_for_chance():
    happened, p = make_outcomes(0.0, n_rows=60)
    assert metrics.ece(happened, p, metrics.ones(60))[0] > 0.05
    assert gating.check_calibrated(happened, p, 0.05, np.random.default_rng(0)).is_pass


def test_less_off_than_the_champion_is_good_enough_and_more_off_than_the_tolerance_is_not():
    outcomes = make_outcomes(0.1)  # 0.092 off
    for champion_excess, tolerance, is_pass in ((0.2, 0.0, True), (0.06, 0.0, False), (0.06, 0.04, True)):
        check = gating.check_calibrated(*outcomes, 0.05, np.random.default_rng(0), champion_excess, tolerance)
        assert check.is_pass is is_pass
    assert not gating.check_calibrated(*outcomes, 0.5, np.random.default_rng(0), champion_excess=0.01).is_pass


FRAME = pd.DataFrame({"rain": [0.0, 1.0, 2.0, 3.0], "hour": [1.0, 2.0, 3.0, 4.0]})


def predict(frame: pd.DataFrame) -> np.ndarray:
    return 0.1 + 0.1 * frame["rain"].to_numpy() - 0.01 * frame["hour"].to_numpy()


def test_directions_that_hold_pass_and_the_mirror_fails_with_its_step():
    check = gating.check_directions(predict, FRAME, {"rain": 1, "hour": -1})
    assert (check.is_pass, check.value) == (True, 0.0)
    assert "a grid of 1,000 points for each feature: 0 of 7,992 steps go against them." in check.detail
    check = gating.check_directions(predict, FRAME, {"rain": 1, "hour": 1})
    assert not check.is_pass
    assert "3,996 of 7,992 steps go against them, by 0.0000 at most, for hour" in check.detail
    assert check.value == pytest.approx(0.01 * 3 / 999)


def test_one_wrong_step_in_a_thousand_is_found_though_quantiles_would_step_over_it():
    def dented(frame: pd.DataFrame) -> np.ndarray:
        rain = frame["rain"].to_numpy()
        return predict(frame) - 0.05 * ((rain > 1.500) & (rain < 1.505))

    assert gating.steps_against(predict, FRAME, "rain", 1).tolist() == []
    assert gating.steps_against(dented, FRAME, "rain", 1).tolist() == pytest.approx([0.05] * 4, abs=0.001)  # one a row


RULE = Protected(column="line", tolerance=0.5, minimum_rows=3)
LINES = pd.Series(["red"] * 4 + ["blue"] * 4 + [None] * 2)


def test_one_group_that_pays_for_the_others_is_named_and_a_small_one_decides_nothing():
    profit = np.array([1.0] * 4 + [-0.6] * 4 + [-9.0] * 2)
    checks = gating.check_segments(LINES, profit, np.zeros(10), make_weights(10), RULE, "cents", "the champion v1")
    assert [(check.check_name, check.is_pass) for check in checks] == [
        ("protects_line_blue", False),
        ("protects_line_missing", True),
        ("protects_line_red", True),
    ]
    assert (checks[0].value, checks[0].bound) == (pytest.approx(-0.6), -0.5)
    assert "line blue: -0.600 cents a row against the champion v1" in checks[0].detail
    assert "decides nothing" in checks[1].detail


def test_the_tolerance_and_the_number_of_rows_are_the_problems():
    profit = np.array([1.0] * 4 + [-0.6] * 4 + [-9.0] * 2)
    for changed, failed in (({"tolerance": 0.7}, set()), ({"minimum_rows": 2}, {"blue", "missing"})):
        rule = RULE.model_copy(update=changed)
        checks = gating.check_segments(LINES, profit, np.zeros(10), make_weights(10), rule, "cents", "dummy")
        assert {check.check_name.rpartition("_")[2] for check in checks if not check.is_pass} == failed


def test_a_feature_that_ranks_nearly_all_rows_gives_the_label_away():
    assert gating.check_leaks({"a": 0.7, "b": 0.97}, 0.98).is_pass
    check = gating.check_leaks({"a": 0.7, "b": 0.981}, 0.98)
    assert not check.is_pass
    assert "b ranks best all by itself: AUC 0.981" in check.detail
    assert gating.check_leaks({}, 0.98).is_pass


def test_a_feature_without_values_or_with_one_value_breaks_nothing():
    assert len(gating.steps_against(predict, FRAME.assign(rain=np.nan), "rain", 1)) == 0
    assert len(gating.steps_against(predict, FRAME.assign(rain=1.0), "rain", -1)) == 0


def test_the_reason_names_the_first_failed_check():
    good = gating.Check("a", True, 1.0, 0.0, "Fine.")
    bad = gating.Check("b", False, -1.0, 0.0, "Poor.")
    assert gating.reason_of([good, bad]) == "1 of 2 checks failed; first b: Poor."
    assert gating.reason_of([good]) == "All 1 checks passed. Fine."
