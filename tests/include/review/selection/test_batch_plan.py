from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import BadProbabilities
from include.problems.sections.review import Review
from include.review.selection.batch_plan import Again, Candidate, Pool, count_random, plan_batch, seed_of


def make_pool(n_items: int = 200, *, is_scored: bool = True, n_shortlist: int | None = None) -> Pool:
    """A pool in which doubt falls with the number of the mail, and every tenth mail is about the same thing."""
    p = np.linspace(0.5, 0.0, n_items) if n_items > 1 else np.full(n_items, 0.5)
    items = [
        Candidate(f"mail-{row:04d}", "2002-08", float(p[row]), float(0.5 - abs(p[row] - 0.5)))
        if is_scored
        else Candidate(f"mail-{row:04d}", "2002-08")
        for row in range(n_items)
    ]
    shortlist = items[: n_items if n_shortlist is None else n_shortlist]
    return Pool(
        n_pool=n_items,
        drawn=[items[row] for row in np.random.default_rng(5).permutation(n_items)],
        shortlist=shortlist,
        vectors=np.eye(10)[np.arange(len(shortlist)) % 10] + np.arange(len(shortlist))[:, None] / 1e3,
        near_distance=0.0,
        model_version="v1" if is_scored else None,
        snapshot_id="1" if is_scored else None,
        n_best=len(shortlist) if is_scored else 0,
        gain=0.5,
    )


def plan(pool: Pool, *, seed: int = 0, gold=(), relabels=(), **review):
    section = Review(**({"budget": 50, "random_share": 0.3, "max_rounds": 3} | review))
    return plan_batch(pool, section, gold, relabels, np.random.default_rng(seed))


def make_again(n_items: int, **fields: str) -> list[Again]:
    return [Again(f"old-{row}", "2002-07", **fields) for row in range(n_items)]


@pytest.mark.parametrize(
    ("n_batch", "share", "expected"),
    [(100, 0.3, 30), (10, 0.25, 3), (7, 0.1, 1), (0, 0.3, 0), (30, 0.1, 3), (5, 1.0, 5), (100, 0.07, 7)],
)
def test_the_control_arm_is_rounded_up_and_never_by_a_float_error(n_batch, share, expected):
    assert count_random(n_batch, share) == expected


def test_of_fifty_items_fifteen_are_drawn_and_thirty_five_are_ranked():
    choices = plan(make_pool())
    assert Counter(choice.arm for choice in choices) == {"random": 15, "entropy": 35}
    assert len({choice.item_id for choice in choices}) == 50


def test_the_control_arm_is_what_chance_put_first_and_carries_its_chance():
    pool = make_pool()
    choices = plan(pool)
    drawn = {choice.item_id for choice in choices if choice.arm == "random"}
    assert drawn == {candidate.item_id for candidate in pool.drawn[:15]}
    assert {(choice.arm, choice.inclusion_probability) for choice in choices} == {("random", 15 / 200), ("entropy", 1)}


def test_nothing_outside_of_the_shortlist_is_ranked():
    choices = plan(make_pool(n_shortlist=60), random_share=0.1)
    assert all(choice.item_id < "mail-0060" for choice in choices if choice.arm == "entropy")


def test_where_the_shortlist_is_short_chance_takes_the_places_at_one_probability():
    choices = plan(make_pool(n_shortlist=10))
    assert {choice.inclusion_probability for choice in choices if choice.arm == "random"} == {40 / 200}
    assert len([choice for choice in choices if choice.arm == "random"]) == 40


def test_the_strategy_names_the_arm():
    assert {choice.arm for choice in plan(make_pool(), strategy="margin")} == {"random", "margin"}


def test_without_a_model_most_is_chance_and_the_rest_typical_or_odd():
    choices = plan(make_pool(is_scored=False))
    assert Counter(choice.arm for choice in choices) == {"random": 35, "spread": 14, "outlier": 1}
    assert {(choice.entropy_nats, choice.p_positive, choice.strategy_score) for choice in choices} == {
        (None, None, None)
    }


def test_a_model_that_is_no_better_than_the_base_rate_covers_the_pool_instead():
    choices = plan(replace(make_pool(), gain=0.0))
    assert {choice.arm for choice in choices} == {"random", "spread"}


def test_what_was_asked_about_before_or_is_drawn_by_chance_is_not_covered_again():
    pool = make_pool(30, is_scored=False)
    topics = np.repeat(np.eye(3), 10, axis=0) * 9 + np.random.default_rng(0).normal(0, 0.01, (30, 3))
    of = {item.item_id: topics[row] for row, item in enumerate(pool.shortlist)}
    drawn = [item for item in pool.drawn if item.item_id < "mail-0010"]
    asked = replace(
        pool,
        drawn=drawn,
        drawn_vectors=np.array([of[item.item_id] for item in drawn]),
        vectors=topics,
        covered=topics[10:12],
    )
    choices = plan(asked, budget=4, random_share=0.7, overlap_share=0.0)
    assert {choice.item_id >= "mail-0020" for choice in choices if choice.arm == "spread"} == {True}


def test_copies_of_one_question_never_fill_a_batch():
    pool = make_pool()
    copies = replace(pool, vectors=np.eye(4)[np.arange(200) % 4])
    assert Counter(choice.arm for choice in plan(copies)) == {"random": 15, "entropy": 4}


def test_gold_takes_its_share_and_carries_answer_and_chance():
    choices = plan(make_pool(), gold=make_again(8, gold_label="wanted"), gold_share=0.1)
    gold = [choice for choice in choices if choice.arm == "gold"]
    assert {(choice.gold_label, choice.inclusion_probability, choice.n_answers_wanted) for choice in gold} == {
        ("wanted", 5 / 8, 1)
    }
    assert (len(gold), len(choices)) == (5, 50)
    assert not [choice for choice in choices if choice.gold_label and choice.arm != "gold"]


def test_the_most_suspected_answers_are_asked_again_with_the_reason():
    choices = plan(make_pool(), relabels=make_again(9, reason="People: 1 said a, 1 said b."), relabel_share=0.04)
    assert {(c.item_id, c.reason) for c in choices if c.arm == "relabel"} == {
        ("old-0", "People: 1 said a, 1 said b."),
        ("old-1", "People: 1 said a, 1 said b."),
    }


@pytest.mark.parametrize("kind", ["gold", "relabels"])
def test_a_relabel_also_drawn_by_chance_stays_once_in_the_control_arm(kind):
    pool = make_pool()
    again = [Again(pool.drawn[0].item_id, "2002-08", gold_label="wanted" if kind == "gold" else None)]
    choices = [choice for choice in plan(pool, gold_share=0.1, **{kind: again}) if choice.item_id == again[0].item_id]
    assert [choice.arm for choice in choices] == ["random"]


def test_the_control_arm_is_a_share_of_the_whole_batch_beside_relabels():
    again = {"gold": make_again(50, gold_label="x"), "gold_share": 0.4, "random_share": 0.3}
    assert Counter(choice.arm for choice in plan(make_pool(), **again))["random"] == 15


def test_two_people_see_the_overlap_share_of_every_new_arm():
    choices = plan(make_pool(), overlap_share=0.5, gold=make_again(9, gold_label="x"), gold_share=0.1)
    twice = [choice.arm for choice in choices if choice.n_answers_wanted == 2]
    assert len(twice) == 23  # half of the 45 that are new, rounded up
    assert set(twice) == {"random", "entropy"}
    assert not [choice for choice in plan(make_pool(), overlap_share=0.0) if choice.n_answers_wanted != 1]


def test_a_small_pool_is_shown_whole():
    assert {choice.item_id for choice in plan(make_pool(4))} == {f"mail-000{row}" for row in range(4)}


def test_an_empty_pool_gives_an_empty_batch_even_if_there_is_gold():
    assert plan(make_pool(0), gold=make_again(5, gold_label="x")) == []


def test_one_prediction_that_is_no_probability_is_refused():
    pool = make_pool()
    broken = [replace(candidate, p_positive=1.5) for candidate in pool.drawn[:1]] + list(pool.drawn[1:])
    with pytest.raises(BadProbabilities, match="1 of 1"):
        plan(replace(pool, drawn=broken))


def test_the_place_in_the_batch_does_not_tell_the_arm():
    arms = [choice.arm for choice in plan(make_pool())]
    assert arms != sorted(arms)
    assert arms != sorted(arms, reverse=True)


def test_the_same_seed_gives_the_same_batch_and_another_one_another_order():
    first, again, other = (plan(make_pool(), seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_a_choice_carries_what_the_model_said():
    choice = next(choice for choice in plan(make_pool(2)) if choice.item_id == "mail-0001")
    assert (choice.p_positive, choice.entropy_nats, choice.partition_key) == (0.0, 0.0, "2002-08")


def test_a_seed_depends_on_every_part_and_on_where_one_part_ends():
    assert seed_of("ad_review", "round-001") == seed_of("ad_review", "round-001")
    assert (
        len({seed_of("ad_review", "round-001"), seed_of("ad_review", "round-002"), seed_of("ad", "_reviewround-001")})
        == 3
    )


@st.composite
def plans(draw):
    """Whatever a store could hand over: the same items in every list, twice in one, few, many, none."""
    ids = st.lists(st.integers(0, 30).map("item-{}".format), max_size=25)
    is_scored = draw(st.booleans())
    scores = (0.5, 0.5) if is_scored else (None, None)
    drawn, shortlist = ([Candidate(item, "2026-01", *scores) for item in draw(ids)] for _ in range(2))
    kinds = np.random.default_rng(draw(st.integers(0, 99))).integers(4, size=(len(shortlist), 2)).astype(float)
    version = "v1" if is_scored else None
    pool = Pool(
        draw(st.integers(len(drawn), 200)),
        drawn,
        shortlist,
        kinds,
        0.0,
        version,
        n_best=draw(st.integers(0, len(shortlist))),
    )
    gold_share, relabel_share = draw(st.sampled_from([(0.0, 0.0), (0.05, 0.1), (0.4, 0.5), (0.5, 0.0), (0.0, 0.9)]))
    review = Review(
        budget=draw(st.integers(1, 40)),
        random_share=0.1,
        max_rounds=5,
        gold_share=gold_share,
        relabel_share=relabel_share,
        overlap_share=draw(st.sampled_from([0.0, 0.1, 1.0])),
    )
    gold = [Again(item, "2026-01", gold_label="ham") for item in draw(ids)]
    return pool, review, gold, [Again(item, "2026-01", reason="suspected") for item in draw(ids)]


@given(plans())
def test_whatever_is_handed_in_no_item_is_chosen_twice_and_none_beyond_the_budget(given_plan):
    pool, review, gold, relabels = given_plan
    choices = plan_batch(pool, review, gold, relabels, np.random.default_rng(0))
    assert len({choice.item_id for choice in choices}) == len(choices) <= review.budget
    asked_as_known = {choice.item_id for choice in choices if choice.arm == "gold"}
    assert not asked_as_known & {again.item_id for again in relabels}
    assert all(0 < choice.inclusion_probability <= 1 for choice in choices)


def test_an_answer_that_is_suspected_is_asked_again_and_never_used_as_known():
    again = {"gold": make_again(1, gold_label="ham"), "relabels": make_again(1, reason="suspected")}
    arms = Counter(choice.arm for choice in plan(make_pool(), **again) if choice.item_id == "old-0")
    assert arms == {"relabel": 1}


@pytest.mark.parametrize(("budget", "n_gold"), [(10, 1), (2, 0), (100, 5)])
def test_every_batch_with_room_has_a_known_answer_once_there_is_one(budget, n_gold):
    choices = plan(make_pool(), gold=make_again(9, gold_label="x"), budget=budget, gold_share=0.05)
    assert Counter(choice.arm for choice in choices)["gold"] == n_gold


def test_who_wants_no_gold_gets_none():
    choices = plan(make_pool(), gold=make_again(9, gold_label="x"), gold_share=0.0)
    assert "gold" not in {choice.arm for choice in choices}
