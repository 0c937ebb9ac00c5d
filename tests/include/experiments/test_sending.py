import numpy as np
import pytest

from include.experiments.comparison import Outcome
from include.experiments.sending import Price, choose_variant

MAILS = {"a": Outcome(2_966, 131), "b": Outcome(3_056, 279), "c": Outcome(2_978, 305)}


def test_of_two_good_mails_one_is_sent_and_never_no_mail():
    choice = choose_variant(MAILS, "a", Price())
    assert (choice.variant, choice.is_tie) == ("c", False)
    assert choice.losses["c"] < choice.losses["b"] < choice.losses["a"]
    # 305/2978 - 131/2966, and what the prior takes off it.
    assert choice.losses["a"] == pytest.approx(0.0583, abs=0.001)


def test_a_cost_above_what_it_brings_changes_what_is_sent():
    assert choose_variant(MAILS, "a", Price(value=10, costs={"c": 0.2})).variant == "b"
    assert choose_variant(MAILS, "a", Price(value=10, costs={"b": 0.6, "c": 0.6})).variant == "a"


def test_a_switching_cost_is_worth_it_when_many_units_come():
    few, many = (choose_variant(MAILS, "a", Price(switching_cost=100, units_to_come=n)) for n in (1_000, 10_000))
    assert (few.variant, many.variant) == ("a", "c")


def test_within_the_equivalence_the_control_is_kept_or_the_better_one_sent():
    close = {"a": Outcome(1_000, 100), "b": Outcome(1_000, 101)}
    kept = choose_variant(close, "a", Price(equivalence=0.002))
    assert (kept.variant, kept.is_tie) == ("a", True)
    sent = choose_variant(close, "a", Price(equivalence=0.002, tie="send_best"))
    assert (sent.variant, sent.is_tie) == ("b", True)
    asked = choose_variant(close, "a", Price(equivalence=0.002, tie="ask"))
    assert (asked.variant, asked.is_tie) == ("b", True)
    assert choose_variant(close, "a", Price(equivalence=0.0005)).variant == "b"


@pytest.mark.parametrize(("many", "few", "rewarded"), [(3_882, 118, 0), (100_000, 100, 100), (100_000, 100, 0)])
def test_a_variant_without_any_reward_is_never_sent(many, few, rewarded):
    assert choose_variant({"a": Outcome(many, rewarded), "b": Outcome(few, 0)}, "a", Price()).variant == "a"


def test_the_same_knowledge_keeps_the_control_then_the_first():
    assert choose_variant({"b": Outcome(10, 3), "a": Outcome(10, 3)}, "a", Price()).variant == "a"
    same = {"a": Outcome(10, 1), "c": Outcome(10, 5), "b": Outcome(10, 5)}
    assert choose_variant(same, "a", Price()).variant == "c"


def test_units_of_a_design_effect_count_for_less():
    rough = {"a": Outcome(200, 20), "b": Outcome(50, 6, design_effect=10.0)}
    fine = {"a": Outcome(200, 20), "b": Outcome(50, 6)}
    assert choose_variant(rough, "a", Price()).losses["b"] > choose_variant(fine, "a", Price()).losses["b"]


def test_two_good_variants_earn_nearly_what_the_best_does():
    rng, true = np.random.default_rng(11), np.array([0.111, 0.184, 0.192])
    sent = []
    for hits in rng.binomial(1_000, true, size=(100, 3)):
        outcomes = {name: Outcome(1_000, int(n)) for name, n in zip("abc", hits, strict=True)}
        sent.append(true["abc".index(choose_variant(outcomes, "a", Price()).variant)])
    assert np.mean(sent) > 0.184 + 0.5 * 0.008
