import numpy as np
import pandas as pd
import pytest

from include.learning.evaluation import gate_checks
from include.problems.sections.learning import Gate, Protected
from include.stats.bootstrap import Resamples, draw_blocks
from include.stats.reliability import calibration_error, sum_equal_count

ZEROS = np.zeros(400)
GATE = Gate()


def resample(n_rows: int = 400, n_blocks: int | None = None) -> Resamples:
    return draw_blocks(np.arange(n_rows) % (n_blocks or n_rows), np.random.default_rng(1))


def make_profit(mean: float, spread: float = 1.0) -> np.ndarray:
    noise = np.random.default_rng(2).normal(size=400)
    return mean + spread * (noise - noise.mean())


def against_champion(profit: np.ndarray, surprise: float | np.ndarray = 0.0, **rule: float) -> gate_checks.Check:
    surprise = surprise if isinstance(surprise, np.ndarray) else np.full(len(profit), surprise)
    return gate_checks.check_earns_more_than_champion(
        profit, np.zeros(len(profit)), resample(len(profit)), "cents", "v1", surprise, Gate.model_validate(rule)
    )


def test_a_clear_gain_passes_and_says_its_numbers():
    check = gate_checks.check_earns_more("dummy", make_profit(1.0), ZEROS, resample(), "cents")
    assert check.is_pass
    assert check.check_name == "earns_more_than_dummy"
    assert "earns 1.000 cents a row, dummy 0.000: +1.000" in check.detail
    assert "400 rows, 2,000 resamples of 400 blocks" in check.detail


def test_a_gain_that_may_be_luck_does_not_pass():
    check = gate_checks.check_earns_more("dummy", make_profit(0.05), ZEROS, resample(), "cents")
    assert not check.is_pass
    assert check.value is not None
    assert check.value < 0 == check.bound


def test_earning_the_same_on_every_row_is_not_more():
    assert not gate_checks.check_earns_more("dummy", ZEROS, ZEROS, resample(), "cents").is_pass


def test_rows_of_a_single_block_prove_nothing_however_many_they_are():
    first = gate_checks.check_earns_more("dummy", make_profit(9.0), ZEROS, resample(n_blocks=1), "cents")
    assert (first.is_pass, first.value) == (False, None)
    assert "no interval, 400 rows from 1 block: nobody can say" in first.detail


def earns_by_luck(n_blocks: int, rng: np.random.Generator) -> bool:
    """Say whether a model that earns nothing passes, where the rows of a day share most of what happens to them."""
    blocks = np.repeat(np.arange(n_blocks), 60)
    profit = rng.normal(size=n_blocks)[blocks] + rng.normal(size=len(blocks))
    return gate_checks.check_earns_more("rule", profit, np.zeros(len(blocks)), draw_blocks(blocks, rng), "won").is_pass


@pytest.mark.parametrize("n_blocks", [3, 6, 9, 15, 28])
def test_a_model_that_earns_nothing_passes_by_luck_about_as_often_as_stated(n_blocks: int):
    rng = np.random.default_rng(n_blocks)
    lucky = sum(earns_by_luck(n_blocks, rng) for _ in range(400))
    assert lucky <= 21  # stated are 2.5 of 100; 21 or more of 400 have a chance below one in a hundred


def test_beside_a_champion_the_mean_over_a_baseline_decides_and_its_interval_is_shown():
    profit, resamples = make_profit(0.05), resample()
    first = gate_checks.check_earns_more("dummy", profit, ZEROS, resamples, "cents")
    later = gate_checks.check_earns_more("dummy", profit, ZEROS, resamples, "cents", is_first=False)
    assert (first.is_pass, later.is_pass) == (False, True)
    assert later.value == pytest.approx(0.05)
    assert "95 % interval -0.0" in later.detail
    assert not gate_checks.check_earns_more(
        "dummy", make_profit(-0.01), ZEROS, resamples, "cents", is_first=False
    ).is_pass


def test_a_champion_gives_way_to_who_surely_earns_more_and_to_nobody_else():
    for mean, is_pass in ((0.2, True), (0.05, False), (0.0, False), (-1.0, False)):
        check = against_champion(make_profit(mean))
        assert check.is_pass is is_pass
        assert "v1" in check.detail
    assert "One is 83.8 of 100 sure" in against_champion(make_profit(0.05)).detail


def test_an_equal_model_replaces_the_champion_as_seldom_as_the_file_says():
    rng = np.random.default_rng(5)
    for sure_from, most in ((0.9, 58), (0.99, 12)):
        n_promoted = 0
        for _ in range(400):
            profit = rng.normal(size=60)
            n_promoted += gate_checks.check_earns_more_than_champion(
                profit, np.zeros(60), draw_blocks(np.arange(60), rng, 500), "cents", "v1", ZEROS[:60],
                GATE.model_copy(update={"sure_from": sure_from}),
            ).is_pass  # fmt: skip
        assert n_promoted <= most  # of 400 are 40 and 4 stated


def test_what_changing_costs_must_be_earned_on_top():
    profit = make_profit(0.2)
    assert against_champion(profit).is_pass
    check = against_champion(profit, switching_cost=0.19)
    assert not check.is_pass
    assert "earning 0.19 cents a row more, which is what changing costs; 90 of 100 are needed" in check.detail


def test_where_both_act_alike_the_surely_less_surprised_one_serves_unless_changing_costs():
    noise = make_profit(0.0, 0.1)
    for surprise, is_pass in ((noise + 0.05, True), (noise + 0.001, False), (0.0, False), (noise - 0.05, False)):
        assert against_champion(ZEROS, surprise).is_pass is is_pass
    assert not against_champion(ZEROS, noise + 0.05, switching_cost=0.01).is_pass


def test_swapping_model_and_champion_mirrors_the_certainty():
    ours, theirs = against_champion(make_profit(0.05)), against_champion(-make_profit(0.05))
    assert ours.value == pytest.approx(1 - theirs.value, abs=0.02)


def test_without_a_champion_the_sentence_says_why():
    assert "No model serves yet" in gate_checks.check_without_champion().detail
    assert gate_checks.check_without_champion().is_pass


def test_what_rounds_to_nothing_has_no_sign():
    assert [gate_checks.say_number(value) for value in (-0.0, -1e-9, 0.0, 0.0004, -0.5, 2.0)] == [
        *["0.000"] * 4,
        "-0.500",
        "+2.000",
    ]
    checks = gate_checks.check_segments(
        pd.Series(["a"] * 400), ZEROS, ZEROS, resample(), Protected(column="x"), "won", "v1", np.random.default_rng(0)
    )
    assert str(checks[0].bound) == "0.0"
    assert "-0.0" not in checks[0].detail


def make_outcomes(shift: float, n_rows: int = 5_000, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.2, 0.7, n_rows)
    return rng.random(n_rows) < p + shift, p


def test_calibrated_probabilities_pass_and_shifted_ones_do_not():
    for shift, is_pass in ((0.0, True), (0.1, False), (-0.1, False)):
        assert gate_checks.check_calibrated(*make_outcomes(shift), 0.05).is_pass is is_pass


def test_the_bound_decides():
    assert gate_checks.check_calibrated(*make_outcomes(0.1), 0.15).is_pass


def test_on_few_rows_an_error_is_seen_as_large_as_it_is():
    off = [gate_checks.check_calibrated(*make_outcomes(0.1, 300, seed), 0.05) for seed in range(100)]
    assert np.mean([check.value for check in off]) == pytest.approx(0.1, abs=0.01)
    assert sum(check.is_pass for check in off) <= 10
    fine = [gate_checks.check_calibrated(*make_outcomes(0.0, 300, seed), 0.05) for seed in range(100)]
    assert sum(check.is_pass for check in fine) >= 78  # chance may still look like 0.05 where rows are 300


def test_less_off_than_the_champion_passes_and_beyond_the_tolerance_fails():
    outcomes = make_outcomes(0.1)
    for champion_shift, tolerance, is_pass in ((0.2, 0.0, True), (0.05, 0.0, False), (0.07, 0.05, True)):
        champion = calibration_error(sum_equal_count(*make_outcomes(champion_shift)))
        check = gate_checks.check_calibrated(*outcomes, 0.05, champion, tolerance)
        assert check.is_pass is is_pass


FRAME = pd.DataFrame({"rain": [0.0, 1.0, 2.0, 3.0], "hour": [1.0, 2.0, 3.0, 4.0]})


def predict(frame: pd.DataFrame) -> np.ndarray:
    return 0.1 + 0.1 * frame["rain"].to_numpy() - 0.01 * frame["hour"].to_numpy()


def test_directions_that_hold_pass_and_the_mirror_fails_with_its_step():
    check = gate_checks.check_directions(predict, FRAME, {"rain": 1, "hour": -1})
    assert (check.is_pass, check.value) == (True, 0.0)
    assert "a grid of 1,000 points for each feature: 0 of 7,992 steps go against them." in check.detail
    check = gate_checks.check_directions(predict, FRAME, {"rain": 1, "hour": 1})
    assert not check.is_pass
    assert "3,996 of 7,992 steps go against them, by 0.0000 at most, for hour" in check.detail
    assert check.value == pytest.approx(0.01 * 3 / 999)


def test_one_wrong_step_in_a_thousand_is_found_though_quantiles_would_step_over_it():
    def dented(frame: pd.DataFrame) -> np.ndarray:
        rain = frame["rain"].to_numpy()
        return predict(frame) - 0.05 * ((rain > 1.500) & (rain < 1.505))

    assert gate_checks.steps_against(predict, FRAME, "rain", 1).tolist() == []
    assert gate_checks.steps_against(dented, FRAME, "rain", 1).tolist() == pytest.approx(
        [0.05] * 4, abs=0.001
    )  # one a row


RULE = Protected(column="line", tolerance=0.5, minimum_rows=3)
LINES = pd.Series(["red"] * 40 + ["blue"] * 40 + [None] * 2)


def check_lines(profit: np.ndarray, **changed: float) -> dict[str, gate_checks.Check]:
    rule, rng = RULE.model_copy(update=changed), np.random.default_rng(0)
    checks = gate_checks.check_segments(
        LINES, profit, np.zeros(82), resample(82), rule, "cents", "the champion v1", rng
    )
    assert [check.check_name for check in checks] == [f"protects_line_{name}" for name in ("blue", "missing", "red")]
    return {check.check_name.rpartition("_")[2]: check for check in checks}


def line_profit(red: float, blue: float) -> np.ndarray:
    noise = np.tile([-0.5, 0.5], 20)
    return np.concatenate([red + noise, blue + noise, [-9.0, -9.0]])


def test_a_group_that_pays_for_others_is_named_a_small_one_ignored():
    checks = check_lines(line_profit(1.0, -0.6))
    assert {name: check.is_pass for name, check in checks.items()} == {"blue": False, "missing": True, "red": True}
    assert (checks["blue"].value, checks["blue"].bound) == (pytest.approx(-0.6), -0.5)
    assert "line blue: -0.600 cents a row against the champion v1" in checks["blue"].detail
    assert "decides nothing" in checks["missing"].detail


def test_the_margin_and_the_number_of_rows_are_the_problems():
    profit = line_profit(1.0, -0.6)
    for changed, failed in (({"tolerance": 0.9}, set()), ({"minimum_rows": 2}, {"blue", "missing"})):
        assert {name for name, check in check_lines(profit, **changed).items() if not check.is_pass} == failed


def test_a_margin_must_be_shown_and_without_one_a_loss_must_be():
    nearly_equal = line_profit(0.0, -0.05)
    assert all(check.is_pass for check in check_lines(nearly_equal).values())
    assert not check_lines(nearly_equal, tolerance=0.06)["blue"].is_pass
    assert check_lines(nearly_equal, tolerance=0.0)["blue"].is_pass
    assert not check_lines(line_profit(0.0, -0.4), tolerance=0.0)["blue"].is_pass


def n_refused(effect: np.ndarray, tolerance: float, n_runs: int = 200) -> int:
    """Count how often a model is refused that changes the profit of each of twenty groups of 100 rows by so much."""
    rng = np.random.default_rng(11)
    groups = np.repeat([f"g{number:02d}" for number in range(20)], 100)
    rule, refused = Protected(column="g", tolerance=tolerance), 0
    for _ in range(n_runs):
        profit = np.repeat(effect, 100) + rng.normal(size=2_000)
        resamples = Resamples(np.arange(2_000), np.empty((0, 2_000)), is_drawn=False)
        checks = gate_checks.check_segments(
            pd.Series(groups), profit, np.zeros(2_000), resamples, rule, "cents", "v1", rng
        )
        refused += not all(check.is_pass for check in checks)
    return refused


@pytest.fixture
def _few_resamples(monkeypatch):
    monkeypatch.setattr(gate_checks, "draw_blocks", lambda block, rng: draw_blocks(block, rng, 400))


@pytest.mark.usefixtures("_few_resamples")
def test_a_better_model_passes_twenty_groups_one_that_robs_one_fails():
    better = np.full(20, 0.075)
    assert n_refused(better, 0.0, 40) <= 6
    assert n_refused(better, 0.45, 20) <= 3
    robbed = better.copy()
    robbed[7] = -0.6
    assert n_refused(robbed, 0.0, 10) >= 9
    assert n_refused(robbed, 0.45, 10) >= 9


def test_a_feature_that_ranks_nearly_all_rows_gives_the_label_away():
    assert gate_checks.check_leaks({"a": 0.7, "b": 0.97}, 0.98).is_pass
    check = gate_checks.check_leaks({"a": 0.7, "b": 0.981}, 0.98)
    assert not check.is_pass
    assert "b ranks best all by itself: AUC 0.981" in check.detail
    assert gate_checks.check_leaks({}, 0.98).is_pass


def test_a_feature_without_values_or_with_one_value_breaks_nothing():
    assert len(gate_checks.steps_against(predict, FRAME.assign(rain=np.nan), "rain", 1)) == 0
    assert len(gate_checks.steps_against(predict, FRAME.assign(rain=1.0), "rain", -1)) == 0


def test_the_reason_names_the_first_failed_check():
    good = gate_checks.Check("a", True, 1.0, 0.0, "Fine.")
    bad = gate_checks.Check("b", False, -1.0, 0.0, "Poor.")
    assert gate_checks.reason_of([good, bad]) == "1 of 2 checks failed; first b: Poor."
    assert gate_checks.reason_of([good]) == "All 1 checks passed. Fine."
