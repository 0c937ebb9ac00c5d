import numpy as np
import pytest

from include.learning.several.decisions import (
    ASK,
    choose_actions,
    choose_labels,
    decisions_of,
    expected_payoff,
    is_asked,
    profit_of,
)
from include.learning.several.targets import Targets
from include.problems.sections.learning import Label, Value

THREE = Label(classes=["a", "b", "c"], source="desk")
MANY = Label(classes=["a", "b", "c"], source="desk", multiple=True)
FOUR = {"true_positive": 1, "false_positive": -1, "true_negative": 0, "false_negative": -1}
P = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])


def test_without_a_payoff_the_likeliest_class_is_chosen_and_earns_one():
    decisions = decisions_of(THREE, Value(unit="x"), has_reviewers=False)
    assert choose_actions(P, decisions) == ["a", "c"]
    targets = Targets(("a", "b", "c"), np.array([[False, True, False], [False, False, True]]), False)
    assert profit_of(P, targets, decisions).tolist() == [0.0, 1.0]


def test_an_action_that_pays_more_is_taken_though_its_class_is_less_likely():
    payoff = {"a": {"go": 1, "stay": 0}, "b": {"go": -10, "stay": 0}, "c": {"go": 1, "stay": 0}}
    decisions = decisions_of(THREE, Value(unit="x", payoff=payoff), has_reviewers=False)
    assert expected_payoff(P, decisions)[0].tolist() == pytest.approx([0.5 - 3 + 0.2, 0.0])
    assert choose_actions(P, decisions) == ["stay", "stay"]


def test_a_person_is_asked_where_knowing_earns_more_than_it_costs():
    cheap = decisions_of(THREE, Value(unit="x", review=-0.3), has_reviewers=True)
    assert is_asked(P, cheap).tolist() == [True, False]  # knowing earns 0.5 and 0.2 more
    assert choose_actions(P, cheap) == [ASK, "c"]
    targets = Targets(("a", "b", "c"), np.array([[False, True, False], [False, False, True]]), False)
    assert profit_of(P, targets, cheap).tolist() == pytest.approx([0.7, 1.0])
    alone = decisions_of(THREE, Value(unit="x", review=-0.3), has_reviewers=False)
    assert not is_asked(P, alone).any()


def test_each_label_is_acted_on_from_its_threshold_and_earns_by_itself():
    decisions = decisions_of(MANY, Value(unit="x", **FOUR), has_reviewers=False)
    assert decisions.policy.act_from == pytest.approx(1 / 3)
    assert choose_labels(P, decisions).tolist() == [[True, False, False], [False, False, True]]
    assert choose_actions(np.vstack([P, [[0.1, 0.1, 0.1]]]), decisions) == ["a", "c", ""]
    targets = Targets(("a", "b", "c"), np.array([[True, True, False], [False, False, False]]), True)
    assert profit_of(P, targets, decisions).tolist() == [0.0, -1.0]
