import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa as statsmodels_cohen
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from include.errors import MulgilError
from include.review.metrics.agreement import (
    MIN_ITEMS,
    cohen_kappa,
    estimate_alpha,
    estimate_fleiss,
    estimate_kappas,
    fleiss_kappa,
    krippendorff_alpha,
    one_against_rest,
)

# Fleiss 1971 as it is usually reprinted: ten subjects, fourteen raters, five categories; kappa is 0.210.
FLEISS = np.array([
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
])  # fmt: skip
# Krippendorff 2011, section C: four observers, twelve units, nominal, with gaps; alpha is 0.743.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
    [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
]  # fmt: skip
KRIPPENDORFF = np.array([[unit.count(label) for label in range(1, 6)] for unit in zip(*OBSERVERS, strict=True)])


def random_counts(n_people: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).multinomial(n_people, [0.5, 0.3, 0.2], size=40)


def test_fleiss_own_table_gives_the_printed_kappa():
    assert fleiss_kappa(FLEISS) == pytest.approx(0.210, abs=5e-4)


def test_krippendorffs_own_table_gives_the_printed_alpha():
    assert krippendorff_alpha(KRIPPENDORFF) == pytest.approx(0.743, abs=5e-4)


def test_two_people_of_fifty_proposals_agree_at_four_tenths():
    # Both say yes to 20, no to 15; they differ on 10 and 5: observed 0.7, by chance 0.5.
    assert cohen_kappa(np.array([[20, 5], [10, 15]])) == pytest.approx(0.4)


@pytest.mark.parametrize("seed", range(3))
def test_kappas_are_those_of_statsmodels(seed):
    table = np.random.default_rng(seed).integers(1, 20, (4, 4))
    assert cohen_kappa(table) == pytest.approx(statsmodels_cohen(table).kappa)
    assert fleiss_kappa(random_counts(5, seed)) == pytest.approx(statsmodels_fleiss(random_counts(5, seed)))


@pytest.mark.parametrize("statistic", [fleiss_kappa, krippendorff_alpha])
def test_full_agreement_is_one_and_one_class_alone_is_no_figure(statistic):
    assert statistic(np.array([[2, 0], [0, 2], [2, 0]])) == 1.0
    assert np.isnan(statistic(np.array([[2, 0], [2, 0]])))


@pytest.mark.parametrize("statistic", [fleiss_kappa, krippendorff_alpha])
def test_answers_by_chance_agree_no_more_than_chance(statistic):
    counts = np.random.default_rng(1).multinomial(3, [0.5, 0.5], size=4000)
    assert statistic(counts) == pytest.approx(0.0, abs=0.03)


def test_the_names_of_people_and_classes_change_nothing():
    table = np.array([[20, 5, 1], [10, 15, 2], [0, 3, 9]])
    assert cohen_kappa(table) == pytest.approx(cohen_kappa(table.T)) == pytest.approx(cohen_kappa(table[::-1, ::-1]))
    assert krippendorff_alpha(KRIPPENDORFF) == pytest.approx(krippendorff_alpha(KRIPPENDORFF[::-1, ::-1]))


def test_an_item_that_one_person_answered_says_nothing_about_agreement():
    counts = random_counts(3)
    alone = np.concatenate([counts, [[1, 0, 0], [0, 0, 0]]])
    assert krippendorff_alpha(alone) == krippendorff_alpha(counts)


def test_what_cannot_be_measured_says_why():
    with pytest.raises(MulgilError, match="0 items were answered by both"):
        cohen_kappa(np.zeros((2, 2), dtype=np.int64))
    with pytest.raises(MulgilError, match=r"items with 2, 3.*any number"):
        fleiss_kappa(np.array([[2, 0], [2, 1]]))
    with pytest.raises(MulgilError, match=r"0 of 2 items.*overlap_share"):
        krippendorff_alpha(np.array([[1, 0], [0, 1]]))


def test_one_class_against_the_rest():
    assert one_against_rest(np.array([[2, 1, 0], [0, 1, 2]]), 2).tolist() == [[0, 3], [2, 1]]


def make_table(n_items: int, kappa: float, rng: np.random.Generator, n_tables: int, share: float = 0.5) -> np.ndarray:
    """Tables of two people who agree beyond chance by `kappa`, both saying the first class in `share` of the items."""
    habits = np.array([share, 1 - share])
    cells = kappa * np.diag(habits) + (1 - kappa) * np.outer(habits, habits)
    return rng.multinomial(n_items, cells.ravel(), size=n_tables).reshape(n_tables, 2, 2)


@pytest.mark.parametrize("kappa", [0.0, 0.4, 0.8, 0.95])
@pytest.mark.parametrize("n_items", [10, 50])
def test_the_interval_holds_the_true_kappa_about_as_often_as_it_says(kappa, n_items):
    estimates = estimate_kappas(make_table(n_items, kappa, np.random.default_rng(3), 500), np.random.default_rng(4))
    known = [one for one in estimates if np.isfinite(one.value)]
    covered = np.mean([one.low <= kappa <= one.high for one in known])
    assert covered >= 0.92  # 95 are stated of 100; 500 tables measure that to 3 of 100


def make_group(n_items: int, people: list[int], agreement: float, rng: np.random.Generator) -> np.ndarray:
    """Items of which `agreement` are told alike by all, and the rest by each person for themselves."""
    habits, n_people = [0.7, 0.3], rng.choice(people, size=n_items)
    together = n_people[:, np.newaxis] * rng.multinomial(1, habits, size=n_items)
    return np.where(rng.random((n_items, 1)) < agreement, together, rng.multinomial(n_people, habits))


@pytest.mark.parametrize("agreement", [0.0, 0.4, 0.8, 0.95])
@pytest.mark.parametrize(
    ("estimate", "people"), [(estimate_alpha, [2]), (estimate_alpha, [2, 3, 4, 5]), (estimate_fleiss, [2])]
)
def test_the_interval_of_a_group_holds_the_truth_as_often_as_it_says(estimate, people, agreement):
    rng = np.random.default_rng(11)
    estimates = [estimate(make_group(20, people, agreement, rng), rng) for _ in range(150)]
    known = [one for one in estimates if np.isfinite(one.value)]
    covered = np.mean([one.low <= agreement <= one.high for one in known])
    assert len(known) > 100
    assert covered >= 0.90  # 95 are stated of 100; 150 groups measure that to 5 of 100


def test_the_interval_of_two_who_always_agreed_can_be_wrong_below():
    (sure,) = estimate_kappas(np.array([[[6, 0], [0, 6]]]), np.random.default_rng(0))
    assert sure.value == sure.high == 1.0
    assert 0.4 < sure.low < 0.95


def test_the_interval_of_two_who_never_agreed_can_be_wrong_above():
    (estimate,) = estimate_kappas(np.array([[[0, 6], [6, 0]]]), np.random.default_rng(0))
    assert estimate.value == estimate.low == -1.0
    assert estimate.high > -0.95


@pytest.mark.parametrize("n_items", [1, 5, MIN_ITEMS - 1])
def test_below_ten_items_nothing_is_said_about_anybody(n_items):
    table = np.array([[[n_items - 1, 0], [0, 1]]])
    counts = np.array([[2, 0]] * (n_items - 1) + [[0, 2]])
    rng = np.random.default_rng(0)
    for estimate in (*estimate_kappas(table, rng), estimate_alpha(counts, rng), estimate_fleiss(counts, rng)):
        assert np.isnan([estimate.value, estimate.low, estimate.high]).all()


def test_many_people_are_measured_at_once_as_each_is_alone():
    tables = make_table(40, 0.6, np.random.default_rng(5), 300)
    estimates = estimate_kappas(tables, np.random.default_rng(6))
    assert [one.value for one in estimates] == pytest.approx([cohen_kappa(table) for table in tables])
    (alone,) = estimate_kappas(tables[:1], np.random.default_rng(7))
    assert (alone.low, alone.high) == pytest.approx((estimates[0].low, estimates[0].high), abs=0.08)


def test_nobody_to_measure_is_no_trouble():
    assert estimate_kappas(np.zeros((0, 3, 3), dtype=np.int64), np.random.default_rng(0)) == []


@pytest.mark.parametrize(
    ("estimate", "statistic"), [(estimate_alpha, krippendorff_alpha), (estimate_fleiss, fleiss_kappa)]
)
def test_the_interval_holds_the_value_and_shrinks_with_items(estimate, statistic):
    counts = np.random.default_rng(8).multinomial(2, [0.6, 0.4], size=30)
    few, many = (estimate(np.tile(counts, (n, 1)), np.random.default_rng(2)) for n in (1, 9))
    assert few.value == pytest.approx(statistic(counts))
    assert few.low < few.value < few.high
    assert many.high - many.low < (few.high - few.low) / 2


def test_alpha_of_items_with_gaps_has_an_interval_around_krippendorffs_own_value():
    estimate = estimate_alpha(KRIPPENDORFF, np.random.default_rng(0))
    assert estimate.value == pytest.approx(0.743, abs=5e-4)
    assert 0.3 < estimate.low < 0.743 < estimate.high < 1.0


def test_full_agreement_on_ten_items_is_not_told_as_certain():
    estimate = estimate_alpha(np.array([[2, 0], [0, 2]] * 5), np.random.default_rng(0))
    assert estimate.value == 1.0
    assert estimate.low < 0.9


def test_where_everybody_says_one_class_there_is_no_figure():
    counts = np.array([[2, 0]] * 20)
    rng = np.random.default_rng(2)
    for estimate in (estimate_alpha(counts, rng), estimate_fleiss(counts, rng)):
        assert np.isnan([estimate.value, estimate.low, estimate.high]).all()
