import numpy as np
import pytest

from include.errors import NotEnoughLabels
from include.learning.several.class_folds import deal_folds, learnable, require_two_classes, shares_of
from include.learning.several.targets import Targets


def of(*codes):
    return Targets(("a", "b", "c"), np.eye(3, dtype=bool)[np.array(codes)], False)


def test_a_class_with_one_row_keeps_its_share_and_is_said():
    learned, shares, said = learnable(of(*[0] * 30, *[1] * 20, 2))
    assert learned.tolist() == [0, 1]
    assert shares.tolist() == pytest.approx([0, 0, 2 / 54])
    assert said == [
        "'c' has 1 of 51 rows to learn from, fewer than 5; every row gets its share, 0.0370, until there are more."
    ]


def test_one_class_alone_is_no_question():
    with pytest.raises(NotEnoughLabels, match=r"are of 1 of 3 classes \(b\)"):
        require_two_classes(of(1, 1), "fit on")
    with pytest.raises(NotEnoughLabels, match=r"1 of 3 classes have 5 rows or more to learn from \(a 9, b 4, c 0\)"):
        learnable(of(*[0] * 9, *[1] * 4))


def test_no_class_is_impossible_for_the_dummy():
    assert shares_of(of(0, 0, 1)).tolist() == pytest.approx([3 / 6, 2 / 6, 1 / 6])


def test_groups_stay_in_one_fold_and_every_fold_has_each_common_class():
    targets = of(*([0, 1] * 20), 2, 2)
    groups = np.append(np.repeat(np.arange(20), 2), [20, 20])
    is_measured = np.ones(42, dtype=bool)
    is_measured[:4] = False
    folds = deal_folds(targets, is_measured, groups, 7)
    assert (folds[:4] == -1).all()
    assert all(len(set(folds[groups == group])) == 1 for group in range(2, 21))
    assert all(set(targets.codes[folds == fold]) >= {0, 1} for fold in range(5))


def test_too_few_labels_by_chance_are_counted_by_class():
    with pytest.raises(NotEnoughLabels, match=r"1 of 3 classes have 5 labels chosen by chance \(a 6, b 4, c 0\)"):
        deal_folds(of(*[0] * 6, *[1] * 4), np.ones(10, dtype=bool), np.arange(10), 7)


def test_fewer_groups_than_folds_are_counted():
    with pytest.raises(NotEnoughLabels, match="20 labels are of 4 groups"):
        deal_folds(of(*[0, 1] * 10), np.ones(20, dtype=bool), np.arange(20) % 4, 7)
