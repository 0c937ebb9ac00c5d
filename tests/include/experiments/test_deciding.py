import dataclasses

import pytest

from include.experiments.checks import Check
from include.experiments.deciding import decide
from include.experiments.posteriors import Posterior


def make_checks(*failed: str) -> list[Check]:
    names = ("sample_ratio", "maturity", "minimum_units")
    return [Check(name, name not in failed, 0.5, 1.0, f"About {name}.") for name in names]


def make_posteriors(best: str = "large", probability: float = 0.97) -> dict[str, Posterior]:
    other = Posterior(100, 30, 0.3, 0.2, 0.4, 1 - probability, 0.1)
    posteriors = dict.fromkeys(("none", "large"), other)
    return posteriors | {best: dataclasses.replace(other, best_probability=probability, expected_loss_ratio=0.01)}


def choose(*failed: str, is_pilot_over: bool = True, threshold: float = 0.95, control: str = "none", **posteriors):
    return decide(
        make_checks(*failed),
        make_posteriors(**posteriors),
        is_pilot_over=is_pilot_over,
        control=control,
        decide_at_probability=threshold,
    )


def test_a_probable_best_wins():
    decision = choose()
    assert (decision.outcome, decision.variant, decision.is_final) == ("winner", "large", True)
    assert (decision.best_probability, decision.expected_loss_ratio) == (0.97, 0.01)
    assert "0.9700" in decision.reason


def test_an_improbable_best_leaves_everybody_with_the_control():
    decision = choose(probability=0.9)
    assert (decision.outcome, decision.variant, decision.is_final) == ("no_winner", "none", True)
    assert decision.best_probability == 0.9
    assert "everybody gets the control 'none'" in decision.reason


def test_exactly_the_needed_probability_is_enough():
    assert choose(probability=0.95).outcome == "winner"


def test_another_threshold_decides_otherwise():
    assert choose(threshold=0.98).outcome == "no_winner"


def test_another_control_is_what_nobody_wins_against():
    assert choose(probability=0.9, control="large").variant == "large"


def test_the_control_itself_can_win():
    assert (choose(best="none").outcome, choose(best="none").variant) == ("winner", "none")


def test_near_certainty_does_not_read_as_certainty():
    assert "above 0.9999" in choose(probability=0.99999).reason


@pytest.mark.parametrize(
    ("failed", "is_pilot_over", "outcome"),
    [
        ((), False, "wait"),
        (("maturity", "minimum_units"), False, "wait"),
        (("maturity",), True, "wait"),
        (("maturity", "minimum_units"), True, "wait"),
        (("minimum_units",), True, "blocked"),
        (("sample_ratio",), True, "blocked"),
        (("sample_ratio", "maturity"), False, "blocked"),
    ],
)
def test_what_is_too_early_waits_and_what_is_wrong_blocks(failed, is_pilot_over, outcome):
    decision = choose(*failed, is_pilot_over=is_pilot_over)
    assert (decision.outcome, decision.variant, decision.is_final) == (outcome, None, False)
    assert decision.best_probability is None


def test_a_block_says_which_check_failed():
    assert choose("minimum_units").reason == "About minimum_units."
