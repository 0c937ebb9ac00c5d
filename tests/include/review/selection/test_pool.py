from collections.abc import Mapping

import pytest

from include.errors import BadProblem
from include.names import ranking_table
from include.problems.reading import load_problem
from include.problems.sections.review import Route
from include.review.selection.batch_plan import Pool
from include.review.selection.class_scores import Changed
from include.review.selection.pool import (
    open_predictions,
    read_change_ratio,
    read_items,
    read_pool,
    read_routes,
    shortlist_size,
)
from tests.include.review.conftest import MAILS, MONTHS, PROBLEM, Desk

RISING = {mail: (row + 0.5) / len(MAILS) for row, mail in enumerate(MAILS)}
FALLING = {mail: 1 - p for mail, p in RISING.items()}


@pytest.fixture
def published(desk: Desk) -> Desk:
    desk.publish(*MONTHS)
    return desk


def read(budget: int = 5, taken: frozenset[str] = frozenset(), seed: int = 0, **more: object) -> Pool:
    return read_pool(load_problem(PROBLEM), MONTHS, taken, budget=budget, strategy="entropy", seed=seed, **more)


def scores_of(pool: Pool) -> Mapping[str, float | None]:
    return {candidate.item_id: candidate.p_positive for candidate in pool.shortlist}


def test_before_any_model_the_pool_is_drawn_and_nobody_is_named(published: Desk) -> None:
    pool = read(taken=frozenset({"mail-00"}))
    assert (pool.n_pool, pool.model_version, pool.serving_version, pool.snapshot_id) == (19, None, None, None)
    assert "mail-00" not in {candidate.item_id for candidate in [*pool.drawn, *pool.shortlist]}


def test_a_version_that_serves_nothing_ranks_where_no_version_serves(published: Desk) -> None:
    published.predict(RISING, "round-002-aaaaaa", table=ranking_table)
    pool = read()
    assert (pool.model_version, pool.serving_version) == ("round-002-aaaaaa", None)
    assert set(scores_of(pool).values()) <= set(RISING.values())


@pytest.mark.parametrize(
    ("serving", "beside", "ranks"),
    [
        ("round-002-aaaaaa", "round-003-aaaaaa", "round-003-aaaaaa"),
        ("round-004-aaaaaa", "round-003-aaaaaa", "round-004-aaaaaa"),
        ("round-999-aaaaaa", "round-1000-aaaaaa", "round-1000-aaaaaa"),
        ("round-1000-aaaaaa", "round-999-aaaaaa", "round-1000-aaaaaa"),
    ],
)
def test_the_newest_fitted_version_ranks_and_the_one_that_serves_is_named(
    published: Desk, serving: str, beside: str, ranks: str
) -> None:
    published.predict(RISING, serving)
    published.predict(FALLING, beside, table=ranking_table)
    pool = read()
    assert (pool.model_version, pool.serving_version) == (ranks, serving)
    expected = FALLING if ranks == beside else RISING
    assert {item: p == expected[item] for item, p in scores_of(pool).items()} == dict.fromkeys(scores_of(pool), True)


def test_nothing_is_open_where_nothing_was_scored(published: Desk) -> None:
    assert open_predictions(PROBLEM, MONTHS) is None


def test_decisions_of_two_rounds_are_compared_in_whichever_table_their_scores_lie(published: Desk) -> None:
    published.predict(RISING, "round-001-aaaaaa")
    before = read()
    fewer = dict(list(FALLING.items())[3:])  # what only one of them has scored is not compared
    published.predict(fewer, "round-002-aaaaaa", table=ranking_table)
    now = read()
    changed = read_change_ratio(
        PROBLEM,
        MONTHS,
        (str(before.snapshot_id), str(before.model_version), 0.5),
        (str(now.snapshot_id), str(now.model_version), 0.5),
    )
    assert changed == Changed(len(fewer), 1.0)
    gone = read_change_ratio(PROBLEM, MONTHS, ("7", "x", 0.5), (str(now.snapshot_id), str(now.model_version), 0.5))
    assert gone is None


def test_another_seed_draws_others_and_the_same_seed_the_same(published: Desk) -> None:
    first, again, other = ([item.item_id for item in read(seed=seed).drawn] for seed in (1, 1, 2))
    assert first == again != other


def test_an_item_in_two_partitions_counts_once_in_the_earlier(published: Desk) -> None:
    rows = read_items(load_problem(PROBLEM), MONTHS, ["mail-03", "mail-12"])
    assert rows["_partition_key"].tolist() == list(MONTHS)


def test_the_first_route_whose_condition_holds_says_what_care_an_item_needs(published: Desk) -> None:
    routes = [
        Route(when="_row_key < 'mail-02'", skill="trained"),
        Route(when="_row_key < 'mail-04'", is_sensitive=True),
    ]
    found = read_routes(PROBLEM, MONTHS, ["mail-01", "mail-03", "mail-05"], routes)
    assert found == {"mail-01": routes[0], "mail-03": routes[1]}
    assert read_routes(PROBLEM, MONTHS, ["mail-01"], []) == {}


def test_a_condition_over_a_column_that_is_not_there_is_named(published: Desk) -> None:
    with pytest.raises(BadProblem):
        read_routes(PROBLEM, MONTHS, ["mail-01"], [Route(when="nowhere > 1", is_sensitive=True)])


@pytest.mark.parametrize(("budget", "n_scored", "size"), [(10, 10_000, 500), (10, 100, 20), (200, 100_000, 4_000)])
def test_a_shortlist_is_fifty_a_place_within_its_bounds(budget: int, n_scored: int, size: int) -> None:
    assert shortlist_size(budget, n_scored) == size
