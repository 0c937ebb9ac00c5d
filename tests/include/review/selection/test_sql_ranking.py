import ibis
import numpy as np
import pyarrow as pa
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadProbabilities
from include.review.selection.sql_ranking import SCORE, hash_key, rank_rows, require_ranked, score_expression
from include.review.selection.uncertainty import predictive_entropy
from tests.include.review.selection.oracles import (
    choose_most_uncertain,
    divergence_from_consensus,
    least_confidence,
    margin_doubt,
    value_of_knowing,
    vote_entropy,
)

CLASSES = ["p_0", "p_1", "p_2"]
VALUES = np.array([[0.0, -10.0, -1.0], [-50.0, 5.0, 0.0]])


@pytest.fixture(autouse=True)
def _home(mulgil_home):
    """The engine spills below the home."""


def make_rows(*members: np.ndarray) -> ibis.Table:
    columns = {"key": [f"item-{row:03d}" for row in range(len(members[0]))]}
    for number, proba in enumerate(members):
        columns |= {f"m{number}_{name}": proba[:, index] for index, name in enumerate(CLASSES)}
    return relation_of_arrow(open_engine(), pa.table(columns))


def members_of(rows: ibis.Table, n_members: int = 1) -> list[list[ibis.Value]]:
    return [[rows[f"m{number}_{name}"] for name in CLASSES] for number in range(n_members)]


def rank(rows: ibis.Table, n_wanted: int, strategy: str = "entropy", n_members: int = 1) -> pa.Table:
    return rank_rows(rows, score_expression(strategy, members_of(rows, n_members), VALUES), "key", n_wanted)


@pytest.fixture
def proba() -> np.ndarray:
    drawn = np.random.default_rng(3).dirichlet([1, 1, 1], size=200)
    drawn[5] = [1.0, 0.0, 0.0]
    return drawn


@pytest.mark.parametrize(
    ("strategy", "on_arrays"),
    [
        ("entropy", predictive_entropy),
        ("margin", margin_doubt),
        ("least_confidence", least_confidence),
        ("expected_cost", lambda proba: value_of_knowing(proba, VALUES)),
        ("committee", predictive_entropy),  # of one
        ("committee_votes", predictive_entropy),
    ],
)
def test_the_engine_ranks_as_the_arrays_do(proba, strategy, on_arrays):
    ranked = rank(make_rows(proba), 200, strategy)
    by_key = dict(zip(ranked["key"].to_pylist(), ranked[SCORE].to_pylist(), strict=True))
    assert [by_key[key] for key in sorted(by_key)] == pytest.approx(on_arrays(proba).tolist(), abs=1e-12)
    assert ranked[SCORE].to_pylist() == sorted(ranked[SCORE].to_pylist(), reverse=True)


@pytest.mark.parametrize(
    ("strategy", "on_arrays"), [("committee", divergence_from_consensus), ("committee_votes", vote_entropy)]
)
def test_a_committee_ranks_by_its_disagreement(proba, strategy, on_arrays):
    members = np.stack([proba, proba[::-1], np.full_like(proba, 1 / 3)])  # the last votes for the first of a tie
    ranked = rank(make_rows(*members), 200, strategy, 3)
    by_key = dict(zip(ranked["key"].to_pylist(), ranked[SCORE].to_pylist(), strict=True))
    assert [by_key[key] for key in sorted(by_key)] == pytest.approx(on_arrays(members).tolist(), abs=1e-12)


def test_the_first_ten_are_the_ten_that_numpy_finds(proba):
    keys = np.array([f"item-{row:03d}" for row in range(200)])
    expected = set(keys[choose_most_uncertain(predictive_entropy(proba), keys, 10)])
    assert set(rank(make_rows(proba), 10)["key"].to_pylist()) == expected


def test_two_hundred_dead_heats_are_settled_by_the_hash_of_the_key_alone():
    proba = np.full((200, 3), 1 / 3)
    proba[7] = [1.0, 0.0, 0.0]
    expected = sorted((f"item-{row:03d}" for row in range(200) if row != 7), key=hash_key)[:10]
    assert rank(make_rows(proba), 10)["key"].to_pylist() == expected


@pytest.mark.parametrize("bad", [[np.nan, 0.5, 0.5], [1.2, -0.1, -0.1], [0.5, 0.5, 0.5], [np.inf, 0.0, 0.0]])
def test_one_row_of_no_probabilities_comes_first_and_is_refused_and_shown(proba, bad):
    proba[150] = bad
    ranked = rank(make_rows(proba), 5)
    assert ranked["key"][0].as_py() == "item-150"
    with pytest.raises(BadProbabilities, match=r"1 of the first 5 rows in the ranking of 200.*item-150"):
        require_ranked(ranked, ["key"], 200)


@pytest.mark.parametrize(("n_wanted", "expected"), [(0, 0), (500, 200)])
def test_more_than_all_is_all_and_none_is_none(proba, n_wanted, expected):
    assert rank(make_rows(proba), n_wanted).num_rows == expected
