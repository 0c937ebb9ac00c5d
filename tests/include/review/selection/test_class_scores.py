"""What the engine computes over classes, compared with numpy over the same rows."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import entropy

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.names import CLASS_NAME, PARTITION_KEY, ROW_KEY
from include.problems.sections.learning import Label
from include.review.selection import sql_ranking
from include.review.selection.class_scores import ENTROPY, Changed, columns_of, score_of, share_changed, widen

THREE = Label(classes=["a", "b", "c"], source="desk")
MANY = Label(classes=["a", "b", "c"], source="desk", multiple=True)
P = np.random.default_rng(2).dirichlet([1.0, 1.0, 1.0], 50)


def table(p, classes=("a", "b", "c")):
    n_rows = len(p)
    columns = {
        ROW_KEY: [f"r{row:03d}" for row in range(n_rows) for _ in classes],
        PARTITION_KEY: ["2013-01"] * n_rows * len(classes),
        CLASS_NAME: list(classes) * n_rows,
        "p_positive": pa.array(np.asarray(p).ravel(), pa.float64()),
    }
    return relation_of_arrow(open_engine(), pa.table(columns))


def read(relation):
    return open_engine().to_pyarrow(relation.order_by(ROW_KEY)).to_pandas()


def test_entropy_is_over_all_classes_and_summed_over_labels():
    assert read(widen(table(P), THREE))[ENTROPY].to_numpy() == pytest.approx(entropy(P, axis=1))
    by_label = sum(entropy([P[:, place], 1 - P[:, place]], axis=0) for place in range(3))
    assert read(widen(table(P), MANY))[ENTROPY].to_numpy() == pytest.approx(by_label)


def test_certainty_is_worth_nothing_and_a_dead_heat_most():
    certain, torn = [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]
    wide = widen(table([certain, torn]), THREE)
    ranked = sql_ranking.rank_rows(wide, score_of(wide, "entropy", THREE), ROW_KEY, 2)
    assert ranked[ROW_KEY].to_pylist() == ["r001", "r000"]
    assert ranked[sql_ranking.SCORE].to_pylist() == pytest.approx([np.log(3), 0.0])


def test_labels_need_not_sum_to_one_and_a_score_above_one_is_refused():
    wide = widen(table([[0.9, 0.9, 0.9], [0.5, 0.5, 0.5]]), MANY)
    ranked = sql_ranking.rank_rows(wide, score_of(wide, "entropy", MANY), ROW_KEY, 2)
    assert ranked[ROW_KEY].to_pylist() == ["r001", "r000"]
    bad = widen(table([[0.9, 1.9, 0.9]]), MANY)
    top = sql_ranking.rank_rows(bad, score_of(bad, "entropy", MANY), ROW_KEY, 1)
    assert top[sql_ranking.SCORE].to_pylist() == [float("inf")]


def test_a_class_that_was_never_asked_about_has_no_probability():
    wide = read(widen(table(P[:, :2] / P[:, :2].sum(axis=1, keepdims=True), ("a", "b")), THREE))
    assert (wide[columns_of(THREE)[2]] == 0).all()


def test_the_share_of_changed_answers_is_that_of_the_likeliest_class():
    other = P[:, [1, 0, 2]]
    expected = (P.argmax(axis=1) != other.argmax(axis=1)).mean()
    assert share_changed(table(P), table(other), THREE).ratio == pytest.approx(expected)
    changed = ((P >= 0.5) != (other >= 0.5)).any(axis=1).mean()
    assert share_changed(table(P), table(other), MANY).ratio == pytest.approx(changed)
    assert share_changed(table(P), table(P), THREE) == Changed(len(P), 0.0)
