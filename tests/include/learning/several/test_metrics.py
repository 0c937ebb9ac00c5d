import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score, log_loss, roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from include.learning.several.decisions import decisions_of
from include.learning.several.metrics import Candidate, confusion, make_candidates, measure, measure_classes
from include.learning.several.targets import Targets
from include.problems.sections.learning import Value
from include.stats.bootstrap import draw_blocks
from tests.include.learning.several.conftest import KINDS, LABEL

RNG = np.random.default_rng(1)
P = RNG.dirichlet([1.0, 1.0, 1.0], 400)
CODES = np.array([RNG.choice(3, p=row) for row in P])
TARGETS = Targets(tuple(KINDS), np.eye(3, dtype=bool)[CODES], False)
MANY = Targets(tuple(KINDS), RNG.random((400, 3)) < P, True)
RESAMPLES = draw_blocks(np.arange(400) // 10, np.random.default_rng(0))
ONE = Candidate("model", P, np.zeros(400))


def test_figures_over_all_classes_equal_those_of_scikit_learn():
    found = {row["metric"]: row for row in measure(TARGETS, ONE, RESAMPLES)}
    assert found["log_loss"]["value"] == pytest.approx(log_loss(CODES, P))
    assert found["macro_f1"]["value"] == pytest.approx(f1_score(CODES, P.argmax(axis=1), average="macro"))
    assert found["auc"]["value"] == pytest.approx(roc_auc_score(CODES, P, multi_class="ovr"))
    each = [log_loss(place == CODES, P[:, place]) for place in range(3)]
    assert found["macro_log_loss"]["value"] == pytest.approx(np.mean(each))
    assert all(
        row["low"] < row["value"] < row["high"] for name, row in found.items() if name not in ("ece", "expected_profit")
    )


def test_figures_over_several_labels_equal_those_of_scikit_learn():
    found = {row["metric"]: row for row in measure(MANY, ONE, RESAMPLES)}
    each = [log_loss(MANY.flags[:, place], P[:, place]) for place in range(3)]
    assert found["log_loss"]["value"] == found["macro_log_loss"]["value"] == pytest.approx(np.mean(each))
    assert found["macro_f1"]["value"] == pytest.approx(f1_score(MANY.flags, P >= 0.5, average="macro"))


def test_a_class_has_its_own_figures_and_an_absent_one_no_recall():
    flags = TARGETS.flags.copy()
    flags[CODES == 2] = [True, False, False]
    rows = measure_classes(Targets(tuple(KINDS), flags, False), ONE, RESAMPLES)
    by_class = {(row["class_name"], row["metric"]): row for row in rows}
    assert ("rose", "recall") not in by_class
    assert ("rose", "auc") not in by_class
    assert by_class["moss", "recall"]["n_rows"] == int((CODES == 1).sum())
    assert by_class["moss", "log_loss"]["value"] == pytest.approx(log_loss(CODES == 1, P[:, 1]))


def test_confusion_counts_and_intervals_equal_independent_ones():
    rows = confusion(TARGETS, P)
    table = confusion_matrix(CODES, P.argmax(axis=1))
    assert [row["n_rows"] for row in rows] == table.ravel().tolist()
    low, high = proportion_confint(table[0, 1], table[0].sum(), method="wilson")
    assert (rows[1]["low"], rows[1]["high"]) == (pytest.approx(low), pytest.approx(high))


def test_each_of_several_labels_has_a_table_of_its_own():
    rows = confusion(MANY, P)
    assert len(rows) == 3 * 4
    assert sum(row["n_rows"] for row in rows) == 3 * 400
    assert {row["true_class"] for row in rows} == {*KINDS, *(f"not {name}" for name in KINDS)}


def test_candidates_are_the_dummy_and_the_model_before_and_after_calibration(fitted_plants):
    decisions = decisions_of(LABEL, Value(unit="x"), has_reviewers=False)
    heldout = fitted_plants.heldout
    targets = Targets(
        tuple(KINDS), np.array([[name == label for name in KINDS] for label in heldout["_labels"]]), False
    )
    found = make_candidates(heldout, targets, decisions, "scorecard")
    assert list(found) == ["dummy", "scorecard_uncalibrated", "scorecard"]
    assert found["scorecard"].profit.mean() > found["dummy"].profit.mean()
