import numpy as np
import pytest
from scipy.stats import beta

from include.errors import BadExperiment
from include.experiments.allocation.draws import (
    best_probabilities,
    draw_means,
    draw_rates,
    expected_loss,
    mean_rates,
    mirror_rewards,
    pooled_rate_prior,
)
from include.experiments.posteriors import summarise_variants

SUCCESSES, TRIALS = np.array([20.0, 25.0, 31.0]), np.array([300.0, 310.0, 305.0])


def test_each_arm_is_drawn_from_its_beta_posterior():
    draws = draw_rates(SUCCESSES, TRIALS, np.random.default_rng(1), 200_000)
    a, b = pooled_rate_prior(SUCCESSES, TRIALS)
    truth = beta(a + SUCCESSES, b + TRIALS - SUCCESSES)
    assert draws.mean(axis=0) == pytest.approx(truth.mean(), abs=2e-4)
    assert np.quantile(draws, 0.9, axis=0) == pytest.approx(truth.ppf(0.9), abs=5e-4)
    assert mean_rates(SUCCESSES, TRIALS) == pytest.approx(truth.mean())


def test_chances_of_being_best_agree_with_the_integral():
    # Half of all succeed, so that the pooled prior is the uniform one of the integral.
    successes, trials = np.array([140, 150, 160]), np.array([300, 300, 300])
    exact = [arm.best_probability for arm in summarise_variants(trials, successes)]
    draws = draw_rates(successes * 1.0, trials * 1.0, np.random.default_rng(0), 200_000)
    assert best_probabilities(draws) == pytest.approx(exact, abs=0.005)


def test_seed_zero_is_a_seed():
    first, again, other = (draw_rates(SUCCESSES, TRIALS, np.random.default_rng(seed), 50) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_lower_is_better_mirrors_every_chance_exactly():
    wanted = mirror_rewards(TRIALS - SUCCESSES, TRIALS, is_lower_better=True)
    assert wanted.tolist() == mirror_rewards(SUCCESSES, TRIALS, is_lower_better=False).tolist()
    assert mean_rates(TRIALS - SUCCESSES, TRIALS) == pytest.approx(1 - mean_rates(SUCCESSES, TRIALS))


def test_an_arm_of_few_units_without_reward_is_not_the_best():
    successes, trials = np.array([100.0, 0.0]), np.array([1e5, 1e2])
    assert mean_rates(successes, trials).argmax() == 0
    # A uniform prior would say 1 in 102 of the second arm, ten times what the first one has.
    assert mean_rates(successes, trials)[1] == pytest.approx(0.0009, abs=1e-4)
    chance = best_probabilities(draw_rates(successes, trials, np.random.default_rng(3)))
    assert chance[1] < 0.4


def test_draws_of_a_mean_spread_as_students_t_says():
    rng = np.random.default_rng(5)
    rewards = [rng.gamma(2.0, 5.0, 400), rng.gamma(2.0, 5.5, 500)]
    sums, squares = np.array([r.sum() for r in rewards]), np.array([(r**2).sum() for r in rewards])
    draws = draw_means(sums, squares, np.array([400.0, 500.0]), rng, 100_000)
    assert draws.mean(axis=0) == pytest.approx([r.mean() for r in rewards], abs=0.02)
    errors = [r.std(ddof=1) / np.sqrt(len(r)) for r in rewards]
    assert draws.std(axis=0) == pytest.approx(errors, rel=0.02)


def test_an_arm_without_units_may_be_anything_the_others_are():
    sums, squares, counts = np.array([50.0, 0.0]), np.array([80.0, 0.0]), np.array([40.0, 0.0])
    draws = draw_means(sums, squares, counts, np.random.default_rng(2))
    assert np.median(draws[:, 1]) == pytest.approx(1.25, abs=0.03)
    assert draws[:, 1].std() > 3 * draws[:, 0].std()


def test_chances_share_ties_and_are_never_none():
    draws = np.array([[1.0, 1.0, 0.0]] * 9)
    chances = best_probabilities(draws)
    assert chances.sum() == pytest.approx(1.0)
    assert chances[0] == chances[1]
    assert chances[2] == pytest.approx(1 / 30)


def test_many_experiments_at_once_are_the_same_as_each():
    several = np.stack([SUCCESSES, SUCCESSES[::-1]])
    chances = best_probabilities(draw_rates(several, np.stack([TRIALS, TRIALS]), np.random.default_rng(4)))
    alone = best_probabilities(draw_rates(SUCCESSES, TRIALS, np.random.default_rng(6)))
    assert chances.shape == (2, 3)
    assert chances[0] == pytest.approx(alone, abs=0.02)


def test_loss_is_worked_by_hand_with_values_and_costs():
    draws = np.array([[0.1, 0.2], [0.3, 0.2]])
    # Gains at 10 a reward, the second costing 0.5: (1, 1.5) and (3, 1.5).
    loss = expected_loss(draws, np.array([10.0, 10.0]), np.array([0.0, 0.5]))
    assert loss == pytest.approx([0.25, 0.75])


def test_an_arm_that_costs_more_than_it_brings_is_not_sent():
    draws = draw_rates(SUCCESSES, TRIALS, np.random.default_rng(7))
    free = expected_loss(draws, np.ones(3), np.zeros(3))
    priced = expected_loss(draws, np.ones(3), np.array([0.0, 0.0, 0.05]))
    assert free.argmin() == 2
    assert priced.argmin() == 1


@pytest.mark.parametrize(("successes", "trials"), [([1.0, 5.0], [2.0, 4.0]), ([-1.0, 2.0], [2.0, 4.0]), ([1.0], [2.0])])
def test_sums_that_no_experiment_gives_are_refused(successes: list[float], trials: list[float]):
    with pytest.raises(BadExperiment, match=r"1 of 2 arms|at least 2 arms"):
        mirror_rewards(np.array(successes), np.array(trials), is_lower_better=False)


def test_a_mean_of_fewer_than_no_units_is_refused():
    with pytest.raises(BadExperiment, match="each needs a number from 0 on"):
        draw_means(np.ones(2), np.ones(2), np.array([1.0, -1.0]), np.random.default_rng(0))


def test_values_of_other_arms_than_drawn_are_refused():
    with pytest.raises(BadExperiment, match="each arm needs one of both"):
        expected_loss(np.ones((5, 2)), np.ones(3), np.ones(3))
