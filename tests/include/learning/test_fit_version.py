"""Training points that are fitted on a real lake and registered in a real warehouse."""

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from include.errors import NotEnoughLabels, NotInLake
from include.lake.reading import current_snapshot
from include.learning import fit_version
from include.learning.data.columns import BLOCK, IS_POSITIVE, IS_RANDOM
from include.learning.evaluation.benchmark import resample_heldout
from include.learning.registry import artifacts, versions
from include.names import ROW_KEY, events_table
from include.problems.reading import load_problem
from include.problems.sections.computed import Lag
from include.settings import read_settings
from include.warehouse.tables.explaining import MODEL_NOTE
from include.warehouse.tables.learning import LEARNING_CURVE, MODEL_METRIC
from tests.include.learning.conftest import make_mails


def test_a_point_behind_a_gap_is_refused_by_its_name(house, trips):
    problem = trips(["2013-01", "2013-02", "2013-03"])
    with pytest.raises(NotInLake, match=r"late: training point 2013-09 is not published without a gap"):
        fit_version.fit_on_log(problem, "2013-09")


def test_what_was_fitted_is_registered_with_intervals_and_the_rows_it_was_measured_on(house, trips):
    problem = trips(["2013-01", "2013-02", "2013-03"])
    fitted = fit_version.fit_on_log(problem, "2013-03")
    with house.engine.connect() as connection:
        row = versions.read_version(connection, "late", fitted.model_version)
        metrics = connection.execute(select(MODEL_METRIC)).mappings().all()
        notes = {row.topic: row.note for row in connection.execute(select(MODEL_NOTE))}
    heldout = artifacts.load_heldout(versions.models_folder(read_settings(), "late"), row)
    assert row["n_train"] == fitted.n_rows > row["n_evaluate"]
    assert notes["refit"].startswith(f"What serves was fitted once more, on all {fitted.n_rows:,} rows")
    assert {metric["candidate"] for metric in metrics} >= {"dummy", "evening", "gradient_boosting"}
    assert all(metric["low"] <= metric["value"] <= metric["high"] for metric in metrics if metric["metric"] != "ece")
    assert resample_heldout(heldout, np.random.default_rng(0)).n_blocks == 27  # days of a month of trips


def test_mails_that_are_nearly_the_same_are_drawn_together(house, mails, answer, publish):
    _, truth = mails
    items = dict(list(truth.items())[:60])
    rows = make_mails()[0].set_index("mail_id").loc[list(items)[:20]].reset_index()
    copies = rows.assign(mail_id=[f"copy-{key}" for key in rows["mail_id"]])
    publish("mail", "mail_id", copies, "2002-03")
    answer(items | {f"copy-{key}": truth[key] for key in rows["mail_id"]}, "round-001")
    fitted = fit_version.fit_on_answers(load_problem("mail"), "round-001")
    with house.engine.connect() as connection:
        row = versions.read_version(connection, "mail", fitted.model_version)
    heldout = artifacts.load_heldout(versions.models_folder(read_settings(), "mail"), row).set_index(ROW_KEY)
    assert len(heldout) == 80
    assert heldout[BLOCK].nunique() == 60
    assert all(heldout.loc[key, BLOCK] == heldout.loc[f"copy-{key}", BLOCK] for key in rows["mail_id"])


def test_an_answer_about_a_row_that_is_gone_teaches_nothing(house, mails):
    settled = pd.DataFrame({"item_id": ["m0001", "erased"], "is_positive": [True, False], "is_random": True})
    snapshot = current_snapshot(events_table("mail"))
    rows = fit_version.join_answers(load_problem("mail"), settled, ["2002-01", "2002-02"], snapshot)
    assert rows[[ROW_KEY, IS_POSITIVE, IS_RANDOM]].to_numpy().tolist() == [["m0001", True, True]]


def test_rows_of_which_nothing_could_be_joined_are_counted(house, trips):
    problem = trips(["2013-01"])
    lags = {"busy": Lag(per="place", over="P7D", sql="count(*)")}
    source = problem.source.model_copy(update={"lags": lags})
    rows = pd.DataFrame({"busy": [1.0, None, None], "other": [None, 1.0, 2.0]})
    lagged = problem.model_copy(update={"source": source})
    assert fit_version.say_missing(lagged, rows) == "2 of 3 rows have no busy."
    assert fit_version.say_missing(lagged, rows[:1]) == ""
    assert fit_version.say_missing(problem, rows) == ""


def test_one_delivery_without_order_in_time_is_measured_out_of_fold(house, trips):
    problem = trips(["2013-01"])
    with pytest.raises(NotEnoughLabels, match=r"1 partitions cannot be .* write training\.split: folds"):
        fit_version.fit_on_log(problem, "2013-01")
    folds = problem.training.model_copy(update={"split": "folds"})
    fitted = fit_version.fit_on_log(problem.model_copy(update={"training": folds}), "2013-01")
    with house.engine.connect() as connection:
        row = versions.read_version(connection, "late", fitted.model_version)
        n_points = connection.execute(select(LEARNING_CURVE)).all()
    heldout = artifacts.load_heldout(versions.models_folder(read_settings(), "late"), row)
    assert len(heldout) == row["n_train"] == row["n_evaluate"] == fitted.n_rows
    assert n_points == []
