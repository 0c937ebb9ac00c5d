import dataclasses

import numpy as np
import pytest

from include.errors import BadProbabilities
from include.review.planning import Pool, count_random, plan_batch, seed_of


def make_pool(n_items: int = 200, *, p_positive: np.ndarray | None = None, is_scored: bool = True) -> Pool:
    p = np.linspace(0.0, 1.0, n_items) if p_positive is None else p_positive
    return Pool(
        item_ids=np.array([f"mail-{index:04d}" for index in range(n_items)], dtype=np.str_),
        partition_keys=np.array(["2002-08"] * n_items, dtype=np.str_),
        is_scored=np.full(n_items, is_scored),
        proba=np.column_stack([1.0 - p, p]),
        model_version="v1" if is_scored else None,
    )


def plan(pool: Pool, *, budget: int = 50, random_share: float = 0.3, seed: int = 0):
    return plan_batch(pool, budget, random_share, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("n_batch", "share", "expected"),
    [(100, 0.3, 30), (10, 0.25, 3), (7, 0.1, 1), (0, 0.3, 0), (30, 0.1, 3), (5, 1.0, 5), (100, 0.07, 7)],
)
def test_the_control_arm_is_rounded_up_and_never_by_a_float_error(n_batch, share, expected):
    assert count_random(n_batch, share) == expected


def test_of_fifty_items_fifteen_are_drawn_and_thirty_five_are_ranked():
    choices = plan(make_pool())
    assert [sum(choice.arm == arm for choice in choices) for arm in ("random", "entropy")] == [15, 35]
    assert len({choice.item_id for choice in choices}) == 50


def test_the_ranked_items_are_the_most_uncertain_that_chance_left():
    p = np.linspace(0.0, 1.0, 200) ** 1.3  # bent, so that no two rows are equally far from one half
    choices = plan(make_pool(p_positive=p))
    drawn = {choice.item_id for choice in choices if choice.arm == "random"}
    ranked = {choice.item_id for choice in choices if choice.arm == "entropy"}
    left = [row for row in np.argsort(np.abs(p - 0.5)) if f"mail-{row:04d}" not in drawn]
    assert ranked == {f"mail-{row:04d}" for row in left[:35]}


def test_the_inclusion_probability_is_of_the_whole_pool_for_chance_and_one_for_the_ranking():
    choices = plan(make_pool())
    assert {(choice.arm, choice.inclusion_probability) for choice in choices} == {("random", 15 / 200), ("entropy", 1)}


def test_without_a_model_everything_is_drawn_and_nothing_is_said_about_doubt():
    choices = plan(make_pool(is_scored=False))
    assert {choice.arm for choice in choices} == {"random"}
    assert {choice.inclusion_probability for choice in choices} == {50 / 200}
    assert {(choice.entropy_nats, choice.p_positive) for choice in choices} == {(None, None)}


def test_where_the_model_scored_too_little_chance_takes_the_places_at_one_probability():
    is_scored = np.arange(200) < 10
    choices = plan(dataclasses.replace(make_pool(), is_scored=is_scored), seed=2)
    assert {choice.inclusion_probability for choice in choices if choice.arm == "random"} == {40 / 200}
    assert all(choice.item_id < "mail-0010" for choice in choices if choice.arm == "entropy")


def test_a_small_pool_is_shown_whole():
    choices = plan(make_pool(4))
    assert {choice.item_id for choice in choices} == {"mail-0000", "mail-0001", "mail-0002", "mail-0003"}


def test_an_empty_pool_gives_an_empty_batch():
    assert plan(make_pool(0)) == []


def test_one_prediction_that_is_no_probability_is_refused():
    p = np.linspace(0, 1, 200)
    p[17] = np.nan
    with pytest.raises(BadProbabilities, match="1 of 200"):
        plan(make_pool(p_positive=p))


def test_the_order_of_the_rows_changes_nothing():
    pool = make_pool()
    order = np.random.default_rng(3).permutation(200)
    shuffled = dataclasses.replace(pool, item_ids=pool.item_ids[order], proba=pool.proba[order])
    assert plan(pool) == plan(shuffled)


def test_the_place_in_the_batch_does_not_tell_the_arm():
    arms = [choice.arm for choice in plan(make_pool())]
    assert arms != sorted(arms)
    assert arms != sorted(arms, reverse=True)


def test_another_seed_draws_another_control_arm():
    first, second = ({c.item_id for c in plan(make_pool(), seed=seed) if c.arm == "random"} for seed in (0, 1))
    assert first != second


def test_a_choice_carries_what_the_model_said():
    choice = next(choice for choice in plan(make_pool(2)) if choice.item_id == "mail-0001")
    assert (choice.p_positive, choice.entropy_nats, choice.partition_key) == (1.0, 0.0, "2002-08")


def test_a_seed_depends_on_every_part_and_on_where_one_part_ends():
    assert seed_of("ad_review", "round-001") == seed_of("ad_review", "round-001")
    assert (
        len({seed_of("ad_review", "round-001"), seed_of("ad_review", "round-002"), seed_of("ad", "_reviewround-001")})
        == 3
    )
