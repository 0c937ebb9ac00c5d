import numpy as np

from include.learning.several.suspects import find_suspected
from include.learning.several.targets import Targets


def test_the_label_that_contradicts_a_sure_model_comes_first():
    p = np.array([[0.9, 0.05, 0.05]] * 5 + [[0.05, 0.9, 0.05]] * 5 + [[0.05, 0.05, 0.9]] * 5)
    codes = np.repeat([0, 1, 2], 5)
    codes[7] = 2
    found = find_suspected(Targets(("a", "b", "c"), np.eye(3, dtype=bool)[codes], False), p)
    assert [(place, labels) for place, labels, _ in found] == [(7, ("b",))]
    assert found[0][2] == 0.05


def test_of_several_labels_the_suspected_one_alone_is_changed():
    p = np.array([[0.9, 0.9]] * 4 + [[0.1, 0.1]] * 4)
    flags = p > 0.5
    flags[0] = [True, False]
    flags[6] = [False, True]
    found = find_suspected(Targets(("a", "b"), flags, True), p)
    assert {place: labels for place, labels, _ in found} == {0: ("a", "b"), 6: ()}
