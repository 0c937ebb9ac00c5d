import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from include.errors import NotEnoughLabels
from include.learning.data.features import build_features
from include.learning.data.splits import split_by_time
from include.learning.several.class_folds import deal_folds
from include.learning.several.fit_classes import fit_classes_by_folds, fit_classes_by_time
from include.learning.several.heldout import table_of, targets_in
from include.learning.several.targets import read_targets, row_surprise
from include.problems.sections.learning import Training
from tests.include.learning.several.conftest import KINDS, TRAINING, make_rows


def loss(heldout, column):
    targets = targets_in(heldout, KINDS, is_multiple=False)
    return row_surprise(targets, table_of(heldout, column, KINDS)).mean()


def test_the_model_is_measured_on_the_last_partition_and_beats_the_dummy(fitted_plants):
    heldout = fitted_plants.heldout
    assert set(heldout["_partition_key"]) == {"2013-06"}
    assert loss(heldout, "p_model") < loss(heldout, "p_dummy") - 0.2
    assert fitted_plants.n_train == len(make_rows())
    assert f"the {len(heldout)} held-out ones among them" in fitted_plants.refit


def test_what_serves_has_learned_from_held_out_rows_and_what_answered_has_not(fitted_plants):
    rows = make_rows()
    is_last = rows["_partition_key"] == "2013-06"
    rows.loc[is_last, "_labels"] = rows.loc[is_last, "_labels"].to_numpy()[::-1]
    targets, _ = read_targets(rows["_labels"], KINDS, is_multiple=False)
    split = split_by_time(sorted(set(rows["_partition_key"])), 3)
    again = fit_classes_by_time(rows, targets, split, TRAINING)
    assert (
        table_of(again.heldout, "p_model", KINDS).tolist() == table_of(fitted_plants.heldout, "p_model", KINDS).tolist()
    )
    frame = build_features(rows, fitted_plants.spec)
    assert (again.model.predict_proba(frame) != fitted_plants.model.predict_proba(frame)).any()


def test_without_a_refit_what_answered_serves():
    rows = make_rows()
    targets, _ = read_targets(rows["_labels"], KINDS, is_multiple=False)
    split = split_by_time(sorted(set(rows["_partition_key"])), 3)
    fitted = fit_classes_by_time(rows, targets, split, TRAINING.model_copy(update={"refit": "none"}))
    assert fitted.n_train + fitted.n_calibrate + len(fitted.heldout) == len(rows)
    assert fitted.refit == ""
    frame = build_features(rows[rows["_partition_key"] == "2013-06"], fitted.spec)
    assert fitted.model.predict_proba(frame) == pytest.approx(table_of(fitted.heldout, "p_model", KINDS))


def test_one_pair_is_chosen_and_it_is_hardly_more_surprised_than_the_best(fitted_plants):
    chosen = [choice for choice in fitted_plants.choices if choice.is_chosen]
    assert len(chosen) == 1
    assert chosen[0].log_loss_nats <= min(choice.log_loss_nats for choice in fitted_plants.choices) + 0.05
    assert {choice.calibration for choice in fitted_plants.choices} == {"none", "temperature", "vector"}


def test_the_same_rows_give_the_same_model_and_other_ones_another(fitted_plants):
    rows = make_rows()
    targets, _ = read_targets(rows["_labels"], KINDS, is_multiple=False)
    split = split_by_time(sorted(set(rows["_partition_key"])), 3)
    again = fit_classes_by_time(rows, targets, split, TRAINING)
    assert again.heldout.equals(fitted_plants.heldout)
    other = fit_classes_by_time(rows, targets, split, TRAINING.model_copy(update={"calibration": "none"}))
    assert other.calibration == "none"


def test_labels_of_people_are_measured_out_of_fold_where_chance_chose_them():
    rows = make_rows(160)
    rows["_is_random"] = np.arange(len(rows)) % 2 == 0
    targets, _ = read_targets(rows["_labels"], KINDS, is_multiple=False)
    fitted = fit_classes_by_folds(rows, targets, TRAINING)
    assert sorted(fitted.heldout["_row_key"]) == sorted(rows["_row_key"][rows["_is_random"]])
    assert loss(fitted.heldout, "p_model") < loss(fitted.heldout, "p_dummy")


def test_a_month_of_one_class_is_refused_with_its_name():
    rows = make_rows()
    rows.loc[rows["_partition_key"] == "2013-06", "_labels"] = "rose"
    targets, _ = read_targets(rows["_labels"], KINDS, is_multiple=False)
    with pytest.raises(NotEnoughLabels, match=r"rows to measure on are of 1 of 3 classes \(rose\)"):
        fit_classes_by_time(rows, targets, split_by_time(sorted(set(rows["_partition_key"])), 3), TRAINING)


def test_a_class_with_one_row_is_said_and_every_row_still_sums_to_one():
    rows = make_rows()
    rows.loc[rows["_labels"] == "rose", "_labels"] = "fern"
    rows.loc[0, "_labels"] = "rose"
    targets, _ = read_targets(rows["_labels"], KINDS, is_multiple=False)
    fitted = fit_classes_by_time(rows, targets, split_by_time(sorted(set(rows["_partition_key"])), 3), TRAINING)
    assert fitted.said[0].startswith("'rose' has 1 of")
    assert table_of(fitted.heldout, "p_model", KINDS).sum(axis=1) == pytest.approx(1.0)


def test_three_wines_are_told_apart_no_worse_than_by_the_usual_pipelines():
    wine = load_wine(as_frame=True)
    features = {"numeric": [name.replace("/", "_") for name in wine.data.columns]}
    frame = wine.data.rename(columns=lambda name: name.replace("/", "_"))
    labels = [f"class {value}" for value in wine.target]
    order = np.random.default_rng(0).permutation(len(frame))
    rows = frame.iloc[order].reset_index(drop=True)
    rows = rows.assign(_row_key=[f"r{at:03d}" for at in range(len(rows))], _partition_key="p", _block=range(len(rows)))
    rows = rows.assign(_is_random=True, _labels=np.array(labels)[order])
    classes = sorted(set(labels))
    targets, _ = read_targets(rows["_labels"], classes, is_multiple=False)
    heldout = fit_classes_by_folds(rows, targets, Training(model="scorecard", features=features)).heldout
    ours = row_surprise(targets_in(heldout, classes, is_multiple=False), table_of(heldout, "p_model", classes)).mean()
    plain = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    folds = deal_folds(targets, np.ones(len(rows), dtype=bool), np.arange(len(rows)), 7)
    for pipeline in (plain, CalibratedClassifierCV(plain, cv=5)):
        p = np.zeros(targets.flags.shape)
        for fold in range(5):
            pipeline.fit(rows.loc[folds != fold, features["numeric"]], targets.codes[folds != fold])
            p[folds == fold] = pipeline.predict_proba(rows.loc[folds == fold, features["numeric"]])
        assert ours <= row_surprise(targets, p).mean() + 0.005


def test_where_no_refit_can_be_calibrated_what_was_measured_serves():
    rows = make_rows()
    rows["site"] = np.arange(len(rows)) % 4
    targets, _ = read_targets(rows["_labels"], KINDS, is_multiple=False)
    grouped = TRAINING.model_copy(update={"group": "site"})
    fitted = fit_classes_by_time(rows, targets, split_by_time(sorted(set(rows["_partition_key"])), 3), grouped)
    assert (fitted.refit, fitted.n_train < len(rows)) == ("", True)
    assert any("was not fitted once more" in sentence for sentence in fitted.said)
