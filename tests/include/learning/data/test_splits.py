import numpy as np
import pytest

from include.errors import NotEnoughLabels
from include.learning.data.splits import (
    assign_folds,
    search_folds,
    settle_straddlers,
    split_by_time,
    teaches,
    training_points,
)


def months(n: int) -> list[str]:
    return [f"2013-{number:02d}" for number in range(1, n + 1)]


@pytest.mark.parametrize(
    ("n", "sizes"), [(3, (1, 1, 1)), (5, (3, 1, 1)), (6, (3, 2, 1)), (12, (9, 2, 1)), (24, (18, 4, 2))]
)
def test_sizes_of_the_parts(n: int, sizes: tuple[int, int, int]):
    split = split_by_time([f"{number:03d}" for number in range(n)], every=9)
    assert (len(split.fit), len(split.calibrate), len(split.evaluate)) == sizes


def test_every_partition_is_in_one_part_and_time_only_moves_on():
    split = split_by_time(months(11), every=3)
    assert [*split.fit, *split.calibrate, *split.evaluate] == months(11)


def test_no_more_is_measured_on_than_came_since_the_last_training():
    assert len(split_by_time([f"{number:03d}" for number in range(48)], every=1).evaluate) == 1
    assert len(split_by_time([f"{number:03d}" for number in range(48)], every=4).evaluate) == 4


def test_two_partitions_are_too_few_and_the_sentence_says_three():
    with pytest.raises(NotEnoughLabels, match=r"2 partitions.*3 are the least"):
        split_by_time(months(2), every=1)


def test_training_points_start_at_the_first_and_repeat():
    assert training_points(months(13), first=6, every=3) == ["2013-06", "2013-09", "2013-12"]
    assert training_points(months(5), first=6, every=3) == []
    assert training_points(months(7), first=6, every=1) == ["2013-06", "2013-07"]


def test_folds_hold_both_classes_and_leave_out_rows_that_only_teach():
    is_positive = np.arange(60) % 4 == 0
    is_evaluated = np.arange(60) < 40
    folds = assign_folds(is_positive, is_evaluated, 5, seed=1)
    assert (folds[~is_evaluated] == -1).all()
    for fold in range(5):
        assert (is_positive[folds == fold].sum(), (folds == fold).sum()) == (2, 8)


def test_a_group_is_in_one_fold_and_never_teaches_its_own_model():
    is_positive, groups = np.arange(80) % 4 == 0, np.arange(80) // 8 * 2 + np.arange(80) % 2
    is_evaluated = np.arange(80) % 8 < 6
    folds = assign_folds(is_positive, is_evaluated, 5, seed=1, groups=groups)
    assert all(len(set(folds[is_evaluated & (groups == group)])) == 1 for group in set(groups))
    for fold in range(5):
        taught = teaches(folds, groups, fold)
        assert set(groups[taught]).isdisjoint(groups[folds == fold])
        assert taught.sum() == 80 - np.isin(groups, groups[folds == fold]).sum()


def test_rows_that_belong_together_count_once():
    is_positive, groups = np.array([True] * 8 + [False] * 40), np.array([0] * 5 + [*range(1, 44)])
    with pytest.raises(NotEnoughLabels, match=r"4 of 48 labels .* rarer class \(rows that belong together count once"):
        assign_folds(is_positive, np.ones(48, dtype=bool), 5, seed=1, groups=groups)


def test_a_group_on_both_sides_stays_on_one_and_lone_rows_stay():
    part = np.array([0, 0, 0, 1, 1, 2, 2])
    groups = np.array([0, 1, 2, 1, 3, 1, 4])
    for seed in range(10):
        stays = settle_straddlers(part, groups, seed)
        assert len(set(part[stays & (groups == 1)])) == 1
        assert stays[groups != 1].all()
    homes = {int(part[settle_straddlers(part, groups, seed) & (groups == 1)][0]) for seed in range(20)}
    assert homes == {0, 1, 2}  # not always the same side, or a part would run empty
    assert settle_straddlers(part[:0], groups[:0], 1).tolist() == []


def test_settings_are_compared_on_a_partition_whose_groups_nobody_knows():
    partitions = np.repeat(["2013-01", "2013-02", "2013-03"], 20)
    alone = np.arange(60)
    assert search_folds(partitions, alone, 5, seed=1).tolist() == [-1] * 40 + [0] * 20
    people = np.tile(np.arange(10), 6)  # everybody has rows in every month
    for seed in range(10):
        folds = search_folds(partitions, people, 5, seed)
        asked, taught = set(people[folds == 0]), set(people[teaches(folds, people, 0)])
        assert asked
        assert taught
        assert not asked & taught
        assert set(partitions[folds == 0]) == {"2013-03"}
    assert len({tuple(search_folds(partitions, people, 5, seed)) for seed in range(5)}) > 1


def test_with_one_partition_or_one_group_settings_are_compared_on_folds_of_whole_groups():
    one_month, groups = np.repeat(["2013-01"], 12), np.repeat([3, 5, 9], 4)
    assert search_folds(one_month, groups, 2, seed=1).tolist() == [0] * 4 + [1] * 4 + [0] * 4
    assert search_folds(one_month, groups, 3, seed=1).tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert search_folds(np.repeat(["2013-01", "2013-02"], 6), np.zeros(12, dtype=int), 2, 1).tolist() == [0] * 12


def test_folds_follow_the_seed():
    is_positive, all_rows = np.arange(60) % 4 == 0, np.ones(60, dtype=bool)
    first, again, other = (assign_folds(is_positive, all_rows, 5, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_too_few_of_one_class_are_counted_among_measured_rows_only():
    is_positive = np.array([True] * 4 + [False] * 20 + [True] * 20)
    is_evaluated = np.array([True] * 24 + [False] * 20)
    with pytest.raises(NotEnoughLabels, match=r"4 of 24 labels chosen by chance"):
        assign_folds(is_positive, is_evaluated, 5, seed=1)
