import numpy as np
import pandas as pd
import pytest

from include.errors import NotEnoughLabels
from include.learning.data.features import build_features
from include.learning.data.splits import TimeSplit, teaches
from include.learning.training import fit as room
from include.learning.training.fit import BLOCK, IS_POSITIVE, IS_RANDOM, IS_RULE, fit_by_folds, fit_by_time
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.sections.learning import Features, Training
from tests.include.learning.conftest import make_mails, make_trips

TRIPS = Training(
    model="gradient_boosting",
    features=Features(numeric=["rain_mm", "hour"], categorical=["line"], increasing=["rain_mm"]),
)
ONCE = TRIPS.model_copy(update={"refit": "none"})
MAILS = Training(model="text_logistic", features=Features(text=["subject", "body"]))
SPLIT = TimeSplit(("2013-01", "2013-02"), ("2013-03",), ("2013-04",))


def trip_rows() -> pd.DataFrame:
    parts = [
        make_trips(month).assign(**{PARTITION_KEY: month}) for month in (*SPLIT.fit, *SPLIT.calibrate, *SPLIT.evaluate)
    ]
    rows = pd.concat(parts, ignore_index=True)
    is_late, is_evening = rows["delay_min"] > 15, rows["hour"] >= 20
    return rows.assign(
        **{ROW_KEY: rows["trip_id"], BLOCK: 0, IS_POSITIVE: is_late, IS_RULE: is_evening, IS_RANDOM: True}
    )


def mail_rows(is_random: object = True) -> pd.DataFrame:
    rows, truth = make_mails()
    labels = {IS_POSITIVE: rows["mail_id"].map(truth) == "junk", IS_RULE: rows["body"].str.contains("win")}
    return rows.assign(
        **{ROW_KEY: rows["mail_id"], PARTITION_KEY: "2002-01", BLOCK: range(len(rows)), IS_RANDOM: is_random, **labels}
    )


def test_only_the_last_part_is_held_out_and_the_model_beats_chance_on_it():
    rows = trip_rows()
    fitted = fit_by_time(rows, SPLIT, ONCE)
    assert set(fitted.heldout[PARTITION_KEY]) == {"2013-04"}
    assert (fitted.n_train, fitted.n_calibrate, len(fitted.heldout), fitted.refit) == (800, 400, 400, "")
    late = fitted.heldout[IS_POSITIVE]
    assert fitted.heldout["p_model"][late].mean() > fitted.heldout["p_model"][~late].mean() + 0.2


def test_what_happens_in_the_held_out_part_changes_no_answer():
    rows = trip_rows()
    answers = ["p_dummy", "p_rule", "p_uncalibrated", "p_model"]
    first = fit_by_time(rows, SPLIT, TRIPS).heldout[answers]
    is_last = rows[PARTITION_KEY] == "2013-04"
    rows[IS_POSITIVE] = rows[IS_POSITIVE] ^ is_last
    pd.testing.assert_frame_equal(fit_by_time(rows, SPLIT, TRIPS).heldout[answers], first)


def test_the_calibrating_part_moves_the_probabilities_but_not_the_fit():
    rows = trip_rows()
    first = fit_by_time(rows, SPLIT, ONCE).heldout
    is_calibrating = rows[PARTITION_KEY] == "2013-03"
    rows.loc[is_calibrating, IS_POSITIVE] &= np.random.default_rng(0).random(is_calibrating.sum()) < 0.3
    second = fit_by_time(rows, SPLIT, ONCE).heldout
    assert (first["p_uncalibrated"] == second["p_uncalibrated"]).all()
    assert second["p_model"].mean() < first["p_model"].mean() - 0.1


def test_what_serves_has_learned_from_held_out_rows_and_what_answered_has_not():
    rows = trip_rows()
    first = fit_by_time(rows, SPLIT, TRIPS)
    rows.loc[rows[PARTITION_KEY] == "2013-04", IS_POSITIVE] = rows["hour"] < 10
    second = fit_by_time(rows, SPLIT, TRIPS)
    assert (first.heldout["p_model"] == second.heldout["p_model"]).all()
    frame = build_features(rows, first.spec)
    assert (first.model.predict_proba(frame) != second.model.predict_proba(frame)).any()
    assert (first.n_train, first.n_calibrate) == (1600, 1600)
    assert "on all 1,600 rows, the 400 held-out ones among them" in first.refit
    assert "from 1,200 earlier rows" in first.refit


def test_the_rows_that_calibrated_teach_the_answers_of_a_refit_too():
    rows = trip_rows()
    first = fit_by_time(rows, SPLIT, TRIPS).heldout
    rows.loc[rows[PARTITION_KEY] == "2013-03", IS_POSITIVE] = False
    rows.loc[(rows[PARTITION_KEY] == "2013-03") & (rows["hour"] == 9), IS_POSITIVE] = True
    second = fit_by_time(rows, SPLIT, TRIPS).heldout
    assert (first["p_uncalibrated"] != second["p_uncalibrated"]).any()
    assert second["p_dummy"].iloc[0] < first["p_dummy"].iloc[0]


def test_a_process_that_all_rows_are_too_many_for_serves_as_chosen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room.estimators, "MAX_PROCESS_ROWS", 900)
    rows = trip_rows().groupby(PARTITION_KEY).head(240)
    training = Training(model="gaussian_process", features=Features(numeric=["rain_mm", "hour"]))
    fitted = fit_by_time(rows, SPLIT, training)
    assert (fitted.n_train, fitted.refit) == (480, "")


def test_a_search_of_settings_knows_which_rows_belong_together(monkeypatch: pytest.MonkeyPatch):
    asked = []
    monkeypatch.setattr(room.candidates, "search_settings", lambda *given: asked.append(given) or {})
    rows = trip_rows().assign(person=lambda rows: [f"p{number % 40}" for number in range(len(rows))])
    fit_by_time(rows, SPLIT, TRIPS.model_copy(update={"group": "person"}))
    ((_, folds, groups, _, _),) = asked
    assert len(set(groups)) < 40
    assert set(folds) == {-1, 0}
    assert set(groups[folds == 0]).isdisjoint(groups[teaches(folds, groups, 0)])


@pytest.mark.parametrize(("part", "purpose"), [("2013-03", "calibrate on"), ("2013-04", "measure on")])
def test_a_part_of_one_class_is_refused_by_its_purpose(part: str, purpose: str):
    rows = trip_rows()
    rows.loc[rows[PARTITION_KEY] == part, IS_POSITIVE] = False
    with pytest.raises(NotEnoughLabels, match=f"0 of 400 rows to {purpose}"):
        fit_by_time(rows, SPLIT, TRIPS)


def test_every_label_chosen_by_chance_is_answered_once_out_of_fold():
    is_random = np.arange(120) < 80
    fitted = fit_by_folds(mail_rows(is_random), MAILS)
    assert fitted.heldout[ROW_KEY].tolist() == [f"m{number:04d}" for number in range(80)]
    assert (fitted.n_train, fitted.n_random) == (120, 80)


def test_no_row_teaches_the_model_that_answers_for_it(monkeypatch: pytest.MonkeyPatch):
    seen: list[set[str]] = []
    fit_team = room._fit_team_by_folds

    def spy(rows: pd.DataFrame, groups: np.ndarray, training: Training) -> room.Team:
        seen.append(set(rows[ROW_KEY]))
        return fit_team(rows, groups, training)

    ask = room._ask

    def check(team: room.Team, teaching: pd.DataFrame, held: pd.DataFrame, training: Training) -> pd.DataFrame:
        assert seen[-1] == set(teaching[ROW_KEY])
        assert seen[-1].isdisjoint(held[ROW_KEY])
        return ask(team, teaching, held, training)

    monkeypatch.setattr(room, "_fit_team_by_folds", spy)
    monkeypatch.setattr(room, "_ask", check)
    fit_by_folds(mail_rows(np.arange(120) < 80), MAILS)
    assert [len(rows) for rows in seen] == [120, *[104] * 5, *[64] * 5]


def test_labels_chosen_by_doubt_teach_one_curve_and_not_the_other():
    rows = mail_rows(np.arange(120) < 80)
    first = fit_by_folds(rows, MAILS)
    rows.loc[100:, IS_POSITIVE] = ~rows.loc[100:, IS_POSITIVE]
    second = fit_by_folds(rows, MAILS)
    assert first.heldout_random_only is not None
    assert second.heldout_random_only is not None
    pd.testing.assert_frame_equal(first.heldout_random_only, second.heldout_random_only)
    assert (first.heldout["p_model"] != second.heldout["p_model"]).any()


def test_fitting_twice_gives_the_same_answers_and_another_seed_other_folds():
    rows = mail_rows()
    first, again = (fit_by_folds(rows, MAILS).heldout for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = fit_by_folds(rows, MAILS.model_copy(update={"seed": 8})).heldout
    assert (other["p_model"] != first["p_model"]).any()


def test_labels_of_one_class_are_refused():
    with pytest.raises(NotEnoughLabels, match="0 of 120 labels"):
        fit_by_folds(mail_rows().assign(**{IS_POSITIVE: True}), MAILS)


def test_the_baselines_learn_their_rates_from_labels_chosen_by_chance_alone():
    rows = mail_rows(np.arange(120) < 80)
    before = fit_by_folds(rows, MAILS).heldout[["p_dummy", "p_rule"]]
    rows.loc[80:, IS_POSITIVE] = True
    pd.testing.assert_frame_equal(fit_by_folds(rows, MAILS).heldout[["p_dummy", "p_rule"]], before)


def test_the_dummy_says_one_number_and_the_rule_two():
    heldout = fit_by_folds(mail_rows(), MAILS).heldout
    assert heldout["p_dummy"].nunique() == 1
    assert heldout["p_dummy"][0] == pytest.approx(heldout[IS_POSITIVE].mean(), abs=0.02)
    assert heldout.groupby(IS_RULE)["p_rule"].nunique().tolist() == [1, 1]


@pytest.mark.parametrize(("n_sites", "is_refitted"), [(12, True), (3, False)])
def test_a_group_on_every_day_is_refitted_or_what_was_measured_serves(n_sites: int, is_refitted: bool):
    rows = trip_rows()
    rows = rows.assign(site=np.arange(len(rows)) % n_sites, **{BLOCK: np.arange(len(rows)) // 40})
    fitted = fit_by_time(rows, SPLIT, TRIPS.model_copy(update={"group": "site", "seed": 0}))
    assert bool(fitted.refit) == is_refitted
    assert any("was not fitted once more" in sentence for sentence in fitted.left_out) != is_refitted
    assert len(fitted.heldout) > 0
