import numpy as np
import pytest

from include.stats.answer_quality import FEWEST_ANSWERS, measure_quality
from include.stats.truth_inference import Answers, infer_truth
from tests.include.stats.test_truth_inference import answers_of, crowd


def quality_of(one):
    return measure_quality(one, infer_truth(one))


def with_person(one, label, n_answers=50):
    """Add somebody who answers the first items."""
    n = np.arange(n_answers)
    item, person = np.concatenate([one.item, n]), np.concatenate([one.person, np.full(n_answers, one.n_people)])
    return Answers(item, person, np.concatenate([one.label, label]), one.n_items, one.n_people + 1, one.n_classes)


def test_the_share_of_right_answers_is_found_within_its_interval():
    one, _ = crowd(5, [0.9, 0.8, 0.7, 0.9])
    quality = quality_of(one)
    assert quality.right == pytest.approx([0.9, 0.8, 0.7, 0.9], abs=0.06)
    assert (quality.low < quality.right).all()
    assert (quality.right < quality.high).all()
    assert not quality.reads_nothing.any()


def test_a_script_is_named_within_fifty_answers_and_readers_are_not():
    one, _ = crowd(6, [0.85] * 4)
    quality = quality_of(with_person(one, np.ones(50, dtype=np.intp)))
    assert quality.reads_nothing.tolist() == [False] * 4 + [True]
    assert quality.same[-1] == 1.0


def test_always_the_same_is_no_sign_where_everybody_says_it():
    same = [(item, person, 0) for item in range(200) for person in range(3)]
    odd = [(item, person, 1) for item in range(200, 210) for person in range(3)]
    mostly = [(item, 3, 0) for item in range(60)]
    assert not quality_of(answers_of([*same, *odd, *mostly])).reads_nothing.any()


def test_a_script_is_named_also_where_people_agree_little():
    one, _ = crowd(9, [0.65] * 3, n_items=400)
    assert quality_of(with_person(one, np.ones(50, dtype=np.intp))).reads_nothing.tolist() == [False] * 3 + [True]


def test_a_coin_is_named_and_fewer_than_twenty_answers_are_not_judged():
    one, truth = crowd(7, [0.95] * 4, n_classes=3)
    coin = np.random.default_rng(0).integers(0, 3, 50)
    assert quality_of(with_person(one, coin)).reads_nothing[-1]
    few = with_person(one, (truth[: FEWEST_ANSWERS - 1] + 1) % 3, FEWEST_ANSWERS - 1)
    assert not quality_of(few).reads_nothing[-1]


def test_who_shares_no_item_has_no_figure():
    quality = quality_of(answers_of([(0, 0, 0), (1, 1, 1)]))
    assert quality.n_shared.tolist() == [0, 0]
    assert np.isnan(quality.right).all()
    assert quality.evidence.tolist() == [1.0, 1.0]


def test_renaming_people_changes_no_figure():
    one, _ = crowd(8, [0.9, 0.6, 0.8])
    turned = Answers(one.item, 2 - one.person, one.label, one.n_items, 3, 2)
    assert np.allclose(quality_of(one).right, quality_of(turned).right[::-1], atol=1e-6)
