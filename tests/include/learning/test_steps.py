"""The train stage and scoring, on a real lake and a real warehouse."""

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import yaml
from sqlalchemy import select, update

from include.errors import NotEnoughLabels, TamperedModel
from include.lake.catalog import find_table
from include.lake.reading import open_rows
from include.learning import steps
from include.learning.registry import versions
from include.names import Coverage, Stage, predictions_table, ranking_table
from include.settings import REPOSITORY
from include.warehouse.coverage import mark, read_statuses
from include.warehouse.tables.explaining import MODEL_NOTE
from include.warehouse.tables.learning import (
    GATE_CHECK,
    LEARNING_CURVE,
    MODEL_EVENT,
    MODEL_METRIC,
    MODEL_VERSION,
    SCORED_PARTITION,
)
from tests.include.learning.conftest import MAIL, make_mails, make_trips

MONTHS = ["2013-01", "2013-02", "2013-03", "2013-04"]


def read(house: Any, table: Any, *columns: str) -> list[tuple[Any, ...]]:
    with house.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*(table.c[name] for name in columns)))]


def train(problem: str, key: str, run_id: str = "run") -> dict[str, Any]:
    plan = steps.plan_training(problem=problem, partition_key=key, run_id=run_id)
    fitted = steps.fit_candidates(problem=problem, partition_key=key, plan=plan, run_id=run_id)
    return steps.decide_promotion(problem=problem, partition_key=key, fitted=fitted, run_id=run_id)


def predictions(problem: str) -> dict[str, dict[str, Any]]:
    return {row["_row_key"]: row for row in open_rows(predictions_table(problem)).to_pyarrow().to_pylist()}


def test_before_the_first_point_no_training_is_due_and_the_reason_counts(house, trips):
    trips(MONTHS[:2])
    plan = steps.plan_training(problem="late", partition_key="2013-02")
    assert (plan["is_due"], plan["points"]) == (False, [])
    assert "2 partitions" in plan["reason"]
    with pytest.raises(NotEnoughLabels, match="no training is due"):
        steps.fit_candidates(problem="late", partition_key="2013-02", plan=plan)


def test_a_gap_holds_training_up_and_a_late_partition_makes_every_point_due(house, trips):
    with house.engine.begin() as connection:
        mark(connection, "late", Stage.LAND, MONTHS[0], Coverage.DONE)
    trips(MONTHS[1:])
    assert not steps.plan_training(problem="late", partition_key="2013-04")["is_due"]
    trips(MONTHS[:1])
    plan = steps.plan_training(problem="late", partition_key="2013-01")
    assert plan["points"] == ["2013-03", "2013-04"]


def test_due_points_are_fitted_and_judged_in_order(house, trips):
    trips(MONTHS)
    decided = train("late", "2013-04")
    assert list(decided["decisions"].values()) == ["promoted", "promoted"]
    assert decided["promoted"]
    assert [row[0][:7] for row in sorted(read(house, MODEL_VERSION, "model_version"))] == ["2013-03", "2013-04"]
    details = [
        row[1] for row in read(house, GATE_CHECK, "check_name", "detail") if row[0] == "earns_more_than_champion"
    ]
    assert sum("Against the champion 2013-03" in detail for detail in details) == 1
    assert "champion" in {row[0] for row in read(house, MODEL_METRIC, "candidate")}
    assert not steps.plan_training(problem="late", partition_key="2013-04")["is_due"]


def test_running_everything_twice_gives_the_same_version_and_the_same_predictions(house, trips):
    trips(MONTHS[:3])
    trips(["2013-04"])
    plan = steps.plan_training(problem="late", partition_key="2013-03") | {"points": ["2013-03"]}
    outcomes = []
    for run_id in ("first", "second"):
        fitted = steps.fit_candidates(problem="late", partition_key="2013-03", plan=plan, run_id=run_id)
        steps.decide_promotion(problem="late", partition_key="2013-03", fitted=fitted, run_id=run_id)
        steps.score_partition(problem="late", partition_key="2013-04", run_id=run_id)
        outcomes.append(
            (fitted, predictions("late"), sorted(read(house, MODEL_METRIC, "candidate", "metric", "value")))
        )
    assert outcomes[0] == outcomes[1]
    assert len(read(house, MODEL_EVENT, "event")) == 1
    assert len(list((house.home / "models" / "late").glob("*.skops"))) == 1


def test_a_partition_is_announced_once_its_model_is_decided_and_again_when_it_changed(house, trips):
    trips(MONTHS[:3])
    train("late", "2013-03")
    trips(["2013-04"])
    # The model of 2013-04 is not decided yet, but it will never score 2013-04 itself.
    first = steps.list_scorable(problem="late", partition_key="2013-04", run_id="a")
    assert first["keys"] == MONTHS
    assert steps.list_scorable(problem="late", partition_key="2013-04", run_id="a")["keys"] == MONTHS
    assert steps.list_scorable(problem="late", partition_key="2013-04", run_id="b")["keys"] == []
    trips(["2013-04"])
    assert steps.list_scorable(problem="late", partition_key="2013-04", run_id="c")["keys"] == ["2013-04"]
    with house.engine.connect() as connection:
        assert read_statuses(connection, "late", Stage.TRAIN) == dict.fromkeys(MONTHS, "done")


def test_a_partition_is_told_of_without_a_model_and_again_when_one_is_decided(house, trips):
    trips(MONTHS[:2])
    assert steps.list_scorable(problem="late", partition_key="2013-02", run_id="a")["keys"] == MONTHS[:2]
    trips(MONTHS[2:3])
    train("late", "2013-03")
    trips(["2013-04", "2013-05"])
    # Scored by the model of 2013-03, until that of 2013-04 is decided.
    assert steps.list_scorable(problem="late", partition_key="2013-05", run_id="b")["keys"] == [*MONTHS[2:], "2013-05"]
    version = train("late", "2013-05")["model_version"]
    assert version.startswith("2013-05")
    assert steps.list_scorable(problem="late", partition_key="2013-05", run_id="c")["keys"] == ["2013-05"]


def test_scoring_a_partition_writes_every_row_with_what_the_log_knows(house, trips):
    trips(MONTHS[:3])
    version = train("late", "2013-03")["model_version"]
    trips(["2013-04"])
    assert steps.score_partition(problem="late", partition_key="2013-04") == {"n_rows": 400, "model_version": version}
    rows, truth = predictions("late"), make_trips("2013-04").set_index("trip_id")["delay_min"]
    assert set(rows) == set(truth.index)
    for key, row in rows.items():
        assert row["is_positive"] == (None if np.isnan(truth[key]) else truth[key] > 15)
        assert row["label_known"] == (not np.isnan(truth[key]))


def test_a_partition_before_the_first_model_is_not_scored_and_the_first_is_named(house, trips):
    trips(MONTHS[:3])
    scored = steps.score_partition(problem="late", partition_key="2013-03")
    assert (scored["n_rows"], scored["model_version"]) == (0, None)
    assert scored["reason"] == "No promoted model serves partition 2013-03; none was promoted yet."
    train("late", "2013-03")
    scored = steps.score_partition(problem="late", partition_key="2013-03")
    assert scored["reason"] == "No promoted model serves partition 2013-03; the first one serves from 2013-04."
    assert read(house, SCORED_PARTITION, "partition_key") == []


def test_a_tampered_model_scores_nothing(house, trips):
    trips(MONTHS[:3])
    train("late", "2013-03")
    trips(["2013-04"])
    path = next((house.home / "models" / "late").glob("*.skops"))
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(TamperedModel, match="was not loaded"):
        steps.score_partition(problem="late", partition_key="2013-04")


def test_too_few_labels_of_a_class_are_a_reason_and_no_error(house, mails, answer):
    _, truth = mails
    wanted = [mail for mail, label in truth.items() if label == "wanted"]
    answer(dict.fromkeys(wanted[:10], "wanted"), "round-001")
    plan = steps.plan_training(problem="mail", partition_key="round-001")
    assert (plan["is_due"], plan["n_rows"]) == (False, 10)
    answer(dict.fromkeys(wanted[10:30], "wanted"), "round-002")
    plan = steps.plan_training(problem="mail", partition_key="round-002")
    assert not plan["is_due"]
    assert "30 items are labelled" in plan["reason"]
    assert "0 of the rarer class" in plan["reason"]


def test_a_version_that_no_gate_has_let_serve_ranks_the_pool_and_serves_nothing(house, mails, answer):
    _, truth = mails
    answer(dict(list(truth.items())[:60]), "round-001")
    plan = steps.plan_training(problem="mail", partition_key="round-001")
    fitted = steps.fit_candidates(problem="mail", partition_key="round-001", plan=plan)
    scored = steps.score_pool(problem="mail", partition_key="round-001")
    assert (scored["model_version"], scored["ranked_by"]) == (None, fitted["model_version"])
    assert scored["n_rows"] == open_rows(ranking_table("mail")).count().to_pyarrow().as_py() == 120
    assert find_table(predictions_table("mail")) is None
    assert steps.score_pool(problem="mail", partition_key="round-001")["n_rows"] == 0
    steps.decide_promotion(problem="mail", partition_key="round-001", fitted=fitted)
    again = steps.score_pool(problem="mail", partition_key="round-001")
    assert again["model_version"] == again["ranked_by"] == fitted["model_version"]
    assert len(predictions("mail")) == 120


def test_a_round_of_answers_is_learned_from_and_the_pool_is_scored_once(house, mails, answer):
    _, truth = mails
    assert steps.score_pool(problem="mail", partition_key="2002-01")["model_version"] is None
    answer(dict(list(truth.items())[:60]), "round-001")
    decided = train("mail", "round-001")
    assert decided["promoted"], decided["reason"]
    scored = steps.score_pool(problem="mail", partition_key="round-001")
    assert (scored["n_rows"], scored["model_version"]) == (120, decided["model_version"])
    assert steps.score_pool(problem="mail", partition_key="round-001")["n_rows"] == 0
    assert steps.list_scorable(problem="mail", partition_key="round-001")["keys"] == ["round-001"]
    unseen = {key: row for key, row in predictions("mail").items() if key not in list(truth)[:60]}
    p = {
        label: np.mean([row["p_positive"] for key, row in unseen.items() if truth[key] == label])
        for label in ("junk", "wanted")
    }
    assert p["junk"] > p["wanted"] + 0.3


def test_an_item_that_lies_in_two_partitions_teaches_once(house, mails, answer, publish):
    _, truth = mails
    copies = make_mails()[0].iloc[:70].assign(sent_at=datetime(2002, 3, 3, tzinfo=UTC))
    publish("mail", "mail_id", copies, "2002-03")
    items = list(truth.items())
    answer(dict(items[:50]), "round-001")
    train("mail", "round-001")
    answer(dict(items[50:90]), "round-002")
    train("mail", "round-002")
    sizes = read(house, MODEL_VERSION, "n_train", "n_evaluate")
    assert sorted(sizes) == [(50, 50), (90, 90)]


def test_a_second_round_is_compared_on_rows_the_first_never_saw(house, mails, answer):
    _, truth = mails
    items = list(truth.items())
    answer(dict(items[:50]), "round-001")
    train("mail", "round-001")
    answer(dict(items[50:70]), "round-002", arm="entropy")
    answer(dict(items[70:90]), "round-002")
    version = train("mail", "round-002")["model_version"]
    curve = read(house, LEARNING_CURVE, "model_version", "arm", "n_labels", "metric")
    assert {row[1:3] for row in curve if row[0] == version} == {("all", 90), ("random", 70)}
    champion = read(house, MODEL_METRIC, "model_version", "candidate", "n_rows")
    assert {row[2] for row in champion if row[:2] == (version, "champion")} == {70}
    # The old round, fitted again, still sees only what was known then.
    assert train("mail", "round-001", "again")["model_version"].startswith("round-001")
    assert len(read(house, MODEL_VERSION, "model_version")) == 2


def test_the_champion_is_not_asked_about_a_mail_whose_twin_taught_it(house, mails, answer, publish):
    _, truth = mails
    items = list(truth.items())
    twin = make_mails()[0].iloc[[0]].assign(mail_id="twin", sent_at=datetime(2002, 3, 3, tzinfo=UTC))
    publish("mail", "mail_id", twin, "2002-03")
    answer(dict(items[:50]), "round-001")
    assert train("mail", "round-001")["promoted"]
    answer({**dict(items[50:69]), "twin": items[0][1]}, "round-002")
    version = train("mail", "round-002")["model_version"]
    metrics = read(house, MODEL_METRIC, "model_version", "candidate", "n_rows")
    assert {row[2] for row in metrics if row[:2] == (version, "text_logistic")} == {70}
    assert {row[2] for row in metrics if row[:2] == (version, "champion")} == {69}


def test_a_rollback_hands_the_partitions_back(house, trips):
    trips(MONTHS)
    train("late", "2013-04")
    trips(["2013-05"])
    with house.engine.begin() as connection:
        before = versions.serving_version(connection, "late", "2013-05")
        promoted = MODEL_EVENT.c.model_version == before
        connection.execute(update(MODEL_EVENT).where(promoted).values(event="rolled_back"))
        after = versions.serving_version(connection, "late", "2013-05")
    assert before is not None
    assert after is not None
    assert (before[:7], after[:7]) == ("2013-04", "2013-03")


def test_importing_the_steps_loads_nothing_heavy():
    script = (
        "import sys; from include.learning import steps; "
        "print([name for name in ('numpy', 'pandas', 'sklearn', 'ibis') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_round_of_torn_and_wordless_texts_is_learned_from_all_the_same(house, problems_dir, publish, answer):
    rng = np.random.default_rng(1)
    rows, _ = make_mails()
    is_junk = rng.random(len(rows)) < 0.5
    # Single letters: no word of two letters anywhere, so that only the pieces teach.
    letters = [rng.choice(list("abcdefghijklm" if junk else "nopqrstuvwxyz"), 7) for junk in is_junk]
    rows = rows.assign(body=[" ".join(own) for own in letters])
    publish("mail", "mail_id", rows, "2002-01")
    training = MAIL["training"] | {"model": None, "models": ["text_characters"], "features": {"text": ["body"]}}
    (problems_dir / "mail.yaml").write_text(yaml.safe_dump(MAIL | {"training": training}))
    truth = dict(zip(rows["mail_id"], np.where(is_junk, "junk", "wanted"), strict=True))
    answer(truth, "round-001")
    other = {mail: "junk" if label == "wanted" else "wanted" for mail, label in list(truth.items())[:50]}
    answer(other, "round-001", labelled_by="bob")
    plan = steps.plan_training(problem="mail", partition_key="round-001")
    assert plan["is_due"]
    assert "50 of 120 items (42%)" in plan["reason"]
    fitted = steps.fit_candidates(problem="mail", partition_key="round-001", plan=plan)
    assert fitted["n_rows"] == 70
    notes = dict(read(house, MODEL_NOTE, "topic", "note"))
    assert notes["left_out"] == "text_characters does without words: no text of 70 holds one."
    assert "50 of 120 items" in notes["undecided"]
