import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from include.learning.checks import Check
from include.learning.data.columns import BLOCK, IS_POSITIVE
from include.learning.evaluation import first_model as room

PASSES = Check("earns_more_than_dummy", True, 1.0, 0.0, "It earns more.")
OFF = Check("is_calibrated", False, 0.2, 0.1, "The probabilities are 0.200 off.")
OFF_FERN = Check("is_calibrated_fern", False, 0.3, 0.1, "fern: the probabilities are 0.300 off.")
LOSES = Check("earns_more_than_rule", False, -1.0, 0.0, "It earns less.")


def make_heldout(n_days: int = 30, n_rows: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    odds = rng.normal(size=n_days * n_rows)
    is_positive = rng.random(len(odds)) < expit(odds - 1.5)
    scores = expit(odds)
    columns = {BLOCK: np.repeat(np.arange(n_days), n_rows), IS_POSITIVE: is_positive, "p_uncalibrated": scores}
    return pd.DataFrame(columns | {"p_model": np.sqrt(scores)})


@pytest.mark.parametrize(
    ("checks", "is_so"),
    [
        ([PASSES, OFF], True),
        ([PASSES, OFF_FERN, OFF], True),
        ([PASSES], False),
        ([PASSES, OFF, LOSES], False),
        ([], False),
    ],
)
def test_only_what_failed_by_calibration_alone_is_merely_off(checks: list[Check], is_so: bool):
    assert room.is_merely_off(checks) is is_so


def test_what_is_let_through_keeps_its_figures_and_says_why():
    kept, allowed = room.allow_off([PASSES, OFF])
    assert kept is PASSES
    assert (allowed.is_pass, allowed.value, allowed.bound) == (True, 0.2, 0.1)
    assert allowed.detail.endswith("with an alert: training.gate.first is serve_with_alert.")


def test_new_answers_happen_and_the_old_ones_are_kept():
    heldout = make_heldout()
    answered, score_map = room.recalibrate(heldout, 7)
    assert answered["p_model"].mean() == pytest.approx(heldout[IS_POSITIVE].mean(), abs=0.01)
    assert (answered[room.BEFORE] == heldout["p_model"]).all()
    assert score_map is not None
    assert score_map.predict(np.array([0.5]))[0] == pytest.approx(expit(-1.5), abs=0.04)


def test_a_refitted_model_is_first_judged_as_it_serves():
    heldout = make_heldout()
    [(_, own)] = room.recalibrations(heldout, 7)
    assert own is not None
    refitted = heldout.assign(p_recalibrated=heldout["p_uncalibrated"] / 2)
    (answered, nothing), (_, own) = room.recalibrations(refitted, 7)
    assert (nothing is None, own is not None) == (True, True)
    assert (answered["p_model"] == refitted["p_recalibrated"]).all()
    pd.testing.assert_frame_equal(room.as_fitted(answered), refitted)


def test_no_day_teaches_the_calibrator_that_answers_for_it():
    heldout = make_heldout()
    first, _ = room.recalibrate(heldout, 7)
    is_first_day = heldout[BLOCK] == 0
    heldout.loc[is_first_day, IS_POSITIVE] = True
    second, _ = room.recalibrate(heldout, 7)
    assert (first["p_model"][is_first_day] == second["p_model"][is_first_day]).all()
    assert (first["p_model"] != second["p_model"]).any()


def test_another_seed_deals_the_days_anew():
    answers = [room.recalibrate(make_heldout(), seed)[0]["p_model"] for seed in (7, 8)]
    assert (answers[0] != answers[1]).any()


def test_what_was_recalibrated_is_judged_anew_by_what_it_was():
    heldout = make_heldout()
    answered, _ = room.recalibrate(heldout, 7)
    pd.testing.assert_frame_equal(room.as_fitted(answered), heldout)
    assert room.as_fitted(heldout) is heldout


def test_days_of_one_class_keep_their_answers():
    heldout = make_heldout().assign(**{IS_POSITIVE: lambda rows: rows[BLOCK] == 0})
    is_first_day = heldout[BLOCK] == 0
    answered, _ = room.recalibrate(heldout, 7)
    assert (answered["p_model"][is_first_day] == heldout["p_model"][is_first_day]).all()


def test_the_sentences_hold_both_figures_and_who_watches():
    after = Check("is_calibrated", True, 0.01, 0.1, "")
    assert "were 0.200 off, 0.100 is allowed" in room.say_recalibrated(OFF, after, 400, is_replaced=True)
    assert "on its 400 held-out rows alone (sigmoid) and is 0.010 off" in room.say_recalibrated(
        OFF, after, 400, is_replaced=True
    )
    assert "with its 400 held-out rows and is" in room.say_recalibrated(OFF, after, 400, is_replaced=False)
    said = room.say_served_off(room.allow_off([PASSES, OFF]), is_watched=True)
    assert said.startswith("It serves although it is off. The probabilities are 0.200 off.")
    assert said.endswith("An alert stands until another version serves.")
    assert "for want of a section monitor" in room.say_served_off([OFF], is_watched=False)


@pytest.mark.parametrize(("value", "bound", "is_so"), [(0.2, 0.1, True), (0.1, 0.1, False), (None, 0.1, False)])
def test_off_is_more_than_the_bound(value: float | None, bound: float, is_so: bool):
    assert room.is_off(Check("is_calibrated", True, value, bound, "")) is is_so
