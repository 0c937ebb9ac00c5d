import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa as statsmodels_cohen
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from include.errors import MulgilError
from include.review.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha, one_against_rest, with_interval

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


def test_the_interval_holds_the_value_and_shrinks_with_items():
    few, many = (with_interval(fleiss_kappa, np.tile(FLEISS, (n, 1)), np.random.default_rng(2), 400) for n in (1, 9))
    assert few.low < few.value < few.high
    assert many.high - many.low < (few.high - few.low) / 2


def test_where_no_draw_gives_a_figure_there_is_no_interval():
    estimate = with_interval(krippendorff_alpha, np.array([[2, 0], [2, 0]]), np.random.default_rng(2), 10)
    assert np.isnan([estimate.value, estimate.low, estimate.high]).all()
